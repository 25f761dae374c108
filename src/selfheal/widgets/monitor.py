"""The patient monitor, as a cell of a chapter shows it.

    from selfheal.widgets import monitor

    monitor("shop.yaml", until=160, traffic={"shop": 20},
            ask="When will the container be restarted?", beliefs=["restart-is-instant"])

In a notebook with a kernel it is an anywidget, and each flip is a real run. What is stored in the notebook is
plain HTML: the question and a few lines of text for readers without scripts. In the built book ``widgets.js``
draws the monitor in its place, with answers from the bank that is named there.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.objects import Object
from selfheal.rules import BELIEFS
from selfheal.runs import listened
from selfheal.scenario import Scenario
from selfheal.widgets.answers import Answer, answer
from selfheal.widgets.bank import name_of
from selfheal.widgets.page import words
from selfheal.widgets.questions import FAULTS, PROBES, canonical, language_of, pod_spec_of
from selfheal.words import language, marked, phrase, speaking

HABITS = ("term",)
"""Switches that are the app's habit: they change how it is started, not what it does now."""

VALUES = {"term": ("obey", "ignore")}
"""What a switch can stand at, the usual state first; any other: 200, 500, hang."""

PATHS = {"liveness": "/healthz", "readiness": "/readyz", "startup": "/healthz"}
"""What a probe looks at that the reader adds."""

TARGETS = (
    *("restart", "kill", "end", "life", "backoff", "started", "fail", "sick", "well", "ready", "unready"),
    *("in", "out", "leaving", "lost", "served", "placed", "deleting", "gone"),
)
"""What can be asked for: the kinds of events that ``monitor.js`` tells of."""


def monitor(
    scenario: Any,
    *,
    actions: Any = None,
    until: float | None = None,
    seed: int | None = None,
    nodes: int | None = None,
    traffic: Mapping[str, float] | None = None,
    switches: Sequence[str] | None = None,
    faults: Sequence[str] = (),
    ask: str | None = "When will the container be restarted?",
    target: str = "restart",
    after: float = 0,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    beliefs: Sequence[str] = (),
    start: float | None = None,
    speed: int = 10,
    title: str | None = None,
    next: str | None = None,
) -> Monitor:
    """A patient monitor for a scenario: a :class:`~selfheal.scenario.Scenario`, or manifests (path, text, dict, list).

    ``actions``, ``until`` (seconds), ``seed``, ``nodes`` and ``traffic`` (requests per second to each Service) complete
    manifests to a scenario.

    ``switches``: what the reader can turn, of ``healthz``, ``readyz``, ``work`` and ``term`` (default: the paths that
    probes look at, and ``term`` if the app is selfheal/patient).

    ``faults``: what else the reader can do to the pod or its node, of :data:`selfheal.widgets.questions.FAULTS`
    (``["kill", "leak", "stopNode"]``).

    ``ask``: the question before the run (None: no prediction). ``target`` is the kind of event that answers it, the
    first one from second ``after`` on. ``next``: the question that follows the verdict.

    ``presets``: label → ``{"liveness": {"periodSeconds": 5}, "term": "ignore"}``; a probe may be None.
    ``beliefs``: keys of :data:`selfheal.rules.BELIEFS`. ``start``: where the playhead stands at first, in seconds
    (default: as soon as every pod lives). ``speed``: how many seconds of cluster time pass in one.

    Raises ValueError for what it does not know and :class:`selfheal.errors.ApiError` for a scenario that cannot be run.
    """
    more = {"actions": actions, "until": until, "seed": seed, "nodes": nodes, "traffic": traffic}
    base = _scenario(scenario, {key: value for key, value in more.items() if value is not None}).canonical()
    at, container = _place(base["manifests"])
    if target not in TARGETS:
        raise ValueError(f"target {target!r} is not one of {', '.join(TARGETS)}")
    unknown = [key for key in beliefs if key not in BELIEFS]
    if unknown:
        raise ValueError(f"there is no belief {unknown[0]!r}; there are {', '.join(BELIEFS)}")
    handlers = {probe: {"httpGet": {"path": PATHS[probe], "port": at["port"]}} for probe in PROBES}
    chosen = _default_switches(container) if switches is None else list(switches)
    data: dict[str, Any] = {
        "base": base,
        "at": at,
        "handlers": handlers,
        "switches": [_switch(name, container, base) for name in chosen if name not in HABITS],
        "habits": [_habit(name) for name in chosen if name in HABITS],
        "presets": [_preset(label, wanted) for label, wanted in (presets or {}).items()],
        "beliefs": [_belief(key) for key in beliefs],
        "ask": None if ask is None else {"text": phrase(ask), "target": target, "after": after},
        "start": start,
        "speed": speed,
    }
    offered = [_fault(name, at, container) for name in faults] or None
    more = {"title": title and phrase(title), "next": next and phrase(next), "faults": offered}
    more["language"] = None if language() == "en" else language()
    data.update({key: value for key, value in more.items() if value is not None})
    return Monitor(json.loads(canonical(data)))


