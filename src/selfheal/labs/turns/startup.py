"""Lab 4: 90 s to start, and then 15 s to notice a hang."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container, newest_failure, slowest
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "It had time to start, and is watched closely from then on. Two questions, two probes."
START, HANG = 90, 15
"""Seconds."""


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    app = container(manifests)
    startup, liveness = app.get("startupProbe"), app.get("livenessProbe")
    if timeline.kills("app"):
        yield f"It was killed before it had started: “{newest_failure(timeline, 'app')}”."
    if "sleep 45" not in str(app):
        yield "The app is another one. On a bad day it takes 45 s; only its probes are yours to change."
    if startup is None:
        yield "There is no startup probe. A delay or a patient liveness probe is paid by each start, and by each hang."
    elif slowest(startup) < START:
        yield f"The startup probe gives up after {slowest(startup)} s: periodSeconds × failureThreshold."
    if liveness is None:
        yield "There is no liveness probe: once it has started, nobody looks at it again."
    elif slowest(liveness) > HANG:
        yield f"A hang would be noticed after up to {slowest(liveness)} s: periodSeconds × failureThreshold."
    elif liveness.get("initialDelaySeconds", 0) > HANG:
        yield "Liveness has a long initial delay. It waits for the startup probe anyway."
