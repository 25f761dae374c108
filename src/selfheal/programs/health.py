"""What our own app is, the patient: its flags, switches, states and texts.

Two run it: :mod:`selfheal.programs.patient` in a simulated container, and ``python -m selfheal.patient`` as a process
of a real machine. Neither knows more than how to wait, listen and end; they are a :class:`Host`.

It answers ``/healthz`` (is it alive?), ``/readyz`` (can it take work?) and ``/`` (a user's request, answered 200 only
if it is both). On a gRPC port it serves ``grpc.health.v1`` for the services ``liveness``, ``readiness`` and ``""``
(both); behind a TCP port nobody speaks; ``patient check healthz`` is a command for exec probes.
A new instance starts well, whatever was switched before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs

from selfheal.programs import flags
from selfheal.programs.flags import FlagError
from selfheal.programs.statuses import TEXTS

FLAGS: Mapping[str, tuple[str, str, str]] = {
    "host": ("", "ADDRESS", "where it listens: loopback, if nothing else is said; in its image and in a pod 0.0.0.0"),
    "port": ("8080", "PORT", "its HTTP port"),
    "grpc-port": ("", "PORT", "also serve grpc.health.v1, for the services liveness, readiness and '' (both)"),
    "tcp-port": ("", "PORT", "also open a port behind which nobody speaks"),
    "start": ("0", "SECONDS", "how long it loads before it listens"),
    "healthz-after": ("", "SECONDS=CODE", "/healthz answers CODE (or hang) from then on"),
    "readyz-after": ("", "SECONDS=CODE", "the same for /readyz"),
    "work-after": ("", "SECONDS=CODE", "the same for /"),
    "exit-after": ("", "SECONDS=CODE", "it ends by itself"),
    "leak": ("0", "MIB", "it takes so much more memory each second"),
    "term": ("obey", "obey|ignore|SECONDS", "SIGTERM ends it at once, never, or after a time in which it is not ready"),
    "unfinished-work": (
        "",
        "SECONDS",
        "work that an unclean end (SIGKILL, a crash) cut off: the next instance is not ready until it has redone it",
    ),
    "work-dir": ("/work", "PATH", "where that file lies: a mounted volume"),
}
"""Name → default, what it takes, what it means."""

NAMES = ("healthz", "readyz", "work")
"""What answers a request, each for itself."""
SERVICES = {"liveness": "healthz", "readiness": "readyz", "": "work"}
"""gRPC's names for them."""
PATHS = {"/healthz": "healthz", "/readyz": "readyz", "/": "work"}

SWITCHES: Mapping[str, str] = {
    **dict.fromkeys(NAMES, "a status from 200 to 599, or hang"),
    "tcp": "open or closed",
    "leak": "MiB a second",
    "term": "obey, ignore or a number of seconds",
    "exit": "an exit code",
}
"""``POST /switch?name=value&…``, and what each takes. ``work=auto`` lets ``/`` follow the other two again."""

SOON = 0.1
"""Seconds from the request to end until it does: its answer is to arrive."""
MOST = 1024
"""MiB after which a leak ends: whoever forgot the limit keeps the machine."""
MIB = 1 << 20
HANG = "hang"


class Answer(NamedTuple):
    """What a request gets. No status: nothing, ever."""

    status: int
    body: str = ""


class Host(Protocol):
    """What runs a patient."""

    def log(self, line: str) -> None:
        """A line to its standard output."""

    def fail(self, text: str, code: int) -> None:
        """A complaint, and the end."""

    def exit(self, code: int) -> None:
        """The end."""

    def report(self, healthy: bool, text: str, cause: Any) -> None:
        """How it is, for a timeline."""

    def after(self, seconds: float, call: Callable[[], None]) -> object:
        """Call that later."""

    def term(self, call: Callable[[], None] | None) -> None:
        """What SIGTERM does from now on; None: nothing."""

    def listen(self) -> str | None:
        """Open the ports. Gives which one is taken, if one is."""

    def tcp(self, opened: bool) -> None:
        """Open or close the TCP port."""

    def changed(self) -> None:
        """It may answer something else from now on."""

    def grow(self, size: int) -> None:
        """Hold so many bytes in all."""

    def left_over(self, path: str) -> bool:
        """Whether there is a file."""

    def leave_file(self, path: str) -> None:
        """Make an empty one, with its folders."""

    def remove_file(self, path: str) -> None:
        """Remove it, if it is there."""


@dataclass(frozen=True)
class Options:
    """The flags, read."""

    host: str
    port: int
    grpc_port: int | None
    tcp_port: int | None
    start: float
    later: tuple[tuple[str, float, str], ...]
    """(what, seconds, answer or exit code), by name."""
    leak: int
    term: str
    work: float | None
    work_dir: str

    @property
    def unfinished(self) -> str:
        """The file that tells of work cut off."""
        return f"{self.work_dir}/unfinished"


