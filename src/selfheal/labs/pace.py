"""What time it is in the cluster of a lab, in µs since the first object of its manifests appeared.

A real cluster's time is the machine's. The emulator's may run faster, and stands while an action is done to it, so it
is asked now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from selfheal.clock import SECOND, micros, parse_rfc3339
from selfheal.labs.api import Api

ASK_AGAIN = 0.5
"""Seconds after which the emulator is asked again."""


class Pace:
    """The clock of a recording. Before :meth:`start` it stands at 0."""

    def __init__(self, api: Api, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._monotonic = monotonic
        self._emulated = api.context.sort == "emulator"
        self.speed = 1.0
        self._real0 = monotonic()
        self._cluster0 = 0.0
        self._begin: float | None = None
        self._unix = 0
        self._last = 0
        self.ask()

    @property
    def cluster(self) -> float:
        """Seconds of cluster time; where they are counted from is the cluster's business."""
        return self._cluster0 + (self._monotonic() - self._real0) * self.speed

    @property
    def begun(self) -> bool:
        return self._begin is not None

    @property
    def begin(self) -> float:
        """Cluster time of second 0."""
        return self.cluster if self._begin is None else self._begin

    @property
    def now(self) -> int:
        """µs since second 0; never less than it has said before."""
        if self._begin is not None:
            self._last = max(self._last, micros(self.cluster - self._begin))
        return self._last

    @property
    def seconds(self) -> float:
        return self.now / SECOND

    @property
    def epoch(self) -> int:
        """Unix time (µs) of second 0."""
        return self._unix

    @property
    def second(self) -> int:
        """The second of the minute, as long as second 0 has not come."""
        return (self._unix + micros(self.cluster - self._cluster0)) // SECOND % 60

    def start(self, t: float | None = None) -> None:
        """Second 0 is now, or at ``t`` of cluster time."""
        if self._begin is None:
            self._begin = self.cluster if t is None else t
            self._unix += micros(self._begin - self._cluster0)

    def ask(self) -> None:
        """Set the clock by the cluster's."""
        if not self._emulated:
            if self._begin is None:
                self._real0, self._cluster0 = self._monotonic(), 0.0
                self._unix = int(time.time() * SECOND)
            return
        before = self._monotonic()
        told = self._api.ask("GET", "/selfheal/clock")
        after = self._monotonic()
        if not self.begun:
            self._unix = parse_rfc3339(told["time"])
        self.speed = float(told["speed"])
        self._real0, self._cluster0 = (before + after) / 2, float(told["t"])

    def ask_now_and_then(self) -> None:
        if self._emulated and self._monotonic() - self._real0 > ASK_AGAIN:
            self.ask()
