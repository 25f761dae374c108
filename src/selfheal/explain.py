"""Why a record came about: its chain of causes, in words.

The engine keeps the chain (see :mod:`selfheal.rules`); here it is only read. Each step
names the rule, the values it was applied to, and the file of Kubernetes in which the rule
stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from selfheal.clock import SECOND
from selfheal.headlines import headline
from selfheal.rules import RULES, Cause
from selfheal.timeline import Timeline
from selfheal.words import words
from selfheal.words.width import padded, wrapped

WIDTH = 80
"""Columns of a printed chain: what fits the page of a book."""
INDENT = 11
"""Columns before its texts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One cause."""

    t: float | None
    """Seconds, where the cause has a time of its own."""
    text: str
    source: str
    """File of Kubernetes; empty for what was done from outside."""
    function: str
    rule: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain behind one record, the nearest cause first."""

    record: Mapping[str, Any]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        say = words("explain")
        first = padded(f"  {say['because']}", INDENT)
        lines = [headline(self.record).strip()]
        for step in self.steps:
            text = step.text if step.t is None else say["when"].format(t=f"{step.t:.1f}", text=step.text)
            lines += wrapped(text, WIDTH, first, " " * INDENT)
            if step.source:
                lines.append(f"{' ' * INDENT}{step.source} {step.function}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def explain(timeline: Timeline, record: Mapping[str, Any]) -> Explanation:
    """Walk from a record back to the action or fault with which it began."""
    return Explanation(record, steps(timeline.cause(dict(record)), timeline))


def steps(cause: Cause | None, timeline: Timeline) -> tuple[Step, ...]:
    """The chain that ends in ``cause``, nearest first.

    A step that says the same as the one before is left out; of a long run of one rule the middle is.
    """
    out: list[Step] = []
    while cause is not None:
        found = RULES[cause.rule]
        text = found.text.format_map(_Inputs(cause.inputs))
        if not out or out[-1].text != text:
            effect = out[-1].t if out else None
            out.append(Step(_when(cause, timeline, effect), text, found.source, found.function, cause.rule))
        cause = cause.parent
    return tuple(_shortened(out))


def _when(cause: Cause, timeline: Timeline, effect: float | None) -> float | None:
    """The cause's own time in seconds, or that of the first record it left; no later than its effect."""
    if cause.at is not None:
        return cause.at / SECOND
    first = timeline.first_with(cause)
    if first is None:
        return None
    return float(first["t"]) if effect is None else min(effect, float(first["t"]))


def _shortened(chain: list[Step]) -> Iterator[Step]:
    """Of more than four steps of one rule in a row the two nearest and the first are enough."""
    for _, group in groupby(chain, key=lambda step: step.rule):
        run = list(group)
        if len(run) > 4:
            text = words("explain")["more"].format(n=len(run) - 3)
            more = Step(None, text, run[2].source, run[2].function, run[2].rule)
            run = [*run[:2], more, run[-1]]
        yield from run


class _Inputs(dict[str, Any]):
    """A rule's text never fails for want of a value; values that are words are said in the language spoken."""

    def __getitem__(self, key: str) -> Any:
        value = self.get(key, f"<{key}>")
        return words("values").get(value, value) if isinstance(value, str) else value
