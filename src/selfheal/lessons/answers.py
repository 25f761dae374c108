"""The exercises' solutions, one to each: what it changes, and what the check says of it."""

from __future__ import annotations

import difflib
import html
from dataclasses import dataclass

from selfheal.lessons import exercises
from selfheal.lessons.exercises import Exercise, Report

EXERCISES = (
    (1, "in_time"),
    (2, "silent"),
    (3, "leftover"),
    (4, "slow_start"),
    (5, "always_green"),
    (6, "one_port"),
    (7, "afternoon"),
    (8, "shared_endpoint"),
    (9, "night_shift"),
    (10, "held_up"),
    (11, "unwritten"),
    (12, "rarely"),
    (12, "stays_away"),
    (13, "endless"),
    (14, "lost_orders"),
    (15, "silent_node"),
    (16, "guest"),
    (17, "friday"),
    (18, "drained"),
    (19, "harmless"),
    (20, "fleet"),
)
"""Chapter, and the name of an exercise of it."""


def changes(exercise: Exercise) -> str:
    """The lines in which the solution differs from the start, with one around them."""
    old, new = exercise.manifest.splitlines(), exercise.solution.splitlines()
    lines = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    return "\n".join("…" if line.startswith("@@") else line for line in lines)


@dataclass(frozen=True, slots=True)
class Solved:
    """A chapter's exercise with its solution, checked."""

    number: int
    exercise: Exercise
    report: Report

    def __repr__(self) -> str:
        return f"{self.number} · {self.exercise.name}\n{changes(self.exercise)}\n{self.report!r}"

    def html(self) -> str:
        title = f"{self.number} · {html.escape(self.exercise.name, quote=False)}"
        return (
            f'<details><summary style="cursor:pointer;padding:.3em 0"><strong>{title}</strong></summary>\n'
            f"<p>{html.escape(self.exercise.task, quote=False)}</p>\n"
            f'<pre tabindex="0" aria-label="Changes, {title}" style="overflow-x:auto">'
            f"{html.escape(changes(self.exercise), quote=False)}</pre>\n{self.report._repr_html_()}</details>"
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """All of them, each behind a click."""

    solved: tuple[Solved, ...]

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.solved))

    def _repr_html_(self) -> str:
        inside = "\n".join(one.html() for one in self.solved)
        return f'<div class="selfheal-questions">\n{inside}\n</div>'


def answers() -> Answers:
    """Check each solution and show it."""
    found: list[tuple[int, Exercise]] = [(number, getattr(exercises, name)) for number, name in EXERCISES]
    return Answers(tuple(Solved(n, exercise, exercise.check(exercise.solution)) for n, exercise in found))
