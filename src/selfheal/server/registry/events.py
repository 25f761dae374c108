"""Events under two names: core/v1 and events.k8s.io/v1 are the same objects (pkg/apis/events/v1/conversion.go)."""

from __future__ import annotations

from selfheal.objects import Object

NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""core/v1 → events.k8s.io/v1"""

BACK = {new: old for old, new in NAMES.items()}


def outward(event: Object) -> Object:
    """A core/v1 Event as events.k8s.io/v1."""
    out = {NAMES.get(key, key): value for key, value in event.items()}
    return {"eventTime": None, **out, "apiVersion": "events.k8s.io/v1"}


def inward(event: Object) -> Object:
    """An events.k8s.io/v1 Event as core/v1."""
    return {**{BACK.get(key, key): value for key, value in event.items()}, "apiVersion": "v1"}
