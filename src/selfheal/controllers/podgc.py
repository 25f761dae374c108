"""The pod garbage collector: pods that nobody else will ever remove.

A pod's object is removed by the kubelet of its node. If the node no longer exists, if the pod never got one, or if
somebody has declared the node out of service, there is no such kubelet. This controller looks each twenty seconds; a
look that would find nothing is not executed.

Follows pkg/controller/podgc/gc_controller.go.
"""

from __future__ import annotations

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process, Timer
from selfheal.controllers import pods as podutil
from selfheal.controllers import taints
from selfheal.errors import ApiError, NotFound
from selfheal.eviction import disrupted
from selfheal.informers import Informers
from selfheal.objects import Object, condition_true, key, name, terminating
from selfheal.rules import Cause, rule
from selfheal.spec import taints as taints_of
from selfheal.store import Store
from selfheal.watches import WatchEvent, node_of

CHECK = 20 * SECOND
"""How often it looks, in µs (gcCheckPeriod)."""
QUARANTINE = 40 * SECOND
"""A node that is not there may still come; its pods wait for so long (quarantineTime)."""
THRESHOLD = 12_500
"""So many ended pods are kept (terminatedPodGCThreshold)."""

SOURCE = "pkg/controller/podgc/gc_controller.go"
ORPHANED = rule("podgc.orphaned", SOURCE, "gcOrphaned")
UNSCHEDULED = rule("podgc.unscheduled", SOURCE, "gcUnscheduledTerminating")
OUT_OF_SERVICE = rule("podgc.outOfService", SOURCE, "gcTerminating")
TOO_MANY = rule("podgc.terminated", SOURCE, "gcTerminated")


class PodGC:
    """Removes pods that would stay for ever. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._pods = informers["Pod"]
        self._nodes = informers["Node"]
        self._pods.index("node", node_of)
        self._chance = chance
        stream = chance.stream("podgc")
        # A look begins 20 s after the end of the one before it.
        self._period = CHECK + stream.between(0, 100, 2000)
        self._phase = clock.now + stream.between(1, 0, self._period)
        self._quarantine: dict[str, int] = {}
        """Nodes that were not there, and when it is time to look again."""
        self._finished = 0
        self._causes: dict[str, Cause | None] = {}
        self._timer: Timer | None = None
        self._pods.handle(self._pod_changed)
        self._nodes.handle(self._node_changed)

    # ---- when there is something to find

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, old = event.object, event.old
        self._finished += (event.type != "DELETED" and podutil.finished(pod)) - (
            event.type != "ADDED" and old is not None and podutil.finished(old)
        )
        if event.type == "DELETED":
            return
        node = node_of(pod)
        found = self._nodes.get("", node) if node else None
        lost = node and (found is None or (terminating(pod) and _out_of_service(found)))
        if lost or self._finished > THRESHOLD or (not node and terminating(pod)):
            self._soon()

    def _node_changed(self, event: WatchEvent) -> None:
        node = event.object
        self._causes[name(node)] = event.cause
        if event.type == "DELETED" or _out_of_service(node):
            self._soon()

    def _soon(self) -> None:
        self._at(self._clock.now)

    def _at(self, when: int) -> None:
        """Look with the first regular look at or after ``when``."""
        when += -(when - self._phase) % self._period
        if self._timer is not None:
            if self._timer.when <= when:
                return
            self._timer.cancel()
        self._timer = self._clock.at(when, self._look)

    # ---- a look (gc)

    def _look(self) -> None:
        self._timer = None
        if self._store.down:
            self._store.when_up(self._soon)
            return
        chosen: dict[str, tuple[Object, Cause, bool]] = {}
        pods = self._pods.list()
        for pod in self._surplus(pods):
            chosen.setdefault(str(key(pod)), (pod, Cause(TOO_MANY, pod=name(pod)), False))
        missing = self._missing({n for n in (node_of(p) for p in pods) if n})
        for pod in pods:
            node = node_of(pod)
            found = self._nodes.get("", node) if node else None
            if node and node in missing:
                why = Cause(ORPHANED, self._causes.get(node), node=node, pod=name(pod))
                chosen.setdefault(str(key(pod)), (pod, why, True))
            elif terminating(pod) and not node:
                chosen.setdefault(str(key(pod)), (pod, Cause(UNSCHEDULED, pod=name(pod)), False))
            elif terminating(pod) and found is not None and _out_of_service(found):
                why = Cause(OUT_OF_SERVICE, self._causes.get(name(found)), node=name(found), pod=name(pod))
                chosen.setdefault(str(key(pod)), (pod, why, False))
        if chosen:
            self._clock.process(self._remove(list(chosen.values())))
        if self._quarantine:
            self._at(min(self._quarantine.values()))

    def _surplus(self, pods: list[Object]) -> list[Object]:
        """Ended pods beyond the threshold, oldest first (gcTerminated)."""
        ended = [p for p in pods if podutil.finished(p)]
        if len(ended) <= THRESHOLD:
            return []
        ended.sort(key=lambda p: (p["status"].get("reason") != "Evicted", p["metadata"]["creationTimestamp"], name(p)))
        return ended[: len(ended) - THRESHOLD]

    def _missing(self, used: set[str]) -> set[str]:
        """Nodes that pods name and that have not existed for the whole quarantine (discoverDeletedNodes)."""
        now, gone = self._clock.now, set()
        absent = {n for n in used if self._nodes.get("", n) is None}
        for node in sorted({*self._quarantine, *absent}):
            due = self._quarantine.get(node)
            if due is None:
                self._quarantine[node] = now + QUARANTINE
            elif due <= now:
                del self._quarantine[node]
                if node in absent and self._store.get("Node", "", node) is None:
                    gone.add(node)
        return gone

    def _remove(self, chosen: list[tuple[Object, Cause, bool]]) -> Process:
        """markFailedAndDeletePodWithCondition"""
        for pod, cause, orphaned in chosen:
            try:
                if not podutil.finished(pod):
                    yield self._request(pod)
                    change = self._failed_and_disrupted if orphaned else _failed
                    self._store.patch("Pod", *key(pod), change, status=True, cause=cause)
                yield self._request(pod)
                self._store.delete("Pod", *key(pod), grace=0, cause=cause)
            except NotFound:
                continue
            except ApiError:
                self._soon()

    def _failed_and_disrupted(self, pod: Object) -> Object:
        now = self._clock.timestamp()
        return _failed(disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists", now))

    def _request(self, pod: Object) -> simpy.Event:
        stream = self._chance.stream("podgc", *key(pod))
        return self._clock.sleep(latencies.draw("request", stream, stream.next()))


def _failed(pod: Object) -> Object:
    return {**pod, "status": {**pod["status"], "phase": "Failed"}}


def _out_of_service(node: Object) -> bool:
    """Somebody has declared the node dead, and it does look dead."""
    return not condition_true(node, "Ready") and any(t.key == taints.OUT_OF_SERVICE for t in taints_of(node))
