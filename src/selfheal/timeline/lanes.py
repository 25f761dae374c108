"""A timeline laid out for drawing: lanes and marks, in seconds, without any picture yet.

:func:`lanes` gives plain data (it survives JSON) that the SVG, matplotlib and the widgets draw alike::

    {
      "scenario": "liveness-exec", "until": 240.0,
      "pods": [{
        "object": "Pod/shop", "namespace": "default", "name": "shop", "node": "node-1",
        "from": 0.0, "to": 240.0, "deleted": false, "terminating": null,
        "containers": [{
          "name": "app", "init": false,
          "app":    [{"from", "to", "healthy", "text", "id"}],
          "probes": [{"probe": "liveness",
                      "ticks": [{"t", "every", "times", "result", "run", "why", "output", "id"}]}],
          "spans":  [{"from", "to", "is": "starting" | "running" | "stopping" | "waiting" | "ended",
                      "life", "label", "text", "reason", "exitCode", "id"}],
          "restarts": [{"t", "n", "waited", "id"}],
        }],
        "ready":   [{"from", "to", "id"}],
        "service": [{"from", "to", "service", "ready", "terminating", "id"}],
      }],
      "controllers": [{"object": "Deployment/web", "name": "web", "spans": [{"from", "to", "ready", "desired", "id"}],
                       "events": [{"t", "reason", "text", "id"}]}],
      "traffic": [{"object": "Service/web", "name": "web",
                   "stretches": [{"t", "every", "times", "sent", "served", "lost"}]}],
      "actions": [{"t", "verb", "text", "pod", "id"}],
    }

``id`` is the record behind a mark, for whoever wants to know why. ``result`` of a tick is ``success``,
``warning``, ``failure``, ``unknown`` or ``skipped``; in a stretch ``run`` is the length of the run of equal
results at its last tick. A recorder on a real cluster sees failing probes only; then the ticks are
made from their events. A life ends where the status says so or, when a restart follows at
once, where the next instance's image was looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from selfheal.timeline.log import Record, Timeline
from selfheal.words import words

Lanes = dict[str, Any]

_CONTROLLERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")
_PROBE = re.compile(r"^(Liveness|Readiness|Startup) probe (failed|errored|warning)[^:]*: ?")
_RESULT = {"failed": "failure", "errored": "unknown", "warning": "warning"}
_LONG = 30.0
"""Failures further apart (s) are taken for two runs, when nothing else tells."""
_STARTING = 1.0
"""An app may speak before its container's status says ``running`` (s)."""
_ORDER = {"startup": 0, "liveness": 1, "readiness": 2}
_BACK_OFF = re.compile(r"back-off (\S+) restarting")


def lanes(timeline: Timeline, objects: Iterable[str] | None = None, until: float | None = None) -> Lanes:
    """Lay out a timeline.

    ``objects`` (``"web-0"``, ``"Pod/web-0"``, ``"Service/web"`` …) chooses what is shown, in that order; a name alone
    means every kind. ``until`` (s) is where the axis ends, by default where the timeline does.
    """
    end = timeline.end if until is None else float(until)
    records = [r for r in timeline if r["t"] <= end]
    pods: dict[tuple[str, str], list[Record]] = {}
    about: dict[tuple[str, str], list[Record]] = {}
    controllers: dict[tuple[str, str], list[Record]] = {}
    slices: list[Record] = []
    traffic: dict[tuple[str, str], list[Record]] = {}
    for r in records:
        key = (r.get("namespace", ""), r.get("object", ""))
        if r["kind"] == "Pod":
            pods.setdefault(key, []).append(r)
        elif r["kind"] in ("Event", "Probe", "App"):
            about.setdefault(key, []).append(r)
        elif r["kind"] in _CONTROLLERS:
            controllers.setdefault(key, []).append(r)
        elif r["kind"] == "EndpointSlice":
            slices.append(r)
        elif r["kind"] == "Traffic":
            traffic.setdefault(key, []).append(r)
    chosen = None if objects is None else [objects] if isinstance(objects, str) else list(objects)
    return {
        "scenario": str(timeline.header.get("scenario", "")),
        "source": str(timeline.header.get("source", "")),
        "until": end,
        "pods": [
            _pod(key, pods[key], about.get(key, []), _endpoints(key, slices, end), end) for key in _pick(pods, chosen)
        ],
        "controllers": [
            _controller(key, controllers[key], about.get(key, []), end)
            for key in _pick(controllers, chosen)
            if chosen is not None or _tells(key[1], controllers)
        ],
        "traffic": [
            {
                "object": key[1],
                "name": _name(key[1]),
                "stretches": [{k: r.get(k, 1) for k in ("t", "every", "times", "sent", "served", "lost")} for r in rs],
            }
            for key in _pick(traffic, chosen)
            for rs in (traffic[key],)
        ],
        "actions": [
            {"t": r["t"], "verb": r["verb"], "text": action_text(r), "pod": _acted_on(r), "id": r["id"]}
            for r in records
            if r["kind"] == "Action"
        ],
    }


