"""Kinds under two versions: the store keeps one, and shows the other.

pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal.objects import Object
from selfheal.server.extensions import custom
from selfheal.server.resources import Resource

EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""core/v1 → events.k8s.io/v1"""

CORE_FIELDS = {new: old for old, new in EVENT_FIELDS.items()}


def event_of_events(event: Object) -> Object:
    """As events.k8s.io/v1 shows it."""
    out = {EVENT_FIELDS.get(key, key): value for key, value in event.items()}
    return {"eventTime": None, **out, "apiVersion": "events.k8s.io/v1"}


def _core_event(event: Object) -> Object:
    return {**{CORE_FIELDS.get(key, key): value for key, value in event.items()}, "apiVersion": "v1"}


PERCENT, CURRENT = "targetCPUUtilizationPercentage", "currentCPUUtilizationPercentage"


def _old_autoscaler(obj: Object) -> Object:
    """autoscaling/v1 knows the CPU's utilization only."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    for found, where, part, of in (
        (spec, PERCENT, "target", "metrics"),
        (status, CURRENT, "current", "currentMetrics"),
    ):
        for metric in found.pop(of, None) or ():
            of_cpu = metric.get("resource") or {}
            if of_cpu.get("name") == "cpu" and (of_cpu.get(part) or {}).get("averageUtilization") is not None:
                found[where] = of_cpu[part]["averageUtilization"]
    spec.pop("behavior", None)
    status.pop("conditions", None)
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}


def _new_autoscaler(obj: Object) -> Object:
    spec: dict[str, Any] = dict(obj.get("spec") or {})
    percent = spec.pop(PERCENT, None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**{k: v for k, v in obj.items() if k != "status"}, "apiVersion": "autoscaling/v2", "spec": spec}


Change = Callable[[Object], Object]

VERSIONS: dict[tuple[str, str], tuple[Change, Change]] = {
    ("events.k8s.io/v1", "Event"): (event_of_events, _core_event),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): (_old_autoscaler, _new_autoscaler),
}
"""By what a client speaks: (from the store, into the store)."""


def outward(obj: Object, resource: Resource, *, defaults: bool = True) -> Object:
    """An object as its resource shows it; a defined one with the ``defaults`` that have come since it was stored."""
    if resource.custom is not None:
        return custom.outward(obj, resource, defaults=defaults)
    change = VERSIONS.get((resource.api_version, resource.kind))
    return obj if change is None or obj.get("kind") != resource.kind else change[0](obj)


def inward(obj: Object, resource: Resource) -> Object:
    """An object as the store keeps it."""
    if resource.custom is not None:
        return custom.inward(obj, resource)
    change = VERSIONS.get((resource.api_version, resource.kind))
    return obj if change is None else change[1](obj)
