"""Chance: values belong to purposes, so that what happens more or less often changes nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal import latencies
from selfheal.chance import SAFE_ALPHABET, Chance
from selfheal.clock import SECOND

PURPOSES = [("web-0", "start"), ("web-1", "start"), ("web-0", "stop"), ("web", "-0start")]


def test_a_value_depends_on_its_purpose_and_number_and_not_on_who_asked_before() -> None:
    one, other = Chance(7), Chance(7)
    values = {p: [one.stream(*p).uniform(n) for n in range(5)] for p in PURPOSES}
    again = {p: [other.stream(*p).uniform(n) for n in reversed(range(5))][::-1] for p in reversed(PURPOSES)}
    assert values == again
    assert len({v for group in values.values() for v in group}) == 20


def test_another_seed_gives_other_values() -> None:
    assert Chance(1).stream("x").bits(0) != Chance(2).stream("x").bits(0)


def test_values_are_the_same_in_another_process() -> None:
    code = (
        "from selfheal.chance import Chance; s = Chance(5).stream('a', 'b'); print(s.bits(3), s.uid(1), s.letters(2))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    s = Chance(5).stream("a", "b")
    assert told == {f"{s.bits(3)} {s.uid(1)} {s.letters(2)}\n"}


@given(st.integers(), st.text(), st.integers(0, 1000))
def test_shapes(seed: int, purpose: str, n: int) -> None:
    s = Chance(seed).stream(purpose)
    assert 0 <= s.uniform(n) < 1
    assert 3 <= s.between(n, 3, 9) < 9
    assert s.choice(n, "abc") in "abc"
    assert set(s.letters(n)) <= set(SAFE_ALPHABET)
    assert len(s.letters(n)) == 5
    assert len(s.hex(n, 64)) == 64
    assert int(s.hex(n, 64), 16) >= 0
    assert uuid.UUID(s.uid(n)).version == 4


def test_uniform_values_are_uniform() -> None:
    s = Chance(0).stream("x")
    values = [s.uniform(n) for n in range(10_000)]
    for tenth in range(10):
        assert 900 < sum(tenth <= 10 * v < tenth + 1 for v in values) < 1100


def test_a_stream_counts_for_those_who_have_no_number() -> None:
    chance = Chance(0)
    assert [chance.stream("x").next() for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("name", sorted(latencies.LATENCIES))
def test_latencies_lie_between_their_quantiles(name: str) -> None:
    low, median, high = latencies.LATENCIES[name]
    assert 0 <= low <= median <= high
    s = Chance(0).stream(name)
    drawn = sorted(latencies.draw(name, s, n) for n in range(999))
    assert low * SECOND - 1 <= drawn[0]
    assert drawn[-1] <= high * SECOND + 1
    assert drawn[499] == pytest.approx(median * SECOND, abs=0.1 * (high - low) * SECOND + 1)


@pytest.mark.parametrize("name", sorted(latencies.CHANCES))
def test_races_go_the_rarer_way_as_often_as_they_should(name: str) -> None:
    s = Chance(0).stream(name)
    rare = sum(latencies.happens(name, s, n) for n in range(10_000))
    assert rare / 10_000 == pytest.approx(latencies.CHANCES[name], rel=0.2)


def test_a_fresh_stream_is_the_same_stream_and_is_not_remembered() -> None:
    chance = Chance(7)
    chance.fresh("a", "b").next()
    assert chance.stream("a", "b").next() == 0
    assert chance.fresh("a", "b").bits(3) == chance.stream("a", "b").bits(3)
