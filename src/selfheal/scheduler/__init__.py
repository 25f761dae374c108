"""The scheduler: gives each new pod a node.

One pod at a time: which nodes may take it (:mod:`~selfheal.scheduler.filters`), which of them is best
(:mod:`~selfheal.scheduler.scores`), then the binding is written. A pod that fits nowhere waits, and is tried
again only when something has changed that could help it (or after five minutes).

Follows pkg/scheduler/schedule_one.go and pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.events import SeriesRecorder
from selfheal.informers import Informers
from selfheal.objects import Key, Object, condition, key, name, namespace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.scheduler.filters import FILTERS, Refusal, means, meant, refusals, required_terms
from selfheal.scheduler.nodes import NodeInfo, demand
from selfheal.scheduler.scores import scores
from selfheal.spec import PodSpec, pod_spec
from selfheal.store import Store
from selfheal.watches import WatchEvent

INITIAL_BACKOFF = 1 * SECOND
LONGEST_BACKOFF = 10 * SECOND
FLUSH_BACKOFF = 1 * SECOND
"""How often pods whose back-off has ended are let go on (µs)."""

FLUSH_WAITING = 30 * SECOND
LONGEST_WAIT = 300 * SECOND
"""A pod that fits nowhere is tried again after this long even if nothing has changed (µs)."""

NAME = "default-scheduler"

BOUND = rule("scheduler.bind", "pkg/scheduler/schedule_one.go", "schedulePod")
UNSCHEDULABLE = rule("scheduler.unschedulable", "pkg/scheduler/schedule_one.go", "handleSchedulingFailure")
GATED = rule("scheduler.gated", "pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go", "PreEnqueue")
AGAIN = rule("scheduler.requeue", "pkg/scheduler/backend/queue/scheduling_queue.go", "moveAllToActiveOrBackoffQueue")


Hint = Callable[[frozenset[str], Object], bool]
"""Given the filters that refused a pod, and the pod: could a change help it?"""


@dataclass(slots=True)
class Waiting:
    """A pod that fitted nowhere."""

    plugins: frozenset[str]
    """The filters that refused it."""
    attempts: int
    since: int
    timer: Timer | None = None


class Scheduler:
    """Binds pods to nodes. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._pods = informers["Pod"]
        self._services = informers["Service"]
        self._clock = clock
        self._chance = chance
        self._recorder = SeriesRecorder(store, clock, chance, NAME)
        self._nodes: dict[str, NodeInfo] = {}
        self._in_flight: dict[Key, int] = {}
        """Pods whose decision is not written yet; from which of the changes on it does not know them."""
        self._changes: list[tuple[Hint, Cause]] = []
        """What has changed while decisions were in flight."""
        self._waiting: dict[Key, Waiting] = {}
        self._attempts: dict[Key, int] = {}
        self._flush: Timer | None = None
        informers["Node"].handle(self._node_changed)
        self._pods.handle(self._pod_changed)

    # ---- what changes

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, where = event.object, event.key
        node = pod["spec"].get("nodeName")
        gone = event.type == "DELETED" or pod["status"].get("phase") in ("Succeeded", "Failed")
        if gone:
            self._forget(where)
            if node and self._info(node).remove(where):
                self._wake(event.cause, "the end of a pod", partial(_pod_gone_helps, pod))
        elif node:
            self._forget(where)
            there = self._info(node).pods.get(where)
            new = there is None or not there.pod["spec"].get("nodeName")
            self._info(node).add(pod)
            if new:
                self._wake(event.cause, "a pod on its node", partial(_pod_there_helps, pod))
        elif pod["spec"].get("schedulerName", NAME) == NAME and not terminating(pod):
            waiting = self._waiting.get(where)
            if waiting is not None and event.old is not None and _asks_the_same(event.old, pod):
                return
            if where not in self._in_flight:
                self._forget(where, keep_attempts=True)
                self._schedule(where, event.cause)

    def _node_changed(self, event: WatchEvent) -> None:
        node = event.object
        info = self._info(name(node))
        if event.type == "DELETED":
            del self._nodes[name(node)]
            if info.pods:
                # Pods that name the node outlive it; they count again if it comes back.
                self._nodes[name(node)] = ghost = NodeInfo()
                for guest in info.pods.values():
                    ghost.add(guest.pod)
            return
        before = NodeInfo(event.old) if event.old is not None and info.known else None
        info.set_node(node)
        after = NodeInfo(node)
        if before is None or _could_matter(before, after):
            self._wake(
                event.cause,
                "a new node" if before is None else "a change of a node",
                lambda plugins, pod: any(self._node_helps(p, pod, before, after) for p in plugins),
            )

    def _info(self, node: str) -> NodeInfo:
        found = self._nodes.get(node)
        if found is None:
            found = self._nodes[node] = NodeInfo()
        return found

    # ---- one attempt

    def _schedule(self, where: Key, cause: Cause | None) -> None:
        """Decide now; the binding, or the news that there is none, is written a little later (ScheduleOne)."""
        pod = self._pods.get(*where)
        if pod is None or pod["spec"].get("nodeName") or terminating(pod):
            return
        if self._store.down:
            self._store.when_up(lambda: self._schedule(where, cause))
            return
        stream = self._chance.stream("bind", *where)
        delay = latencies.draw("bind", stream, stream.next())
        if pod_spec(pod).scheduling_gates:
            self._clock.after(delay, lambda: self._gate(pod, cause))
            return
        nodes = {n: info for n, info in sorted(self._nodes.items()) if info.known}
        refused = refusals(pod, nodes)
        feasible = [info for called, info in nodes.items() if called not in refused]
        self._attempts[where] = self._attempts.get(where, 0) + 1
        self._in_flight[where] = len(self._changes)
        if not feasible:
            self._clock.after(delay, lambda: self._failed(pod, refused, cause))
            return
        points = [0]
        if len(feasible) > 1:
            points = scores(pod, feasible, list(nodes.values()), self._services.list(namespace(pod)))
        most = max(points)
        best = [i for i, p in enumerate(points) if p == most]
        tie = self._chance.stream("best node", *where)
        chosen = feasible[tie.choice(tie.next(), best)]
        chosen.add(pod)
        why = Cause(BOUND, cause, nodes=len(nodes), feasible=len(feasible), node=chosen.name)
        self._clock.after(delay, lambda: self._bind(pod, chosen.name, why))

    def _bind(self, pod: Object, node: str, cause: Cause) -> None:
        where = key(pod)
        if self._store.down:
            self._store.when_up(lambda: self._bind(pod, node, cause))
            return
        self._landed(where)
        current = self._store.get("Pod", *where)
        if current is None or uid(current) != uid(pod) or current["spec"].get("nodeName") or terminating(current):
            self._info(node).remove(where)
            self._next_of_that_name(pod, cause)
            return
        self._store.bind(*where, node, cause=cause)
        message = f"Successfully assigned {where[0]}/{where[1]} to {node}"
        self._recorder.event(pod, "Normal", "Scheduled", message, action="Binding", cause=cause)

    def _failed(self, pod: Object, refused: dict[str, Refusal], cause: Cause | None) -> None:
        """handleSchedulingFailure: an event, a condition, and the pod waits."""
        where = key(pod)
        if self._store.down:
            self._store.when_up(lambda: self._failed(pod, refused, cause))
            return
        missed = self._landed(where)
        current = self._store.get("Pod", *where)
        if current is None or uid(current) != uid(pod):
            self._forget(where)
            self._next_of_that_name(pod, cause)
            return
        message = failure_text(refused)
        why = Cause(UNSCHEDULABLE, cause, nodes=len(refused), why=message)
        self._waiting[where] = Waiting(
            frozenset(r.plugin for r in refused.values()), self._attempts[where], self._clock.now
        )
        self._recorder.event(pod, "Warning", "FailedScheduling", message, action="Scheduling", cause=why)
        self._set_condition(pod, "Unschedulable", message, why)
        for helps, again in missed:
            self._wake_one(where, helps, again)
        self._plan_flush()

    def _landed(self, where: Key) -> list[tuple[Hint, Cause]]:
        """The decision on a pod is written: what has changed since it was made."""
        missed = self._changes[self._in_flight.pop(where) :]
        if not self._in_flight:
            self._changes = []
        return missed

    def _next_of_that_name(self, pod: Object, cause: Cause | None) -> None:
        """The pod is gone; another of its name may have come while it was in flight."""
        cached = self._pods.get(*key(pod))
        if cached is not None and uid(cached) != uid(pod):
            self._schedule(key(pod), cause)

    def _gate(self, pod: Object, cause: Cause | None) -> None:
        why = Cause(GATED, cause)
        self._set_condition(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", why)

    def _set_condition(self, pod: Object, reason: str, message: str, cause: Cause) -> None:
        """PodScheduled False; written only if it says something new (podutil.UpdatePodCondition)."""

        def change(current: Object) -> Object:
            old = condition(current, "PodScheduled")
            new = {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": old["lastTransitionTime"] if old else self._clock.timestamp(),
                "reason": reason,
                "message": message,
                "observedGeneration": current["metadata"]["generation"],
            }
            others = [c for c in current["status"].get("conditions") or () if c["type"] != "PodScheduled"]
            return {**current, "status": {**current["status"], "conditions": [*others, new]}}

        if self._store.get("Pod", *key(pod)) is not None:
            self._store.patch("Pod", *key(pod), change, status=True, cause=cause)

    # ---- waiting

    def _forget(self, where: Key, *, keep_attempts: bool = False) -> None:
        waiting = self._waiting.pop(where, None)
        if waiting is not None and waiting.timer is not None:
            waiting.timer.cancel()
        if not keep_attempts:
            self._attempts.pop(where, None)

    def _wake(self, cause: Cause | None, what: str, helps: Hint) -> None:
        """Try those again whom a change could help, each after its back-off (queueing hints)."""
        again = Cause(AGAIN, cause, what=what)
        if self._in_flight:
            self._changes.append((helps, again))
        for where in list(self._waiting):
            self._wake_one(where, helps, again)

    def _wake_one(self, where: Key, helps: Hint, cause: Cause) -> None:
        waiting, pod = self._waiting[where], self._pods.get(*where)
        if waiting.timer is None and pod is not None and helps(waiting.plugins, pod):
            self._try_again(where, waiting, cause)

    def _try_again(self, where: Key, waiting: Waiting, cause: Cause) -> None:
        backoff = min(INITIAL_BACKOFF << min(waiting.attempts - 1, 10), LONGEST_BACKOFF)
        ready = waiting.since + backoff
        if ready > self._clock.now:
            # A loop looks each second for pods whose back-off has ended.
            ready = self._next_tick(ready, FLUSH_BACKOFF)
        waiting.timer = self._clock.at(max(ready, self._clock.now), lambda: self._go(where, cause))

    def _go(self, where: Key, cause: Cause) -> None:
        self._forget(where, keep_attempts=True)
        self._schedule(where, cause)

    def _next_tick(self, at: int, period: int) -> int:
        phase = self._chance.stream("scheduler", "flush").between(0, 0, FLUSH_BACKOFF)
        return at + (phase - at) % period

    def _plan_flush(self) -> None:
        """Five minutes after its last attempt a pod is tried again whatever has happened."""
        idle = [w.since for w in self._waiting.values() if w.timer is None]
        if self._flush is None and idle:
            due = self._next_tick(min(idle) + LONGEST_WAIT + 1, FLUSH_WAITING)
            self._flush = self._clock.at(due, self._flush_waiting)

    def _flush_waiting(self) -> None:
        self._flush = None
        for where, waiting in list(self._waiting.items()):
            if waiting.timer is None and self._clock.now - waiting.since > LONGEST_WAIT:
                self._try_again(where, waiting, Cause(AGAIN, None, what="five minutes of waiting"))
        self._plan_flush()

    # ---- hints: what could help whom

    def _node_helps(self, plugin: str, pod: Object, before: NodeInfo | None, after: NodeInfo) -> bool:
        """Whether the node, taken alone, would no longer be refused by the plugin."""
        spec = pod_spec(pod)
        domains = _domains(plugin, spec)
        if domains:
            return any(after.labels.get(d) != (before.labels.get(d) if before else None) for d in domains)
        if FILTERS[plugin](pod, spec, after, {after.name: after}) is not None:
            return False
        if before is None:
            return True
        if plugin == "NodeResourcesFit":
            asked = {**demand(spec).requests, "pods": 1}
            return any(after.allocatable.get(r, 0) > before.allocatable.get(r, 0) for r in asked)
        return FILTERS[plugin](pod, spec, before, {before.name: before}) is not None


def _pod_gone_helps(gone: Object, plugins: frozenset[str], pod: Object) -> bool:
    """Whether the end of a pod could make room for another (isSchedulableAfterPodChange of each plugin)."""
    if not plugins.isdisjoint(("NodeResourcesFit", "NodePorts")):
        return True
    spec = pod_spec(pod)
    if "PodTopologySpread" in plugins and _spread_with(spec, pod, gone):
        return True
    return "InterPodAffinity" in plugins and (
        any(means(term, pod, gone) for term in required_terms(spec, "podAntiAffinity"))
        or any(means(term, gone, pod) for term in required_terms(pod_spec(gone), "podAntiAffinity"))
    )


def _pod_there_helps(there: Object, plugins: frozenset[str], pod: Object) -> bool:
    """Whether a pod that has its node could open a place for another: it is one to be with, or it evens out a skew."""
    spec = pod_spec(pod)
    if "PodTopologySpread" in plugins and _spread_with(spec, pod, there):
        return True
    terms = required_terms(spec, "podAffinity")
    return "InterPodAffinity" in plugins and bool(terms) and all(means(term, pod, there) for term in terms)


def _spread_with(spec: PodSpec, pod: Object, other: Object) -> bool:
    return namespace(pod) == namespace(other) and any(
        meant(constraint, pod, other) for constraint in spec.topology_spread_constraints
    )


def _domains(plugin: str, spec: PodSpec) -> set[str]:
    """The labels of a node that tell the plugin to which rack, zone, … it belongs."""
    if plugin == "PodTopologySpread":
        return {c["topologyKey"] for c in spec.topology_spread_constraints}
    if plugin == "InterPodAffinity":
        return {t["topologyKey"] for which in ("podAffinity", "podAntiAffinity") for t in required_terms(spec, which)}
    return set()


def _asks_the_same(old: Object, new: Object) -> bool:
    """Whether an update of a waiting pod is only one of its status."""
    return bool(old["spec"] == new["spec"] and old["metadata"].get("labels") == new["metadata"].get("labels"))


def _could_matter(before: NodeInfo, after: NodeInfo) -> bool:
    """Whether more than a heartbeat has changed in a node."""
    return (before.labels, before.taints, before.unschedulable, before.allocatable) != (
        after.labels,
        after.taints,
        after.unschedulable,
        after.allocatable,
    )


def failure_text(refused: dict[str, Refusal]) -> str:
    """What the event says when no node can take the pod (pkg/scheduler/framework/types.go FitError.Error)."""
    if not refused:
        return "no nodes available to schedule pods"
    nodes = f"0/{len(refused)} nodes are available"
    preemption = [
        "No preemption victims found for incoming pod" if r.resolvable else "Preemption is not helpful for scheduling"
        for r in refused.values()
    ]
    why = _histogram([reason for r in refused.values() for reason in r.reasons])
    return f"{nodes}: {why}. no new claims to deallocate, preemption: {nodes}: {_histogram(preemption)}."


def _histogram(reasons: list[str]) -> str:
    """``2 Insufficient cpu, 1 …``, sorted as text."""
    return ", ".join(sorted(f"{reasons.count(reason)} {reason}" for reason in set(reasons)))
