"""A real cluster as the witness: what it did, and what the simulator does with the same manifests and actions.

    seen = witness("liveness-http")
    print(seen.manifest("liveness-http"))
    seen.overlay("When is it killed?", "liveness-http", {"kill": [18, 36, 54]})

The recordings lie in ``tests/recordings``, where the simulator is held to all of them; those that the course shows are
in an installed package as well, and so are the manifests of ``labs/manifests/story``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal.cluster import Cluster
from selfheal.lessons.cases import Cases
from selfheal.lessons.overlay import overlay
from selfheal.manifests import read
from selfheal.objects import name
from selfheal.scenario import Scenario
from selfheal.timeline.log import Timeline

SEEDS = 12
"""Simulated runs: a real cluster is not the same twice either."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A recording (``real``) and simulated ``runs`` of it, one a seed. ``manifests``: the text of what was applied."""

    real: Timeline
    runs: tuple[Timeline, ...]
    manifests: str

    def manifest(self, called: str) -> str:
        """The document of one object, as it was written. Raises KeyError if there is none of that name."""
        for text in self.manifests.split("\n---\n"):
            if called in [name(found.object) for found in read(f"{text}\n")]:
                return text.strip()
        raise KeyError(called)

    def overlay(
        self,
        title: str,
        pod: str,
        predicted: Mapping[str, Sequence[float]],
        *,
        until: float | None = None,
        near: float = 2,
    ) -> Cases:
        """See :func:`selfheal.lessons.overlay.overlay`."""
        return overlay(title, self.real, self.runs, pod, predicted, until=until, near=near)


def witness(called: str, seeds: int = SEEDS) -> Witness:
    """A recording by the name of its folder. Raises FileNotFoundError if there is no such recording here."""
    folder = recording(called)
    everywhere = folder.parent
    real = Timeline.load(folder / "timeline.jsonl")

    def run(seed: int) -> Timeline:
        manifests, actions = [everywhere / "cluster.yaml", folder / "manifest.yaml"], folder / "actions.yaml"
        scenario = Scenario.load(manifests, actions=actions, seed=seed, until=real.end)
        return Cluster.of(scenario).play(scenario).timeline

    return Witness(real, tuple(map(run, range(seeds))), (folder / "manifest.yaml").read_text("utf-8"))


def recording(called: str) -> Path:
    """The folder of a recording."""
    return _shipped("recordings", "tests/recordings") / called


def stories() -> Path:
    """The folder of the scenarios that tell where the usual story differs."""
    return _shipped("story", "labs/manifests/story")


def _shipped(here: str, there: str) -> Path:
    """In an installed package beside this file; in a checkout, or in a page, above it or above the notebook."""
    file = Path(__file__)
    above = (*file.parents, Path.cwd(), *Path.cwd().parents)
    places = (file.with_name(here), *(place / there for place in above))
    return next((place for place in places if place.is_dir()), places[0])
