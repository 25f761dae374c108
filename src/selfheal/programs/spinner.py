"""What a loop costs that never waits for anything.

A busy loop would stop simulated time for ever. So some turns are free, and from then on the
loop pays with time: a millisecond at first, twice as much each time, up to about a second.
"""

from __future__ import annotations

import simpy

from selfheal.clock import MILLISECOND, Clock

FREE = 256
"""Turns that cost nothing."""
PAID = 32
"""Turns for which one payment is enough."""
LONGEST = 1024 * MILLISECOND


class Spinner:
    """Counts the turns of one process's loops."""

    __slots__ = ("_clock", "_pause", "_resumed_at", "_turned_at", "_turns")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns = 0
        self._pause = MILLISECOND
        self._turned_at = -1
        self._resumed_at = -1

    def turn(self) -> simpy.Event | None:
        """One turn: None, or the time to wait for."""
        now = self._clock.now
        if now != self._turned_at:
            self._pause = min(2 * self._pause, LONGEST) if now == self._resumed_at else MILLISECOND
            self._turned_at = now
            self._turns = 0
        self._turns += 1
        if self._turns < (PAID if self._pause > MILLISECOND else FREE):
            return None
        self._resumed_at = now + self._pause
        return self._clock.sleep(self._pause)
