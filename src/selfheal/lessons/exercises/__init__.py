"""Exercises that code checks.

An exercise gives a symptom, never the cause, and a manifest to change. :meth:`Exercise.check` runs what the reader
wrote and says what happened, not only whether it was right: each usual wrong way has its own explanation, and
getting rid of the symptom by getting rid of the probe does not pass.

    from selfheal.lessons.exercises import in_time
    in_time                     # symptom, task, manifest
    in_time.check(my_manifest)  # what came of it
"""

from __future__ import annotations

from selfheal.lessons.exercises import data
from selfheal.lessons.exercises.exercise import Exercise, Finding, Report, Wrong
from selfheal.lessons.exercises.harmless import harmless


def __getattr__(name: str) -> Exercise:
    """Exercises that are data, by the names of their files."""
    try:
        return data.load(name)
    except FileNotFoundError:
        raise AttributeError(f"there is no exercise {name!r}") from None


__all__ = [
    "Exercise",
    "Finding",
    "Report",
    "Wrong",
    "harmless",
]
