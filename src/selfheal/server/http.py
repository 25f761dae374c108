"""HTTP/1.1 on asyncio: requests in, responses out, some of them endless, some of them other protocols.

The parser is h11, which knows what may not be let through. What is here are the limits: how long a head may be, how
large a body, how long somebody may take. A response's body may be an async generator; it is closed when the client
has gone. An :class:`Upgrade` hands the connection over (websockets).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any
from urllib.parse import parse_qs, unquote

import h11

LONGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers."""
LONGEST_BODY = 3 * 1024 * 1024
"""Bytes of a request's body (apiserver/pkg/server/config.go MaxRequestBodyBytes)."""
PATIENCE = 30.0
"""Seconds in which a request that has begun must be there."""
IDLE = 180.0
"""Seconds that a connection may lie idle."""
CHUNK = 1 << 16
LINGER, MOST_UNHEARD = 1.0, 1 << 24
"""Seconds and bytes for which a client that has been refused may go on talking."""

Body = AsyncGenerator[bytes, None]


@dataclass(slots=True)
class Request:
    """A request, whole."""

    method: str
    path: str
    """Without the query, unquoted."""
    query: dict[str, list[str]]
    headers: dict[str, str]
    """By their names in small letters; of a name that came twice, both values with a comma."""
    body: bytes = b""
    twice: list[str] = field(default_factory=list)
    """Fields that its body names twice, once that has been read."""
    resource: str = ""
    """What it is about, once its path has been read."""
    user: Any = None
    """Who sends it, if it is not the administrator."""

    def get(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query[name][0] if self.query.get(name) else default

    def flag(self, name: str) -> bool:
        """Whether a query parameter says yes, as Go reads it."""
        return self.get(name).lower() in ("1", "t", "true")


@dataclass(slots=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes | Body = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    closing: Callable[[], object] = lambda: None
    """Called when it has been sent, or cannot be."""


WIRE = methodcaller("wire")


def as_json(
    value: Any, status: int = 200, *, pretty: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in JSON; what is no JSON says by ``wire()`` what it is."""
    indent, separators = (2, None) if pretty else (None, (",", ":"))
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, default=WIRE) + "\n"
    return Response(status, text.encode(errors="surrogatepass"), headers=headers or {})


@dataclass(slots=True)
class Upgrade:
    """From here on the connection speaks another protocol: ``run(reader, writer)``."""

    headers: Mapping[str, str]
    run: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Abort:
    """No answer at all: the connection ends."""


Answer = Response | Upgrade | Abort
Handler = Callable[[Request], Awaitable[Answer]]


class HTTPServer:
    """A port with a handler behind it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """Listen; returns the port. OSError if it is taken."""
        patience = {} if context is None else {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 1.0}
        self._server = await asyncio.start_server(
            self._connected, host, port, ssl=context, limit=4 * CHUNK, backlog=512, **patience
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=2)
        for _ in range(3):
            await asyncio.sleep(0)  # the sockets are closed by calls that the loop still has to make

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        gone = (OSError, ssl.SSLError, TimeoutError, asyncio.IncompleteReadError, h11.LocalProtocolError)
        try:
            with contextlib.suppress(*gone):
                await Connection(reader, writer, self._handler).serve()
            with contextlib.suppress(*gone):
                writer.close()
                await writer.wait_closed()
        except asyncio.CancelledError:
            pass  # the server stops; nobody awaits this task
        finally:
            writer.transport.abort()
            self._connections.discard(task)


class Connection:
    """One client's connection, request after request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)

    async def serve(self) -> None:
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint or 400, str(error))
                return
            if request is None:
                return
            if len(request.body) > LONGEST_BODY:
                await self._refuse(413, f"Request entity too large: limit is {LONGEST_BODY}")
                return
            answer = await self._handler(request)
            if isinstance(answer, Abort):
                return
            if isinstance(answer, Upgrade):
                await self._upgrade(answer)
                return
            try:
                await self._respond(answer, bodiless=request.method == "HEAD")
            finally:
                answer.closing()
            if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
                return
            self._h11.start_next_cycle()

    async def _event(self, patience: float) -> Any:
        while True:
            event = self._h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._h11.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(patience):
                self._h11.receive_data(await self._reader.read(CHUNK))

    async def _request(self) -> Request | None:
        """The next request; None if the client hangs up."""
        head = await self._event(IDLE)
        if not isinstance(head, h11.Request):
            return None
        headers: dict[str, str] = {}
        for raw_name, raw in head.headers:
            name, value = raw_name.decode("latin-1"), raw.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if (
            "transfer-encoding" in headers and "content-length" in headers
        ):  # two lengths: one of them is for somebody else
            raise h11.RemoteProtocolError("Content-Length beside Transfer-Encoding")
        path, _, query = head.target.decode("latin-1").partition("?")
        body = bytearray()
        while not isinstance(event := await self._event(PATIENCE), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                return None
            body += event.data
            if len(body) > LONGEST_BODY:
                break
        try:
            values = parse_qs(query, keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            values = {}
        return Request(head.method.decode("latin-1"), unquote(path), values, headers, bytes(body))

    async def _send(self, event: Any) -> None:
        data = self._h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _refuse(self, code: int, message: str) -> None:
        """An answer to what could not be read; the connection then ends."""
        if self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        reason = "RequestEntityTooLarge" if code == 413 else "BadRequest"
        body = json.dumps({**status, "message": message, "reason": reason, "code": code}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        with contextlib.suppress(h11.LocalProtocolError):
            await self._send(h11.Response(status_code=code, headers=headers))
            await self._send(h11.Data(data=body))
            await self._send(h11.EndOfMessage())
            await self._linger()

    async def _linger(self) -> None:
        """Listen for a while to what is still on its way: who hangs up on a talking client takes its answer away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                for _ in range(MOST_UNHEARD // CHUNK):
                    if not await self._reader.read(CHUNK):
                        return

    async def _respond(self, answer: Response, *, bodiless: bool) -> None:
        headers = [("Content-Type", answer.content_type), ("Cache-Control", "no-cache, private")]
        headers += list(answer.headers.items())
        if isinstance(answer.body, bytes):
            headers.append(("Content-Length", str(len(answer.body))))
            # The whole answer in one write: each costs a TLS record and a wake-up of the client.
            data = self._h11.send(h11.Response(status_code=answer.status, headers=headers)) or b""
            data += b"" if bodiless else self._h11.send(h11.Data(data=answer.body)) or b""
            data += self._h11.send(h11.EndOfMessage()) or b""
            self._writer.write(data)
            await self._writer.drain()
            return
        headers.append(("Transfer-Encoding", "chunked"))
        await self._send(h11.Response(status_code=answer.status, headers=headers))
        stream = asyncio.ensure_future(self._stream(answer.body))
        gone = asyncio.ensure_future(self._hung_up())
        try:
            await asyncio.wait({stream, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not stream.done():
                stream.cancel()
                self._h11.send_failed()
            await asyncio.gather(stream, gone, return_exceptions=True)
            await answer.body.aclose()

    async def _stream(self, body: Body) -> None:
        async for chunk in body:
            if chunk:
                await self._send(h11.Data(data=chunk))
        await self._send(h11.EndOfMessage())

    async def _hung_up(self) -> None:
        """Wait until the client hangs up. What it sends in the meantime is its next request."""
        while data := await self._reader.read(CHUNK):
            self._h11.receive_data(data)
            if len(self._h11.trailing_data[0]) > LONGEST_HEAD:
                return

    async def _upgrade(self, answer: Upgrade) -> None:
        headers = [("Connection", "Upgrade"), *answer.headers.items()]
        self._writer.write(self._h11.send(h11.InformationalResponse(status_code=101, headers=headers)) or b"")
        await self._writer.drain()
        early = self._h11.trailing_data[0]
        reader = self._reader
        if early:
            reader = asyncio.StreamReader(limit=4 * CHUNK)
            reader.feed_data(early)
            pump = asyncio.ensure_future(_pump(self._reader, reader))
            try:
                await answer.run(reader, self._writer)
            finally:
                pump.cancel()
        else:
            await answer.run(reader, self._writer)


async def _pump(source: asyncio.StreamReader, into: asyncio.StreamReader) -> None:
    """What comes after the bytes that came early."""
    try:
        while data := await source.read(CHUNK):
            into.feed_data(data)
    finally:
        into.feed_eof()
