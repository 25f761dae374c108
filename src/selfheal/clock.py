"""Cluster time: one SimPy environment, counted in whole microseconds.

Everything in a simulated cluster happens on this one clock. ``now`` is an ``int``
of microseconds since the cluster began, so that no two runs can differ by a
rounding error; seconds appear only at the edges (what a reader types, what a
timeline prints). No component ever reads the clock of the machine.

A cluster begins at a *time of day* with a sub-second phase, because Kubernetes
truncates what it stores to whole seconds and the kubelet compares truncated
with exact times.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import simpy

T = TypeVar("T")

SECOND = 1_000_000
"""Microseconds in a second."""

MILLISECOND = 1_000

YOUNG = 20_000
"""New objects after which Python looks for garbage while a cluster runs (its own default is 700 to 2,000)."""

EPOCH = int(datetime(2026, 1, 1, 8, 0, tzinfo=UTC).timestamp()) * SECOND
"""Time of day at which clusters begin (the second and its fraction are added), in µs of Unix time."""

Process = Generator[simpy.Event, Any, Any]
"""A SimPy process: a generator that yields the events it waits for."""


def micros(seconds: float) -> int:
    """Seconds to whole microseconds."""
    return round(seconds * SECOND)


class Timer:
    """Something that will be called at a set time, unless cancelled first."""

    __slots__ = ("_event", "when")

    def __init__(self, event: simpy.Event, when: int) -> None:
        self._event: simpy.Event | None = event
        self.when = when

    def cancel(self) -> None:
        """The call will not happen. Cancelling twice, or too late, does nothing."""
        event, self._event = self._event, None
        if event is not None and event.callbacks is not None:
            event.callbacks.clear()


class Clock:
    """Simulated time and its time of day.

    ``second`` and ``phase`` say where in its minute the cluster begins: at second
    40.25 of the minute with ``second=40, phase=250_000`` (µs). ``start`` (µs, not above 0)
    leaves time for what must have happened before second 0. ``minute`` is the Unix time of
    another minute than the usual one.
    """

    def __init__(self, second: int = 0, phase: int = 0, start: int = 0, minute: int | None = None) -> None:
        self.env = simpy.Environment(initial_time=start)
        self.epoch = (EPOCH if minute is None else minute * SECOND) + second * SECOND + phase
        self.steps = 0
        """Events executed so far: what a run costs, whatever the machine."""

    @property
    def now(self) -> int:
        """Microseconds since the cluster began."""
        return self.env.now  # type: ignore[return-value]

    @property
    def seconds(self) -> float:
        """Seconds since the cluster began."""
        return self.now / SECOND

    # ---- time of day

    def unix(self, at: int | None = None) -> int:
        """Unix time of ``at`` (default: now), in µs."""
        return self.epoch + (self.now if at is None else at)

    def unix_seconds(self, at: int | None = None) -> int:
        """Unix time in whole seconds, truncated: what Kubernetes stores."""
        return self.unix(at) // SECOND

    def timestamp(self, at: int | None = None) -> str:
        """RFC 3339 in whole seconds (``metav1.Time``)."""
        return rfc3339(self.unix_seconds(at))

    def micro_timestamp(self, at: int | None = None) -> str:
        """RFC 3339 with microseconds (``metav1.MicroTime``)."""
        unix = self.unix(at)
        return f"{rfc3339(unix // SECOND)[:-1]}.{unix % SECOND:06d}Z"

    def at_timestamp(self, text: str) -> int:
        """The cluster time (µs) of an RFC 3339 stamp."""
        return parse_rfc3339(text) - self.epoch

    # ---- things that will happen

    def at(self, when: int, call: Callable[[], object]) -> Timer:
        """Call ``call()`` at cluster time ``when`` (µs); not in the past."""
        return self.after(when - self.now, call)

    def after(self, delay: int, call: Callable[[], object]) -> Timer:
        """Call ``call()`` after ``delay`` µs."""
        event = self.env.timeout(max(0, delay))
        assert event.callbacks is not None

        def fire(_: simpy.Event) -> None:
            call()

        event.callbacks.append(fire)
        return Timer(event, self.now + max(0, delay))

    def sleep(self, delay: int) -> simpy.Event:
        """An event for a process to wait ``delay`` µs."""
        return self.env.timeout(max(0, delay))

    def event(self) -> simpy.Event:
        """A bare event, to be triggered by ``succeed()``."""
        return self.env.event()

    def process(self, generator: Process) -> simpy.Process:
        """Run a generator as a SimPy process, beginning now."""
        return self.env.process(generator)

    # ---- running

    def peek(self) -> int | None:
        """When the next event is due (µs), or None if nothing will ever happen."""
        when = self.env.peek()
        return None if when == float("inf") else int(when)

    def step(self) -> None:
        """Execute the next event."""
        self.steps += 1
        self.env.step()

    def run(self, until: int, stop: Callable[[], bool] | None = None) -> None:
        """Execute all that is due up to and including ``until`` (µs), then stand at ``until``.

        With ``stop``, return as soon as ``stop()`` is true after an event; time then
        stands at that event.
        """
        env = self.env
        with collecting_seldom():
            while env.peek() <= until:
                self.steps += 1
                env.step()
                if stop is not None and stop():
                    return
        if env.now < until:
            env._now = until  # nothing is due in between: the environment has no public way to pass idle time


@contextlib.contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let Python look for garbage in cycles less often.

    What a cluster makes, it keeps, in hundreds of thousands of objects, and hardly anything in cycles. At its usual
    pace the collector spends a third of the time in vain.
    """
    young, *older = gc.get_threshold()
    if young:  # 0: somebody has switched it off
        gc.set_threshold(max(young, YOUNG), *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)


