"""The first verdict at once, and the rest run by run: what is known stays, whenever somebody stops."""

from __future__ import annotations

from itertools import islice

import pytest

from selfheal.clinic import Examination, verdict
from tests.clinic.manifests import GOOD
from tests.clinic.test_diagnose import SICK

CASES = ["deadlock", "dependency"]


def test_the_first_verdict_needs_one_seed_and_the_first_proof() -> None:
    sick, good = (verdict(t, cases=CASES) for t in (SICK, GOOD))
    assert [o.case for o in sick.examinations[0].outcomes] == CASES
    assert sick.examinations[0].outcomes[-1].wrong
    assert len(sick.findings) == 1
    assert _runs(good) == 2
    assert "Nothing found." in repr(good)


def _runs(found: object) -> int:
    return len(found.examinations[0].outcomes)  # type: ignore[attr-defined]


def test_the_runs_that_are_left_follow_one_by_one() -> None:
    found = verdict(SICK, cases=CASES, seeds=2)
    assert found.further is not None
    left = 2 * 2 - _runs(found)
    steps = list(islice(found.further(), left + 1))
    assert [step.done for step in steps] == [*range(1, left + 1), left]
    assert steps[0].says == f"Run 1 of {left + 1}, seed 2: Deployment/web, deadlock"
    assert steps[-1].says == "Looking for the smallest change that helps …"
    assert [o.seed for o in found.examinations[0].outcomes] == [1, 1, 2, 2]
    assert not any(step.over for step in steps)


@pytest.mark.nightly
def test_at_their_end_it_is_told_what_would_help_as_in_one_call() -> None:
    found = verdict(SICK, cases=CASES, seeds=2)
    assert found.further is not None
    *_, last = found.further()
    assert last.over
    assert "   change   " in last.html
    whole = Examination(found.examinations[0].subject, found.app, 2, tuple(CASES))
    list(whole)
    assert [f.json() for f in found.ranked()] == [f.json() for f in whole.findings()]


def test_whoever_stops_keeps_what_was_found_by_then() -> None:
    found = verdict(SICK, cases=CASES, seeds=2)
    assert found.further is not None
    steps = found.further()
    begun, first = _runs(found), repr(found).splitlines()[0]
    next(steps)
    assert _runs(found) == begun + 1
    assert first in repr(found)
