"""The page for those who test operators: its files, run as a reader would run them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "book" / "testing-operators.md"
BLOCK = re.compile(r"```\{code-block\} \w+\n:caption: (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the page's files."""
    for name, text in BLOCK.findall(PAGE.read_text("utf-8")):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def run(folder: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_operator_of_the_page_passes_its_test(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [
        "conftest.py",
        "flaky.yaml",
        "quarantine.py",
        "test_quarantine.py",
    ]
    said = run(folder)
    assert "1 passed" in said, said


def test_an_operator_that_does_not_let_go_of_the_pod_fails_it(folder: Path) -> None:
    """The page's test can fail."""
    operator = folder / "quarantine.py"
    text = operator.read_text("utf-8")
    broken = text.replace('labels["app"] = None', 'labels["app"] = labels["app"]')
    assert broken != text
    operator.write_text(broken, "utf-8")
    said = run(folder)
    assert "1 failed" in said, said


def test_the_table_names_what_there_is() -> None:
    from selfheal.server.running import Running

    named = re.findall(r"`cluster\.(\w+)", PAGE.read_text("utf-8"))
    assert len(named) > 8
    assert [name for name in named if not hasattr(Running, name)] == []
