"""Runs of a recorded scenario on the simulator, one for each seed."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from selfheal import Cluster
from selfheal.scenario import Scenario
from selfheal.timeline import Timeline

HERE = Path(__file__).parent
SCENARIOS = sorted(p.parent.name for p in HERE.glob("*/timeline.jsonl"))
SEEDS = range(24)


def takes(name: str) -> list[Timeline]:
    """What the real cluster did, once or twice."""
    return [Timeline.load(p) for p in sorted((HERE / name).glob("timeline*.jsonl"))]


def simulate(name: str, seed: int, **options: object) -> Timeline:
    """One run of a scenario, as long as its recording."""
    folder = HERE / name
    header = json.loads((folder / "timeline.jsonl").read_text().partition("\n")[0])
    scenario = Scenario.load(
        [HERE / "cluster.yaml", folder / "manifest.yaml"],
        actions=folder / "actions.yaml",
        seed=seed,
        second=header.get("second"),
        until=header["until"],
    )
    return Cluster.of(scenario, **options).play(scenario).timeline


@lru_cache(maxsize=None)
def runs(name: str, seeds: tuple[int, ...] = tuple(SEEDS)) -> list[Timeline]:
    """The envelope: all seeds of a scenario."""
    return [simulate(name, seed) for seed in seeds]
