"""HTTP/2 over TLS, which a kubelet speaks with a server that offers it. Without the package h2, HTTP/1.1 alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from selfheal.probers.dial import Failed
from selfheal.probes.http import Target

AVAILABLE = find_spec("h2") is not None
OWN = ("host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
"""Headers that HTTP/2 has no place for."""


class Stream:
    """The one request of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from h2.config import H2Configuration
        from h2.connection import H2Connection

        self._reader, self._writer = reader, writer
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._headers: list[tuple[str, str]] | None = None
        self._data = b""
        self._over = False

    async def get(self, target: Target, headers: Iterable[tuple[str, str]]) -> tuple[int, list[tuple[str, str]]]:
        """Ask; gives the status and the headers. Failed, in Go's words."""
        sent = list(headers)
        host = next((value for name, value in sent if name == "Host"), target.host)
        first = [(":method", "GET"), (":authority", host), (":scheme", "https"), (":path", target.path)]
        self._h2.initiate_connection()
        rest = [(name.lower(), value) for name, value in sent if name.lower() not in OWN]
        self._h2.send_headers(1, [*first, *rest], end_stream=True)
        while self._headers is None:
            await self._more()
        status = next((value for name, value in self._headers if name == ":status"), "")
        return int(status), self._headers

    async def body(self, limit: int) -> bytes:
        """The first bytes of the body."""
        while len(self._data) < limit and not self._over:
            await self._more()
        return self._data[:limit]

    async def _more(self) -> None:
        from h2.exceptions import ProtocolError

        self._writer.write(self._h2.data_to_send())
        await self._writer.drain()
        data = await self._reader.read(65536)
        if not data:
            raise Failed("unexpected EOF")
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as error:
            raise Failed(f"http2: {str(error).lower() or 'protocol error'}") from None
        for event in events:
            self._take(event)
        self._writer.write(self._h2.data_to_send())

    def _take(self, event: Any) -> None:
        name = type(event).__name__
        if name == "ResponseReceived":
            self._headers = list(event.headers)
        elif name == "DataReceived":
            self._data += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, 1)
        elif name == "StreamEnded":
            self._over = True
        elif name == "StreamReset":
            code = getattr(event.error_code, "name", str(event.error_code))
            raise Failed(f"stream error: stream ID 1; {code}; received from peer")
        elif name == "ConnectionTerminated" and not self._over:
            code = getattr(event.error_code, "name", str(event.error_code))
            if code != "NO_ERROR" or event.last_stream_id < 1:
                debug = (event.additional_data or b"").decode(errors="replace")
                raise Failed(
                    "http2: server sent GOAWAY and closed the connection; "
                    f'LastStreamID={event.last_stream_id}, ErrCode={code}, debug="{debug}"'
                )
