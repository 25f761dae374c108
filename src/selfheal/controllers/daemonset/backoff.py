"""How long a failed daemon pod is left alone before it is deleted: so that a pod that is refused by its node
again and again does not keep everyone busy.

Follows staging/src/k8s.io/client-go/util/flowcontrol/backoff.go. Times are µs.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from selfheal.clock import SECOND

BASE = 1 * SECOND
LONGEST = 15 * 60 * SECOND
"""cmd/kube-controller-manager/app/apps.go startDaemonSetController"""


@dataclass(slots=True)
class _Entry:
    wait: int
    updated: int


class Backoff:
    """1 s, 2 s, 4 s … up to 15 minutes, for each key."""

    def __init__(self) -> None:
        self._of: dict[Hashable, _Entry] = {}

    def waiting(self, key: Hashable, now: int) -> int:
        """How long the key has to wait, if its time is not yet over; else 0 (IsInBackOffSinceUpdate, Get)."""
        entry = self._known(key, now)
        return entry.wait if entry is not None and now - entry.updated < entry.wait else 0

    def next(self, key: Hashable, now: int) -> None:
        """It happened again: twice as long (Next)."""
        entry = self._known(key, now)
        self._of[key] = _Entry(BASE if entry is None else min(entry.wait * 2, LONGEST), now)

    def _known(self, key: Hashable, now: int) -> _Entry | None:
        """The entry, unless it has been still for so long that it is forgotten (hasExpired)."""
        entry = self._of.get(key)
        return None if entry is None or now - entry.updated > 2 * LONGEST else entry
