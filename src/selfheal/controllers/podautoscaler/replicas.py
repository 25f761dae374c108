"""How many pods a load needs: the sum behind a HorizontalPodAutoscaler.

usage ÷ target × pods, rounded up; nothing happens within ten percent. Pods of which nothing is known are taken
to be as harmless as possible: idle when it looks as if more were needed, busy when it looks as if fewer were.

Follows pkg/controller/podautoscaler/replica_calculator.go. All amounts are thousandths: CPU in milli-cores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods as podutil
from selfheal.errors import ApiError
from selfheal.objects import Object, condition, name, terminating
from selfheal.spec import pod_spec

TOLERANCE = 0.1
"""A ratio this near to 1 changes nothing (horizontal-pod-autoscaler-tolerance), unless ``spec.behavior`` says else."""
INITIALIZATION = 300 * SECOND
"""So long after its start a pod's CPU only counts while it is ready (…-cpu-initialization-period), in µs."""
INITIAL_READINESS = 30 * SECOND
"""A pod that was last ready within this time after its start never really was (…-initial-readiness-delay)."""
WINDOW = 15 * SECOND
"""Each value is the mean of so long a time."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one metric asks for."""

    replicas: int
    utilization: int | None
    """Mean usage in percent of what the pods request."""
    average: int
    """Mean usage of a pod, in thousandths."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far the ratio may be from 1, above and below, before anything happens."""

    up: float = TOLERANCE
    down: float = TOLERANCE

    def hold(self, ratio: float) -> bool:
        """isWithin"""
        return 1 - self.down <= ratio <= 1 + self.up


@dataclass(frozen=True, slots=True)
class Groups:
    """The pods that a metric is about (groupPods); those that are on their way out are in no group."""

    ready: int
    unready: tuple[str, ...]
    """Not up yet: their values say nothing."""
    gone: tuple[str, ...]
    """Failed, or being deleted: neither do theirs, and nobody waits for them."""
    missing: tuple[str, ...]
    """No value is known."""


def proposal(
    current: int,
    pods: Sequence[Object],
    usage: Mapping[str, int],
    resource: str,
    clock: Clock,
    *,
    utilization: int | None = None,
    average: int | None = None,
    tolerances: Tolerances = Tolerances(),
) -> Proposal:
    """How many replicas a target needs: a ``utilization`` in percent of the requests, or an ``average`` in thousandths.

    Raises ApiError if that cannot be told (GetResourceReplicas, GetRawResourceReplicas).
    """
    if not usage:
        raise ApiError(f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API")
    if not pods:
        raise ApiError("no pods returned by selector while calculating replica count")
    groups = _groups(pods, usage, resource, clock)
    values = {k: v for k, v in usage.items() if k not in groups.unready and k not in groups.gone}
    requests = {name(p): _requested(p, resource) for p in pods} if utilization is not None else {}
    if not values:
        raise ApiError("did not receive metrics for targeted pods (pods might be unready)")

    def ratio(of: Mapping[str, int]) -> tuple[float, int | None, int]:
        """(usage ÷ target, percent, mean)"""
        used = sum(of.values())
        if utilization is None:
            mean = used // len(of)
            return mean / (average or 1), None, mean
        asked = sum(requests.get(k, 0) for k in of)
        if not asked:
            raise ApiError("no metrics returned matched known pods")
        percent = used * 100 // asked
        return percent / utilization, percent, used // len(of)

    first, percent, mean = ratio(values)
    rebalance = bool(groups.unready) and first > 1

    def keep(replicas: int) -> Proposal:
        return Proposal(replicas, percent, mean)

    if not rebalance and not groups.missing:
        return keep(current) if tolerances.hold(first) else keep(math.ceil(first * groups.ready))
    for missing in groups.missing:
        if first < 1:
            values[missing] = (
                requests[missing] * max(100, utilization) // 100 if utilization is not None else average or 0
            )
        elif first > 1:
            values[missing] = 0
    if rebalance:
        values.update(dict.fromkeys(groups.unready, 0))
    second, _, _ = ratio(values)
    if tolerances.hold(second) or (first < 1 < second) or (second < 1 < first):
        return keep(current)
    wanted = math.ceil(second * len(values))
    if (second < 1 and wanted > current) or (second > 1 and wanted < current):
        return keep(current)
    return keep(wanted)


def _groups(pods: Sequence[Object], usage: Mapping[str, int], resource: str, clock: Clock) -> Groups:
    ready, unready, gone, missing = 0, [], [], []
    for pod in pods:
        phase = podutil.phase(pod)
        if terminating(pod) or phase == "Failed":
            gone.append(name(pod))
        elif phase == "Pending" or (name(pod) in usage and resource == "cpu" and _unsettled(pod, clock)):
            unready.append(name(pod))
        elif name(pod) not in usage:
            missing.append(name(pod))
        else:
            ready += 1
    return Groups(ready, tuple(unready), tuple(gone), tuple(missing))


def _unsettled(pod: Object, clock: Clock) -> bool:
    """Whether a pod has only just come up, so that its CPU says nothing yet."""
    found, since = condition(pod, "Ready"), (pod["status"] or {}).get("startTime")
    if found is None or since is None:
        return True
    began, changed = clock.at_timestamp(since), clock.at_timestamp(found["lastTransitionTime"])
    unready = found["status"] == "False"
    if began + INITIALIZATION > clock.now:
        return unready or clock.now < changed + WINDOW
    return unready and began + INITIAL_READINESS > changed


def _requested(pod: Object, resource: str) -> int:
    """What a pod asks for, in thousandths. Raises ApiError if a container does not say."""
    total = 0
    for container in pod_spec(pod).containers:
        if resource not in container.requests:
            raise ApiError(f"missing request for {resource} in container {container.name} of Pod {name(pod)}")
        asked = container.requests[resource]
        total += asked if resource == "cpu" else asked * 1000
    return total
