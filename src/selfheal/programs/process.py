"""One process of a container, and what a program can say.

A *program* is a generator function of its process::

    def app(c):
        yield c.sleep(2)                      # loading
        c.serve(8080, {"/healthz": 200})
        yield c.sleep(30)
        c.set(8080, "/healthz", 500)          # it is ill from now on
        yield c.forever()

It may yield simulated time (``c.sleep``), any event of the clock, or a :class:`~selfheal.programs.streams.Gate`.
When it returns, the process ends with that exit code (None is 0). A program that never waits
may be a plain function instead.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import simpy

from selfheal.clock import Timer, micros
from selfheal.network import Server
from selfheal.programs.filesystem import (
    IS_A_DIRECTORY,
    NOT_FOUND,
    Device,
    Directory,
    FileError,
    Filesystem,
    join,
)
from selfheal.programs.servers import Answer, RouteServer
from selfheal.programs.streams import NULL, Endless, Full, Gate, Inlet, OpenFile, Stream, Text
from selfheal.programs.users import status
from selfheal.rules import Cause

if TYPE_CHECKING:
    from selfheal.programs.kernel import Kernel

Running = Generator[Any, Any, "int | None"]
Program = Callable[["Process"], "Running | int | None"]
"""What can run in a process."""

Disposition = Callable[[], object] | None
"""What a signal does: a function, or None for nothing at all."""

SIGNALS = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "TRAP": 5,
    "ABRT": 6,
    "BUS": 7,
    "FPE": 8,
    "KILL": 9,
    "USR1": 10,
    "SEGV": 11,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
    "STKFLT": 16,
    "CHLD": 17,
    "CONT": 18,
    "STOP": 19,
    "TSTP": 20,
    "TTIN": 21,
    "TTOU": 22,
    "URG": 23,
    "XCPU": 24,
    "XFSZ": 25,
    "VTALRM": 26,
    "PROF": 27,
    "WINCH": 28,
    "IO": 29,
    "PWR": 30,
    "SYS": 31,
}
"""Signals by name (x86)."""

HARMLESS = ("CHLD", "CONT", "URG", "WINCH")
"""Signals that do nothing unless somebody asked for them."""

SMALL = 1 << 20
"""Bytes that nobody counts."""

A_SECOND = 1 << 30
"""Bytes that a program reads from ``/dev/zero`` in a second, roughly."""

FREEZING = ("STOP", "TSTP", "TTIN", "TTOU")


class Exit(Exception):
    """The process ends with this code."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code & 0xFF


