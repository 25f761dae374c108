"""One sync of a DaemonSet: what each node should have, then the rolling update, then the status.

The pods are looked at anew for each of the three, as the cache has them by then. So the status may already
tell of a pod that the same sync has created, or not yet.

Follows pkg/controller/daemon/daemon_controller.go and update.go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

import simpy

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process
from selfheal.controllers import pods as podutil
from selfheal.controllers.daemonset.backoff import Backoff
from selfheal.controllers.daemonset.placement import Fit, fit, on_node, pod_template, target
from selfheal.controllers.deployment.arithmetic import scaled
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.podcontrol import PodControl, slow_start_in_time
from selfheal.controllers.revisions import HASH
from selfheal.errors import ApiError, Conflict, NotFound
from selfheal.events import EventRecorder
from selfheal.objects import Key, Object, key, labels, name, namespace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

SOURCE = "pkg/controller/daemon/daemon_controller.go"

BURST_REPLICAS = 250
"""Pods created in one step of a sync, and as many deleted."""

CREATE = rule("daemonset.create", SOURCE, "podsShouldBeOnNode")
MISPLACED = rule("daemonset.misplaced", SOURCE, "podsShouldBeOnNode")
ENDED = rule("daemonset.ended", SOURCE, "podsShouldBeOnNode")
TOO_MANY = rule("daemonset.too-many", SOURCE, "podsShouldBeOnNode")
UPDATE = rule("daemonset.update", "pkg/controller/daemon/update.go", "rollingUpdate")
SURGE = rule("daemonset.surge", "pkg/controller/daemon/update.go", "rollingUpdate")
SURGED = rule("daemonset.surged", "pkg/controller/daemon/update.go", "rollingUpdate")
STATUS = rule("daemonset.status", SOURCE, "updateDaemonSetStatus")

Wait = Callable[[], simpy.Event]
ByNode = dict[str, list[Object]]
Reasons = list[tuple[Object, Cause]]
"""Pods to delete, and why."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a sync needs of its controller."""

    store: Store
    recorder: EventRecorder
    control: PodControl
    expectations: Expectations
    backoff: Backoff
    clock: Clock
    chance: Chance
    pods: Callable[[Object, Cause | None], list[Object]]
    """The pods of a DaemonSet, as the cache has them at the moment."""
    again: Callable[[Key, int, Cause | None], object]
    """Sync once more after some µs."""
    request: Wait
    """As long as a request to the API server takes."""


