"""What a controller still waits to see of its own work.

A controller's cache trails the API server. If it counted its pods right after creating some, it
would not see them and create them again. So it notes how many creations and deletions it
expects to see, and does nothing more until it has seen them.

Follows pkg/controller/controller_utils.go ControllerExpectations and UIDTrackingControllerExpectations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from selfheal.clock import SECOND, Clock
from selfheal.objects import Key

TIMEOUT = 300 * SECOND
"""After this long (µs) they are no longer believed in (ExpectationsTimeout)."""


@dataclass(slots=True)
class Expected:
    creations: int
    deletions: set[Key] = field(default_factory=set)
    since: int = 0


class Expectations:
    """By the key of the object that is controlled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of: dict[Key, Expected] = {}

    def expect(self, key: Key, creations: int, deletions: Iterable[Key]) -> None:
        """From now on so many creations, and the deletions of these pods; nothing else any more (SetExpectations)."""
        self._of[key] = Expected(creations, set(deletions), since=self._clock.now)

    def expect_creations(self, key: Key, count: int) -> None:
        self.expect(key, count, ())

    def expect_deletions(self, key: Key, pods: Iterable[Key]) -> None:
        self.expect(key, 0, pods)

    def creation_observed(self, key: Key) -> None:
        """One was seen, or will never come."""
        found = self._of.get(key)
        if found is not None:
            found.creations -= 1

    def deletion_observed(self, key: Key, pod: Key) -> None:
        """The pod is being deleted, or will not be."""
        found = self._of.get(key)
        if found is not None:
            found.deletions.discard(pod)

    def satisfied(self, key: Key) -> bool:
        """Whether everything expected has been seen, or for too long not."""
        found = self._of.get(key)
        if found is None or (found.creations <= 0 and not found.deletions):
            return True
        return self._clock.now - found.since > TIMEOUT

    def forget(self, key: Key) -> None:
        self._of.pop(key, None)