def action_text(action: Record) -> str:
    """What was done, as short as a flag on an axis needs it: ``rm /tmp/ready``, ``delete pod/web-0``."""
    args, verb = action.get("args"), str(action.get("verb"))
    if isinstance(args, dict):
        if verb == "exec":
            command = args.get("command") or ()
            return " ".join(command) if isinstance(command, list) else str(command)
        if verb == "kill":
            return f"kill -{args.get('signal', 'KILL')}"
        if verb == "http":
            return f"{args.get('method', 'GET')} {args.get('path', '/')}"
        if verb in ("scale", "rollout"):
            return f"{verb} " + ", ".join(f"{k} {v}" for k, v in args.items())
        if verb == "condition":
            return f"{args.get('type')} {args.get('status')}"
        if verb == "fault":
            return f"fault: {args.get('kind')}"
        named = [str(v) for k, v in args.items() if k in ("pod", "node", "labels")]
        return " ".join([verb, *named])
    return f"{verb} {args}" if args else verb


def _acted_on(action: Record) -> str | None:
    args = action.get("args")
    if isinstance(args, dict):
        return args["pod"] if isinstance(args.get("pod"), str) else None
    text = str(args)
    return text.rpartition("/")[2] if text.lower().startswith("pod/") else None


def _pick(found: dict[tuple[str, str], list[Record]], chosen: list[str] | None) -> list[tuple[str, str]]:
    if chosen is None:
        return list(found)
    wanted = [c.lower() for c in chosen]
    return [key for want in dict.fromkeys(wanted) for key in found if want in (key[1].lower(), _name(key[1]).lower())]


def _tells(name: str, controllers: dict[tuple[str, str], list[Record]]) -> bool:
    """A Deployment speaks for its only ReplicaSet; of several, each has its own lane."""
    owned = {
        key[1]: rs[0]["owner"]
        for key, rs in controllers.items()
        if str(rs[0].get("owner", "")).startswith("Deployment/")
    }
    siblings = [n for n, owner in owned.items() if owner == owned.get(name)]
    return name not in owned or len(siblings) > 1 or owned[name] not in {key[1] for key in controllers}


def _name(ref: str) -> str:
    return ref.partition("/")[2]


# ---- a pod


def _pod(key: tuple[str, str], states: list[Record], about: list[Record], service: list[Record], end: float) -> Lanes:
    last = states[-1]
    deleted = bool(last.get("deleted"))
    to = last["t"] if deleted else end
    marked = next((r["t"] for r in states if r.get("terminating")), None)
    ready = _ready(states, to)
    names: dict[str, bool] = {}
    for r in states:
        for c in r.get("initContainers", ()):
            names.setdefault(c["name"], True)
        for c in r["containers"]:
            names.setdefault(c["name"], False)
    return {
        "object": key[1],
        "namespace": key[0],
        "name": _name(key[1]),
        "node": next((r["node"] for r in states if "node" in r), None),
        "from": states[0]["t"],
        "to": to,
        "deleted": deleted,
        "terminating": marked,
        "containers": [_container(name, init, states, about, ready, to) for name, init in names.items()],
        "ready": ready,
        "service": [s for s in service if s["from"] < s["to"]],
    }


