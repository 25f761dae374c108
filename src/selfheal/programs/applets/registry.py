"""How an applet is defined, and how it reads its options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Generator
from typing import Any

from selfheal.programs.filesystem import FileError
from selfheal.programs.process import Exit, Process, Program
from selfheal.programs.streams import NULL, Stream

VERSION = "BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary."

APPLETS: dict[str, Program] = {}
"""Every applet by name."""
USAGES: dict[str, str] = {}

CHUNK = 1 << 16
"""Letters that are read at once."""

MOST = 1 << 24
"""Letters of a text that are really kept; what follows counts as memory alone."""


def applet(*names: str, usage: str = "") -> Callable[[Program], Program]:
    """Define an applet: a generator function of its process if it may wait, else a plain function."""

    def define(program: Program) -> Program:
        for name in names:
            APPLETS[name] = program
            USAGES[name] = usage
        return program

    return define


def never_waits(program: Program) -> bool:
    """Whether a program is a plain function."""
    return not inspect.isgeneratorfunction(program)


def usage(p: Process, problem: str = "", code: int = 1) -> Exit:
    """The way out of wrong use: ``raise usage(p)``."""
    if problem:
        p.complain(problem)
    p.say(f"{VERSION}\n\nUsage: {p.name} {USAGES.get(p.name, '')}".rstrip() + "\n")
    return Exit(code)


class Options(dict[str, str]):
    """Options by letter; one without an argument has the value ``''``. ``words`` are the operands."""

    words: list[str]


def options(p: Process, known: str, code: int = 1, stop_early: bool = False) -> Options:
    """Read options as getopt does: ``"an:"`` knows ``-a`` and ``-n ARGUMENT``. Wrong use ends the process.

    ``stop_early``: the first operand ends the options (``env``, ``timeout``).
    """
    found = Options()
    found.words = words = []
    rest = p.argv[1:]
    while rest:
        word = rest.pop(0)
        if word == "--":
            words += rest
            break
        if len(word) < 2 or word[0] != "-":
            words.append(word)
            if stop_early:
                words += rest
                break
            continue
        for i, letter in enumerate(word[1:], 2):
            at = known.find(letter) if letter != ":" else -1
            if at < 0:
                raise usage(p, f"invalid option -- '{letter}'", code)
            if known[at + 1 : at + 2] != ":":
                found[letter] = ""
                continue
            argument = word[i:]
            if not argument:
                if not rest:
                    raise usage(p, f"option requires an argument -- '{letter}'", code)
                argument = rest.pop(0)
            found[letter] = argument
            break
    return found


def stdin(p: Process) -> Stream:
    return p.fds.get(0, NULL)


def source(p: Process, path: str) -> Stream:
    """The file, or for ``-`` the standard input. FileError if it cannot be opened."""
    return stdin(p) if path == "-" else p.open(path)


def everything(p: Process, stream: Stream, hold: bool = True) -> Generator[Any, Any, str]:
    """All of a stream. ``hold``: who wants it has to keep it in memory."""
    if stream.endless:
        yield from p.exhaust() if hold else (p.forever(),)
    parts: list[str] = []
    size = 0
    while text := (yield from stream.read(CHUNK)):
        size += len(text)
        if hold:
            p.keep(size)
        if size <= MOST:
            parts.append(text)
    return "".join(parts)


def texts(
    p: Process, paths: list[str], problem: str = "{path}: {error}", code: int = 1, hold: bool = True
) -> Generator[Any, Any, tuple[list[tuple[str, str]], int]]:
    """(name, whole text) of each file that can be read, standard input if there is none; and the exit code."""
    found: list[tuple[str, str]] = []
    status = 0
    for path in paths or ["-"]:
        try:
            found.append((path, (yield from everything(p, source(p, path), hold))))
        except FileError as error:
            p.complain(problem.format(path=path, error=error))
            status = code
    return found, status


def number(p: Process, text: str) -> int:
    """A whole number ≥ 0, or the end of the process."""
    if not (text.isascii() and text.isdecimal()):
        p.complain(f"invalid number '{text}'")
        raise Exit(1)
    return int(text[:18])


def amount(p: Process, text: str) -> int:
    """A whole number that may end in ``b``, ``k`` or ``m`` (head, tail)."""
    unit = {"b": 512, "k": 1 << 10, "m": 1 << 20}.get(text[-1:].lower(), 0)
    return number(p, text[:-1]) * unit if unit else number(p, text)


def decimal(p: Process, text: str) -> float:
    """A number ≥ 0 with or without a fraction, or the end of the process."""
    if re.fullmatch(r"\d{1,15}\.?\d*|\.\d+", text, re.ASCII) is None:
        p.complain(f"invalid number '{text}'")
        raise Exit(1)
    return float(text)


def lines_of(text: str) -> list[str]:
    """Lines without their newlines; what follows the last newline counts if it is not empty."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines
