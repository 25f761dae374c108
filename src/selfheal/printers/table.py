"""A table: columns and rows as the API server sends them to kubectl, and the text that kubectl makes of it.

The server decides on columns and cells (pkg/printers/internalversion/printers.go); kubectl only
chooses which columns to show and lays them out
(staging/src/k8s.io/cli-runtime/pkg/printers/tableprinter.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.objects import Object
from selfheal.printers import selectors, tabs
from selfheal.printers.fields import mapping, text, written

PADDING, LEAST = 3, 6
"""Blanks after the widest cell of a column, and the least width of a column."""

_COMPLETED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; those of a ``priority`` other than 0 are shown with ``-o wide`` only."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one object: all of them, also those of hidden columns."""

    cells: tuple[Any, ...]
    object: Object


@dataclass(frozen=True, slots=True)
class Table:
    """What ``kubectl get`` is given for a list of objects of one kind."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    namespaced: bool = True

    def text(
        self,
        *,
        wide: bool = False,
        show_labels: bool = False,
        all_namespaces: bool = False,
        label_columns: Sequence[str] = (),
        prefix: str = "",
        headers: bool = True,
    ) -> str:
        """The table as kubectl prints it, each line with its newline; empty if there are no rows.

        ``prefix`` stands before each name (``pod/``), as in ``kubectl get all``; ``label_columns``
        are ``-L``'s.
        """
        if not self.rows:
            return ""
        shown = [i for i, column in enumerate(self.columns) if wide or not column.priority]
        namespaces = all_namespaces and self.namespaced
        lines: list[list[str]] = []
        if headers:
            line = [self.columns[i].name.upper() for i in shown]
            line += [label.rpartition("/")[2].upper() for label in label_columns]
            lines.append([*(["NAMESPACE"] if namespaces else []), *line, *(["LABELS"] if show_labels else [])])
        for row in self.rows:
            labels = mapping(row.object, "metadata.labels")
            line = [self._cell(row, i, prefix) for i in shown if i < len(row.cells)]
            line += [_one_line(labels.get(label, "")) for label in label_columns]
            if namespaces:
                line.insert(0, text(row.object, "metadata.namespace"))
            if show_labels:
                line.append(selectors.labels(labels))
            lines.append(line)
        return tabs.align("".join("\t".join(line) + "\n" for line in lines), padding=PADDING, least=LEAST)

    def _cell(self, row: Row, i: int, prefix: str) -> str:
        cell = _one_line(row.cells[i])
        return prefix + cell if self.columns[i].format == "name" else cell

    def wire(self, resource_version: str = "") -> Object:
        """The table as a ``meta.k8s.io/v1`` Table, with the metadata of each row's object."""
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": resource_version} if resource_version else {},
            "columnDefinitions": [
                {"name": c.name, "type": c.type, "format": c.format, "description": "", "priority": c.priority}
                for c in self.columns
            ],
            "rows": [_wire_row(row) for row in self.rows],
        }


def _wire_row(row: Row) -> Object:
    out: Object = {
        "cells": list(row.cells),
        "object": {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": mapping(row.object, "metadata"),
        },
    }
    phase = text(row.object, "status.phase")
    if row.object.get("kind") == "Pod" and phase in _COMPLETED:
        out["conditions"] = [{"type": "Completed", "status": "True", "reason": phase, "message": _COMPLETED[phase]}]
    return out


def _one_line(cell: Any) -> str:
    """A cell's text up to its first line break; null is blank."""
    if cell is None:
        return ""
    whole = written(cell)
    line = whole
    for mark in "\f\n\r":
        line = line.partition(mark)[0]
    return tabs.escape(line) + ("..." if line != whole else "")
