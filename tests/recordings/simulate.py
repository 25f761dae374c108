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
SEEDS = 24
MORE = {"adoption": 120, "readiness-flip": 200, "unschedulable": 60}
"""Seeds for a recording in which much is chance at once: in readiness-flip six exec actions, each of which meets one
probe more or less, and in its second take a probe that a busy node answered 0.6 s late; in the others a readiness
probe that meets a pod's end, or does not."""


def takes(name: str) -> list[Timeline]:
    """What the real cluster did, once or twice."""
    return [Timeline.load(p) for p in sorted((HERE / name).glob("timeline*.jsonl"))]


def scenario_of(name: str, seed: int, *, belief: str | None = None) -> Scenario:
    """A recorded scenario, as long as its recording."""
    folder = HERE / name
    header = json.loads((folder / "timeline.jsonl").read_text().partition("\n")[0])
    return Scenario.load(
        [HERE / "cluster.yaml", folder / "manifest.yaml"],
        actions=folder / "actions.yaml",
        seed=seed,
        second=None if "second" not in header else int(header["second"]),
        until=header["until"],
        belief=belief,
    )


def simulate(name: str, seed: int, *, belief: str | None = None, parking: bool = True) -> Timeline:
    """One run of a scenario."""
    scenario = scenario_of(name, seed, belief=belief)
    return Cluster.of(scenario, parking=parking).play(scenario).timeline


@lru_cache(maxsize=2)
def runs(name: str) -> list[Timeline]:
    """The envelope: all seeds of a scenario."""
    return [simulate(name, seed) for seed in range(MORE.get(name, SEEDS))]
