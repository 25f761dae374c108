"""``echo`` and ``printf``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from selfheal.programs.process import Process
from selfheal.programs.shell.lexer import unescape

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlLjzt]*(.)", re.DOTALL)
_DOT = re.compile(r"\.")


def echo(args: Sequence[str]) -> str:
    """What ``echo`` prints: ``-n`` without a newline, ``-e`` with escapes, ``\\c`` ends the output."""
    words = list(args)
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        for letter in words.pop(0)[1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
    text = " ".join(words)
    if escapes:
        head, stop, _ = _stop(text)
        text = unescape(head)
        newline = newline and not stop
    return text + ("\n" if newline else "")


def _stop(text: str) -> tuple[str, str, str]:
    """Split at ``\\c``."""
    found = re.search(r"(?<!\\)(?:\\\\)*\\c", text)
    if found is None:
        return text, "", ""
    return text[: found.end() - 2], "\\c", text[found.end() :]


def printf(p: Process, args: Sequence[str], prefix: str) -> int:
    """``printf FORMAT [ARGUMENT...]``; the format is used again as long as there are arguments."""
    if not args:
        p.say(f"{prefix}: usage: printf FORMAT [ARGUMENT...]")
        return 2
    form, words = args[0], list(args[1:])
    printer = _Printf(words, lambda problem: p.say(f"{prefix}: {problem}"))
    out: list[str] = []
    while True:
        before = len(printer.words)
        try:
            out.append(printer.once(form))
        except ValueError as error:
            p.write("".join(out))
            p.say(f"{prefix}: {error}")
            return 1
        if printer.stopped or not printer.words or len(printer.words) == before:
            break
    p.write("".join(out))
    return printer.status


class _Printf:
    def __init__(self, words: list[str], complain: Callable[[str], None]) -> None:
        self.words = words
        self.complain = complain
        self.status = 0
        self.stopped = False

    def once(self, form: str) -> str:
        out: list[str] = []
        at = 0
        while at < len(form) and not self.stopped:
            percent = form.find("%", at)
            end = len(form) if percent < 0 else percent
            head, stop, _ = _stop(form[at:end])
            out.append(unescape(head))
            if stop:
                self.stopped = True
                break
            if percent < 0:
                break
            found = _DIRECTIVE.match(form, percent)
            if found is None:
                raise ValueError(f"{form[percent:]}: invalid format")
            at = found.end()
            out.append(self._directive(found, form))
        return "".join(out)

    def _directive(self, found: re.Match[str], form: str) -> str:
        flags, width, precision, kind = found[1], found[2] or "", found[3], found[4]
        dotted = bool(_DOT.search(found[0]))
        if kind == "%":
            return "%"
        if kind not in "sbcdiouxXeEfFgG":
            raise ValueError(f"{form}: invalid format")
        if width == "*":
            number = self._number(self._next())
            flags, width = flags + ("-" if number < 0 else ""), str(abs(number))
        if precision == "*":
            precision = str(max(0, self._number(self._next())))
        if int(width or 0) > 65536 or int(precision or 0) > 65536:
            raise ValueError(f"{form}: invalid format")
        shape = f"%{flags}{width}" + (f".{precision or 0}" if dotted else "")
        word = self._next()
        if kind in "sb":
            if kind == "b":
                head, stop, _ = _stop(word)
                self.stopped = bool(stop)
                word = unescape(head)
            return (shape + "s") % word
        if kind == "c":
            return f"%{flags}{width}s" % word[:1]
        if kind in "eEfFgG":
            return (shape + kind) % self._float(word)
        number = self._number(word)
        if number < 0 and kind in "ouxX":
            number &= (1 << 64) - 1
        return (shape + ("d" if kind in "iu" else kind)) % number

    def _next(self) -> str:
        return self.words.pop(0) if self.words else ""

    def _number(self, word: str) -> int:
        text = word.strip()
        if not text:
            return self._invalid(word)
        if text[0] in "'\"" and len(text) > 1:
            return ord(text[1])
        try:
            sign = -1 if text[0] == "-" else 1
            digits = text.lstrip("+-")
            base = 16 if digits[:2].lower() == "0x" else 8 if len(digits) > 1 and digits[0] == "0" else 10
            return sign * int(digits[:64], base)
        except (ValueError, IndexError):
            return self._invalid(word)

    def _float(self, word: str) -> float:
        try:
            return float(word) if word else 0.0
        except ValueError:
            return self._invalid(word)

    def _invalid(self, word: str) -> int:
        self.complain(f"invalid number '{word}'")
        self.status = 1
        return 0
