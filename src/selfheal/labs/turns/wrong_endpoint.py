"""Lab 2: the container is to stay, and a server that hangs to be restarted within 30 s."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container, newest_failure, slowest
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "The container stays, and the probe asks something that a hung server could not answer."
SOON = 30
"""Seconds."""


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    if timeline.kills("web"):
        said = newest_failure(timeline, "web")
        yield (
            f"The container was told to stop. The newest event says why: “{said}”. "
            "Which of the paths that were asked above got an answer?"
        )
    probe = container(manifests).get("livenessProbe")
    if probe is None:
        yield "There is no liveness probe any more: nobody restarts the container, nor would anybody if it hung."
    elif "httpGet" not in probe:
        yield "The probe asks for no page. An open port, or a command, may answer for a server that hangs."
    elif slowest(probe) > SOON:
        yield f"A server that hangs would be noticed after up to {slowest(probe)} s: periodSeconds × failureThreshold."
