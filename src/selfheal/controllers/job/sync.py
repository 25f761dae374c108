"""One sync of a Job, from its beginning to its end.

Is it over (:mod:`~selfheal.controllers.job.judging`), what is to be created or deleted
(:mod:`~selfheal.controllers.job.managing`), and the counting of pods that have ended
(:mod:`~selfheal.controllers.job.tracking`). Follows pkg/controller/job/job_controller.go syncJob.
"""

from __future__ import annotations

from selfheal.clock import Process
from selfheal.controllers.job import counting
from selfheal.controllers.job.judging import Judging
from selfheal.controllers.job.tracking import Tracking
from selfheal.errors import ApiError
from selfheal.objects import terminating


class Sync(Judging, Tracking):
    """One sync; to be run once."""

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
