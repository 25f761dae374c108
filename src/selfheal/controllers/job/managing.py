"""How many pods a Job shall have, and which: what is to be created or deleted.

Follows pkg/controller/job/job_controller.go manageJob and deleteActivePods.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfheal.clock import Process
from selfheal.controllers import pods as podutil
from selfheal.controllers.job import counting
from selfheal.controllers.job.backoff import remaining_for_index
from selfheal.controllers.job.indexes import Indexes
from selfheal.controllers.job.state import AT_ONCE, BATCH, SOURCE, State
from selfheal.controllers.job.templates import pod_template, with_index
from selfheal.controllers.podcontrol import slow_start_in_time
from selfheal.errors import ApiError, NotFound
from selfheal.objects import Object, key, name, replace, uid
from selfheal.rules import Cause, rule

CREATE = rule("job.create", SOURCE, "manageJob")
DELETE = rule("job.delete", SOURCE, "manageJob")
SUSPEND = rule("job.suspend", SOURCE, "manageJob")
OVER = rule("job.over", SOURCE, "deleteActivePods")


class Managing(State):
    """Creates and deletes a Job's pods."""

    def _manage(self) -> Process:
        """Create or delete pods; returns the first error (manageJob)."""
        active = len(self._active)
        if counting.suspended(self._job):
            count = len(self._active)
            why = Cause(SUSPEND, self._cause, owner=name(self._job), count=count)
            return (yield from self._delete_untracked(self._for_removal(count), why))
        wanted = self._wanted()
        too_many = self._for_removal(max(0, active - wanted))[:AT_ONCE]
        if too_many:
            why = Cause(DELETE, self._cause, owner=name(self._job), active=active, wanted=wanted, count=len(too_many))
            return (yield from self._delete_untracked(too_many, why))
        leaving = self._terminating if counting.replaces_only_failed(self._job) else 0
        missing = min(wanted - leaving - active, AT_ONCE)
        if missing <= 0:
            return None
        indexes = self._next_indexes(missing)
        wait = self._wait(indexes)
        if wait > 0:
            self._tools.again(key(self._job), max(wait, BATCH), self._cause)
            # While it waits the controller says 0, whatever else is active; with ready pods the API server refuses.
            self._count = 0
            return None
        if counting.per_index(self._job):
            clock = self._tools.clock
            indexes = [i for i in indexes if remaining_for_index(self._delayed.get(i), clock) == 0]
        count = self._allowed(len(indexes) if counting.indexed(self._job) else missing)
        if count == 0:
            return None
        why = Cause(CREATE, self._cause, owner=name(self._job), active=active, wanted=wanted, count=count)
        return (yield from self._create(count, indexes, why))

    def _allowed(self, count: int) -> int:
        tools = self._tools
        return tools.control.allowed(count, lambda us: tools.again(key(self._job), us, self._cause))

    def _wanted(self) -> int:
        parallelism, completions = int(self._spec.get("parallelism", 1)), self._spec.get("completions")
        if completions is None:
            # A queue of work: once one pod has succeeded no new ones come.
            return len(self._active) if self._succeeded > 0 else parallelism
        return max(0, min(int(completions) - self._succeeded, parallelism))

    def _next_indexes(self, count: int) -> list[int]:
        """The lowest indexes that have neither ended nor a pod (firstPendingIndexes)."""
        if not counting.indexed(self._job):
            return []
        busy = [counting.index_of(p) for p in self._active]
        if counting.replaces_only_failed(self._job):
            busy += [counting.index_of(p) for p in self._pods if counting.leaving(p)]
        taken = self._done | Indexes(i for i in busy if i >= 0) | (self._given_up or Indexes())
        return [i for i, _ in zip(taken.missing(int(self._spec["completions"])), range(count), strict=False)]

    def _wait(self, indexes: Iterable[int]) -> int:
        """How long until the next pod may be created, in µs."""
        clock = self._tools.clock
        if not counting.per_index(self._job):
            return self.record.remaining(clock.now)
        return min((remaining_for_index(self._delayed.get(i), clock) for i in indexes), default=0)

    def _for_removal(self, at_least: int) -> list[Object]:
        """Active pods to delete: of an index that has two all but the best, then by rank (activePodsForRemoval)."""
        if not counting.indexed(self._job):
            return podutil.deletion_order(self._active, (), self._tools.clock)[:at_least]
        by_index: dict[int, list[Object]] = {}
        for pod in self._active:
            by_index.setdefault(counting.index_of(pod), []).append(pod)
        remove: list[Object] = []
        keep: list[Object] = []
        for index in sorted(by_index):
            some = podutil.deletion_order(by_index[index], (), self._tools.clock)
            if not 0 <= index < int(self._spec["completions"]):
                remove += some
            else:
                remove += some[:-1]
                keep.append(some[-1])
        more = max(0, at_least - len(remove))
        return remove + podutil.deletion_order(keep, (), self._tools.clock)[:more]

    def _create(self, count: int, indexes: Sequence[int], why: Cause) -> Process:
        job, tools = self._job, self._tools
        tools.expectations.expect_creations(key(job), count)
        template = pod_template(job)
        todo = iter(indexes)

        def make() -> None:
            if counting.indexed(job):
                index = next(todo)
                own = with_index(template, job, index, self._delayed.get(index))
                tools.control.create(own, job, why, generate_name=f"{name(job)[: 56 - len(str(index))]}-{index}-")
            else:
                tools.control.create(template, job, why)

        done, error = yield from slow_start_in_time(count, make, tools.request)
        for _ in range(count - done):
            tools.expectations.creation_observed(key(job))
        self._count = len(self._active) + done
        return error

    # ---- deleting pods

    def _delete_active(self, reason: str) -> Process:
        """The Job is over: its running pods go. They keep their finalizers and are counted (deleteActivePods)."""
        why = Cause(OVER, self._cause, owner=name(self._job), reason=reason, count=len(self._active))
        deleted, error = self._delete(self._active, why)
        if self._active:
            yield self._tools.request()
        if deleted != len(self._active) or not self._settled:
            # There may be pods that the cache does not know.
            self._finished = None
        return error

    def _delete_untracked(self, some: Sequence[Object], why: Cause) -> Process:
        """Pods that are too many go without being counted (deleteJobPods)."""
        self._tools.expectations.expect_deletions(key(self._job), [key(p) for p in some])
        for pod in some:
            self._untrack(pod, why)
        _, error = self._delete(some, why)
        if some:
            yield self._tools.request()
        return error

    def _delete(self, some: Sequence[Object], why: Cause) -> tuple[int, ApiError | None]:
        """Delete pods and count them out of the active ones."""
        first_error: ApiError | None = None
        deleted = 0
        for pod in some:
            try:
                self._tools.control.delete(pod, self._job, why)
            except NotFound:
                self._tools.expectations.deletion_observed(key(self._job), key(pod))
            except ApiError as error:
                self._tools.expectations.deletion_observed(key(self._job), key(pod))
                first_error = first_error or error
                continue
            deleted += 1
            self._ready -= podutil.ready(pod)
        self._count -= deleted
        self._terminating += deleted
        return deleted, first_error

    def _untrack(self, pod: Object, why: Cause) -> bool:
        """Take the finalizer off a pod; False if it is gone already."""
        there = self._tools.store.get("Pod", *key(pod))
        if there is None or uid(there) != uid(pod):
            return False

        def change(current: Object) -> Object:
            kept = [f for f in current["metadata"].get("finalizers") or () if f != counting.FINALIZER]
            return replace(current, "metadata.finalizers", kept)

        self._tools.store.patch("Pod", *key(pod), change, cause=why)
        return True
