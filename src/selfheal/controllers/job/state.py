"""What one sync of a Job knows: the Job, its pods, what has been counted, and what the status will say.

Follows pkg/controller/job/job_controller.go syncJobCtx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import simpy

from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods as podutil
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.job import counting, policies
from selfheal.controllers.job.backoff import Record
from selfheal.controllers.job.indexes import Indexes
from selfheal.controllers.job.removals import Removals
from selfheal.controllers.podcontrol import PodControl
from selfheal.events import EventRecorder
from selfheal.objects import Key, Object, key, uid
from selfheal.rules import Cause
from selfheal.store import Store

SOURCE = "pkg/controller/job/job_controller.go"

AT_ONCE = 500
"""Pods created or deleted in one sync (MaxPodCreateDeletePerSync); pods counted in one (MaxUncountedPods)."""

BATCH = 1 * SECOND
"""A sync comes this long (µs) after a change of a pod, for all changes until then (SyncJobBatchPeriod)."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a sync needs of its controller."""

    store: Store
    recorder: EventRecorder
    control: PodControl
    expectations: Expectations
    removals: Removals
    clock: Clock
    again: Callable[[Key, int, Cause | None], object]
    """Sync once more after some µs."""
    request: Callable[[], simpy.Event]
    """As long as a request to the API server takes."""


class State:
    """The beginning of a sync. ``own_pods`` are the Job's pods; ``record`` its failures as far as they were counted."""

    def __init__(
        self, tools: Tools, job: Object, own_pods: Sequence[Object], record: Record, cause: Cause | None
    ) -> None:
        self._tools = tools
        self._job = job
        self._pods = own_pods
        self._cause = cause
        self._status: Object = dict(job["status"])
        self._uncounted = dict(self._status.get("uncountedTerminatedPods") or {})
        self._removing = tools.removals.expected(key(job))
        """Pods whose finalizer is gone already, but not yet in the cache."""
        self._active = [p for p in own_pods if podutil.active(p)]
        self._ready = sum(podutil.ready(p) for p in self._active)
        self._terminating = sum(counting.leaving(p) for p in own_pods)
        self._settled = tools.expectations.satisfied(key(job))
        new_succeeded = self._new(lambda p: podutil.phase(p) == "Succeeded", "succeeded")
        new_failed = self._new(lambda p: counting.failed(p, job), "failed")
        self._succeeded = self._number("succeeded") + len(new_succeeded) + len(self._uncounted.get("succeeded", ()))
        self._failed = (
            self._number("failed")
            + sum(policies.judge(job, p).counts for p in new_failed)
            + len(self._uncounted.get("failed", ()))
        )
        self.record = record.after(new_succeeded, new_failed, tools.clock)
        """The failures as they will be once this sync's first write has succeeded."""
        self.recorded = False
        self._count = len(self._active)
        """Active pods, as the status will have it."""
        self._delayed: dict[int, Object] = {}
        """Failed pods that must stay until their index has a new one, which inherits their count of failures."""
        self._done: Indexes = Indexes()
        self._done_before: Indexes = Indexes()
        self._given_up: Indexes | None = None
        self._finished: Object | None = None
        """The condition with which the Job ends."""

    # ---- reading

    @property
    def _spec(self) -> Object:
        found: Object = self._job["spec"]
        return found

    def _number(self, field: str) -> int:
        return int(self._status.get(field, 0))

    def _uncounted_here(self, pod: Object) -> bool:
        """Whether the pod is yet to be counted."""
        return counting.tracked(pod) and uid(pod) not in self._removing

    def _new(self, chosen: Callable[[Object], bool], noted: str) -> list[Object]:
        """Pods that have ended and are not even noted (getNewFinishedPods, getValidPodsWithFilter)."""
        known = self._uncounted.get(noted, ())
        return [
            p
            for p in self._pods
            if self._uncounted_here(p)
            and uid(p) not in known
            and (not counting.indexed(self._job) or counting.valid_index(p, self._job))
            and chosen(p)
        ]

    def _condition(self, kind: str, reason: str, message: str) -> Object:
        now = self._tools.clock.timestamp()
        return {
            "type": kind,
            "status": "True",
            "lastProbeTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }

    def _set_condition(self, new: Object) -> None:
        found = list(self._status.get("conditions") or ())
        at = next((i for i, c in enumerate(found) if c["type"] == new["type"]), len(found))
        found[at : at + 1] = [new]
        self._status["conditions"] = found
