"""How to choose values: the battery over a grid of them, with many seeds, and which points of the grid are best.

    from selfheal.clinic import App, sweep
    vary = {"livenessProbe.periodSeconds": range(1, 31), "livenessProbe.failureThreshold": range(1, 6)}
    swept = sweep("shop.yaml", vary, app=App(slow=2, pause=3))
    swept.best             # the point with the least harm; swept.as_good: all that are hardly worse
    swept.plot()           # time to heal against needless restarts and lost requests, and a map of the grid

A path is one of the workload (``spec.replicas``) or of its main container (``livenessProbe.periodSeconds``). Each
point is a task that depends on nothing else: whoever runs them, and in what order, the result is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfheal import manifests
from selfheal.clinic import paths
from selfheal.clinic.app import App
from selfheal.clinic.cases import BATTERY, battery, run
from selfheal.clinic.subject import Subject, subjects
from selfheal.errors import ApiError, BadRequest
from selfheal.words import words

if TYPE_CHECKING:
    from selfheal.plot import Plot

CASES = ("deadlock", "start", "pause", "slow")
"""The cases in which a probe's numbers decide: how soon it heals, and whom it kills for nothing."""
HEALS = "deadlock"
"""The case whose time to heal is measured."""
SEEDS = 5
LARGEST = 20_000
"""Points of a grid."""
TOLERANCE, SLOWER = 0.1, 0.2
"""A point is as good as another with no more needless restarts, a tenth more lost requests, a fifth more time."""
GRACE = 20
"""Requests that make no difference: two seconds' worth."""


