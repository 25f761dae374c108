"""`make class`: from the book's chapters, notebooks for a class, in `_build/class`, here or those named.

``blank``: no outputs, so no answer either; what learners are to change stands as the exercise gives it.
``solutions``: the exercise's own solution in its cell, run from the top; it is an error if its check does not pass.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from run_chapters import executed

from selfheal.lessons import exercises

ROOT = Path(__file__).parents[1]
EXERCISE = re.compile(r'\Amine = """\n(?P<given>.*)"""\n(?P<name>\w+)\.check\(mine\)\Z', re.DOTALL)
"""The cell in which a chapter lets a manifest be repaired, or a program."""


def blank(path: Path) -> Any:
    """A chapter without its outputs."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def solved(path: Path) -> Any:
    """A chapter with its exercise's solution, run. Raises ValueError if the solution does not pass."""
    notebook = blank(path)
    for cell in notebook.cells:
        found = EXERCISE.match(cell.source) if cell.cell_type == "code" else None
        if found:
            answer = getattr(exercises, found["name"]).solution.strip("\n")
            cell.source = f'mine = """\n{answer}\n"""\n{found["name"]}.check(mine)'
    executed(notebook, path.parent)
    for cell in notebook.cells:
        if cell.cell_type == "code" and EXERCISE.match(cell.source):
            told = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
            if not told.startswith("Solved."):
                raise ValueError(f"{path.name}: the solution does not pass: {told}")
    return notebook


def main(arguments: list[str]) -> int:
    paths = [Path(name) for name in arguments] or sorted((ROOT / "book").glob("[0-9]*.ipynb"))
    for kind, make in (("blank", blank), ("solutions", solved)):
        folder = ROOT / "_build/class" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            made = nbformat.writes(make(path))  # type: ignore[no-untyped-call]
            (folder / path.name).write_text(f"{made}\n", "utf-8")
            print((folder / path.name).relative_to(ROOT).as_posix(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
