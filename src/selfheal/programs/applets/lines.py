"""sort, uniq, cut, tr, diff and their like: texts line by line, letter by letter."""

from __future__ import annotations

import base64 as base64_
import hashlib
import re
from collections.abc import Callable

from selfheal.programs.applets.registry import applet, lines_of, number, options, stdin, texts, usage
from selfheal.programs.process import Process, Running
from selfheal.programs.shell.lexer import unescape
from selfheal.programs.spinner import Spinner


@applet("sort", usage="[-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]...")
def sort(p: Process) -> Running:
    given = options(p, "nrughMcszbdfio:k:t:")
    found, status = yield from texts(p, given.words)
    lines = [line for _, text in found for line in lines_of(text)]

    def key(line: str) -> object:
        if "k" in given:
            column = number(p, given["k"].partition(",")[0].partition(".")[0].rstrip("bdfgiMnr"))
            parts = line.split(given["t"]) if "t" in given else line.split()
            line = parts[column - 1] if column <= len(parts) else ""
        if "n" in given or "g" in given or "h" in given:
            leading = re.match(r"\s*(-?\d*\.?\d*)", line)
            return float(leading[1]) if leading and leading[1] not in ("", "-", ".") else 0.0
        return line.lower() if "f" in given else line

    if "s" not in given:
        lines.sort(reverse="r" in given)
    lines.sort(key=key, reverse="r" in given)  # type: ignore[arg-type]
    if "u" in given:
        lines = [line for i, line in enumerate(lines) if i == 0 or key(line) != key(lines[i - 1])]
    text = "".join(f"{line}\n" for line in lines)
    if "o" in given:
        p.fs.write(p.path(given["o"]), text)
    else:
        p.write(text)
    return status


@applet("uniq", usage="[-cdui] [-f,s,w N] [FILE [OUTFILE]]")
def uniq(p: Process) -> Running:
    given = options(p, "cduif:s:w:")
    found, status = yield from texts(p, given.words[:1])
    groups: list[tuple[str, int]] = []
    for _, text in found:
        for line in lines_of(text):
            if groups and groups[-1][0] == line:
                groups[-1] = (line, groups[-1][1] + 1)
            else:
                groups.append((line, 1))
    for line, count in groups:
        if ("d" in given and count == 1) or ("u" in given and count > 1):
            continue
        p.log(f"{count:>7} {line}" if "c" in given else line)
    return status


@applet("cut", usage="[OPTIONS] [FILE]...")
def cut(p: Process) -> Running:
    given = options(p, "b:c:f:d:sn")
    fields = given.get("f", given.get("c", given.get("b")))
    if fields is None:
        return p.fail("expected a list of bytes, characters, or fields")
    found, status = yield from texts(p, given.words)
    delimiter = given.get("d", "\t")
    for _, text in found:
        for line in lines_of(text):
            if "f" not in given:
                p.log("".join(c for i, c in enumerate(line, 1) if _listed(fields, i)))
            elif delimiter not in line:
                if "s" not in given:
                    p.log(line)
            else:
                parts = line.split(delimiter)
                p.log(delimiter.join(part for i, part in enumerate(parts, 1) if _listed(fields, i)))
    return status


def _listed(ranges: str, i: int) -> bool:
    """Whether ``1,3-5`` names ``i``; what is no number stands for nothing."""
    for part in ranges.split(","):
        low, dash, high = part.partition("-")
        first = _bound(low, 1)
        last = _bound(high, 1 << 62) if dash else first
        if part and first <= i <= last:
            return True
    return False


def _bound(text: str, default: int) -> int:
    if not text:
        return default
    return int(text[:9]) if text.isdecimal() else 0


@applet("tr", usage="[-cds] STRING1 [STRING2]")
def tr(p: Process) -> Running:
    given = options(p, "cCds")
    if not given.words:
        raise usage(p)
    first = _letters(given.words[0])
    second = _letters(given.words[1]) if len(given.words) > 1 else ""
    invert = "c" in given or "C" in given

    def change(c: str) -> str:
        if (c in first) == invert:
            return c
        if "d" in given:
            return ""
        if not second:
            return c
        return second[-1] if invert else second[min(first.index(c), len(second) - 1)]

    squeezed = second or first
    last = ""
    table = _Table(change)
    source, spinner = stdin(p), Spinner(p.kernel.clock)
    while text := (yield from source.read(1 << 16)):
        changed = text.translate(table)
        if "s" in given:
            out = []
            for c in changed:
                if c == last and c in squeezed:
                    continue
                last = c
                out.append(c)
            changed = "".join(out)
        p.write(changed)
        yield from p.flow()
        if source.endless and (pause := spinner.turn()) is not None:
            yield pause
    return 0