@dataclass(frozen=True, slots=True)
class Point:
    """One choice of values, and what came of it over all seeds."""

    values: tuple[Any, ...]
    """In the order of :attr:`Sweep.paths`."""
    heal: float | None = None
    """The longest time to heal a deadlock, in seconds; None: with some seed it did not heal."""
    needless: int = 0
    """Restarts of containers that a restart could not help, of all cases together."""
    lost: int = 0
    """Requests, of all cases together."""
    refused: str = ""
    """Why the API server does not take it."""

    @property
    def harm(self) -> tuple[float, ...]:
        """The less the better: whether it heals, who is killed for nothing, what users feel, how long it takes."""
        hopeless = 2.0 if self.refused else 1.0 if self.heal is None else 0.0
        return (hopeless, self.needless, self.lost, self.heal or 0.0)


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is asked to do: one point."""

    subject: Subject
    app: App
    cases: tuple[str, ...]
    seeds: int
    paths: tuple[str, ...]
    values: tuple[Any, ...]


def measure(task: Task) -> Point:
    """Run one point."""
    subject = task.subject
    heal: float | None = 0.0
    needless = lost = 0
    try:
        for path, value in zip(task.paths, task.values, strict=True):
            subject = subject.change(path, value)
        for name in task.cases:
            for seed in range(1, task.seeds + 1):
                outcome, _ = run(subject, task.app, BATTERY[name], seed)
                needless, lost = needless + outcome.needless, lost + outcome.lost
                if name == HEALS:
                    hangs = outcome.heal is None or outcome.wrong == "start"
                    heal = None if hangs or heal is None else max(heal, outcome.heal or 0.0)
    except (ApiError, ValueError) as error:
        return Point(task.values, None, refused=str(error))
    return Point(task.values, heal, needless, lost)


@dataclass(frozen=True)
class Sweep:
    """A grid, and what came of each point of it, in the order of the grid."""

    subject: Subject
    app: App
    cases: tuple[str, ...]
    seeds: int
    paths: tuple[str, ...]
    grid: tuple[tuple[Any, ...], ...]
    """The values of each path."""
    points: tuple[Point, ...] = field(repr=False)

    @property
    def missing(self) -> int:
        """How many points were not run before a stop."""
        return prod(len(values) for values in self.grid) - len(self.points)

    @property
    def best(self) -> Point:
        """The choice: nobody restarted for nothing, hardly a request lost that need not be, and then the quickest."""
        least = min(self.points, key=lambda p: p.harm)
        alike = [p for p in self.points if p.harm[:2] == least.harm[:2] and p.lost <= _hardly(least.lost)]
        return min(alike, key=lambda p: (p.heal or 0.0, p.lost))

    @property
    def as_good(self) -> list[Point]:
        """All points that are hardly worse than the best."""
        best = self.best
        if best.refused or best.heal is None:
            return [best]
        return [
            p
            for p in self.points
            if p.needless <= best.needless
            and p.lost <= _hardly(best.lost)
            and p.heal is not None
            and p.heal <= best.heal * (1 + SLOWER)
        ]

    @property
    def front(self) -> list[Point]:
        """The trade-off: points that no other beats in both, :meth:`cost` and needless restarts; the cheapest first."""
        front: list[Point] = []
        healed = [p for p in self.points if p.heal is not None]
        for point in sorted(healed, key=lambda p: (self.cost(p), p.needless, p.lost)):
            if not front or point.needless < front[-1].needless:
                front.append(point)
        return front

    @property
    def heals(self) -> bool:
        """Whether a time to heal was measured."""
        return HEALS in self.cases

    def cost(self, point: Point) -> float:
        """The time to heal in seconds; where none was measured, the lost requests."""
        return (point.heal or 0.0) if self.heals else float(point.lost)

    @property
    def now(self) -> Point | None:
        """The point of the values that stand in the manifest, if it is one of the grid."""
        written = tuple(paths.get(self.subject.admitted, path) for path in self.paths)
        return next((p for p in self.points if p.values == written), None)

    def told(self, point: Point) -> str:
        """A point in words: ``periodSeconds 5, failureThreshold 3: heals in 49 s, 0 needless restarts, 12 lost``."""
        say, between = words("clinic")["sweep"], words("punctuation")
        names = [path.rpartition(".")[2] for path in self.paths]
        if len(set(names)) < len(names):
            names = [".".join(path.split(".")[-2:]) for path in self.paths]
        chosen = between["comma"].join(f"{name} {value}" for name, value in zip(names, point.values, strict=True))
        if point.refused:
            return str(say["point.refused"]).format(chosen=chosen, why=point.refused)
        what = [say["point.needless"].format(n=point.needless), say["point.lost"].format(n=point.lost)]
        if point.heal is None:
            what.insert(0, say["point.heal.not"])
        elif self.heals:
            what.insert(0, say["point.heal"].format(s=f"{point.heal:g}"))
        return str(say["point"]).format(chosen=chosen, what=between["clause"].join(what))

    def plot(self, *, backend: str = "svg") -> Plot | Any:
        """The trade-off as a picture: SVG, or a matplotlib figure with ``backend="matplotlib"``."""
        from selfheal.clinic.tradeoff import picture

        return picture(self, backend)

    def json(self) -> str:
        """All of it; the same bytes for the same question, whoever ran it."""
        found = {
            "object": self.subject.ref,
            "file": self.subject.source,
            "app": {key: getattr(self.app, key) for key in ("starts", "slow", "pause", "depends", "term")},
            "cases": self.cases,
            "seeds": self.seeds,
            "vary": dict(zip(self.paths, self.grid, strict=True)),
            "best": _json(self.best),
            "as good": [list(p.values) for p in self.as_good],
            "front": [list(p.values) for p in self.front],
            "missing": self.missing,
            "points": [_json(p) for p in self.points],
        }
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _hardly(lost: int) -> float:
    """So many lost requests are hardly more."""
    return lost * (1 + TOLERANCE) + GRACE


def _json(p: Point) -> dict[str, Any]:
    out = {"values": list(p.values), "heal": p.heal, "needless": p.needless, "lost": p.lost}
    return {**out, "refused": p.refused} if p.refused else out


Runner = Callable[[Sequence[Task]], Iterable[Point | None]]
"""Whoever runs tasks: gives their points in the same order, None for those that were not run before a stop."""


def one_by_one(tasks: Sequence[Task]) -> Iterator[Point]:
    """In this process: a page of the book, a notebook, a test. Interrupted, it gives what is known by then."""
    for task in tasks:
        try:
            point = measure(task)
        except KeyboardInterrupt:
            return
        yield point


def sweep(
    source: Subject | manifests.Source,
    vary: Mapping[str, Iterable[Any]],
    *,
    app: App | None = None,
    cases: Sequence[str] = CASES,
    seeds: int = SEEDS,
    runner: Runner = one_by_one,
) -> Sweep:
    """Run a grid. ``vary`` maps paths to values. Raises ApiError for a manifest or a grid that cannot be run."""
    subject = source if isinstance(source, Subject) else _subject(source)
    grid = {path: tuple(values) for path, values in vary.items()}
    tasks = plan(subject, grid, app or App(), cases, seeds)
    points = tuple(point for point in runner(tasks) if point is not None)
    first = tasks[0]
    return Sweep(subject, first.app, first.cases, seeds, first.paths, tuple(grid.values()), points)


def plan(
    subject: Subject, vary: Mapping[str, tuple[Any, ...]], app: App, cases: Sequence[str], seeds: int
) -> list[Task]:
    """The tasks of a grid, the last path turning fastest. Raises ApiError."""
    where = tuple(resolve(subject, path) for path in vary)
    grid = list(vary.values())
    size = prod(len(values) for values in grid)
    if not where or not 1 <= size <= LARGEST:
        raise BadRequest(f"the grid has {size} points; there can be 1 to {LARGEST}")
    for name in cases:
        if name not in BATTERY:
            raise BadRequest(f"unknown case {name}: there are {', '.join(BATTERY)}")
    sensible = tuple(case.name for case in battery(subject, tuple(cases)))
    tasks = [Task(subject, app, sensible, seeds, where, values) for values in product(*grid)]
    if all(_refused(t) for t in (tasks[0], tasks[-1])):
        raise BadRequest(_refused(tasks[0]))
    return tasks


def _refused(task: Task) -> str:
    """Why the API server does not take a point; empty if it does."""
    subject = task.subject
    try:
        for path, value in zip(task.paths, task.values, strict=True):
            subject = subject.change(path, value)
        _ = subject.admitted
    except (ApiError, ValueError) as error:
        return str(error)
    return ""


def resolve(subject: Subject, path: str) -> str:
    """A whole path: ``livenessProbe.periodSeconds`` is one of the main container, dots in front stand for the way."""
    path = path.removeprefix("…").lstrip(".")
    whole = path if path.split(".")[0] in ("spec", "metadata") else f"{subject.at}.{path}"
    try:
        paths.steps(whole)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return whole


def _subject(source: manifests.Source) -> Subject:
    """The one workload of a source."""
    name = str(source) if isinstance(source, Path) else ""
    found, _ = subjects([(m.object, m.name if m.name != "STDIN" else name) for m in manifests.read(source)])
    if len(found) != 1:
        there = ", ".join(s.ref for s in found) or "none"
        raise BadRequest(f"a sweep needs one workload, and there is {there}")
    return found[0]
