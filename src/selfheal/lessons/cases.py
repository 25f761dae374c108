"""A table that one can play: some choices, a run for each combination, and a prediction before it is shown.

    cases("What is restarted?", {"restartPolicy": ["Always", "Never"], "ends with": ["0", "1"]}, run,
          ask="What becomes of the container?", answers=["it is restarted", "it stays as it is"])

``run`` plays one combination and gives a :class:`Case`. All of them are stored as plain HTML that opens without a
script; on a page of the book ``play.js`` asks for the prediction, shows one case at a time and keeps the score.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from selfheal.lessons.lanes import STYLE, Mark, bars
from selfheal.lessons.questions import _inline
from selfheal.timeline.log import Timeline
from selfheal.words import marked, phrase, words

NEVER = "never"


@dataclass(frozen=True, slots=True)
class Case:
    """What happened in one combination.

    ``answer``: the right one among the answers; or the second that was asked for, None where that never comes.
    ``until``: where the axis ends (s); ``objects`` and ``marks``: see :func:`selfheal.lessons.lanes.bars`;
    ``drawn``: another picture (HTML) in its place.
    """

    timeline: Timeline
    answer: str | float | None
    says: str
    until: float
    objects: Sequence[str] | None = None
    marks: Sequence[Mark] = ()
    drawn: str = ""

    @property
    def spoken(self) -> Case:
        """The same in the language that is spoken."""
        answer = phrase(self.answer) if isinstance(self.answer, str) else self.answer
        return replace(self, answer=answer, says=phrase(self.says), marks=[(t, phrase(what)) for t, what in self.marks])

    @property
    def told(self) -> str:
        """The answer in words."""
        if isinstance(self.answer, str):
            return self.answer
        say = words("play")
        return str(say["never"] if self.answer is None else say["at"].replace("{t}", f"{self.answer:.1f}"))


@dataclass(frozen=True, slots=True)
class Cases:
    """All combinations, played."""

    title: str
    axes: Mapping[str, Sequence[str]]
    ask: str
    answers: Sequence[str]
    near: float
    cases: Mapping[tuple[str, ...], Case]
    whole: str = ""
    """What stands below, folded or not, for those who have seen enough (HTML)."""

    def __repr__(self) -> str:
        lines = [f"  {' · '.join(chosen)}: {case.told}" for chosen, case in self.cases.items()]
        return "\n".join((self.title, *lines))

    def _repr_html_(self) -> str:
        axes = [[name, list(options)] for name, options in self.axes.items()]
        shown = "\n".join(
            self._case(key, chosen, case)
            for key, (chosen, case) in zip(_places(self.axes), self.cases.items(), strict=True)
        )
        return (
            f'<div class="selfheal-play"{marked()} data-play="cases" data-axes="{_json(axes)}" '
            f'data-near="{self.near:g}" '
            f'data-answers="{_json(list(self.answers))}" data-words="{_json(words("play"))}">\n<style>{STYLE}</style>\n'
            f'<p class="title"><strong>{html.escape(self.title)}</strong></p>\n'
            f'<p class="ask">{_inline(self.ask)}</p>\n<div class="all">\n{shown}\n</div>{self.whole}\n</div>'
        )

    def _case(self, key: str, chosen: Sequence[str], case: Case) -> str:
        answer = NEVER if case.answer is None else case.answer
        told = case.told + words("punctuation")["end"]
        drawn = case.drawn or bars(
            case.timeline, case.until, case.objects, case.marks, words("punctuation")["comma"].join(chosen)
        )
        return (
            f'<details data-case="{key}" data-answer="{html.escape(str(answer))}" data-until="{case.until:g}">'
            f"<summary>{html.escape(' · '.join(chosen))}</summary>\n{drawn}\n"
            f'<p class="says"><strong>{html.escape(told)}</strong> {_inline(case.says)}</p></details>'
        )


def cases(
    title: str,
    axes: Mapping[str, Sequence[str]],
    run: Callable[..., Case],
    *,
    ask: str,
    answers: Sequence[str] = (),
    near: float = 2,
) -> Cases:
    """Play every combination of ``axes`` (what is chosen → its options) by ``run(*options)``.

    ``answers``: what can be predicted; without them a second is asked for, and ``near`` s beside it count as right.
    """
    played = {chosen: run(*chosen) for chosen in product(*axes.values())}
    wrong = [case.answer for case in played.values() if answers and case.answer not in answers]
    if wrong:
        raise ValueError(f"a case is answered {wrong[0]!r}, which is not one of {', '.join(answers)}")
    return Cases(
        phrase(title),
        {phrase(name): tuple(map(phrase, options)) for name, options in axes.items()},
        phrase(ask),
        tuple(map(phrase, answers)),
        near,
        {tuple(map(phrase, chosen)): case.spoken for chosen, case in played.items()},
    )


def _places(axes: Mapping[str, Sequence[str]]) -> list[str]:
    return ["-".join(map(str, place)) for place in product(*(range(len(options)) for options in axes.values()))]


def _json(value: object) -> str:
    return html.escape(json.dumps(value, ensure_ascii=False))
