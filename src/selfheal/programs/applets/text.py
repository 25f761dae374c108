"""cat, head, tail, wc, sort and their like."""

from __future__ import annotations

import base64 as base64_
import hashlib
import re
from math import isfinite

from selfheal.programs.applets.registry import applet, decimal, lines_of, number, options, source, stdin, texts, usage
from selfheal.programs.filesystem import Device, Directory, FileError
from selfheal.programs.process import Exit, Process, Running
from selfheal.programs.shell import printing, tests
from selfheal.programs.shell.lexer import unescape
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import Inlet, Stream

CHUNK = 1 << 16


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
    count = number(p, wanted.lstrip("-"))
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
            p.write((yield from stream.read(number(p, given["c"]))))
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
    count = number(p, wanted.lstrip("+-"))
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
    found, status = yield from texts(p, given.words)
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
    while text := (yield from stdin(p).read(CHUNK)):
        out = []
        for c in text:
            new = change(c)
            if "s" in given and new and new == last and new in squeezed:
                continue
            last = new or last
            out.append(new)
        p.write("".join(out))
    return 0


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


@applet("yes", usage="[STRING]")
def yes(p: Process) -> Running:
    text = " ".join(p.argv[1:]) or "y"
    spinner = Spinner(p.kernel.clock)
    out = p.fds.get(1)
    while True:
        p.write(f"{text}\n" * 64)
        while isinstance(out, Inlet) and out.pipe.crowded:
            yield out.pipe.drained
        pause = spinner.turn()
        if pause is not None:
            yield pause


@applet("seq", usage="[-w] [-s SEP] [FIRST [INC]] LAST")
def seq(p: Process) -> int:
    words = p.argv[1:]
    separator, pad = "\n", False
    while words and words[0][:2] in ("-w", "-s"):
        word = words.pop(0)
        if word[1] == "w":
            pad = True
        else:
            separator = word[2:] or (words.pop(0) if words else "")
    if not 1 <= len(words) <= 3:
        raise usage(p)
    try:
        numbers = [float(word) for word in words]
        if not all(map(isfinite, numbers)):
            raise ValueError
    except ValueError:
        raise usage(p) from None
    first = numbers[0] if len(numbers) > 1 else 1.0
    step = numbers[1] if len(numbers) > 2 else 1.0
    places = max(len(word.partition(".")[2]) for word in words)
    if step == 0:
        return p.fail("increment is 0")
    count = int((numbers[-1] - first) / step + 1e-9) + 1
    if count > 1_000_000:
        return p.fail("out of memory")
    values = [f"{first + i * step:.{places}f}" for i in range(max(0, count))]
    if pad:
        width = max(map(len, values), default=0)
        values = [value.zfill(width) for value in values]
    if values:
        p.log(separator.join(values))
    return 0


@applet("expr", usage="EXPRESSION")
def expr(p: Process) -> int:
    words = p.argv[1:]
    if not words:
        return p.fail("too few arguments", 2)
    reader = _Expr(words)
    try:
        value = reader.level(0)
        if reader.at < len(words):
            raise ValueError("syntax error")
    except ValueError as error:
        return p.fail(str(error), 2)
    p.log(str(value))
    return int(value in ("", "0"))


class _Expr:
    LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0

    def take(self) -> str:
        if self.at >= len(self.words):
            raise ValueError("syntax error")
        self.at += 1
        return self.words[self.at - 1]

    def level(self, level: int) -> str:
        if level == len(self.LEVELS):
            return self.primary()
        left = self.level(level + 1)
        while self.at < len(self.words) and self.words[self.at] in self.LEVELS[level]:
            op = self.take()
            left = self.apply(op, left, self.level(level + 1))
        return left

    def primary(self) -> str:
        word = self.take()
        if word == "(":
            value = self.level(0)
            if self.take() != ")":
                raise ValueError("syntax error")
            return value
        if self.at < len(self.words) and word in ("length", "match", "substr", "index", "quote"):
            if word == "length":
                return str(len(self.primary()))
            if word == "quote":
                return self.take()
            text = self.primary()
            if word == "match":
                return self.match(text, self.primary())
            if word == "index":
                letters = self.primary()
                return str(min((text.find(c) + 1 for c in letters if c in text), default=0))
            start, length = _whole(self.primary()), _whole(self.primary())
            return text[start - 1 : start - 1 + length] if start > 0 and length > 0 else ""
        return word

    @staticmethod
    def match(text: str, pattern: str) -> str:
        try:
            found = re.match(basic(pattern), text, re.DOTALL)
        except (re.error, OverflowError):
            raise ValueError("Invalid regexp") from None
        groups = r"\(" in pattern
        if found is None:
            return "" if groups else "0"
        return (found[1] or "") if groups else str(len(found[0]))

    def apply(self, op: str, left: str, right: str) -> str:
        if op == ":":
            return self.match(left, right)
        if op == "|":
            return left if left not in ("", "0") else right
        if op == "&":
            return left if left not in ("", "0") and right not in ("", "0") else "0"
        numeric = all(re.fullmatch(r"-?\d+", word) for word in (left, right))
        if op in self.LEVELS[2]:
            a, b = (_whole(left), _whole(right)) if numeric else (left, right)
            outcome = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "!=": a != b}  # type: ignore[operator]
            return str(int(outcome.get(op, a == b)))
        x, y = _whole(left), _whole(right)
        if op in "+-*":
            return str({"+": x + y, "-": x - y, "*": x * y}[op])
        if y == 0:
            raise ValueError("division by zero")
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return str(quotient if op == "/" else x - quotient * y)


