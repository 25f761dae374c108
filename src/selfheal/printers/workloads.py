"""The rows of what runs pods: Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, and what bounds them.

Each function returns the cells of one row, in the order of :mod:`selfheal.printers.columns`
(pkg/printers/internalversion/printers.go, the function named after the kind).
"""

from __future__ import annotations

from typing import Any

from selfheal.printers import amounts, selectors
from selfheal.printers.duration import between, since
from selfheal.printers.fields import (
    Fields,
    at,
    condition_true,
    controller,
    deleting,
    items,
    mapping,
    number,
    text,
    title_bool,
)


def _name(obj: Fields) -> str:
    return text(obj, "metadata.name")


def _age(obj: Fields, now: float) -> str:
    return since(at(obj, "metadata.creationTimestamp"), now)


def _containers(obj: Fields, spec: str = "spec.template.spec") -> list[str]:
    """The names and the images of the containers, each joined by commas."""
    containers = items(obj, f"{spec}.containers")
    return [",".join(text(c, field) for c in containers) for field in ("name", "image")]


def replication_controller(rc: Fields, now: float) -> list[Any]:
    return [*_replicas(rc, now), selectors.labels(mapping(rc, "spec.selector"))]


def replica_set(rs: Fields, now: float) -> list[Any]:
    return [*_replicas(rs, now), selectors.selector_or_none(at(rs, "spec.selector"))]


def _replicas(obj: Fields, now: float) -> list[Any]:
    counts = [number(obj, "spec.replicas"), number(obj, "status.replicas"), number(obj, "status.readyReplicas")]
    return [_name(obj), *counts, _age(obj, now), *_containers(obj)]


def deployment(deployment: Fields, now: float) -> list[Any]:
    return [
        _name(deployment),
        f"{number(deployment, 'status.readyReplicas')}/{number(deployment, 'spec.replicas')}",
        number(deployment, "status.updatedReplicas"),
        number(deployment, "status.availableReplicas"),
        _age(deployment, now),
        *_containers(deployment),
        selectors.selector(at(deployment, "spec.selector")),
    ]


def stateful_set(sts: Fields, now: float) -> list[Any]:
    ready = f"{number(sts, 'status.readyReplicas')}/{number(sts, 'spec.replicas')}"
    return [_name(sts), ready, _age(sts, now), *_containers(sts)]


def daemon_set(ds: Fields, now: float) -> list[Any]:
    counted = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        _name(ds),
        *(number(ds, f"status.{field}") for field in counted),
        selectors.labels(mapping(ds, "spec.template.spec.nodeSelector")),
        _age(ds, now),
        *_containers(ds),
        selectors.selector_or_none(at(ds, "spec.selector")),
    ]


def job(job: Fields, now: float) -> list[Any]:
    succeeded, completions = number(job, "status.succeeded"), at(job, "spec.completions")
    parallelism = number(job, "spec.parallelism")
    if completions is not None:
        done = f"{succeeded}/{completions}"
    else:
        done = f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"
    started, completed = at(job, "status.startTime"), at(job, "status.completionTime")
    if started is None:
        duration = ""
    else:  # a failed Job has no completionTime, so its duration goes on growing
        duration = since(started, now) if completed is None else between(started, completed)
    return [
        _name(job),
        job_status(job),
        done,
        duration,
        _age(job, now),
        *_containers(job),
        selectors.selector_or_none(at(job, "spec.selector")),
    ]


def job_status(job: Fields) -> str:
    """The first of the conditions that holds, else ``Running`` (printers.go printJob)."""
    if condition_true(job, "Complete"):
        return "Complete"
    if condition_true(job, "Failed"):
        return "Failed"
    if deleting(job):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if condition_true(job, kind):
            return kind
    return "Running"


def cron_job(cron: Fields, now: float) -> list[Any]:
    suspend, last = at(cron, "spec.suspend"), at(cron, "status.lastScheduleTime")
    return [
        _name(cron),
        text(cron, "spec.schedule"),
        text(cron, "spec.timeZone", "<none>"),
        title_bool(suspend is True) if suspend is not None else "<unset>",
        len(items(cron, "status.active")),
        since(last, now) if last is not None else "<none>",
        _age(cron, now),
        *_containers(cron, "spec.jobTemplate.spec.template.spec"),
        selectors.selector_or_none(at(cron, "spec.jobTemplate.spec.selector")),
    ]


def controller_revision(revision: Fields, now: float) -> list[Any]:
    owner = controller(revision)
    controlled_by = "<none>"
    if owner is not None:
        group = text(owner, "apiVersion").rpartition("/")[0]
        kind = text(owner, "kind").lower()
        controlled_by = f"{kind}.{group}/{text(owner, 'name')}" if group else f"{kind}/{text(owner, 'name')}"
    return [_name(revision), controlled_by, number(revision, "revision"), _age(revision, now)]


def disruption_budget(pdb: Fields, now: float) -> list[Any]:
    return [
        _name(pdb),
        text(pdb, "spec.minAvailable", "N/A"),
        text(pdb, "spec.maxUnavailable", "N/A"),
        number(pdb, "status.disruptionsAllowed"),
        _age(pdb, now),
    ]


def autoscaler(hpa: Fields, now: float) -> list[Any]:
    return [
        _name(hpa),
        f"{text(hpa, 'spec.scaleTargetRef.kind')}/{text(hpa, 'spec.scaleTargetRef.name')}",
        _targets(hpa),
        text(hpa, "spec.minReplicas", "<unset>"),
        number(hpa, "spec.maxReplicas"),
        number(hpa, "status.currentReplicas"),
        _age(hpa, now),
    ]


METRIC_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
"""The field of a metric that its type names."""


def _targets(hpa: Fields) -> str:
    """``cpu: 12%/80%``: current and wanted value of up to two metrics (printers.go formatHPAMetrics)."""
    metrics, current = items(hpa, "spec.metrics"), items(hpa, "status.currentMetrics")
    if not metrics:
        return "<none>"
    found = [_metric(metric, current[i] if i < len(current) else None) for i, metric in enumerate(metrics)]
    shown = ", ".join(found[:2])
    return f"{shown} + {len(found) - 2} more..." if len(found) > 2 else shown


def _metric(metric: Fields, status: Fields | None) -> str:
    kind = text(metric, "type")
    source = METRIC_SOURCES.get(kind)
    if source is None:
        return "<unknown type>"
    target, now = at(metric, f"{source}.target"), at(status, f"{source}.current")
    if kind in ("Resource", "ContainerResource"):
        name = text(metric, f"{source}.name")
        if at(target, "averageValue") is not None:
            return f"{name}: {amounts.at(now, 'averageValue')}/{amounts.at(target, 'averageValue')}"
        used, wanted = at(now, "averageUtilization"), at(target, "averageUtilization")
        return f"{name}: {_percent(used, '<unknown>')}/{_percent(wanted, '<auto>')}"
    field = "averageValue" if kind == "Pods" or at(target, "averageValue") is not None else "value"
    average = " (avg)" if field == "averageValue" and kind != "Pods" else ""
    return f"{amounts.at(now, field)}/{amounts.at(target, field)}{average}"


def _percent(value: Any, unknown: str) -> str:
    return unknown if value is None else f"{value}%"
