"""Columns that are as wide as they must be: the one layout behind all of kubectl's text.

A tab ends a cell. The cells that stand at the same place in *consecutive* lines form a column, as
wide as its widest cell plus the padding; a line without that cell ends the column. What follows
the last tab of a line belongs to no column and is not padded (Go's text/tabwriter).
"""

from __future__ import annotations

import re


def align(text: str, *, padding: int = 2, least: int = 0) -> str:
    """``text`` with its tabs replaced by blanks; no column is narrower than ``least``."""
    lines = [re.split("[\t\v]", line) for line in re.split("[\n\f]", text)]
    widths: list[list[int]] = [[0] * (len(cells) - 1) for cells in lines]
    _measure(lines, widths, 0, 0, len(lines), padding, least)
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(cells, [*row, 0], strict=True))
        for cells, row in zip(lines, widths, strict=True)
    )


def _measure(
    lines: list[list[str]], widths: list[list[int]], column: int, start: int, end: int, padding: int, least: int
) -> None:
    """Set the widths of ``column`` and of those to its right, in the lines from ``start`` to before ``end``."""
    while start < end:
        stop = start
        while stop < end and column < len(widths[stop]):
            stop += 1
        if stop > start:
            width = max(least, padding + max(len(lines[i][column]) for i in range(start, stop)))
            for i in range(start, stop):
                widths[i][column] = width
            _measure(lines, widths, column + 1, start, stop, padding, least)
        start = stop + 1


def escape(text: str) -> str:
    """Make what would steer a terminal visible (staging/src/k8s.io/cli-runtime/pkg/printers/terminal.go)."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")