def _ready(states: list[Record], to: float) -> list[Record]:
    spans: list[Record] = []
    for r in states:
        ready = r["conditions"].get("Ready") == "True" and not r.get("deleted")
        is_open = bool(spans) and spans[-1]["to"] is None
        if ready and not is_open:
            spans.append({"from": r["t"], "to": None, "id": r["id"]})
        elif not ready and is_open:
            spans[-1]["to"] = r["t"]
    for s in spans:
        s["to"] = to if s["to"] is None else s["to"]
    return spans


def _endpoints(pod: tuple[str, str], slices: list[Record], end: float) -> list[Record]:
    """When the pod stood in an EndpointSlice, and how."""
    spans: list[Record] = []
    now: dict[str, Record] = {}
    for r in slices:
        if r.get("namespace", "") != pod[0]:
            continue
        mine = None if r.get("deleted") else next((e for e in r["endpoints"] if e["pod"] == _name(pod[1])), None)
        span = now.get(r["object"])
        is_now = None if mine is None else (bool(mine["ready"]), bool(mine["terminating"]))
        if span is not None and is_now != (span["ready"], span["terminating"]):
            span["to"] = r["t"]
            del now[r["object"]]
            span = None
        if is_now is not None and span is None:
            span = {"from": r["t"], "to": end, "service": r["service"], "ready": is_now[0], "terminating": is_now[1]}
            span["id"] = r["id"]
            now[r["object"]] = span
            spans.append(span)
    return spans


def _container(
    name: str, init: bool, states: list[Record], about: list[Record], ready: list[Record], to: float
) -> Lanes:
    mine = [r for r in about if r.get("container") == name or _field(r) == name]
    spans, restarts = _spans(name, states, [r for r in mine if r["kind"] == "Event"], to)
    return {
        "name": name,
        "init": init,
        "app": _app([r for r in mine if r["kind"] == "App"], spans, to),
        "probes": _probes(mine, spans, ready),
        "spans": spans,
        "restarts": restarts,
    }


def _field(r: Record) -> str:
    return str(r.get("field", "")).partition("{")[2].rstrip("}")


def _app(reports: list[Record], spans: list[Record], to: float) -> list[Record]:
    """What the app itself knows, life by life: well until it says otherwise, until it says something else or ends."""
    lives: dict[int, list[float]] = {}
    for s in spans:
        if s["is"] in ("running", "stopping"):
            lives.setdefault(s["life"], [s["from"], s["to"]])[1] = s["to"]
    out: list[Record] = []
    for begin, end in lives.values() if reports else ():
        said = [r for r in reports if begin - _STARTING <= r["t"] < end]
        changes = [{"t": begin, "healthy": True, "text": "", "id": None}, *said]
        for change, after in zip(changes, [*(r["t"] for r in said), min(end, to)], strict=True):
            since = max(change["t"], begin)
            span = {"from": since, "to": after, "healthy": bool(change["healthy"]), "text": change.get("text") or ""}
            span["id"] = change["id"]
            if after > since:
                out.append(span)
    return out


def _probes(about: list[Record], spans: list[Record], ready: list[Record]) -> list[Lanes]:
    rows: dict[str, list[Record]] = {}
    for r in about:
        if r["kind"] == "Probe":
            tick = {k: r.get(k) for k in ("t", "every", "times", "result", "run", "why", "output", "id")}
            tick["every"], tick["times"] = r.get("every") or 0, r.get("times") or 1
            rows.setdefault(r["probe"], []).append(tick)
    if not rows:
        rows = _ticks_from_events([r for r in about if r["kind"] == "Event"], spans, ready)
    return [{"probe": p, "ticks": rows[p]} for p in sorted(rows, key=lambda p: _ORDER.get(p, 9))]


