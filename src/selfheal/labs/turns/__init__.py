"""What a reader tries in a lab, judged by what it did on the cluster.

There is a module for each lab. Its ``problems(timeline, manifests)`` looks at the run and says what is not yet
right: what was seen, then where to look, never the answer. ``PASSED`` is what it says when there is no problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from textwrap import fill
from typing import Protocol

from selfheal.scenario import Scenario
from selfheal.timeline import Timeline

WIDTH = 88
"""Letters in a line."""


class Attempt(Protocol):
    """What a reader tried: a :class:`~selfheal.labs.lab.Lab` that was run."""

    @property
    def scenario(self) -> Scenario: ...
    @property
    def timeline(self) -> Timeline | None: ...


@dataclass(frozen=True, slots=True)
class Grade:
    """What is not yet right, or what is to be learnt from a pass."""

    problems: tuple[str, ...]
    passed: str = ""

    def __bool__(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        if not self.problems:
            return _filled(f"✓ {self.passed}")
        return "\n".join(("Not yet.", *(_filled(f"✗ {problem}") for problem in self.problems)))

    __repr__ = __str__


def _filled(text: str) -> str:
    return fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def grade(lab: str, attempt: Attempt) -> Grade:
    """What the judge of a lab says of an attempt."""
    judge = import_module(f"{__name__}.{lab.replace('-', '_')}")
    if attempt.timeline is None:
        return Grade(("It was not run yet: run() comes first.",))
    return Grade(tuple(judge.problems(attempt.timeline, attempt.scenario.manifests)), judge.PASSED)
