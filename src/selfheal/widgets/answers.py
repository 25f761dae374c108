"""A question in, its answer out: the timeline, as far as the widgets draw it, and its reasons.

Whoever answers (the bank when the book is built, a kernel, Python in the page) comes through
:func:`answer`, so the same question has the same answer; what a widget hears is :func:`respond_text`, the same bytes
from each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.explain import Step, steps
from selfheal.rules import Cause
from selfheal.scenario import Scenario
from selfheal.timeline import Record, Timeline
from selfheal.widgets.questions import plain
from selfheal.words import speaking

Answer = dict[str, Any]
"""``timeline``: header and records; ``why``: a record's ``id``, as text → its causes, the first cause first."""

DRAWN = frozenset({"Pod", "Probe", "App", "EndpointSlice", "Traffic", "Node", "Action"})
"""Kinds of records that a widget draws, besides the events in :data:`TOLD`."""

TOLD = frozenset({"Killing", "Pulled"})
"""Reasons of events that tell more than the facts beside them."""


def respond_text(question: str, language: str = "en") -> str:
    """What a widget hears: ``{"answer": …}`` as JSON, or ``{"error": …}`` in one line. Never raises."""
    try:
        with speaking(language):
            told: dict[str, Any] = {"answer": answer(json.loads(question))}
    except Exception as error:  # noqa: BLE001 - whatever it is, who asked must not wait for ever
        name = "" if isinstance(error, (ApiError, ValueError)) else f"{type(error).__name__}: "
        told = {"error": name + (" ".join(str(error).split()) or "no reason given")}
    return text_of(told)


def text_of(told: Mapping[str, Any]) -> str:
    """JSON as a browser writes it."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def answer(question: Mapping[str, Any]) -> Answer:
    """Run a scenario, given in canonical form. Raises :class:`selfheal.errors.ApiError` for one that cannot be run."""
    scenario = Scenario.from_canonical(question)
    return pick(Cluster.of(scenario).play(scenario).timeline)


def pick(timeline: Timeline) -> Answer:
    """What of a timeline the widgets draw. Records are numbered anew."""
    lines: list[Record] = [dict(timeline.header)]
    why: dict[str, list[dict[str, Any]]] = {}
    chains: dict[Cause | None, list[dict[str, Any]]] = {}
    for record in timeline.records:
        if record["kind"] not in DRAWN and record.get("reason") not in TOLD:
            continue
        id = len(lines) - 1
        lines.append({**{k: v for k, v in record.items() if v is not None or k == "reason"}, "id": id})
        cause = timeline.cause(record)
        if cause not in chains:
            chains[cause] = _chain(cause, timeline)
        if chains[cause]:
            why[str(id)] = chains[cause]
    told: Answer = plain({"timeline": lines, "why": why})
    return told


def _chain(cause: Cause | None, timeline: Timeline) -> list[dict[str, Any]]:
    """What led to a record, the first cause first."""
    return [
        {
            "t": None if step.t is None else round(step.t, 3),
            "text": step.text,
            "source": step.source,
            "function": step.function,
        }
        for step in _short(list(reversed(steps(cause, timeline))))
    ]


def _short(chain: list[Step]) -> list[Step]:
    """A chain in which a rule that was applied again and again (a run of failures) stands three times at most."""
    out: list[Step] = []
    for _, group in groupby(chain, key=lambda step: step.rule):
        run = list(group)
        out += run if len(run) <= 3 else [run[0], *run[-2:]]
    return out
