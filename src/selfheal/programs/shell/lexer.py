"""Text → tokens: words with their quotes and expansions, operators, here-documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from selfheal.programs.shell.syntax import (
    Arithmetic,
    HereDocument,
    Literal,
    Parameter,
    Part,
    Redirect,
    Script,
    Substitution,
    Word,
)

OPERATORS = ("<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", ">|", "<>", "&>", ";", "&", "|", "(", ")", "<", ">")
REDIRECTS = ("<<-", "<<", ">>", "<&", ">&", ">|", "<>", "&>", "<", ">")
BREAKS = frozenset(" \t\n;&|<>()")
NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
SPECIAL = frozenset("@*#?-$!0123456789")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}

_OPERATORS_AT = re.compile("|".join(re.escape(op) for op in OPERATORS))
_MODIFIER = re.compile(r":?[-=?+]|##?|%%?|//?|:")


class SyntaxProblem(Exception):
    """What is wrong with a script, in the shell's words."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(slots=True)
class Token:
    kind: str
    """``word``, ``op``, ``number`` (a file descriptor before a redirection), ``newline``, ``end``."""
    text: str
    line: int
    word: Word | None = None


class Lexer:
    """Reads one script. ``parse`` reads commands up to ``)``, for what stands inside of ``$(…)``."""

    def __init__(self, text: str, line: int, parse: Callable[[Lexer], Script]) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.parse = parse
        self.awaited: list[HereDocument] = []

    # ---- tokens

    def token(self) -> Token:
        """The next token."""
        self._skip_blanks()
        text, at, line = self.text, self.at, self.line
        if at >= len(text):
            self._here_documents()
            return Token("end", "", line)
        if text[at] == "\n":
            self.at += 1
            self.line += 1
            self._here_documents()
            return Token("newline", "\n", line)
        found = _OPERATORS_AT.match(text, at)
        if found:
            self.at = found.end()
            return Token("op", found[0], line)
        word = Word.of(self._parts(BREAKS, quoted=False))
        bare = word.bare
        if bare is not None and bare.isdecimal() and len(bare) < 4 and self.at < len(text) and text[self.at] in "<>":
            return Token("number", bare, line)
        return Token("word", bare or "", line, word)

    def _skip_blanks(self) -> None:
        text, n = self.text, len(self.text)
        while self.at < n:
            c = text[self.at]
            if c in " \t":
                self.at += 1
            elif c == "\\" and text.startswith("\\\n", self.at):
                self.at += 2
                self.line += 1
            elif c == "#":
                end = text.find("\n", self.at)
                self.at = n if end < 0 else end
            else:
                return

    # ---- words

    def _parts(self, stop: frozenset[str], quoted: bool, here: bool = False) -> list[Part]:
        """The parts of a word up to a character of ``stop`` (not taken) or the end.

        ``quoted``: inside of double quotes; ``here``: in a here-document, where a double quote is itself.
        """
        parts: list[Part] = []
        literal: list[str] = []
        text, n = self.text, len(self.text)

        def flush() -> None:
            if literal:
                parts.append(Literal("".join(literal), quoted))
                literal.clear()

        while self.at < n:
            c = text[self.at]
            if c in stop:
                break
            self.at += 1
            if c == "\n":
                self.line += 1
            if c == "\\":
                self._backslash(parts, literal, flush, quoted, here)
            elif c == "$":
                part = self._dollar(quoted)
                if part is None:
                    literal.append("$")
                else:
                    flush()
                    parts.append(part)
            elif c == "`":
                flush()
                parts.append(self._backquote(quoted))
            elif c == '"' and not here:
                flush()
                parts += self._double_quoted(quoted)
            elif c == "'" and not quoted:
                flush()
                end = text.find("'", self.at)
                if end < 0:
                    raise SyntaxProblem("syntax error: unterminated quoted string", self.line)
                parts.append(Literal(text[self.at : end], True))
                self.line += text.count("\n", self.at, end)
                self.at = end + 1
            else:
                literal.append(c)
        flush()
        return parts

    def _backslash(
        self, parts: list[Part], literal: list[str], flush: Callable[[], None], quoted: bool, here: bool
    ) -> None:
        if self.at >= len(self.text):
            literal.append("\\")
            return
        c = self.text[self.at]
        self.at += 1
        if c == "\n":
            self.line += 1
        elif quoted:
            if c in "$`\\" or (c == '"' and not here) or c == "}":
                literal.append(c)
            else:
                literal.append("\\" + c)
        else:
            flush()
            parts.append(Literal(c, True))

    def _double_quoted(self, quoted: bool) -> list[Part]:
        parts = self._parts(frozenset('"'), quoted=True)
        if self.at >= len(self.text):
            raise SyntaxProblem("syntax error: unterminated quoted string", self.line)
        self.at += 1
        if not parts and not quoted:
            parts = [Literal("", True)]
        return parts

    # ---- what begins with $

    def _dollar(self, quoted: bool) -> Part | None:
        text, at = self.text, self.at
        c = text[at : at + 1]
        if c == "(":
            if text.startswith("((", at):
                arithmetic = self._arithmetic(quoted)
                if arithmetic is not None:
                    return arithmetic
            self.at += 1
            return Substitution(self.parse(self), quoted)
        if c == "{":
            self.at += 1
            return self._braced(quoted)
        if c == "'" and not quoted:
            self.at += 1
            return Literal(self._ansi(), True)
        if c and c in SPECIAL:
            self.at += 1
            return Parameter(c, "", None, None, quoted)
        name = NAME.match(text, at)
        if name is None:
            return None
        self.at = name.end()
        return Parameter(name[0], "", None, None, quoted)

    def _arithmetic(self, quoted: bool) -> Arithmetic | None:
        """``((…))``, or None if it does not end like that."""
        depth, at, text = 0, self.at + 2, self.text
        while at < len(text):
            c = text[at]
            if c == "(":
                depth += 1
            elif c == ")":
                if depth == 0:
                    break
                depth -= 1
            at += 1
        if not text.startswith("))", at):
            return None
        inner = Lexer(text[self.at + 2 : at], self.line, self.parse)
        word = Word.of(inner._parts(frozenset(), quoted=True, here=True))
        self.line += text.count("\n", self.at, at)
        self.at = at + 2
        return Arithmetic(word, quoted)

    def _braced(self, quoted: bool) -> Parameter:
        text = self.text
        length = text.startswith("#", self.at) and not text.startswith("#}", self.at)
        if length:
            self.at += 1
        c = text[self.at : self.at + 1]
        if c and c in SPECIAL and not c.isdecimal():
            name = c
        else:
            found = NAME.match(text, self.at) or re.compile(r"\d+").match(text, self.at)
            if found is None:
                raise SyntaxProblem("syntax error: bad substitution", self.line)
            name = found[0]
        self.at += len(name)
        op, word, extra = "len" if length else "", None, None
        if not length:
            modifier = _MODIFIER.match(text, self.at)
            if modifier:
                op = modifier[0]
                self.at = modifier.end()
                pattern = op[0] in "#%/"
                inside = quoted and not pattern
                stop = frozenset("/}") if op[0] == "/" else frozenset(":}") if op == ":" else frozenset("}")
                word = Word.of(self._parts(stop, inside))
                if len(stop) == 2 and not text.startswith("}", self.at):
                    self.at += 1
                    extra = Word.of(self._parts(frozenset("}"), inside))
        if not text.startswith("}", self.at):
            message = "missing '}'" if self.at >= len(text) else "bad substitution"
            raise SyntaxProblem(f"syntax error: {message}", self.line)
        self.at += 1
        return Parameter(name, op, word, extra, quoted)

    def _backquote(self, quoted: bool) -> Substitution:
        text, out = self.text, []
        while True:
            if self.at >= len(text):
                raise SyntaxProblem("syntax error: EOF in backquote substitution", self.line)
            c = text[self.at]
            self.at += 1
            if c == "`":
                break
            if c == "\\" and self.at < len(text):
                following = text[self.at]
                self.at += 1
                out.append(following if following in "`$\\" or (quoted and following == '"') else c + following)
            else:
                out.append(c)
        inner = Lexer("".join(out) + ")", self.line, self.parse)
        return Substitution(self.parse(inner), quoted)

    def _ansi(self) -> str:
        """``$'…'``"""
        end = self.at
        while end < len(self.text) and self.text[end] != "'":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise SyntaxProblem("syntax error: unterminated quoted string", self.line)
        raw, self.at = self.text[self.at : end], end + 1
        return unescape(raw)

    # ---- here-documents

    def expect(self, redirect: Redirect, strip: bool) -> None:
        """A here-document begins after this line; ``redirect.target`` is its end."""
        quoted = any(not isinstance(part, Literal) or part.quoted for part in redirect.target.parts)
        end = "".join(part.text for part in redirect.target.parts if isinstance(part, Literal))
        self.awaited.append(HereDocument(redirect, end, quoted, strip))

    def _here_documents(self) -> None:
        awaited, self.awaited = self.awaited, []
        for document in awaited:
            lines = []
            while self.at < len(self.text):
                stop = self.text.find("\n", self.at)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[self.at : stop]
                self.at = min(stop + 1, len(self.text))
                self.line += 1
                if document.strip:
                    line = line.lstrip("\t")
                if line == document.end:
                    break
                lines.append(line + "\n")
            text = "".join(lines)
            if document.literal:
                document.redirect.target = Word.of([Literal(text, True)])
            else:
                inner = Lexer(text, self.line, self.parse)
                parts = inner._parts(frozenset(), quoted=True, here=True)
                document.redirect.target = Word.of(parts)


def unescape(text: str) -> str:
    r"""``\n``, ``\t``, ``\0101``, ``\x41`` and the like, as ``echo -e`` and ``printf`` read them."""
    if "\\" not in text:
        return text
    out: list[str] = []
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        i += 1
        if c != "\\" or i == n:
            out.append(c)
            continue
        c = text[i]
        i += 1
        if c in ESCAPES:
            out.append(ESCAPES[c])
        elif c in "01234567":
            digits = c
            limit = 4 if c == "0" else 3
            while i < n and len(digits) < limit and text[i] in "01234567":
                digits += text[i]
                i += 1
            out.append(chr(int(digits, 8) & 0xFF))
        elif c == "x" and i < n and text[i] in "0123456789abcdefABCDEF":
            digits = ""
            while i < n and len(digits) < 2 and text[i] in "0123456789abcdefABCDEF":
                digits += text[i]
                i += 1
            out.append(chr(int(digits, 16)))
        elif c in "\\'\"":
            out.append(c)
        else:
            out.append("\\" + c)
    return "".join(out)
