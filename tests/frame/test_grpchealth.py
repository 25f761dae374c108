"""The two messages of grpc.health.v1 as bytes."""

from __future__ import annotations

import pytest

from selfheal import grpchealth


@pytest.mark.parametrize("name", ["", "liveness", "ä" * 70, "x" * 300])
def test_a_request_comes_back(name: str) -> None:
    assert grpchealth.service(grpchealth.request(name)) == name


def test_the_bytes_are_protobufs() -> None:
    assert grpchealth.request("a") == b"\x0a\x01a"
    assert [grpchealth.response(status) for status in grpchealth.STATUSES] == [
        b"",
        b"\x08\x01",
        b"\x08\x02",
        b"\x08\x03",
    ]
    assert [grpchealth.status(b"" if n == 0 else bytes([8, n])) for n in range(5)] == [*grpchealth.STATUSES, "4"]


def test_fields_that_nobody_knows_are_skipped() -> None:
    assert grpchealth.service(b"\x10\x96\x01\x1d1234\x2112345678\x0a\x02hi\x12\x01x") == "hi"


@pytest.mark.parametrize("broken", [b"\x0a", b"\x0a\x05hi", b"\x0b", b"\x08" + b"\x80" * 9, b"\x80" * 12])
def test_what_is_no_message_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"unexpected EOF|wire type|integer overflow"):
        grpchealth.service(broken)
