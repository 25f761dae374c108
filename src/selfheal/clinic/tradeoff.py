"""A sweep as a picture: what is gained by patience and what it costs, and where in the grid both are well."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from selfheal.plot import Plot
from selfheal.plot.scene import Bar, Cross, Dot, Line, Scene, Shape, Text
from selfheal.plot.svg import svg
from selfheal.words import words

if TYPE_CHECKING:
    from selfheal.clinic.grid import Point, Sweep

TOP, SIDE, GAP = 64.0, 300.0, 84.0
"""Where the panels begin, how large each is, and what lies between them."""
LEFT = 56.0


def picture(sweep: Sweep, backend: str = "svg") -> Plot | Any:
    """Two panels: time to heal against needless restarts, and the map of the grid if two paths vary."""
    if backend == "matplotlib":
        from selfheal.plot.figure import figure, legible

        with legible():
            return figure(_scene(sweep))
    if backend != "svg":
        raise ValueError(f"backend must be 'svg' or 'matplotlib', not {backend!r}")
    scene, scope = _scene(sweep), "sw" + hashlib.blake2s(sweep.json().encode(), digest_size=5).hexdigest()
    whole = svg(scene, scope)
    page = f'<div tabindex="0" role="group" aria-label="{scene.title}" style="overflow-x:auto;max-width:960px">'
    page += f'<div style="min-width:640px">{whole}</div></div>'
    return Plot(whole, page, scene.alt)


def _scene(sweep: Sweep) -> Scene:
    best, good = sweep.best, sweep.as_good
    say, title = words("clinic")["sweep"], words("clinic")["sweep"]["title"]
    alt = say["choices" if sweep.front else "choices.none"].format(
        n=len(sweep.points),
        seeds=sweep.seeds,
        chosen=sweep.told(best),
        good=len(good),
        quickest=sweep.told(sweep.front[0]) if sweep.front else "",
    )
    marks: list[Shape] = [
        Text(LEFT, 20, title, "title"),
        Text(LEFT, 40, say["chosen.one"].format(what=sweep.told(best)), "note"),
    ]
    marks += _scatter(sweep, best, good)
    if len(sweep.paths) == 2:
        marks += _map(sweep, best, good)
    marks += _legend()
    return Scene(TOP + SIDE + 92, (TOP, TOP + SIDE), title, alt, [], marks)


# ---- the trade-off


def _scatter(sweep: Sweep, best: Point, good: list[Point]) -> Iterator[Shape]:
    healed = [p for p in sweep.points if p.heal is not None]
    x = _scale([sweep.cost(p) for p in healed] or [1], LEFT, LEFT + SIDE)
    y = _scale([float(p.needless) for p in healed] or [1], TOP + SIDE, TOP)
    say = words("clinic")["sweep"]
    yield from _axes(x, y, say["heal" if sweep.heals else "lost"], say["needless"])
    front = sweep.front
    for a, b in pairwise(front):
        yield Line(x(sweep.cost(a)), y(a.needless), x(sweep.cost(b)), y(a.needless), "ghost")
        yield Line(x(sweep.cost(b)), y(a.needless), x(sweep.cost(b)), y(b.needless), "ghost")
    known = set(good)
    for p in sorted(healed, key=lambda p: p in known):
        style = "pass" if p in known else "skip"
        yield Dot(x(sweep.cost(p)), y(p.needless), 4.0 if p in known else 2.6, style, sweep.told(p))
    if best.heal is not None:
        yield Dot(x(sweep.cost(best)), y(best.needless), 8, "restart", sweep.told(best))
    now = sweep.now
    if now is not None and now.heal is not None:
        yield Cross(x(sweep.cost(now)), y(now.needless), 6, "fail", say["now.one"].format(what=sweep.told(now)))


# ---- the map


def _map(sweep: Sweep, best: Point, good: list[Point]) -> Iterator[Shape]:
    left = LEFT + SIDE + GAP
    across, down = sweep.grid
    say = words("clinic")["sweep"]
    w, h = SIDE / len(across), SIDE / len(down)
    known, now = set(good), sweep.now
    slowest = max((sweep.cost(p) for p in sweep.points), default=1) or 1
    rings: list[Shape] = []
    for p in sweep.points:
        i, j = across.index(p.values[0]), down.index(p.values[1])
        px, py = left + i * w, TOP + SIDE - (j + 1) * h
        style = "term" if p.refused or p.heal is None else "sick" if p.needless > best.needless else "ok"
        yield Bar(
            px + 0.5, py + 0.5, max(w - 1, 0.5), max(h - 1, 0.5), "full" if p in known else style, sweep.told(p), 0
        )
        middle = (px + w / 2, py + h / 2)
        if style == "ok" and p not in known and p.heal is not None:
            yield Dot(*middle, min(w, h) * 0.32 * sweep.cost(p) / slowest, "begin", sweep.told(p))
        if p in known:
            rings.append(Dot(*middle, max(1.6, min(w, h) * 0.14), "pass", sweep.told(p)))
        if p == best:
            rings.append(Dot(*middle, max(5.0, min(w, h) * 0.36), "restart", sweep.told(p)))
        if p == now:
            rings.append(Cross(*middle, max(4.0, min(w, h) * 0.24), "fail", say["now.one"].format(what=sweep.told(p))))
    yield from rings
    yield Line(left, TOP + SIDE, left + SIDE, TOP + SIDE, "base")
    yield Line(left, TOP, left, TOP + SIDE, "base")
    for n, value in _some(across):
        yield Text(left + (n + 0.5) * w, TOP + SIDE + 16, str(value), "tick", "middle")
    for n, value in _some(down):
        yield Text(left - 6, TOP + SIDE - (n + 0.5) * h + 4, str(value), "tick", "end")
    names = [".".join(path.split(".")[-2:]) for path in sweep.paths]
    yield Text(left + SIDE / 2, TOP + SIDE + 34, names[0], "note", "middle")
    yield Text(left, TOP - 8, names[1], "note", "middle")


def _legend() -> Iterator[Shape]:
    y, x, say = TOP + SIDE + 64, LEFT, words("clinic")["sweep"]
    yield Dot(x, y, 8, "restart")
    yield Text(x + 14, y + 4, say["chosen"], "note")
    yield Dot(x + 84, y, 4, "pass")
    yield Text(x + 94, y + 4, say["good"], "note")
    yield Cross(x + 168, y, 6, "fail")
    yield Text(x + 180, y + 4, say["now"], "note")
    yield Bar(x + 268, y - 6, 14, 12, "sick", rx=0)
    yield Text(x + 288, y + 4, say["for.nothing"], "note")
    yield Bar(x + 412, y - 6, 14, 12, "ok", rx=0)
    yield Text(x + 432, y + 4, say["slower"], "note")
    yield Bar(x + 548, y - 6, 14, 12, "term", rx=0)
    yield Text(x + 568, y + 4, say["never"], "note")


# ---- axes


class _scale:  # noqa: N801 - a function with a memory
    """Values to places, from 0 to the largest."""

    def __init__(self, values: list[float], begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self.ticks = _ticks(max(values))
        self.most = self.ticks[-1]

    def __call__(self, value: float) -> float:
        return self.begin + (self.end - self.begin) * value / self.most


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least ``most``, some five of them."""
    size = 1.0
    while most / size > 6:
        size *= 2.5 if str(size)[0] == "2" else 2
    count = max(1, -int(-most // size))
    return [n * size for n in range(count + 1)]


def _axes(x: _scale, y: _scale, across: str, up: str) -> Iterator[Shape]:
    for tick in x.ticks:
        yield Line(x(tick), y.begin, x(tick), y.end, "grid")
        yield Text(x(tick), y.begin + 16, f"{tick:g}", "tick", "middle")
    for tick in y.ticks:
        yield Line(x.begin, y(tick), x.end, y(tick), "grid")
        yield Text(x.begin - 6, y(tick) + 4, f"{tick:g}", "tick", "end")
    yield Line(x.begin, y.begin, x.end, y.begin, "base")
    yield Line(x.begin, y.begin, x.begin, y.end, "base")
    yield Text((x.begin + x.end) / 2, y.begin + 34, across, "note", "middle")
    yield Text(x.begin, y.end - 8, up, "note", "middle")


def _some(values: tuple[Any, ...]) -> list[tuple[int, Any]]:
    """So many that their texts do not touch."""
    step = max(1, -(-len(values) // 12))
    return [(n, v) for n, v in enumerate(values) if n % step == 0]
