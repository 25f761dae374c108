"""What a loop costs that never waits for anything.

A busy loop would stop simulated time for ever. So its turns take time: as long as on a real
machine at first, and ever longer for a loop that goes on and on, up to about a second for a few
turns. A count to ten thousand takes a tenth of a second; a loop without end costs the simulator a
few dozen steps a minute.
"""

from __future__ import annotations

import simpy

from selfheal.clock import MILLISECOND, Clock

FREE = 256
"""Turns that cost nothing, as after each wait."""
BATCH = 256
"""Turns that are paid for at once …"""
COST = 3 * MILLISECOND
"""… and what they take, in µs."""
PATIENCE = 40
"""Batches after which a loop is taken for endless."""
FEW = 32
"""Turns paid for at once when it is: twice as much each time,"""
LONGEST = 1024 * MILLISECOND
"""up to this, in µs."""


class Spinner:
    """Counts the turns of one process's loops."""

    __slots__ = ("_batches", "_clock", "_left", "_pause", "_resumed_at", "_turned_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turned_at = -1
        self._resumed_at = -1
        self._batches = 0
        self._left = FREE
        self._pause = COST

    def turn(self, finite: bool = False) -> simpy.Event | None:
        """One turn: None, or the time to wait for. ``finite``: the loop is known to end."""
        now = self._clock.now
        if now != self._turned_at:
            if now != self._resumed_at:  # it has waited for something else
                self._batches, self._left, self._pause = 0, FREE, COST
            self._turned_at = now
        self._left -= 1
        if self._left:
            return None
        self._batches += 1
        endless = self._batches > PATIENCE and not finite
        self._left = FEW if endless else BATCH
        if endless:
            self._pause = min(2 * self._pause, LONGEST)
        self._resumed_at = now + self._pause
        return self._clock.sleep(self._pause)
