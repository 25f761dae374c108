"""Words → arguments: parameters, command substitution, arithmetic, field splitting, file names.

All of it is written as generators, since ``$(…)`` may wait.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from selfheal.programs.shell import patterns
from selfheal.programs.shell.arithmetic import Arithmetic as Expression
from selfheal.programs.shell.arithmetic import ArithmeticProblem
from selfheal.programs.shell.syntax import Arithmetic, Literal, Parameter, Part, Substitution, Word

if TYPE_CHECKING:
    from selfheal.programs.shell.interpreter import Shell

Piece = tuple[str, bool]
"""Text, and whether it was quoted."""

BLANKS = " \t\n"
LIMIT = 1 << 24
"""Characters that one word may grow to."""

_BLANKS = re.compile(r"[ \t\n]+")


class ExpansionProblem(Exception):
    """An expansion that ends the shell: the message is the shell's."""


class Fields:
    """Collects pieces into fields."""

    __slots__ = ("current", "done", "ifs", "opened")

    def __init__(self, ifs: str | None) -> None:
        self.ifs = ifs
        """None: nothing is split."""
        self.done: list[list[Piece]] = []
        self.current: list[Piece] = []
        self.opened = False

    def add(self, text: str, quoted: bool) -> None:
        if text or quoted:
            self.current.append((text, quoted))
            self.opened = True

    def next(self) -> None:
        """A field ends here, if one has begun."""
        if self.opened:
            self.done.append(self.current)
            self.current = []
            self.opened = False

    def split(self, text: str) -> None:
        """Add the value of an unquoted expansion."""
        ifs = self.ifs
        if not ifs:
            self.add(text, False)
        elif ifs == BLANKS:
            self._split_blanks(text)
        else:
            self._split(text, ifs)

    def _split_blanks(self, text: str) -> None:
        first = True
        for word in _BLANKS.split(text):
            if not first:
                self.next()
            first = False
            self.add(word, False)

    def _split(self, text: str, ifs: str) -> None:
        after_blank = False
        run = ""
        for c in text:
            if c not in ifs:
                run += c
                after_blank = False
                continue
            self.add(run, False)
            run = ""
            if c in BLANKS:
                after_blank = after_blank or self.opened
                self.next()
            elif self.opened:
                self.next()
                after_blank = False
            elif after_blank:
                after_blank = False
            else:
                self.done.append([("", True)])
        self.add(run, False)


Expanding = Generator[Any, Any, None]


def fields(shell: Shell, word: Word) -> Generator[Any, Any, list[str]]:
    """A word's arguments: none, one or many."""
    if word.plain is not None:
        return [word.plain]
    if len(word.parts) == 1:
        quick = _variable(shell, word.parts[0])
        if quick is not None:
            return [quick]
    out = Fields(shell.vars.get("IFS", BLANKS))
    yield from _parts(shell, word.parts, out)
    out.next()
    found: list[str] = []
    for field in out.done:
        text = "".join(piece for piece, _ in field)
        wild = any(not quoted and ("*" in piece or "?" in piece or "[" in piece) for piece, quoted in field)
        if wild and "f" not in shell.options:
            pattern = "".join(patterns.escape(piece) if quoted else piece for piece, quoted in field)
            found += patterns.paths(shell.p.fs, shell.p.cwd, pattern) or [text]
            continue
        found.append(text)
    return found


def _variable(shell: Shell, part: Part) -> str | None:
    """The value of a word that is just ``$x`` (or ``"$x"``), if nothing in it can be split or stand for files."""
    if not isinstance(part, Parameter) or part.op or part.name in ("@", "*"):
        return None
    text = shell.get(part.name)
    if text is None or (not part.quoted and not (text.isalnum() and "IFS" not in shell.vars)):
        return None
    return text


def value(shell: Shell, word: Word) -> Generator[Any, Any, str]:
    """A word as one string: an assignment's value, a file's name, a here-document."""
    if word.plain is not None:
        return word.plain
    out = Fields(None)
    yield from _parts(shell, word.parts, out)
    out.next()
    return " ".join("".join(piece for piece, _ in field) for field in out.done)


def pattern(shell: Shell, word: Word) -> Generator[Any, Any, str]:
    """A word as a pattern, in which what was quoted stands for itself."""
    out = Fields(None)
    yield from _parts(shell, word.parts, out)
    out.next()
    return " ".join("".join(patterns.escape(t) if q else t for t, q in field) for field in out.done)


def _parts(shell: Shell, parts: tuple[Part, ...], out: Fields) -> Expanding:
    for i, part in enumerate(parts):
        if isinstance(part, Literal):
            if i == 0 and not part.quoted and part.text.startswith("~"):
                _tilde(shell, part.text, out)
            else:
                out.add(part.text, part.quoted)
        elif isinstance(part, Parameter):
            yield from _parameter(shell, part, out)
        else:
            if isinstance(part, Substitution):
                text = yield from shell.substitute(part.script)
            else:
                text = str((yield from arithmetic(shell, part)))
            if part.quoted:
                out.add(text, True)
            else:
                out.split(text)


