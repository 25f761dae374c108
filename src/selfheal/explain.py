"""Why a record came about: its chain of causes, in words.

The engine keeps the chain (see :mod:`selfheal.rules`); here it is only read. Each step
names the rule, the values it was applied to, and the file of Kubernetes in which the rule
stands.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
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
            out.append(Step(_when(cause, timeline), text, found.source, found.function, cause.rule))
        cause = cause.parent
    return tuple(_shortened(out))


def _when(cause: Cause, timeline: Timeline) -> float | None:
    """The cause's own time in seconds, or that of the first record it left."""
    if cause.at is not None:
        return cause.at / SECOND
    first = timeline.first_with(cause)
    return None if first is None else float(first["t"])


def _shortened(chain: list[Step]) -> Iterator[Step]:
    """Of more than four steps of one rule in a row the two nearest and the first are enough."""
    for _, group in groupby(chain, key=lambda step: step.rule):
        run = list(group)
        if len(run) > 4:
            more = Step(None, f"… and {len(run) - 3} times more before …", run[2].source, run[2].function, run[2].rule)
            run = [*run[:2], more, run[-1]]
        yield from run


def deed(verb: str, args: Any) -> str:
    """Something that was done from outside, as a sentence."""
    if isinstance(args, str) and verb == "label":
        what, _, labels = args.partition(" ")
        return f"{what} was labelled {labels}."
    if isinstance(args, str):
        return f"{args} {DEEDS.get(verb, f'(an action: {verb})')}."
    if verb == "scale":
        return " ".join(f"{what} was scaled to {replicas}." for what, replicas in args.items())
    pod = f"pod {args.get('pod')}"
    if verb == "exec":
        command = args["command"]
        if not isinstance(command, str):
            command = command[2] if list(command[:2]) == ["sh", "-c"] and len(command) == 3 else shlex.join(command)
        return f"`{command}` was run in {pod}."
    if verb == "kill":
        return f"SIG{str(args.get('signal', 'KILL')).removeprefix('SIG')} was sent to {pod}."
    if verb == "http":
        return f"{args.get('method', 'GET')} {args.get('path', '/')} was sent to port {args.get('port')} of {pod}."
    if verb == "label":
        return f"{pod if 'pod' in args else args.get('node')} was labelled {args.get('labels')}."
    if verb == "condition":
        return f"Condition {args.get('type')} of {pod} was set to {args.get('status')}."
    return f"{verb}: {', '.join(f'{key} {value}' for key, value in args.items())}."


def refused(action: Mapping[str, Any]) -> bool:
    """Whether an Action record tells of something that could not be done."""
    result = str(action.get("result", "ok"))
    return result != "ok" and " deleted" not in result


DEEDS = {
    "apply": "was applied",
    "delete": "was deleted",
    "forceDelete": "was deleted by force",
    "stopNode": "lost its power",
    "startNode": "was powered on",
    "cordon": "was cordoned",
    "uncordon": "was uncordoned",
}
"""Verbs that only need a name."""


def headline(record: Mapping[str, Any]) -> str:
    """A record in one line: when, what, and how it is now."""
    where = record.get("object", "")
    space = record.get("namespace", "default")
    if space not in ("", "default"):
        where = f"{space}/{where}"
    return f"{record['t']:8.2f} s  {where}{'  ' if where else ''}{_told(record)}"


def _told(record: Mapping[str, Any]) -> str:
    kind = record["kind"]
    if kind == "Action":
        return (
            f"{record['verb']} refused: {record['result']}" if refused(record) else deed(record["verb"], record["args"])
        )
    if record.get("deleted"):
        return "is gone"
    told = _TELLERS.get(kind)
    return _plainly(record) if told is None else told(record)


def _event(record: Mapping[str, Any]) -> str:
    times = f" (x{record['count']})" if record.get("count", 1) > 1 else ""
    return f"{record['reason']}{times}: {' '.join(str(record['message']).split())}"


def _pod(record: Mapping[str, Any]) -> str:
    leaving = ", being deleted" if record.get("terminating") else ""
    containers = ", ".join(map(_container, (*record.get("initContainers", ()), *record["containers"])))
    return f"{record['phase']}, {record['ready']} ready{leaving}: {containers}"


def _container(c: Mapping[str, Any]) -> str:
    why = c.get("reason") or ""
    if c.get("exitCode"):
        why = f"{why}, exit code {c['exitCode']}" if why else f"exit code {c['exitCode']}"
    restarts = f", {c['restartCount']} restart{'s' * (c['restartCount'] > 1)}" if c.get("restartCount") else ""
    return f"{c['name']} {c['state']}{f' ({why})' if why else ''}{restarts}"


def _probe(record: Mapping[str, Any]) -> str:
    result = record["result"]
    if result == "skipped":
        return f"{record['probe']} probe of {record['container']} not asked: {record['why']}"
    run = f", {record['run']} in a row" if record.get("run", 0) > 1 and result == "failure" else ""
    return f"{record['probe']} probe of {record['container']}: {result}{run}"


def _app(record: Mapping[str, Any]) -> str:
    return f"the app in {record['container']} is {'well' if record['healthy'] else 'ill'}: {record['text']}"


def _traffic(record: Mapping[str, Any]) -> str:
    return f"{record['sent']} requests a second, {record['served']} served, {record['lost']} lost"


def _endpoint_slice(record: Mapping[str, Any]) -> str:
    ready = [str(e["pod"]) for e in record["endpoints"] if e["ready"]]
    other = [str(e["pod"]) for e in record["endpoints"] if not e["ready"]]
    parts = [f"{word}: {', '.join(pods)}" for word, pods in (("ready", ready), ("not ready", other)) if pods]
    return f"endpoints of {record['service']}: {'; '.join(parts) or 'none'}"


_TELLERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Event": _event,
    "Pod": _pod,
    "Probe": _probe,
    "App": _app,
    "Traffic": _traffic,
    "EndpointSlice": _endpoint_slice,
}


def _plainly(record: Mapping[str, Any]) -> str:
    """Counts and conditions: ``desired 3, ready 2, Available True``."""
    parts = []
    for key, value in record.items():
        if key in ("t", "id", "kind", "namespace", "object", "owner", "reasons"):
            continue
        if isinstance(value, Mapping):
            parts += [f"{k} {v}" for k, v in value.items()]
        elif isinstance(value, list):
            parts += [f"{key} {' '.join(map(str, value))}"] if value else []
        elif value is not None and value is not False:
            parts.append(key if value is True else f"{key} {value}")
    return ", ".join(parts)


class _Inputs(dict[str, Any]):
    """A rule's text never fails for want of a value."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"
