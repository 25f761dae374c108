"""One worker for each pod: the only one that acts on it, one sync after another (pkg/kubelet/pod_workers.go).

A worker's pod is *syncing*, then *terminating*, then *terminated*, and never goes back.
Requests that come while a sync runs collapse into one more. A sync may begin only when
the PLEG has a snapshot newer than the sync before; when it has ended, the pod is put
into the work queue, which is looked at once a second.

The regular resync of a pod at rest changes nothing. It is not executed; when the pod is
next touched, the resyncs that would have happened meanwhile are worked out, because they
decide whether the next sync must wait for a relist.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.kubelet.pleg import PLEG
from selfheal.objects import Object, uid
from selfheal.rules import Cause, rule
from selfheal.spec import pod_spec

RESYNC = 60 * SECOND
"""Regular resync of a pod, × [1, 1.5) (config syncFrequency; pod_workers.go workerResyncIntervalJitterFactor)."""
ERROR_RETRY = 10 * SECOND
"""Retry after an error, × [1, 1.5) (pod_workers.go backOffPeriod)."""
MAX_BACKOFF_WAIT = 60 * SECOND
"""A held-back start is looked at again after at most this, × [1, 1.5)."""
POLL = SECOND
"""How often the work queue is looked at (kubelet.go syncLoop, syncTicker)."""

SOURCE = "pkg/kubelet/pod_workers.go"
QUEUE = rule("queue.due", SOURCE, "completeWork")

REGULAR = "the regular resync"
SYNCING, TERMINATING, TERMINATED, FINISHED = "syncing", "terminating", "terminated", "finished"

Steps = Generator[simpy.Event, Any, Any]


class WorkQueue:
    """When the kubelet's loop looks at due entries: once a second, at a phase of its own for each node."""

    def __init__(self, clock: Clock, chance: Chance, node: str) -> None:
        self._clock = clock
        self._phase = int(chance.stream("node", node, "work queue").uniform(0) * POLL)

    def poll_after(self, due: int) -> int:
        """The first look at the queue at or after ``due`` (µs)."""
        return self._phase + max(0, -((self._phase - due) // POLL)) * POLL


class PodWorker:
    """The worker of one pod."""

    __slots__ = (
        "_cause",
        "_clock",
        "_first_cause",
        "_overdue",
        "_parked",
        "_parking",
        "_pending",
        "_pleg",
        "_process",
        "_queue",
        "_resync_due",
        "_settled",
        "_signal",
        "_stream",
        "_sync",
        "_timer",
        "cancelled",
        "deadline_watched",
        "ending",
        "evicted",
        "grace",
        "held_by",
        "last_sync",
        "mounted",
        "pod",
        "reasons",
        "state",
        "syncs",
        "uid",
    )

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        pleg: PLEG,
        queue: WorkQueue,
        pod: Object,
        *,
        sync: Callable[[PodWorker, Cause | None], Steps],
        settled: Callable[[PodWorker], bool],
        parking: bool,
    ) -> None:
        self._clock = clock
        self._pleg = pleg
        self._queue = queue
        self._sync = sync
        self._settled = settled
        self._parking = parking
        self.pod = pod
        self.uid = uid(pod)
        self.state = SYNCING
        self.mounted = False
        self.deadline_watched = False
        self.cancelled = clock.event()
        """Fires when the pod begins to terminate, or shall do so sooner: what a running sync waits for is given up."""
        self.grace: int | None = None
        """Grace period of a pod that somebody asked to terminate, in seconds; it only ever gets shorter."""
        self.held_by: Cause | None = None
        """Why the last sync could not do all it wanted."""
        self.ending: Cause | None = None
        """Why the pod began to terminate."""
        self.evicted: dict[str, str] = {}
        """What its status says, once the kubelet has evicted it."""
        self.reasons: dict[str, tuple[str, str]] = {}
        """The reason cache: container → (reason, message) of its last failed start."""
        self.last_sync: int | None = None
        self.syncs = 0
        self._stream = chance.fresh(self.uid, "worker")
        self._pending = False
        self._cause: Cause | None = None
        self._first_cause: Cause | None = None
        self._timer: Timer | None = None
        self._parked = False
        self._resync_due = 0
        self._overdue: tuple[int, int] | None = None
        """A resync that was parked and is about to begin: (when it was due, when it begins), in µs."""
        self._signal = clock.event()
        self._process = clock.process(self._run())

    # ---- requests

    def update(self, cause: Cause | None) -> None:
        """Ask for a sync (UpdatePod). One request is kept while another is served."""
        if self.state == FINISHED:
            return
        self._leave_park()
        self._pending = True
        self._cause = cause
        self._first_cause = self._first_cause or cause
        self._wake()

    def terminate(self, cause: Cause | None, grace: int | None = None) -> None:
        """Begin to stop the pod, or stop it sooner."""
        shorter = self._shorten(grace)
        if self.state == SYNCING:
            self.state = TERMINATING
            self.ending = cause
            shorter = True
        if shorter and self.state == TERMINATING and not self.cancelled.triggered:
            self.cancelled.succeed()
        self.update(cause)

    def _shorten(self, grace: int | None) -> bool:
        """Whether the grace period has become shorter than somebody asked before (calculateEffectiveGracePeriod)."""
        asked = (self.grace, self.pod["metadata"].get("deletionGracePeriodSeconds"), grace)
        known = [g for g in asked if g is not None]
        before = self.grace
        self.grace = max(1, min(known, default=pod_spec(self.pod).termination_grace_period_seconds))
        return before is not None and self.grace < before

    def finish(self) -> None:
        """Nothing is left to do."""
        self.state = FINISHED
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def halt(self) -> None:
        """The kubelet is gone in the middle of whatever it did."""
        self.state = FINISHED
        if self._timer is not None:
            self._timer.cancel()
        if self._process.is_alive and self._process is not self._clock.env.active_process:
            self._process.interrupt("power cut")

    def _wake(self) -> None:
        if not self._signal.triggered:
            self._signal.succeed()

    # ---- the loop

    def _run(self) -> Steps:
        with suppress(simpy.Interrupt):
            yield from self._loop()

    def _loop(self) -> Steps:
        """podWorkerLoop."""
        clock = self._clock
        while self.state != FINISHED:
            if self._overdue is not None:
                (due, begun), self._overdue = self._overdue, None
                cause: Cause | None = Cause(QUEUE, self._first_cause, at=due, why=REGULAR)
                yield clock.sleep(begun - clock.now)
            elif self._pending:
                self._pending, cause = False, self._cause
                at = self._pleg.newer_than(self.uid, self.last_sync)
                if at > clock.now:
                    yield clock.sleep(at - clock.now)
                yield clock.sleep(self._begin())
            else:
                self._signal = clock.event()
                yield self._signal
                continue
            if self.state == FINISHED:
                return
            if self.state != SYNCING:
                cause = self.ending  # whatever asked last, this is why the pod is being stopped
                if self.cancelled.triggered:
                    self.cancelled = clock.event()
            outcome = yield from self._sync(self, cause)
            self.last_sync = clock.now
            self._complete_work(outcome)

    def _begin(self) -> int:
        """A sync has been let through: how long until it begins, in µs."""
        self.syncs += 1
        return latencies.draw("sync", self._stream, 2 * self.syncs)

    def _jitter(self) -> float:
        return 1 + self._stream.uniform(2 * self.syncs + 1) / 2

    def _complete_work(self, outcome: str | int | None) -> None:
        """Put the pod back into the work queue (completeWork).

        ``outcome`` is None for success, ``"now"`` after a change of the worker's state,
        ``"error"``, or the time (µs) until which a start is held back.
        """
        now = self._clock.now
        if self.state == FINISHED:
            return
        if outcome is None:
            due, why = now + int(RESYNC * self._jitter()), REGULAR
        elif outcome == "now":
            due, why = now, "the pod has moved on to the next state"
        elif outcome == "error":
            due, why = now + int(ERROR_RETRY * self._jitter()), "a retry after an error"
        else:
            assert isinstance(outcome, int)
            rest = max(0, min(outcome - now, MAX_BACKOFF_WAIT))
            due, why = now + int(rest * self._jitter()), "the rest of the back-off, × 1 to 1.5, is over"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if outcome is None and self._parking and not self._pending and self._settled(self):
            self._parked = True
            self._resync_due = due
            return
        parent = self._first_cause if outcome is None else self.ending if outcome == "now" else self.held_by
        self._wait_for(self._queue.poll_after(due), why, parent)

    def _wait_for(self, poll: int, why: str, parent: Cause | None) -> None:
        """The pod's entry in the work queue: it asks for a sync at ``poll`` (µs)."""
        self._timer = self._clock.at(poll, lambda: self.update(Cause(QUEUE, parent, at=poll, why=why)))

    def _leave_park(self) -> None:
        """Work out the resyncs that would have run since the pod came to rest."""
        if not self._parked:
            return
        self._parked = False
        now = self._clock.now
        while True:
            poll = self._queue.poll_after(self._resync_due)
            if poll > now:
                self._wait_for(
                    poll, REGULAR, self._first_cause
                )  # it lies ahead; until it is cancelled by a sync it counts
                return
            begun = poll + self._begin()
            if begun > now:
                self._overdue = (poll, begun)  # it is just about to begin; whatever comes now waits for its end
                self._wake()
                return
            self.last_sync = begun
            self._resync_due = begun + int(RESYNC * self._jitter())