def _whole(text: str) -> int:
    if re.fullmatch(r"-?\d{1,1000}", text, re.ASCII) is None:
        raise ValueError("non-numeric argument")
    return int(text)


def basic(pattern: str, extended: bool = False) -> str:
    """A POSIX regular expression as one of Python's: basic, or extended (``-E``)."""
    out: list[str] = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        i += 1
        if c == "[":
            end = pattern.find("]", i + (2 if pattern[i : i + 1] == "^" else 1))
            if end < 0:
                out.append(r"\[")
                continue
            inside = pattern[i:end]
            if "[:" in inside and pattern.find(":]]", i) > 0:
                end = pattern.find(":]]", i) + 2
                inside = pattern[i:end]
            for name, letters in RANGES.items():
                inside = inside.replace(name, letters)
            out.append("[" + inside.replace("\\", "\\\\").replace("[", r"\[") + "]")
            i = end + 1
        elif c == "\\" and i < len(pattern):
            following = pattern[i]
            i += 1
            if following in "(){}|+?":
                out.append("\\" + following if extended else following)
            elif following in "<>":
                out.append(r"\b")
            else:
                out.append("\\" + following)
        elif c in "(){}|+?" and not extended:
            out.append("\\" + c)
        elif c == "*" and not extended and (not out or out == ["^"] or out[-1] in ("(", "|")):
            out.append(r"\*")
        else:
            out.append(c)
    return "".join(out)


RANGES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:blank:]": " \t",
    "[:punct:]": "!-/:-@\\[-`{-~",
}


def regex(p: Process, pattern: str, extended: bool, flags: int = 0) -> re.Pattern[str]:
    """A compiled POSIX regular expression, or the end of the process."""
    try:
        return re.compile(basic(pattern, extended), flags)
    except (re.error, OverflowError):
        p.complain(f"bad regex '{pattern}': Invalid regexp")
        raise Exit(2) from None


@applet("dd", usage="[if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N]")
def dd(p: Process) -> Running:
    given = dict.fromkeys(("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag"), "")
    for word in p.argv[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in given:
            raise usage(p)
        given[name] = value
    size = _bytes(p, given["bs"] or given["ibs"] or "512")
    count = _bytes(p, given["count"]) if given["count"] else None
    path = given["if"]
    try:
        reader = p.open(path) if path else stdin(p)
        path = given["of"]
        writer = p.open(path, "w") if path else p.fds.get(1, Stream())
    except FileError as error:
        return p.fail(f"can't open '{path}': {error}")
    p.kernel.allocate(p, size)
    if p.ended:
        return 137
    if given["skip"]:
        yield from reader.read(size * _bytes(p, given["skip"]))
    blocks = partial_blocks = total = 0
    spinner = Spinner(p.kernel.clock)
    while count is None or blocks + partial_blocks < count:
        if reader.endless and type(writer) is Stream:
            length = size  # nobody will look at it
        else:
            try:
                text = yield from reader.read(min(size, 1 << 26))
            except FileError as error:
                return p.fail(f"read error: {error}")
            writer.write(text)
            length = len(text)
        if not length:
            break
        blocks, partial_blocks = blocks + (length == size), partial_blocks + (length < size)
        total += length
        pause = spinner.turn()
        if pause is not None:
            yield pause
    p.kernel.allocate(p, 0)
    if given["status"] not in ("none", "noxfer"):
        counts = f"{blocks}+{partial_blocks}"
        p.say(f"{counts} records in\n{counts} records out")
    return 0


def _bytes(p: Process, text: str) -> int:
    """``4``, ``1k``, ``96M`` → bytes"""
    found = re.fullmatch(r"(\d{1,15})(c|w|b|k|K|KB|kB|KiB|M|MB|MiB|G|GB|GiB)?", text)
    if found is None:
        p.complain(f"invalid number '{text}'")
        raise Exit(1)
    unit = found[2] or "c"
    base = 1000 if unit in ("KB", "kB", "MB", "GB") else 1024
    power = {"c": 0, "w": 0, "b": 0, "k": 1, "K": 1, "M": 2, "G": 3}[unit[0]]
    size: int = int(found[1]) * base**power
    return size * {"w": 2, "b": 512}.get(unit, 1)


@applet("cmp", usage="[-ls] FILE1 [FILE2]")
def cmp(p: Process) -> Running:
    given = options(p, "ls")
    if not given.words:
        raise usage(p, code=2)
    found, status = yield from texts(p, [*given.words, "-"][:2], "can't open '{path}': {error}", 2)
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
