"""Whether a Job is over, and why: what was decided before, its limits, its policies, its indexes.

Follows pkg/controller/job/job_controller.go syncJob.
"""

from __future__ import annotations

from selfheal.clock import SECOND
from selfheal.controllers import pods as podutil
from selfheal.controllers.job import counting, policies
from selfheal.controllers.job.indexes import Indexes
from selfheal.controllers.job.state import State
from selfheal.objects import Object, key


class Judging(State):
    """Finds the condition with which a Job ends."""

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
