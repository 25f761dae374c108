"""What cannot change is not executed, and nobody can tell: parked and stepped runs are the same to the letter."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from hypothesis import HealthCheck, given, settings

from tests.engine.worlds import World, worlds

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


def same(world: World) -> None:
    parked, stepped = world.play(), world.play(parking=False)
    for mine, theirs in zip_longest(parked.timeline.lines(record_all=True), stepped.timeline.lines(record_all=True)):
        assert mine == theirs  # line by line: the first difference is the one that tells


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(worlds())
def test_a_parked_run_is_a_stepped_run(world: World) -> None:
    same(world)


@pytest.mark.nightly
@settings(max_examples=2000, deadline=None, suppress_health_check=QUIET)
@given(worlds(until=400, traffic=True))
def test_a_long_parked_run_is_a_stepped_run(world: World) -> None:
    same(world)
