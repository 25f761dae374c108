"""A timeline's facts as steps: what :mod:`~selfheal.timeline.compare` lays over another.

An object's facts are taken apart into *facets*, each with its own row of values: the state of a
container, its ``ready``, one condition, the events of one text, one endpoint of a slice. A :class:`Step`
is the moment in which a facet takes a new value. So it does not matter whether two facts came with
one write or with two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SIDE_BY_SIDE = 0.1
"""Several watches are read side by side: records less than this apart (s) have no order."""
BUSY = 1.0
"""How long (s) a few intermediate states may live and still be missing, since a busy machine merges writes."""
COMBINED = "(combined from similar events): "
"""How the text of a merged event begins."""


@dataclass(eq=False, slots=True)
class Step:
    """The moment in which a facet of an object takes a new value."""

    role: str
    facet: str
    value: object
    t: float
    words: str
    """What happened, for a reader: ``app running (restart 2)``."""
    until: float = float("inf")
    """When the facet changed again."""
    container: str = ""
    life: int = 0
    """How many times the container had started, this start included."""
    probe: str = ""
    run: int = 0
    """Which of the probe's runs of failures in this life it belongs to."""
    age: float = 0.0
    """Seconds since its container's life began; for other steps since the timeline did."""
    fleeting: bool = False
    """Whether it may be missing in the other run."""
    count: int = 0
    """An event's count; 0 if it is merged with similar ones, and so tells nothing."""
    causes: tuple[Step, ...] = ()
    """What it came from, nearest first; see ``choose``."""
    choose: str = "first"
    """How causes are judged: the ``first`` that both runs have, ``any`` of them, or ``all`` of them."""
    since: float | None = None
    """Seconds since the last change in whatever a controller watches, for steps without a cause of their own."""
    late: bool = False
    """Part of a pod's own start."""
    hold: bool = False
    """A restart that the back-off held back."""
    timed: bool = True
    direct: bool = False
    """Whether it must come with this very cause, say a kill with the third failure."""


def latest(steps: Iterable[Step], t: float, strictly: bool = False) -> Step | None:
    """The last of the steps that came by ``t`` (before it, if ``strictly``)."""
    found: Step | None = None
    for s in steps:
        if (s.t < t if strictly else s.t <= t) and (found is None or s.t >= found.t):
            found = s
    return found


def known(*steps: Step | None) -> tuple[Step, ...]:
    """Those that exist."""
    return tuple(s for s in steps if s is not None)
