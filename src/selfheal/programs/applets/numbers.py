"""seq and expr."""

from __future__ import annotations

import re
from math import isfinite

from selfheal.programs.applets.regexes import basic
from selfheal.programs.applets.registry import applet, usage
from selfheal.programs.process import Process


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
    last = numbers[-1]
    count = max(0, int((last - first) / step) + 2)
    if count > 1_000_000:
        return p.fail("out of memory")
    exact = (first + i * step for i in range(count))
    values = [f"{value:.{places}f}" for value in exact if (value <= last if step > 0 else value >= last)]
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
