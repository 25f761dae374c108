"""One sync of a Job: is it over, what is to be created or deleted, and the counting of pods that have ended.

The counting is done in two writes, so that no pod is counted twice or forgotten even if the controller dies
in between: first the status names the pods that are about to be counted, then their finalizers are
removed, and only then the numbers rise.

Follows pkg/controller/job/job_controller.go syncJob, manageJob and trackJobStatusAndRemoveFinalizers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import simpy

from selfheal.clock import SECOND, Clock, Process
from selfheal.controllers import pods as podutil
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.job import counting, policies
from selfheal.controllers.job.backoff import Record, remaining_for_index
from selfheal.controllers.job.indexes import Indexes
from selfheal.controllers.job.removals import Removals
from selfheal.controllers.job.templates import pod_template, with_index
from selfheal.controllers.podcontrol import PodControl, attempt, batches
from selfheal.errors import ApiError, NotFound
from selfheal.events import EventRecorder
from selfheal.objects import Key, Object, condition, key, name, replace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

SOURCE = "pkg/controller/job/job_controller.go"

AT_ONCE = 500
"""Pods created or deleted in one sync (MaxPodCreateDeletePerSync); pods counted in one (MaxUncountedPods)."""

BATCH = 1 * SECOND
"""A sync comes this long (µs) after a change of a pod, for all changes until then (SyncJobBatchPeriod)."""

CREATE = rule(
    "job.create", SOURCE, "manageJob", "{owner} has {active} active pods and wants {wanted}: {count} more are created."
)
DELETE = rule(
    "job.delete", SOURCE, "manageJob", "{owner} has {active} active pods and wants {wanted}: {count} are deleted."
)
SUSPEND = rule("job.suspend", SOURCE, "manageJob", "{owner} is suspended: its {count} active pods are deleted.")
OVER = rule("job.over", SOURCE, "deleteActivePods", "{owner} is over ({reason}): its {count} active pods are deleted.")
STATUS = rule(
    "job.status",
    SOURCE,
    "flushUncountedAndRemoveFinalizers",
    "In this sync {owner} had {active} active pods, {ready} of them ready; those that have ended are noted first.",
)
COUNT = rule(
    "job.count",
    SOURCE,
    "trackJobStatusAndRemoveFinalizers",
    "The pods of {owner} that have ended bear no finalizer any more: {succeeded} succeeded, {failed} failed so far.",
)
UNTRACK = rule(
    "job.untrack", SOURCE, "removeTrackingFinalizerFromPods", "{object} is noted in the status: its finalizer may go."
)
FINISH = rule("job.finish", SOURCE, "enactJobFinished", "All pods of {owner} have ended and been counted: {reason}.")


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


class Sync:
    """One sync. ``own_pods`` are the Job's pods; ``record`` its failures as far as they have been counted."""

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

    # ---- the sync

    def run(self) -> Process:
        """syncJob; raises ApiError to be called again."""
        if "startTime" not in self._status and not counting.suspended(self._job):
            self._status["startTime"] = self._tools.clock.timestamp()
        self._judge()
        error: ApiError | None = None
        changed = False
        if self._finished is not None:
            error = yield from self._delete_active(self._finished["reason"])
        else:
            managed = self._settled and not terminating(self._job)
            if managed:
                error = yield from self._manage()
            if self._complete():
                self._finished = self._condition(
                    "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods"
                )
            elif managed:
                changed = self._note_suspension()
        numbers = {"active": self._count, "ready": self._ready, "terminating": self._terminating}
        changed = changed or any(self._status.get(k, 0 if k == "active" else None) != v for k, v in numbers.items())
        self._status.update(numbers)
        yield from self._track(changed)
        if error is not None:
            raise error

    # ---- is it over?

    def _judge(self) -> None:
        """The condition with which the Job ends, if it does: what was decided before holds."""
        job = self._job
        met = counting.true_condition(job, "SuccessCriteriaMet")
        target = counting.true_condition(job, "FailureTarget")
        broken = next(
            filter(None, (policies.judge(job, p).message for p in self._pods if counting.failed(p, job))), None
        )
        if met is not None:
            self._finished = met
        elif target is not None:
            self._finished = self._condition("Failed", target["reason"], target["message"])
        elif broken is not None:
            self._finished = self._condition("FailureTarget", "PodFailurePolicy", broken)
        elif self._past_backoff_limit():
            text = "Job has reached the specified backoff limit"
            self._finished = self._condition("FailureTarget", "BackoffLimitExceeded", text)
        elif self._past_deadline():
            text = "Job was active longer than specified deadline"
            self._finished = self._condition("FailureTarget", "DeadlineExceeded", text)
        if counting.indexed(job):
            self._judge_indexes()

    def _past_backoff_limit(self) -> bool:
        limit = int(self._spec.get("backoffLimit", 6))
        if self._failed > limit:
            return True
        if self._spec["template"]["spec"].get("restartPolicy") != "OnFailure":
            return False
        restarts = counting.restarts(self._pods)
        return restarts > 0 if limit == 0 else restarts >= limit

    def _past_deadline(self) -> bool:
        """pastActiveDeadline; if it is still to come, the Job is synced then."""
        seconds = self._spec.get("activeDeadlineSeconds")
        if seconds is None or counting.suspended(self._job):
            return False
        clock = self._tools.clock
        left = clock.at_timestamp(self._status["startTime"]) + seconds * SECOND - clock.now
        if left > 0:
            self._tools.again(key(self._job), left, self._cause)
        return bool(left <= 0)

    def _judge_indexes(self) -> None:
        """What indexes have succeeded and failed, and whether that is enough."""
        job, completions = self._job, int(self._spec["completions"])
        self._done_before = Indexes.parse(self._status.get("completedIndexes", ""), completions)
        self._done = self._done_before | Indexes(
            counting.index_of(p)
            for p in self._pods
            if podutil.phase(p) == "Succeeded" and counting.tracked(p) and counting.valid_index(p, job)
        )
        self._succeeded = len(self._done)
        if counting.per_index(job):
            before = Indexes.parse(self._status.get("failedIndexes", ""), completions)
            given_up = self._given_up = before | Indexes(
                counting.index_of(p)
                for p in self._pods
                if counting.valid_index(p, job) and counting.tracked(p) and self._gives_up(p)
            )
            most = self._spec.get("maxFailedIndexes")
            if self._finished is None and most is not None and len(given_up) > most:
                text = "Job has exceeded the specified maximal number of failed indexes"
                self._finished = self._condition("FailureTarget", "MaxFailedIndexesExceeded", text)
            elif self._finished is None and given_up and len(given_up) + len(self._done) >= completions:
                self._finished = self._condition("FailureTarget", "FailedIndexes", "Job has failed indexes")
            self._delayed = self._find_delayed(given_up)
        rules = (self._spec.get("successPolicy") or {}).get("rules") or ()
        enough = policies.success(rules, completions, self._done)
        if self._finished is None and enough is not None:
            self._finished = self._condition("SuccessCriteriaMet", "SuccessPolicy", enough)

    def _gives_up(self, pod: Object) -> bool:
        """Whether the pod's failure was the last that its index may have (isIndexFailed)."""
        if not counting.failed(pod, self._job):
            return False
        judged = policies.judge(self._job, pod)
        if judged.action == "FailIndex":
            return True
        return judged.counts and counting.failures_before(pod) >= self._spec["backoffLimitPerIndex"]

    def _find_delayed(self, given_up: Indexes) -> dict[int, Object]:
        """getPodsWithDelayedDeletionPerIndex"""
        busy = {counting.index_of(p) for p in self._active}
        found: dict[int, Object] = {}
        for pod in self._pods:
            index = counting.index_of(pod)
            if (
                self._uncounted_here(pod)
                and counting.valid_index(pod, self._job)
                and counting.failed(pod, self._job)
                and not (index in self._done or index in given_up or index in busy)
                and (index not in found or self._later(pod, found[index]))
            ):
                found[index] = pod
        return found

    def _later(self, pod: Object, than: Object) -> bool:
        def rank(p: Object) -> tuple[int, int]:
            before = counting.failures_before(p) + counting.failures_before(p, counting.IGNORED_FAILURES)
            return before, counting.finished_at(p, self._tools.clock)

        (a, at_a), (b, at_b) = rank(pod), rank(than)
        return a >= b and at_a >= at_b

    def _complete(self) -> bool:
        """Whether all that was wanted has succeeded; without completions, whether somebody has and nobody runs."""
        wanted = self._spec.get("completions")
        return self._count == 0 and (self._succeeded > 0 if wanted is None else self._succeeded >= wanted)

    # ---- how many pods?

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
        count = len(indexes) if counting.indexed(self._job) else missing
        why = Cause(CREATE, self._cause, owner=name(self._job), active=active, wanted=wanted, count=count)
        return (yield from self._create(count, indexes, why))

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

        left, error = count, None
        for batch in batches(count):
            done, error = attempt(batch, make)
            left -= done
            yield tools.request()
            if error is not None:
                break
        for _ in range(left):
            tools.expectations.creation_observed(key(job))
        self._count = len(self._active) + count - left
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

    # ---- the status

    def _note_suspension(self) -> bool:
        """The condition Suspended follows spec.suspend; a Job that is resumed begins anew."""
        found = condition(self._job, "Suspended")
        if counting.suspended(self._job):
            if found is not None and found["status"] == "True":
                return False
            self._set_condition(self._condition("Suspended", "JobSuspended", "Job suspended"))
            self._tools.recorder.event(self._job, "Normal", "Suspended", "Job suspended", cause=self._cause)
            return True
        if found is None or found["status"] == "False":
            return False
        self._set_condition({**self._condition("Suspended", "JobResumed", "Job resumed"), "status": "False"})
        self._tools.recorder.event(self._job, "Normal", "Resumed", "Job resumed", cause=self._cause)
        self._status["startTime"] = self._tools.clock.timestamp()
        return True

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

    def _track(self, changed: bool) -> Process:
        """Note pods that have ended, take off their finalizers, count them, and end the Job if it is over."""
        with_finalizer = {uid(p) for p in self._pods if self._uncounted_here(p)}
        changed = self._count_noted(with_finalizer) or changed
        noted, more, whole = self._note_ended()
        changed = changed or more
        if self._finished is not None and self._finished["type"] == "FailureTarget":
            self._set_condition(self._finished)
            self._finished = self._condition("Failed", self._finished["reason"], self._finished["message"])
            changed = True
        elif self._finished is not None and self._finished["type"] == "SuccessCriteriaMet":
            if condition(self._job, "SuccessCriteriaMet") is None:
                self._set_condition(self._finished)
                changed = True
            self._finished = self._condition("Complete", self._finished["reason"], self._finished["message"])
        if changed:
            ready = self._ready
            self._write(Cause(STATUS, self._cause, owner=name(self._job), active=self._count, ready=ready))
            self.recorded = True
            yield self._tools.request()
        if noted:
            self._tools.removals.expect(key(self._job), [uid(p) for p in noted])
            for pod in noted:
                if not self._untrack(pod, Cause(UNTRACK, self._cause, object=name(pod))):
                    self._tools.removals.observed(key(self._job), uid(pod))
                with_finalizer.discard(uid(pod))
            yield self._tools.request()
        counted = self._count_noted(with_finalizer)
        over = whole and self._enact()
        if counted or over:
            numbers = {k: self._number(k) for k in ("succeeded", "failed")}
            why = Cause(COUNT, self._cause, owner=name(self._job), **numbers)
            if over and self._finished is not None:
                why = Cause(FINISH, why, owner=name(self._job), reason=self._finished["reason"])
            self._write(why)
            if over:
                self._tell_end(why)

    def _note_ended(self) -> tuple[list[Object], bool, bool]:
        """(pods whose finalizers go, whether the status changed, whether all were looked at)"""
        job = self._job
        some = sorted(self._pods, key=counting.index_of) if counting.indexed(job) else self._pods
        chosen: list[Object] = []
        new_indexes: list[int] = []
        changed = False
        before = self._job["status"].get("uncountedTerminatedPods") or {}
        for pod in some:
            if not self._uncounted_here(pod) or not self._may_untrack(pod):
                continue
            chosen.append(pod)
            index, known_failed = counting.index_of(pod), uid(pod) in before.get("failed", ())
            if podutil.phase(pod) == "Succeeded" and not known_failed:
                if counting.indexed(job):
                    if counting.valid_index(pod, job) and index not in self._done_before:
                        new_indexes.append(index)
                        changed = True
                elif uid(pod) not in before.get("succeeded", ()):
                    self._note("succeeded", pod)
                    changed = True
            elif self._counts_as_failed(pod) and not known_failed and policies.judge(job, pod).counts:
                self._note("failed", pod)
                changed = True
            if len(new_indexes) + sum(len(u) for u in self._uncounted.values()) >= AT_ONCE:
                return chosen, self._note_indexes(new_indexes) or changed, False
        return chosen, self._note_indexes(new_indexes) or changed, True

    def _may_untrack(self, pod: Object) -> bool:
        """canRemoveFinalizer"""
        if terminating(self._job) or self._finished is not None or podutil.phase(pod) == "Succeeded":
            return True
        if not counting.failed(pod, self._job):
            return False
        delayed = self._delayed.get(counting.index_of(pod))
        return delayed is None or uid(delayed) != uid(pod)

    def _counts_as_failed(self, pod: Object) -> bool:
        """When a Job has failed, each pod that has not ended counts as failed, too."""
        over = self._finished is not None and self._finished["type"] != "SuccessCriteriaMet"
        if not counting.failed(pod, self._job) and not over:
            return False
        return not counting.indexed(self._job) or counting.valid_index(pod, self._job)

    def _note(self, kind: str, pod: Object) -> None:
        self._uncounted[kind] = [*self._uncounted.get(kind, ()), uid(pod)]

    def _note_indexes(self, new: Iterable[int]) -> bool:
        """completedIndexes and failedIndexes; whether they changed."""
        if not counting.indexed(self._job):
            return False
        done = self._done | Indexes(new)
        before = (self._status.get("completedIndexes", ""), self._status.get("failedIndexes"))
        self._status["succeeded"] = len(done)
        self._status["completedIndexes"] = str(done)
        if self._given_up is not None:
            self._status["failedIndexes"] = str(self._given_up)
        return before != (str(done), self._status.get("failedIndexes"))

    def _count_noted(self, with_finalizer: set[str]) -> bool:
        """Noted pods without finalizer are counted and no longer noted (cleanUncountedPodsWithoutFinalizers)."""
        changed = False
        for kind in ("succeeded", "failed"):
            noted = self._uncounted.get(kind) or []
            left = [u for u in noted if u in with_finalizer]
            if len(left) != len(noted):
                self._status[kind] = self._number(kind) + len(noted) - len(left)
                self._uncounted[kind] = left
                changed = True
        return changed

    def _enact(self) -> bool:
        """Whether the Job has ended: nothing is noted and no pod runs any more (enactJobFinished)."""
        if self._finished is None or any(self._uncounted.values()) or self._terminating > 0:
            return False
        self._set_condition(self._finished)
        if self._finished["type"] == "Complete":
            self._status["completionTime"] = self._finished["lastTransitionTime"]
        return True

    def _write(self, why: Cause) -> None:
        """Write the status; the next write begins from what the API server answered."""
        noted = {k: v for k, v in self._uncounted.items() if v}
        status = {k: v for k, v in self._status.items() if v or k in ("ready", "terminating", "failedIndexes")}
        status["uncountedTerminatedPods"] = noted
        self._job = self._tools.store.update_status({**self._job, "status": status}, cause=why)

    def _tell_end(self, why: Cause) -> None:
        """recordJobFinished"""
        end = self._finished
        if end is None:
            return
        if end["type"] == "Failed":
            self._tools.recorder.event(self._job, "Warning", end["reason"], end["message"], cause=why)
            return
        completions = self._spec.get("completions")
        if completions is not None and self._number("succeeded") > completions:
            text = "Too many succeeded pods running after completion count reached"
            self._tools.recorder.event(self._job, "Warning", "TooManySucceededPods", text, cause=why)
        self._tools.recorder.event(self._job, "Normal", "Completed", "Job completed", cause=why)
