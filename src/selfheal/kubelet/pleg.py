"""The pod lifecycle event generator: how the kubelet notices what its runtime did (pkg/kubelet/pleg/generic.go).

The generic PLEG lists all containers about once a second (a *relist*), compares with
the list before, and makes an event of each difference. An exit that the kubelet did not
cause is therefore seen 0 to 1 s late. Right after a sync that acted, only that pod is
relisted, so a start shows within some ten milliseconds.

A relist that would find nothing is not executed: the times of relists are known in
advance, so only those are, before which something has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.rules import Cause, rule
from selfheal.runtime import Container as RuntimeContainer
from selfheal.runtime import Runtime

RELIST = rule("pleg.relist", "pkg/kubelet/pleg/generic.go", "Relist")
SANDBOX = rule("pleg.sandbox", "pkg/kubelet/pleg/generic.go", "Relist")


@dataclass(frozen=True, slots=True)
class ContainerSnapshot:
    """One container as the last relist saw it. Times in µs of cluster time."""

    id: str
    name: str
    state: str
    """created, running or exited"""
    attempt: int
    image: str
    created_at: int
    started_at: int | None
    finished_at: int | None
    exit_code: int | None
    reason: str
    message: str
    cause: Cause | None
    """Why it was started, or, once it has ended, why it ended."""

    @classmethod
    def of(cls, c: RuntimeContainer, *, running: bool = False) -> ContainerSnapshot:
        """A container as it is, or, with ``running``, as it was before it ended."""
        if running:
            return cls(
                c.id,
                c.name,
                "running",
                c.attempt,
                c.image,
                c.created_at,
                c.started_at,
                None,
                None,
                "",
                "",
                c.started_by,
            )
        return cls(
            c.id,
            c.name,
            c.state,
            c.attempt,
            c.image,
            c.created_at,
            c.started_at,
            c.finished_at,
            c.exit_code,
            c.reason,
            c.message,
            c.started_by if c.cause is None else c.cause,
        )


@dataclass(frozen=True, slots=True)
class PodSnapshot:
    """One pod as the last relist saw it (kubecontainer.PodStatus)."""

    sandbox_id: str | None
    sandbox_ready: bool
    ip: str
    containers: tuple[ContainerSnapshot, ...]
    """All instances that the runtime still keeps, newest first."""

    def newest(self, name: str) -> ContainerSnapshot | None:
        """The newest instance of a container."""
        return next((c for c in self.containers if c.name == name), None)

    def newest_exited(self, name: str) -> ContainerSnapshot | None:
        """The newest instance of a container that has ended."""
        return next((c for c in self.containers if c.name == name and c.state == "exited"), None)


EMPTY = PodSnapshot(None, False, "", ())


class PLEG:
    """Relists of one node."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        runtime: Runtime,
        node: str,
        on_event: Callable[[str, Cause, list[str]], None],
    ) -> None:
        self.clock = clock
        self._chance = chance
        self._runtime = runtime
        self._on_event = on_event
        stream = chance.stream("node", node, "relist")
        self._stream = stream
        self._phase = int(stream.uniform(0) * SECOND)
        # the timer is re-armed when a relist ends, so the phase drifts by the relist's own duration
        self._period = SECOND + stream.between(1, 1_500, 5_000)
        self._dirty: dict[str, None] = {}
        self._timer: Timer | None = None
        self._snapshots: dict[str, PodSnapshot] = {}
        self._modified: dict[str, int] = {}
        self._on_demand: dict[str, int] = {}
        self._first = clock.now if not runtime.sandboxes else self.next_relist(clock.now)
        runtime.on_change = self._changed
        for pod_uid in runtime.sandboxes:
            self._changed(pod_uid)

    # ---- when

    def next_relist(self, after: int) -> int:
        """The first relist that begins later than ``after`` (µs)."""
        k = (after - self._phase) // self._period + 1
        return self._phase + max(0, k) * self._period

    def newer_than(self, pod_uid: str, since: int | None) -> int:
        """From when on there is a snapshot of the pod newer than ``since`` (cache.go GetNewerThan).

        None: any snapshot will do, once this kubelet has made its first relist.
        """
        if since is None:
            return max(self.clock.now, self._first)
        if self._modified.get(pod_uid, -1) > since:
            return self.clock.now
        relist = self.next_relist(since)
        on_demand = self._on_demand.get(pod_uid)
        if on_demand is not None and on_demand > since:
            relist = min(relist, on_demand)
        return max(self.clock.now, relist)

    def snapshot(self, pod_uid: str) -> PodSnapshot:
        """The pod as last seen."""
        return self._snapshots.get(pod_uid, EMPTY)

    # ---- relists

    def _changed(self, pod_uid: str) -> None:
        """The runtime did something: the next relist will find it."""
        self._dirty[pod_uid] = None
        if self._timer is None:
            self._timer = self.clock.at(self.next_relist(self.clock.now), self._relist)

    def _relist(self) -> None:
        self._timer = None
        dirty, self._dirty = self._dirty, {}
        for pod_uid in dirty:
            self._look(pod_uid)

    def request_relist(self, pod_uid: str, number: int) -> None:
        """After a sync that acted: look at this pod alone, at once (RequestRelist, gate PLEGOnDemandRelist)."""
        at = self.clock.now + latencies.draw("on-demand relist", self._stream, number)
        self._on_demand[pod_uid] = at

        def look() -> None:
            self._on_demand.pop(pod_uid, None)
            self._modified[pod_uid] = self.clock.now
            self._dirty.pop(pod_uid, None)
            self._look(pod_uid)

        self.clock.at(at, look)

    def look_now(self, pod_uid: str) -> PodSnapshot:
        """The pod as it is at this moment, past the cache (used when a pod ends)."""
        return self._take(pod_uid, self._runtime.containers_of(pod_uid))

    def _look(self, pod_uid: str) -> None:
        """Compare with the snapshot before; one event to the kubelet's loop for what has started or ended."""
        old = self._snapshots.get(pod_uid, EMPTY)
        containers = self._runtime.containers_of(pod_uid)
        unreaped = [c for c in containers if c.state == "exited" and c.started_at is not None and not self._reaped(c)]
        new = self._take(pod_uid, containers, unreaped)
        if unreaped:
            self._changed(pod_uid)  # the next relist will see how they ended
        if new is EMPTY:
            self._snapshots.pop(pod_uid, None)
        else:
            self._snapshots[pod_uid] = new
        before = {c.id: c.state for c in old.containers}
        changed = [c for c in new.containers if c.state in ("running", "exited") and before.get(c.id) != c.state]
        if changed:
            first = changed[0]
            died = [c.name for c in changed if c.state == "exited"]
            why = Cause(RELIST, first.cause, at=self.clock.now, container=first.name, state=first.state)
            self._on_event(pod_uid, why, died)
            return
        if new.sandbox_ready != old.sandbox_ready or (new.sandbox_id != old.sandbox_id and new.sandbox_id):
            state = "ready" if new.sandbox_ready else "stopped"
            sandbox = self._runtime.sandboxes.get(pod_uid)
            made_by = None if sandbox is None else sandbox.cause
            why = Cause(SANDBOX, made_by, at=self.clock.now, state=state)
            self._on_event(pod_uid, why, [])

    def _reaped(self, c: RuntimeContainer) -> bool:
        """Whether the runtime knows by now that the process has ended."""
        if c.reason == "Unknown":
            return True  # a runtime that boots has no process to wait for
        stream = self._chance.stream(c.pod_uid, c.name, "reap")
        return c.finished_at is None or self.clock.now - c.finished_at >= latencies.draw("reap", stream, c.attempt)

    def _take(
        self, pod_uid: str, containers: list[RuntimeContainer], unreaped: Sequence[RuntimeContainer] = ()
    ) -> PodSnapshot:
        sandbox = self._runtime.sandboxes.get(pod_uid)
        if sandbox is None and not containers:
            return EMPTY
        newest_first = sorted(containers, key=lambda c: (c.created_at, c.attempt), reverse=True)
        return PodSnapshot(
            None if sandbox is None else sandbox.id,
            sandbox is not None and sandbox.ready,
            "" if sandbox is None else sandbox.ip,
            tuple(ContainerSnapshot.of(c, running=c in unreaped) for c in newest_first),
        )

    def halt(self) -> None:
        """The kubelet is gone: nothing is listed any more."""
        self._runtime.on_change = lambda _: None
        if self._timer is not None:
            self._timer.cancel()
        self._dirty.clear()

    def forget(self, pod_uid: str) -> None:
        """The pod is gone."""
        for book in (self._snapshots, self._modified, self._on_demand):
            book.pop(pod_uid, None)
