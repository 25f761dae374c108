"""A walk through a run, one step at a time, with questions on the way.

    steps("From a crash to a new container", [Step("1.2 s", "Relist", "pkg/kubelet/pleg/generic.go", "…"), …])

Stored as a plain list; on a page of the book ``play.js`` shows one step at a time, and a question must be answered
before it goes on.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.lessons.cases import _json
from selfheal.lessons.lanes import STYLE
from selfheal.lessons.questions import Question, _inline
from selfheal.words import marked, words


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when, which function, where it stands, who does it, and what it does.

    ``twin``: the function of ours that follows it. ``ask``: a question that is to be answered before the step is shown.
    """

    when: str
    function: str
    source: str
    who: str
    says: str
    twin: str = ""
    ask: Question | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps in their order."""

    title: str
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return "\n".join((self.title, *(f"  {s.when:>9}  {s.function}  ({s.who})" for s in self.steps)))

    def _repr_html_(self) -> str:
        lines = "\n".join(map(_step, self.steps))
        return one_at_a_time(self.title, lines, who=list(dict.fromkeys(step.who for step in self.steps)))


def one_at_a_time(title: str, items: str, style: str = "", who: Sequence[str] = ()) -> str:
    """A list (``<li>`` …) of which ``play.js`` shows one item at a time; ``style`` beside the one that all have.

    What is ``asked`` in an item comes before what is ``told``; ``<details class="frame">`` is laid open.
    """
    return (
        f'<div class="selfheal-play"{marked()} data-play="steps" data-who="{_json(list(who))}" '
        f'data-words="{_json(words("walk"))}">\n'
        f"<style>{STYLE}{style}</style>\n"
        f'<p class="title"><strong>{html.escape(title)}</strong></p>\n<ol>\n{items}\n</ol>\n</div>'
    )


def steps(title: str, walked: Sequence[Step]) -> Steps:
    """A walk to be shown."""
    return Steps(title, tuple(walked))


def _step(step: Step) -> str:
    asked = "" if step.ask is None else f'<div class="asked">{step.ask.html()}</div>'
    twin = f"{words('steps')['twin']}<code>{html.escape(step.twin)}</code>" if step.twin else ""
    return (
        f'<li data-who="{html.escape(step.who)}">{asked}<div class="told">'
        f"<p><strong>{html.escape(step.when)}</strong> · <code>{html.escape(step.function)}</code></p>"
        f"<p>{_inline(step.says)}</p>"
        f"<p><small>{html.escape(step.who)} · <code>{html.escape(step.source)}</code>{twin}</small></p></div></li>"
    )
