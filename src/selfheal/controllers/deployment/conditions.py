"""A Deployment's status: its sums and its conditions, and what counts as progress.

Follows pkg/controller/deployment/sync.go calculateStatus, progress.go and util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal.clock import SECOND, Clock
from selfheal.controllers.deployment.arithmetic import NO_DEADLINE, counted, max_unavailable, replicas, total
from selfheal.objects import Object, condition, name

COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")

AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"


def new_condition(clock: Clock, kind: str, status: str, reason: str, message: str) -> Object:
    now = clock.timestamp()
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def with_condition(status: Object, new: Object) -> Object:
    """The status with a condition set; the same status and reason as before change nothing (SetDeploymentCondition)."""
    old = condition({"status": status}, new["type"])
    if old is not None and (old["status"], old["reason"]) == (new["status"], new["reason"]):
        return status
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return {**without_condition(status, new["type"]), "conditions": [*_others(status, new["type"]), new]}


def without_condition(status: Object, kind: str) -> Object:
    out = {**status, "conditions": _others(status, kind)}
    if not out["conditions"]:
        del out["conditions"]
    return out


def _others(status: Object, kind: str) -> list[Object]:
    return [c for c in status.get("conditions") or () if c["type"] != kind]


def calculate(deployment: Object, sets: Sequence[Object | None], new: Object | None, clock: Clock) -> Object:
    """The status that follows from the ReplicaSets' (calculateStatus)."""
    ready, available = counted(sets, "readyReplicas"), counted(sets, "availableReplicas")
    numbers = {
        "replicas": counted(sets, "replicas"),
        "updatedReplicas": counted([new], "replicas"),
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(sets) - available),
    }
    before = deployment["status"]
    status: Object = {"observedGeneration": deployment["metadata"]["generation"]}
    status.update((k, v) for k, v in numbers.items() if v)
    status["terminatingReplicas"] = counted(sets, "terminatingReplicas")
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    if before.get("conditions"):
        status["conditions"] = before["conditions"]
    if available >= replicas(deployment) - max_unavailable(deployment):
        found = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        found = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return with_condition(status, new_condition(clock, "Available", *found))


def has_deadline(deployment: Object) -> bool:
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return seconds is not None and seconds != NO_DEADLINE


def complete(deployment: Object, status: Object) -> bool:
    """Whether only new pods are there, all of them, and all available (DeploymentComplete)."""
    wanted = replicas(deployment)
    return (
        all(status.get(k, 0) == wanted for k in ("updatedReplicas", "replicas", "availableReplicas"))
        and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def progressed(before: Object, after: Object) -> bool:
    """More new pods, fewer old ones, more ready or more available ones (DeploymentProgressing)."""

    def old(status: Object) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    return old(after) < old(before) or any(
        after.get(k, 0) > before.get(k, 0) for k in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def deadline(deployment: Object, clock: Clock) -> int | None:
    """When (µs) a lack of progress is too long; None if nothing is being waited for."""
    found = condition(deployment, "Progressing")
    if not has_deadline(deployment) or found is None or found["reason"] in (AVAILABLE, TIMED_OUT):
        return None
    return clock.at_timestamp(found["lastUpdateTime"]) + int(deployment["spec"]["progressDeadlineSeconds"]) * SECOND


def timed_out(deployment: Object, clock: Clock) -> bool:
    """Whether the deadline has passed, now or before (DeploymentTimedOut)."""
    found = condition(deployment, "Progressing")
    if found is not None and found["reason"] == TIMED_OUT and has_deadline(deployment):
        return True
    due = deadline(deployment, clock)
    return due is not None and due < clock.now


def rollout_status(deployment: Object, sets: Sequence[Object | None], new: Object | None, clock: Clock) -> Object:
    """The status of a rollout, with the condition Progressing (progress.go syncRolloutStatus)."""
    before = deployment["status"]
    status = calculate(deployment, sets, new, clock)
    current = condition(deployment, "Progressing")
    done = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and current is not None
        and current["reason"] == AVAILABLE
    )
    what = f'ReplicaSet "{name(new)}"' if new is not None else f'Deployment "{name(deployment)}"'
    if not has_deadline(deployment):
        status = without_condition(status, "Progressing")
    elif not done:
        if complete(deployment, status):
            message = f"{what} has successfully progressed."
            status = with_condition(status, new_condition(clock, "Progressing", "True", AVAILABLE, message))
        elif progressed(before, status):
            message = f"{what} is progressing."
            found = new_condition(clock, "Progressing", "True", "ReplicaSetUpdated", message)
            if current is not None and current["status"] == "True":
                found["lastTransitionTime"] = current["lastTransitionTime"]
            # Progress renews lastUpdateTime even if nothing else in the condition is new.
            status = with_condition(without_condition(status, "Progressing"), found)
        elif timed_out(deployment, clock):
            message = f"{what} has timed out progressing."
            status = with_condition(status, new_condition(clock, "Progressing", "False", TIMED_OUT, message))
    failure = _replica_failure(sets, new)
    if failure is None:
        return without_condition(status, "ReplicaFailure")
    return with_condition(status, {**new_condition(clock, "ReplicaFailure", "True", "", ""), **failure})


def _replica_failure(sets: Sequence[Object | None], new: Object | None) -> Object | None:
    """The failure of a ReplicaSet, the new one's first (getReplicaFailures)."""
    for replica_set in (new, *sets):
        found = condition(replica_set, "ReplicaFailure") if replica_set is not None else None
        if found is not None:
            return {k: found[k] for k in ("type", "status", "lastTransitionTime", "reason", "message")}
    return None
