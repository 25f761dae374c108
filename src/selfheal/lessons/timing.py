"""Figures of time that a reader can move: the first probe, how long a fault goes unnoticed, what a sample sees.

    from selfheal.lessons.timing import calculator
    calculator(period=10, threshold=3)

In a notebook a figure is a picture with its sentence; in the book ``timing.js`` adds the controls and draws it anew, by
the same rules. Both draw the same to the letter (``tests/book/test_timing.py``), and what they draw is held to the
simulator there. The words stand in :mod:`selfheal.words`.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from selfheal import words as spoken
from selfheal.lessons.arithmetic import forgives, never_seen, taken_for_a_fault, verdict_after

KNOBS: dict[str, tuple[float, float, float]] = {
    "period": (1, 60, 1),
    "threshold": (1, 10, 1),
    "timeout": (1, 30, 1),
    "delay": (0, 120, 1),
    "starts": (0.2, 15, 0.1),
    "fraction": (0, 0.9, 0.1),
    "loads": (0, 120, 1),
    "startup": (0, 60, 1),
    "begins": (1, 60, 1),
    "lasts": (1, 90, 1),
    "fault": (0, 60, 0.5),
    "hangs": (0, 1, 1),
    "mine": (0, 240, 0.5),
}
"""What can be turned: least, most, step; seconds, but for thresholds and ``hangs``."""


@dataclass(slots=True)
class Lane:
    """One line of a figure: bars (from, to, kind), marks (second, kind), flags (second, text)."""

    name: str
    bars: list[tuple[float, float, str]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    flags: list[tuple[float, str]] = field(default_factory=list)


@dataclass(slots=True)
class Figure:
    """Lanes on one axis, and what they say."""

    since: float
    until: float
    lanes: list[Lane]
    says: list[str]
    mine: float | None = None


def words() -> dict[str, Any]:
    """All that a reader sees."""
    return spoken.words("timing")


def number(value: float) -> str:
    """At most one decimal, as JavaScript would write it."""
    return f"{math.floor(value * 10 + 0.5) / 10:g}"


def fill(text: str, **values: float | str) -> str:
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value if isinstance(value, str) else number(value))
    return text


def script() -> str:
    """``timing.js`` as a classic script that leaves no other names behind."""
    text = files(__package__).joinpath("timing.js").read_text("utf-8")
    return f'(() => {{\n"use strict";\n{text}\n}})();\n'


# ---- the three models; the same stand in timing.js


def first(v: Mapping[str, float]) -> Figure:
    """A liveness worker's ticks, counted from the pod's arrival, and the first at which it asks."""
    say, lanes = words()["first"], words()["lanes"]
    starts, loads, startup, period = v["starts"], v["loads"], v["startup"], v["period"]
    until = starts + v["delay"] + max(loads, 0) + 3 * period + startup
    begun = starts
    ticks: list[tuple[float, str]] = []
    if startup:
        n = 1
        while n * startup <= until:
            t = n * startup
            if t > starts:
                ticks.append((t, "pass" if t - starts >= loads else "fail"))
                begun = t
                if t - starts >= loads:
                    break
            n += 1

    def asked(fraction: float) -> float | None:
        n = 1
        while n * period <= until:
            t = n * period
            old = t > starts and math.floor(t - starts + fraction + 1e-9) >= v["delay"]
            if old and (not startup or t > begun):
                return t
            n += 1
        return None

    found = asked(v["fraction"])
    end = min(until, (until if found is None else found) + 2 * period)
    marks: list[tuple[float, str]] = []
    n = 1
    while n * period <= end:
        t = n * period
        kind = "skip" if found is None or t < found else "fail" if t - starts < loads else "pass"
        marks.append((t, kind))
        n += 1
    told = [fill(say["none"], until=until)]
    if found is not None:
        told = [fill(say["asked"], t=found, age=found - starts)]
    if startup:
        told.append(fill(say["started"], t=begun))
    other = next((t for t in (asked(0), asked(0.9)) if t is not None and t != found), None)
    if other is not None and found is not None:
        told.append(fill(say["edge"], other=other))
    container = Lane(lanes["container"], bars=[(starts, end, "run")])
    if v["delay"]:
        container.bars.append((starts, min(end, starts + v["delay"]), "wait"))
    shown = [container]
    if loads:
        shown.append(Lane(lanes["app"], bars=[(starts, min(end, starts + loads), "sick")]))
    if startup:
        shown.append(Lane(lanes["startup"], marks=[m for m in ticks if m[0] <= end]))
    flags = [] if found is None else [(found, fill(words()["seconds"], n=found))]
    shown.append(Lane(lanes["liveness"], marks=marks, flags=flags))
    return Figure(0, end, shown, told)


def calculate(v: Mapping[str, float]) -> Figure:
    """From a lasting fault to its verdict: at best, at worst, and for a fault at a moment of one's own."""
    say, lanes = words()["calculator"], words()["lanes"]
    period, threshold = v["period"], int(v["threshold"])
    takes = v["timeout"] if v["hangs"] else 0
    every = max(period, takes)

    def verdict(after: float) -> float:
        return after + (threshold - 1) * every + takes

    mine = period - min(v["fault"], period)
    window = verdict_after(period, threshold, takes)
    best, worst = window.first, window.last
    shown = []
    for name, after in (("best", 0.0), ("yours", mine), ("worst", period)):
        end = verdict(after)
        lane = Lane(lanes[name], bars=[(0, end, "sick")], flags=[(end, fill(say["verdict"], t=end))])
        if after - period < 0:
            lane.marks.append((after - period, "pass"))
        for n in range(threshold):
            began = after + n * every
            if takes:
                lane.bars.append((began, began + takes, "wait"))
            lane.marks.append((began + takes, "fail"))
        shown.append(lane)
    told = [fill(say["says"], best=best, mean=window.mean, worst=worst, yours=verdict(mine))]
    kept = forgives(every, threshold)
    told.append(fill(say["forgives"], forgives=kept) if kept else say["forgives.none"])
    if takes > period:
        told.append(fill(say["slow"], timeout=takes))
    return Figure(-period, worst, shown, told)


