"""What the numbers of a probe promise, by arithmetic alone.

P is ``periodSeconds``, F ``failureThreshold``, T ``timeoutSeconds``. A fault begins at any moment between
two probes, so the first failure comes 0 … P seconds later, and the verdict F − 1 periods after it
(pkg/kubelet/prober/worker.go ``doProbe``: a run of F equal results). A probe that gets no answer has failed after T.

Everything here is checked against runs of the simulator: see ``tests/book``.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal.clock import SECOND
from selfheal.kubelet.backoff import INITIAL, MAXIMUM


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
        return f"{self.first:g} s" if self.first == self.last else f"{self.first:g} … {self.last:g} s"

    __repr__ = __str__


def verdict_after(period: float, threshold: int, timeout: float = 0) -> Window:
    """From a lasting fault until its verdict: (F − 1) × P … F × P, and T more if the app does not answer at all.

    >>> verdict_after(period=10, threshold=3)
    20 … 30 s
    """
    return Window((threshold - 1) * period + timeout, threshold * period + timeout)


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
