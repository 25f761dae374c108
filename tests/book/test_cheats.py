"""Ways around an exercise: a solution without a probe, with one that says nothing, or with a hundred pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from selfheal import manifests
from selfheal.clinic import paths
from selfheal.lessons.exercises import Exercise, leftover
from selfheal.objects import Object
from tests.book.chapters import all_exercises

EXERCISES = [c.exercise for c in all_exercises() if "apiVersion" in c.exercise.manifest]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
ENORMOUS = ("failureThreshold", "periodSeconds", "timeoutSeconds", "initialDelaySeconds")


def probes(obj: Object) -> Iterator[str]:
    """The paths of all probes in an object."""
    spec, at = obj.get("spec", {}), "spec"
    if "template" in spec:
        spec, at = spec["template"]["spec"], "spec.template.spec"
    for group in ("containers", "initContainers"):
        for n, container in enumerate(spec.get(group, ())):
            yield from (f"{at}.{group}[{n}].{probe}" for probe in PROBES if probe in container)


def cheats(exercise: Exercise) -> Iterator[tuple[str, list[Object]]]:
    """The solution, spoiled in one place."""
    objects = [m.object for m in manifests.read(exercise.solution)]
    for n, obj in enumerate(objects):

        def spoiled(path: str, value: Any, n: int = n) -> list[Object]:
            return [*objects[:n], paths.put(objects[n], path, value), *objects[n + 1 :]]

        if obj["kind"] in ("Deployment", "ReplicaSet"):
            yield "a hundred replicas", spoiled("spec.replicas", 100)
        for probe in probes(obj):
            yield f"without {probe}", spoiled(probe, None)
            for number in ENORMOUS:
                yield f"{probe}.{number} enormous", spoiled(f"{probe}.{number}", 100_000)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_no_way_around_an_exercise_passes(exercise: Exercise) -> None:
    ways = list(cheats(exercise))
    reports = {way: exercise.check(answer) for way, answer in ways}
    assert [way for way, report in reports.items() if report.passed] == []
    assert all(report.findings and "✗" in repr(report) for report in reports.values())


def test_the_ways_around_are_tried_on_every_exercise_that_has_a_probe_or_replicas() -> None:
    idle = [e.name for e in EXERCISES if not list(cheats(e))]
    assert idle == ["The report that never completes"], "two containers without a probe, in a Pod"


def test_a_probe_that_nobody_will_ever_hear_of_is_told_so() -> None:
    answer = leftover.solution.replace("periodSeconds: 5", "periodSeconds: 5000")
    said = repr(leftover.check(answer))
    assert "the readinessProbe may say nothing for 15000 s" in said
    assert said.count("✗") == 1
