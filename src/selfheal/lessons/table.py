"""Small tables: HTML in a notebook, columns in a terminal."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

from selfheal.words import phrase
from selfheal.words.width import columns, padded


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head; a notebook shows it as a table, a terminal as columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __str__(self) -> str:
        lines = (self.head, *self.rows)
        widths = [max(columns(line[i]) for line in lines) for i in range(len(self.head))]
        text = "\n".join("   ".join(map(padded, line, widths)).rstrip() for line in lines)
        return f"{self.caption}\n{text}" if self.caption else text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(_cell_html("th", cell, COLUMN) for cell in self.head)
        body = "".join(
            f"<tr>{_cell_html('th', first, ROW)}{''.join(_cell_html('td', cell) for cell in rest)}</tr>"
            for first, *rest in self.rows
        )
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        label = html.escape(self.caption or "Table")
        return (
            f'<div class="selfheal-table" role="group" tabindex="0" aria-label="{label}" '
            f'style="overflow-x:auto">\n<table>{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>\n</div>"
        )


COLUMN, ROW = 'scope="col" ', 'scope="row" '
SHORT = 20
"""A cell of no more letters is better not broken, where there is room."""


def _cell_html(tag: str, text: str, more: str = "") -> str:
    if not text:
        return "<td></td>"
    short = 'class="short" ' if len(text) <= SHORT else ""
    return f'<{tag} {more}{short}style="text-align:left;vertical-align:top">{html.escape(text)}</{tag}>'


def table(head: Iterable[str], rows: Iterable[Iterable[object]], caption: str = "") -> Table:
    """A table; numbers that are not whole are shown with one decimal, as the text of the chapters does."""
    return Table(tuple(map(phrase, head)), tuple(tuple(_cell(value) for value in row) for row in rows), phrase(caption))


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return phrase(str(value))
    return f"{value:g}" if value.is_integer() else f"{value:.1f}"
