"""The process: what a real machine does for the patient of :mod:`selfheal.programs.health`."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from selfheal.patient import http
from selfheal.programs import flags
from selfheal.programs.health import PATHS, Options, Patient, checked, read, read_check, usage

LOOPBACK = "127.0.0.1"
BACKLOG = 100
PATIENCE = 60
"""Seconds for which ``check`` waits for an answer; a probe's own timeout ends it sooner."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; gives the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    asked = words[2:] if words[:1] == ["--host"] else words  # as an image begins
    if asked in (["--help"], ["-h"]):
        sys.stdout.write(usage())
        return 0
    try:
        if asked[:1] == ["check"]:
            return check(*read_check(asked[1:]))
        options = read(words)
    except flags.FlagError as error:
        return _complain(str(error), 2)
    if options.grpc_port is not None:
        try:
            from selfheal.patient import health  # noqa: F401 - it takes a while: better before the ports are open
        except ImportError:
            return _complain("--grpc-port needs grpcio: pip install 'selfheal[probe]'", 2)
    return asyncio.run(Real(options).run())


def check(name: str, port: int) -> int:
    """``patient check NAME``: asks the app beside it."""
    path = next(path for path, of in PATHS.items() if of == name)
    try:
        status = http.ask(LOOPBACK, port, path, PATIENCE)
    except OSError:
        return _complain(f"nobody listens on port {port}", 1)
    text, code = checked(name, status)
    sys.stdout.write(f"{text}\n")
    return code


class Real:
    """What runs the patient: an event loop, sockets, signals and files."""

    def __init__(self, options: Options) -> None:
        self.host = options.host or LOOPBACK
        self.options = options
        self.app = Patient(self, options)
        self.code: int | None = None
        self.watchers: set[asyncio.Event] = set()
        """Set whenever something may answer something else."""
        self._ended = asyncio.Event()
        self._sockets: dict[int, socket.socket] = {}
        self._servers: dict[int, asyncio.Server] = {}
        self._grpc: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._memory: list[bytes] = []
        self._on_term: Callable[[], None] | None = None

    async def run(self) -> int:
        """Until it ends; gives the exit code."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: self._on_term and self._on_term())
        loop.add_signal_handler(signal.SIGINT, self.app.leave)  # Ctrl-C: whoever started it by hand has seen enough
        try:
            self.app.begin()
        except OSError as error:
            self.fail(f"{error.filename or self.host}: {error.strerror}", 1)
        await self._ended.wait()
        for port in tuple(self._servers):
            self._close(port)
        if self._grpc is not None:
            await self._grpc.stop(None)
        return self.code or 0

    # ---- what a patient asks for

    def log(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def fail(self, text: str, code: int) -> None:
        self.exit(_complain(text, code))

    def exit(self, code: int) -> None:
        if self.code is None:
            self.code = code
        self._ended.set()

    def report(self, healthy: bool, text: str, cause: Any) -> None:
        """Only a simulator looks into an app's mind."""

    def after(self, seconds: float, call: Callable[[], None]) -> object:
        def due() -> None:
            if self.code is None:
                call()

        return asyncio.get_running_loop().call_later(seconds, due)

    def term(self, call: Callable[[], None] | None) -> None:
        self._on_term = call

    def listen(self) -> str | None:
        ports = [self.options.port, self.options.grpc_port, self.options.tcp_port]
        for port in ports:
            if port is not None and not self._bind(port):
                return str(port)
        self._spawn(self._serve())
        return None

    def tcp(self, opened: bool) -> None:
        port = self.options.tcp_port
        assert port is not None
        if not opened:
            self._close(port)
        elif port not in self._servers and self._bind(port):
            self._spawn(self._serve_tcp())

    def changed(self) -> None:
        for watcher in self.watchers:
            watcher.set()

    def grow(self, size: int) -> None:
        more = size - sum(map(len, self._memory))
        if more > 0:
            self._memory.append(b"\x01" * more)  # zeros would cost nothing until they are touched

    def left_over(self, path: str) -> bool:
        return Path(path).exists()

    def leave_file(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()

    def remove_file(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    # ---- ports

    def _bind(self, port: int) -> bool:
        """Take a port, so that whoever connects from now on is heard; False if somebody has it."""
        own = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((self.host, port))
            if port != self.options.grpc_port:
                own.listen(BACKLOG)
        except (OSError, OverflowError):
            own.close()
            return False
        own.setblocking(False)
        self._sockets[port] = own
        return True

    async def _serve(self) -> None:
        port, options = self.options.port, self.options
        self._servers[port] = await asyncio.start_server(
            lambda reader, writer: http.serve(self._answer, reader, writer), sock=self._sockets.pop(port)
        )
        if options.tcp_port is not None:
            await self._serve_tcp()
        if options.grpc_port is not None:
            from selfheal.patient import health  # an extra, for those who want this port

            self._sockets.pop(options.grpc_port).close()
            self._grpc = await health.serve(self, f"{self.host}:{options.grpc_port}")

    async def _serve_tcp(self) -> None:
        port = self.options.tcp_port
        assert port is not None
        self._servers[port] = await asyncio.start_server(http.silence, sock=self._sockets.pop(port))

    def _close(self, port: int) -> None:
        server = self._servers.pop(port, None)
        if server is not None:
            server.close()

    def _answer(self, method: str, path: str) -> tuple[int, str]:
        route = path.partition("?")[0]
        if route == "/switch":
            return self.app.switch(method, path)
        if route in PATHS:
            return self.app.answer(PATHS[route])
        return http.NOT_FOUND

    def _spawn(self, work: Any) -> None:
        """Do something beside all else; if it cannot be done, that is the end."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)

        def done(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            error = None if ended.cancelled() else ended.exception()
            if error is not None:
                self.fail(str(error), 1)

        task.add_done_callback(done)


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"patient: {text}\n")
    return code
