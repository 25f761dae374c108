"""Lab 7: a worker that cannot go on is to end, so that it is restarted."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "It ended when it could not go on, and got a fresh start. No probe needed."
SOON = 5
"""Seconds: one that ended earlier did not even try to work."""


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    app = container(manifests)
    if any(f"{kind}Probe" in app for kind in ("startup", "readiness", "liveness")):
        yield "That is a probe. Here the app is to say by itself that it cannot go on."
    starts = timeline.starts("worker")
    if len(starts) < 2:
        yield "Nobody restarted it: its process never ended. What does the script do after an error?"
    elif starts[1] - starts[0] < SOON:
        yield "It ended at once. For the first ten seconds it can work, and should."
    if "work()" not in str(app.get("command")):
        yield "The script does no work any more."
