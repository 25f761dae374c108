"""After a first verdict: more seeds, told one by one, stopped at any moment; and what a reader's own Stop leaves."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.lessons.exercises import Report, harmless, in_time, slow_start
from selfheal.lessons.exercises.exercise import SEEDS, Finding
from selfheal.runs.live import LiveRuns
from tests.book.chapters import Chapter, all_exercises

LUCKY = f"""{slow_start.manifest}\
    startupProbe:
      httpGet: {{path: /healthz, port: 8080}}
      failureThreshold: 20
"""
"""A delay of 60 s and a deadlock at 45 s: whether the verdict comes in time hangs on when probes come."""


def live(report: Report) -> LiveRuns:
    assert report.further is not None
    return LiveRuns(report._repr_html_(), report.further())


def ask(shown: LiveRuns, times: int = 1) -> dict[str, Any]:
    for _ in range(times):
        shown._asked(shown, {"next": True}, None)
    return dict(shown.state)


def test_an_answer_that_passed_can_be_tried_with_more_seeds_and_one_that_did_not_cannot() -> None:
    assert in_time.check(in_time.manifest).further is None
    report = in_time.check(in_time.solution)
    assert report.further is not None
    steps = list(report.further())
    total = len(report.findings) * (SEEDS - 1)
    assert [step.done for step in steps] == list(range(1, total + 1))
    assert {step.total for step in steps} == {total}
    assert steps[2].says.startswith(f"Run 3 of {total}, seed 3: A pause of 8 s never leads")
    assert steps[-1].says == f"All {total} further runs hold, with {SEEDS - 1} seeds more."
    assert [step.over for step in steps] == [False] * (total - 1) + [True]


def test_what_passed_by_luck_is_told_with_its_seed_and_the_runs_end_there() -> None:
    report = slow_start.check(LUCKY)
    assert report.passed
    shown = live(report)
    while not shown.state["over"]:
        ask(shown)
    assert shown.state["done"] < shown.state["total"]
    assert "does not hold" in shown.state["says"]
    assert "Not yet: 1 of 4 checks fails." in shown.state["html"]
    assert "With seed 2: On a quick day a deadlock" in shown.state["html"]
    assert shown.state["html"].count("✓") == 3, "what was known before stays"


def test_a_run_is_made_when_somebody_asks_and_never_else() -> None:
    shown = live(in_time.check(in_time.solution))
    assert shown.state["done"] == 0
    first = ask(shown)
    assert (first["done"], first["over"]) == (1, False)
    shown._asked(shown, "next", None)
    shown._asked(shown, {"stop": True}, None)
    assert shown.state == first
    over = ask(shown, 2 * SEEDS)
    assert over["over"]
    assert ask(shown) == over, "there is nothing more to ask for"


def test_what_goes_wrong_in_a_run_is_told_in_one_line() -> None:
    def breaks() -> Any:
        raise ValueError("two\nlines")
        yield

    assert ask(LiveRuns("", breaks()))["says"] == "ValueError: two lines"

    def interrupted() -> Any:
        raise KeyboardInterrupt
        yield

    assert ask(LiveRuns("", interrupted())) | {"turn": 0} == {
        "turn": 0, "html": "", "says": "Stopped in the middle of a run.", "done": 0, "total": 1, "over": True,
    }  # fmt: skip


def test_a_readers_stop_leaves_what_was_known() -> None:
    calls = []

    def sync(api: Any) -> None:
        calls.append(api)
        if len(calls) > 40:
            raise KeyboardInterrupt
        exec(harmless.solution + "\nsync(api)", {"api": api})

    report = harmless.check(sync)
    assert not report.passed
    assert report.findings == (Finding(True, report.findings[0].text), Finding(True, report.findings[1].text))
    assert repr(report).startswith("Stopped: 2 checks were run.")


@pytest.mark.nightly
@pytest.mark.parametrize("chapter", all_exercises(), ids=lambda chapter: chapter.page)
def test_solutions_and_other_good_ways_hold_with_every_seed(chapter: Chapter) -> None:
    for answer in (chapter.exercise.solution, *chapter.good):
        report = chapter.exercise.check(answer)
        assert report.further is not None, report
        assert [step.html for step in report.further() if step.html] == []
