"""Clients that nobody means well with, at a real socket: slow, silent, smuggling ones. Others are served."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal.server import Emulator
from selfheal.server.remote import Remote
from tests.server.api import PODS, pod

EXAMPLES = 1000 if os.environ.get("SELFHEAL_EXAMPLES") == "nightly" else 40
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


class Wire:
    """Bytes to a running emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._address = ("127.0.0.1", int(emulator.address.rpartition(":")[2]))
        self._trust = ssl.create_default_context()
        self._trust.check_hostname, self._trust.verify_mode = False, ssl.CERT_NONE
        self.remote = Remote(emulator.content)
        self.token = emulator.token

    def plain(self) -> socket.socket:
        return socket.create_connection(self._address, timeout=10)

    def open(self) -> ssl.SSLSocket:
        return self._trust.wrap_socket(self.plain())

    def say(self, data: bytes) -> bytes:
        """All that comes back until the server hangs up; it must, once nothing more can come from here."""
        found = bytearray()
        with contextlib.closing(self.open()) as connection, contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.sendall(data)
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                while chunk := connection.recv(65536):
                    found += chunk
                    if found.startswith(b"HTTP/1.1 ") and b"Connection: close" in found:
                        break
                    connection.settimeout(0.2)
        return bytes(found)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder: Path = tmp_path_factory.mktemp("wire")
    with Emulator(kubeconfig=folder / "kubeconfig").running() as running:
        yield Wire(running)


def test_slow_and_silent_clients_hold_nobody_up(wire: Wire) -> None:
    with contextlib.ExitStack() as stack:
        for i in range(40):
            connection: Any = wire.plain() if i % 3 == 0 else wire.open()
            stack.enter_context(contextlib.closing(connection))
            if i % 3 == 1:
                connection.sendall(b"GET /api/v1/pods HTTP/1.1\r\nHo")
            elif i % 3 == 2:
                head = f"POST {PODS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {wire.token}\r\n"
                connection.sendall(f"{head}Content-Length: 900\r\n\r\n{{".encode())
        for _ in range(20):
            assert wire.remote.ask("GET", PODS)["kind"] == "PodList"


def test_watches_that_nobody_reads_cost_the_others_nothing(wire: Wire) -> None:
    ask = f"GET {CONFIGMAPS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {wire.token}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(contextlib.closing(wire.open()))
            connection.sendall(ask)
        made = wire.remote.ask("POST", CONFIGMAPS, {"metadata": {"name": "big"}, "data": {"x": ""}})
        for n in range(60):
            made["data"]["x"] = str(n) * 40_000
            made = wire.remote.ask("PUT", f"{CONFIGMAPS}/big", made)
        assert made["data"]["x"].startswith("59")
    wire.remote.ask("DELETE", f"{CONFIGMAPS}/big")


HEAD = "GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "Content-Length: -1\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "X: a\x00b\r\n\r\n",
        " folded: x\r\n\r\n",
        "Host: y\r\n\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    ],
)
def test_smuggled_heads_are_refused(wire: Wire, head: str) -> None:
    found = wire.say((HEAD + head).encode("latin-1"))
    assert not found or found.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 501")), found[:200]
    assert found.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/api/v1/../../x", "/%2e%2e/x", "//", "/api/v1/pods/%00", "/\xff"]
)
def test_paths_lead_nowhere_else(wire: Wire, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {wire.token}\r\nConnection: close\r\n\r\n"
    assert wire.say(head.encode("latin-1")).startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 200"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from([b"", b"GET ", b"POST " + PODS.encode() + b" HTTP/1.1\r\n", HEAD.encode()]),
    st.binary(max_size=60) | st.text("\r\n: ,;aGET/0123456789", max_size=60).map(str.encode),
)
def test_noise_is_no_internal_error(wire: Wire, begin: bytes, noise: bytes) -> None:
    found = wire.say(begin + noise + b"\r\n\r\n")
    assert not found or (found.startswith(b"HTTP/1.1 ") and found[9:12] != b"500"), found[:200]


def test_afterwards_all_is_well(wire: Wire) -> None:
    wire.remote.ask("POST", PODS, pod("last"))
    assert wire.remote.ask("GET", f"{PODS}/last")["metadata"]["name"] == "last"