class Sync:
    """One sync, for the nodes as they are at its beginning. ``digest`` names the present revision."""

    def __init__(self, tools: Tools, owner: Object, nodes: Iterable[Object], digest: str, cause: Cause | None) -> None:
        self._tools = tools
        self._owner = owner
        self._nodes = {name(n): n for n in nodes}
        self._fits = {called: fit(owner, node) for called, node in self._nodes.items()}
        self._digest = digest
        self._cause = cause

    def run(self) -> Process:
        """Manage, update, write the status; raises the first error when all is done (syncDaemonSet)."""
        where, error = key(self._owner), None
        observed = self._tools.expectations.satisfied(where)
        if observed:
            try:
                yield from self._manage()
                rolling = self._strategy().get("type") == "RollingUpdate"
                if rolling and self._tools.expectations.satisfied(where):
                    yield from self._roll()
            except ApiError as failed:
                error = failed
        self._write_status(observed=observed)
        if error is not None:
            raise error

    def _strategy(self) -> Object:
        found: Object = self._owner["spec"].get("updateStrategy") or {}
        return found

    # ---- what is where

    def _by_node(self) -> ByNode:
        """Pods by the node they are or will be on, without those that have ended and are on their way out."""
        found: ByNode = {}
        for pod in self._tools.pods(self._owner, self._cause):
            if podutil.finished(pod) and terminating(pod):
                continue
            node = target(pod)
            if node is not None:
                found.setdefault(node, []).append(pod)
        for some in found.values():
            some.sort(key=_oldest_first)
        return found

    def _available(self, pod: Object) -> bool:
        return podutil.available(pod, self._owner["spec"].get("minReadySeconds", 0), self._tools.clock)

    def _updated(self, pod: Object) -> bool:
        """Whether the pod is of the present revision (IsPodUpdated)."""
        return labels(pod).get(HASH) == self._digest

    def _allows_surge(self) -> bool:
        return self._limit("maxSurge", 1) > 0

    def _limit(self, which: str, of: int) -> int:
        """maxSurge or maxUnavailable as a number of nodes."""
        rolling = self._strategy().get("rollingUpdate") or {}
        return scaled(rolling.get(which, 0), of, up=True) if self._strategy().get("type") == "RollingUpdate" else 0

    # ---- manage

    def _manage(self) -> Process:
        """One pod on each node that should have one; none on the others (manage)."""
        there = self._by_node()
        create: list[str] = []
        delete: Reasons = []
        for called in self._nodes:
            wants, goes = self._on_node(called, self._fits[called], there.get(called, []))
            create += wants
            delete += goes
        for called, some in there.items():
            if called not in self._nodes:
                # Nobody else would remove a pod that waits for a node that does not exist.
                delete += [(p, self._why(TOO_MANY, called, p)) for p in some if not p["spec"].get("nodeName")]
        yield from self._sync_nodes([(node, self._why(CREATE, node)) for node in create], delete)

    def _on_node(self, node: str, fits: Fit, there: list[Object]) -> tuple[list[str], Reasons]:
        """(the node if it needs a pod, pods to delete) (podsShouldBeOnNode)"""
        if fits.run and not there:
            return [node], []
        staying = [p for p in there if not terminating(p)]
        if not fits.stay:
            return [], [(p, self._why(MISPLACED, node, p)) for p in staying]
        delete: Reasons = []
        running: list[Object] = []
        for pod in staying:
            if podutil.finished(pod):
                delete += self._ended(node, pod)
            else:
                running.append(pod)
        if not self._allows_surge():
            return [], delete + [(p, self._why(TOO_MANY, node, p)) for p in running[1:]]
        if not running:
            return [node] if fits.run else [], delete
        if len(running) > 1:
            delete += self._surplus(node, running)
        return [], delete

    def _ended(self, node: str, pod: Object) -> Reasons:
        """A pod that has ended is deleted; one that has failed only when its back-off is over."""
        where, now = f"{namespace(pod)}/{name(pod)} on node {node}", self._tools.clock.now
        why = self._why(ENDED, node, pod)
        if podutil.phase(pod) == "Succeeded":
            text = f"Found succeeded daemon pod {where}, will try to delete it"
            self._tools.recorder.event(self._owner, "Normal", "SucceededDaemonPod", text, cause=why)
            return [(pod, why)]
        who = (uid(self._owner), self._owner["status"].get("observedGeneration", 0), node)
        wait = self._tools.backoff.waiting(who, now)
        if wait:
            self._tools.again(key(self._owner), wait, self._cause)
            return []
        self._tools.backoff.next(who, now)
        text = f"Found failed daemon pod {where}, will try to kill it"
        self._tools.recorder.event(self._owner, "Warning", "FailedDaemonPod", text, cause=why)
        return [(pod, why)]

    def _surplus(self, node: str, running: list[Object]) -> Reasons:
        """With maxSurge a node may have two: an old pod that is ready, and a new one that is not yet."""
        new = [p for p in running if self._updated(p)]
        old = [p for p in running if not self._updated(p)]
        delete = [(p, self._why(TOO_MANY, node, p)) for p in [*new[1:], *old[1:]]]
        if new and old and (not podutil.ready(old[0]) or self._available(new[0])):
            delete.append((old[0], self._why(SURGED, node, old[0])))
        return delete

    def _why(self, which: str, node: str, pod: Object | None = None, **more: Any) -> Cause:
        inputs = {"owner": name(self._owner), "node": node, **more}
        if pod is not None:
            inputs |= {"object": name(pod), "phase": podutil.phase(pod)}
        return Cause(which, self._cause, **inputs)

    # ---- rolling update

    def _roll(self) -> Process:
        """rollingUpdate"""
        there = self._by_node()
        wanted = [n for n, fits in self._fits.items() if fits.run]
        for node in wanted:
            there.setdefault(node, [])
        surge, limit = self._limit("maxSurge", len(wanted)), self._limit("maxUnavailable", len(wanted))
        if surge:
            create, delete = self._surge(there, surge, len(wanted))
            yield from self._sync_nodes(create, delete)
        else:
            yield from self._sync_nodes([], self._replace(there, limit or 1))

    def _replace(self, there: ByNode, limit: int) -> Reasons:
        """Without surge: old pods that are no use go at once, then good ones, as far as nodes may be without."""
        useless: list[tuple[str, Object]] = []
        good: list[tuple[str, Object]] = []
        unavailable = 0
        for node, some in there.items():
            new, old, clear = self._versions(some)
            if not clear or (new is None) == (old is None):
                unavailable += 1
            elif new is not None:
                unavailable += not self._available(new)
            elif old is not None and self._available(old):
                good.append((node, old))
            elif old is not None:
                useless.append((node, old))
                unavailable += 1
        chosen = useless + self._any_of(good, limit - unavailable)
        return [(p, self._why(UPDATE, node, p, unavailable=unavailable, limit=limit)) for node, p in chosen]

    def _surge(self, there: ByNode, limit: int, wanted: int) -> tuple[list[tuple[str, Cause]], Reasons]:
        """With surge: new pods beside old ones; an old one goes when its successor is available."""
        now: list[str] = []
        candidates: list[tuple[str, Object]] = []
        delete: Reasons = []
        leaving: list[tuple[str, Object]] = []
        surging = available = 0
        for node, some in there.items():
            new, old, clear = self._versions(some)
            if not clear:
                surging += 1
                continue
            kept = old or new
            available += kept is not None and self._available(kept)
            if old is None:
                continue
            runs = node in self._fits and self._fits[node].run
            if new is not None:
                if self._available(new):
                    delete.append((old, self._why(SURGED, node, old)))
                else:
                    surging += 1
            elif self._available(old):
                (candidates if runs else leaving).append((node, old))
            elif runs:
                now.append(node)
            else:
                delete.append((old, self._why(SURGED, node, old)))
        delete += [(p, self._why(MISPLACED, n, p)) for n, p in leaving[: max(0, available - wanted)]]
        chosen = now + [node for node, _ in self._any_of(candidates, limit - surging)]
        return [(node, self._why(SURGE, node, limit=limit)) for node in chosen], delete

    def _versions(self, some: list[Object]) -> tuple[Object | None, Object | None, bool]:
        """(the new pod, the old pod, whether there is at most one of each) (findUpdatedPodsOnNode)"""
        staying = [p for p in some if not terminating(p)]
        new = [p for p in staying if self._updated(p)]
        old = [p for p in staying if not self._updated(p)]
        if len(new) > 1 or len(old) > 1:
            return None, None, False
        return new[0] if new else None, old[0] if old else None, True

    def _any_of(self, some: list[tuple[str, Object]], count: int) -> list[tuple[str, Object]]:
        """Some of the nodes, in no order: Kubernetes walks through a map."""
        if count <= 0 or not some:
            return []
        where, stream = key(self._owner), self._tools.chance.stream
        draw = stream("daemonset order", *where).next()
        return sorted(some, key=lambda pair: stream("daemonset order", *where, pair[0]).bits(draw))[:count]

    # ---- creating and deleting

    def _sync_nodes(self, create: list[tuple[str, Cause]], delete: Reasons) -> Generator[simpy.Event, Any, None]:
        """syncNodes; raises the first error."""
        where, tools = key(self._owner), self._tools
        wanted = min(len(create), BURST_REPLICAS)
        allowed = tools.control.allowed(wanted, lambda us: tools.again(where, us, self._cause))
        create, delete = create[:allowed], delete[:BURST_REPLICAS]
        tools.expectations.expect(where, len(create), [key(p) for p, _ in delete])
        template = pod_template(self._owner, self._digest) if create else {}
        todo = iter(create)

        def make() -> None:
            node, why = next(todo)
            tools.control.create(on_node(template, node), self._owner, why)

        done, error = yield from slow_start_in_time(len(create), make, tools.request)
        for _ in range(len(create) - done):
            tools.expectations.creation_observed(where)
        for pod, why in delete:
            try:
                tools.control.delete(pod, self._owner, why)
            except ApiError as failed:
                tools.expectations.deletion_observed(where, key(pod))
                if not isinstance(failed, NotFound):
                    error = error or failed
        if delete:
            yield tools.request()
        if error is not None:
            raise error

    # ---- the status

    def _write_status(self, *, observed: bool) -> None:
        """updateDaemonSetStatus: what the cache knows by now; at most one write."""
        there = self._by_node()
        wanted = [n for n, fits in self._fits.items() if fits.run]
        first = [there[n][0] for n in wanted if there.get(n)]
        ready = [p for p in first if podutil.ready(p)]
        available = sum(self._available(p) for p in ready)
        counts = {
            "desiredNumberScheduled": len(wanted),
            "currentNumberScheduled": len(first),
            "numberMisscheduled": sum(1 for n, fits in self._fits.items() if not fits.run and there.get(n)),
            "numberReady": len(ready),
            "updatedNumberScheduled": sum(self._updated(p) for p in first),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
        }
        before, generation = self._owner["status"], self._owner["metadata"]["generation"]
        if any(before.get(k, 0) != v for k, v in counts.items()) or before.get("observedGeneration", 0) < generation:
            self._store_status({**counts, "observedGeneration": generation} if observed else counts)
        wait = self._owner["spec"].get("minReadySeconds", 0)
        if wait and len(ready) != available:
            self._tools.again(key(self._owner), wait * SECOND, self._cause)

    def _store_status(self, news: Object) -> None:
        """Write what is new; after a conflict once more, on the latest version (storeDaemonSetStatus)."""
        owner = self._owner
        why = Cause(
            STATUS,
            self._cause,
            owner=name(owner),
            desired=news["desiredNumberScheduled"],
            ready=news["numberReady"],
        )

        def changed(found: Object) -> Object:
            return {**found, "status": {k: v for k, v in {**found["status"], **news}.items() if v or k in ALWAYS}}

        try:
            self._tools.store.update_status(changed(owner), cause=why)
        except Conflict:
            latest = self._tools.store.get(owner["kind"], *key(owner))
            if latest is not None and uid(latest) == uid(owner):
                self._tools.store.update_status(changed(latest), cause=why)


ALWAYS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
"""Numbers that stand in the status even if they are 0."""


def _oldest_first(pod: Object) -> tuple[bool, str, str]:
    """Pods on their node before pods on their way, then by age (podByCreationTimestampAndPhase)."""
    return not pod["spec"].get("nodeName"), pod["metadata"]["creationTimestamp"], name(pod)
