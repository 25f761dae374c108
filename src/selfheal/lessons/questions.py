"""Questions that a chapter asks: before a run (predict) and at its end (quiz).

Each answer can be opened, and says why it is right or what it overlooks. It is plain HTML, ``<details>`` and
``<summary>``: no script, by keyboard, in JupyterLab, VS Code and on a page alike; without HTML, plain text.
The texts lie in ``texts/``, one file a chapter (its translation in ``texts/zh-TW/``), so that a chapter's cell does not
give the answer away.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from selfheal.words import language, marked, words

YES, NO = "✓", "✗"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to choose: what it says, and what is said about it."""

    says: str
    reply: str
    right: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers. In texts, ```code``` is code and ``*word*`` is stressed."""

    text: str
    answers: tuple[Answer, ...]

    def _repr_html_(self) -> str:
        return f'<div class="selfheal-questions"{marked()}>\n{self.html()}\n</div>'

    def html(self, number: int | None = None) -> str:
        label = "" if number is None else f"{number}. "
        answers = "\n".join(map(_details, self.answers))
        return f'<p style="margin:.8em 0 .3em"><strong>{label}{_inline(self.text)}</strong></p>\n{answers}'

    def __repr__(self) -> str:
        return "\n".join((self.text, *(f"  ( ) {a.says}" for a in self.answers)))


@dataclass(frozen=True, slots=True)
class Quiz:
    """Some questions in a row."""

    questions: tuple[Question, ...]

    def _repr_html_(self) -> str:
        asked = "\n".join(q.html(n) for n, q in enumerate(self.questions, 1))
        return f'<div class="selfheal-questions"{marked()}>\n{asked}\n</div>'

    def __repr__(self) -> str:
        return "\n\n".join(f"{n}. {q!r}" for n, q in enumerate(self.questions, 1))


def _details(a: Answer) -> str:
    """An answer that opens, and says whether it is right and why."""
    say = words("question")
    word = f"{YES} {say['yes']}" if a.right else f"{NO} {say['no']}"
    return (
        '<details style="margin:.35em 0 .35em 1em">'
        f'<summary style="cursor:pointer;padding:.2em 0">{_inline(a.says)}</summary>\n'
        f'<p style="margin:.2em 0 .6em 1.2em"><strong>{word}</strong> {_inline(a.reply)}</p></details>'
    )


def predict(name: str) -> Question:
    """The question before a run, by name, for instance ``predict("alive/deadlock")``."""
    chapter, _, key = name.partition("/")
    return _question(_texts(chapter)["predict"][key])


def quiz(chapter: str) -> Quiz:
    """The quiz at the end of a chapter: ``quiz("alive")``."""
    return Quiz(tuple(_question(given) for given in _texts(chapter)["quiz"]))


def _question(given: Mapping[str, Any]) -> Question:
    answers = tuple(Answer(a["says"], a["reply"].strip(), bool(a.get("right"))) for a in given["answers"])
    return Question(given["ask"].strip(), answers)


def _texts(chapter: str) -> dict[str, Any]:
    return _read(chapter, language())


@cache
def _read(chapter: str, language: str) -> dict[str, Any]:
    """A chapter's texts in a language, in English where it is not translated yet."""
    folder = files(__package__).joinpath("texts")
    path = folder.joinpath(language, f"{chapter}.yaml")
    path = path if path.is_file() else folder.joinpath(f"{chapter}.yaml")
    texts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return texts


def _inline(text: str) -> str:
    """`code` and *stress* as HTML."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(" ".join(text.split()), quote=False))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