class _Table(dict[int, str]):
    """What becomes of each letter, found out when it first comes."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self._change = change

    def __missing__(self, letter: int) -> str:
        new = self[letter] = self._change(chr(letter))
        return new


CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:digit:]": "0123456789",
    "[:space:]": " \t\n\r\v\f",
    "[:alpha:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "[:alnum:]": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "[:punct:]": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
}


def _letters(text: str) -> str:
    """``a-c`` → ``abc``"""
    for name, letters in CLASSES.items():
        text = text.replace(name, letters)
    text = unescape(text)
    return re.sub(
        r"(.)-(.)",
        lambda found: "".join(map(chr, range(ord(found[1]), ord(found[2]) + 1))),
        text,
        flags=re.DOTALL,
    )


def _by_line(p: Process, change: object) -> Running:
    found, status = yield from texts(p, options(p, "b:s:w:").words)
    assert callable(change)
    for _, text in found:
        for line in change(lines_of(text)):
            p.log(line)
    return status


@applet("rev", usage="[FILE]...")
def rev(p: Process) -> Running:
    return (yield from _by_line(p, lambda lines: [line[::-1] for line in lines]))


@applet("tac", usage="[FILE]...")
def tac(p: Process) -> Running:
    return (yield from _by_line(p, lambda lines: lines[::-1]))


@applet("nl", usage="[FILE]...")
def nl(p: Process) -> Running:
    return (yield from _by_line(p, lambda lines: [f"{i:>6}\t{line}" for i, line in enumerate(lines, 1)]))


@applet("md5sum", "sha1sum", "sha256sum", "sha512sum", usage="[-c[sw]] [FILE]...")
def checksum(p: Process) -> Running:
    given = options(p, "csw")
    found, status = yield from texts(p, given.words, "can't open '{path}': {error}")
    for path, text in found:
        digest = hashlib.new(p.name.removesuffix("sum"), text.encode(), usedforsecurity=False)
        p.log(f"{digest.hexdigest()}  {path}")
    return status


@applet("base64", usage="[-d] [-w COL] [FILE]")
def base64(p: Process) -> Running:
    given = options(p, "dw:")
    found, status = yield from texts(p, given.words)
    for _, text in found:
        if "d" in given:
            try:
                p.write(base64_.b64decode(text, validate=False).decode(errors="replace"))
            except ValueError:
                return p.fail("truncated input")
        else:
            encoded = base64_.b64encode(text.encode()).decode()
            width = number(p, given.get("w", "76")) or len(encoded) or 1
            for i in range(0, len(encoded), width):
                p.log(encoded[i : i + width])
    return status


@applet("cmp", usage="[-ls] FILE1 [FILE2]")
def cmp(p: Process) -> Running:
    given = options(p, "ls")
    if not given.words:
        raise usage(p, code=2)
    found, status = yield from texts(p, [*given.words, "-"][:2], code=2)
    if status:
        return status
    (one, a), (two, b) = found
    if a == b:
        return 0
    shorter = min(len(a), len(b))
    at = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    if "s" not in given:
        if at == shorter:
            p.say(f"cmp: EOF on {one if len(a) < len(b) else two}")
        else:
            p.log(f"{one} {two} differ: char {at + 1}, line {a.count(chr(10), 0, at) + 1}")
    return 1


@applet("diff", usage="[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2")
def diff(p: Process) -> Running:
    given = options(p, "abBdiNqrTstwuU:L:")
    if len(given.words) != 2:
        raise usage(p, code=2)
    found, status = yield from texts(p, given.words, "can't stat '{path}': {error}", 2)
    if status:
        return status
    (one, a), (two, b) = found
    if a == b:
        return 0
    if "q" in given:
        p.log(f"Files {one} and {two} differ")
        return 1
    import difflib

    for line in difflib.unified_diff(lines_of(a), lines_of(b), one, two, lineterm=""):
        p.log(line)
    return 1
