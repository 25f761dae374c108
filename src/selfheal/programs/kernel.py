"""The part of Linux that the processes of one container see.

It keeps the table of processes, runs them, delivers signals, and notices what changed. A process
runs until it waits; processes that can go on stand in a queue and take turns, so that the whole
container is as deterministic as its clock.

Process 1 is the container. As on Linux it only obeys signals that it has asked for, SIGKILL from
outside excepted, and all others die with it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from selfheal.chance import Stream as Chances
from selfheal.clock import Clock
from selfheal.network import Interface
from selfheal.programs.filesystem import Executable, File, FileError, Filesystem
from selfheal.programs.process import FREEZING, HARMLESS, SIGNALS, Exit, Process, Program, Running
from selfheal.programs.streams import BrokenPipe, Gate, Stream
from selfheal.programs.users import NOBODY_ELSE, User
from selfheal.rules import Cause

PROCESSES = 512
"""How many processes a container may have."""


NESTED = 12
"""How many processes may run inside of each other's start."""


class Kernel:
    """Processes, files, ports and memory of one container."""

    __slots__ = (
        "_commands",
        "_nested",
        "_next_pid",
        "_on_change",
        "_on_end",
        "_on_report",
        "_queue",
        "_turning",
        "actor",
        "chances",
        "clock",
        "err",
        "fs",
        "halted",
        "hostname",
        "interface",
        "lag",
        "memory_limit",
        "oom_killed",
        "out",
        "processes",
        "restless",
        "spec",
        "started_at",
        "stirred",
        "user",
        "version",
    )

    def __init__(
        self,
        clock: Clock,
        fs: Filesystem,
        interface: Interface,
        hostname: str,
        out: Stream,
        err: Stream,
        chances: Chances,
        on_end: Callable[[int, Cause | None], None],
        on_change: Callable[[], None],
        on_report: Callable[[bool, str, Cause | None], None],
        memory_limit: int | None = None,
        spec: Any = None,
        user: User = NOBODY_ELSE,
    ) -> None:
        self.clock = clock
        self.fs = fs
        self.interface = interface
        self.hostname = hostname
        self.out = out
        self.err = err
        self.spec = spec
        """The spec.Container, for programs that want to know their ports."""
        self.user = user
        self.processes: dict[int, Process] = {}
        self.version = 0
        """Raised by every change that somebody outside could see: a file, a port, an answer."""
        self.restless = 0
        """Raised whenever a process looks at something that changes by itself: time, chance, other processes."""
        self.stirred = Gate()
        """Opened at the next change, for those who follow a file."""
        self.actor: Process | None = None
        """The process that runs at this moment: whoever changes something now."""
        self.halted = False
        self.oom_killed = False
        self.memory_limit = memory_limit
        self.lag = 0
        """µs that every answer of its servers takes longer."""
        self.started_at = clock.now
        self.chances = chances
        self._on_end = on_end
        self._on_change = on_change
        self._on_report = on_report
        self._queue: list[tuple[Process, Any]] = []
        self._turning = False
        self._nested = 0
        self._next_pid = 1
        self._commands: dict[tuple[str, str], Executable | File | None] = {}
        interface.watchers.append(self.changed)
        if fs.root.watchers is not None:
            fs.root.watchers.append(self.changed)

    # ---- what changes

    def changed(self) -> None:
        """Something that can be seen from outside is different."""
        self.version += 1
        self._commands.clear()
        self._on_change()
        if self.stirred.waiters:
            self.stirred.open()
            self.run()
        self.interface.network.altered(self.interface.ip)

    def mark(self) -> tuple[int, int, int]:
        """Compare two marks: equal if nothing in between changed anything or looked at what changes by itself."""
        return (self.version, self.restless, self._next_pid)

    def report(self, healthy: bool, text: str, cause: Cause | None) -> None:
        self._on_report(healthy, text, cause)

    def random_text(self, length: int) -> str:
        """Random letters."""
        self.restless += 1
        out = ""
        while len(out) < length:
            out += self.chances.hex(self.chances.next(), 64)
        return out[:length]

    def random_number(self) -> int:
        """0 … 32767, as ``$RANDOM``."""
        self.restless += 1
        return self.chances.between(self.chances.next(), 0, 32768)

    # ---- processes

    def spawn(
        self,
        program: Program,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        fds: dict[int, Stream],
        parent: Process | None = None,
        cause: Cause | None = None,
    ) -> Process:
        """Start a process and run it until it first waits (or ends).

        A child of a child of a child … has to wait for its turn: Python's stack is not endless.
        """
        if cause is None and parent is not None:
            cause = parent.cause
        process = Process(self, self._next_pid, program, argv, env, cwd, fds, parent, cause)
        self._next_pid += 1
        if parent is not None:
            for signal, handler in parent.handlers.items():
                if handler is None:
                    process.handlers[signal] = None  # what is ignored stays ignored
        self.processes[process.pid] = process
        if self._nested >= NESTED:
            process.generator = _later(program, process)
            self.wake(process)
            return process
        before, self.actor = self.actor, process
        self._nested += 1
        try:
            running = program(process)
        except Exit as end:
            self.end(process, end.code)
        except (BrokenPipe, FileError, RecursionError) as error:
            self._fail(process, error)
        else:
            if isinstance(running, Generator):
                process.generator = running
                self._advance(process, None)
            else:
                self.end(process, running or 0)
        finally:
            self._nested -= 1
            self.actor = before
        return process

    def visit(
        self,
        program: Program,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        fds: dict[int, Stream],
        cause: Cause | None = None,
    ) -> Process:
        """Start a process from outside (an exec, a connection's handler) and let all go on that can.

        If it and all it started have ended by then, their numbers are given again: a probe leaves no trace.
        """
        first = self._next_pid
        process = self.spawn(program, argv, env, cwd, fds, cause=cause)
        self.run()
        if process.ended and all(pid < first for pid in self.processes):
            self._next_pid = first
        return process

    @property
    def crowded(self) -> bool:
        """Whether there can be no further process."""
        return len(self.processes) >= PROCESSES

    def run(self) -> None:
        """Let every process that can go on do so, in turn, until all wait."""
        if self._turning:
            return
        self._turning = True
        queue = self._queue
        try:
            while queue:
                process, value = queue.pop(0)
                if not process.ended:
                    self._advance(process, value)
        finally:
            self._turning = False

    def wake(self, process: Process, value: Any = None) -> None:
        """A process can go on, as soon as it is its turn."""
        if process.stopped:
            process.held.append(lambda: self.wake(process, value))
        else:
            self._queue.append((process, value))

    def _advance(self, process: Process, value: Any) -> None:
        generator = process.generator
        assert generator is not None
        while True:
            before, self.actor = self.actor, process
            try:
                wait = generator.send(value)
            except StopIteration as stop:
                self.end(process, stop.value or 0)
                return
            except Exit as end:
                self.end(process, end.code)
                return
            except (BrokenPipe, FileError, RecursionError) as error:
                self._fail(process, error)
                return
            finally:
                self.actor = before
            if process.ended:
                self._close(process)
                return
            if isinstance(wait, Gate):
                process.wait = wait
                wait.waiters.append(process)
                return
            if wait.callbacks is not None:
                process.wait = wait
                wait.callbacks.append(process.happened)
                return
            value = wait.value

    def interrupt(self, process: Process, value: Any = None) -> None:
        """Let a waiting process go on before what it waits for has happened."""
        wait, process.wait = process.wait, None
        if wait is None or process.ended:
            return
        if isinstance(wait, Gate) and process in wait.waiters:
            wait.waiters.remove(process)
        self.wake(process, value)

    def guard(self, process: Process, call: Callable[[], object]) -> None:
        """Call something on a process's behalf, from outside of its program; later, if it is stopped."""
        if process.stopped:
            process.held.append(lambda: self.guard(process, call))
        elif not process.ended:
            before, self.actor = self.actor, process
            try:
                call()
            except Exit as end:
                self.end(process, end.code)
            except (BrokenPipe, FileError, RecursionError) as error:
                self._fail(process, error)
            finally:
                self.actor = before
        self.run()

    def end(self, process: Process, code: int, cause: Cause | None = None, signal: str = "") -> None:
        """The process is over; ``signal``: because of that one, else by itself with ``code``."""
        if process.ended:
            self._close(process)
            return
        process.ended = True
        process.signal = signal
        process.exit_code = 128 + SIGNALS[signal] if signal else code & 0xFF
        if cause is not None:
            process.cause = cause
        process.wait = None
        for timer in process.timers:
            timer.cancel()
        for port in tuple(process.ports):
            process.unserve(port)
        self._close(process)
        self.processes.pop(process.pid, None)
        process.end_gate.open(process)
        if process.on_end is not None:
            process.on_end(process)
        if process.pid == 1 and not self.halted:
            self.halt()
            self._on_end(process.exit_code, process.cause)

    def _fail(self, process: Process, error: BaseException) -> None:
        """An error has ended a process."""
        if isinstance(error, FileError):
            self.end(process, process.fail(str(error)))
        else:
            self.end(process, 0, signal="PIPE" if isinstance(error, BrokenPipe) else "SEGV")

    @staticmethod
    def _close(process: Process) -> None:
        """Leave its program and close its files; later, if it is running at this very moment."""
        if process.generator is not None:
            try:
                process.generator.close()
            except ValueError:  # generator already executing: :meth:`_advance` will
                return
        for stream in process.fds.values():
            stream.release()
        process.fds = {}

    def halt(self) -> None:
        """Everything stops at once, and nobody is told."""
        self.halted = True
        for process in tuple(self.processes.values()):
            self.end(process, 0, signal="KILL")
        self._queue.clear()
        self.fs.unmount(self.changed)
        if self.changed in self.interface.watchers:
            self.interface.watchers.remove(self.changed)

    # ---- signals

    def signal(self, process: Process, signal: str, cause: Cause | None = None, outside: bool = False) -> None:
        """Deliver a signal. ``outside``: it comes from outside of the container, where nobody can hide from SIGKILL."""
        if process.ended:
            return
        first = process.pid == 1
        if signal == "KILL":
            if not first or outside:
                self.end(process, 0, cause, "KILL")
            self.run()
            return
        if signal == "CONT" and process.stopped:
            process.stopped = False
            held, process.held = process.held, []
            for act in held:
                act()
            self.interface.changed()
            self.run()
        if process.stopped:
            if signal not in FREEZING:  # those that wait are forgotten with SIGCONT (kernel/signal.c prepare_signal)
                process.held.append(lambda: self.signal(process, signal, cause, outside))
            return
        if signal in process.handlers:
            handler = process.handlers[signal]
            if handler is not None:
                if cause is not None:
                    process.cause = cause
                self.guard(process, handler)
            return
        if signal in HARMLESS:
            return
        if signal in FREEZING:
            if not first or (outside and signal == "STOP"):
                process.stopped = True
                self.interface.changed()
            return
        if not first:
            self.end(process, 0, cause, signal)
        self.run()

    # ---- memory

    @property
    def memory(self) -> int:
        """Bytes that its processes hold."""
        return sum(process.memory for process in self.processes.values())

    def allocate(self, process: Process, memory: int) -> None:
        """The process now holds so many bytes; beyond the container's limit the whole container is killed."""
        process.memory = memory
        if self.memory_limit is None:
            return
        if self.memory > self.memory_limit:
            self.oom_killed = True
            first = self.processes.get(1)
            if first is not None:
                self.end(first, 0, signal="KILL")

    # ---- commands

    def where(self, name: str, search: str, cwd: str) -> str | None:
        """The path of a command; None if there is none."""
        if "/" in name:
            return name if self.command(name, search, cwd) is not None else None
        wanted = self.command(name, search, cwd)
        paths = (f"{directory or cwd}/{name}" for directory in search.split(":"))
        return next((path for path in paths if wanted is not None and self.fs.node(path) is wanted), None)

    def command(self, name: str, search: str, cwd: str) -> Executable | File | None:
        """What a command's name stands for: by path, or looked for in ``search`` (``$PATH``)."""
        key = (name, search)
        if "/" in name:
            node = self.fs.node(name if name.startswith("/") else f"{cwd}/{name}")
            return node if isinstance(node, Executable | File) else None
        if key in self._commands:
            return self._commands[key]
        found: Executable | File | None = None
        for directory in search.split(":"):
            node = self.fs.node(f"{directory or cwd}/{name}")
            if isinstance(node, Executable) or (isinstance(node, File) and node.mode & 0o111):
                found = node
                break
        self._commands[key] = found
        return found


def _later(program: Program, process: Process) -> Running:
    """A program that begins when it is its process's turn."""
    running = program(process)
    return (yield from running) if isinstance(running, Generator) else running
