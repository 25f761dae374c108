"""``pods/exec`` and ``pods/attach`` over a websocket, in the protocols v4 and v5.channel.k8s.io, and in the first.

Each binary message begins with its channel: 0 stdin, 1 stdout, 2 stderr, 3 how it ended, 4 the terminal's size;
255 closes a channel (v5). In the first protocol an end without fault is told by nothing.
staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go,
staging/src/k8s.io/cri-streaming/pkg/streaming/remotecommand/websocket.go
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from selfheal.errors import BadRequest
from selfheal.objects import Object
from selfheal.programs.streams import NULL, Keyboard, Pipe, Stream
from selfheal.runtime import Container, Exec
from selfheal.server import statuses
from selfheal.server.context import Context
from selfheal.server.http import Upgrade
from selfheal.server.registry import containers
from selfheal.server.websocket import Closed, WebSocket, handshake

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255

BREATH = 0.1
"""Real seconds before the first message: kubectl reads before it has made its streams, and drops what comes earlier."""

Message = tuple[int, bytes]
Put = Callable[[Message | None], object]


class Channel(Stream):
    """What a process writes goes to the client."""

    def __init__(self, number: int, put: Put, tty: bool) -> None:
        self._number = number
        self._put = put
        self._tty = tty

    def write(self, text: str) -> None:
        if self._tty:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        self._put((self._number, text.encode(errors="surrogateescape")))


def serve(context: Context) -> Upgrade:
    """Say yes to the upgrade, or raise what stands against it."""
    request, pod = context.request, context.current()
    wanted = containers.container_name(context, pod)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise BadRequest(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = containers.running(context, pod, wanted)
    chosen, headers = handshake(request.headers, PROTOCOLS)
    argv = request.query.get("command", [])
    if context.info.subresource == "exec" and not argv:
        raise BadRequest("you must specify at least 1 command for the container")
    session = _Session(context, container, argv, chosen)
    return Upgrade(headers, lambda reader, writer: session.run(WebSocket(reader, writer)))


class _Session:
    """One exec, or one attach."""

    def __init__(self, context: Context, container: Container, argv: list[str], protocol: str) -> None:
        request = context.request
        self._context = context
        self._container = container
        self._argv = argv
        self._halves = protocol == PROTOCOLS[0]
        self._plain = protocol not in PROTOCOLS[:2]
        self._tty = request.flag("tty")
        self._wants = {name: request.flag(name) for name in ("stdin", "stdout", "stderr")}
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        attach = context.info.subresource == "attach"
        self._stdin = (container.stdin if attach else None) or Pipe()
        self._open = self._wants["stdin"] and (not attach or container.stdin is not None)
        self._once = not attach or container.spec.stdin_once
        """Whether what this client types is all that is ever typed."""
        self._exec: Exec | None = None
        self._typed = ""

    async def run(self, socket: WebSocket) -> None:
        attach = self._context.info.subresource == "attach"
        self._context.time.call(self._attach if attach else self._begin)
        receiving = asyncio.ensure_future(self._receive(socket))
        try:
            await asyncio.sleep(BREATH)
            while (message := await self._messages.get()) is not None:
                channel, data = message
                await socket.send(bytes([channel]) + data)
            await socket.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await receiving
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            self._context.time.call(self._leave)

    # ---- exec

    def _begin(self) -> None:
        put = self._messages.put_nowait
        out = Channel(STDOUT, put, self._tty) if self._wants["stdout"] else NULL
        err = Channel(STDOUT if self._tty else STDERR, put, self._tty) if self._wants["stderr"] or self._tty else NULL
        stdin: Stream = NULL
        if self._open:
            self._stdin.inlet.retain()
            stdin = Keyboard(self._stdin, self._show if self._tty else lambda _: None)
        name = self._container.sandbox.name
        cause = self._context.cause(what=f"`{' '.join(self._argv)[:80]}` was run in pod {name}.")
        runtime = self._container.runtime
        run = self._exec = runtime.exec(self._container, self._argv, cause=cause, streams=(stdin, out, err))
        if run.error is not None:
            why = run.error.removeprefix("rpc error: code = Unknown desc = ")
            text = f"Internal error occurred: error executing command in container: {why}"
            status = {**statuses.success(), "status": "Failure", "message": text, "reason": "InternalError"}
            self._end({**status, "details": {"causes": [{"message": text}]}, "code": 500})
            return
        finished = run.finished
        assert finished.callbacks is not None
        finished.callbacks.append(lambda _: self._end(exit_status(run.exit_code)))

    def _end(self, status: Object) -> None:
        if not self._plain:
            self._messages.put_nowait((STATUS, json.dumps(status).encode()))
        elif status["status"] != "Success":
            self._messages.put_nowait((STATUS, status["message"].encode()))
        self._messages.put_nowait(None)

    # ---- attach: what process 1 says from now on

    def _attach(self) -> None:
        self._container.followers.append(self._said)
        if self._tty:
            self._container.screens.append(self._show)
        ended = self._container.exited()
        assert ended.callbacks is not None
        ended.callbacks.append(lambda _: self._end(statuses.success()))

    def _said(self, _: int, line: str) -> None:
        end = "\r\n" if self._tty else "\n"
        self._messages.put_nowait((STDOUT, (line + end).encode(errors="surrogatepass")))

    # ---- what the client sends

    async def _receive(self, socket: WebSocket) -> None:
        try:
            while True:
                message = await socket.receive()
                if not message:
                    continue
                channel, data = message[0], message[1:]
                if channel == STDIN and data:
                    self._context.time.call(lambda data=data: self._feed(data))  # type: ignore[misc]
                elif channel == CLOSE and self._halves and data[:1] == bytes([STDIN]):
                    self._context.time.call(self._close_stdin)
        except Closed:
            self._messages.put_nowait(None)

    def _feed(self, data: bytes) -> None:
        if not self._open or not self._container.running or (self._exec is not None and self._exec.done):
            return
        text = data.decode(errors="surrogateescape")
        if self._tty:
            self._type(text)
        else:
            self._stdin.inlet.write(text)
        self._container.kernel.run()

    def _type(self, text: str) -> None:
        """What a terminal does with keys: it shows them, hands lines on, and knows ^C, ^D and the backspace."""
        shown = ""
        for key in text:
            if key in "\r\n":
                shown += "\r\n"
                line, self._typed = self._typed + "\n", ""
                self._show(shown)
                shown = ""
                self._stdin.inlet.write(line)
                self._container.kernel.run()
            elif key == "\x04":
                if not self._typed:
                    self._close_stdin()
            elif key == "\x03":
                self._show(shown + "^C\r\n")
                shown, self._typed = "", ""
                self._interrupt()
            elif key in "\x7f\b":
                if self._typed:
                    shown, self._typed = shown + "\b \b", self._typed[:-1]
            elif key >= " " or key == "\t":
                shown, self._typed = shown + key, self._typed + key
        self._show(shown)

    def _show(self, text: str) -> None:
        if text:
            self._messages.put_nowait((STDOUT, text.encode(errors="surrogateescape")))

    def _interrupt(self) -> None:
        """^C ends what runs in the foreground: the youngest process that this session has started."""
        kernel = self._container.kernel
        root = kernel.processes.get(1) if self._exec is None else self._exec.process
        if root is None:
            return
        mine = [p for p in kernel.processes.values() if _descends(p, root)]
        if mine and mine[-1] is root and root.argv[0].endswith("sh"):
            self._show(f"{root.cwd} # ")  # a shell that waits for a line forgets what was typed of it
        elif mine:
            kernel.signal(mine[-1], "INT")

    def _close_stdin(self) -> None:
        if self._open:
            self._open = False
            if self._once:
                self._stdin.inlet.release()
                self._container.kernel.run()

    def _leave(self) -> None:
        """The client has gone, or all is over. A terminal's end is heard by those who ran on it."""
        self._close_stdin()
        if self._said in self._container.followers:
            self._container.followers.remove(self._said)
        if self._show in self._container.screens:
            self._container.screens.remove(self._show)
        run = self._exec
        if run is not None and run.process is not None and not run.done and self._tty:
            run.container.kernel.signal(run.process, "HUP")


def _descends(process: object, ancestor: object) -> bool:
    while process is not None and process is not ancestor:
        process = getattr(process, "parent", None)
    return process is ancestor


def exit_status(code: int) -> Object:
    """How a command ended, as channel 3 tells it."""
    if code == 0:
        return statuses.success()
    text = f"command terminated with non-zero exit code: exit status {code}"
    status = {**statuses.success(), "status": "Failure", "message": text, "reason": "NonZeroExitCode"}
    return {**status, "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
