"""What the numbers of a probe promise, by arithmetic alone.

P is ``periodSeconds``, F ``failureThreshold``, T ``timeoutSeconds``. A fault begins at any moment between
two probes, so the first failure comes 0 … P seconds later, and the verdict F − 1 periods after it
(pkg/kubelet/prober/worker.go ``doProbe``: a run of F equal results). A probe that gets no answer has failed after T.

Everything here is checked against runs of the simulator: see ``tests/book``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfheal.clock import SECOND
from selfheal.kubelet.backoff import INITIAL, MAXIMUM
from selfheal.latencies import LATENCIES
from selfheal.words import words


@dataclass(frozen=True, slots=True)
class Window:
    """From the earliest to the latest, in seconds."""

    first: float
    last: float

    @property
    def mean(self) -> float:
        return (self.first + self.last) / 2

    def __contains__(self, t: float) -> bool:
        return self.first <= t <= self.last

    def __add__(self, seconds: float) -> Window:
        return Window(self.first + seconds, self.last + seconds)

    def __str__(self) -> str:
        told = f"{self.first:g}" if self.first == self.last else f"{self.first:g} … {self.last:g}"
        return str(words("plot")["s"]).format(t=told)

    __repr__ = __str__


def verdict_after(period: float, threshold: int, timeout: float = 0) -> Window:
    """From a lasting fault until its verdict: (F − 1) × P … F × P, and T more if the app does not answer at all.

    A probe that waits longer than the period is followed by the next at once: then it takes F × T … P + F × T.

    >>> verdict_after(period=10, threshold=3)
    20 … 30 s
    """
    soonest = (threshold - 1) * max(period, timeout) + timeout
    return Window(soonest, soonest + period)


def forgives(period: float, threshold: int) -> float:
    """The longest fault, in seconds, that can never become a verdict, whenever it begins: (F − 1) × P.

    A fault shorter than that has room for F − 1 probes at most.

    >>> forgives(period=10, threshold=3)
    20
    """
    return (threshold - 1) * period


def kills_of_a_hopeless_probe(period: float, threshold: int, count: int) -> list[float]:
    """When a liveness probe that never succeeds has its verdicts, in seconds of the probe's clock: F × P × n.

    For a process that ends at once when told to, as long as no restart is held back. The ticks keep their rhythm over
    restarts, and after its verdict the worker counts from zero.

    >>> kills_of_a_hopeless_probe(period=10, threshold=3, count=3)
    [30, 60, 90]
    """
    return [threshold * period * n for n in range(1, count + 1)]


def free_restarts(life: float) -> int | None:
    """How many kills by a probe are each followed by a restart at once, before the first one is held back.

    ``life``: seconds from the end of one container to the end of the next. None: none is ever held back.
    The back-off looks for a dead container *before* the one just killed, and asks how long ago it ended: one whole
    life. So the first restart is not counted at all, the second only opens the entry of 10 s, and each further
    one is free while a life is at least as long as the entry, which then doubles
    (pkg/kubelet/kuberuntime/kuberuntime_manager.go ``doBackOff``).

    >>> free_restarts(life=30)
    4
    """
    free, backoff = 2, INITIAL
    while life * SECOND >= backoff:
        if backoff == MAXIMUM:
            return None
        free, backoff = free + 1, min(2 * backoff, MAXIMUM)
    return free


START = Window(
    sum(LATENCIES[step][0] for step in ("sandbox", "create", "start")),
    sum(LATENCIES[step][2] for step in ("sandbox", "create", "start")),
)
"""How much younger than the ticks of its workers a pod's first container is, if its image is on the node."""


def first_probe_after(delay: float, period: float, start: Window = START) -> Window:
    """From a container's start to its first liveness (or startup) probe, in seconds.

    Ticks come at k × P, counted from the pod's arrival at its kubelet; the container starts ``start`` seconds after
    that. It is asked at the first tick at which it is D seconds old (worker.go ``doProbe``). Its age is counted in
    whole seconds from a start time without its fraction, so it may be taken for up to one second older than it is.

    >>> first_probe_after(delay=0, period=10, start=Window(1, 1))
    9 s
    >>> first_probe_after(delay=12, period=10, start=Window(1, 1))
    19 s
    """
    ends: list[float] = []
    for k in range(1, int((delay + start.last) / period) + 2):
        tick = k * period
        # which starts can have this tick as the first: it may find them old enough, the one before may not
        latest = min(start.last, tick, tick - delay + 1)
        earliest = max(start.first, tick - period - delay) if k > 1 else start.first
        if earliest <= latest:
            ends += [tick - latest, tick - earliest]
    return Window(math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10)


def taken_for_a_fault(lasts: float, period: float, threshold: int) -> float:
    """The part of all moments at which a sickness of ``lasts`` seconds can begin and then leads to a verdict, 0 … 1.

    >>> taken_for_a_fault(lasts=25, period=10, threshold=3)
    0.5
    """
    return min(1.0, max(0.0, (lasts - forgives(period, threshold)) / period))


def never_seen(lasts: float, period: float) -> float:
    """The part of all moments at which a sickness of ``lasts`` seconds can begin and then is met by no probe, 0 … 1.

    >>> never_seen(lasts=8, period=10)
    0.2
    """
    return round(max(0.0, 1 - lasts / period), 9)