def _ticks_from_events(events: list[Record], spans: list[Record], ready: list[Record]) -> dict[str, list[Record]]:
    """Failures, as their events show them; a run ends with the life, with a longer silence or when the pod is ready."""
    rows: dict[str, list[Record]] = {}
    for r in events:
        found = _PROBE.match(r["message"])
        if found:
            tick = {"t": r["t"], "every": 0, "times": 1, "result": _RESULT[found[2]], "run": 1, "why": None}
            tick |= {"output": r["message"][found.end() :].strip(), "id": r["id"]}
            rows.setdefault(found[1].lower(), []).append(tick)
    starts = [s["from"] for s in spans if s["is"] == "running"]
    for probe, row in rows.items():
        gaps = [b["t"] - a["t"] for a, b in pairwise(row) if b["t"] - a["t"] > 0.5]
        period = min([*gaps, _LONG])
        breaks = [*starts, *(r["from"] for r in ready)] if probe == "readiness" else starts
        for before, tick in pairwise(row):
            broken = any(before["t"] < t <= tick["t"] for t in breaks) or tick["t"] - before["t"] > 1.5 * period
            if not broken and tick["result"] == before["result"]:
                tick["run"] = before["run"] + 1
    return rows


def _spans(name: str, states: list[Record], events: list[Record], to: float) -> tuple[list[Record], list[Record]]:
    """What the container was doing, and its restarts."""
    spans: list[Record] = []
    restarts: list[Record] = []

    def begin(t: float, what: str, r: Record, **more: Any) -> None:
        if spans:
            spans[-1]["to"] = max(spans[-1]["from"], min(spans[-1]["to"], t))
        spans.append({"from": t, "to": to, "is": what, "life": 0, "text": "", "reason": None, "exitCode": None, **more})
        spans[-1]["id"] = r["id"]

    known: tuple[Any, ...] = ()
    for r in states:
        c = next((c for c in (*r.get("initContainers", ()), *r["containers"]) if c["name"] == name), None)
        if c is None or r.get("deleted"):
            continue
        state = (c["state"], c["reason"], c["restartCount"])
        if state == known:
            continue
        begun = bool(known) and (known[0] != "waiting" or known[2] > 0)
        known = state
        life = c["restartCount"] + 1
        if c["state"] == "running":
            last = c.get("last") or {}
            if spans and spans[-1]["is"] == "running":  # the end itself was too short to be seen
                spans[-1]["to"] = _next_start(events, spans[-1]["from"], r["t"])
                spans[-1]["exitCode"], spans[-1]["reason"] = last.get("exitCode"), last.get("reason")
            if c["restartCount"] > 0:
                ended = next((s["to"] for s in reversed(spans) if s["is"] == "running"), r["t"])
                restarts.append(
                    {"t": r["t"], "n": c["restartCount"], "waited": round(r["t"] - ended, 3), "id": r["id"]}
                )
            begin(r["t"], "running", r, life=life)
        elif c["state"] == "terminated":
            if spans and spans[-1]["is"] == "running":
                spans[-1]["exitCode"], spans[-1]["reason"] = c["exitCode"], c["reason"]
            begin(
                r["t"], "ended", r, life=life, reason=c["reason"], exitCode=c["exitCode"], text=f"exit {c['exitCode']}"
            )
        elif begun or "last" in c:
            last = c.get("last") or {}
            if spans and spans[-1]["is"] == "running":
                spans[-1]["exitCode"], spans[-1]["reason"] = last.get("exitCode"), last.get("reason")
            begin(r["t"], "waiting", r, life=life, reason=c["reason"], text=_wait_text(c))
        else:
            begin(r["t"], "starting", r, reason=c["reason"], text=c["reason"] or "")
    spans = _with_stopping(_joined(spans), events)
    for s in spans:
        s["label"] = _label(s, to)
    return spans, restarts


