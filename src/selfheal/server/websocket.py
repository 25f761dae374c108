"""The server's side of a websocket (RFC 6455), for exec, attach and port-forward.

Here rather than in a library, because Kubernetes' subprotocol ``SPDY/3.1+portforward.k8s.io`` is no token as the RFC
has it, and libraries that read the header by the letter refuse it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Mapping, Sequence

from selfheal.errors import BadRequest

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LARGEST = 1 << 24
"""Bytes of one message."""


class Closed(Exception):
    """The other side has ended it."""


def handshake(headers: Mapping[str, str], known: Sequence[str]) -> tuple[str, dict[str, str]]:
    """(subprotocol, headers of the answer): the first offered that is ``known``. BadRequest if there is none."""
    key = headers.get("sec-websocket-key", "")
    if headers.get("upgrade", "").lower() != "websocket" or not key or headers.get("sec-websocket-version") != "13":
        raise BadRequest("Upgrade request required")
    offered = [p.strip() for p in headers.get("sec-websocket-protocol", "").split(",") if p.strip()]
    chosen = next((p for p in offered if p in known), None)
    if chosen is None and offered:
        raise BadRequest(f"unable to upgrade: none of the protocols {offered} is spoken here: {list(known)}")
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode(), usedforsecurity=False).digest()).decode()
    out = {"Upgrade": "websocket", "Sec-WebSocket-Accept": accept}
    return chosen or "", {**out, "Sec-WebSocket-Protocol": chosen} if chosen else out


class WebSocket:
    """Messages to and from one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._closed = False

    async def send(self, data: bytes, opcode: int = BINARY) -> None:
        """One message, in one frame."""
        if self._closed:
            return
        size = len(data)
        if size < 126:
            head = bytes([0x80 | opcode, size])
        elif size < 1 << 16:
            head = bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
        self._writer.write(head + data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """The next message, pings answered. Raises Closed."""
        message = bytearray()
        while True:
            try:
                final, opcode, data = await self._frame()
            except (asyncio.IncompleteReadError, OSError):
                raise Closed from None
            if opcode == PING:
                await self.send(data, PONG)
            elif opcode == CLOSE:
                await self.close(data[:2])
                raise Closed
            elif opcode != PONG:
                message += data
                if len(message) > LARGEST:
                    raise Closed
                if final:
                    return bytes(message)

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 127
        if size >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
        if first & 0x70 or not second & 0x80 or size > LARGEST:
            raise Closed  # bits that mean nothing, a client that does not mask, too much
        mask = await self._reader.readexactly(4)
        data = await self._reader.readexactly(size)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return bool(first & 0x80), first & 15, (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")

    async def close(self, code: bytes = b"\x03\xe8") -> None:
        """Say goodbye (1000: all is well)."""
        if not self._closed:
            with contextlib.suppress(OSError, RuntimeError):
                await self.send(code, CLOSE)
            self._closed = True
