"""The StatefulSet controller: pods with names of their own, one after the other.

A member that is being deleted is not replaced before it is gone, since two of one name cannot exist. If its node
is lost it stays where it is, however long, until somebody decides.

Follows pkg/controller/statefulset/stateful_set.go.
"""

from __future__ import annotations

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods as podutil
from selfheal.controllers.consistency import OwnWrites
from selfheal.controllers.ownership import Owners, claim, orphan_of, selected
from selfheal.controllers.revisions import KIND as REVISION
from selfheal.controllers.revisions import Revisions
from selfheal.controllers.statefulset import members
from selfheal.controllers.statefulset.control import Control, Tools
from selfheal.events import EventRecorder
from selfheal.flowcontrol import Client
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, key, namespace, uid
from selfheal.rules import Cause
from selfheal.store import Store
from selfheal.watches import WatchEvent


class StatefulSetController:
    """Keeps StatefulSets. Begins to work when it is made."""

    KIND = "StatefulSet"

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._sets = informers[self.KIND]
        self._pods = informers["Pod"]
        self._pods.index("controller", controller_uid)
        self._pods.index("orphan", orphan_of)
        self._owners = Owners(self._sets)
        self._revisions = Revisions(store, informers)
        recorder = EventRecorder(store, clock, chance, "statefulset-controller")
        self._writes = OwnWrites(informers, self.KIND, "Pod", REVISION)
        self._queue = WorkQueue(clock, chance, self.KIND, self._sync)
        self._tools = Tools(store, recorder, clock, self._writes, Client(clock.now), self._queue.add_after)
        self._sets.handle(lambda event: self._queue.add(event.key, event.cause))
        self._pods.handle(self._pod_changed)

    def _pod_changed(self, event: WatchEvent) -> None:
        """addPod, updatePod, deletePod"""
        for owner in self._owners.concerned(event):
            self._queue.add(key(owner), event.cause)
            wait = owner["spec"].get("minReadySeconds", 0)
            if wait and event.old is not None and podutil.ready(event.object) and not podutil.ready(event.old):
                # A second more, since the times in the status are truncated.
                self._queue.add_after(key(owner), (wait + 1) * SECOND, event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        owner = self._sets.get(*where)
        if owner is None:
            self._writes.forget(where)
            return
        if not self._writes.seen(where):
            self._queue.retry(where, cause)
            return
        own_pods = self._members(owner, cause)
        history = self._revisions.history(owner, cause, lambda digest: {"controller.kubernetes.io/hash": digest})
        self._writes.wrote(where, history.current)
        control = Control(self._tools, owner, own_pods, history, cause)
        try:
            control.run()
        finally:
            self._revisions.truncate(owner, history.old, control.revisions_in_use, cause)
        self._come_back_when_available(owner, own_pods, cause)

    def _members(self, owner: Object, cause: Cause | None) -> list[Object]:
        """getPodsForStatefulSet: those whose labels and names are right."""
        select = selected(owner["spec"].get("selector"))
        found = [*self._pods.by("controller", uid(owner)), *self._pods.by("orphan", namespace(owner))]
        return claim(self._store, owner, found, lambda pod: select(pod) and members.is_member(owner, pod), cause)

    def _come_back_when_available(self, owner: Object, own_pods: list[Object], cause: Cause | None) -> None:
        """With minReadySeconds, sync again when a member that is ready may have become available."""
        wait = owner["spec"].get("minReadySeconds", 0)
        if wait and any(members.ready(p) and not members.available(p, owner, self._clock) for p in own_pods):
            self._queue.add_after(key(owner), wait * SECOND, cause)


__all__ = ["StatefulSetController"]
