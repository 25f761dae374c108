"""``activeDeadlineSeconds``: a pod that has run too long is stopped (pkg/kubelet/active_deadline.go)."""

from __future__ import annotations

from typing import Any

from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.objects import Object
from selfheal.rules import Cause, rule

REASON = "DeadlineExceeded"
MESSAGE = "Pod was active on the node longer than the specified deadline"

EXCEEDED = rule("deadline.exceeded", "pkg/kubelet/active_deadline.go", "pastActiveDeadline")


def due(clock: Clock, start_time: str, seconds: int) -> int:
    """When the deadline is passed (µs); the start time is stored in whole seconds, so up to 1 s early."""
    return clock.at_timestamp(start_time) + seconds * SECOND


def evict(
    clock: Clock, events: EventRecorder, pod: Object, status: dict[str, Any], cause: Cause | None
) -> dict[str, Any] | None:
    """What the status of a pod past its deadline says, or None (ShouldEvict; each time it leaves an event)."""
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds is None or clock.now < due(clock, status["startTime"], seconds):
        return None
    why = Cause(EXCEEDED, cause, seconds=seconds)
    events.event(pod, "Normal", REASON, MESSAGE, cause=why)
    return {"phase": "Failed", "reason": REASON, "message": MESSAGE}