def _tilde(shell: Shell, text: str, out: Fields) -> None:
    user, slash, rest = text[1:].partition("/")
    home = shell.vars.get("HOME", "/") if not user else "/root" if user == "root" else None
    if home is None:
        out.add(text, False)
    else:
        out.add(home, True)
        out.add(slash + rest, False)


def arithmetic(shell: Shell, part: Arithmetic) -> Generator[Any, Any, int]:
    """The value of ``$((…))``."""
    text = yield from value(shell, part.word)
    return calculate(shell, text)


def calculate(shell: Shell, text: str) -> int:
    """The value of an arithmetic expression."""
    try:
        return Expression(text, lambda name: shell.get(name) or "", shell.assign).value()
    except ArithmeticProblem as problem:
        raise ExpansionProblem(str(problem)) from None


def _parameter(shell: Shell, part: Parameter, out: Fields) -> Expanding:
    name, op = part.name, part.op
    if name in ("@", "*") and not (op == "len" or (op[:1] in "#%/:" and op not in (":-", ":+", ":=", ":?", ""))):
        if shell.params or op == "":
            values = shell.params
            if op.lstrip(":") == "+":
                assert part.word is not None
                yield from _alternative(shell, part, part.word, out)
                return
            _many(shell, name, values, part.quoted, out)
            return
        text: str | None = None
    else:
        text = str(len(shell.params)) if name in ("@", "*") and op == "len" else shell.get(name)
        if name in ("@", "*") and op != "len":
            text = " ".join(shell.params)
    bare = op.lstrip(":") if op != ":" else op
    missing = text is None or (text == "" and op.startswith(":") and op != ":")
    if bare in ("-", "=", "?", "+"):
        assert part.word is not None
        if bare == "+":
            if not missing:
                yield from _alternative(shell, part, part.word, out)
            elif part.quoted:
                out.add("", True)
            return
        if missing:
            if bare == "-":
                yield from _alternative(shell, part, part.word, out)
                return
            given = yield from value(shell, part.word)
            if bare == "?":
                unset = "parameter not set or null" if op == ":?" else "parameter not set"
                raise ExpansionProblem(f"{name}: {given or unset}")
            shell.assign(name, given)
            text = given
    elif text is None:
        if "u" in shell.options and name not in ("@", "*", "!"):
            raise ExpansionProblem(f"{name}: parameter not set")
        text = ""
    assert text is not None
    if op == "len":
        text = text if name in ("@", "*") else str(len(text))
    elif bare[:1] in ("#", "%", "/") and part.word is not None:
        text = yield from _cut(shell, part, part.word, text)
    elif op == ":":
        text = yield from _substring(shell, part, text)
    if part.quoted:
        out.add(text, True)
    else:
        out.split(text)


def _alternative(shell: Shell, part: Parameter, word: Word, out: Fields) -> Expanding:
    """The word of ``${x:-word}``: in quotes one piece, else split like any word."""
    if part.quoted:
        out.add((yield from value(shell, word)), True)
        return
    for i, piece in enumerate(word.parts):
        if isinstance(piece, Literal) and not piece.quoted and not (i == 0 and piece.text.startswith("~")):
            out.split(piece.text)
        else:
            yield from _parts(shell, (piece,), out)


def _many(shell: Shell, name: str, values: list[str], quoted: bool, out: Fields) -> None:
    """``$@`` and ``$*``, quoted or not."""
    if quoted and name == "*":
        ifs = shell.vars.get("IFS", BLANKS)
        out.add(ifs[:1].join(values), True)
        return
    if out.ifs is None:
        out.add(" ".join(values), quoted)
        return
    for i, text in enumerate(values):
        if i:
            out.next()
        if quoted:
            out.add(text, True)
        else:
            out.split(text)


def _cut(shell: Shell, part: Parameter, word: Word, text: str) -> Generator[Any, Any, str]:
    """``${x#p} ${x##p} ${x%p} ${x%%p} ${x/p/r} ${x//p/r}``"""
    wanted = yield from pattern(shell, word)
    if part.op in ("#", "##"):
        found = patterns.compiled(wanted, part.op == "##")
        lengths = range(len(text) + 1) if part.op == "#" else range(len(text), -1, -1)
        return next((text[n:] for n in lengths if found.fullmatch(text, 0, n)), text)
    if part.op in ("%", "%%"):
        found = patterns.compiled(wanted)
        starts = range(len(text), -1, -1) if part.op == "%" else range(len(text) + 1)
        return next((text[:n] for n in starts if found.fullmatch(text, n)), text)
    if not wanted:
        return text
    replacement = (yield from value(shell, part.extra)) if part.extra is not None else ""
    count = 0 if part.op == "//" else 1
    return patterns.compiled(wanted).sub(lambda _: replacement, text, count=count)


def _substring(shell: Shell, part: Parameter, text: str) -> Generator[Any, Any, str]:
    """``${x:1:3}``"""
    assert part.word is not None
    start = calculate(shell, (yield from value(shell, part.word)))
    if start < 0:
        start = max(0, len(text) + start)
    if part.extra is None:
        return text[start:]
    length = calculate(shell, (yield from value(shell, part.extra)))
    return text[start : start + length] if length >= 0 else text[start : len(text) + length]