def sample(v: Mapping[str, float]) -> Figure:
    """A stretch of sickness between the samples of a probe."""
    say, lanes = words()["sampler"], words()["lanes"]
    period, threshold, begins, lasts = v["period"], int(v["threshold"]), v["begins"], v["lasts"]
    until = max(60, begins + lasts + 2 * period)
    marks: list[tuple[float, str]] = []
    run, verdict, n = 0, None, 1
    while n * period <= until:
        t = n * period
        ill = begins <= t < begins + lasts
        marks.append((t, "fail" if ill else "pass"))
        run += ill
        if run == threshold:
            verdict = t
            break
        n += 1
    key = "says.seen.none" if not run else "says.seen.one" if run == 1 else "says.seen"
    ended = say["verdict.none"] if verdict is None else fill(say["verdict"], t=verdict - begins)
    blind = math.floor(never_seen(lasts, period) * 100 + 0.5)
    found = math.floor(taken_for_a_fault(lasts, period, threshold) * 100 + 0.5)
    chances = fill(say["chances"], blind=blind, found=found, forgiven=100 - blind - found)
    told = [fill(say["says"], lasts=lasts, seen=fill(say[key], n=run), verdict=ended), chances]
    flags = [] if verdict is None else [(verdict, fill(words()["seconds"], n=verdict))]
    app = Lane(lanes["app"], bars=[(0, begins, "ok"), (begins, begins + lasts, "sick"), (begins + lasts, until, "ok")])
    return Figure(0, until, [app, Lane(lanes["probe"], marks=marks, flags=flags)], told)


MODELS: dict[str, Callable[[Mapping[str, float]], Figure]] = {
    "first": first,
    "calculator": calculate,
    "sampler": sample,
}
LANES = {
    "first": ("container", "app", "startup", "liveness"),
    "calculator": ("best", "yours", "worst"),
    "sampler": ("app", "probe"),
}
"""The names of the lines that a figure may have."""


# ---- drawing

TOP, LANE, EDGE = 6, 46, 12


