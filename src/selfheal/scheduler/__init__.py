"""The scheduler: gives each new pod a node.

One pod at a time: which nodes may take it (:mod:`~selfheal.scheduler.filters`), which of them is best
(:mod:`~selfheal.scheduler.scores`), then the binding is written. A pod that fits nowhere may have others deleted that
matter less (:mod:`~selfheal.scheduler.preemption`); it waits, and is tried again only when something has changed that
could help it (or after five minutes). Then it is tried at once, however often it has failed: its back-off only lets
others go first (:mod:`~selfheal.scheduler.queue`).

Follows pkg/scheduler/schedule_one.go and pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

from functools import partial

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.events import SeriesRecorder
from selfheal.informers import Informers
from selfheal.objects import Key, Object, condition, key, name, namespace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.scheduler import preemption
from selfheal.scheduler.filters import Refusal, histogram, refusals
from selfheal.scheduler.hints import Hint, could_matter, node_helps, pod_gone_helps, pod_there_helps
from selfheal.scheduler.nodes import NodeInfo
from selfheal.scheduler.nominations import Nominations
from selfheal.scheduler.queue import Waiting, rank
from selfheal.scheduler.scores import scores
from selfheal.spec import pod_spec
from selfheal.store import Store
from selfheal.watches import WatchEvent

FLUSH_WAITING = 30 * SECOND
"""How often it is looked for pods that have waited too long (µs)."""
LONGEST_WAIT = 300 * SECOND
"""A pod that fits nowhere is tried again after this long even if nothing has changed (µs)."""

NAME = "default-scheduler"

BOUND = rule("scheduler.bind", "pkg/scheduler/schedule_one.go", "schedulePod")
UNSCHEDULABLE = rule("scheduler.unschedulable", "pkg/scheduler/schedule_one.go", "handleSchedulingFailure")
GATED = rule("scheduler.gated", "pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go", "PreEnqueue")
AGAIN = rule("scheduler.requeue", "pkg/scheduler/backend/queue/scheduling_queue.go", "moveAllToActiveOrBackoffQueue")


class Scheduler:
    """Binds pods to nodes. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._pods = informers["Pod"]
        self._services = informers["Service"]
        self._budgets = informers["PodDisruptionBudget"]
        self._clock = clock
        self._chance = chance
        self._recorder = SeriesRecorder(store, clock, chance, NAME)
        self._nodes: dict[str, NodeInfo] = {}
        self._in_flight: dict[Key, int] = {}
        """Pods whose decision is not written yet; from which of the changes on it does not know them."""
        self._changes: list[tuple[Hint, Cause]] = []
        """What has changed while decisions were in flight."""
        self.waiting: dict[Key, Waiting] = {}
        """Pods that fitted nowhere when they were tried last."""
        self._failures: dict[Key, int] = {}
        """How often a pod without a node has fitted nowhere."""
        self._nominations = Nominations(store, self._pods, clock, chance, self._recorder)
        self._flush: Timer | None = None
        informers["Node"].handle(self._node_changed)
        self._pods.handle(self._pod_changed)

    # ---- what changes

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, where = event.object, event.key
        node = pod["spec"].get("nodeName")
        gone = event.type == "DELETED" or pod["status"].get("phase") in ("Succeeded", "Failed")
        if gone:
            self._settled(where)
            if self._nominations.drop(where) or (node and self._info(node).remove(where)):
                self._wake(event.cause, "the end of a pod", partial(pod_gone_helps, pod))
        elif node:
            self._settled(where)
            self._nominations.drop(where)
            there = self._info(node).pods.get(where)
            new = there is None or not there.pod["spec"].get("nodeName")
            self._info(node).add(pod)
            if new:
                self._wake(event.cause, "a pod on its node", partial(pod_there_helps, pod))
        elif pod["spec"].get("schedulerName", NAME) == NAME and not terminating(pod):
            waiting = self.waiting.get(where)
            if waiting is not None and event.old is not None and _asks_the_same(event.old, pod):
                return
            if where not in self._in_flight:
                self.waiting.pop(where, None)
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
        if before is None or could_matter(before, after):
            self._wake(
                event.cause,
                "a new node" if before is None else "a change of a node",
                lambda plugins, pod: node_helps(plugins, pod, before, after),
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
        refused, kept = self._refusals(pod, nodes)
        feasible = [info for called, info in nodes.items() if called not in refused]
        self._in_flight[where] = len(self._changes)
        if not feasible:
            plugins = frozenset(r.plugin for r in refused.values())
            why = self._no_room(pod, kept, refused, cause)
            self._clock.after(delay, lambda: self._failed(pod, plugins, why))
            return
        feasible = [info for info in feasible if info.name == self._nominations.node(where)] or feasible
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

    def _refusals(self, pod: Object, nodes: dict[str, NodeInfo]) -> tuple[dict[str, Refusal], dict[str, NodeInfo]]:
        """(who refuses the pod, the nodes with those for which room is being made there)

        Such room is not free for a pod of no higher priority: it must fit with them and, since they may never come,
        without them (RunFilterPluginsWithNominatedPods).
        """
        refused = refusals(pod, nodes)
        kept = self._nominations.kept(pod, nodes)
        for node in kept:
            refused = {**refused, **refusals(pod, {**nodes, **kept}, only=node)}
        return refused, {**nodes, **kept}

    def _no_room(
        self, pod: Object, nodes: dict[str, NodeInfo], refused: dict[str, Refusal], cause: Cause | None
    ) -> Cause:
        """Perhaps others are told to make room, at once, so that the next pod knows of it; returns why (PostFilter)."""
        verdict = preemption.preempt(pod, nodes, refused, self._budgets.list()) if nodes else None
        why = Cause(UNSCHEDULABLE, cause, nodes=len(refused), why=failure_text(refused, verdict))
        if verdict is not None and not verdict.keeps:
            self._nominations.change(pod, verdict.plans, why)
        return why

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

    def _failed(self, pod: Object, plugins: frozenset[str], why: Cause) -> None:
        """handleSchedulingFailure: an event, a condition, and the pod waits; perhaps for room that is being made."""
        where = key(pod)
        if self._store.down:
            self._store.when_up(lambda: self._failed(pod, plugins, why))
            return
        missed = self._landed(where)
        current = self._store.get("Pod", *where)
        if current is None or uid(current) != uid(pod):
            self._settled(where)
            self._next_of_that_name(pod, why.parent)
            return
        message = why.inputs["why"]
        failures = self._failures[where] = self._failures.get(where, 0) + 1
        self.waiting[where] = Waiting(plugins, self._clock.now, failures)
        self._recorder.event(pod, "Warning", "FailedScheduling", message, action="Scheduling", cause=why)
        self._set_condition(pod, "Unschedulable", message, why)
        again = next((again for helps, again in missed if self._helped(where, helps)), None)
        if again is None:
            self._plan_flush()
        else:
            self._try_again([where], again)

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
            status = {k: v for k, v in current["status"].items() if k != "nominatedNodeName"}
            nominated = self._nominations.node(key(pod))
            if nominated:
                status["nominatedNodeName"] = nominated
            return {**current, "status": {**status, "conditions": [*others, new]}}

        if self._store.get("Pod", *key(pod)) is not None:
            self._store.patch("Pod", *key(pod), change, status=True, cause=cause)

    # ---- waiting

    def _settled(self, where: Key) -> None:
        """The pod has a node now, or needs none any more."""
        self.waiting.pop(where, None)
        self._failures.pop(where, None)

    def _wake(self, cause: Cause | None, what: str, helps: Hint) -> None:
        """Try those again whom a change could help (queueing hints)."""
        again = Cause(AGAIN, cause, what=what)
        if self._in_flight:
            self._changes.append((helps, again))
        self._try_again([where for where in self.waiting if self._helped(where, helps)], again)

    def _helped(self, where: Key, helps: Hint) -> bool:
        pod = self._pods.get(*where)
        return pod is not None and not self._nominations.making(where) and helps(self.waiting[where].plugins, pod)

    def _try_again(self, pods: list[Key], cause: Cause) -> None:
        now = self._clock.now
        for where in sorted(pods, key=lambda where: rank(self._pods.get(*where), self.waiting[where], now)):
            del self.waiting[where]
            self._schedule(where, cause)

    def _plan_flush(self) -> None:
        """Five minutes after its last attempt a pod is tried again whatever has happened."""
        if self._flush is None and self.waiting:
            due = min(w.since for w in self.waiting.values()) + LONGEST_WAIT + 1
            phase = self._chance.stream("scheduler", "flush").between(0, 0, FLUSH_WAITING)
            self._flush = self._clock.at(due + (phase - due) % FLUSH_WAITING, self._flush_waiting)

    def _flush_waiting(self) -> None:
        self._flush = None
        cause = Cause(AGAIN, None, what="five minutes of waiting")
        late = [where for where, waiting in self.waiting.items() if self._clock.now - waiting.since > LONGEST_WAIT]
        self._try_again(late, cause)
        self._plan_flush()


def _asks_the_same(old: Object, new: Object) -> bool:
    """Whether an update of a waiting pod is only one of its status."""
    return bool(old["spec"] == new["spec"] and old["metadata"].get("labels") == new["metadata"].get("labels"))


def failure_text(refused: dict[str, Refusal], verdict: preemption.Verdict | None) -> str:
    """What the event says when no node can take the pod (pkg/scheduler/framework/types.go FitError.Error).

    If room is being made it says no more than that there is none.
    """
    if verdict is None:
        return "no nodes available to schedule pods"
    why = histogram([reason for r in refused.values() for reason in r.reasons])
    text = f"0/{len(refused)} nodes are available: {why}."
    return text if verdict.plans else f"{text} no new claims to deallocate, preemption: {verdict.text}"