def usage(name: str = "patient") -> str:
    """What there is to know, for a terminal."""
    rows = [(f"--{flag} {takes}", meaning, default) for flag, (default, takes, meaning) in FLAGS.items()]
    told = "\n".join(f"  {left:<32} {text}{f' ({default})' if default else ''}" for left, text, default in rows)
    switched = "\n".join(f"  {left:<32} {text}" for left, text in SWITCHES.items())
    return (
        f"usage: {name} [FLAG…]\n       {name} check [healthz|readyz|work] [--port PORT]\n\n{told}\n\n"
        f"POST /switch?NAME=VALUE&…\n{switched}\n"
    )


def read(words: Sequence[str]) -> Options:
    """The flags. FlagError if one is wrong."""
    values, rest = flags.parse(words, {name: default for name, (default, _, _) in FLAGS.items()})
    if rest:
        raise FlagError(f"unknown argument: {rest[0]}")
    port, start = flags.number(values, "port"), flags.seconds(values, "start")
    later = tuple((name, *_after(values, f"{name}-after")) for name in (*NAMES, "exit") if values[f"{name}-after"])
    if not _is_term(values["term"]):
        raise FlagError(f"--term is {SWITCHES['term']}, not {values['term']}")
    if not _is_leak(values["leak"]):
        raise FlagError(f"--leak is MiB a second, not {values['leak']}")
    return Options(
        host=values["host"],
        port=port,
        grpc_port=flags.number(values, "grpc-port") if values["grpc-port"] else None,
        tcp_port=flags.number(values, "tcp-port") if values["tcp-port"] else None,
        start=start,
        later=later,
        leak=int(values["leak"]),
        term=values["term"],
        work=flags.seconds(values, "unfinished-work") if values["unfinished-work"] else None,
        work_dir=values["work-dir"],
    )


def read_check(words: Sequence[str]) -> tuple[str, int]:
    """The name and the port of ``check``. FlagError if they are none."""
    values, rest = flags.parse(words, {"port": FLAGS["port"][0]})
    name = rest[0] if rest else "healthz"
    if len(rest) > 1 or name not in NAMES:
        raise FlagError(f"check takes one of {', '.join(NAMES)}, not {' '.join(rest)}")
    return name, flags.number(values, "port")


def checked(name: str, status: int) -> tuple[str, int]:
    """What ``check`` says of an answer, and its exit code."""
    return f"{name} {status}", 0 if 200 <= status < 400 else 1


