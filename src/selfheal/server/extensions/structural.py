"""What a structural schema makes of a value: which fields are no fields, which nulls are none, what is left out.

staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema: pruning/algorithm.go, defaulting/algorithm.go,
defaulting/prunenulls.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

ROOT = ("apiVersion", "kind", "metadata")
"""Fields of every object, whether its schema names them or not."""


def below(schema: Schema, key: str) -> Schema | None:
    """The schema of a field of a map; None if it has none."""
    found = (schema.get("properties") or {}).get(key, schema.get("additionalProperties"))
    return found if isinstance(found, Mapping) else None


def prune(
    value: Any, schema: Schema, unknown: list[str], path: str = "", *, root: bool = False, keep: bool = False
) -> Any:
    """The value without the fields that the schema does not name; ``unknown`` gets their paths.

    ``keep``: somebody above keeps unknown fields.
    """
    keep = keep or schema.get("x-kubernetes-preserve-unknown-fields") is True
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [prune(item, items, unknown, f"{path}[{i}]", keep=keep) for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    embedded = root or schema.get("x-kubernetes-embedded-resource") is True
    out = {}
    for key, held in value.items():
        where = f"{path}.{key}" if path else key
        if embedded and key in ROOT:
            out[key] = held
        elif key in (schema.get("properties") or {}) or schema.get("additionalProperties"):
            out[key] = prune(held, below(schema, key) or {}, unknown, where)
        elif keep:
            out[key] = held
        else:
            unknown.append(where)
    return out


def without_nulls(value: Any, schema: Schema) -> Any:
    """The value without the nulls that may not be one, but for those that a default takes the place of."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [without_nulls(item, items) for item in value]
    if not isinstance(value, Mapping):
        return value
    out = {}
    for key, held in value.items():
        of = below(schema, key)
        if held is not None or of is None or of.get("nullable") or of.get("default") is not None:
            out[key] = without_nulls(held, of or {})
    return out


def default(value: Any, schema: Schema) -> Any:
    """The value with the schema's defaults where nothing is given; a null that may not be one counts as nothing."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [default(_filled(item, items), items) for item in value]
    if not isinstance(value, Mapping):
        return value
    out = dict(value)
    for key, of in (schema.get("properties") or {}).items():
        if key not in out and of.get("default") is not None:
            out[key] = of["default"]
    for key, held in out.items():
        of = below(schema, key)
        if of is not None:
            out[key] = default(_filled(held, of), of)
    return out


def _filled(value: Any, schema: Schema) -> Any:
    return schema.get("default") if value is None and not schema.get("nullable") else value
