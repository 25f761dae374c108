"""A test before and after: the questions without their answers, and what somebody's letters come to.

    sheet("misconceptions")                        # to be answered with letters, one a question
    score("misconceptions", "c b c a …")           # how many are right, and which beliefs are left
    gain("misconceptions", before, after)          # what the time between has done

The questions are those of :func:`selfheal.lessons.questions.quiz`; there each answer can be opened and says why.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.lessons.questions import Answer, Quiz, _inline, _texts, quiz
from selfheal.words import words

LETTERS = "abcdef"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Questions with letters, and nothing that tells which is right."""

    quiz: Quiz

    def __repr__(self) -> str:
        lines = []
        for n, question in enumerate(self.quiz.questions, 1):
            lines += [f"{n}. {question.text}", *(f"   {c}) {a.says}" for c, a in _lettered(question.answers)), ""]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = []
        for question in self.quiz.questions:
            answers = "".join(f"<li>{_inline(a.says)}</li>" for a in question.answers)
            items.append(f'<li style="margin:.8em 0"><p>{_inline(question.text)}</p><ol type="a">{answers}</ol></li>')
        return f'<ol class="selfheal-sheet">\n{"".join(items)}\n</ol>'


@dataclass(frozen=True, slots=True)
class Score:
    """What somebody's letters come to."""

    right: int
    total: int
    left: tuple[tuple[int, str, str], ...]
    """(number, belief, page) of each question that was answered otherwise."""

    def __repr__(self) -> str:
        say = words("sheet")
        lines = [say["score"].format(right=self.right, all=self.total)]
        lines += [f"  {n}. {about} ({say['see']} {page})" for n, about, page in self.left]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        say = words("sheet")
        rows = "".join(
            f'<li value="{n}">{html.escape(about)} (<a href="{page}.html">{say["see"]}</a>)</li>'
            for n, about, page in self.left
        )
        told = f"<p>{say['left']}</p><ol>{rows}</ol>" if rows else ""
        score = say["score"].format(right=self.right, all=self.total)
        return f'<div role="status"><p><strong>{score}</strong></p>{told}</div>'


def sheet(name: str) -> Sheet:
    """The questions of a quiz, to be answered with letters."""
    return Sheet(quiz(name))


def score(name: str, letters: str) -> Score:
    """Count what is right. ValueError if there are not as many letters as questions; a dot stands for no answer."""
    questions = quiz(name).questions
    given = [c for c in letters.lower() if not c.isspace() and c != ","]
    if len(given) != len(questions):
        raise ValueError(f"there are {len(questions)} questions and {len(given)} answers; write . where you have none")
    left = []
    for n, (letter, question, data) in enumerate(zip(given, questions, _texts(name)["quiz"], strict=True), 1):
        known = dict(_lettered(question.answers))
        if letter != "." and letter not in known:
            raise ValueError(f"question {n} has the answers {', '.join(known)}, not {letter}")
        if letter == "." or not known[letter].right:
            left.append((n, str(data["about"]), str(data["see"])))
    return Score(len(questions) - len(left), len(questions), tuple(left))


def gain(name: str, before: Sequence[str], after: Sequence[str]) -> float:
    """Of all that a class did not know before, the share that it knows now: 0 nothing, 1 everything.

    ``before`` and ``after`` hold the letters of each learner. This is the normalized gain of Hake (American Journal of
    Physics 66, 1998). ValueError if somebody's letters cannot be read, or if nothing was left to learn.
    """
    first, then = (sum(score(name, one).right for one in some) / len(some) for some in (before, after))
    total = len(quiz(name).questions)
    if first == total:
        raise ValueError("everything was known before")
    return (then - first) / (total - first)


def _lettered(answers: Sequence[Answer]) -> list[tuple[str, Answer]]:
    return list(zip(LETTERS, answers, strict=False))
