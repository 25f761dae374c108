"""Pods for which room is being made: where, and how those that are in the way are removed.

Follows pkg/scheduler/backend/queue/nominator.go and pkg/scheduler/framework/preemption/executor.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import Clock, Process
from selfheal.errors import ApiError, Unavailable
from selfheal.events import SeriesRecorder
from selfheal.eviction import disrupted
from selfheal.informers import Informer
from selfheal.objects import Key, Object, key, name, replace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.scheduler.nodes import NodeInfo
from selfheal.scheduler.preemption import REASON, Plan, priority
from selfheal.store import Store

PREEMPT = rule("scheduler.preempt", "pkg/scheduler/framework/preemption/executor.go", "prepareCandidateAsync")


class Nominations:
    """The nodes that are kept for pods, until they are bound or gone."""

    def __init__(self, store: Store, pods: Informer, clock: Clock, chance: Chance, recorder: SeriesRecorder) -> None:
        self._store = store
        self._pods = pods
        self._clock = clock
        self._chance = chance
        self._recorder = recorder
        self._nodes: dict[Key, str] = {}
        self._making: set[Key] = set()

    def node(self, where: Key) -> str | None:
        """The node that is kept for a pod."""
        return self._nodes.get(where)

    def making(self, where: Key) -> bool:
        """Whether some victim has not been told to go yet; the pod is not tried before (PreEnqueue)."""
        return where in self._making

    def drop(self, where: Key) -> bool:
        """The pod needs no room any more; False if none was kept for it."""
        return self._nodes.pop(where, None) is not None

    def kept(self, pod: Object, nodes: Mapping[str, NodeInfo]) -> dict[str, NodeInfo]:
        """Nodes kept for others that matter no less than the pod, as they will be with them (addNominatedPods)."""
        found: dict[str, NodeInfo] = {}
        for where, node in self._nodes.items():
            other = self._pods.get(*where)
            if where != key(pod) and other is not None and node in nodes and priority(other) >= priority(pod):
                if node not in found:
                    found[node] = nodes[node].copy()
                found[node].add(other)
        return found

    def change(self, pod: Object, plans: tuple[Plan, ...], cause: Cause) -> None:
        """Keep the node of one of the plans for the pod and remove who is in the way; without a plan keep none."""
        where = key(pod)
        self.drop(where)
        if not plans:
            return
        tie = self._chance.stream("preemption", *where)
        plan = tie.choice(tie.next(), plans)
        for other, node in list(self._nodes.items()):
            rival = self._pods.get(*other)
            if node == plan.node and rival is not None and priority(rival) < priority(pod):
                self.drop(other)
                self._store.patch("Pod", *other, lambda p: replace(p, "status.nominatedNodeName", None), status=True)
        self._nodes[where] = plan.node
        victims = [v for v in plan.victims if not terminating(v)]
        if victims:
            self._making.add(where)
            self._clock.process(self._make_room(pod, plan.node, victims, cause))

    def _make_room(self, pod: Object, node: str, victims: list[Object], cause: Cause) -> Process:
        """All victims at once but the last one (prepareCandidateAsync)."""
        *others, last = [self._remove(victim, pod, node, cause) for victim in victims]
        yield from [self._clock.process(other) for other in others]
        yield from last
        self._making.discard(key(pod))

    def _remove(self, victim: Object, pod: Object, node: str, cause: Cause) -> Process:
        """PreemptPod: the condition says why, then the pod is deleted as by anyone else."""
        where = key(victim)
        why = Cause(PREEMPT, cause, pod=name(pod), priority=priority(pod), node=node, victim=name(victim))
        stream = self._chance.stream("preempt", *where)
        message = f"{self._recorder.component}: preempting to accommodate a higher priority pod"
        try:
            yield self._clock.sleep(latencies.draw("request", stream, stream.next()))
            target = partial(disrupted, reason=REASON, message=message, now=self._clock.timestamp())
            self._store.patch("Pod", *where, target, status=True, cause=why)
            yield self._clock.sleep(latencies.draw("request", stream, stream.next()))
            self._store.delete("Pod", *where, uid=uid(victim), cause=why)
        except Unavailable:
            answers = self._clock.event()
            self._store.when_up(answers.succeed)
            yield answers
            yield from self._remove(victim, pod, node, cause)
            return
        except ApiError:
            return  # it is gone already
        text = f"Preempted by pod {uid(pod)} on node {node}"
        self._recorder.event(victim, "Normal", "Preempted", text, action="Preempting", related=pod, cause=why)
