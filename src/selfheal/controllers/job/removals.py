"""Finalizers that were removed and that the cache still shows: their pods must not be counted a second time.

Follows pkg/controller/job/tracking_utils.go uidTrackingExpectations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from selfheal.objects import Key


class Removals:
    """The uids of such pods, by the key of their Job."""

    def __init__(self) -> None:
        self._of: dict[Key, set[str]] = {}

    def expect(self, key: Key, uids: Iterable[str]) -> None:
        self._of.setdefault(key, set()).update(uids)

    def observed(self, key: Key, uid: str) -> None:
        """The cache shows the pod without finalizer, or it is gone."""
        self._of.get(key, set()).discard(uid)

    def expected(self, key: Key) -> Collection[str]:
        return frozenset(self._of.get(key, ()))

    def forget(self, key: Key) -> None:
        self._of.pop(key, None)
