"""Prediction and reality laid on each other: verdicts, the difference in words, and a picture.

A verdict speaks only of what chance does not decide (how often, why, in what state it ended), so that it reads the
same on each cluster on which the prediction holds. Times are told apart, with what makes them differ.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selfheal.plot import plot
from selfheal.timeline import Timeline
from selfheal.timeline.compare import Comparison, Envelope, compare
from selfheal.timeline.roles import Roles

CLOSE = 0.5
"""A difference (s) that is not worth a word."""
MOST = 8
"""Differences that are told, the greatest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was predicted of one pod, and how it was."""

    object: str
    says: str
    """``restarted {}×``"""
    real: Any
    predicted: tuple[Any, ...]
    """What the seeds say, each once, sorted."""

    @property
    def held(self) -> bool:
        return self.real in self.predicted

    def __str__(self) -> str:
        if self.held:
            return f"{self.object}: {self.says.format(self.real)}, as predicted"
        return f"{self.object}: {self.says.format(self.real)}; predicted: {_or(self.predicted)}"


class Compared:
    """What several seeds predict and, once it was run, what really happened. Notebooks show it by themselves."""

    def __init__(self, real: Timeline | None, predicted: Sequence[Timeline], *, backend: str = "svg") -> None:
        self.real = real
        self.predicted = list(predicted)
        self._backend = backend

    def __bool__(self) -> bool:
        return all(f.held for f in self.findings)

    @cached_property
    def findings(self) -> list[Finding]:
        """Pod by pod, what was predicted and what was."""
        seeds = [_told(t) for t in self.predicted]
        real = None if self.real is None else _told(self.real)
        out = []
        for role in dict.fromkeys([*(role for seed in seeds for role in seed), *(real or {})]):
            for says in SAYS:
                values = {seed.get(role, {}).get(says, "not there") for seed in seeds}
                was = None if real is None else real.get(role, {}).get(says, "not there")
                out.append(Finding(role.removeprefix("Pod/"), says, was, tuple(sorted(values, key=str))))
        return out

    def verdict(self) -> str:
        """A line for each pod, and one for each finding that was not as predicted."""
        lines = []
        for pod in dict.fromkeys(f.object for f in self.findings):
            found = [f for f in self.findings if f.object == pod]
            if self.real is None:
                lines.append(f"{pod}: {', '.join(f.says.format(_or(f.predicted)) for f in found)}")
                continue
            held = [f.says.format(f.real) for f in found if f.held]
            lines += [f"{pod}: {', '.join(held)}, as predicted"] if held else []
            lines += [str(f) for f in found if not f.held]
        return "\n".join(lines)

    @cached_property
    def strict(self) -> Comparison:
        """Step by step and interval by interval, as recordings are compared (:mod:`selfheal.timeline.compare`)."""
        assert self.real is not None, "it was not run yet"
        return compare([self.real], self.predicted)

    def why(self) -> str:
        """Measured times that lie outside of what was predicted, and what makes such a difference."""
        if self.real is None:
            return "It was not run yet."
        pulled = _pulled(self.real)
        found = [(e, _outside(e)) for e in self.strict.envelopes]
        lines = [
            f"{e.object.removeprefix('Pod/')}: {e.step} came {e.seconds:.1f} s after {e.cause}, predicted "
            f"{_range(e)}: {reason(e, off, pulled)}"
            for e, off in sorted(found, key=lambda one: -abs(one[1]))
            if abs(off) > CLOSE
        ]
        if len(lines) > MOST:
            lines[MOST:] = [f"… and {len(lines) - MOST} more, each less than that."]
        lines += [f"image pull: {text}" for text in pulled.values() if text and not lines]
        inside = sum(1 for _, off in found if abs(off) <= CLOSE)
        head = f"{inside} of {len(found)} intervals as predicted, to within {CLOSE:g} s."
        return "\n".join([head, *dict.fromkeys(lines)])

    def plot(self) -> Any:
        """The picture: reality, and under it the first seed's lives as outlines."""
        if self.real is None:
            return plot(self.predicted[0], title="predicted", backend=self._backend)
        beside = self.predicted[0] if self.predicted else None
        return plot(self.real, beside=beside, beside_name="as predicted", title="what happened", backend=self._backend)

    def __str__(self) -> str:
        return self.verdict()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        picture = "" if self._backend != "svg" else self.plot().html
        rows = "".join(f"<li>{html.escape(line)}</li>" for line in self.verdict().splitlines())
        return f"<ul>{rows}</ul>{picture}"


SAYS = ("restarted {}×", "killed by a probe {}×", "{} at the end", "Ready {}")


def _told(timeline: Timeline) -> dict[str, Mapping[str, Any]]:
    """Of each pod, by its role, what :data:`SAYS` speaks of."""
    roles = Roles(timeline)
    out: dict[str, Mapping[str, Any]] = {}
    for pod in timeline.objects("Pod"):
        last = timeline.select(kind="Pod", object=pod)[-1]
        kills = timeline.select(kind="Event", object=pod, reason="Killing")
        told = {
            SAYS[0]: sum(c["restartCount"] for c in last["containers"]),
            SAYS[1]: sum(1 for e in kills if " failed " in e["message"]),
            SAYS[2]: "gone" if last.get("deleted") else last["phase"],
            SAYS[3]: "at least once" if timeline.ready_intervals(pod.partition("/")[2]) else "never",
        }
        out[roles.role(pod)] = told
    return out


BEGINNINGS = ("created", "what set it off")
"""Causes from which on a pod comes into being: no probe has asked yet, and nothing has ended."""


def reason(e: Envelope, off: float, pulled: Mapping[str, str]) -> str:
    """Why an interval was longer (``off`` > 0) or shorter than predicted: what real clusters differ by."""
    text = f"{e.step} {e.cause}".lower()
    if e.hold:
        return "the restart was held back, and the back-off has jitter and is looked at in its own time"
    if pulled.get(e.object) and off > 0 and not any(w in e.step for w in ("Unhealthy", "Killing", "ready")):
        return f"image pull ({pulled[e.object]})"
    if e.cause not in BEGINNINGS and any(word in text for word in ("unhealthy", "probe", "killing", "ready")):
        return "phase of the tick: a probe runs on its own beat, which begins when it likes"
    if e.cause not in BEGINNINGS and any(w in text for w in ("running", "terminated", "restart")) and abs(off) <= 1.5:
        return "relist: the kubelet looks once a second which containers have ended"
    return "load: the machine had other things to do" if off > 0 else "less load than the simulator expects"


def _pulled(timeline: Timeline) -> dict[str, str]:
    """Pod → what an image that had to be fetched says of it."""
    roles = Roles(timeline)
    return {
        roles.role(e["object"]): e["message"]
        for e in timeline.select(kind="Event", reason="Pulled")
        if e["message"].startswith("Successfully pulled")
    }


def _outside(e: Envelope) -> float:
    """Seconds that an interval lies outside what the seeds say."""
    return e.seconds - e.high if e.seconds > e.high else min(0.0, e.seconds - e.low)


def _range(e: Envelope) -> str:
    return f"{e.low:.1f} s" if e.high - e.low < 0.1 else f"{e.low:.1f} to {e.high:.1f} s"


def _or(values: Sequence[Any]) -> str:
    if len(values) > 1 and all(isinstance(v, int) for v in values):
        return f"{min(values)} to {max(values)}"
    return " or ".join(map(str, values))
