"""What of an object is worth a record.

A timeline is not a dump: of each object it keeps the few *facts* by which a reader (or a
test) tells what happened, and writes a record when they change. :func:`facts` picks them;
:class:`Recorder` watches a store and writes them down.

=====================  =======================================================================================
Event                  reason, type, message, count, from, field; a repeated event is a new record
Pod                    phase, ready, conditions, reasons, containers, initContainers, node, reason, terminating, owner
Deployment             desired, replicas, updated, ready, available, unavailable, conditions, reasons
ReplicaSet             desired, replicas, ready, available, revision, owner
StatefulSet            desired, replicas, ready, current, updated, available
DaemonSet              desired, current, ready, updated, available, misscheduled
Job                    active, ready, succeeded, failed, completedIndexes, failedIndexes, conditions, reasons, owner
CronJob                suspend, active, lastSchedule, lastSuccessful
PodDisruptionBudget    expected, desiredHealthy, healthy, allowed, conditions, reasons
EndpointSlice          service, endpoints (pod, ready, serving, terminating)
Node                   conditions, reasons, taints, unschedulable; only recorded when asked for
=====================  =======================================================================================

Whatever differs from run to run without meaning anything is masked: in messages, unique ids
read ``UID`` and container ids ``CONTAINERID``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from selfheal import objects
from selfheal.clock import SECOND, parse_rfc3339
from selfheal.objects import Object
from selfheal.rules import Cause
from selfheal.timeline.log import Record, Timeline

_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_CONTAINER_ID = re.compile(r"\b[0-9a-f]{64}\b")


def facts(obj: Object, since: int = 0) -> Record:
    """The facts of an object, in the order in which a record holds them.

    ``since`` is the Unix time (µs) of the timeline's second 0, for the times of a CronJob.
    A kind that timelines do not tell of has no facts: ``{}``.
    """
    if obj["kind"] == "CronJob":
        return _cron_job(obj, since)
    pick = _FACTS.get(obj["kind"])
    return {} if pick is None else pick(obj)


def mask(message: str) -> str:
    """A message without what is unique to one run."""
    return _CONTAINER_ID.sub("CONTAINERID", _UID.sub("UID", message))


def subject(obj: Object) -> tuple[str, str | None]:
    """(``Kind/name``, namespace) under which the object's facts are recorded; an event goes to what it is about."""
    if obj["kind"] == "Event":
        about = obj.get("involvedObject") or obj.get("regarding") or {}
        return f"{about.get('kind')}/{about.get('name')}", objects.namespace(obj)
    return objects.ref(obj), obj["metadata"].get("namespace")


# ---- one function a kind