def svg(figure: Figure, name: str, width: int = 640) -> str:
    """The figure as SVG; the same function stands in timing.js. ``name``: what it is called on its page."""
    height = TOP + LANE * len(figure.lanes) + 26
    scale = (width - 2 * EDGE) / (figure.until - figure.since)

    def x(t: float) -> float:
        return EDGE + (t - figure.since) * scale

    hatch = f"timing-{name}"
    pattern = f'<pattern id="{hatch}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    parts = [f'<defs>{pattern}<path class="hatch" d="M0 0V6"/></pattern></defs>']
    bottom = TOP + LANE * len(figure.lanes)
    most = 5 if width < 480 else 9
    span = figure.until - figure.since
    step = next((s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300) if span / s <= most), 600)
    t = math.ceil(figure.since / step) * step
    while t <= figure.until:
        at = number(x(t))
        parts.append(f'<path class="grid" d="M{at} {TOP + 12}V{bottom}"/>')
        parts.append(f'<text class="axis" x="{at}" y="{bottom + 16}" text-anchor="middle">{number(t)}</text>')
        t += step
    for n, lane in enumerate(figure.lanes):
        y = TOP + LANE * n + 28
        parts.append(f'<text class="name" x="{EDGE}" y="{y - 14}">{html.escape(lane.name)}</text>')
        parts.append(f'<path class="base" d="M{EDGE} {y}H{width - EDGE}"/>')
        for begin, end, kind in lane.bars:
            left = max(x(begin), EDGE)
            box = f'x="{number(left)}" y="{y - 8}" width="{number(max(x(end) - left, 0.5))}" height="16"'
            parts.append(f'<rect class="{kind}" {box}/>')
            if kind == "sick":
                parts.append(f'<rect fill="url(#{hatch})" {box}/>')
        near = min([b[0] - a[0] for a, b in zip(lane.marks, lane.marks[1:], strict=False)], default=span) * scale
        r = 5 if near > 13 else 2
        for at_t, kind in lane.marks:
            at = number(x(at_t))
            if kind == "fail":
                cross = f"l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}"
                parts.append(f'<path class="fail" d="M{number(x(at_t) - r)} {y - r}{cross}"/>')
            else:
                parts.append(f'<circle class="{kind}" cx="{at}" cy="{y}" r="{r}"/>')
        for at_t, text in lane.flags:
            late = x(at_t) > width - 70
            at = number(x(at_t) + (4 if late else -4))
            anchor = "end" if late else "start"
            parts.append(f'<text class="flag" x="{at}" y="{y - 13}" text-anchor="{anchor}">{html.escape(text)}</text>')
    if figure.mine is not None and figure.mine <= figure.until:
        parts.append(f'<path class="mine" d="M{number(x(figure.mine))} {TOP}V{bottom}"/>')
    label = html.escape(" ".join(figure.says), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True)
class Timing:
    """A figure with its values; ``kind`` is a key of :data:`MODELS`."""

    kind: str
    values: Mapping[str, float]
    knobs: tuple[str, ...]

    @property
    def figure(self) -> Figure:
        return MODELS[self.kind](self.values)

    @property
    def words(self) -> dict[str, Any]:
        """Those that its script shows."""
        say = words()
        lanes = {key: say["lanes"][key] for key in LANES[self.kind]}
        labels = {key: say["labels"][key] for key in self.knobs}
        shared = {key: say[key] for key in ("seconds", "count", "show")}
        return {**shared, self.kind: say[self.kind], "lanes": lanes, "labels": labels}

    @property
    def name(self) -> str:
        """What tells it from the other figures of a page."""
        return "-".join((self.kind, *(number(value) for value in self.values.values())))

    def __repr__(self) -> str:
        return "\n".join((words()[self.kind]["title"], *(f"  {line}" for line in self.figure.says)))

    def _repr_html_(self) -> str:
        figure, say = self.figure, words()
        given = {"kind": self.kind, "values": dict(self.values), "knobs": {k: KNOBS[k] for k in self.knobs}}
        data = json.dumps({**given, "words": self.words}, ensure_ascii=False).replace("<", "\\u003c")
        lines = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in figure.says)
        return (
            f'<div class="selfheal-timing"{spoken.marked()} data-kind="{self.kind}">\n<style>{STYLE}</style>\n'
            f'<script type="application/json">{data}</script>\n'
            f'<p class="title"><strong>{html.escape(say[self.kind]["title"], quote=False)}</strong></p>\n'
            f'<div class="drawing">{svg(figure, self.name)}</div>\n'
            f'<div class="says">{lines}<p class="still">{say["still"]}</p></div>\n'
            "</div>"
        )


def _timing(kind: str, knobs: tuple[str, ...], given: Mapping[str, float]) -> Timing:
    for name, value in given.items():
        least, most, _ = KNOBS[name]
        if not least <= value <= most:
            raise ValueError(f"{name} is a number from {least:g} to {most:g}, not {value:g}")
    return Timing(kind, {name: given[name] for name in given}, knobs)


def first_probe(
    delay: float = 0,
    period: float = 10,
    *,
    starts: float = 0.5,
    fraction: float = 0.5,
    loads: float = 0,
    startup: float = 0,
) -> Timing:
    """When a liveness probe is asked for the first time; seconds from the pod's arrival at its kubelet.

    ``starts``: when the container starts; ``fraction``: at which part of a second; ``loads``: how long the app then
    needs; ``startup``: the period of a startup probe (0: none). Raises ValueError for what cannot be drawn.
    """
    given = {"delay": delay, "period": period, "starts": starts, "fraction": fraction}
    return _timing("first", (*given, "loads", "startup", "mine"), {**given, "loads": loads, "startup": startup})


