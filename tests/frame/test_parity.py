"""The parity table names every case and every recording, and the book shows what is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.recordings.simulate import SCENARIOS, takes
from tests.recordings.test_recordings import UNLIKE
from tools import parity

AGAIN = "python tools/parity.py makes it anew"


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return dict(json.loads(parity.RESULTS.read_text("utf-8")))


def functions() -> Iterator[tuple[str, str]]:
    """(file, name) of each test function whose name carries a case."""
    for path in sorted((parity.ROOT / "tests").glob("*/test_*.py")):
        where = path.relative_to(parity.ROOT).as_posix()
        for name in re.findall(r"^ *def (test_C\d\w*)", path.read_text("utf-8"), re.MULTILINE):
            yield where, name


def test_every_case_has_a_test_that_is_named_after_it() -> None:
    named = set().union(*(parity.numbers(name) for _, name in functions()))
    assert sorted(named) == [int(case["case"][1:]) for case in parity.cases()] == list(range(1, 223))


def test_the_table_has_every_case_and_what_ran_it(stored: dict[str, Any]) -> None:
    rows = stored["cases"]
    assert [{k: row[k] for k in ("case", "section", "title", "source")} for row in rows] == parity.cases(), AGAIN
    assert [row["case"] for row in rows if row["simulator"] != "passed" or not row["tests"]] == []
    over_http = [row["emulator"] for row in rows if "emulator" in row]
    assert len(over_http) > len(rows) / 2
    assert set(over_http) == {"passed"}, AGAIN
    there = {f"{where}::{name}" for where, name in functions()}
    gone = {test for row in rows for test in row["where"] if re.sub(r"::\w+(?=::)", "", test) not in there}
    assert gone == set(), AGAIN


def test_the_table_has_every_recording(stored: dict[str, Any]) -> None:
    rows = stored["recordings"]
    assert [row["recording"] for row in rows] == SCENARIOS, AGAIN
    for row in rows:
        outcomes = [take["simulator"] for take in row["takes"]]
        expected = ["unlike" if (row["recording"], n + 1) in UNLIKE else "passed" for n in range(len(outcomes))]
        assert outcomes == expected, AGAIN
        assert [take["emulator"] for take in row["takes"]] == expected, AGAIN
        assert len(outcomes) == len(takes(row["recording"])), AGAIN


def test_the_book_shows_the_table(stored: dict[str, Any]) -> None:
    assert parity.PAGE.read_text("utf-8") == parity.page(stored), "python tools/parity.py page writes it anew"


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("tests/a/test_b.py::test_C1_x[0]", {1}),
        ("test_C56_C57_x[1-Error-0]", {56, 57}),
        ("test_C74_to_C84_phase[C76-Always]", {76}),
        ("test_C87_to_C90_x[error-1]", {87, 88, 89, 90}),
        ("test_C130_C131_x[C130 no room]", {130}),
        ("test_something_else[C1]", set()),
    ],
)
def test_what_a_test_is_about(name: str, about: set[int]) -> None:
    assert parity.numbers(name) == about