class Monitor:
    """A monitor, ready to be shown. ``data``: all that it is made of, as JSON."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self._first: Answer | None = None
        self._live: Any = None

    @property
    def first(self) -> Answer:
        """The answer to the question with nothing changed."""
        if self._first is None:
            with speaking(language_of(self.data)):  # whoever looks first, and in whatever language
                self._first = answer(self.data["base"])
        return self._first

    def __repr__(self) -> str:
        at = self.data["at"]
        pod = at["pod"] if isinstance(at["pod"], str) else at["pod"]["selector"]
        return f"Monitor({pod}, container {at['name']}, {self.data['base']['until']:g} s)"

    def html(self) -> str:
        """What the notebook stores: the question as data, and text for readers without scripts."""
        say = words()
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in summary(self.first, self.data["at"]["name"]))
        ask = html.escape((self.data["ask"] or {}).get("text", ""))
        title = html.escape(self.data.get("title", say["title"]))
        data = canonical(self.data).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
        return (
            f'<div class="selfheal-monitor"{marked()} data-bank="{name_of(self.data)}">\n'
            f'<script type="application/json">{data}</script>\n'
            f"<p><strong>{title}.</strong> {ask} {html.escape(say['still'])}</p>\n"
            f"<details><summary>{html.escape(say['still.run'])}</summary><ol>{lines}</ol></details>\n"
            "</div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self.html()}
        if _has_kernel():
            from selfheal.widgets.kernel import LiveMonitor

            self._live = self._live or LiveMonitor(self.data, self.first)
            shown = self._live._repr_mimebundle_()
            bundle.update({**(shown[0] if isinstance(shown, tuple) else shown or {}), **bundle})
        return bundle


def _has_kernel() -> bool:
    """Whether a living monitor can be shown. A page of the book draws it itself, and lets Python answer."""
    return sys.platform != "emscripten" and listened()


def summary(told: Answer, container: str) -> list[str]:
    """A run in a few lines: what the app was, what the kubelet did."""
    say = words()
    lines: list[str] = []
    lives: dict[str, int] = {}
    ready: dict[str, bool] = {}
    for record in told["timeline"][1:]:
        pod = record.get("object", "").partition("/")[2]
        text = ""
        if record["kind"] == "App" and record["container"] == container:
            text = say["still.app"].replace("{text}", record["text"])
        elif record.get("reason") == "Killing":
            text = record["message"]
        elif record["kind"] == "Pod":
            state = next((c for c in record["containers"] if c["name"] == container), None)
            now = record["conditions"].get("Ready") == "True"
            if state and state["state"] == "running" and lives.get(pod) != state["restartCount"]:
                lives[pod] = state["restartCount"]
                n = state["restartCount"]
                text = say["event.restart"].replace("{n}", str(n)) if n else say["event.life"]
            elif now != ready.get(pod, False):
                text = say["event.ready"] if now else say["event.unready"]
            ready[pod] = now
        if text:
            t = say["s"].format(t=f"{record['t']:.1f}")
            lines.append(say["now"].format(t=t, pod=pod, what=text))
    return lines if len(lines) <= 16 else [*lines[:15], "…"]


# ---- from what a chapter writes to data


def _scenario(scenario: Any, more: dict[str, Any]) -> Scenario:
    if not isinstance(scenario, Scenario):
        return Scenario.load(scenario, **more)
    if more:
        raise ValueError(f"a Scenario has its own {', '.join(more)}")
    return scenario


def _place(manifests: Sequence[Object]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where the watched container stands, and the container itself: the first with a probe, or just the first."""
    places = []
    for number, manifest in enumerate(manifests):
        spec = manifest.get("spec") or {}
        if "containers" in spec or "template" in spec:
            places += [(number, n, manifest, c) for n, c in enumerate(pod_spec_of(manifest)["containers"])]
    if not places:
        raise ValueError("there is no Pod and nothing that makes pods among the manifests")
    number, n, manifest, container = next(
        (place for place in places if any(f"{probe}Probe" in place[3] for probe in PROBES)), places[0]
    )
    pod: Any = manifest["metadata"]["name"]
    if manifest["kind"] != "Pod":
        label, value = next(iter(manifest["spec"]["selector"]["matchLabels"].items()))
        pod = {"index": 0, "selector": f"{label}={value}"}
    args = container.get("args") or []
    ports = container.get("ports") or [{"containerPort": args[args.index("--port") + 1] if "--port" in args else 8080}]
    at = {
        "places": [[number, n]] + [[m, i] for m, i, _, c in places if c["name"] == container["name"] and m != number],
        "name": container["name"],
        "pod": pod,
        "port": int(ports[0]["containerPort"]),
        "reports": _is_patient(container),
    }
    return at, container


