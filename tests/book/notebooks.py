"""The chapters, as their notebooks store them."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(path.name for path in BOOK.glob("[0-9]*.ipynb"))
PAGES = ["index.ipynb", *CHAPTERS]
NOTEBOOKS = sorted(path.name for path in BOOK.glob("*.ipynb"))
"""The chapters, and what stands before and after them."""


@cache
def changed() -> set[str]:
    """The notebooks that are not as on origin's main, as far as git tells."""
    command = ["git", "diff", "--name-only", "--merge-base", "origin/main", "--", "."]
    told = subprocess.run(command, cwd=BOOK, capture_output=True, text=True, check=False)
    return {Path(line).name for line in told.stdout.splitlines()}


def by_day(number: int, names: Sequence[str] = NOTEBOOKS, page: str = "{}") -> list[Any]:
    """``page`` with each notebook's name, to be a test's parameters.

    Marked ``nightly``, but for the ``number`` smallest and those that were changed.
    """
    smallest = sorted(names, key=lambda name: (BOOK / name).stat().st_size)[:number]
    now = {*smallest, *changed()}
    return [
        pytest.param(page.format(Path(name).stem), marks=() if name in now else pytest.mark.nightly) for name in names
    ]


@cache
def notebook(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((BOOK / name).read_text("utf-8"))
    return loaded


def cells(name: str, kind: str | None = None) -> list[dict[str, Any]]:
    return [cell for cell in notebook(name)["cells"] if kind in (None, cell["cell_type"])]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def quiz_of(name: str) -> str:
    """The name of a chapter's predictions and quiz."""
    (found,) = re.findall(r'^quiz\("([\w-]+)"\)$', "\n".join(map(source, cells(name, "code"))), re.MULTILINE)
    return str(found)


def prose(name: str) -> str:
    return "\n\n".join(source(cell) for cell in cells(name, "markdown"))


def headings(name: str, level: int = 2) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", prose(name), re.MULTILINE)


def output(name: str, cell_id: str) -> str:
    """What a cell printed and showed, as text."""
    (cell,) = (cell for cell in cells(name, "code") if cell["id"] == cell_id)
    return "\n".join(text_of(one).removesuffix("\n") for one in cell["outputs"])


def text_of(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return "".join(output["text"])
    return "".join(output.get("data", {}).get("text/plain", ""))


def shown(name: str) -> str:
    """Everything that code and outputs of a chapter say, HTML without its tags."""
    parts = []
    for cell in cells(name, "code"):
        parts.append(source(cell))
        for one in cell["outputs"]:
            parts.append(text_of(one))
            markup = "".join(one.get("data", {}).get("text/html", ""))
            parts.append(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", markup, flags=re.DOTALL)))
    return "\n".join(parts)


def rows(text: str) -> list[list[str]]:
    """A table as it is printed: the cells of each row below the head."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines()]
    widest = max(map(len, lines))
    body = [line for line in lines if len(line) == widest]
    return body[1:]


TEXTS = {name: quiz_of(name) for name in CHAPTERS}
"""Chapter → the name of its predictions and quiz."""
