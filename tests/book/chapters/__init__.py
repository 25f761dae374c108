"""What the tests must know of each chapter: one module a chapter, found by itself.

A module defines ``CHAPTER``. Nothing else has to be told of a new chapter, beside ``_toc.yml`` and its own tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

from selfheal.lessons.exercises import Exercise

Answered = tuple[str, str, str]
"""(what somebody does, the manifest that comes of it, a part of what is said to it)"""


@dataclass(frozen=True)
class Chapter:
    """``told``: numbers in the prose that no run computes: versions, issues, minutes to read, constants of Kubernetes.

    ``cell``: where the exercise is answered; ``more``: further exercises of the page.
    ``cheats``: ways around the exercise; ``good``: other manifests that solve it. Usual wrong ways the exercise knows.
    """

    page: str
    exercise: Exercise
    cheats: Iterable[Answered]
    good: Iterable[str]
    told: frozenset[str] = field(default=frozenset())
    cell: str = "exercise-answer"
    more: tuple[Chapter, ...] = ()


def without(exercise: Exercise, probe: str) -> str:
    """The manifest without a probe and what is indented below it."""
    left = re.sub(rf"^( +){probe}:\n(?:\1 +.*\n)+", "", exercise.manifest, flags=re.MULTILINE)
    assert probe not in left
    return left


def changed(exercise: Exercise, old: str, new: str) -> str:
    assert old in exercise.manifest
    return exercise.manifest.replace(old, new)


def all_chapters() -> list[Chapter]:
    found = [import_module(f"{__name__}.{module.name}").CHAPTER for module in iter_modules(__path__)]
    return sorted(found, key=lambda chapter: chapter.page)


def all_exercises() -> list[Chapter]:
    """Each exercise with its page; those of a chapter one after another."""
    return [one for chapter in all_chapters() for one in (chapter, *chapter.more)]