def _event(obj: Object) -> Record:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    series = obj.get("series") or {}
    out: Record = {
        "reason": obj.get("reason"),
        "type": obj.get("type"),
        "message": mask(obj.get("message") or obj.get("note") or ""),
        "count": obj.get("count") or series.get("count") or 1,
        "from": (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "",
    }
    if about.get("fieldPath"):
        out["field"] = about["fieldPath"]
    return out


def _pod(obj: Object) -> Record:
    spec, status = obj["spec"], obj.get("status") or {}
    containers = _containers(spec.get("containers"), status.get("containerStatuses"))
    init = _containers(spec.get("initContainers"), status.get("initContainerStatuses"))
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    counted = [*containers, *(c for c in init if c["name"] in sidecars)]
    up = sum(1 for c in counted if c["ready"] and c["state"] == "running")
    out: Record = {"phase": status.get("phase") or "Pending", "ready": f"{up}/{len(counted)}"}
    out.update(_conditions(status))
    out["containers"] = containers
    if init:
        out["initContainers"] = init
    if spec.get("nodeName"):
        out["node"] = spec["nodeName"]
    if status.get("reason"):
        out["reason"] = status["reason"]
    if objects.terminating(obj):
        out["terminating"] = True
    return _owner(obj, out)


def _containers(specs: Any, statuses: Any) -> list[Record]:
    if statuses:
        return [_container(s) for s in statuses]
    return [
        {
            "name": c["name"],
            "state": "waiting",
            "reason": None,
            "exitCode": None,
            "restartCount": 0,
            "ready": False,
            "started": None,
        }
        for c in specs or ()
    ]


def _container(status: Mapping[str, Any]) -> Record:
    state, detail = next(iter((status.get("state") or {"waiting": {}}).items()))
    detail = detail or {}
    out: Record = {
        "name": status["name"],
        "state": state,
        "reason": detail.get("reason"),
        "exitCode": detail.get("exitCode") if state == "terminated" else None,
        "restartCount": status.get("restartCount", 0),
        "ready": bool(status.get("ready")),
        "started": status.get("started"),
    }
    if detail.get("message"):
        out["message"] = mask(detail["message"])
    last = (status.get("lastState") or {}).get("terminated")
    if last:
        out["last"] = {"reason": last.get("reason"), "exitCode": last.get("exitCode")}
    return out


def _conditions(status: Mapping[str, Any]) -> Record:
    found = status.get("conditions") or ()
    out: Record = {"conditions": {c["type"]: c["status"] for c in found}}
    reasons = {c["type"]: c["reason"] for c in found if c.get("reason")}
    if reasons:
        out["reasons"] = reasons
    return out


def _owner(obj: Object, out: Record) -> Record:
    owner = objects.controller_of(obj)
    if owner is not None:
        out["owner"] = f"{owner['kind']}/{owner['name']}"
    return out


def _numbers(spec: dict[str, str], status: dict[str, str]) -> Callable[[Object], Record]:
    """Facts that are plain numbers of spec (default 1, as replicas have) and status (default 0)."""

    def pick(obj: Object) -> Record:
        out: Record = {}
        for key, name in spec.items():
            value = (obj.get("spec") or {}).get(name)
            out[key] = 1 if value is None else value
        for key, name in status.items():
            out[key] = (obj.get("status") or {}).get(name) or 0
        return out

    return pick


def _with_conditions(pick: Callable[[Object], Record]) -> Callable[[Object], Record]:
    return lambda obj: {**pick(obj), **_conditions(obj.get("status") or {})}


_REPLICAS = {"desired": "replicas"}
_replica_set_numbers = _numbers(
    _REPLICAS, {"replicas": "replicas", "ready": "readyReplicas", "available": "availableReplicas"}
)
_job_numbers = _numbers({}, {"active": "active", "ready": "ready", "succeeded": "succeeded", "failed": "failed"})


def _replica_set(obj: Object) -> Record:
    out = _replica_set_numbers(obj)
    revision = (obj["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
    if revision is not None:
        out["revision"] = revision
    return _owner(obj, out)


def _job(obj: Object) -> Record:
    out, status = _job_numbers(obj), obj.get("status") or {}
    for key in ("completedIndexes", "failedIndexes"):
        if key in status:
            out[key] = status[key]
    out.update(_conditions(status))
    return _owner(obj, out)


def _cron_job(obj: Object, since: int) -> Record:
    status = obj.get("status") or {}
    out: Record = {"suspend": bool(obj["spec"].get("suspend")), "active": len(status.get("active") or ())}
    for key, name in (("lastSchedule", "lastScheduleTime"), ("lastSuccessful", "lastSuccessfulTime")):
        if status.get(name):
            out[key] = round((parse_rfc3339(status[name]) - since) / SECOND, 1)
    return out


def _endpoint_slice(obj: Object) -> Record:
    endpoints = []
    for endpoint in obj.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        endpoints.append(
            {
                "pod": (endpoint.get("targetRef") or {}).get("name"),
                "ready": bool(conditions.get("ready")),
                "serving": bool(conditions.get("serving")),
                "terminating": bool(conditions.get("terminating")),
            }
        )
    endpoints.sort(key=lambda e: str(e["pod"]))
    return {"service": objects.labels(obj).get("kubernetes.io/service-name"), "endpoints": endpoints}


def _node(obj: Object) -> Record:
    spec = obj.get("spec") or {}
    out = _conditions(obj.get("status") or {})
    out["taints"] = sorted(
        f"{t['key']}{'=' + t['value'] if t.get('value') else ''}:{t['effect']}" for t in spec.get("taints") or ()
    )
    out["unschedulable"] = bool(spec.get("unschedulable"))
    return out


_FACTS: dict[str, Callable[[Object], Record]] = {
    "Event": _event,
    "Pod": _pod,
    "Deployment": _with_conditions(
        _numbers(
            _REPLICAS,
            {
                "replicas": "replicas",
                "updated": "updatedReplicas",
                "ready": "readyReplicas",
                "available": "availableReplicas",
                "unavailable": "unavailableReplicas",
            },
        )
    ),
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "StatefulSet": _numbers(
        _REPLICAS,
        {
            "replicas": "replicas",
            "ready": "readyReplicas",
            "current": "currentReplicas",
            "updated": "updatedReplicas",
            "available": "availableReplicas",
        },
    ),
    "DaemonSet": _numbers(
        {},
        {
            "desired": "desiredNumberScheduled",
            "current": "currentNumberScheduled",
            "ready": "numberReady",
            "updated": "updatedNumberScheduled",
            "available": "numberAvailable",
            "misscheduled": "numberMisscheduled",
        },
    ),
    "Job": _job,
    "PodDisruptionBudget": _with_conditions(
        _numbers(
            {},
            {
                "expected": "expectedPods",
                "desiredHealthy": "desiredHealthy",
                "healthy": "currentHealthy",
                "allowed": "disruptionsAllowed",
            },
        )
    ),
    "EndpointSlice": _endpoint_slice,
    "Node": _node,
}

KINDS = (
    "Event",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "PodDisruptionBudget",
    "EndpointSlice",
)
"""What is recorded by default."""


# ---- writing them down

FRAME = frozenset({"t", "kind", "namespace", "object", "id"})
"""What a record holds besides facts."""


class _Change(Protocol):
    """A change as a store reports it."""

    @property
    def type(self) -> str: ...
    @property
    def key(self) -> objects.Key: ...
    @property
    def object(self) -> Object: ...
    @property
    def cause(self) -> Cause | None: ...


class _Watch(Protocol):
    def stop(self) -> object: ...


class _Clock(Protocol):
    """What a recorder needs of a clock: µs since it began, and the Unix time at which it began."""

    @property
    def now(self) -> int: ...
    @property
    def epoch(self) -> int: ...


class _Store(Protocol):
    """What a recorder needs of a store, be it the simulator's or the watches of a lab."""

    def watch(self, kind: str, handler: Callable[[Any], Any], *, immediate: bool) -> _Watch: ...


API_SERVER = ("default", "kubernetes")
"""What the control plane says of itself is nothing that happens to a reader's objects."""


class Recorder:
    """Watches a store and appends a record to the timeline each time an object's facts change.

    Second 0 of the timeline is ``start`` (µs of cluster time). Nodes are recorded with ``nodes=True``.
    """

    def __init__(
        self, store: _Store, clock: _Clock, timeline: Timeline, *, nodes: bool = False, start: int | None = None
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self._start = clock.now if start is None else start
        self._last: dict[str, dict[objects.Key, Record]] = {}
        """The last record of each object, by its kind."""
        self._texts: dict[str, str] = {}
        self._shared: dict[str, Any] = {}
        self._watches = [
            store.watch(kind, self._changed, immediate=True) for kind in (*KINDS, *(("Node",) if nodes else ()))
        ]

    def stop(self) -> None:
        """Record no more."""
        for watch in self._watches:
            watch.stop()
        self._watches = []

    def _changed(self, change: _Change) -> None:
        obj, key = change.object, change.key
        kind = obj["kind"]
        if key == API_SERVER:
            return
        of_kind = self._last.setdefault(kind, {})
        last, deleted = of_kind.get(key), change.type == "DELETED"
        if deleted:
            of_kind.pop(key, None)
            if kind == "Event":
                return
        new = facts(obj, self._clock.epoch + self._start)
        if last is not None and not deleted and {k: v for k, v in last.items() if k not in FRAME} == new:
            return
        name, namespace = subject(obj)
        since = max(0, self._clock.now - self._start)  # what was before is the state at second 0
        record: Record = {"t": round(since / SECOND, 3), "kind": kind}
        if namespace:
            record["namespace"] = self._share(namespace)
        record["object"] = self._share(name)
        for fact, value in new.items():
            record[fact] = self._share(value)
        if deleted:
            record["deleted"] = True
        else:
            of_kind[key] = record
        self._timeline.append(record, change.cause)

    def _share(self, value: Any) -> Any:
        """An equal value that earlier records hold already, so that it is kept once."""
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, str):
            return self._texts.setdefault(value, value)
        if isinstance(value, list):
            value = [self._share(v) for v in value]
        return self._shared.setdefault(repr(value), value)
