"""``pods/log`` (pkg/registry/core/pod/rest/log.go, staging/src/k8s.io/cri-client/pkg/logs/logs.go)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterable
from typing import NamedTuple

from selfheal.clock import SECOND, Clock, parse_rfc3339
from selfheal.errors import BadRequest
from selfheal.kubelet.logs import instance
from selfheal.runtime import Container
from selfheal.server.context import Context
from selfheal.server.http import Request, Response, Upgrade
from selfheal.server.registry import containers
from selfheal.server.websocket import TEXT, WebSocket, handshake

Line = tuple[int, str]
"""(when, text)"""


class Options(NamedTuple):
    """What of a log is wanted, and how."""

    timestamps: bool
    tail: int | None
    since: int
    """Cluster time in µs."""
    limit: int | None
    """Bytes."""


PROTOCOLS = ("binary.k8s.io", "base64.binary.k8s.io")


def serve(context: Context) -> Response | Upgrade:
    """The log of a container, as far as it has come, or for as long as it goes on; over a websocket if that is wanted.

    staging/src/k8s.io/streaming/pkg/httpstream/wsstream/stream.go
    """
    if context.request.headers.get("upgrade", "").lower() != "websocket":
        return _read(context)
    chosen, headers = handshake(context.request.headers, PROTOCOLS)
    answer = _read(context)

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        socket = WebSocket(reader, writer)

        async def send(chunk: bytes) -> None:
            if chosen == PROTOCOLS[1]:
                await socket.send(base64.b64encode(chunk), TEXT)
            else:
                await socket.send(chunk)

        await send(b"")
        try:
            if isinstance(answer.body, bytes):
                await send(answer.body)
            else:
                async for chunk in answer.body:
                    await send(chunk)
            await socket.close()
        finally:
            answer.closing()

    return Upgrade(headers, run)


def _read(context: Context) -> Response:
    request, pod = context.request, context.current()
    wanted = containers.container_name(context, pod)
    options = _options(request, context.cluster.clock)
    found = instance(pod, wanted, containers.runtime_of(context, pod), previous=request.flag("previous"))
    if isinstance(found, str):
        return Response(200, found.encode(), "text/plain")
    lines = [line for line in found.log if line[0] >= options.since]
    if options.tail is not None:
        lines = lines[len(lines) - min(options.tail, len(lines)) :]
    head = b"".join(_written(context.cluster.clock, lines, options))
    if found.unfinished and lines:
        head = head[:-1]
    if options.limit is not None:
        head = head[: options.limit]
    if not request.flag("follow") or not found.running:
        return Response(200, head, "text/plain")
    following = _Following(context, found, options)
    return Response(200, following.chunks(head), "text/plain", closing=following.close)


def _number(request: Request, field: str) -> int | None:
    text = request.get(field)
    if not text:
        return None
    if not text.lstrip("-").isdecimal() or not text.isascii() or len(text) > 15:
        raise BadRequest(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    return int(text)


def _options(request: Request, clock: Clock) -> Options:
    tail, limit, seconds = (_number(request, field) for field in ("tailLines", "limitBytes", "sinceSeconds"))
    for field, value, least in (("tailLines", tail, 0), ("limitBytes", limit, 1), ("sinceSeconds", seconds, 1)):
        if value is not None and value < least:
            raise BadRequest(f'PodLogOptions "" is invalid: {field}: Invalid value: {value}: must be at least {least}')
    since = -(2**62)
    if seconds is not None:
        since = clock.now - seconds * SECOND
    elif request.get("sinceTime"):
        try:
            since = parse_rfc3339(request.get("sinceTime")) - clock.epoch
        except ValueError:
            raise BadRequest(f"parsing time {request.get('sinceTime')!r}") from None
    return Options(request.flag("timestamps"), tail, since, limit)


def _written(clock: Clock, lines: Iterable[Line], options: Options) -> Iterable[bytes]:
    for at, text in lines:
        stamp = f"{clock.micro_timestamp(at)[:-1]}000Z " if options.timestamps else ""
        yield f"{stamp}{text}\n".encode(errors="surrogatepass")


class _Following:
    """A log that goes on."""

    def __init__(self, context: Context, container: Container, options: Options) -> None:
        self._clock = context.cluster.clock
        self._container = container
        self._options = options
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue()
        container.followers.append(self._heard)
        ended = container.exited()
        assert ended.callbacks is not None
        ended.callbacks.append(lambda _: self._lines.put_nowait(None))

    def _heard(self, at: int, text: str) -> None:
        self._lines.put_nowait((at, text))

    def close(self) -> None:
        if self._heard in self._container.followers:
            self._container.followers.remove(self._heard)

    async def chunks(self, head: bytes) -> AsyncGenerator[bytes, None]:
        left = self._options.limit
        yield head
        left = None if left is None else left - len(head)
        while left is None or left > 0:
            lines = [await self._lines.get()]
            while not self._lines.empty():
                lines.append(self._lines.get_nowait())
            data = b"".join(_written(self._clock, [line for line in lines if line is not None], self._options))
            if left is not None:
                data = data[:left]
                left -= len(data)
            yield data
            if None in lines:
                return
