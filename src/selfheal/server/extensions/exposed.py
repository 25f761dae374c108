"""What of an object its rules see, and as what.

staging/src/k8s.io/apiserver/pkg/cel/common: schemas.go SchemaDeclType, values.go; …/pkg/cel/escaping.go
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from selfheal.server.extensions.structural import Schema, below

RESERVED = (
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
    *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
)
"""Words of CEL that no field may have as its name."""
ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
TEXT: Schema = {"type": "string"}
META: Schema = {"type": "object", "properties": {"name": TEXT, "generateName": TEXT}}
ROOT: Schema = {"kind": TEXT, "apiVersion": TEXT, "metadata": META}
SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def escaped(name: str) -> str | None:
    """A field's name as expressions write it; None if they cannot."""
    if name in RESERVED:
        return f"__{name}__"
    if not re.fullmatch(r"[A-Za-z_.\-/][\w.\-/]*", name, re.ASCII):
        return None
    return re.sub(r"__|[.\-/]", lambda found: ESCAPES[found[0]], name)


def rooted(schema: Schema) -> Schema:
    """The schema of an object: of its metadata, rules see the name alone."""
    return {**schema, "properties": {**(schema.get("properties") or {}), **ROOT}}


def typed(schema: Schema | None) -> bool:
    """Whether rules see values of a schema at all."""
    if schema is None:
        return False
    if schema.get("type") == "array":
        return typed(schema.get("items"))
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return typed(schema["additionalProperties"])
    return bool(schema.get("type") or schema.get("x-kubernetes-int-or-string"))


def exposed(value: Any, schema: Schema, *, root: bool = False) -> Any:
    """A value as CEL takes it."""
    if root:
        schema = rooted(schema)
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [exposed(item, items, root=_embedded(items)) for item in value]
    if isinstance(value, Mapping):
        out = {}
        for key, held in value.items():
            of = below(schema, key)
            called = escaped(key) if key in (schema.get("properties") or {}) else key
            if of is not None and called is not None and typed(of):
                out[called] = exposed(held, of, root=_embedded(of))
        return out
    if isinstance(value, str) and schema.get("type") == "string":
        return _text(value, schema.get("format"))
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("type") == "integer" and isinstance(value, float):
        return int(value)
    return value


def _embedded(schema: Schema) -> bool:
    return schema.get("x-kubernetes-embedded-resource") is True


def _text(text: str, format: Any) -> Any:
    """A text of a format that has a type of its own; one that is none of the format stays as it is."""
    try:
        if format == "byte":
            return base64.b64decode(text)
        if format in ("date", "date-time"):
            return _moment(text if format == "date-time" else f"{text}T00:00:00Z")
        if format == "duration":
            return _duration(text)
    except ValueError:
        pass
    return text


def _moment(text: str) -> Any:
    from google.protobuf.timestamp_pb2 import Timestamp

    found = Timestamp()
    found.FromDatetime(datetime.fromisoformat(text))
    return found


def _duration(text: str) -> Any:
    from google.protobuf.duration_pb2 import Duration

    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("-"):
        raise ValueError(text)
    found = Duration()
    sign = -1 if text.startswith("-") else 1
    found.FromNanoseconds(sign * round(sum(float(number) * SECONDS[unit] for number, unit in parts) * 1e9))
    return found
