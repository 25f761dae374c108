"""Eviction: asking the API server to delete a pod, if its budget allows that.

``kubectl drain`` and autoscalers do not delete pods, they *evict* them: a request that a PodDisruptionBudget may
refuse with 429. Only this request looks at budgets. A plain delete, a rollout, a node's death and a taint do not.

Follows pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, Clock
from selfheal.errors import ApiError, Conflict, FieldError, Forbidden, NotFound, TooManyRequests
from selfheal.objects import Object, condition, condition_true, key, labels, matches, name, terminating
from selfheal.rules import Cause, rule
from selfheal.store import Store

RETRY = 500 * MILLISECOND
"""After a write conflict the budget is read again, after × [1, 1.1) (EvictionsRetry)."""
RETRIES = 20
MOST_DISRUPTED = 2000
"""So many evictions may be on their way under one budget (MaxDisruptedPodSize)."""

REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."

EVICTED = "EvictionByEvictionAPI"

SOURCE = "pkg/registry/core/pod/storage/eviction.go"
EVICT = rule("eviction.evict", SOURCE, "Create")
COUNT = rule("eviction.count", SOURCE, "checkAndDecrement")


class Eviction:
    """Evicts pods of one cluster."""

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance

    def evict(
        self, namespace: str, pod: str, cause: Cause | None = None, *, grace: int | None = None
    ) -> Generator[simpy.Event, Any, None]:
        """One request, as a process. Raises NotFound, TooManyRequests (429: the budget does not allow it) or ApiError.

        Two evictions at the same moment get into each other's way: one of them reads the budget again half a
        second later.
        """
        found = self._store.get("Pod", namespace, pod)
        if found is None:
            raise NotFound(f'pods "{pod}" not found')
        if _ignores_budgets(found):
            self._delete(found, Cause(EVICT, cause, pod=pod, because="no budget counts a pod that does not run"), grace)
            return
        budgets = [b for b in self._store.list("PodDisruptionBudget", namespace) if _covers(b, found)]
        if len(budgets) > 1:
            raise ApiError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        because = "no budget covers it"
        if budgets:
            because = "it is not ready, and its budget does not need it"
            if not _unhealthy_may_go(budgets[0], found):
                yield from self._reserve(budgets[0], pod, cause)
                because = f"the budget {name(budgets[0])} allows it"
        why = Cause(EVICT, cause, pod=pod, because=because)
        self._store.patch("Pod", namespace, pod, self._marked, status=True, cause=why)
        yield self._request(pod)
        self._delete(found, why, grace)

    def _delete(self, pod: Object, cause: Cause, grace: int | None) -> None:
        self._store.delete("Pod", *key(pod), grace=grace, cause=cause)

    def _reserve(self, budget: Object, pod: str, cause: Cause | None) -> Generator[simpy.Event, Any, None]:
        """Take one disruption from the budget (checkAndDecrement, with its retries)."""
        for _ in range(RETRIES):
            changed = self._decremented(budget, pod)
            yield self._request(pod)
            try:
                self._store.update_status(changed, cause=Cause(COUNT, cause, budget=name(budget), pod=pod))
            except Conflict:
                stream = self._chance.stream("eviction", "retry", pod)
                yield self._clock.sleep(int(RETRY * (1 + 0.1 * stream.uniform(stream.next()))))
            else:
                return
            again = self._store.get("PodDisruptionBudget", *key(budget))
            if again is None:
                raise NotFound(f'poddisruptionbudgets.policy "{name(budget)}" not found')
            budget = again
        raise ApiError(f'couldn\'t update PodDisruptionBudget "{name(budget)}" due to conflicts')

    def _decremented(self, budget: Object, pod: str) -> Object:
        """The budget with this pod's eviction in it. Raises TooManyRequests or Forbidden."""
        status = budget.get("status") or {}
        if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
            raise too_many(f"The disruption budget {name(budget)} is still being processed by the server.")
        allowed = status.get("disruptionsAllowed", 0)
        if len(status.get("disruptedPods") or ()) > MOST_DISRUPTED:
            raise Forbidden(
                f'poddisruptionbudgets.policy "{name(budget)}" is forbidden: DisruptedPods map too big - too many '
                "evictions not confirmed by PDB controller"
            )
        if allowed == 0:
            needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
            raise too_many(f"The disruption budget {name(budget)} needs {needs} healthy pods and has {has} currently")
        disrupted = {**(status.get("disruptedPods") or {}), pod: self._clock.timestamp()}
        changed = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
        return with_condition({**budget, "status": changed}, self._clock.timestamp())

    def _marked(self, pod: Object) -> Object:
        return disrupted(pod, EVICTED, "Eviction API: evicting", self._clock.timestamp())

    def _request(self, pod: str) -> simpy.Event:
        stream = self._chance.stream("eviction", pod)
        return self._clock.sleep(latencies.draw("request", stream, stream.next()))


