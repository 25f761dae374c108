"""The disruption controller: keeps count of how many pods of a budget may be missing.

It evicts nobody and protects nobody. It writes numbers into the budget's status, and the API server's
eviction (:mod:`selfheal.eviction`) goes by them.

Follows pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods as podutil
from selfheal.controllers.deployment.arithmetic import scaled
from selfheal.errors import ApiError, Conflict
from selfheal.events import EventRecorder
from selfheal.eviction import set_condition, with_condition
from selfheal.informers import Informers, WorkQueue
from selfheal.kinds import kind_info
from selfheal.objects import (
    Key,
    Object,
    condition,
    controller_of,
    key,
    labels,
    matches,
    name,
    namespace,
    terminating,
    uid,
)
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

DELETION_TIMEOUT = 120 * SECOND
"""An eviction that was allowed and did not come is forgotten after this time, in µs."""
STALE = 120 * SECOND
"""A pod that was to be disrupted and was not is told so after this time (stalePodDisruptionTimeout)."""

SCALABLE = ("ReplicationController", "ReplicaSet", "StatefulSet")

SOURCE = "pkg/controller/disruption/disruption.go"
STATUS = rule("disruption.status", SOURCE, "updatePdbStatus")
STALE_TARGET = rule("disruption.stale", SOURCE, "syncStalePodDisruption")


class DisruptionController:
    """Keeps PodDisruptionBudgets. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._budgets = informers["PodDisruptionBudget"]
        self._pods = informers["Pod"]
        self._deployments = informers["Deployment"]
        self._scales = {kind: informers[kind] for kind in SCALABLE}
        self._recorder = EventRecorder(store, clock, chance, "controllermanager")
        self._queue = WorkQueue(clock, chance, "PodDisruptionBudget", self._sync)
        self._stale = WorkQueue(clock, chance, "stale-pod-disruption", self._sync_stale)
        self._budgets.handle(lambda event: self._queue.add(event.key, event.cause))
        self._pods.handle(self._pod_changed)

    def _pod_changed(self, event: WatchEvent) -> None:
        pod = event.object
        for budget in self._budgets.list(namespace(pod)):
            if matches(budget["spec"].get("selector"), labels(pod)):
                self._queue.add(key(budget), event.cause)
                break
        wait = self._stale_after(pod) if event.type != "DELETED" else None
        if wait is not None:
            self._stale.add_after(key(pod), wait, event.cause)

    # ---- budgets

    def _sync(self, where: Key, cause: Cause | None) -> None:
        budget = self._budgets.get(*where)
        if budget is None:
            return
        try:
            self._try(budget, cause)
        except Conflict:
            raise
        except ApiError as error:
            self._fail_safe(budget, str(error), cause)

    def _try(self, budget: Object, cause: Cause | None) -> None:
        """trySync"""
        selector = budget["spec"].get("selector")
        pods = [p for p in self._pods.list(namespace(budget)) if matches(selector, labels(p))]
        if not pods:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found", cause=cause)
        try:
            expected, desired = self._expected(budget, pods, cause)
        except ApiError as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self._recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text, cause=cause)
            raise
        known, recheck = self._disrupted(budget, pods, cause)
        healthy = sum(1 for p in pods if not terminating(p) and name(p) not in known and podutil.ready(p))
        allowed = 0 if expected <= 0 else max(0, healthy - desired)
        status = dict(budget.get("status") or {})
        status.update(
            currentHealthy=healthy,
            desiredHealthy=desired,
            expectedPods=expected,
            disruptionsAllowed=allowed,
            observedGeneration=budget["metadata"].get("generation", 1),
        )
        status.pop("disruptedPods", None)
        if known:
            status["disruptedPods"] = known
        new = with_condition({**budget, "status": status}, self._clock.timestamp())
        if new["status"] != budget.get("status"):
            why = Cause(STATUS, cause, expected=expected, desired=desired, healthy=healthy, allowed=allowed)
            self._store.update_status(new, cause=why)
        if recheck is not None:
            self._queue.add_after(key(budget), recheck - self._clock.now, cause)

    def _fail_safe(self, budget: Object, because: str, cause: Cause | None) -> None:
        """When in doubt, no disruption is allowed (failSafe)."""
        status = budget.get("status") or {}
        new = {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": "SyncFailed",
            "message": because,
            "observedGeneration": status.get("observedGeneration", 0),
            "lastTransitionTime": self._clock.timestamp(),
        }
        conditions = set_condition(status.get("conditions") or [], new)
        self._store.update_status(
            {**budget, "status": {**status, "disruptionsAllowed": 0, "conditions": conditions}}, cause=cause
        )

    # ---- how many there should be

    def _expected(self, budget: Object, pods: Sequence[Object], cause: Cause | None) -> tuple[int, int]:
        """(how many pods there should be, how many of them healthy) (getExpectedPodCount). Percentages round up."""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scale(budget, pods, cause)
            return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
        least = spec.get("minAvailable")
        if isinstance(least, str):
            expected = self._scale(budget, pods, cause)
            return expected, scaled(least, expected, up=True)
        return (0, 0) if least is None else (len(pods), int(least))

    def _scale(self, budget: Object, pods: Sequence[Object], cause: Cause | None) -> int:
        """What the controllers of these pods are scaled to, in all (getExpectedScale)."""
        scale: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
                continue
            owner = self._owner(namespace(pod), reference["kind"], reference["name"], reference["uid"])
            if owner is None:
                raise ApiError(f'found no controllers for pod "{name(pod)}"')
            scale[uid(owner)] = owner["spec"].get("replicas", 1)
        if unmanaged:
            text = (
                f"Pods selected by this PodDisruptionBudget (selector: {_go(budget['spec'].get('selector') or {})}) "
                "were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which "
                'may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of '
                "the PDB to an integer value."
            )
            self._recorder.event(budget, "Warning", "UnmanagedPods", text, cause=cause)
        return sum(scale.values())

    def _owner(self, space: str, kind: str, called: str, wanted: str) -> Object | None:
        """The controller of a pod that has a scale: a ReplicaSet's is its Deployment's (finders)."""
        if kind not in self._scales:
            raise ApiError(f"{kind_info(kind).resource} does not implement the scale subresource")
        found = self._scales[kind].get(space, called)
        if found is None or uid(found) != wanted:
            return None
        above = controller_of(found)
        if kind == "ReplicaSet" and above is not None and above["kind"] == "Deployment":
            deployment = self._deployments.get(space, above["name"])
            return deployment if deployment is not None and uid(deployment) == above["uid"] else None
        return found

    def _disrupted(
        self, budget: Object, pods: Iterable[Object], cause: Cause | None
    ) -> tuple[dict[str, str], int | None]:
        """Pods whose eviction is allowed and has not begun, and when to look again (buildDisruptedPodMap)."""
        allowed: dict[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
        kept, recheck = {}, None
        for pod in pods:
            if terminating(pod) or name(pod) not in allowed:
                continue
            until = self._clock.at_timestamp(allowed[name(pod)]) + DELETION_TIMEOUT
            if until < self._clock.now:
                text = f"Pod was expected by PDB {namespace(budget)}/{namespace(budget)} to be deleted but it wasn't"
                self._recorder.event(pod, "Warning", "NotDeleted", text, cause=cause)
            else:
                kept[name(pod)] = allowed[name(pod)]
                recheck = until if recheck is None else min(recheck, until)
        return kept, None if recheck is None else recheck + 1

    # ---- pods that were to be disrupted and were not

    def _stale_after(self, pod: Object) -> int | None:
        """In how many µs the condition DisruptionTarget is stale; None: never."""
        found = condition(pod, "DisruptionTarget")
        if terminating(pod) or found is None or found["status"] != "True" or podutil.finished(pod):
            return None
        if found.get("reason") == "TerminationByKubelet":
            return None
        return max(0, self._clock.at_timestamp(found["lastTransitionTime"]) + STALE - self._clock.now)

    def _sync_stale(self, where: Key, cause: Cause | None) -> None:
        pod = self._pods.get(*where)
        wait = self._stale_after(pod) if pod is not None else None
        if pod is None or wait is None:
            return
        if wait > 0:
            self._stale.add_after(where, wait, cause)
            return
        new = {"type": "DisruptionTarget", "status": "False", "lastTransitionTime": self._clock.timestamp()}
        conditions = set_condition(pod["status"].get("conditions") or [], {**new, "lastProbeTime": None})
        changed = {**pod, "status": {**pod["status"], "conditions": conditions}}
        self._store.update_status(changed, cause=Cause(STALE_TARGET, cause, pod=name(pod)))


def _go(selector: Object) -> str:
    """A LabelSelector as Go prints it."""
    pairs = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    expressions = ""
    for e in selector.get("matchExpressions") or ():
        values = " ".join(e.get("values") or ())
        expressions += f"LabelSelectorRequirement{{Key:{e['key']},Operator:{e['operator']},Values:[{values}],}},"
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
