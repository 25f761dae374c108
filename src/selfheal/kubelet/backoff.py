"""Exponential back-off (staging/src/k8s.io/client-go/util/flowcontrol/backoff.go)."""

from __future__ import annotations

from selfheal.clock import SECOND

INITIAL = 10 * SECOND
"""pkg/kubelet/kubelet.go initialCrashLoopBackOff"""
MAXIMUM = 300 * SECOND
"""pkg/kubelet/kubelet.go MaxCrashLoopBackOff"""
FORGOTTEN = 600 * SECOND
"""An entry whose last restart is longer ago than this counts no more (kubelet.go HasExpiredFunc)."""


class Backoff:
    """Key → (current back-off, when it was last raised); times in µs."""

    def __init__(self, maximum: int | None = None) -> None:
        self.maximum = MAXIMUM if maximum is None else maximum
        self.initial = min(INITIAL, self.maximum)
        self._entries: dict[str, tuple[int, int]] = {}

    def get(self, key: str) -> int:
        """The back-off in force for ``key``, 0 if none."""
        entry = self._entries.get(key)
        return 0 if entry is None else entry[0]

    def is_in_backoff(self, key: str, event: int, now: int) -> bool:
        """Whether ``now`` is still within the back-off, counted from ``event`` (IsInBackOffSince)."""
        entry = self._live(key, event)
        return entry is not None and now - event < entry[0]

    def next(self, key: str, event: int, now: int) -> None:
        """Raise the back-off: the initial value, then doubled up to the maximum (Next)."""
        entry = self._live(key, event)
        value = self.initial if entry is None else min(2 * entry[0], self.maximum)
        self._entries[key] = (value, now)

    def set(self, key: str, value: int, now: int) -> None:
        self._entries[key] = (value, now)

    def collect(self, now: int) -> None:
        """Delete what is out of date (housekeeping's GC, each 2 s; done here when somebody looks)."""
        for key in [k for k, (_, updated) in self._entries.items() if now - updated > FORGOTTEN]:
            del self._entries[key]

    def _live(self, key: str, event: int) -> tuple[int, int] | None:
        entry = self._entries.get(key)
        return None if entry is None or event - entry[1] > FORGOTTEN else entry


def text(backoff: int) -> str:
    """As Go prints a duration: ``10s``, ``1m20s``, ``5m0s``."""
    seconds = backoff // SECOND
    return f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
