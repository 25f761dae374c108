"""How wide a text is in a terminal, and its lines: a Chinese character takes two columns, and Chinese has no blanks."""

from __future__ import annotations

import re
from textwrap import wrap
from unicodedata import east_asian_width

_PIECES = re.compile(r"[（「]*(?:[⺀-￯]|[^\s⺀-￯]+)[，。：；、）」！？…]*|\s+")
"""What stays on one line: a Chinese character or a word, with the brackets and marks that cling to it."""


def columns(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, width: int) -> str:
    """A text with blanks up to so many columns."""
    return text + " " * (width - columns(text))


def wrapped(text: str, width: int, first: str = "", rest: str = "", *, whole: bool = False) -> list[str]:
    """Lines of ``width`` columns, the first one behind ``first`` and the others behind ``rest``.

    ``whole``: no word is broken, however long it is.
    """
    if columns(text) == len(text):
        return wrap(
            text,
            width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=not whole,
            break_on_hyphens=not whole,
        )
    lines = [first]
    for n, piece in enumerate(_PIECES.findall(text)):
        if n and columns(lines[-1] + piece.rstrip()) > width:
            lines.append(rest + piece.lstrip())
        else:
            lines[-1] += piece
    return [line.rstrip() for line in lines]
