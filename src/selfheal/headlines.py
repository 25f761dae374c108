"""Records and actions in a line each, for people who read along."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
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
    say, t = words("records"), record["t"]
    if record["kind"] == "Traffic":
        return str(say["from"].format(a=f"{t:6.0f}", b=f"{t + 1:.0f}")).rjust(10)
    return str(say["at"]).format(t=f"{t:8.2f}")


def told(record: Record) -> str:
    """What a record says, without time and object."""
    if record.get("deleted"):
        return str(words("records")["gone"])
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
    say = words("records")
    if isinstance(args, str):
        return str(say["order"]).format(verb=verb, args=args)
    if verb == "scale":
        return _listed(say["order.scale"].format(what=what, replicas=replicas) for what, replicas in args.items())
    pod = args.get("pod")
    if verb == "exec":
        return str(say["order.exec"]).format(pod=pod, command=_command(args["command"]))
    if verb == "kill":
        return str(say["order.kill"]).format(signal=_signal(args), pod=pod)
    if verb == "http":
        return str(say["order.http"]).format(request=_request(args), port=args.get("port"), pod=pod)
    return str(say["order"]).format(verb=verb, args=_pairs(args))


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
    return _listed(f"{key} {value}" for key, value in args.items())


def _listed(told: Iterable[str]) -> str:
    return str(words("punctuation")["comma"]).join(told)


# ---- one function a kind


def _action(record: Record) -> str:
    asked = f"▶ {order(record['verb'], record['args'])}"
    return str(words("records")["refused"]).format(asked=asked, result=record["result"]) if refused(record) else asked


def _event(record: Record) -> str:
    say, n = words("records"), record.get("count", 1)
    message = " ".join(str(record["message"]).split())
    return str(say["event.times" if n > 1 else "event"]).format(reason=record["reason"], n=n, message=message)


def _pod(record: Record) -> str:
    say = words("records")["pod.leaving" if record.get("terminating") else "pod"]
    containers = _listed(map(_container, (*record.get("initContainers", ()), *record["containers"])))
    return str(say).format(phase=record["phase"], ready=record["ready"], containers=containers)


def _container(c: Record) -> str:
    say, clause = words("records"), words("punctuation")["clause"]
    code, n = c.get("exitCode"), c.get("restartCount", 0)
    why = clause.join(filter(None, (c.get("reason"), say["exit"].format(code=code) if code else "")))
    state = say.get(f"state.{c['state']}", c["state"])
    told = say["container.why" if why else "container"].format(name=c["name"], state=state, why=why)
    return f"{told}{clause}{say['restarts' if n > 1 else 'restart'].format(n=n)}" if n else str(told)


def _probe(record: Record) -> str:
    say, n = words("records"), record.get("run", 0)
    key = "probe.skipped" if record["result"] == "skipped" else "probe.run" if n > 1 else "probe"
    result, why = (say.get(f"{part}.{record.get(part)}", record.get(part)) for part in ("result", "why"))
    return str(say[key]).format(probe=record["probe"], container=record["container"], result=result, why=why, n=n)


def _app(record: Record) -> str:
    say, how = words("records"), "well" if record["healthy"] else "ill"
    told = say[f"app.{how}"].format(container=record["container"])
    return str(told if record["text"] == how else say["app.text"].format(told=told, text=record["text"]))


def _traffic(record: Record) -> str:
    say = words("records")
    told = say["traffic"].format(sent=record["sent"], served=record["served"], lost=record["lost"])
    return str(say["traffic.more"].format(told=told) if record["times"] > 1 else told)


def _endpoint_slice(record: Record) -> str:
    groups = {
        "ready": [e["pod"] for e in record["endpoints"] if e["ready"]],
        "terminating": [e["pod"] for e in record["endpoints"] if e["terminating"]],
        "unready": [e["pod"] for e in record["endpoints"] if not e["ready"] and not e["terminating"]],
    }
    say = words("records")
    parts = [say[f"endpoints.{how}"].format(pods=_listed(map(str, pods))) for how, pods in groups.items() if pods]
    what = words("punctuation")["semicolon"].join(parts) or say["endpoints.none"]
    return str(say["endpoints"]).format(service=record["service"], what=what)


def _counts(record: Record) -> str:
    """Whatever counts and conditions there are: ``2/3 ready, replicas 3, available 2, not Available``."""
    say, parts = words("records"), []
    if "desired" in record and "ready" in record:
        parts.append(say["counts.ready"].format(ready=record["ready"], desired=record["desired"]))
    for key, value in record.items():
        if key in _UNTOLD or value in (None, False, 0, "", []):
            continue
        if isinstance(value, Mapping):
            parts += [
                k if v == "True" else say["counts.not"].format(what=k) if v == "False" else f"{k} {v}"
                for k, v in sorted(value.items())
            ]
        elif isinstance(value, list):
            parts.append(f"{key} {' '.join(map(str, value))}")
        else:
            parts.append(key if value is True else f"{key} {value}")
    return _listed(parts) or str(say["counts.none"])


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
