"""Taints as controllers put them on nodes and take them away.

Follows pkg/controller/controller_utils.go AddOrUpdateTaintOnNode and RemoveTaintOffNode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal.clock import Clock
from selfheal.objects import Object, name, replace
from selfheal.rules import Cause
from selfheal.spec import Taint, Toleration, taints
from selfheal.store import Store

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

NO_SCHEDULE = "NoSchedule"
NO_EXECUTE = "NoExecute"

Mark = tuple[str, str]
"""Key and effect: what makes two taints the same."""


def marks(node: Object, effect: str) -> list[Mark]:
    """The taints with an effect."""
    return [(t.key, t.effect) for t in taints(node) if t.effect == effect]


def swap(
    store: Store, clock: Clock, node: Object, add: Iterable[Mark], remove: Iterable[Mark], cause: Cause | None
) -> None:
    """Put taints on a node and take others away, as it is now in the store (SwapNodeControllerTaint).

    Each new one says when it was put there. Raises NotFound if the node is gone.
    """
    added, removed = tuple(add), frozenset(remove)

    def put(found: Object) -> Object:
        there = found["spec"].get("taints") or []
        new = [{"key": k, "effect": e, "timeAdded": clock.timestamp()} for k, e in added]
        kept = [t for t in there if (t["key"], t.get("effect")) not in added]
        return replace(found, "spec.taints", [*kept, *new])

    def take(found: Object) -> Object:
        there = found["spec"].get("taints") or []
        kept = [t for t in there if (t["key"], t.get("effect")) not in removed]
        return found if len(kept) == len(there) else replace(found, "spec.taints", kept or None)

    if added:
        store.patch("Node", "", name(node), put, cause=cause)
    if removed:
        store.patch("Node", "", name(node), take, cause=cause)


def matching(of: Sequence[Taint], tolerations: Sequence[Toleration]) -> list[Toleration] | None:
    """For each taint the first toleration that fits it; None if one of them is not tolerated.

    pkg/apis/core/v1/helper/helpers.go GetMatchingTolerations
    """
    found = []
    for taint in of:
        fits = next((t for t in tolerations if t.tolerates(taint)), None)
        if fits is None:
            return None
        found.append(fits)
    return found


def patience(tolerations: Sequence[Toleration]) -> int | None:
    """How many seconds a pod may stay: the least of its tolerations'; None: for ever.

    pkg/controller/tainteviction/taint_eviction.go getMinTolerationTime
    """
    if not tolerations:
        return 0
    limits = [t.toleration_seconds for t in tolerations if t.toleration_seconds is not None]
    return max(0, min(limits)) if limits else None
