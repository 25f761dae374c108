"""The horizontal pod autoscaler: as many replicas as the load needs.

Each fifteen seconds it asks what the pods use, compares that with what they should use, and scales their owner. It
neither makes nor removes pods; the owner's controller does.

What pods use comes from the metrics API, here a question to the store (:attr:`selfheal.store.Store.usage`).

Follows pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from typing import Any

from selfheal import quantities
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.controllers.podautoscaler.behavior import Memory, decide, tolerances_of
from selfheal.controllers.podautoscaler.replicas import Proposal, proposal
from selfheal.errors import ApiError, Unavailable
from selfheal.events import EventRecorder
from selfheal.eviction import set_condition
from selfheal.informers import Informers
from selfheal.kinds import kind_info
from selfheal.objects import Key, Object, key, labels, matches, matches_map, name, namespace, replace, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

SYNC = 15 * SECOND
"""How often each autoscaler is looked at, in µs (horizontal-pod-autoscaler-sync-period)."""
SCALABLE = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")

SOURCE = "pkg/controller/podautoscaler/horizontal.go"
RESCALE = rule("autoscaler.rescale", SOURCE, "reconcileAutoscaler")
STATUS = rule("autoscaler.status", SOURCE, "setStatus")


class HorizontalController:
    """Keeps HorizontalPodAutoscalers. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._autoscalers = informers["HorizontalPodAutoscaler"]
        self._pods = informers["Pod"]
        self._recorder = EventRecorder(store, clock, chance, "horizontal-pod-autoscaler")
        self._memory: dict[str, Memory] = {}
        self._timers: dict[Key, Timer] = {}
        self._autoscalers.handle(self._changed)

    def _changed(self, event: WatchEvent) -> None:
        """Whatever happens, an autoscaler is only looked at each 15 s (enqueueHPA)."""
        where = event.key
        if event.type == "DELETED":
            timer = self._timers.pop(where, None)
            if timer is not None:
                timer.cancel()
            self._memory.pop(uid(event.object), None)
        elif where not in self._timers:
            self._timers[where] = self._clock.after(SYNC, lambda: self._look(where))

    def _look(self, where: Key) -> None:
        autoscaler = self._autoscalers.get(*where)
        if autoscaler is None:
            self._timers.pop(where, None)
            return
        self._timers[where] = self._clock.after(SYNC, lambda: self._look(where))
        try:
            self._reconcile(autoscaler)
        except Unavailable:
            return
        except ApiError:
            return  # told by an event and a condition; the next look is the next try

    def _reconcile(self, autoscaler: Object) -> None:
        """reconcileAutoscaler"""
        spec, status = autoscaler["spec"], dict(autoscaler.get("status") or {})
        memory = self._memory.setdefault(uid(autoscaler), Memory())
        target = self._target(autoscaler, status)
        current = target["spec"].get("replicas", 1)
        if not memory.recommendations:
            memory.recommendations.append((self._clock.now, current))
        self._say(
            status,
            "AbleToScale",
            True,
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        )
        low, high = spec.get("minReplicas", 1), spec["maxReplicas"]
        why, wanted, replicas = "", current, current
        if current == 0 and low != 0:
            text = "scaling is disabled since the replica count of the target is zero"
            self._say(status, "ScalingActive", False, "ScalingDisabled", text)
        elif current > high:
            why, replicas = "Current number of replicas above Spec.MaxReplicas", high
        elif current < low:
            why, replicas = "Current number of replicas below Spec.MinReplicas", low
        else:
            wanted, metric, shown = self._wanted(autoscaler, target, status)
            status["currentMetrics"] = shown
            if wanted > current:
                why = f"{metric} above target"
            elif wanted < current:
                why = "All metrics below target"
            decision = decide(memory, spec.get("behavior"), current, wanted, low, high, self._clock.now)
            self._say(status, "AbleToScale", True, *decision.able)
            self._say(status, "ScalingLimited", decision.limited, *decision.limit)
            replicas = decision.replicas
        if replicas != current:
            self._rescale(autoscaler, target, status, current, wanted, replicas, why)
            memory.changes = [c for c in memory.changes if c[0] > self._clock.now - 1800 * SECOND]
            memory.changes.append((self._clock.now, replicas - current))
            status["lastScaleTime"] = self._clock.timestamp()
        status.update(currentReplicas=current, desiredReplicas=replicas)
        self._write(autoscaler, status)

    # ---- the target

    def _target(self, autoscaler: Object, status: dict[str, Any]) -> Object:
        """What is scaled. Raises ApiError, after saying so, if it is not there."""
        reference = autoscaler["spec"]["scaleTargetRef"]
        kind, called = reference["kind"], reference["name"]
        found = self._store.get(kind, namespace(autoscaler), called) if kind in SCALABLE else None
        if found is None:
            text = f'{kind_info(kind).resource} "{called}" not found'
            self._recorder.event(autoscaler, "Warning", "FailedGetScale", text)
            message = f"the HPA controller was unable to get the target's current scale: {text}"
            self._say(status, "AbleToScale", False, "FailedGetScale", message)
            self._write(autoscaler, status)
            raise ApiError(text)
        return found

    def _rescale(
        self,
        autoscaler: Object,
        target: Object,
        status: dict[str, Any],
        current: int,
        wanted: int,
        replicas: int,
        why: str,
    ) -> None:
        cause = Cause(
            RESCALE,
            target=f"{target['kind']}/{name(target)}",
            current=current,
            wanted=wanted,
            replicas=replicas,
            why=why,
        )
        self._store.patch(
            target["kind"], *key(target), lambda found: replace(found, "spec.replicas", replicas), cause=cause
        )
        text = f"the HPA controller was able to update the target scale to {replicas}"
        self._say(status, "AbleToScale", True, "SucceededRescale", text)
        message = f"New size: {replicas}; reason: {why}"
        self._recorder.event(autoscaler, "Normal", "SuccessfulRescale", message, cause=cause)

    # ---- metrics

    def _wanted(self, autoscaler: Object, target: Object, status: dict[str, Any]) -> tuple[int, str, list[Object]]:
        """(replicas, the metric that asks for them, all metrics as the status shows them) (computeReplicasForMetrics).

        The metric that asks for most counts. One that cannot be read forbids scaling down.
        """
        current = target["spec"].get("replicas", 1)
        best, metric, shown, failure = 0, "", [], None
        for one in autoscaler["spec"].get("metrics") or ():
            try:
                found, called = self._propose(one, target, current, autoscaler["spec"])
            except Unavailable:
                raise
            except ApiError as error:
                reason = "FailedGetResourceMetric" if one["type"] == "Resource" else "InvalidMetricSourceType"
                failure = failure or (reason, str(error))
                self._recorder.event(autoscaler, "Warning", reason, str(error))
                continue
            shown.append(_shown(one, found))
            if found.replicas > best:
                best, metric = found.replicas, called
        if failure is not None and best <= current:
            reason, text = failure
            message = f"the HPA was unable to compute the replica count: {text}"
            self._say(status, "ScalingActive", False, reason, message)
            status.update(currentReplicas=current)
            self._write(autoscaler, status)
            text = (
                f"invalid metrics (1 invalid out of {len(autoscaler['spec']['metrics'])}), first error is: failed to "
                f"get {one['resource']['name'] if 'resource' in one else one['type']} resource metric value: {text}"
            )
            self._recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", text)
            raise ApiError(text)
        text = f"the HPA was able to successfully calculate a replica count from {metric}"
        self._say(status, "ScalingActive", True, "ValidMetricFound", text)
        return best, metric, shown

    def _propose(self, metric: Object, target: Object, current: int, spec: Object) -> tuple[Proposal, str]:
        if metric["type"] != "Resource":
            raise ApiError(f"{metric['type']} metrics are not simulated")
        resource, wanted = metric["resource"]["name"], metric["resource"]["target"]
        pods = [p for p in self._pods.list(namespace(target)) if _selects(target, p)]
        usage = {}
        for pod in pods:
            used = self._store.usage(pod, resource) if self._store.usage is not None else None
            if used is not None:
                usage[name(pod)] = used
        tolerances = tolerances_of(spec.get("behavior"))
        average, percent = wanted.get("averageValue"), wanted.get("averageUtilization", 80)
        try:
            if average is not None:
                average = quantities.milli(average)
                found = proposal(current, pods, usage, resource, self._clock, average=average, tolerances=tolerances)
                return found, f"{resource} resource"
            found = proposal(current, pods, usage, resource, self._clock, utilization=percent, tolerances=tolerances)
            return found, f"{resource} resource utilization (percentage of request)"
        except ApiError as error:
            what = "utilization" if average is None else "usage"
            raise ApiError(f"failed to get {resource} {what}: {error}") from None

    # ---- status

    def _say(self, status: dict[str, Any], kind: str, value: bool, reason: str, message: str) -> None:
        """One condition (setCondition)."""
        new = {"type": kind, "status": str(value), "reason": reason, "message": message}
        new["lastTransitionTime"] = self._clock.timestamp()
        status["conditions"] = set_condition(status.get("conditions") or [], new)

    def _write(self, autoscaler: Object, status: dict[str, Any]) -> None:
        cause = Cause(STATUS, autoscaler=name(autoscaler))
        self._store.patch(
            "HorizontalPodAutoscaler",
            *key(autoscaler),
            lambda found: {**found, "status": status},
            status=True,
            cause=cause,
        )


def _selects(target: Object, pod: Object) -> bool:
    selector = target["spec"].get("selector")
    if target["kind"] == "ReplicationController":
        return matches_map(selector, labels(pod))
    return matches(selector, labels(pod))


def _shown(metric: Object, found: Proposal) -> Object:
    resource = metric["resource"]["name"]
    amount = f"{found.average}m" if resource == "cpu" else str(found.average // 1000)
    now: Object = {"averageValue": quantities.canonical(amount)}
    if found.utilization is not None:
        now["averageUtilization"] = found.utilization
    return {"type": "Resource", "resource": {"name": resource, "current": now}}
