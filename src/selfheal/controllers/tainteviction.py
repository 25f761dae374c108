"""The taint eviction controller: pods leave a node with a NoExecute taint, each after the time that it tolerates.

The clock starts when this controller sees the taint. It runs whether the node is dead or well, and for
each pod by itself; if the taint goes in time, the pod stays. Whether the pod really ends is another matter: on a node
that cannot be reached nobody is there to stop it, so it is only *marked* for deletion.

Follows pkg/controller/tainteviction/taint_eviction.go and timed_workers.go.
"""

from __future__ import annotations

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process, Timer
from selfheal.controllers import taints
from selfheal.errors import NotFound, TooManyRequests, Unavailable
from selfheal.events import EventRecorder
from selfheal.eviction import disrupted
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, controller_of, key, name
from selfheal.rules import Cause, Rules, rule
from selfheal.spec import Taint, pod_spec
from selfheal.spec import taints as taints_of
from selfheal.store import Store
from selfheal.watches import WatchEvent, node_of

COMPONENT = "taint-eviction-controller"

SOURCE = "pkg/controller/tainteviction/taint_eviction.go"
EVICT = rule("taint.evict", SOURCE, "processPodOnNode")
EVICT_NOW = rule("taint.evictNow", SOURCE, "processPodOnNode")
CANCEL = rule("taint.cancel", SOURCE, "cancelWorkWithEvent")


class TaintEvictionController:
    """Evicts pods from tainted nodes. Begins to work when it is made."""

    def __init__(
        self, store: Store, informers: Informers, clock: Clock, chance: Chance, rules: Rules | None = None
    ) -> None:
        self._store = store
        self._rules = rules or Rules()
        self._clock = clock
        self._nodes = informers["Node"]
        self._pods = informers["Pod"]
        self._pods.index("node", node_of)
        self._recorder = EventRecorder(store, clock, chance, COMPONENT)
        self._chance = chance
        self._tainted: dict[str, tuple[Taint, ...]] = {}
        self._evictions: dict[Key, Timer | None] = {}
        """Planned evictions; None: begun, and not to be begun again (TimedWorkerQueue)."""
        self._node_queue = WorkQueue(clock, chance, "noexec_taint_node", self._sync_node)
        self._pod_queue = WorkQueue(clock, chance, "noexec_taint_pod", self._sync_pod)
        self._nodes.handle(self._node_changed)
        self._pods.handle(self._pod_changed)

    # ---- what may need work

    def _node_changed(self, event: WatchEvent) -> None:
        node, old = event.object, event.old
        if event.type != "MODIFIED" or old is None or _no_execute(old) != _no_execute(node):
            self._node_queue.add(key(node), event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, old = event.object, event.old
        node = node_of(pod)
        if event.type == "DELETED":
            if key(pod) in self._evictions:
                self._pod_queue.add(key(pod), event.cause)
        elif node in self._tainted and (node_of(old) != node or old is None or _tolerations(old) != _tolerations(pod)):
            self._pod_queue.add(key(pod), event.cause)

    # ---- syncs

    def _sync_node(self, where: Key, cause: Cause | None) -> None:
        """handleNodeUpdate"""
        node = self._nodes.get(*where)
        if node is None:
            self._tainted.pop(where[1], None)
            return
        found = _no_execute(node)
        if found:
            self._tainted[name(node)] = found
        else:
            self._tainted.pop(name(node), None)
        for pod in self._pods.by("node", name(node)):
            if found:
                self._judge(pod, found, cause)
            else:
                self._cancel(pod, cause)

    def _sync_pod(self, where: Key, cause: Cause | None) -> None:
        """handlePodUpdate"""
        pod = self._pods.get(*where)
        if pod is None:
            if self._evictions.get(where) is not None:
                self._cancel(_remembered(where), cause)
            self._evictions.pop(where, None)
            return
        found = self._tainted.get(node_of(pod) or "")
        if found:
            self._judge(pod, found, cause)

    def _judge(self, pod: Object, found: tuple[Taint, ...], cause: Cause | None) -> None:
        """When must the pod go? (processPodOnNode)"""
        node = str(node_of(pod))
        used = taints.matching(found, pod_spec(pod).tolerations)
        if used is None:
            self._cancel(pod, cause)
            self._plan(pod, 0, Cause(EVICT_NOW, cause, pod=name(pod), node=node))
            return
        seconds = 0 if self._rules.dead_nodes_evict_at_once else taints.patience(used)
        if seconds is None:
            self._cancel(pod, cause)
        elif self._evictions.get(key(pod)) is None:
            # One that is planned already is left as it is: its clock has been running for longer.
            self._plan(pod, seconds, Cause(EVICT, cause, pod=name(pod), node=node, seconds=seconds))

    def _plan(self, pod: Object, seconds: int, cause: Cause) -> None:
        """AddWork"""
        where = key(pod)
        if where in self._evictions:
            return
        if seconds == 0:
            self._evict(where, cause)
        else:
            self._evictions[where] = self._clock.after(seconds * SECOND, lambda: self._evict(where, cause))

    def _cancel(self, pod: Object, cause: Cause | None) -> None:
        """cancelWorkWithEvent"""
        timer = self._evictions.pop(key(pod), None)
        if timer is not None:
            timer.cancel()
            where = "/".join(key(pod))
            why = Cause(CANCEL, cause, pod=name(pod))
            self._recorder.event(
                _by_name(pod), "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {where}", cause=why
            )

    # ---- the eviction

    def _evict(self, where: Key, cause: Cause) -> None:
        self._evictions[where] = None
        text = f"Marking for deletion Pod {'/'.join(where)}"
        self._recorder.event(_remembered(where), "Normal", "TaintManagerEviction", text, cause=cause)
        self._clock.process(self._delete(where, cause))

    def _delete(self, where: Key, cause: Cause) -> Process:
        """addConditionAndDeletePod"""
        yield self._request(where)
        try:
            self._store.patch("Pod", *where, self._targeted, status=True, cause=cause)
            yield self._request(where)
            self._store.delete("Pod", *where, grace=self._grace(where), cause=cause)
        except (NotFound, TooManyRequests):  # the latter only where somebody believes in budgets
            self._evictions.pop(where, None)
        except Unavailable:
            self._store.when_up(lambda: self._clock.process(self._delete(where, cause)))

    def _grace(self, where: Key) -> int | None:
        """For a belief only: no time at all for a StatefulSet's pod, so that nobody waits for its kubelet."""
        pod = self._pods.get(*where)
        owner = None if pod is None else controller_of(pod)
        forced = self._rules.stateful_pods_are_forced_away and owner is not None and owner["kind"] == "StatefulSet"
        return 0 if forced else None

    def _targeted(self, pod: Object) -> Object:
        return disrupted(
            pod,
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
            self._clock.timestamp(),
        )

    def _request(self, where: Key) -> simpy.Event:
        stream = self._chance.stream(COMPONENT, *where)
        return self._clock.sleep(latencies.draw("request", stream, stream.next()))


def _no_execute(node: Object) -> tuple[Taint, ...]:
    return tuple(t for t in taints_of(node) if t.effect == taints.NO_EXECUTE)


def _tolerations(pod: Object) -> object:
    return pod["spec"].get("tolerations")


def _remembered(where: Key) -> Object:
    """A pod of which only the name is known; its events say no more of it than that."""
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": where[0], "name": where[1]}}


def _by_name(pod: Object) -> Object:
    return _remembered(key(pod))
