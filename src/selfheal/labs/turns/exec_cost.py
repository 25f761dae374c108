"""Lab 6: two probes that start few commands, and still notice in time."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container, slowest
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "It is asked as often as needed, and at a price that nobody notices."
COMMANDS = 12
"""A minute."""
LEAVES, HEALS = 10, 30
"""Seconds."""


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    app = container(manifests)
    probes = {kind: app.get(f"{kind}Probe") for kind in ("startup", "readiness", "liveness")}
    commands = sum(60 / probe.get("periodSeconds", 10) for probe in probes.values() if probe and "exec" in probe)
    if commands > COMMANDS:
        yield f"Its probes start {commands:.0f} commands a minute. What could they ask the server instead?"
    for kind, within, what in (("readiness", LEAVES, "leaves its Service"), ("liveness", HEALS, "is restarted")):
        probe = probes[kind]
        if probe is None:
            yield f"There is no {kind} probe any more, so it never {what}."
        elif slowest(probe) > within:
            yield f"It {what} up to {slowest(probe)} s late: periodSeconds × failureThreshold of {kind}."
        elif "tcpSocket" in probe:
            yield f"The {kind} probe only looks whether a port opens. Ask the server for a page, at the same price."
    if timeline.kills("shop") or not timeline.ready_intervals("shop"):
        yield "A server that is well did not pass: describe the pod."
