"""Protobuf's wire format: what every message is made of, whatever it means.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

Field = tuple[int, int | bytes]
"""A field's number, and its value: a number, or bytes of which only its reader knows what they are."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""The wire types that are still in use."""


def fields(data: bytes) -> list[Field]:
    """The fields of a message, in order. Raises ValueError."""
    found: list[Field] = []
    at = 0
    while at < len(data):
        tag, at = _read(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, at = _read(data, at)
            found.append((number, value))
            continue
        if wire_type == LENGTH:
            size, at = _read(data, at)
        elif wire_type in (FIXED64, FIXED32):
            size = 8 if wire_type == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if at + size > len(data):
            raise ValueError("unexpected EOF")
        found.append((number, data[at : at + size]))
        at += size
    return found


def varint(value: int) -> bytes:
    """A number from 0 on, seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read(data: bytes, at: int) -> tuple[int, int]:
    """(a number, where it ends)."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("unexpected EOF" if shift < 64 else "integer overflow")
