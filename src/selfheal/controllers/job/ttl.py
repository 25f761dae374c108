"""Jobs that have ended do not stay for ever: ``ttlSecondsAfterFinished``.

Follows pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
"""

from __future__ import annotations

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers.job import counting
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, name, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

EXPIRED = rule("job.expired", "pkg/controller/ttlafterfinished/ttlafterfinished_controller.go", "processJob")


class TTLAfterFinishedController:
    """Deletes Jobs some time after their end. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._jobs = informers["Job"]
        self._queue = WorkQueue(clock, chance, "ttl jobs to delete", self._sync)
        self._jobs.handle(self._job_changed)

    def _job_changed(self, event: WatchEvent) -> None:
        if event.type != "DELETED" and self._expires(event.object) is not None:
            self._queue.add(event.key, event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """processJob: the cache first, then what the API server says of it."""
        for job in (self._jobs.get(*where), self._store.get("Job", *where)):
            due = None if job is None else self._expires(job)
            if job is None or due is None:
                return
            if due > self._clock.now:
                self._queue.add_after(where, due - self._clock.now, cause)
                return
        assert job is not None
        why = Cause(EXPIRED, cause, owner=name(job), seconds=job["spec"]["ttlSecondsAfterFinished"])
        self._store.delete("Job", *where, uid=uid(job), propagation="Foreground", cause=why)

    def _expires(self, job: Object) -> int | None:
        """When the Job's time is over, in µs of cluster time; None if it has not ended or is to stay."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        end = counting.true_condition(job, "Complete") or counting.true_condition(job, "Failed")
        if seconds is None or end is None or terminating(job):
            return None
        return self._clock.at_timestamp(end["lastTransitionTime"]) + int(seconds) * SECOND
