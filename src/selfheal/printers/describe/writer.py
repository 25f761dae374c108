"""The page that a description is written on: lines, fields and tables, aligned at the end.

A ``Name:`` and its value are two cells of a table (see :mod:`selfheal.printers.tabs`), which is
why the values of neighbouring fields stand in one column however long their names are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from selfheal.printers import tabs
from selfheal.printers.fields import written

LONGEST = 140
"""An annotation that would be longer, with its name, gets lines of its own, cut to this length."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Writer:
    """Collects text; each level indents by two blanks (describe.go prefixWriter)."""

    def __init__(self) -> None:
        self._aligned: list[str] = []
        self._open: list[str] = []

    def write(self, text: str) -> None:
        """Text as it is; tabs end cells, newlines end lines."""
        self._open.append(tabs.escape(text))

    def line(self, text: str, level: int = 0) -> None:
        self.write("  " * level + text + "\n")

    def field(self, name: str, value: Any, level: int = 0) -> None:
        """``Name:   value``"""
        self.line(f"{name}:\t{written(value)}", level)

    def row(self, *cells: Any, level: int = 1) -> None:
        self.line("\t".join(written(cell) for cell in cells), level)

    def header(self, *names: str, dashes: Iterable[str] = ()) -> None:
        """The head of a table; the rule under each name is as long as the name unless ``dashes`` says otherwise."""
        self.row(*names)
        self.row(*(tuple(dashes) or ("-" * len(name) for name in names)))

    def values(self, name: str, values: Iterable[str], indent: str = "") -> None:
        """A field of several values, each on a line; ``<none>`` if there are none."""
        self.write(f"{indent}{name}:\t")
        for i, value in enumerate(list(values) or ["<none>"]):
            self.write(f"{indent}\t{value}\n" if i else f"{value}\n")

    def labels(self, name: str, labels: Mapping[str, Any], indent: str = "") -> None:
        """``app=web``, a line each, sorted (describe.go printLabelsMultiline)."""
        self.values(name, [f"{key}={written(labels[key])}" for key in sorted(labels)], indent)

    def annotations(self, name: str, annotations: Mapping[str, Any]) -> None:
        """``key: value``, a line each, without kubectl's own copy of the manifest (printAnnotationsMultiline)."""
        self.values(name, [_annotation(key, annotations[key]) for key in sorted(annotations) if key != LAST_APPLIED])

    def flush(self) -> None:
        """End all columns here: what follows is aligned on its own."""
        self._aligned.append(tabs.align("".join(self._open)))
        self._open.clear()

    def text(self) -> str:
        self.flush()
        return "".join(self._aligned)


def _annotation(key: str, value: Any) -> str:
    text = written(value).removesuffix("\n")
    if len(key) + len(text) + 2 <= LONGEST and "\n" not in text:
        return f"{key}: {text}"
    return f"{key}:" + "".join(f"\n\t  {_shorten(line, LONGEST - 2)}" for line in text.split("\n"))


def _shorten(line: str, longest: int) -> str:
    return line[:longest] + "..." if len(line) > longest else line
