"""``pods/portforward``: bytes from a client's socket to a simulated program, and back.

kubectl speaks SPDY inside a websocket, a pair of streams for each connection; the Python client has two channels for
each port. Either way the bytes are read as HTTP/1.1, for that is what simulated programs serve.

staging/src/k8s.io/cri-streaming/pkg/streaming/portforward: httpstream.go, websocket.go,
staging/src/k8s.io/apiserver/pkg/util/proxy/streamtunnel.go
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import h11

from selfheal import network
from selfheal.errors import BadRequest
from selfheal.objects import Object
from selfheal.server import spdy
from selfheal.server.context import Context
from selfheal.server.http import LONGEST_HEAD, Upgrade
from selfheal.server.registry import containers, proxies
from selfheal.server.websocket import Closed, WebSocket, handshake

TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"

Send = Callable[[bytes], Awaitable[None]]


def serve(context: Context) -> Upgrade:
    """Say yes to the upgrade, or raise what stands against it."""
    pod = context.current()
    containers.runtime_of(context, pod)
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise BadRequest(f"unable to forward port because pod is not running. Current status={phase}")
    chosen, headers = handshake(context.request.headers, (TUNNEL, CHANNELS))
    if chosen == TUNNEL:
        return Upgrade(headers, lambda reader, writer: _Tunnel(context, pod, WebSocket(reader, writer)).run())
    ports = [int(p) for text in context.request.query.get("ports", []) for p in text.split(",") if p.isdecimal()]
    if not ports or any(not 0 < p < 65536 for p in ports):
        raise BadRequest("query parameter ports is required")
    return Upgrade(headers, lambda reader, writer: _Channels(context, pod, ports, WebSocket(reader, writer)).run())


class Pipe:
    """One connection to a port of a pod."""

    def __init__(
        self, context: Context, pod: Object, port: int, send: Send, close: Callable[[str], Awaitable[None]]
    ) -> None:
        self._context = context
        self._pod = pod
        self._address = str((pod.get("status") or {}).get("podIP", ""))
        self._port = port
        self._send = send
        self._close = close
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._given: asyncio.Queue[bytes] = asyncio.Queue()
        self.task = asyncio.ensure_future(self._run())

    def feed(self, data: bytes) -> None:
        """Bytes from the client; none at its end."""
        self._given.put_nowait(data)

    async def _run(self) -> None:
        error = self._context.time.call(self._refused)
        if not error:
            try:
                while await self._exchange():
                    pass
            except h11.ProtocolError:
                pass  # no HTTP: such a connection ends, as a server ends it that cannot read what it is sent
        await self._close(error)

    def _refused(self) -> str:
        """Why there can be no connection; '' if there can."""
        found = self._context.cluster.network.connect(self._address, self._address, self._port)
        if not isinstance(found, str):
            return ""
        uid = self._pod["metadata"]["uid"]
        why = "connect: connection refused" if found == "refused" else "i/o timeout"
        return (
            f"error forwarding port {self._port} to pod {uid}, uid : failed to execute portforward in network "
            f'namespace "/var/run/netns/cni-{uid}": failed to connect to localhost:{self._port} inside namespace '
            f'"{uid}", IPv4: dial tcp4 127.0.0.1:{self._port}: {why} IPv6 dial tcp6: address localhost: no suitable '
            "address found "
        )

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._given.get())
        return event

    async def _exchange(self) -> bool:
        """One request and its answer; whether there may be another."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return False
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers)
        target, method = head.target.decode("latin-1"), head.method.decode("latin-1")
        what = f"{method} {target} was sent to port {self._port} of Pod/{self._context.info.name}."
        cause = self._context.cause(what=what)
        request = network.Request(method, target, headers, body.decode(errors="replace"), self._address, cause)
        found = await proxies.exchange(self._context, self._address, self._port, request)
        if isinstance(found, str):
            return False
        data = b"" if method == "HEAD" else found.body.encode(errors="surrogatepass")
        named = [(k, v) for k, v in found.headers.items() if k.lower() not in ("content-length", "transfer-encoding")]
        reason = next((s.phrase for s in HTTPStatus if s.value == found.status), "")
        out = self._http.send(
            h11.Response(status_code=found.status, headers=[*named, ("Content-Length", str(len(data)))], reason=reason)
        )
        parts = [out, self._http.send(h11.Data(data=data)) if data else b"", self._http.send(h11.EndOfMessage())]
        await self._send(b"".join(part or b"" for part in parts))
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True