def _label(s: Record, to: float) -> str:
    """A span in a few words."""
    say, seconds = words("plot"), s["to"] - s["from"]
    if s["is"] == "running":
        return str(say["life"]).format(n=s["life"])
    if s["is"] == "starting":
        return str(s["text"] if s["text"] not in ("", "ContainerCreating", "PodInitializing") else say["starting"])
    if s["is"] == "stopping":
        if s["exitCode"] is None and s["to"] >= to:
            return str(say["term"])
        if s["exitCode"] == 137:
            return str(say["term.kill"]).format(s=f"{seconds:.0f}")
        return str(say["term.ends"]).format(s=f"{seconds:.1f}")
    ended = f"exit {s['exitCode']}" if s["exitCode"] is not None else ""
    parts = [part.partition(" ") for part in dict.fromkeys((ended, s["text"])) if part]
    return " · ".join(say[first].format(rest) if first in ("exit", "back-off") else first for first, _, rest in parts)


def _next_start(events: list[Record], since: float, t: float) -> float:
    """When the start that ``t`` tells of began: with the look-up of its image."""
    found = t
    for e in reversed(events):
        if since < e["t"] <= t:
            if e["reason"] in ("Pulling", "Pulled"):
                found = e["t"]
            elif e["reason"] not in ("Created", "Started") and found < t:
                break
    return found


def _wait_text(c: Record) -> str:
    found = _BACK_OFF.search(c.get("message") or "")
    return f"back-off {found[1]}" if found else str(c["reason"] or "")


def _joined(spans: list[Record]) -> list[Record]:
    """Without empty spans; ``ended`` before another start is ``waiting``; neighbours that are the same are one."""
    out: list[Record] = []
    for i, s in enumerate(spans):
        if s["is"] == "ended" and any(later["is"] in ("running", "waiting") for later in spans[i + 1 :]):
            s["is"] = "waiting"
        if s["to"] <= s["from"] and s["is"] != "running":
            continue
        if out and out[-1]["is"] == s["is"] and s["is"] in ("waiting", "starting"):
            out[-1]["to"] = s["to"]
            if s["text"].startswith("back-off") or s["is"] == "starting":
                out[-1]["text"], out[-1]["reason"] = s["text"], s["reason"]
            continue
        out.append(s)
    return out


def _with_stopping(spans: list[Record], events: list[Record]) -> list[Record]:
    """Running spans, cut in two where the kubelet set out to stop the container."""
    out: list[Record] = []
    for s in spans:
        kill = next(
            (e for e in events if e["reason"] == "Killing" and s["from"] <= e["t"] <= s["to"] and s["is"] == "running"),
            None,
        )
        out.append(s)
        if kill is not None:
            seen = [e["t"] for e in events if e["reason"] == "BackOff" and kill["t"] <= e["t"] <= s["to"]]
            s["to"] = min([s["to"], *seen])
            out.append({**s, "from": kill["t"], "is": "stopping", "text": kill["message"], "id": kill["id"]})
            s["to"] = kill["t"]
    return out


# ---- controllers


def _controller(key: tuple[str, str], states: list[Record], events: list[Record], end: float) -> Lanes:
    spans: list[Record] = []
    for r in states:
        if spans:
            spans[-1]["to"] = r["t"]
        if r.get("deleted"):
            break
        now = (r.get("ready", 0), r.get("desired", 0))
        if spans and (spans[-1]["ready"], spans[-1]["desired"]) == now:
            spans[-1]["to"] = end
            continue
        spans.append({"from": r["t"], "to": end, "ready": now[0], "desired": now[1], "id": r["id"]})
    marks = [
        {"t": e["t"], "reason": e["reason"], "text": e["message"], "id": e["id"]}
        for e in events
        if e["kind"] == "Event"
    ]
    return {
        "object": key[1],
        "name": _name(key[1]),
        "spans": [s for s in spans if s["to"] > s["from"]],
        "events": marks,
    }