class Patient:
    """The app."""

    def __init__(self, host: Host, options: Options) -> None:
        self.host = host
        self.options = options
        self.healthz = "200"
        self.readyz = "200"
        self.work = ""
        """Empty: 200 if alive and ready."""
        self.leaking = 0
        """MiB a second."""
        self.leaked = 0
        self.opened = False
        self._term = ""
        self._growing = False

    # ---- how it is

    @property
    def well(self) -> bool:
        return self.healthz == self.readyz == "200" and self.work in ("", "200")

    def text(self) -> str:
        """How it is, in words."""
        ill = [f"{name} {getattr(self, name)}" for name in NAMES if getattr(self, name) not in ("", "200")]
        return ", ".join(ill) or "well"

    def value(self, name: str) -> str:
        """What one of NAMES answers: a status, or ``hang``."""
        if name != "work":
            return str(getattr(self, name))
        return self.work or (HANG if HANG in (self.healthz, self.readyz) else "200" if self.well else "503")

    def answer(self, name: str) -> Answer:
        """The same as an answer to a request."""
        value = self.value(name)
        return Answer(0) if value == HANG else Answer(int(value), TEXTS.get(int(value), "") + "\n")

    def status(self, service: str) -> str | None:
        """What gRPC is told: ``SERVING``, ``NOT_SERVING``, ``hang``; None: there is no such service."""
        if service not in SERVICES:
            return None
        value = self.value(SERVICES[service])
        return HANG if value == HANG else "SERVING" if int(value) < 400 else "NOT_SERVING"

    # ---- its life

    def begin(self) -> None:
        """It has been started."""
        host, options = self.host, self.options
        self.term(options.term)
        for name, at, value in options.later:
            host.after(at, partial(self.crash, int(value)) if name == "exit" else partial(self.turn, name, value))
        if options.start:
            host.log(f"loading for {options.start:g} s")
            host.report(False, "loading", None)
            host.after(options.start, self._open)
        else:
            self._open()

    def _open(self) -> None:
        host, options = self.host, self.options
        again = options.work is not None and host.left_over(options.unfinished)
        if again:
            self.readyz = "503"
        taken = host.listen()
        if taken is not None:
            host.fail(f"port {taken} is already in use", 1)
            return
        self.opened = True
        host.log(f"listening on port {options.port}")
        if options.leak:
            self.leak(options.leak)
        if options.work is None or not again:
            host.report(self.well, self.text(), None)
        if options.work is not None and again:
            host.log(f"the last instance left work unfinished: {options.work:g} s to do")
            host.report(False, "redoing unfinished work", None)
            host.after(options.work, self._done)
        elif options.work is not None:
            host.leave_file(options.unfinished)

    def _done(self) -> None:
        self.host.log("done")
        self.turn("readyz", "200")

    def leave(self) -> None:
        """A clean end: no work is left behind."""
        self.host.remove_file(self.options.unfinished)
        self.host.exit(0)

    def _drain(self) -> None:
        """A clean end, but not before those who send requests can have noticed."""
        seconds = float(self._term)
        self.host.term(None)
        self.host.log(f"TERM: ending in {seconds:g} s")
        self.turn("readyz", "503")
        self.host.after(seconds, self.leave)

    def crash(self, code: int) -> None:
        """An end by itself."""
        self.host.log(f"ending with exit code {code}")
        self.host.report(False, f"exit {code}", None)
        self.host.exit(code)

    def term(self, value: str) -> None:
        """What SIGTERM does from now on."""
        self._term = value
        self.host.term(None if value == "ignore" else self.leave if value == "obey" else self._drain)

    def leak(self, mib: int) -> None:
        """Take so many MiB each second from now on; what it has it keeps."""
        if mib == self.leaking:
            return
        self.leaking = mib
        self.host.log(f"leaking {mib} MiB a second" if mib else "leaking no more")
        if not self._growing:
            self._growing = True
            self.host.after(1, self._grow)

    def _grow(self) -> None:
        self._growing = bool(self.leaking) and self.leaked < MOST
        if self._growing:
            self.leaked = min(MOST, self.leaked + self.leaking)
            self.host.after(1, self._grow)
            self.host.grow(self.leaked * MIB)

    # ---- what is switched

    def turn(self, name: str, value: str, cause: Any = None) -> None:
        """Switch one of NAMES."""
        if getattr(self, name) == value:
            return
        setattr(self, name, value)
        self.host.changed()
        self.host.log(f"{name} answers {value or 'as it is'}")
        self.host.report(self.well, self.text(), cause)

    def switch(self, method: str, path: str, cause: Any = None) -> Answer:
        """``POST /switch?…``; refuses what it does not know, and then changes nothing."""
        if method != "POST":
            return Answer(405, "use POST\n")
        found = parse_qs(path.partition("?")[2], keep_blank_values=True)
        wanted = {name: values[0] for name, values in found.items()}
        for name, value in wanted.items():
            if name not in SWITCHES or not self._takes(name, value):
                told = (
                    f"{name} is {SWITCHES[name]}, not {value}" if name == "term" else f"cannot switch {name} to {value}"
                )
                return Answer(400, f"{told}\n")
        for name, value in wanted.items():
            if name in NAMES:
                self.turn(name, "" if value == "auto" else value, cause)
            elif name == "term":
                self.term(value)
            elif name == "leak":
                self.leak(int(value))
            elif name == "tcp":
                self.host.tcp(value == "open")
                self.host.log(f"tcp is {value}")
            else:
                self.host.after(SOON, partial(self.crash, int(value)))
        return Answer(200, f"{self.text()}\n")

    def _takes(self, name: str, value: str) -> bool:
        if name in NAMES:
            return _is_answer(value) or (name == "work" and value == "auto")
        if name == "tcp":
            return value in ("open", "closed") and self.options.tcp_port is not None
        return _is_term(value) if name == "term" else _is_leak(value) if name == "leak" else _is_code(value)


def _after(values: dict[str, str], name: str) -> tuple[float, str]:
    """``30=500`` → (30.0, "500")"""
    at, equals, value = values[name].partition("=")
    if not equals or not (_is_answer(value) if name != "exit-after" else _is_code(value)):
        raise FlagError(f"--{name} takes SECONDS=CODE, not {values[name]!r}")
    return flags.seconds({name: at}, name), value


def _is_answer(value: str) -> bool:
    return value == HANG or (_is_whole(value) and 200 <= int(value) < 600)


def _is_code(value: str) -> bool:
    return _is_whole(value) and int(value) < 256


def _is_leak(value: str) -> bool:
    return _is_whole(value) and int(value) <= MOST


def _is_term(value: str) -> bool:
    return value in ("obey", "ignore") or _is_whole(value)


def _is_whole(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 9