class _Tunnel:
    """SPDY in a websocket: what kubectl speaks."""

    def __init__(self, context: Context, pod: Object, socket: WebSocket) -> None:
        self._context = context
        self._pod = pod
        self._socket = socket
        self._spdy = spdy.Connection()
        self._errors: dict[str, int] = {}
        """requestid → its error stream"""
        self._pipes: dict[int, Pipe] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            while True:
                for event in self._spdy.receive(await self._socket.receive()):
                    self._heard(event)
                if self._spdy.answers:
                    answers, self._spdy.answers = bytes(self._spdy.answers), bytearray()
                    await self._socket.send(answers)
        except (Closed, spdy.Broken):
            await self._socket.close()
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _heard(self, event: spdy.Event) -> None:
        if isinstance(event, spdy.Opened):
            kind, number, port = (event.headers.get(name, "") for name in ("streamtype", "requestid", "port"))
            if kind == "error":
                self._errors[number] = event.stream
            elif kind == "data" and port.isdecimal() and len(self._pipes) < 1000:
                self._open(event.stream, number, int(port))
        elif isinstance(event, spdy.Data):
            pipe = self._pipes.get(event.stream)
            if pipe is not None and event.data:
                pipe.feed(event.data)
            if pipe is not None and event.last:
                pipe.feed(b"")
        else:
            pipe = self._pipes.pop(event.stream, None)
            if pipe is not None:
                pipe.task.cancel()

    def _open(self, stream: int, number: str, port: int) -> None:
        async def send(data: bytes) -> None:
            for at in range(0, len(data), 1 << 15):
                await self._socket.send(self._spdy.data(stream, data[at : at + (1 << 15)]))

        async def close(error: str) -> None:
            self._pipes.pop(stream, None)
            beside = self._errors.pop(number, None)
            if beside is not None:
                if error:
                    await self._socket.send(self._spdy.data(beside, f"{error}\n".encode()))
                await self._socket.send(self._spdy.data(beside, b"", last=True))
            await self._socket.send(self._spdy.data(stream, b"", last=True))

        pipe = self._pipes[stream] = Pipe(self._context, self._pod, port, send, close)
        self._tasks.add(pipe.task)
        pipe.task.add_done_callback(self._tasks.discard)


class _Channels:
    """Two channels for each port: what the Python client speaks."""

    def __init__(self, context: Context, pod: Object, ports: list[int], socket: WebSocket) -> None:
        self._context = context
        self._pod = pod
        self._ports = ports
        self._socket = socket

    async def run(self) -> None:
        for i, port in enumerate(self._ports):
            for channel in (2 * i, 2 * i + 1):
                await self._socket.send(bytes([channel]) + port.to_bytes(2, "little"))
        pipes = [self._pipe(i, port) for i, port in enumerate(self._ports)]
        receiving = asyncio.ensure_future(self._receive(pipes))
        try:
            tasks = {pipe.task for pipe in pipes}
            await asyncio.wait(
                {receiving, asyncio.ensure_future(asyncio.wait(tasks))}, return_when=asyncio.FIRST_COMPLETED
            )
            await self._socket.close()
        finally:
            for task in (receiving, *(pipe.task for pipe in pipes)):
                task.cancel()
            await asyncio.gather(receiving, *(pipe.task for pipe in pipes), return_exceptions=True)

    def _pipe(self, i: int, port: int) -> Pipe:
        async def send(data: bytes) -> None:
            await self._socket.send(bytes([2 * i]) + data)

        async def close(error: str) -> None:
            if error:
                await self._socket.send(bytes([2 * i + 1]) + error.encode())

        return Pipe(self._context, self._pod, port, send, close)

    async def _receive(self, pipes: list[Pipe]) -> None:
        try:
            while True:
                message = await self._socket.receive()
                if message and message[0] % 2 == 0 and message[0] // 2 < len(pipes) and len(message) > 1:
                    pipes[message[0] // 2].feed(message[1:])
        except Closed:
            return
