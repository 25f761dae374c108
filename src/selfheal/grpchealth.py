"""``grpc.health.v1`` as bytes: the two messages of its service, and what their number stands for.

A request has one field (1, the service's name), an answer one (1, the status): small enough to need no generated
code (https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto).
"""

from __future__ import annotations

from selfheal.protobuf import fields, varint

SERVICE = "grpc.health.v1.Health"
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
"""By number."""

_STRING, _NUMBER = 0x0A, 0x08
"""Tags of field 1: text with its length, a number."""


def request(service: str) -> bytes:
    """A HealthCheckRequest."""
    name = service.encode()
    return bytes([_STRING]) + varint(len(name)) + name if name else b""


def service(message: bytes) -> str:
    """The service that a HealthCheckRequest names. ValueError if it is none."""
    name = b""
    for field, value in fields(message):
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
    for field, value in fields(message):
        if field == 1 and isinstance(value, int):
            number = value
    return STATUSES[number] if number < len(STATUSES) else str(number)
