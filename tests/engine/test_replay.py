"""One seed, one timeline, byte for byte: again, in another process, in pieces, watched or not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from selfheal import Cluster
from tests.engine.scenarios import ALL, SERVICE
from tests.engine.worlds import World, worlds

ROOT = Path(__file__).parents[2]
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


def text(cluster: Cluster) -> str:
    return cluster.timeline.to_jsonl(record_all=True)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    first = text(ALL[name](5))
    assert first == text(ALL[name](5))
    assert first != text(ALL[name](6))


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(worlds(traffic=True))
def test_small_random_worlds_replay(world: World) -> None:
    assert text(world.play()) == text(world.play())


def in_another_process(hash_seed: str) -> str:
    """What a child process says about all scenarios and some worlds."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.engine.told"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_other_processes_with_other_hashes_give_the_same_bytes() -> None:
    one, other = in_another_process("1"), in_another_process("4242")
    assert one == other
    mine = [f"{name} {digest(text(play(5)))}" for name, play in ALL.items()]
    assert one.splitlines()[: len(mine)] == mine
    assert len(one.splitlines()) > len(mine) + 10


@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
@given(worlds(until=60, traffic=True))
def test_time_that_passes_in_pieces_under_watch_is_the_same_time(world: World) -> None:
    """Reading a timeline, tables and reasons in the middle of a run changes nothing."""
    deeds = list(world.deeds) + [(t / 2, "look", "a", "") for t in range(120)]
    watched = World(world.pods, tuple(deeds), world.seed, world.until, world.traffic, world.extra)
    assert text(watched.play()) == text(world.play())


def test_asking_changes_nothing() -> None:
    asked, left_alone = Cluster(seed=3), Cluster(seed=3)
    for cluster in (asked, left_alone):
        cluster.apply(SERVICE)
        cluster.traffic("web", 10)
    for second in range(1, 40):
        asked.run(until=second)
        str(asked.get("pods"))
        asked.describe("deployment/web")
        str(asked.explain(asked.timeline[-1]))
        asked.timeline.plot()
    assert text(asked.run(until=60)) == text(left_alone.run(until=60))
