"""Notebooks for a class: the blank one holds no answer, and the one with solutions runs and passes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selfheal.lessons import exercises

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("page", "name"), [("02-liveness", "silent"), ("01-is-it-alive", "in_time")])
def test_a_class_gets_blank_notebooks_and_their_teacher_solutions(page: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "book").mkdir()
    for tool in ("class_notebooks.py", "run_chapters.py"):
        shutil.copy(ROOT / "tools" / tool, tmp_path / "tools")
    shutil.copy(ROOT / "book" / f"{page}.ipynb", tmp_path / "book")
    subprocess.run([sys.executable, "tools/class_notebooks.py"], cwd=tmp_path, check=True, timeout=240)

    stored, blank, solved = (
        json.loads((tmp_path / folder / f"{page}.ipynb").read_text("utf-8"))
        for folder in ("book", "_build/class/blank", "_build/class/solutions")
    )
    assert [cell["source"] for cell in blank["cells"]] == [cell["source"] for cell in stored["cells"]]
    assert not any(cell.get("outputs") for cell in blank["cells"])
    exercise = getattr(exercises, name)
    given = [line for line in exercise.solution.splitlines() if line not in exercise.manifest.splitlines()]
    assert given
    text = "".join("".join(cell["source"]) for cell in blank["cells"] if cell["cell_type"] == "code")
    assert exercise.solution.strip() not in text

    (cell,) = (c for c in solved["cells"] if "".join(c["source"]).endswith(f"{name}.check(mine)"))
    assert exercise.solution.strip() in "".join(cell["source"])
    assert "".join(cell["outputs"][0]["data"]["text/plain"]).startswith("Solved.")