class RealTime:
    """Drives a clock at ``speed`` cluster seconds per real second, inside an asyncio loop; at 0 it stands.

    Whatever comes from outside enters through :meth:`call`, which runs it at *now*:
    a timer of 5 s that an input starts between two events fires 5 s after the
    input, not 5 s after the event before it.
    """

    def __init__(self, clock: Clock, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not 0 <= speed < float("inf"):
            raise ValueError(f"speed must not be less than 0, not {speed}")
        self.clock = clock
        self.speed = speed
        self._monotonic = monotonic
        self._real0 = monotonic()
        self._cluster0 = clock.now
        import asyncio  # only a driver needs it, and it is slow to import

        self._poke = asyncio.Event()
        self._stopped = False
        self._held = 0
        self.patience = 0.02
        """Real seconds after which whoever else uses the loop has a turn."""

    def cluster_now(self) -> int:
        """Cluster time that corresponds to the present moment, in µs."""
        if self._held or not self.speed:
            return self._cluster0
        return self._cluster0 + round((self._monotonic() - self._real0) * self.speed * SECOND)

    def catch_up(self, patience: float | None = None) -> bool:
        """Execute everything that is due by now; with ``patience``, for so many real seconds. Returns whether it did.

        What cannot be done in time is not caught up with: cluster time then runs slower than it was asked to.
        """
        until = max(self.clock.now, self.cluster_now())
        if patience is None:
            self._run(until)
            return True
        end, steps = self._monotonic() + patience, 0

        def stop() -> bool:
            nonlocal steps
            steps += 1
            return steps % 8 == 0 and self._monotonic() > end

        self._run(until, stop)
        if self.clock.now >= until:
            return True
        self._real0, self._cluster0 = self._monotonic(), self.clock.now
        return False

    def _run(self, until: int, stop: Callable[[], bool] | None = None) -> None:
        """One part of the cluster that fails must not stop the clock of all (k8s.io/apimachinery/pkg/util/runtime)."""
        while True:
            try:
                return self.clock.run(until, stop)
            except Exception:
                import logging

                logging.getLogger("selfheal").exception("a component failed, and the others go on")

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function()`` at the present moment, after all that was due before it."""
        self.catch_up(self.patience)
        try:
            return function()
        finally:
            self._poke.set()

    def set_speed(self, speed: float) -> None:
        """From now on another speed; at 0 the clock stands."""
        if not 0 <= speed < float("inf"):
            raise ValueError(f"speed must not be less than 0, not {speed}")
        self.catch_up(self.patience)
        self._real0, self._cluster0, self.speed = self._monotonic(), self.clock.now, speed
        self._poke.set()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """The clock stands meanwhile. Who runs the clock inside takes cluster time, but none passes by itself."""
        self.catch_up(self.patience)
        self._cluster0 = self.clock.now
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._real0, self._cluster0 = self._monotonic(), self.clock.now
            self._poke.set()

    def stop(self) -> None:
        """End :meth:`run`."""
        self._stopped = True
        self._poke.set()

    async def run(self) -> None:
        """Execute events as they fall due, until :meth:`stop`."""
        import asyncio

        while not self._stopped:
            self._poke.clear()
            if not self.catch_up(self.patience):
                await asyncio.sleep(0)  # others have their turn, too
                continue
            due = self.clock.peek() if self.speed and not self._held else None
            pause = None if due is None else max(0.0, (due - self.cluster_now()) / SECOND / self.speed)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poke.wait(), pause)


@lru_cache(maxsize=256)
def rfc3339(unix_seconds: int) -> str:
    """``2026-01-01T08:00:00Z``"""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=256)
def parse_rfc3339(text: str) -> int:
    """Unix time in µs of an RFC 3339 stamp with or without a fraction."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond
