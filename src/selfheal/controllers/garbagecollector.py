"""The garbage collector: what nobody owns any more goes.

It keeps a graph of who owns whom, from the ownerReferences of all objects. When an owner is gone, its
dependents are deleted; if somebody asked for it, the owner waits for them (foreground) or lets them go (orphan).

Follows pkg/controller/garbagecollector/garbagecollector.go and graph_builder.go. The graph is kept up to date
within each write instead of by some forty watches: its decisions rest on fresh reads in any case.
"""

from __future__ import annotations

from typing import NamedTuple

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.errors import NotFound
from selfheal.informers import WorkQueue
from selfheal.objects import Key, Object, key, name, namespace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"

IGNORED = ("Event", "Lease")
"""Kinds that own nothing, are not owned, and change often."""

SOURCE = "pkg/controller/garbagecollector/garbagecollector.go"

COLLECT = rule("garbagecollector.collect", SOURCE, "attemptToDeleteItem")
RELEASE = rule("garbagecollector.release", SOURCE, "attemptToDeleteItem")
FINISH = rule("garbagecollector.finish", SOURCE, "processDeletingDependentsItem")
ORPHANED = rule("garbagecollector.orphan", SOURCE, "orphanDependents")


class Item(NamedTuple):
    """An object in the graph."""

    kind: str
    namespace: str
    name: str


class GarbageCollector:
    """Follows owner references. Begins to work when it is made."""

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._items: dict[str, Item] = {}
        """Every object that exists, by uid."""
        self._dependents: dict[str, dict[str, None]] = {}
        """The uids of those that name an owner, in the order of their coming."""
        self._queue = WorkQueue(clock, chance, "garbage", self._attempt)
        store.watch(None, self._changed, immediate=True)

    # ---- the graph

    def _changed(self, event: WatchEvent) -> None:
        """processGraphChanges"""
        obj = event.object
        if obj["kind"] in IGNORED:
            return
        own = uid(obj)
        before = _owners(event.old)
        if event.type == "DELETED":
            self._items.pop(own, None)
            for owner in before:
                self._remove(owner, own, event.cause)
            for dependent in self._dependents.pop(own, {}):
                self._look_at(dependent, event.cause)
            return
        self._items[own] = Item(obj["kind"], namespace(obj), name(obj))
        after = _owners(obj)
        for owner in before:
            if owner not in after:
                self._remove(owner, own, event.cause)
        for owner in after:
            if owner not in before:
                self._dependents.setdefault(owner, {})[own] = None
        if any(owner not in self._items for owner in after):
            self._look_at(own, event.cause)
        if terminating(obj) and (event.old is None or not terminating(event.old)):
            finalizers = obj["metadata"].get("finalizers") or ()
            if FOREGROUND in finalizers or ORPHAN in finalizers:
                self._look_at(own, event.cause)

    def _remove(self, owner: str, dependent: str, cause: Cause | None) -> None:
        self._dependents.get(owner, {}).pop(dependent, None)
        waiting = self._live(owner)
        if waiting is not None and terminating(waiting):
            self._look_at(owner, cause)

    def _look_at(self, which: str, cause: Cause | None) -> None:
        """Queue an object by its uid."""
        self._queue.add(("", which), cause)

    # ---- decisions

    def _attempt(self, where: Key, cause: Cause | None) -> None:
        """attemptToDeleteItem"""
        obj = self._live(where[1])
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or ()
        if terminating(obj) and ORPHAN in finalizers:
            self._orphan_dependents(obj, cause)
            return
        if terminating(obj) and FOREGROUND in finalizers:
            self._finish_or_wait(obj, cause)
            return
        references = obj["metadata"].get("ownerReferences") or ()
        if not references or terminating(obj):
            return
        solid, waiting, dangling = self._classify(references)
        if solid:
            if waiting or dangling:
                gone = {r["uid"] for r in (*waiting, *dangling)}
                self._drop_references(obj, gone, Cause(RELEASE, cause, object=name(obj)))
            return
        why = Cause(COLLECT, cause, object=name(obj), owner=(waiting or dangling)[0]["name"])
        policy = "Background"
        if waiting and self._dependents.get(uid(obj)):
            # So that the owner's wait covers the dependents of its dependents too.
            policy = "Foreground"
        elif ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers:
            policy = "Foreground"
        try:
            self._store.delete(obj["kind"], *key(obj), propagation=policy, uid=uid(obj), cause=why)
        except NotFound:
            return

    def _live(self, which: str) -> Object | None:
        item = self._items.get(which)
        found = self._store.get(*item) if item is not None else None
        return found if found is not None and uid(found) == which else None

    def _classify(self, references: list[Object]) -> tuple[list[Object], list[Object], list[Object]]:
        """Owners that are there, that wait for their dependents, that are gone (classifyReferences)."""
        solid, waiting, dangling = [], [], []
        for reference in references:
            owner = self._live(reference["uid"])
            if owner is None:
                dangling.append(reference)
            elif terminating(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ()):
                waiting.append(reference)
            else:
                solid.append(reference)
        return solid, waiting, dangling

    def _finish_or_wait(self, obj: Object, cause: Cause | None) -> None:
        """processDeletingDependentsItem"""
        blocking = []
        for dependent in self._dependents.get(uid(obj), {}):
            found = self._live(dependent)
            if found is not None and _blocks(found, uid(obj)):
                blocking.append(dependent)
            elif found is not None:
                self._look_at(dependent, cause)
        for dependent in blocking:
            found = self._live(dependent)
            if found is not None and not terminating(found):
                self._look_at(dependent, cause)
        if not blocking:
            self._drop_finalizer(obj, FOREGROUND, Cause(FINISH, cause, object=name(obj)))

    def _orphan_dependents(self, obj: Object, cause: Cause | None) -> None:
        for dependent in tuple(self._dependents.get(uid(obj), {})):
            found = self._live(dependent)
            if found is not None:
                self._drop_references(found, {uid(obj)}, Cause(ORPHANED, cause, owner=name(obj), object=name(found)))
        self._drop_finalizer(obj, ORPHAN, cause)

    def _drop_references(self, obj: Object, gone: set[str], cause: Cause) -> None:
        def change(current: Object) -> Object:
            references = [r for r in current["metadata"].get("ownerReferences") or () if r["uid"] not in gone]
            return {**current, "metadata": {**current["metadata"], "ownerReferences": references}}

        self._store.patch(obj["kind"], *key(obj), change, cause=cause)

    def _drop_finalizer(self, obj: Object, finalizer: str, cause: Cause | None) -> None:
        def change(current: Object) -> Object:
            finalizers = [f for f in current["metadata"].get("finalizers") or () if f != finalizer]
            return {**current, "metadata": {**current["metadata"], "finalizers": finalizers}}

        self._store.patch(obj["kind"], *key(obj), change, cause=cause)


def _owners(obj: Object | None) -> list[str]:
    return [r["uid"] for r in (obj["metadata"].get("ownerReferences") or ())] if obj is not None else []


def _blocks(obj: Object, owner: str) -> bool:
    """Whether an object keeps its owner from going (``blockOwnerDeletion``)."""
    references = obj["metadata"].get("ownerReferences") or ()
    return any(r["uid"] == owner and r.get("blockOwnerDeletion") for r in references)
