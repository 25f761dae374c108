"""Records and actions in a line each, for people who read along."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from selfheal.words import words

Record = Mapping[str, Any]


def headline(record: Record) -> str:
    """A record in one line: when, what, and how it is now."""
    where = record.get("object", "")
    space = record.get("namespace", "default")
    if space not in ("", "default"):
        where = f"{space}/{where}"
    return f"{when(record)}  {where}{'  ' if where else ''}{told(record)}"


def when(record: Record) -> str:
    """The time of a record. What users got is told a second at a time."""
    t = record["t"]
    return f"{t:6.0f}–{t + 1:.0f} s".rjust(10) if record["kind"] == "Traffic" else f"{t:8.2f} s"


def told(record: Record) -> str:
    """What a record says, without time and object."""
    if record.get("deleted"):
        return "is gone"
    return _TELLERS.get(record["kind"], _counts)(record)


# ---- actions


def deed(verb: str, args: Any) -> str:
    """Something that was done from outside, as a sentence."""
    say = words("deeds")
    if isinstance(args, str) and verb == "label":
        what, _, labels = args.partition(" ")
        return str(say["label"]).format(what=what, labels=labels)
    if isinstance(args, str):
        return str(say[verb if verb in PLAIN else "other"]).format(what=args, verb=verb)
    if verb == "scale":
        return " ".join(say["scale"].format(what=what, replicas=replicas) for what, replicas in args.items())
    if verb == "rollout":
        return " ".join(say[how if how in ROLLOUTS else "rollout"].format(what=w, how=how) for w, how in args.items())
    if verb == "fault":
        return _fault(args, say["fault"])
    pod = args.get("pod")
    if verb == "exec":
        return str(say["exec"]).format(command=_command(args["command"]), pod=pod)
    if verb == "kill":
        return str(say["kill"]).format(signal=_signal(args), pod=pod)
    if verb == "http":
        return str(say["http"]).format(request=_request(args), port=args.get("port"), pod=pod)
    if verb == "label":
        what = say["pod"].format(pod=pod) if "pod" in args else args.get("node")
        return str(say["label"]).format(what=what, labels=args.get("labels"))
    if verb == "condition":
        return str(say["condition"]).format(type=args.get("type"), pod=pod, status=args.get("status"))
    if verb == "drain":
        return str(say["drain"]).format(what=args.get("node"))
    return str(say["pairs"]).format(verb=verb, args=_pairs(args))


def _fault(args: Mapping[str, Any], say: Mapping[str, str]) -> str:
    """``node/node-1 was cut off from the API server for 60 s.``"""
    kind, target = str(args.get("kind")), str(args.get("target") or "")
    text = say.get(f"{kind} {target.partition('/')[0]}") or say.get(kind, say["other"])
    told = text.format(target=target or say["registry"], kind=kind)
    return say["for"].format(told=told[:-1], seconds=f"{args['for']:g}") if args.get("for") else told


PLAIN = ("apply", "delete", "forceDelete", "stopNode", "startNode", "cordon", "uncordon")
"""Verbs that only need a name."""
ROLLOUTS = ("undo", "restart")


def order(verb: str, args: Any) -> str:
    """Something to be done from outside, as it is asked for: it may yet be refused."""
    if isinstance(args, str):
        return f"{verb} {args}"
    if verb == "scale":
        return ", ".join(f"scale {what} to {replicas}" for what, replicas in args.items())
    if verb == "exec":
        return f"exec in pod {args.get('pod')}: {_command(args['command'])}"
    if verb == "kill":
        return f"send {_signal(args)} to pod {args.get('pod')}"
    if verb == "http":
        return f"{_request(args)} to port {args.get('port')} of pod {args.get('pod')}"
    return f"{verb} {_pairs(args)}"


_DONE = re.compile(
    r"ok|exit \d+|\d{3}|\S+ \"\S+\" (force )?deleted( from \S+ namespace)?|"
    r"\S+ (created|configured|unchanged|scaled|patched|restarted|rolled back|drained)|"
    r"\S+ ((un)?labeled|(already )?(un)?cordoned)"
)
"""What kubectl says, in its first line, of what could be done."""


def refused(action: Record) -> bool:
    """Whether an Action record tells of something that could not be done."""
    return _DONE.fullmatch(str(action.get("result", "ok")).partition("\n")[0]) is None


def _command(command: Any) -> str:
    if isinstance(command, str):
        return command
    if list(command[:2]) == ["sh", "-c"] and len(command) == 3:
        return str(command[2])
    return shlex.join(command)


def _signal(args: Record) -> str:
    return f"SIG{str(args.get('signal', 'KILL')).removeprefix('SIG')}"


def _request(args: Record) -> str:
    return f"{args.get('method', 'GET')} {args.get('path', '/')}"


def _pairs(args: Record) -> str:
    return ", ".join(f"{key} {value}" for key, value in args.items())


# ---- one function a kind


def _action(record: Record) -> str:
    asked = f"▶ {order(record['verb'], record['args'])}"
    return f"{asked} (refused: {record['result']})" if refused(record) else asked


def _event(record: Record) -> str:
    times = f" (x{record['count']})" if record.get("count", 1) > 1 else ""
    return f"{record['reason']}{times}: {' '.join(str(record['message']).split())}"


def _pod(record: Record) -> str:
    leaving = ", being deleted" if record.get("terminating") else ""
    containers = ", ".join(map(_container, (*record.get("initContainers", ()), *record["containers"])))
    return f"{record['phase']}, {record['ready']} ready{leaving}: {containers}"


def _container(c: Record) -> str:
    why = c.get("reason") or ""
    if c.get("exitCode"):
        why = f"{why}, exit code {c['exitCode']}" if why else f"exit code {c['exitCode']}"
    restarts = f", {c['restartCount']} restart{'s' * (c['restartCount'] > 1)}" if c.get("restartCount") else ""
    return f"{c['name']} {c['state']}{f' ({why})' if why else ''}{restarts}"


def _probe(record: Record) -> str:
    result = record["result"]
    probe = f"{record['probe']} probe of {record['container']}"
    if result == "skipped":
        return f"{probe} not asked: {record['why']}"
    return f"{probe}: {result}" + (f", {record['run']} in a row" if record.get("run", 0) > 1 else "")


def _app(record: Record) -> str:
    how = "well" if record["healthy"] else "ill"
    return f"the app in {record['container']} is {how}" + (f": {record['text']}" if record["text"] != how else "")


def _traffic(record: Record) -> str:
    return f"{record['sent']} requests, {record['served']} served, {record['lost']} lost" + (
        ", and so on" if record["times"] > 1 else ""
    )


def _endpoint_slice(record: Record) -> str:
    groups = {
        "ready": [e["pod"] for e in record["endpoints"] if e["ready"]],
        "terminating": [e["pod"] for e in record["endpoints"] if e["terminating"]],
        "not ready": [e["pod"] for e in record["endpoints"] if not e["ready"] and not e["terminating"]],
    }
    parts = [f"{', '.join(map(str, pods))} {word}" for word, pods in groups.items() if pods]
    return f"endpoints of {record['service']}: {'; '.join(parts) or 'none'}"


def _counts(record: Record) -> str:
    """Whatever counts and conditions there are: ``2/3 ready, replicas 3, available 2, not Available``."""
    parts = []
    if "desired" in record and "ready" in record:
        parts.append(f"{record['ready']}/{record['desired']} ready")
    for key, value in record.items():
        if key in _UNTOLD or value in (None, False, 0, "", []):
            continue
        if isinstance(value, Mapping):
            parts += [
                k if v == "True" else f"not {k}" if v == "False" else f"{k} {v}" for k, v in sorted(value.items())
            ]
        elif isinstance(value, list):
            parts.append(f"{key} {' '.join(map(str, value))}")
        else:
            parts.append(key if value is True else f"{key} {value}")
    return ", ".join(parts) or "nothing yet"


_UNTOLD = ("t", "id", "kind", "namespace", "object", "owner", "reasons", "desired", "ready", "revision")

_TELLERS: dict[str, Callable[[Record], str]] = {
    "Action": _action,
    "Event": _event,
    "Pod": _pod,
    "Probe": _probe,
    "App": _app,
    "Traffic": _traffic,
    "EndpointSlice": _endpoint_slice,
}