def too_many(because: str) -> TooManyRequests:
    """429: the budget says no. (``field`` of the cause is empty: it is about no field.)"""
    return TooManyRequests(REFUSED, (FieldError("", "DisruptionBudget", because),))


def believed_guard(store: Store, pod: Object) -> None:
    """What some believe of budgets: that they are asked before every deletion. Raises TooManyRequests."""
    if _ignores_budgets(pod) or (condition(pod, "DisruptionTarget") or {}).get("reason") == EVICTED:
        return
    for budget in store.list("PodDisruptionBudget", pod["metadata"]["namespace"]):
        if _covers(budget, pod) and not (budget.get("status") or {}).get("disruptionsAllowed", 0):
            raise too_many(f"The disruption budget {name(budget)} needs this pod.")


def _ignores_budgets(pod: Object) -> bool:
    """canIgnorePDB"""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or terminating(pod)


def _covers(budget: Object, pod: Object) -> bool:
    """Whether a budget is about a pod (getPodDisruptionBudgets); here an empty selector means nobody."""
    selector = budget["spec"].get("selector")
    return bool(selector) and matches(selector, labels(pod))


def _unhealthy_may_go(budget: Object, pod: Object) -> bool:
    """Whether a pod that is not ready may go without using up the budget (unhealthyPodEvictionPolicy)."""
    if condition_true(pod, "Ready"):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def with_condition(budget: Object, now: str) -> Object:
    """The budget with its condition DisruptionAllowed (pkg/apis/policy helper UpdateDisruptionAllowedCondition)."""
    status = budget["status"]
    enough = status.get("disruptionsAllowed", 0) > 0
    new = {
        "type": "DisruptionAllowed",
        "status": "True" if enough else "False",
        "reason": "SufficientPods" if enough else "InsufficientPods",
        "message": "",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": now,
    }
    return {**budget, "status": {**status, "conditions": set_condition(status.get("conditions") or [], new)}}


def set_condition(conditions: list[Object], new: Object) -> list[Object]:
    """Conditions with one of them set; its time moves only with its status (apimachinery meta.SetStatusCondition)."""
    out = list(conditions)
    at = next((i for i, c in enumerate(out) if c["type"] == new["type"]), None)
    if at is None:
        return [*out, new]
    since = out[at]["lastTransitionTime"] if out[at]["status"] == new["status"] else new["lastTransitionTime"]
    out[at] = {**new, "lastTransitionTime": since}
    return out


def disrupted(pod: Object, reason: str, message: str, now: str) -> Object:
    """The pod with the condition DisruptionTarget: it ends by no fault of its own (UpdatePodCondition)."""
    status = pod.get("status") or {}
    new = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "observedGeneration": pod["metadata"].get("generation", 1),
    }
    return {**pod, "status": {**status, "conditions": set_condition(status.get("conditions") or [], new)}}
