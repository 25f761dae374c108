"""cat, head, tail, wc, sort and their like."""

from __future__ import annotations

import re

from selfheal.programs.applets.registry import (
    CHUNK,
    amount,
    applet,
    decimal,
    lines_of,
    options,
    source,
    stdin,
    texts,
)
from selfheal.programs.filesystem import Device, Directory, FileError
from selfheal.programs.process import Process, Running
from selfheal.programs.shell import printing, tests
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import Stream


@applet("cat", usage="[-nbvteA] [FILE]...")
def cat(p: Process) -> Running:
    given = options(p, "nbvteAsu")
    status = count = 0
    for path in given.words or ["-"]:
        try:
            stream = source(p, path)
        except FileError as error:
            reason = str(error)
            if isinstance(p.fs.node(p.path(path)), Directory):
                status = p.fail(f"read error: {reason}")
            else:
                status = p.fail(f"can't open '{path}': {reason}")
            continue
        if "n" in given or "b" in given:
            for line in lines_of((yield from stream.read())):
                if line or "n" in given:
                    count += 1
                    line = f"{count:>6}\t{line}"
                p.log(line)
            continue
        spinner = Spinner(p.kernel.clock)
        while text := (yield from stream.read(CHUNK)):
            p.write(text)
            yield from p.flow()
            if stream.endless and (pause := spinner.turn()) is not None:
                yield pause
    return status


@applet("echo")
def echo(p: Process) -> int:
    p.write(printing.echo(p.argv[1:]))
    return 0


@applet("printf", usage="FORMAT [ARG]...")
def printf(p: Process) -> int:
    return printing.printf(p, p.argv[1:], "printf")


@applet("test")
def test(p: Process) -> int:
    return tests.run(p, "test", p.argv[1:], "test")


@applet("[")
def bracket(p: Process) -> int:
    return tests.run(p, "[", p.argv[1:], "[")


@applet("[[")
def brackets(p: Process) -> int:
    return tests.run(p, "[[", p.argv[1:], "[[")


def _old_style(p: Process) -> None:
    """``head -3`` → ``head -n 3``"""
    words: list[str] = []
    for word in p.argv[1:]:
        if re.fullmatch(r"-\d+", word) and words[-1:] not in (["-n"], ["-c"]):
            words += ["-n", word[1:]]
        else:
            words.append(word)
    p.argv = [p.argv[0], *words]


@applet("head", usage="[OPTIONS] [FILE]...")
def head(p: Process) -> Running:
    _old_style(p)
    given = options(p, "n:c:qv")
    wanted = given.get("n", "10")
    count = amount(p, wanted.lstrip("-"))
    paths = given.words or ["-"]
    status, shown = 0, False
    for path in paths:
        try:
            stream = source(p, path)
        except FileError as error:
            status = p.fail(f"{path}: {error}")
            continue
        if len(paths) > 1 and "q" not in given:
            p.write(("\n" if shown else "") + f"==> {path} <==\n")
        shown = True
        if "c" in given:
            left = amount(p, given["c"])
            while left > 0 and (text := (yield from stream.read(min(left, CHUNK)))):
                left -= len(text)
                p.write(text)
                yield from p.flow()
            continue
        if wanted.startswith("-"):
            lines = (yield from stream.read()).splitlines(keepends=True)
            p.write("".join(lines[: max(0, len(lines) - count)]))
            continue
        for _ in range(count):
            line = yield from stream.readline()
            if not line:
                break
            p.write(line)
    return status


@applet("tail", usage="[OPTIONS] [FILE]...")
def tail(p: Process) -> Running:
    _old_style(p)
    given = options(p, "fFn:c:qvs:")
    follow = "f" in given or "F" in given
    if follow and given.words and all(isinstance(p.fs.node(p.path(path)), Device) for path in given.words):
        yield p.forever()  # tail -f /dev/null
    wanted = given.get("c", given.get("n", "10"))
    from_start = wanted.startswith("+")
    count = amount(p, wanted.lstrip("+-"))
    found, status = yield from texts(p, given.words, "can't open '{path}': {error}")
    if not found and not follow:
        return p.fail("no files")
    for i, (path, text) in enumerate(found):
        if len(found) > 1 and "q" not in given:
            p.write(("\n" if i else "") + f"==> {path} <==\n")
        parts = list(text) if "c" in given else text.splitlines(keepends=True)
        parts = parts[max(0, count - 1) :] if from_start else parts[len(parts) - min(count, len(parts)) :]
        p.write("".join(parts))
    if follow:
        yield from _follow(p, [(path, len(text)) for path, text in found], max(0.1, decimal(p, given.get("s", "1"))))
    return status


def _follow(p: Process, files: list[tuple[str, int]], period: float) -> Running:
    """Look each second for what has been added; when nothing changes, do not even look."""
    clock = p.kernel.clock
    began = clock.now
    step = max(1, round(period * 1_000_000))
    while True:
        yield p.kernel.stirred
        yield clock.sleep(step - (clock.now - began) % step)
        for i, (path, known) in enumerate(files):
            try:
                text = p.fs.read(p.path(path))
            except FileError:
                continue
            p.write(text[known if len(text) >= known else 0 :])
            files[i] = (path, len(text))


@applet("wc", usage="[-cmlwL] [FILE]...")
def wc(p: Process) -> Running:
    given = options(p, "cmlwL")
    found, status = yield from texts(p, given.words, hold=False)
    letters = [letter for letter in "lwcmL" if letter in given] or ["l", "w", "c"]
    totals = [0] * len(letters)
    for path, text in found:
        counts = [_count(letter, text) for letter in letters]
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        _counts(p, counts, path if given.words else "")
    if len(given.words) > 1:
        _counts(p, totals, "total")
    return status


def _count(letter: str, text: str) -> int:
    if letter == "l":
        return text.count("\n")
    if letter == "w":
        return len(text.split())
    if letter == "L":
        return max(map(len, lines_of(text)), default=0)
    return len(text.encode(errors="replace")) if letter == "c" else len(text)


def _counts(p: Process, counts: list[int], name: str) -> None:
    numbers = str(counts[0]) if len(counts) == 1 else " ".join(f"{count:>9}" for count in counts)
    p.log(f"{numbers} {name}" if name else numbers)


@applet("tee", usage="[-ai] [FILE]...")
def tee(p: Process) -> Running:
    given = options(p, "ai")
    status = 0
    outputs: list[Stream] = []
    for path in given.words:
        try:
            outputs.append(p.open(path, "a" if "a" in given else "w"))
        except FileError as error:
            status = p.fail(f"{path}: {error}")
    while text := (yield from stdin(p).read(CHUNK)):
        p.write(text)
        for output in outputs:
            output.write(text)
    return status


@applet("yes", usage="[STRING]")
def yes(p: Process) -> Running:
    text = " ".join(p.argv[1:]) or "y"
    spinner = Spinner(p.kernel.clock)
    while True:
        p.write(f"{text}\n" * 64)
        yield from p.flow()
        pause = spinner.turn()
        if pause is not None:
            yield pause
