"""Why a record came about: its chain of causes, in words.

The engine keeps the chain (see :mod:`selfheal.rules`); here it is only read. Each step
names the rule, the values it was applied to, and the file of Kubernetes in which the rule
stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfheal.clock import SECOND
from selfheal.rules import RULES, Cause
from selfheal.timeline import Timeline


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
        lines = [headline(self.record)]
        for step in self.steps:
            when = "" if step.t is None else f"{step.t:.1f} s: "
            lines.append(f"  because  {when}{step.text}")
            if step.source:
                lines.append(f"           {step.source} {step.function}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def explain(timeline: Timeline, record: Mapping[str, Any]) -> Explanation:
    """Walk from a record back to the action or fault with which it began."""
    return Explanation(record, steps(timeline.cause(dict(record))))


def steps(cause: Cause | None) -> tuple[Step, ...]:
    """The chain that ends in ``cause``, nearest first; a step that says the same as the one before is left out."""
    out: list[Step] = []
    while cause is not None:
        found = RULES[cause.rule]
        text = found.text.format_map(_Inputs(cause.inputs))
        if not out or out[-1].text != text:
            out.append(
                Step(None if cause.at is None else cause.at / SECOND, text, found.source, found.function, cause.rule)
            )
        cause = cause.parent
    return tuple(out)


def headline(record: Mapping[str, Any]) -> str:
    """A record in one line."""
    t, kind = record["t"], record["kind"]
    where = record.get("object", "")
    if kind == "Event":
        text = f"{record['reason']}: {str(record['message']).strip()}"
    elif kind == "Action":
        text = f"{record['verb']} {record['args']}"
    elif kind == "Probe":
        text = f"{record['probe']} probe of {record['container']}: {record['result']}"
    elif kind == "Pod":
        states = ", ".join(
            f"{c['name']} {c['state']}" + (f" ({c['reason']})" if c.get("reason") else "") for c in record["containers"]
        )
        text = f"{record['phase']}, ready {record['ready']}, {states}"
    else:
        text = ", ".join(f"{k}={v}" for k, v in record.items() if k not in ("t", "id", "kind", "namespace", "object"))
    return f"{t:.2f} s  {where}  {text}"


class _Inputs(dict[str, Any]):
    """A rule's text never fails for want of a value."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"
