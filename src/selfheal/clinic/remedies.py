"""The smallest change that helps, found by running: every single turn of a dial, the smallest first.

What counts is not whether a change looks right. It must make the failed case hold with every seed with which it failed,
and no case fail that held before: a threshold that forgives everything, or no probe at all, does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import log2
from typing import Any

from selfheal.clinic import paths
from selfheal.clinic.app import App
from selfheal.clinic.cases import Case, run
from selfheal.clinic.subject import Subject
from selfheal.clinic.trial import Outcome
from selfheal.errors import ApiError

NUMBERS: dict[str, tuple[int, tuple[int, ...]]] = {
    "timeoutSeconds": (1, (1, 2, 3, 5, 10, 20, 30)),
    "failureThreshold": (3, (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60)),
    "periodSeconds": (10, (1, 2, 5, 10, 15, 20, 30, 60)),
}
"""What a probe's numbers are unless they are given (pkg/apis/core/v1/defaults.go), and what is tried."""
STARTING = (6, 12, 30, 60)
"""Thresholds of a startup probe of 10 s that are tried."""
OWN_PAGE = {"livenessProbe": "/livez", "readinessProbe": "/readyz"}
"""Names for a page that answers for the app itself, where there is none yet."""
FRESH = range(101, 111)
"""Seeds with which a change is tried that helped with those that failed: it might have helped by chance."""
MOST = 3
"""Changes that are combined, if no single one helps."""


@dataclass(frozen=True, slots=True)
class Change:
    """Another value at a place of the workload (or of the object that ``of`` names); None: nothing stands there."""

    path: str
    value: Any
    now: Any = None
    cost: float = 0
    of: str = ""

    def to(self, subject: Subject) -> Subject:
        if not self.of:
            return subject.change(self.path, self.value)
        others = tuple(
            paths.put(o, self.path, self.value) if f"{o['kind']}/{o['metadata']['name']}" == self.of else o
            for o in subject.others
        )
        return replace(subject, others=others)

    def json(self) -> dict[str, Any]:
        return {"path": self.path, "from": self.now, "to": self.value} | ({"object": self.of} if self.of else {})


Tried = dict[tuple[str, int], str]
"""(case, seed) → what did not hold there; empty if all did."""


def search(
    subject: Subject,
    app: App,
    case: Case,
    tried: Tried,
    cases: dict[str, Case],
    tick: Callable[[], object] = lambda: None,
) -> tuple[tuple[Change, ...], Outcome | None]:
    """The change that helps with the least effort, or some that do together, and what then comes of the worst run.

    Nothing and None if none of them helps. ``tick()`` is called before each run.
    """
    failed = [seed for (name, seed), wrong in tried.items() if name == case.name and wrong]
    if case.name == "start":
        return _starting(subject, app, case, failed, cases, tick)
    held = [(cases[name], seed) for (name, seed), wrong in tried.items() if not wrong and name != case.name]
    made: tuple[Change, ...] = ()
    felt = _felt(_tried(subject, None, app, case, failed[0]))
    again = [(case, seed) for seed in (*failed[1:], *FRESH)]
    while len(made) < MOST:
        better: list[tuple[tuple[float, ...], Change]] = []
        for change in sorted(dials(subject), key=lambda c: c.cost):
            tick()
            outcome = _tried(subject, change, app, case, failed[0])
            if outcome is not None and not outcome.wrong:
                if _holds(change.to(subject), app, [*again, *held]):
                    return (*made, change), outcome
            elif _felt(outcome) < felt:
                better.append((_felt(outcome), change))
        step = next((b for b in sorted(better, key=lambda b: b[0]) if _holds(b[1].to(subject), app, held)), None)
        if step is None:
            break
        felt, made, subject = step[0], (*made, step[1]), step[1].to(subject)
    return (), None


def _starting(
    subject: Subject, app: App, case: Case, failed: list[int], cases: dict[str, Case], tick: Callable[[], object]
) -> tuple[tuple[Change, ...], Outcome | None]:
    """What never got ready could not be tried with anything else; so of all that helps, what then stands most."""
    best: tuple[int, Change, Outcome] | None = None
    for change in sorted(dials(subject), key=lambda c: c.cost):
        tick()
        outcome = _tried(subject, change, app, case, failed[0])
        if outcome is None or outcome.wrong or not _holds(change.to(subject), app, [(case, s) for s in failed[1:]]):
            continue
        others = [_tried(subject, change, app, other, failed[0]) for other in cases.values()]
        left = sum(1 for o in others if o is None or o.wrong)
        if best is None or left < best[0]:
            best = (left, change, outcome)
    return ((), None) if best is None else ((best[1],), best[2])


