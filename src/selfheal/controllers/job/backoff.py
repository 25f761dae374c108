"""How long a Job waits before it replaces a failed pod: 10, 20, 40 … seconds, at most ten minutes.

The wait counts from the end of the last pod that failed, not from the moment the controller noticed. Success begins
the count anew. Follows pkg/controller/job/backoff_utils.go. Times are µs of cluster time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.clock import SECOND, Clock
from selfheal.controllers.job import counting
from selfheal.objects import Object

BASE = 10 * SECOND
"""DefaultJobPodFailureBackOff"""

LONGEST = 600 * SECOND
"""MaxJobPodFailureBackOff"""


@dataclass(frozen=True, slots=True)
class Record:
    """The failures of one Job since its last success."""

    failures: int = 0
    last: int | None = None
    """When the last of them ended."""

    def after(self, succeeded: Sequence[Object], failed: Sequence[Object], clock: Clock) -> Record:
        """The record with pods that have ended since (newBackoffRecord)."""
        times = sorted(counting.finished_at(p, clock) for p in failed)
        if succeeded:
            success = max(counting.finished_at(p, clock) for p in succeeded)
            times = [t for t in times if t > success]
            return Record(len(times), times[-1] if times else None)
        if not times:
            return self
        return Record(self.failures + len(times), times[-1])

    def remaining(self, now: int) -> int:
        """How much longer to wait."""
        return remaining(self.failures, self.last, now)


def remaining(failures: int, last: int | None, now: int, base: int = BASE, longest: int = LONGEST) -> int:
    """What is left, at ``now``, of the wait after so many failures (getRemainingTimeForFailuresCount)."""
    if failures == 0 or last is None:
        return 0
    wait = min(base << min(failures - 1, 40), longest) if failures > 1 else base
    return max(0, wait - (now - last))


def remaining_for_index(failed: Object | None, clock: Clock) -> int:
    """The same for one index; ``failed`` is its last pod (getRemainingTimePerIndex)."""
    if failed is None:
        return 0
    before = counting.failures_before(failed) + counting.failures_before(failed, counting.IGNORED_FAILURES)
    return remaining(before + 1, counting.finished_at(failed, clock), clock.now)