class Process:
    """A process, and the ``c`` that its program talks to."""

    __slots__ = (
        "argv",
        "cause",
        "cwd",
        "end_gate",
        "ended",
        "env",
        "exit_code",
        "fds",
        "generator",
        "handlers",
        "held",
        "kernel",
        "memory",
        "on_end",
        "parent",
        "pid",
        "ports",
        "program",
        "signal",
        "stopped",
        "timers",
        "wait",
    )

    def __init__(
        self,
        kernel: Kernel,
        pid: int,
        program: Program,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        fds: dict[int, Stream],
        parent: Process | None,
        cause: Cause | None,
    ) -> None:
        self.kernel = kernel
        self.pid = pid
        self.program = program
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.fds = fds
        self.parent = parent
        self.cause = cause
        """Why it runs, or, once it has ended, why it ended."""
        self.generator: Running | None = None
        self.wait: simpy.Event | Gate | None = None
        self.ended = False
        self.exit_code = 0
        self.signal = ""
        """The signal that ended it, if one did."""
        self.end_gate = Gate()
        self.on_end: Callable[[Process], None] | None = None
        self.handlers: dict[str, Disposition] = {}
        self.ports: dict[int, Server] = {}
        self.timers: list[Timer] = []
        self.stopped = False
        self.held: list[Callable[[], object]] = []
        """What is to be done when it is no longer stopped: wake-ups, signals, timers."""
        self.memory = 0
        """Bytes it holds."""
        for stream in fds.values():
            stream.retain()

    # ---- time

    def sleep(self, seconds: float) -> simpy.Event:
        """Simulated time to wait for: ``yield c.sleep(30)``."""
        kernel = self.kernel
        kernel.restless += 1
        return kernel.clock.sleep(micros(seconds))

    def forever(self) -> Gate:
        """Wait until a signal ends the process."""
        return Gate()

    def after(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call ``call()`` in so many seconds, unless the process has ended by then."""

        def due() -> None:
            if timer in self.timers:
                self.timers.remove(timer)
            self.kernel.guard(self, call)

        timer = self.kernel.clock.after(micros(seconds), due)
        self.timers.append(timer)
        return timer

    def happened(self, event: simpy.Event) -> None:
        """Called by the clock when an event comes about."""
        if self.wait is event:
            self.wait = None
            self.kernel.wake(self, event.value)
            self.kernel.run()

    def released(self, gate: Gate, value: Any) -> None:
        """Called by a gate that opens."""
        if self.wait is gate:
            self.wait = None
            self.kernel.wake(self, value)

    # ---- its end

    def exit(self, code: int = 0) -> NoReturn:
        """End this process."""
        raise Exit(code)

    def on(self, signal: str, handler: Disposition) -> None:
        """What a signal does from now on (``"TERM"``); None: nothing."""
        self.handlers[signal.removeprefix("SIG")] = handler

    # ---- its ports

    def serve(self, port: int, routes: Mapping[str, Answer]) -> RouteServer | None:
        """Open a port that answers HTTP; None if it is taken."""
        server = RouteServer(self, routes)
        return server if self.listen(port, server) else None

    def listen(self, port: int, server: Server) -> bool:
        """Open a port for any server; False if it is taken."""
        if self.kernel.interface.listen(port, server):
            self.ports[port] = server
            return True
        return False

    def set(self, port: int, path: str, answer: Answer) -> None:
        """What a path of an open port answers from now on."""
        server = self.ports[port]
        assert isinstance(server, RouteServer)
        server.route(path, answer)
        self.kernel.interface.changed()

    def unserve(self, port: int) -> None:
        """Close a port."""
        if self.ports.pop(port, None) is not None:
            self.kernel.interface.close(port)

    # ---- what it says

    def flow(self) -> Generator[Any, Any, None]:
        """Wait while the pipe that it writes to is full. BrokenPipe if nobody reads it any more."""
        out = self.fds.get(1)
        while isinstance(out, Inlet) and out.pipe.crowded:
            yield out.pipe.drained

    def keep(self, size: int) -> None:
        """Hold so many bytes of what was read. The process ends here if the container has no room for them."""
        if size > SMALL:
            self.kernel.allocate(self, size)
            if self.ended:
                self.exit(137)

    def exhaust(self) -> Generator[Any, Any, NoReturn]:
        """Take ever more memory, as whoever reads ``/dev/zero`` to its end: until the limit, or for ever."""
        limit = self.kernel.memory_limit
        if limit is not None:
            yield self.sleep(limit / A_SECOND)
            self.keep(limit + 1)
        yield self.forever()
        self.exit(137)

    def log(self, line: str) -> None:
        """A line to its standard output."""
        self.write(line + "\n")

    def write(self, text: str) -> None:
        """Text to its standard output."""
        stream = self.fds.get(1)
        if stream is None:
            raise FileError("Bad file descriptor")
        stream.write(text)

    def say(self, line: str) -> None:
        """A line to its standard error."""
        stream = self.fds.get(2)
        if stream is not None:
            stream.write(line + "\n")

    def complain(self, text: str) -> None:
        """A line to its standard error, beginning with the program's name."""
        self.say(f"{self.name}: {text}")

    def fail(self, text: str, code: int = 1) -> int:
        """Complain; gives the exit code to return."""
        self.complain(text)
        return code

    def report(self, healthy: bool, text: str = "", cause: Cause | None = None) -> None:
        """What the app itself knows of its health, for the timeline."""
        self.kernel.report(healthy, text, cause)

    @property
    def name(self) -> str:
        """The program's name, as it begins its complaints."""
        return self.argv[0].rpartition("/")[2] if self.argv else ""

    # ---- its files

    @property
    def fs(self) -> Filesystem:
        """The files of the container."""
        return self.kernel.fs

    def path(self, path: str) -> str:
        """The absolute path of one that is seen from the working directory."""
        return path if path.startswith("/") else join(self.cwd, path)

    def open(self, path: str, mode: str = "r") -> Stream:
        """Open a file to read (``r``), to write anew (``w``) or to append (``a``). FileError if that is impossible."""
        path = self.path(path)
        fs = self.fs
        place = fs.find(path)
        node = place.node
        if isinstance(node, Device):
            return self._device(node)
        if mode == "r":
            if node is None:
                raise FileError(NOT_FOUND)
            if isinstance(node, Directory):
                raise FileError(IS_A_DIRECTORY)
            return OpenFile(fs, place)
        return OpenFile(fs, fs.open(path, truncate=mode == "w"), append=mode == "a")

    def _device(self, device: Device) -> Stream:
        kernel = self.kernel
        if device.name == "zero":
            return Endless(lambda n: "\0" * n)
        if device.name == "random":
            kernel.restless += 1
            return Endless(kernel.random_text)
        if device.name == "full":
            return Full()
        if device.name == "status":
            return Text(status(kernel.spec.security, kernel.user, self.name, self.pid))
        if device.name == "log":
            return kernel.out
        number = {"stdin": 0, "stdout": 1, "stderr": 2}.get(device.name)
        return NULL if number is None else self.fds.get(number, NULL)
