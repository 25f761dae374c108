"""Who waits for a node, and who of them is tried first.

A pod that has failed is in back-off for 1 s, then 2, 4, 8 and at most 10 s. It does not sit that out: a scheduler with
nobody else to look at takes who is still in back-off (``SchedulerPopFromBackoffQ``, on since 1.33). Back-off decides
only on the order: those who are through with it come first, then those who will be in the same second, and so on; among
them the pod of the highest priority, then the one that has waited for longest.

Follows pkg/scheduler/backend/queue/backoff_queue.go and plugins/queuesort/priority_sort.go.
"""

from __future__ import annotations

from typing import NamedTuple

from selfheal.clock import SECOND
from selfheal.objects import Object
from selfheal.scheduler.preemption import priority

FIRST_BACKOFF = SECOND
LONGEST_BACKOFF = 10 * SECOND


class Waiting(NamedTuple):
    """A pod that fitted nowhere."""

    plugins: frozenset[str]
    """The filters that refused it."""
    since: int
    """When it was tried last (µs)."""
    failures: int
    """How often it has been tried."""


def rank(pod: Object | None, waiting: Waiting, now: int) -> tuple[int, int, int]:
    """The least is tried first (lessBackoffCompletedWithPriority)."""
    # Four doublings make more than the longest; a pod that fails for days would make a huge number.
    backoff = min(FIRST_BACKOFF << min(waiting.failures - 1, 4), LONGEST_BACKOFF)
    until = (waiting.since + backoff) // SECOND
    return until if until >= now // SECOND else -1, -priority(pod) if pod is not None else 0, waiting.since
