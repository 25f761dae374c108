"""Prediction, simulation and reality laid over each other: one figure, with a prediction of the reader's own before it.

    overlay("When does it act?", real, seeds, "liveness-exec", {"kill": [33.0, 108.0]})

``real`` is a timeline that a real cluster left (``tests/recordings``, a lab), the others are simulated runs of the same
scenario, one a seed. What is compared are moments of one pod: kills, starts, restarts, changes of Ready, its end.
:func:`selfheal.lessons.witness.witness` brings both.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from selfheal.lessons.cases import Case, Cases, cases
from selfheal.lessons.lanes import bars, scale
from selfheal.lessons.table import table
from selfheal.timeline.log import Timeline
from selfheal.words import phrase, words

MOMENTS: dict[str, Callable[[Timeline, str], list[float]]] = {
    "start": lambda timeline, pod: timeline.starts(pod),
    "kill": lambda timeline, pod: timeline.kills(pod),
    "restart": lambda timeline, pod: timeline.restarts(pod),
    "ready": lambda timeline, pod: [begin for begin, _ in timeline.ready_intervals(pod)],
    "unready": lambda timeline, pod: [end for _, end in timeline.ready_intervals(pod) if end < timeline.end],
    "deletion": lambda timeline, pod: _first(timeline, pod, "terminating"),
    "gone": lambda timeline, pod: _first(timeline, pod, "deleted"),
}
"""What can be laid over each other, and where it stands in a timeline (s)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, as it was predicted, as the seeds have it, and as it was. None: it never came."""

    name: str
    predicted: float | None
    simulated: tuple[float, ...]
    real: float | None

    @property
    def said(self) -> str:
        return _at(self.predicted)

    @property
    def range(self) -> str:
        """What the seeds say."""
        if not self.simulated:
            return _at(None)
        low, high = min(self.simulated), max(self.simulated)
        return str(words("overlay")["range"]).format(low=f"{low:.1f}", high=f"{high:.1f}") if high > low else _at(low)

    @property
    def off(self) -> str:
        """By how much reality came later than it was predicted."""
        if self.real is None or self.predicted is None:
            return ""
        return str(words("overlay")["off.by"]).format(t=f"{self.real - self.predicted:+.1f}")


def _first(timeline: Timeline, pod: str, mark: str) -> list[float]:
    """When a pod first bore a mark."""
    return [r["t"] for r in timeline.select(kind="Pod", object=f"Pod/{pod}") if r.get(mark)][:1]


def overlay(
    title: str,
    real: Timeline,
    simulated: Sequence[Timeline],
    pod: str,
    predicted: Mapping[str, Sequence[float]],
    *,
    until: float | None = None,
    near: float = 2,
) -> Cases:
    """The figure. ``predicted``: key of :data:`MOMENTS` → seconds, the first one, the second one …

    On a page the reader predicts each moment first, and ``near`` s beside the real cluster's count as right.
    """
    found = moments(real, simulated, pod, predicted)
    end = real.end if until is None else until
    say, seeds = words("overlay"), len(simulated)

    def one(name: str) -> Case:
        moment = next(m for m in found if m.name == name)
        told = say["says"].format(predicted=moment.said, simulated=moment.range, real=_at(moment.real))
        return Case(real, moment.real, told, end, drawn=_lanes([moment], seeds, end))

    asked = cases(phrase(title), {say["event"]: [m.name for m in found]}, one, ask=say["ask"], near=near)
    return replace(asked, whole=_whole(found, real, simulated, pod, end))


def moments(
    real: Timeline, simulated: Sequence[Timeline], pod: str, predicted: Mapping[str, Sequence[float]]
) -> list[Moment]:
    """All that was predicted, with what came of it. Raises ValueError for what cannot be compared."""
    out, say = [], words("overlay")
    for what, times in predicted.items():
        if what not in MOMENTS:
            raise ValueError(f"a prediction is about {', '.join(MOMENTS)}, not about {what!r}")
        was, runs = MOMENTS[what](real, pod), [MOMENTS[what](run, pod) for run in simulated]
        for n, at in enumerate(times):
            seeds = tuple(run[n] for run in runs if len(run) > n)
            called = say[f"moment.{what}"]
            name = say["nth"].format(what=called, n=n + 1) if len(times) > 1 else called
            out.append(Moment(name, at, seeds, was[n] if len(was) > n else None))
    return out


def _lanes(found: Sequence[Moment], seeds: int, until: float) -> str:
    """Predicted marks, a band of the seeds, the marks of reality."""
    said = [_mark("said", m.predicted, m.predicted, m.name, until) for m in found if m.predicted is not None]
    bands = [_mark("band", min(m.simulated), max(m.simulated), m.name, until) for m in found if m.simulated]
    was = [_mark("was", m.real, m.real, m.name, until) for m in found if m.real is not None]
    names = _names(seeds)
    rows = "".join(
        f'<div class="lane"><span>{html.escape(name)}</span><span class="axis">{"".join(marks)}</span></div>'
        for name, marks in zip(names, (said, bands, was), strict=True)
    )
    told = "; ".join(f"{m.name}: {m.said}, {m.range}, {_at(m.real)}" for m in found)
    label = html.escape(f"{', '.join(names)}. {told}.")
    return (
        f'<div class="lanes overlay" role="img" aria-label="{label}" data-until="{until:g}">{rows}{scale(until)}</div>'
    )


def _whole(found: Sequence[Moment], real: Timeline, simulated: Sequence[Timeline], pod: str, until: float) -> str:
    """All moments, under them the two runs, and all of it as a table."""
    say, names = words("overlay"), _names(len(simulated))
    twin = table([say["what"], *names, say["off"]], [[m.name, m.said, m.range, _at(m.real), m.off] for m in found])
    runs = "".join(
        f'<p class="run">{html.escape(name)}</p>{bars(run, until, [pod], title=name)}'
        for name, run in ((say["simulated.one"], simulated[0]), (say["real"], real))
    )
    return (
        f"<style>{OVERLAY}</style><details><summary>{html.escape(say['all'])}</summary>"
        f"{_lanes(found, len(simulated), until)}{runs}{twin._repr_html_()}</details>"
    )


def _names(seeds: int) -> list[str]:
    say = words("overlay")
    simulated = say["simulated"].format(n=seeds) if seeds > 1 else say["simulated.one"]
    return [say["predicted"], simulated, say["real"]]


def _mark(kind: str, begin: float, end: float, what: str, until: float) -> str:
    width = 100 * (end - begin) / until
    say = words("overlay")
    at = say["at" if begin == end else "range"].format(t=f"{begin:.1f}", low=f"{begin:.1f}", high=f"{end:.1f}")
    told = html.escape(say["mark"].format(what=what, at=at))
    return f'<u class="{kind}" style="left:{100 * begin / until:.2f}%;width:{width:.2f}%" title="{told}"></u>'


def _at(t: float | None) -> str:
    say = words("overlay")
    return str(say["never"] if t is None else say["at"].format(t=f"{t:.1f}"))


OVERLAY = """
.selfheal-play .overlay u{position:absolute;top:1px;height:20px;box-sizing:content-box;text-decoration:none}
.selfheal-play .overlay u.said{width:7px!important;margin-left:-5px;border:1.5px dashed var(--mine);border-radius:3px;
background:var(--mineb)}
.selfheal-play .overlay u.band{min-width:3px;margin-left:-1.5px;background:var(--infob);border:1px solid var(--info)}
.selfheal-play .overlay u.was{border-inline-start:3px solid var(--ink)}
.selfheal-play .run{margin:.6em 0 0;font-weight:600;font-size:13px}
.selfheal-play details :is(td,th){padding:2px 10px 2px 0;border:0;background:none;color:inherit}
.selfheal-play details .selfheal-table thead th{white-space:normal}
""".replace("\n", "")
