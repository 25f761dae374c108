"""A question in, its answer out: the timeline, as far as the widgets draw it, and its reasons.

Whoever answers (the bank when the book is built, a kernel, Python in the page) comes through
:func:`answer`, so the same question has the same answer, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.cluster import Cluster
from selfheal.explain import explain
from selfheal.scenario import Scenario
from selfheal.timeline import Record, Timeline

Answer = dict[str, Any]
"""``timeline``: header and records; ``why``: a record's ``id``, as text → its causes, the first cause first."""

DRAWN = frozenset({"Pod", "Probe", "App", "EndpointSlice", "Traffic", "Node", "Action"})
"""Kinds of records that a widget draws, besides the events in :data:`TOLD`."""

TOLD = frozenset({"Killing", "Pulled"})
"""Reasons of events that tell more than the facts beside them."""


def answer(question: Mapping[str, Any]) -> Answer:
    """Run a scenario, given in canonical form. Raises :class:`selfheal.errors.ApiError` for one that cannot be run."""
    scenario = Scenario.from_canonical(question)
    nodes = [manifest for manifest in scenario.manifests if manifest["kind"] == "Node"]
    cluster = Cluster(nodes or scenario.nodes, seed=scenario.seed, second=scenario.second, belief=scenario.belief)
    return pick(cluster.play(scenario).timeline)


def pick(timeline: Timeline) -> Answer:
    """What of a timeline the widgets draw. Records are numbered anew."""
    lines: list[Record] = [dict(timeline.header)]
    why: dict[str, list[dict[str, Any]]] = {}
    for record in timeline.records:
        if record["kind"] not in DRAWN and record.get("reason") not in TOLD:
            continue
        id = len(lines) - 1
        lines.append({**{k: v for k, v in record.items() if v is not None or k == "reason"}, "id": id})
        chain = [
            {
                "t": None if step.t is None else round(step.t, 3),
                "text": step.text,
                "source": step.source,
                "function": step.function,
            }
            for step in reversed(explain(timeline, record).steps)
        ]
        if chain:
            why[str(id)] = chain
    return {"timeline": lines, "why": why}
