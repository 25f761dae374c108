"""Counting the pods of a Job that have ended.

It is done in two writes, so that no pod is counted twice or forgotten even if the controller dies in between: first
the status names the pods that are about to be counted, then their finalizers are removed, and only then the numbers
rise.

Follows pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal.clock import Process
from selfheal.controllers import pods as podutil
from selfheal.controllers.job import counting, policies
from selfheal.controllers.job.indexes import Indexes
from selfheal.controllers.job.managing import Managing
from selfheal.controllers.job.state import AT_ONCE, SOURCE
from selfheal.objects import Object, condition, key, name, terminating, uid
from selfheal.rules import Cause, rule

STATUS = rule("job.status", SOURCE, "flushUncountedAndRemoveFinalizers")
COUNT = rule("job.count", SOURCE, "trackJobStatusAndRemoveFinalizers")
UNTRACK = rule("job.untrack", SOURCE, "removeTrackingFinalizerFromPods")
FINISH = rule("job.finish", SOURCE, "enactJobFinished")


class Tracking(Managing):
    """Counts what has ended, and writes the status."""

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
