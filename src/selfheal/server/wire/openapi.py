"""An OpenAPI document of version 2 in protobuf, the form in which kubectl asks for it.

Table-driven: what each message's fields are called in JSON, their numbers and types
(github.com/google/gnostic-models openapiv2/OpenAPIv2.proto).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selfheal.protobuf import LENGTH, VARINT, varint

MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Document": {"swagger": (1, "text"), "info": (2, "Info"), "paths": (8, "Paths"), "definitions": (9, "Schemas")},
    "Info": {"title": (1, "text"), "version": (2, "text")},
    "PathItem": {
        "get": (2, "Operation"),
        "put": (3, "Operation"),
        "post": (4, "Operation"),
        "delete": (5, "Operation"),
        "patch": (8, "Operation"),
        "parameters": (9, "Parameter*"),
    },
    "Operation": {
        "description": (3, "text"),
        "operationId": (5, "text"),
        "consumes": (7, "text*"),
        "parameters": (8, "Parameter*"),
        "responses": (9, "Responses"),
    },
    "Body": {"name": (2, "text"), "in": (3, "text"), "required": (4, "flag"), "schema": (5, "Schema")},
    "Query": {"in": (2, "text"), "name": (4, "text"), "type": (6, "text"), "uniqueItems": (20, "flag")},
    "Path": {"required": (1, "flag"), "in": (2, "text"), "name": (4, "text"), "type": (5, "text")},
    "Response": {"description": (1, "text")},
    "Schema": {
        "$ref": (1, "text"),
        "format": (2, "text"),
        "description": (4, "text"),
        "default": (5, "Any"),
        "required": (19, "text*"),
        "enum": (20, "Any*"),
        "additionalProperties": (21, "Below"),
        "type": (22, "List"),
        "items": (23, "Below"),
        "properties": (25, "Schemas"),
    },
}
"""Message → the name of a field in JSON → (number, type); ``*`` is one of many."""

EXTENSIONS = {"PathItem": 10, "Operation": 13, "Schema": 31}
"""Where a message keeps its ``x-…``."""

MAPS = {"Paths": (2, "PathItem"), "Schemas": (1, "Schema"), "Responses": (1, "Outcome")}
"""Messages that are maps in JSON: (number of an entry, type of its value)."""

PARAMETERS = {"body": ((1, 1), "Body"), "query": ((1, 2, 3), "Query"), "path": ((1, 2, 4), "Path")}
"""By where a parameter stands: the numbers of the messages around it, and its own."""


def encode(document: Mapping[str, Any]) -> bytes:
    """The document's bytes."""
    return _message(document, "Document")


def _bytes(number: int, value: bytes) -> bytes:
    return varint(number << 3 | LENGTH) + varint(len(value)) + value


def _message(value: Mapping[str, Any], of: str) -> bytes:
    known, out = MESSAGES[of], bytearray()
    for name, below in value.items():
        if name.startswith("x-") and of in EXTENSIONS:
            out += _bytes(EXTENSIONS[of], _bytes(1, name.encode()) + _bytes(2, _any(below)))
        elif name in known:
            number, kind = known[name]
            for item in below if kind.endswith("*") else (below,):
                out += _field(number, item, kind.rstrip("*"))
    return bytes(out)


def _field(number: int, value: Any, kind: str) -> bytes:
    if kind == "flag":
        return varint(number << 3 | VARINT) + varint(int(value))
    return _bytes(number, _value(value, kind))


def _value(value: Any, kind: str) -> bytes:
    if kind == "text":
        return str(value).encode()
    if kind == "Any":
        return _any(value)
    if kind == "List":  # a type, or some
        return _bytes(1, str(value).encode())
    if kind == "Below":  # items, additionalProperties: a schema, or a yes
        return _field(2, value, "flag") if isinstance(value, bool) else _bytes(1, _message(value, "Schema"))
    if kind == "Outcome":
        return _bytes(1, _message(value, "Response"))
    if kind == "Parameter":
        around, own = PARAMETERS[value["in"]]
        out = _message(value, own)
        for number in reversed(around):
            out = _bytes(number, out)
        return out
    if kind in MAPS:
        number, below = MAPS[kind]
        entries = (_bytes(1, name.encode()) + _bytes(2, _value(item, below)) for name, item in value.items())
        return b"".join(_bytes(number, entry) for entry in entries)
    return _message(value, kind)


def _any(value: Any) -> bytes:
    return _bytes(2, json.dumps(value, separators=(",", ":")).encode())
