"""The node lifecycle controller: a node that is not heard of any more is marked, and its pods with it.

Nobody can tell a dead node from one that cannot be reached. So the controller waits: each five seconds it looks
which nodes' leases were renewed, and one whose lease it has not seen renewed for fifty seconds becomes
*Unknown*. Its pods are no longer Ready, so that Services leave them out; a taint keeps new pods away, and a second one
makes the taint eviction controller count down for those that are there.

A pass that would see only renewed leases changes nothing, so it is not executed: when it would have been follows from
a formula (:meth:`NodeLifecycleController.pass_at`), and so does what it would have seen.

Follows pkg/controller/nodelifecycle/node_lifecycle_controller.go and pkg/controller/util/node/controller_utils.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process, Timer
from selfheal.controllers import taints
from selfheal.controllers.nodelifecycle.zones import FULL, INITIAL, LOOK, NEVER, ZoneQueue, pace, state_of, zone_of
from selfheal.errors import ApiError, NotFound, Unavailable
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, condition, key, name, namespace, terminating
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent, node_of

MONITOR = 5 * SECOND
"""How often the nodes are looked at, in µs (nodeMonitorPeriod)."""
GRACE = 50 * SECOND
"""A node may be silent for so long (nodeMonitorGracePeriod)."""
STARTUP_GRACE = 60 * SECOND
"""One that has never been heard of, from its creation on (nodeStartupGracePeriod)."""

CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
"""What becomes Unknown."""

TAINT_OF: dict[tuple[str, str], str] = {
    ("Ready", "False"): taints.NOT_READY,
    ("Ready", "Unknown"): taints.UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
"""The NoSchedule taint for a condition and its status (nodeConditionToTaintKeyStatusMap)."""
OURS = (*TAINT_OF.values(), taints.UNSCHEDULABLE)

SOURCE = "pkg/controller/nodelifecycle/node_lifecycle_controller.go"
UNKNOWN = rule("node.unknown", SOURCE, "tryUpdateNodeHealth")
PODS_UNREADY = rule("node.podsNotReady", "pkg/controller/util/node/controller_utils.go", "MarkPodsNotReady")
NO_SCHEDULE = rule("node.noSchedule", SOURCE, "doNoScheduleTaintingPass")
NO_EXECUTE = rule("node.noExecute", SOURCE, "doNoExecuteTaintingPass")
REACHABLE = rule("node.reachable", SOURCE, "markNodeAsReachable")
DISASTER = rule("node.fullDisruption", SOURCE, "handleDisruption")
REGISTERED = rule("node.registered", SOURCE, "monitorNodeHealth")
REMOVED = rule("node.removed", SOURCE, "monitorNodeHealth")


@dataclass(slots=True)
class Health:
    """What the controller remembers of a node (nodeHealthData)."""

    heartbeat: str | None
    """The last heartbeat of its condition Ready."""
    renewed: int | None
    """When the newest lease that was seen had been renewed (µs)."""
    probed: int
    """When a pass last saw a newer heartbeat or lease (µs)."""
    ready: str | None
    """Its condition Ready at the last pass."""


class NodeLifecycleController:
    """Watches over the nodes. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._nodes = informers["Node"]
        self._pods = informers["Pod"]
        self._pods.index("node", node_of)
        self._recorder = EventRecorder(store, clock, chance, "node-controller")
        self._chance = chance
        stream = chance.stream("node-controller")
        # The next pass begins 5 s after the end of the one before it, which takes some milliseconds.
        self._period = MONITOR + stream.between(0, 1500, 3000)
        self._phase = clock.now + stream.between(1, 0, self._period)
        self._looks = clock.now + stream.between(2, 0, LOOK)
        self._known: dict[str, Object] = {}
        self._health: dict[str, Health] = {}
        self._zones: dict[str, str] = {}
        self._queues: dict[str, ZoneQueue] = {}
        self._causes: dict[str, Cause | None] = {}
        """Why each node was last heard of, or not any more."""
        self._timer: Timer | None = None
        self._tainting = WorkQueue(clock, chance, "Node", self._taint_no_schedule)
        self._placed = WorkQueue(clock, chance, "node-pods", self._judge_pod)
        self._nodes.handle(self._node_changed)
        informers["Lease"].handle(self._lease_changed)
        self._pods.handle(self._pod_changed)
        store.promise_ended = self._fell_silent

    # ---- what may need work

    def pass_at(self, at: int) -> int:
        """The first pass at or after a moment (µs), whether or not it is executed."""
        return at + -(at - self._phase) % self._period

    def _node_changed(self, event: WatchEvent) -> None:
        node, old = event.object, event.old
        if event.type == "DELETED":
            self._health.pop(name(node), None)
            self._soon()
            return
        self._tainting.add(key(node), event.cause)
        if event.type == "ADDED" or old is None or _seen_by_passes(old) != _seen_by_passes(node):
            self._causes[name(node)] = event.cause or self._causes.get(name(node))
            self._soon()

    def _lease_changed(self, event: WatchEvent) -> None:
        lease = event.object
        if namespace(lease) == "kube-node-lease" and name(lease) in self._health:
            self._causes[name(lease)] = event.cause or self._causes.get(name(lease))
            self._plan()

    def _fell_silent(self, node: str, cause: Cause | None) -> None:
        """A node renews its lease no more; if somebody has just read the lease, there was nothing left to write."""
        if node in self._health:
            self._causes[node] = cause or self._causes.get(node)
            self._plan()

    def _pod_changed(self, event: WatchEvent) -> None:
        pod = event.object
        if event.type != "DELETED" and node_of(pod) and node_of(event.old) != node_of(pod):
            health = self._health.get(pod["spec"]["nodeName"])
            if health is not None and health.ready not in (None, "True"):
                self._placed.add(key(pod), event.cause)

    # ---- passes (monitorNodeHealth)

    def _soon(self) -> None:
        """The next pass has something to see."""
        self._schedule(self.pass_at(self._clock.now))

    def _schedule(self, at: int) -> None:
        if self._timer is not None:
            if self._timer.when <= at:
                return
            self._timer.cancel()
        self._timer = self._clock.at(at, self._monitor)

    def _plan(self) -> None:
        """The pass that will find a silent node must be executed. A node that keeps its promise is never silent."""
        for node in self._known.values():
            health = self._health.get(name(node))
            if health is None or health.ready == "Unknown" or name(node) in self._store.kept:
                continue
            grace = GRACE if health.ready is not None else STARTUP_GRACE
            self._schedule(self.pass_at(max(self._probed(name(node), health) + grace + 1, self._clock.now)))

    def _probed(self, node: str, health: Health) -> int:
        """When a pass last saw a sign of life, also if that pass was not executed."""
        renewed = self._renewed(node)
        if renewed is not None and (health.renewed is None or renewed > health.renewed):
            health.renewed = renewed
            health.probed = max(health.probed, self.pass_at(renewed))
        return health.probed

    def _renewed(self, node: str) -> int | None:
        """When the node's lease was last renewed."""
        promise = self._store.kept.get(node)
        if promise is not None:
            return promise(self._clock.now)
        lease = self._store.get("Lease", "kube-node-lease", node)
        stamp = lease["spec"].get("renewTime") if lease is not None else None
        return None if stamp is None else self._clock.at_timestamp(stamp)

    def _monitor(self) -> None:
        self._timer = None
        if self._store.down:
            self._store.when_up(self._begin_anew)
            return
        nodes = self._nodes.list()
        self._greet(nodes)
        ready: dict[str, list[bool]] = {}
        judged = []
        for node in nodes:
            try:
                node = self._judge(node)
            except NotFound:
                continue
            judged.append(node)
            if "node.kubernetes.io/exclude-disruption" not in (node["metadata"].get("labels") or {}):
                found = condition(node, "Ready")
                ready.setdefault(zone_of(node), []).append(found is not None and found["status"] == "True")
        self._handle_disruption(ready, judged)
        self._plan()

    def _begin_anew(self) -> None:
        """While the API server is away the controller manager gives up its own lease; when it is back, it starts anew.

        So it takes every node as just heard of (cmd/kube-controller-manager, leader election).
        """
        for health in self._health.values():
            health.probed = max(health.probed, self._clock.now)
        self._soon()

    def _greet(self, nodes: list[Object]) -> None:
        """Nodes that are new, and nodes that are gone (classifyNodes)."""
        here = {name(n): n for n in nodes}
        for node in nodes:
            self._queue_of(zone_of(node))
            if name(node) not in self._known:
                if self._clock.at_timestamp(node["metadata"]["creationTimestamp"]) > -SECOND:
                    # The others have been there for an hour, and so their events are gone.
                    text = f"Node {name(node)} event: Registered Node {name(node)} in Controller"
                    self._recorder.event(node, "Normal", "RegisteredNode", text, cause=Cause(REGISTERED))
                self._known[name(node)] = node
                self._mark_reachable(node, Cause(REACHABLE, node=name(node)))
        for called, node in list(self._known.items()):
            if called not in here:
                text = f"Node {called} event: Removing Node {called} from Controller"
                self._recorder.event(node, "Normal", "RemovingNode", text, cause=Cause(REMOVED))
                del self._known[called]
                self._causes.pop(called, None)

    def _judge(self, node: Object) -> Object:
        """One node in one pass; gives the node as it is then. Raises NotFound."""
        called = name(node)
        before = condition(node, "Ready")
        node = self._update_health(node)
        after = condition(node, "Ready")
        if after is None:
            return node
        cause = self._causes.get(called)
        if after["status"] == "True":
            self._mark_reachable(node, Cause(REACHABLE, cause, node=called))
            return node
        self._mark_for_tainting(node, after["status"])
        if before is not None and before["status"] == "True":
            self._recorder.event(
                node, "Normal", "NodeNotReady", f"Node {called} status is now: NodeNotReady", cause=cause
            )
            pods = self._pods.by("node", called)
            self._clock.process(self._mark_pods(pods, Cause(PODS_UNREADY, cause, node=called)))
        return node

    def _update_health(self, node: Object) -> Object:
        """tryUpdateNodeHealth: a node that was silent for too long becomes Unknown."""
        called, now = name(node), self._clock.now
        ready = condition(node, "Ready")
        heartbeat = ready["lastHeartbeatTime"] if ready is not None else None
        health = self._health.get(called)
        if health is None:
            born = self._clock.at_timestamp(node["metadata"]["creationTimestamp"])
            health = self._health[called] = Health(heartbeat, None, born if ready is None else now, None)
        elif heartbeat != health.heartbeat:
            health.heartbeat, health.probed = heartbeat, max(health.probed, now)
        grace = GRACE if ready is not None else STARTUP_GRACE
        if now > self._probed(called, health) + grace:
            since = self._store.broken.get(called) or self._causes.get(called)
            cause = Cause(UNKNOWN, since, node=called, grace=grace // SECOND)
            self._causes[called] = cause
            node = self._store.patch("Node", "", called, self._unknown, status=True, cause=cause)
            ready = condition(node, "Ready")
        health.ready = ready["status"] if ready is not None else None
        return node

    def _unknown(self, node: Object) -> Object:
        """All that a kubelet would say of its node is unknown."""
        now = self._clock.timestamp()
        status = node.get("status") or {}
        conditions: list[dict[str, Any]] = []
        for found in status.get("conditions") or ():
            if found["type"] in CONDITIONS and found["status"] != "Unknown":
                found = {
                    **found,
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": now,
                }
            conditions.append(found)
        for kind in CONDITIONS:
            if all(c["type"] != kind for c in conditions):
                never = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
                heard = node["metadata"]["creationTimestamp"]
                times = {"lastHeartbeatTime": heard, "lastTransitionTime": now}
                conditions.append({"type": kind, "status": "Unknown", **times, **never})
        return {**node, "status": {**status, "conditions": conditions}}

    # ---- NoExecute: by and by, zone by zone

    def _queue_of(self, zone: str) -> ZoneQueue:
        if zone not in self._queues:
            self._zones[zone] = INITIAL
            self._queues[zone] = ZoneQueue(self._clock, self._looks, self._taint_no_execute)
        return self._queues[zone]

    def _mark_for_tainting(self, node: Object, status: str) -> None:
        """processTaintBaseEviction: the node's turn will come, unless it has the other of the two taints already."""
        add, remove = _no_execute(status)
        queue, there = self._queue_of(zone_of(node)), taints.marks(node, taints.NO_EXECUTE)
        if remove in there:
            why = Cause(NO_EXECUTE, self._causes.get(name(node)), node=name(node), status=add[0].partition("/")[2])
            taints.swap(self._store, self._clock, node, [add], [remove], why)
            return
        if add not in there:
            queue.remove(name(node))
        if not queue.knows(name(node)):
            # The pass goes on once its own write has been answered.
            self._clock.after(self._request(name(node)), lambda: queue.add(name(node)))

    def _taint_no_execute(self, called: str) -> bool:
        """doNoExecuteTaintingPass: the turn of one node. Whether it is done with."""
        node = self._nodes.get("", called)
        ready = condition(node, "Ready") if node is not None else None
        if node is None or ready is None or ready["status"] == "True":
            return True
        add, remove = _no_execute(ready["status"])
        why = Cause(NO_EXECUTE, self._causes.get(called), node=called, status=add[0].partition("/")[2])
        try:
            taints.swap(self._store, self._clock, node, [add], [remove], why)
        except NotFound:
            return True
        except Unavailable:
            return False
        return True

    def _mark_reachable(self, node: Object, cause: Cause) -> None:
        """markNodeAsReachable: no eviction, and none that is planned."""
        ours = [(k, taints.NO_EXECUTE) for k in (taints.UNREACHABLE, taints.NOT_READY)]
        there = taints.marks(node, taints.NO_EXECUTE)
        if any(mark in there for mark in ours):
            taints.swap(self._store, self._clock, node, (), ours, cause)
        self._queue_of(zone_of(node)).remove(name(node))

    def _handle_disruption(self, ready: dict[str, list[bool]], nodes: list[Object]) -> None:
        """How many nodes are ready decides how fast the others lose their pods (handleDisruption)."""
        states = {zone: state_of(of) for zone, of in ready.items()}
        for zone in states:
            self._queue_of(zone)
        for zone in [z for z in self._zones if z not in states]:
            del self._zones[zone], self._queues[zone]
        disaster = all(s == FULL for s in states.values())
        was_disaster = all(s == FULL for s in self._zones.values())
        if disaster and was_disaster:
            return
        if disaster:
            for node in nodes:
                self._mark_reachable(node, Cause(DISASTER, self._causes.get(name(node))))
            for zone in self._zones:
                self._queues[zone].set_pace(NEVER)
                self._zones[zone] = FULL
            return
        if was_disaster:
            for node in nodes:
                self._health[name(node)].probed = self._clock.now
        for zone, state in states.items():
            if was_disaster or self._zones[zone] != state:
                self._queues[zone].set_pace(pace(state, len(ready[zone])))
                self._zones[zone] = state

    # ---- NoSchedule: at once

    def _taint_no_schedule(self, where: Key, cause: Cause | None) -> None:
        """doNoScheduleTaintingPass"""
        node = self._nodes.get(*where)
        if node is None:
            return
        wanted = [
            (TAINT_OF[c["type"], c["status"]], taints.NO_SCHEDULE)
            for c in (node.get("status") or {}).get("conditions") or ()
            if (c["type"], c["status"]) in TAINT_OF
        ]
        if node["spec"].get("unschedulable"):
            wanted.append((taints.UNSCHEDULABLE, taints.NO_SCHEDULE))
        there = [mark for mark in taints.marks(node, taints.NO_SCHEDULE) if mark[0] in OURS]
        add = [mark for mark in wanted if mark not in there]
        remove = [mark for mark in there if mark not in wanted]
        if add or remove:
            why = Cause(NO_SCHEDULE, cause, node=name(node))
            taints.swap(self._store, self._clock, node, add, remove, why)

    # ---- pods

    def _judge_pod(self, where: Key, cause: Cause | None) -> Process | None:
        """A pod that was put on a node which is not ready is not ready either (processPod)."""
        pod = self._pods.get(*where)
        health = self._health.get(pod["spec"].get("nodeName", "")) if pod is not None else None
        if pod is None or health is None or health.ready in (None, "True"):
            return None
        node = pod["spec"]["nodeName"]
        return self._mark_pods([pod], Cause(PODS_UNREADY, cause, node=node))

    def _mark_pods(self, pods: list[Object], cause: Cause) -> Process:
        """MarkPodsNotReady: one pod after another."""
        for pod in pods:
            if (condition(pod, "Ready") or {}).get("status") != "True":
                continue
            yield self._clock.sleep(self._request(*key(pod)))
            try:
                self._store.patch("Pod", *key(pod), self._not_ready, status=True, cause=cause)
            except Unavailable as error:
                error.wait(partial(self._placed.add, key(pod), cause))
                continue
            except ApiError:
                continue
            self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready", cause=cause)

    def _not_ready(self, pod: Object) -> Object:
        now = self._clock.timestamp()
        conditions = [
            {**c, "status": "False", "lastTransitionTime": now} if c["type"] == "Ready" and c["status"] == "True" else c
            for c in pod["status"].get("conditions") or ()
        ]
        return {**pod, "status": {**pod["status"], "conditions": conditions}}

    def _request(self, *about: str) -> int:
        """How long a request about an object takes, in µs."""
        stream = self._chance.stream("node-controller", *about)
        return latencies.draw("request", stream, stream.next())


def _no_execute(status: str) -> tuple[taints.Mark, taints.Mark]:
    """The NoExecute taint of a node whose Ready is False or Unknown, and the one it must not have."""
    both = (taints.UNREACHABLE, taints.NO_EXECUTE), (taints.NOT_READY, taints.NO_EXECUTE)
    return both if status == "Unknown" else (both[1], both[0])


def _seen_by_passes(node: Object) -> tuple[object, ...]:
    """What a pass looks at."""
    ready = condition(node, "Ready") or {}
    return (
        ready.get("status"),
        ready.get("lastHeartbeatTime"),
        taints.marks(node, taints.NO_EXECUTE),
        node["metadata"].get("labels"),
        terminating(node),
    )
