"""The shell's grammar as data: words made of parts, commands made of words and commands."""

from __future__ import annotations

from dataclasses import dataclass, field


def globs(text: str) -> bool:
    """Whether unquoted ``text`` is a pattern for file names."""
    return "*" in text or "?" in text or ("[" in text and "]" in text)


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$x``, ``${x:-word}``, ``${#x}``."""

    name: str
    op: str
    """Empty, or one of ``- = ? + # ## % %% / // :`` (a substring), ``:- := :? :+`` and ``len``."""
    word: Word | None
    extra: Word | None
    """The replacement of ``/``, the length of ``:``."""
    quoted: bool


@dataclass(frozen=True, slots=True)
class Substitution:
    """``$(commands)``"""

    script: Script
    quoted: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``$((expression))``"""

    word: Word
    quoted: bool


Part = Literal | Parameter | Substitution | Arithmetic


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]
    plain: str | None
    """The word's one value if nothing in it needs expansion."""

    @staticmethod
    def of(parts: list[Part]) -> Word:
        plain: str | None = ""
        for i, part in enumerate(parts):
            if not isinstance(part, Literal) or (
                not part.quoted and (globs(part.text) or (i == 0 and part.text.startswith("~")))
            ):
                plain = None
                break
            plain = (plain or "") + part.text
        return Word(tuple(parts), plain if parts else "")

    @property
    def bare(self) -> str | None:
        """The text of a word without quotes or expansions: it may be a reserved word."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Literal) and not self.parts[0].quoted:
            return self.parts[0].text
        return None


@dataclass(slots=True)
class Redirect:
    """``2>file``"""

    fd: int
    op: str
    """``< > >> <> >| <& >& <<`` and ``&>``."""
    target: Word
    """The file, the number, or the text of a here-document."""


@dataclass(frozen=True, slots=True)
class Simple:
    """``a=1 cmd word >file``"""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``! a | b``"""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr:
    """``a && b || c``"""

    first: Command
    rest: tuple[tuple[str, Command], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """``a; b & c``"""

    items: tuple[tuple[Command, bool], ...]
    """(command, whether it runs in the background)"""


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Command, Command], ...]
    otherwise: Command | None


@dataclass(frozen=True, slots=True)
class While:
    condition: Command
    body: Command
    until: bool


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[Word, ...] | None
    """None: ``"$@"``."""
    body: Command


@dataclass(frozen=True, slots=True)
class Case:
    word: Word
    branches: tuple[tuple[tuple[Word, ...], Command | None], ...]


@dataclass(frozen=True, slots=True)
class Subshell:
    body: Command


@dataclass(frozen=True, slots=True)
class Redirected:
    """Any compound command with redirections."""

    body: Command
    redirects: tuple[Redirect, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Command


Command = Simple | Pipeline | AndOr | Sequence | If | While | For | Case | Subshell | Redirected | Function


@dataclass(frozen=True, slots=True)
class Problem:
    """A syntax error; the shell meets it when it has run all lines before."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Script:
    """Complete commands, line by line."""

    commands: tuple[Command, ...]
    problem: Problem | None = None


@dataclass(slots=True)
class HereDocument:
    """A here-document whose text is still to come."""

    redirect: Redirect
    end: str
    literal: bool
    strip: bool
    found: bool = field(default=False)
