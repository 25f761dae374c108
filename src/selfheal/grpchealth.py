"""``grpc.health.v1`` as bytes: the two messages of its service, and what their number stands for.

A request has one field (1, the service's name), an answer one (1, the status): small enough to need no generated
code (https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto).
"""

from __future__ import annotations

SERVICE = "grpc.health.v1.Health"
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
"""By number."""

_STRING, _NUMBER = 0x0A, 0x08
"""Tags of field 1: text with its length, a number."""


def request(service: str) -> bytes:
    """A HealthCheckRequest."""
    name = service.encode()
    return bytes([_STRING]) + _varint(len(name)) + name if name else b""


def service(message: bytes) -> str:
    """The service that a HealthCheckRequest names. ValueError if it is none."""
    name = b""
    for field, value in _fields(message):
        if field == 1 and isinstance(value, bytes):
            name = value
    return name.decode()


def response(status: str) -> bytes:
    """A HealthCheckResponse."""
    number = STATUSES.index(status)
    return bytes([_NUMBER, number]) if number else b""


def status(message: bytes) -> str:
    """The status that a HealthCheckResponse gives; a number nobody knows as such. ValueError if it is none."""
    number = 0
    for field, value in _fields(message):
        if field == 1 and isinstance(value, int):
            number = value
    return STATUSES[number] if number < len(STATUSES) else str(number)


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of any message: what nobody knows is skipped, as protobuf does."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        tag, at = _read(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _read(message, at)
            found.append((tag >> 3, value))
            continue
        size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _read(message, at) if kind == 2 else (-1, at)
        if size < 0 or at + size > len(message):
            raise ValueError("no message of grpc.health.v1")
        found.append((tag >> 3, message[at : at + size]))
        at += size
    return found


def _read(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("no message of grpc.health.v1")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