def _tried(subject: Subject, change: Change | None, app: App, case: Case, seed: int) -> Outcome | None:
    """One run with a change; None if the API server refuses it."""
    try:
        return run(change.to(subject) if change else subject, app, case, seed)[0]
    except (ApiError, ValueError):
        return None


def _holds(subject: Subject, app: App, runs: list[tuple[Case, int]]) -> bool:
    """Whether all these runs hold."""
    return all(not run(subject, app, case, seed)[0].wrong for case, seed in runs)


def _felt(o: Outcome | None) -> tuple[float, ...]:
    """What a step towards a remedy must lessen; of two that lessen it alike the smaller is taken."""
    if o is None:
        return (1e9,)
    return (o.needless, o.lost // 20, 1e9 if o.heal is None else o.heal // 30)


def dials(subject: Subject) -> Iterator[Change]:
    """Everything that is tried, one at a time."""
    written, at = paths.get(subject.workload, subject.at) or {}, subject.at
    for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
        if isinstance(written.get(probe), dict):
            yield from _numbers(written[probe], f"{at}.{probe}")
            yield from _questions(subject, written[probe], f"{at}.{probe}", probe)
    yield from _missing(subject, written, at)
    if subject.kind != "Pod":
        yield from _workload(subject)
    if "preStop" not in (written.get("lifecycle") or {}):
        for seconds in (2, 5, 10, 15):
            yield Change(f"{at}.lifecycle.preStop", {"sleep": {"seconds": seconds}}, cost=4 + seconds / 10)
    for other in subject.others:
        if other["kind"] == "PodDisruptionBudget":
            of = f"PodDisruptionBudget/{other['metadata']['name']}"
            now = other["spec"]
            budget = {k: v for k, v in now.items() if k not in ("minAvailable", "maxUnavailable")}
            yield Change("spec", {**budget, "maxUnavailable": 1}, now, 3, of)


def _numbers(probe: dict[str, Any], at: str) -> Iterator[Change]:
    for number, (default, ladder) in NUMBERS.items():
        now = probe.get(number, default)
        for value in ladder if isinstance(now, int) and now > 0 else ():
            if value != now:
                yield Change(f"{at}.{number}", value, now, abs(log2(value / now)))


def _questions(subject: Subject, probe: dict[str, Any], at: str, name: str) -> Iterator[Change]:
    """Another page, another port, or a question that somebody must answer."""
    if isinstance(probe.get("httpGet"), dict):
        get = probe["httpGet"]
        if name in OWN_PAGE:
            yield Change(f"{at}.httpGet.path", OWN_PAGE[name], get.get("path", "/"), 3.5)
        for port in subject.ports:
            yield Change(f"{at}.httpGet.port", port, get.get("port"), 2.5)
    elif name in OWN_PAGE and subject.ports:
        handlers = ("tcpSocket", "exec", "grpc")
        rest = {k: v for k, v in probe.items() if k not in handlers}
        yield Change(at, {"httpGet": _page(subject, OWN_PAGE[name]), **rest}, probe, 5)


def _missing(subject: Subject, written: dict[str, Any], at: str) -> Iterator[Change]:
    if subject.service is None or not subject.ports:
        return
    for name, page in OWN_PAGE.items():
        if name not in written:
            yield Change(f"{at}.{name}", {"httpGet": _page(subject, page)}, cost=4.5)
            yield Change(f"{at}.{name}", {"httpGet": _page(subject, page), "timeoutSeconds": 5}, cost=4.7)
    if "startupProbe" not in written and "livenessProbe" in written:
        asked = {k: v for k, v in written["livenessProbe"].items() if k in ("httpGet", "tcpSocket", "exec", "grpc")}
        for threshold in STARTING:
            yield Change(f"{at}.startupProbe", {**asked, "failureThreshold": threshold}, cost=4 + threshold / 100)


def _page(subject: Subject, path: str) -> dict[str, Any]:
    return {"path": path, "port": subject.ports[0]}


def _workload(subject: Subject) -> Iterator[Change]:
    if subject.kind != "DaemonSet":
        for replicas in (2, 3):
            if replicas > subject.replicas:
                yield Change("spec.replicas", replicas, subject.replicas, 6 + replicas)
    if subject.kind == "Deployment":
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}}
        yield Change("spec.strategy", rolling, paths.get(subject.workload, "spec.strategy"), 4)
