"""The namespace controller: a namespace that is being deleted is emptied first.

Five seconds after the deletion it begins with the pods, waits until they are gone, and then removes all else. Meanwhile
nothing new can be made there, so that controllers which try to replace the pods do so in vain.

Follows pkg/controller/namespace/namespace_controller.go and deletion/namespaced_resources_deleter.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.errors import NotFound
from selfheal.eviction import set_condition
from selfheal.informers import Informers, WorkQueue
from selfheal.kinds import kind_info
from selfheal.objects import Key, Object, key, name, terminating
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

GRACE = 5 * SECOND
"""So long nothing happens, in µs, until every API server knows of the deletion (namespaceDeletionGracePeriod)."""
AGAIN = 5 * SECOND
"""When something remains that has no time of its own."""

SOURCE = "pkg/controller/namespace/deletion/namespaced_resources_deleter.go"
EMPTY = rule("namespace.empty", SOURCE, "deleteAllContent")
FINALIZE = rule("namespace.finalize", SOURCE, "finalizeNamespace")
CONDITIONS = rule("namespace.conditions", SOURCE, "Delete")


class NamespaceController:
    """Empties namespaces. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._queue = WorkQueue(clock, chance, "Namespace", self._sync)
        self._namespaces = informers["Namespace"]
        self._namespaces.handle(self._changed)

    def _changed(self, event: WatchEvent) -> None:
        if event.type != "DELETED" and terminating(event.object):
            self._queue.add_after(event.key, GRACE, event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncNamespaceFromKey"""
        namespace = self._store.get("Namespace", *where)
        if namespace is None or not terminating(namespace):
            return
        called = name(namespace)
        why = Cause(EMPTY, cause, namespace=called)
        left = {"Pod": pods} if (pods := self._delete_all("Pod", called, why)) else {}
        if not left:  # what else there is goes, and is counted, after the pods
            left = {kind: found for kind in self._kinds() if (found := self._delete_all(kind, called, why))}
        self._say(namespace, left, cause)
        if left:
            self._queue.add_after(where, self._estimate(namespace, left.get("Pod", [])), cause)
            return
        why = Cause(FINALIZE, cause, namespace=called)
        self._store.patch("Namespace", *where, lambda n: {**n, "spec": {**n["spec"], "finalizers": []}}, cause=why)

    def _kinds(self) -> list[str]:
        return [kind for kind in self._store.kinds() if kind_info(kind).namespaced]

    def _delete_all(self, kind: str, called: str, cause: Cause) -> list[Object]:
        """Delete all of a kind; what is still there."""
        for obj in self._store.list(kind, called):
            if not terminating(obj):
                try:
                    self._store.delete(kind, *key(obj), cause=cause)
                except NotFound:
                    continue
        return self._store.list(kind, called)

    def _estimate(self, namespace: Object, pods: Sequence[Object]) -> int:
        """When to look again: after half of the longest grace period, and a second (estimateGracefulTermination)."""
        graces = [p["spec"].get("terminationGracePeriodSeconds", 30) for p in pods]
        begun = self._clock.at_timestamp(namespace["metadata"]["deletionTimestamp"])
        longest = max(graces, default=0)
        if longest * SECOND <= self._clock.now - begun:
            return AGAIN
        return (longest // 2 + 1) * SECOND

    def _say(self, namespace: Object, left: dict[str, list[Object]], cause: Cause | None) -> None:
        """The conditions (status_condition_utils.go)."""
        remains = ", ".join(
            f"{kind_info(k).resource.partition('.')[0]}. has {len(v)} resource instances" for k, v in left.items()
        )
        held: dict[str, int] = {}
        for obj in (o for found in left.values() for o in found):
            for finalizer in obj["metadata"].get("finalizers") or ():
                held[finalizer] = held.get(finalizer, 0) + 1
        finalizers = ", ".join(f"{k} in {v} resource instances" for k, v in sorted(held.items()))
        wanted = (
            (
                "NamespaceDeletionDiscoveryFailure",
                False,
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                False,
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            (
                "NamespaceDeletionContentFailure",
                False,
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            ("NamespaceContentRemaining", True, "SomeResourcesRemain", f"Some resources are remaining: {remains}")
            if left
            else ("NamespaceContentRemaining", False, "ContentRemoved", "All content successfully removed"),
            (
                "NamespaceFinalizersRemaining",
                True,
                "SomeFinalizersRemain",
                f"Some content in the namespace has finalizers remaining: {finalizers}",
            )
            if held
            else (
                "NamespaceFinalizersRemaining",
                False,
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            ),
        )
        conditions = list((namespace.get("status") or {}).get("conditions") or ())
        now = self._clock.timestamp()
        for kind, value, reason, message in wanted:
            new = {"type": kind, "status": str(value), "reason": reason, "message": message, "lastTransitionTime": now}
            conditions = set_condition(conditions, new)
        why = Cause(CONDITIONS, cause, namespace=name(namespace))
        self._store.patch(
            "Namespace",
            *key(namespace),
            lambda n: {**n, "status": {**n["status"], "conditions": conditions}},
            status=True,
            cause=why,
        )