def calculator(
    period: float = 10, threshold: int = 3, timeout: float = 1, *, fault: float = 4, hangs: bool = False
) -> Timing:
    """How long a lasting fault goes unnoticed. ``fault``: seconds from a probe to the beginning of the fault.

    Raises ValueError for what cannot be drawn.
    """
    given = {"period": period, "threshold": threshold, "timeout": timeout, "fault": fault, "hangs": int(hangs)}
    return _timing("calculator", tuple(given), given)


def sampler(begins: float = 23, lasts: float = 15, *, period: float = 10, threshold: int = 3) -> Timing:
    """What a probe makes of a stretch of sickness, and how often it would have missed or forgiven it.

    Raises ValueError for what cannot be drawn.
    """
    given = {"begins": begins, "lasts": lasts, "period": period, "threshold": threshold}
    return _timing("sampler", tuple(given), given)


STYLE = """
.selfheal-timing{padding:10px 12px;border:1px solid light-dark(#d9dee6,#323b49);border-radius:14px;
background:light-dark(#fff,#12161d);color:light-dark(#1c2330,#e8ecf2);font:15px/1.45 system-ui,sans-serif}
[data-jp-theme-light="false"] .selfheal-timing,.vscode-dark .selfheal-timing{color-scheme:dark}
.selfheal-timing p{margin:.25em 0;color:inherit;font-size:15px}
.selfheal-timing .drawing{overflow-x:auto}
.selfheal-timing svg{display:block;max-width:100%;height:auto;background:none}
.selfheal-timing text{font:12px system-ui,sans-serif;fill:light-dark(#566170,#a3afbf);font-variant-numeric:tabular-nums}
.selfheal-timing .flag{font-weight:650;fill:light-dark(#1c2330,#e8ecf2)}
.selfheal-timing .grid{stroke:light-dark(#d9dee6,#323b49);fill:none}
.selfheal-timing .base{stroke:light-dark(#8b95a4,#6f7c8e);fill:none}
.selfheal-timing .ok{fill:light-dark(#d3f0e4,#123c30);stroke:light-dark(#0a7250,#4fd1a5)}
.selfheal-timing .run{fill:light-dark(#d8eafa,#12304a);stroke:light-dark(#0b5c9a,#74b9f5)}
.selfheal-timing .sick{fill:light-dark(#fbdfcf,#4a2412);stroke:light-dark(#ac3a06,#ff9a66)}
.selfheal-timing .wait{fill:light-dark(#fbeec2,#40330c);stroke:light-dark(#7a5600,#f2c94c);stroke-dasharray:4 3}
.selfheal-timing .hatch{stroke:light-dark(#ac3a06,#ff9a66);stroke-width:1.2;opacity:.5}
.selfheal-timing .pass{fill:light-dark(#0a7250,#4fd1a5)}
.selfheal-timing .skip{fill:light-dark(#fff,#12161d);stroke:light-dark(#566170,#a3afbf);stroke-width:1.4}
.selfheal-timing .fail{fill:none;stroke:light-dark(#ac3a06,#ff9a66);stroke-width:2.4;stroke-linecap:round}
.selfheal-timing .mine{fill:none;stroke:light-dark(#7650a3,#c3a6e8);stroke-width:2;stroke-dasharray:5 4}
.selfheal-timing form{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:4px 18px;margin:.4em 0}
.selfheal-timing label{display:block;font-size:14px}
.selfheal-timing label span{display:flex;justify-content:space-between;gap:8px}
.selfheal-timing output{font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
.selfheal-timing input[type=range]{width:100%;min-height:24px;margin:0;accent-color:light-dark(#0b5c9a,#74b9f5)}
.selfheal-timing input[type=checkbox]{width:24px;height:24px;margin:0}
.selfheal-timing .mine-knob input{accent-color:light-dark(#7650a3,#c3a6e8)}
.selfheal-timing button{font:inherit;min-height:30px;padding:3px 11px;border:1px solid light-dark(#8b95a4,#6f7c8e);
border-radius:8px;background:inherit;color:inherit;cursor:pointer}
.selfheal-timing :focus-visible{outline:3px solid light-dark(#0b5c9a,#74b9f5);outline-offset:2px}
""".replace("\n", "")
