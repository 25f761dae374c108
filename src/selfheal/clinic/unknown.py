"""What a manifest does not say about its app: what is assumed instead, and how much of it the manifest stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from selfheal.clinic.app import App, asks
from selfheal.clinic.cases import BATTERY, battery, run
from selfheal.clinic.subject import Subject
from selfheal.programs.images import find
from selfheal.words import words

SEEDS = (1, 2, 3)
RANGES = {
    "starts": ("start", 600.0, 1.0),
    "slow": ("slow", 4.9, 0.1),
    "pause": ("pause", 300.0, 1.0),
}
"""Of each time that is assumed: the case that it is tried with, the longest that is tried, to what it is exact."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the manifest leaves open."""

    flag: str
    what: str
    assumed: str
    stands: str = ""
    """How much of it the manifest stands, as measured."""

    def json(self) -> dict[str, Any]:
        return {"flag": f"--{self.flag}", "what": self.what, "assumed": self.assumed, "stands": self.stands}


def unknowns(
    subject: Subject, app: App, given: frozenset[str], tick: Callable[[], object] = lambda: None
) -> list[Unknown]:
    """All that was not ``given`` as a flag, with what was measured."""
    found = []
    say = words("clinic")["unknown"]
    cases = {case.name for case in battery(subject)}
    for flag, (case, most, exact) in RANGES.items():
        if flag not in given and case in cases and (flag != "starts" or find(subject.container.image) is None):
            longest = stands(subject, app, flag, tick)
            how = "none" if longest < exact else "least" if longest >= most else "most"
            told = say[how].format(t=f"{min(longest, most):g}")
            found.append(Unknown(flag, say[flag], say["s"].format(t=f"{getattr(app, flag):g}"), told))
    if "depends" not in given:
        asked = asks(subject.container.readiness)
        assumed = say["users" if asked is None else "users.probe"].format(asked=asked)
        found.append(Unknown("depends", say["depends"], assumed))
    if "term" not in given:
        found.append(Unknown("term", say["term"], say["term.ends"]))
    return found


def stands(subject: Subject, app: App, flag: str, tick: Callable[[], object] = lambda: None) -> float:
    """The longest such time with which its case holds, in seconds; halved down to what it is exact to."""
    name, most, exact = RANGES[flag]

    def holds(steps: int) -> bool:
        tick()
        tried = replace(app, **{flag: round(steps * exact, 3)})  # type: ignore[arg-type]
        return all(not run(subject, tried, BATTERY[name], seed)[0].wrong for seed in SEEDS)

    low, high = 0, round(most / exact)
    if holds(high):
        return most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return round(low * exact, 3)
