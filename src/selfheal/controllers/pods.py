"""What controllers ask of a pod: does it count, is it ready, which one should go first?

Follows pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go. Times are µs of cluster time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cmp_to_key

from selfheal.clock import SECOND, Clock
from selfheal.objects import Object, condition, condition_true, terminating, uid

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
"""Which phase goes first when pods must go."""


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def finished(pod: Object) -> bool:
    """Whether the pod has ended for good."""
    return phase(pod) in ("Succeeded", "Failed")


def active(pod: Object) -> bool:
    """Whether the pod counts as a replica: not ended, and not being deleted (IsPodActive)."""
    return not finished(pod) and not terminating(pod)


def ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is True."""
    return condition_true(pod, "Ready")


def lost_readiness(pod: Object) -> bool:
    """Whether the pod has been Ready and is not any more; only a belief asks for it."""
    now, first = condition(pod, "Ready"), condition(pod, "PodScheduled")
    if now is None or first is None or now["status"] == "True":
        return False
    return bool(now.get("lastTransitionTime") != first.get("lastTransitionTime"))


def ready_since(pod: Object, clock: Clock) -> int | None:
    """When the pod became Ready, as its condition has it: in whole seconds. None if it is not Ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True" or not found.get("lastTransitionTime"):
        return None
    return clock.at_timestamp(found["lastTransitionTime"])


def available_at(pod: Object, min_ready_seconds: int, clock: Clock) -> int | None:
    """When the pod is (or was) Ready for ``minReadySeconds``; None if it is not Ready.

    The Ready condition has whole seconds, truncated: availability may come up to a second early.
    """
    if not ready(pod):
        return None
    if min_ready_seconds == 0:
        return clock.now
    since = ready_since(pod, clock)
    return None if since is None else since + min_ready_seconds * SECOND


def available(pod: Object, min_ready_seconds: int, clock: Clock) -> bool:
    """Whether the pod has been Ready for ``minReadySeconds`` (IsPodAvailable)."""
    at = available_at(pod, min_ready_seconds, clock)
    return at is not None and at <= clock.now


def restarts(pod: Object, statuses: str = "containerStatuses") -> int:
    """The most restarts that any of the pod's containers has had."""
    return max((s.get("restartCount", 0) for s in (pod.get("status") or {}).get(statuses) or ()), default=0)


def sidecar_restarts(pod: Object) -> int:
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or ()
    return max((s.get("restartCount", 0) for s in statuses if s["name"] in sidecars), default=0)


def deletion_order(pods: Sequence[Object], related: Iterable[Object], clock: Clock) -> list[Object]:
    """The pods, first to be deleted first (ActivePodsWithRanks).

    ``related`` are the pods of all ReplicaSets of the same Deployment: a pod that shares its node
    with many of them goes before one that stands alone.
    """
    on_node: dict[str, int] = {}
    for pod in related:
        if active(pod):
            node = pod["spec"].get("nodeName", "")
            on_node[node] = on_node.get(node, 0) + 1

    def compare(a: Object, b: Object) -> int:
        return _goes_first(a, b, on_node, clock)

    return sorted(pods, key=cmp_to_key(compare))


def _goes_first(a: Object, b: Object, on_node: dict[str, int], clock: Clock) -> int:
    """Negative if ``a`` is deleted before ``b`` (ActivePodsWithRanks.Less)."""
    for before, after in (
        (bool(a["spec"].get("nodeName")), bool(b["spec"].get("nodeName"))),
        (PHASES.get(phase(a), 0), PHASES.get(phase(b), 0)),
        (ready(a), ready(b)),
        (_deletion_cost(a), _deletion_cost(b)),
        # The more siblings on the node, the sooner.
        (-on_node.get(a["spec"].get("nodeName", ""), 0), -on_node.get(b["spec"].get("nodeName", ""), 0)),
    ):
        if before != after:
            return -1 if before < after else 1
    if ready(a) and ready(b):
        since_a, since_b = ready_since(a, clock), ready_since(b, clock)
        if since_a != since_b:
            return _younger_first(since_a, since_b, a, b, clock)
    for many_a, many_b in ((restarts(a), restarts(b)), (sidecar_restarts(a), sidecar_restarts(b))):
        if many_a != many_b:
            return -1 if many_a > many_b else 1
    made_a, made_b = (p["metadata"].get("creationTimestamp") for p in (a, b))
    if made_a != made_b:
        times = [clock.at_timestamp(t) if t else None for t in (made_a, made_b)]
        return _younger_first(times[0], times[1], a, b, clock)
    return 0


def _younger_first(time_a: int | None, time_b: int | None, a: Object, b: Object, clock: Clock) -> int:
    """By age on a log₂ scale, so that pods of about the same age are chosen by chance: by uid (logarithmicRankDiff)."""
    rank_a, rank_b = _age_rank(time_a, clock), _age_rank(time_b, clock)
    if rank_a != rank_b:
        return -1 if rank_a < rank_b else 1
    return -1 if uid(a) < uid(b) else 1


def _age_rank(since: int | None, clock: Clock) -> int:
    nanoseconds = 0 if since is None else (clock.now - since) * 1000
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1


def _deletion_cost(pod: Object) -> int:
    try:
        return int((pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0"))
    except ValueError:
        return 0
