"""What a structural schema says of a value: which fields are no fields, what is left out, what is wrong.

staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver: schema/pruning, schema/defaulting, validation/validation.go;
the texts are those of github.com/go-openapi/errors. Rules in CEL (``x-kubernetes-validations``) are not evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from selfheal.errors import FieldError

Schema = Mapping[str, Any]

ROOT = ("apiVersion", "kind", "metadata")
"""Fields of every object, whether its schema names them or not."""


def prune(value: Any, schema: Schema, unknown: list[str], path: str = "", *, root: bool = False) -> Any:
    """The value without the fields that the schema does not name; ``unknown`` gets their paths."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [prune(item, items, unknown, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    named, others = schema.get("properties") or {}, schema.get("additionalProperties")
    keep = schema.get("x-kubernetes-preserve-unknown-fields") is True
    embedded = root or schema.get("x-kubernetes-embedded-resource") is True
    out = {}
    for key, below in value.items():
        where = f"{path}.{key}" if path else key
        if key in named:
            out[key] = prune(below, named[key], unknown, where)
        elif embedded and key in ROOT:
            out[key] = below
        elif isinstance(others, Mapping):
            out[key] = prune(below, others, unknown, where)
        elif others is True or keep:
            out[key] = below
        else:
            unknown.append(where)
    return out


def default(value: Any, schema: Schema) -> Any:
    """The value with the schema's defaults where nothing is given; a null that may not be one counts as nothing."""
    if isinstance(value, list):
        return [default(item, schema.get("items") or {}) for item in value]
    if not isinstance(value, Mapping):
        return value
    out = dict(value)
    for key, of in (schema.get("properties") or {}).items():
        if out.get(key) is None and key in out and "default" in of and not of.get("nullable"):
            del out[key]
        if key not in out and "default" in of:
            out[key] = of["default"]
        if key in out:
            out[key] = default(out[key], of)
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        named = schema.get("properties") or {}
        out = {key: below if key in named else default(below, others) for key, below in out.items()}
    return out


# ---- what is wrong


def check(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """Everything that a schema has against a value."""
    if value is None and (schema.get("nullable") or not path):
        return
    if not _is(value, schema):
        wanted = "integer" if schema.get("x-kubernetes-int-or-string") else str(schema.get("type"))
        yield _invalid(path, _type(value), f"must be of type {wanted}: {_quoted(_type(value))}")
        return
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(_quoted(v) for v in schema["enum"])
        text = f"Unsupported value: {_quoted(value)}: supported values: {known}"
        yield FieldError(path, "FieldValueNotSupported", text)
    if isinstance(value, bool):
        pass
    elif isinstance(value, int | float):
        yield from _number(value, schema, path)
    elif isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, list):
        yield from _list(value, schema, path)
    elif isinstance(value, Mapping):
        yield from _map(value, schema, path)
    yield from _logic(value, schema, path)


def _type(value: Any) -> str:
    for name, kind in (("null", type(None)), ("boolean", bool), ("integer", int), ("number", float), ("string", str)):
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"


def _is(value: Any, schema: Schema) -> bool:
    found, wanted = _type(value), schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return found in ("integer", "string")
    if wanted == "number":
        return found in ("number", "integer")
    if wanted == "integer" and found == "number":
        return bool(float(value).is_integer())
    return wanted in (None, "", found)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _invalid(path: str, value: Any, why: str) -> FieldError:
    shown = _quoted(value)
    return FieldError(path or "<nil>", "FieldValueInvalid", f"Invalid value: {shown}: {path} in body {why}")


def _number(value: float, schema: Schema, path: str) -> Iterator[FieldError]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None:
        if schema.get("exclusiveMinimum") and value <= least:
            yield _invalid(path, value, f"should be greater than {least:g}")
        elif value < least:
            yield _invalid(path, value, f"should be greater than or equal to {least:g}")
    if most is not None:
        if schema.get("exclusiveMaximum") and value >= most:
            yield _invalid(path, value, f"should be less than {most:g}")
        elif value > most:
            yield _invalid(path, value, f"should be less than or equal to {most:g}")
    if step and value % step:
        yield _invalid(path, value, f"should be a multiple of {step:g}")


def _moment(text: str) -> bool:
    try:
        return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], object]] = {
    "date-time": _moment,
    "date": lambda t: re.fullmatch(r"\d{4}-\d{2}-\d{2}", t),
    "ipv4": lambda t: re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", t),
    "uuid": lambda t: re.fullmatch(r"(?i)[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", t),
    "email": lambda t: re.fullmatch(r"[^@\s]+@[^@\s]+", t),
    "byte": lambda t: re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", t),
}
"""Formats that are checked; all others say nothing."""


def _text(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxLength")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")
    if (least := schema.get("minLength")) is not None and len(value) < least:
        yield _invalid(path, value, f"should be at least {least} chars long")
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield _invalid(path, value, f"should match '{schema['pattern']}'")
    known = FORMATS.get(schema.get("format", ""))
    if known is not None and not known(value):
        yield _invalid(path, value, f"must be of type {schema['format']}: {_quoted(value)}")


def _list(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxItems")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items")
    if (least := schema.get("minItems")) is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} items")
    items = schema.get("items")
    for i, item in enumerate(value):
        if isinstance(items, Mapping):
            yield from check(item, items, f"{path}[{i}]")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    for i, item in enumerate(value):
        kind = schema.get("x-kubernetes-list-type")
        own = {k: item.get(k) for k in keys} if kind == "map" and isinstance(item, Mapping) else item
        if kind in ("map", "set"):
            if own in seen:
                yield FieldError(f"{path}[{i}]", "FieldValueDuplicate", f"Duplicate value: {_quoted(own)}")
            seen.append(own)


def _map(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxProperties")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items")
    if (least := schema.get("minProperties")) is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} properties")
    for key in schema.get("required") or ():
        if key not in value:
            yield FieldError(_join(path, key), "FieldValueRequired", "Required value")
    named, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, below in value.items():
        if key in named:
            yield from check(below, named[key], _join(path, key))
        elif isinstance(others, Mapping):
            yield from check(below, others, _join(path, key))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _logic(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    for part in schema.get("allOf") or ():
        yield from check(value, part, path)
    quoted = f'"{path}"'
    if schema.get("anyOf") and not any(_fits(value, part) for part in schema["anyOf"]):
        yield FieldError(
            path, "FieldValueInvalid", f"Invalid value: {quoted} must validate at least one schema (anyOf)"
        )
    if schema.get("oneOf"):
        fitting = sum(_fits(value, part) for part in schema["oneOf"])
        if fitting != 1:
            found = "Found none valid" if not fitting else f"Found {fitting} valid alternatives"
            text = f"Invalid value: {quoted} must validate one and only one schema (oneOf). {found}"
            yield FieldError(path, "FieldValueInvalid", text)
    if schema.get("not") and _fits(value, schema["not"]):
        yield FieldError(path, "FieldValueInvalid", f"Invalid value: {quoted} must not validate the schema (not)")


def _fits(value: Any, schema: Schema) -> bool:
    return next(check(value, schema, "x"), None) is None
