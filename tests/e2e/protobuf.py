"""Bodies of requests as client-go sends them: Kubernetes' protobuf (the emulator only reads it)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from selfheal.protobuf import LENGTH, VARINT, varint
from selfheal.server import wire
from selfheal.server.wire.protobuf import MAGIC


def encode(obj: dict[str, Any]) -> bytes:
    """An object, or options, in the envelope in which they travel."""
    kind, version = obj["kind"], obj["apiVersion"]
    group, _, number = version.rpartition("/")
    name = f"api.{group.partition('.')[0] or 'core'}.{number}.{kind}"
    if kind.endswith("Options"):
        name = f"apimachinery.pkg.apis.meta.v1.{kind}"
    about = _bytes(1, version.encode()) + _bytes(2, kind.encode())
    return MAGIC + _bytes(1, about) + _bytes(2, _message(obj, name))


def _bytes(number: int, value: bytes) -> bytes:
    return varint(number << 3 | LENGTH) + varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(int(value) % (1 << 64))


def _message(value: dict[str, Any], name: str) -> bytes:
    out = bytearray()
    for number, (key, of, how) in wire.messages()[name].items():
        if how == "inline":
            out += _bytes(int(number), _message(value, of))
        elif how == "map":
            for word, item in (value.get(key) or {}).items():
                out += _bytes(int(number), _bytes(1, word.encode()) + _field(2, item, of))
        elif value.get(key) is not None:
            items: Iterable[Any] = value[key] if how == "repeated" else [value[key]]
            for item in items:
                out += _field(int(number), item, of)
        elif how == "optional" and of == "s":
            out += _bytes(int(number), b"")  # Go writes its strings also when they are empty
    return bytes(out)


def _field(number: int, value: Any, of: str) -> bytes:
    if of in ("t", "i"):
        return _number(number, value)
    if of == "s":
        return _bytes(number, str(value).encode())
    if of == "b":
        return _bytes(number, base64.b64decode(value))
    special = of.rpartition(".")[2]
    if special == "Quantity":
        return _bytes(number, _bytes(1, str(value).encode()))
    if special in ("Time", "MicroTime"):
        moment = datetime.fromisoformat(value)
        return _bytes(number, _number(1, int(moment.timestamp())) + _number(2, moment.microsecond * 1000))
    if special == "IntOrString":
        text = isinstance(value, str)
        kind, as_number = _number(1, int(text)), _number(2, 0 if text else value)
        return _bytes(number, kind + as_number + _bytes(3, value.encode() if text else b""))
    if special in ("RawExtension", "FieldsV1"):
        return _bytes(number, _bytes(1, json.dumps(value).encode()))
    return _bytes(number, _message(value, of))