def _is_patient(container: Mapping[str, Any]) -> bool:
    """Whether it is the app whose health can be switched; it also reports how it is."""
    return str(container.get("image", "")).rpartition("/")[2].partition(":")[0] == "patient"


def _looks_at(container: Mapping[str, Any], probe: str) -> str:
    """The path a probe asks for, or would ask for if the reader added it."""
    given = container.get(f"{probe}Probe")
    return PATHS[probe] if given is None else str((given.get("httpGet") or {}).get("path", ""))


def _default_switches(container: Mapping[str, Any]) -> list[str]:
    if not _is_patient(container):
        return []
    asked = {_looks_at(container, probe) for probe in PROBES if f"{probe}Probe" in container}
    return [name for name in ("healthz", "readyz") if f"/{name}" in asked or name == "healthz"] + ["term"]


def _switch(name: str, container: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    say = words()
    if f"switch.{name}" not in say:
        raise ValueError(f"there is no switch {name!r}; there are healthz, readyz, work and term")
    told = " ".join([*(container.get("args") or ()), *(str(action) for action in base["actions"])])
    found = re.search(rf"\b{name}(?:-after [\d.]+)?=([45]\d\d)\b", told)  # the code that the scenario itself speaks of
    values = [[value, say.get(f"value.{value}", value)] for value in ("200", found[1] if found else "500", "hang")]
    probes = [probe for probe in PROBES if _looks_at(container, probe) == f"/{name}"]
    return {"name": name, "label": say[f"switch.{name}"], "values": values, "probes": probes}


def _fault(name: str, at: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    on, lasts = FAULTS[name]
    if name == "leak" and "memory" not in ((container.get("resources") or {}).get("limits") or {}):
        raise ValueError(f"container {at['name']} has no memory limit, so nothing would end a leak")
    if on == "pod" and name != "kill" and at["places"][0][1]:
        raise ValueError(f"{name} is done to the first container of a pod, and {at['name']} is not the first")
    return {"name": name, "on": on, "lasts": lasts}


def _habit(name: str) -> dict[str, Any]:
    say = words()
    values = [[value, say[f"value.{value}"]] for value in VALUES[name]]
    return {"name": name, "label": say[f"switch.{name}"], "arg": f"--{name}", "values": values}


def _belief(key: str) -> dict[str, str]:
    return {"key": key, "says": BELIEFS[key].says, "truth": BELIEFS[key].truth}


def _preset(label: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [key for key in wanted if key not in (*PROBES, *HABITS)]
    if wrong:
        raise ValueError(f"preset {label!r} sets {wrong[0]!r}; it can set {', '.join((*PROBES, *HABITS))}")
    probes = {key: value for key, value in wanted.items() if key in PROBES}
    return {"label": phrase(label), "probes": probes, "habits": {k: v for k, v in wanted.items() if k in HABITS}}
