"""All that widgets say, in one file a language: ``en.json``, ``zh-TW.json``.

A file has a part for each family of widgets. ``phrases``, in a translation alone, are the titles and questions that
chapters give in their code: English → the language, so that a translated chapter runs the same cells. What differs from
run to run is a gap: ``{n} kills``.

The language is chosen by ``SELFHEAL_LANG=zh-TW`` or by ``words.use("zh-TW")`` in a notebook. On a page a monitor
speaks the language of the element around it (``lang``).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh-TW")

_chosen: list[str] = []


def use(language: str) -> None:
    """What is made from now on speaks this language. Raises ValueError for one that there is not."""
    _chosen[:] = [_known(language)]


def language() -> str:
    """The language that is spoken: the one that was chosen, else what ``SELFHEAL_LANG`` names, else English."""
    return _chosen[0] if _chosen else _known(os.environ.get("SELFHEAL_LANG") or "en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is made within speaks this language."""
    before, _chosen[:] = _chosen[:], [_known(language)]
    try:
        yield
    finally:
        _chosen[:] = before


def words(part: str, spoken: str | None = None) -> dict[str, Any]:
    """A family's words by key, in the language that is spoken or in another one."""
    found: dict[str, Any] = _file(spoken or language())[part]
    return found


def phrase(text: str) -> str:
    """What a chapter's code says, in the language that is spoken; as it is where nobody has translated it."""
    told: str | None = _file(language()).get("phrases", {}).get(text)
    if told is not None:
        return told
    found = ((said, pattern.fullmatch(text)) for said, pattern in _patterns(language()))
    return next((said.format(**gaps.groupdict()) for said, gaps in found if gaps), text)


def marked() -> str:
    """The attribute of an element in another language than the page's: `` lang="zh-TW"``; nothing for English."""
    return "" if language() == "en" else f' lang="{language()}"'


def _known(language: str) -> str:
    for name in LANGUAGES:
        if name.lower() == language.lower().replace("_", "-"):
            return name
    raise ValueError(f"there are no words in {language!r}; there are {', '.join(LANGUAGES)}")


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Phrases with gaps: what is said, and what it is said for."""
    gap = re.compile(r"\\{(\w+)\\}")
    phrases = _file(language).get("phrases", {})
    return [
        (said, re.compile(gap.sub(r"(?P<\1>.+)", re.escape(text)))) for text, said in phrases.items() if "{" in text
    ]


@cache
def _file(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(__package__).joinpath(f"{language}.json").read_text("utf-8"))
    return found
