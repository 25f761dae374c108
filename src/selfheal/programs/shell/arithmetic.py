"""``$((…))``: whole numbers of 64 bits, C's operators and the shell's variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9A-Fa-f]+|\d+#\w+|\d+)|([A-Za-z_]\w*)|(<<=|>>=|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
_NAME_NEXT = re.compile(r"\s*[A-Za-z_]")
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")


class ArithmeticProblem(Exception):
    """What is wrong, in the shell's words."""


def wrap(value: int) -> int:
    """To 64 bits with a sign."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


class Arithmetic:
    """Evaluates one expression. ``get`` and ``set`` reach the shell's variables."""

    def __init__(self, text: str, get: Callable[[str], str], put: Callable[[str, str], None], depth: int = 0) -> None:
        self._get = get
        self._put = put
        self._depth = depth
        self._tokens = _tokens(text)
        self._at = 0
        self._silent = 0
        """Above 0 in a branch that does not count: nothing is assigned, nothing divided."""

    def value(self) -> int:
        """The expression's value; an empty one is 0. ArithmeticProblem if it is none."""
        if not self._tokens:
            return 0
        value = self._comma()
        if self._at < len(self._tokens):
            raise ArithmeticProblem("arithmetic syntax error")
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _comma(self) -> int:
        value = self._assignment()
        while self._peek() == ",":
            self._take()
            value = self._assignment()
        return value

    def _assignment(self) -> int:
        name = self._peek()
        op = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""
        if op in _ASSIGN and _is_name(name):
            self._at += 2
            right = self._assignment()
            value = right if op == "=" else self._binary(op[:-1], self._variable(name), right)
            self._store(name, value)
            return value
        return self._ternary()

    def _ternary(self) -> int:
        condition = self._level(0)
        if self._peek() != "?":
            return condition
        self._take()
        yes = self._quietly(not condition, self._assignment)
        if self._take() != ":":
            raise ArithmeticProblem("arithmetic syntax error")
        no = self._quietly(bool(condition), self._assignment)
        return yes if condition else no

    def _quietly(self, silent: bool, read: Callable[[], int]) -> int:
        self._silent += silent
        try:
            return read()
        finally:
            self._silent -= silent

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._power()
        left = self._level(level + 1)
        while self._peek() in _LEVELS[level]:
            op = self._take()
            if op in ("&&", "||"):
                decided = bool(left) == (op == "||")
                right = self._quietly(decided, lambda: self._level(level + 1))
                left = int(bool(left) if decided else bool(right))
            else:
                left = self._binary(op, left, self._level(level + 1))
        return left

    def _power(self) -> int:
        base = self._unary()
        if self._peek() == "**":
            self._take()
            exponent = self._power()
            if exponent < 0:
                raise ArithmeticProblem("exponent less than 0")
            return wrap(pow(base, exponent, 1 << 64))
        return base

    def _unary(self) -> int:
        word = self._take()
        if word in ("++", "--"):
            name = self._take()
            if not _is_name(name):
                raise ArithmeticProblem("arithmetic syntax error")
            value = wrap(self._variable(name) + (1 if word == "++" else -1))
            self._store(name, value)
            return value
        if word == "-":
            return wrap(-self._unary())
        if word == "+":
            return self._unary()
        if word == "!":
            return int(not self._unary())
        if word == "~":
            return ~self._unary()
        if word == "(":
            value = self._comma()
            if self._take() != ")":
                raise ArithmeticProblem("arithmetic syntax error")
            return value
        if _is_name(word):
            value = self._variable(word)
            if self._peek() in ("++", "--"):
                self._store(word, wrap(value + (1 if self._take() == "++" else -1)))
            return value
        return _number(word)

    def _binary(self, op: str, left: int, right: int) -> int:
        if op in ("/", "%"):
            if self._silent:
                return 0
            if right == 0:
                raise ArithmeticProblem("divide by zero")
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return wrap(quotient if op == "/" else left - quotient * right)
        return wrap(_BINARY[op](left, right))

    def _variable(self, name: str) -> int:
        text = self._get(name).strip()
        if not text:
            return 0
        if text.lstrip("+-").isdecimal():
            return _signed_number(text)
        if self._depth > 20:
            raise ArithmeticProblem("expression recursion loop detected")
        return Arithmetic(text, self._get, self._put, self._depth + 1).value()

    def _store(self, name: str, value: int) -> None:
        if not self._silent:
            self._put(name, str(value))


_BINARY: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


@lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[str, ...]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ArithmeticProblem("arithmetic syntax error")
        token = found[1] or found[2] or found[3]
        at = found.end()
        beside_name = bool(tokens) and _is_name(tokens[-1])
        if token in ("++", "--") and not beside_name and not _NAME_NEXT.match(text, at):
            tokens += token  # 3--2 is 3 - -2
        else:
            tokens.append(token)
    return tuple(tokens)


def _is_name(token: str) -> bool:
    return token[:1].isalpha() or token[:1] == "_"


def _signed_number(text: str) -> int:
    return wrap(-_number(text[1:])) if text.startswith("-") else _number(text.lstrip("+"))


def _number(token: str) -> int:
    try:
        base, mark, digits = token.partition("#")
        if mark:
            return wrap(int(digits, int(base)))
        if token[:2] in ("0x", "0X"):
            return wrap(int(token, 16))
        if len(token) > 1 and token.startswith("0"):
            return wrap(int(token, 8))
        return wrap(int(token[:40]))
    except ValueError:
        raise ArithmeticProblem("arithmetic syntax error") from None
