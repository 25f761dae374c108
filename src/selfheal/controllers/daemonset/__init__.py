"""The DaemonSet controller: one pod on each node that wants one.

It makes the pods; the ordinary scheduler binds them, to the one node that their affinity leaves.

Follows pkg/controller/daemon/daemon_controller.go.
"""

from __future__ import annotations

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process
from selfheal.controllers import pods as podutil
from selfheal.controllers.daemonset.backoff import Backoff
from selfheal.controllers.daemonset.placement import fit
from selfheal.controllers.daemonset.sync import Sync, Tools
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.ownership import Owners, claim, orphan_of, selected
from selfheal.controllers.podcontrol import PodControl
from selfheal.controllers.revisions import HASH, Revisions
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, key, labels, name, namespace, terminating, uid
from selfheal.rules import Cause
from selfheal.store import Store
from selfheal.watches import WatchEvent


class DaemonSetController:
    """Keeps DaemonSets. Begins to work when it is made."""

    KIND = "DaemonSet"

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._sets = informers[self.KIND]
        self._nodes = informers["Node"]
        self._pods = informers["Pod"]
        self._pods.index("controller", controller_uid)
        self._pods.index("orphan", orphan_of)
        self._owners = Owners(self._sets)
        self._revisions = Revisions(store, informers)
        self._expectations = Expectations(clock)
        self._queue = WorkQueue(clock, chance, self.KIND, self._sync)
        self._requests = chance.stream("request", self.KIND)
        recorder = EventRecorder(store, clock, chance, "daemonset-controller")
        self._tools = Tools(
            store,
            recorder,
            PodControl(store, recorder, clock),
            self._expectations,
            Backoff(),
            clock,
            chance,
            self._pods_of,
            self._queue.add_after,
            self._request,
        )
        self._sets.handle(self._set_changed)
        self._pods.handle(self._pod_changed)
        self._nodes.handle(self._node_changed)

    # ---- what may need work

    def _set_changed(self, event: WatchEvent) -> None:
        """addDaemonset, updateDaemonset, deleteDaemonset: the next of its name expects nothing yet."""
        if event.type == "DELETED":
            self._expectations.forget(event.key)
        self._queue.add(event.key, event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        """addPod, updatePod, deletePod"""
        pod = event.object
        owner = self._owners.of(pod)
        if owner is not None and (event.type == "DELETED" or terminating(pod)):
            self._expectations.deletion_observed(key(owner), key(pod))
        elif owner is not None and event.type == "ADDED":
            self._expectations.creation_observed(key(owner))
        for concerned in self._owners.concerned(event):
            self._queue.add(key(concerned), event.cause)
            wait = concerned["spec"].get("minReadySeconds", 0)
            if wait and event.old is not None and podutil.ready(pod) and not podutil.ready(event.old):
                # A second more, since the times in the status are truncated.
                self._queue.add_after(key(concerned), (wait + 1) * SECOND, event.cause)

    def _node_changed(self, event: WatchEvent) -> None:
        """addNode, updateNode: labels and taints decide, heartbeats do not matter."""
        node, old = event.object, event.old
        if event.type == "DELETED":
            return
        if old is not None and labels(old) == labels(node) and _taints(old) == _taints(node):
            return
        for owner in self._sets.list():
            if fit(owner, node) != fit(owner, old) if old is not None else fit(owner, node).run:
                self._queue.add(key(owner), event.cause)

    # ---- the sync

    def _sync(self, where: Key, cause: Cause | None) -> Process | None:
        owner = self._sets.get(*where)
        if owner is None:
            self._expectations.forget(where)
            return None
        if terminating(owner):
            return None
        return self._rest(owner, cause)

    def _rest(self, owner: Object, cause: Cause | None) -> Process:
        history = self._revisions.history(owner, cause, lambda digest: {HASH: digest})
        digest = labels(history.current)[HASH]
        yield from Sync(self._tools, owner, self._nodes.list(), digest, cause).run()
        used = {f"{name(owner)}-{labels(pod).get(HASH)}" for pod in self._pods_of(owner, cause)}
        self._revisions.truncate(owner, history.old, used, cause)

    def _pods_of(self, owner: Object, cause: Cause | None) -> list[Object]:
        """getDaemonPods"""
        found = [*self._pods.by("controller", uid(owner)), *self._pods.by("orphan", namespace(owner))]
        return claim(self._store, owner, found, selected(owner["spec"].get("selector")), cause)

    def _request(self) -> simpy.Event:
        return self._clock.sleep(latencies.draw("request", self._requests, self._requests.next()))


def _taints(node: Object) -> object:
    return (node.get("spec") or {}).get("taints") or []


__all__ = ["DaemonSetController"]
