"""Exercises as data: ``NAME.yaml`` beside this module holds symptom, manifest, checks, hints, solution and wrong ways.

A check is a run and what is asked of it. Times in ``do`` and in the fields of texts count from ``at``, the moment at
which something goes wrong; the run ends ``lasts`` seconds after it::

    checks:
    - at: 100                     # or {spread: liveness, times: 6}: at so many moments of one period of that probe
      do:                         # actions, as in an actions.yaml
      - {at: 0, http: {pod: shop, port: 8080, path: "/switch?healthz=hang", method: POST}}
      lasts: 60
      traffic: {shop: 10}         # requests a second
      ask:                        # one line of the report each
      - expect: {restarts: ">= 1"}
        held: "A deadlock leads to a restart after {after_restart:.1f} s."
        failed: "A deadlock had led to no restart 60 s later. {because}"
        because:                  # the first whose `when` holds explains the mistake
        - {when: {livenessProbe.tcpSocket: present}, says: "A port stays open."}
        - {says: "It takes too long."}

    - case: slow                  # or a case of the clinic's battery, with its own demand and words
      seeds: 3

Paths in ``when`` are those of the first container. ``wrong`` lists typical wrong answers as changes of the manifest,
each with a part of what is said to it; a test holds each exercise to that.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from selfheal import manifests
from selfheal.clinic import App, paths
from selfheal.clinic.cases import BATTERY, run
from selfheal.clinic.findings import felt
from selfheal.clinic.subject import subjects
from selfheal.clinic.trial import GOLDEN
from selfheal.lessons.arithmetic import forgives, verdict_after
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial, Wrong
from selfheal.objects import name
from selfheal.scenario import Scenario
from selfheal.traffic import onward
from selfheal.words import language, words

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq,
}  # fmt: skip
_EXPECTED = re.compile(r"(<=|>=|==|<|>)?\s*(-?[\d.]+)\Z")


def load(called: str) -> Exercise:
    """The exercise in ``CALLED.yaml``, with the texts of the language that is spoken, as far as there are some."""
    return _load(called, language())


@cache
def _load(called: str, language: str) -> Exercise:
    folder = resources.files(__package__)
    data = yaml.safe_load(folder.joinpath(f"{called}.yaml").read_text(encoding="utf-8"))
    told = folder.joinpath(language, f"{called}.yaml")
    return parse(_over(data, yaml.safe_load(told.read_text(encoding="utf-8"))) if told.is_file() else data)


def _over(data: Any, told: Any) -> Any:
    """Data with the texts of a translation in their places; its lists are as long as those that they translate."""
    if isinstance(told, dict):
        return {**data, **{key: _over(data[key], value) for key, value in told.items()}}
    if isinstance(told, list):
        return [_over(one, text) for one, text in zip(data, told, strict=True)]
    return told


def parse(data: Mapping[str, Any]) -> Exercise:
    """An exercise from its data. KeyError if something is missing that every exercise has."""
    manifest = data["manifest"]
    return Exercise(
        name=data["name"],
        symptom=data["symptom"].strip(),
        task=data["task"].strip(),
        manifest=manifest,
        allowed=tuple(data["allowed"]),
        keep=data["keep"],
        examine=Checks(data["checks"]),
        hints=tuple(data["hints"]),
        solution=_answer(manifest, data["solution"]),
        wrong=tuple(Wrong(w["way"], _answer(manifest, w), w["says"]) for w in data["wrong"]),
    )


def _answer(manifest: str, way: Any) -> str:
    """An answer: a whole manifest, or the given one with some texts or some places changed."""
    if isinstance(way, str):
        return way
    for old, new in (way.get("replace") or {}).items():
        if old not in manifest:
            raise ValueError(f"{old!r} is not in the manifest")
        manifest = manifest.replace(old, new)
    if "change" in way:
        objects = [m.object for m in manifests.read(manifest)]
        for path, value in way["change"].items():
            objects[0] = paths.put(objects[0], path, value)
        manifest = yaml.safe_dump_all(objects, sort_keys=False)
    return manifest


@dataclass(frozen=True)
class Checks:
    """What is run, and what is asked of each run."""

    checks: list[dict[str, Any]]

    def __call__(self, trial: Trial) -> Iterator[Finding]:
        for check in self.checks:
            findings = [_case(check, trial)] if "case" in check else _run(check, trial)
            yield from findings
            if check.get("first") and not all(f.ok for f in findings):
                return


def _case(check: Mapping[str, Any], trial: Trial) -> Finding:
    """A case of the battery, with some seeds."""
    case, app = BATTERY[check["case"]], App(**check.get("app", {}))
    [subject] = subjects([(obj, "") for obj in trial.objects])[0]
    told, say = case.told(app), words("report")
    seeds = check.get("seeds", 3)
    for seed in range(1 + seeds * (trial.seed - 1), 1 + seeds * trial.seed):
        outcome, _ = run(subject, app, case, seed)
        if outcome.wrong:
            because = _because(check, trial, {})
            text = say["case.wrong"].format(
                told=told, problem=words("clinic")["problems"][outcome.wrong], felt=felt(outcome), because=because
            )
            return Finding(False, text.strip())
    return Finding(True, check.get("held", say["case.held"].format(told=told)))


def _run(check: Mapping[str, Any], trial: Trial) -> list[Finding]:
    """The first moment at which something does not hold decides."""
    runs = []
    for at in _moments(check.get("at", 0), trial):
        values = {**_numbers(trial), **_values(check, trial, at)}
        runs.append(values)
        if any(not _holds(ask["expect"], values) for ask in check["ask"]):
            break
    values = {**runs[-1], "slowest": max((v["after_kill"] or 0) for v in runs), "moments": len(runs)}
    return [finding for ask in check["ask"] for finding in _asked(ask, trial, values)]


def _asked(ask: Mapping[str, Any], trial: Trial, values: dict[str, Any]) -> Iterator[Finding]:
    """What is said, if anything: only where ``if`` holds, and without ``held`` only what failed."""
    told = {key: _NEVER if value is None else value for key, value in values.items()}
    if not _holds(ask.get("if", {}), values):
        return
    if not _holds(ask["expect"], values):
        told["because"] = _because(ask, trial, told)
        yield Finding(False, ask["failed"].format_map(told).strip())
    elif "held" in ask:
        yield Finding(True, ask["held"].format_map(told))


class _Never:
    """A time that never came, in a text that has a gap for one."""

    def __format__(self, _: str) -> str:
        return "…"


_NEVER = _Never()


def _values(check: Mapping[str, Any], trial: Trial, at: float) -> dict[str, Any]:
    """What of one run an expectation or a text may ask for. Times are seconds, None if there is none."""
    cluster = trial.cluster()
    for service, rate in (check.get("traffic") or {}).items():
        cluster.traffic(service, rate)
    cluster.run(until=at)
    pod = name(cluster.get("pods")[0])
    cluster.play(Scenario.load([], actions=check.get("do", []), until=_lasts(check["lasts"], trial)))
    timeline = cluster.timeline
    kills, restarts = timeline.kills(pod), timeline.restarts(pod)
    lost = [r for r in onward(timeline.select(kind="Traffic"), at + check.get("since", 0)) if r["lost"]]
    ready = timeline.ready_intervals(pod)
    told = [r["message"].strip() for r in timeline.select(kind="Event", reason="Unhealthy")]
    return {
        "at": at,
        "kills": len(kills),
        "first_kill": kills[0] if kills else None,
        "after_kill": kills[0] - at if kills else None,
        "restarts": len(restarts),
        "first_restart": restarts[0] if restarts else None,
        "after_restart": restarts[0] - at if restarts else None,
        "lost": sum(r["lost"] * r["times"] for r in lost),
        "first_lost": lost[0]["t"] if lost else None,
        "ready_at": ready[-1][0] if ready else None,
        "unhealthy": told[0] if told else "",
    }


def _numbers(trial: Trial) -> dict[str, Any]:
    """The numbers of the liveness probe, and what follows from them."""
    probe = trial.container.liveness or trial.container.readiness
    if probe is None:
        return {}
    p, f, t = probe.period_seconds, probe.failure_threshold, probe.timeout_seconds
    return {
        "period": p,
        "threshold": f,
        "timeout": t,
        "forgives": forgives(p, f),
        "window": verdict_after(p, f, t),
        "room": words("report")["probes.one" if f == 1 else "probes"].format(n=f),
    }


def _moments(at: Any, trial: Trial) -> list[float]:
    """When it goes wrong: at one moment, or at some, spread over one period after two probes (at most a minute)."""
    if not isinstance(at, Mapping):
        return [float(at)]
    probe = trial.container.probe(at["spread"])
    period = 10 if probe is None else probe.period_seconds
    start, first = min(2 * period, 60) + 1, GOLDEN * (trial.seed - 1) % 1
    return [start + (n + first) * min(period, 60) / at["times"] for n in range(at["times"])]


def _lasts(lasts: Any, trial: Trial) -> float:
    """Seconds, or ``{seconds: 8, probes: 1}``: that long and until one more probe is over."""
    if not isinstance(lasts, Mapping):
        return float(lasts)
    probe = trial.container.liveness
    return float(lasts["seconds"] + (0 if probe is None else probe.period_seconds + probe.timeout_seconds))


def _holds(expect: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether all values are as expected: ``0``, ``">= 1"``. What there is not is as expected by nothing."""
    for key, text in expect.items():
        found = _EXPECTED.match(str(text))
        if found is None:
            raise ValueError(f'expect.{key}: write a number, or "<= 25", not {text!r}')
        if values[key] is None or not _COMPARED[found[1] or "=="](values[key], float(found[2])):
            return False
    return True


def _because(ask: Mapping[str, Any], trial: Trial, values: Mapping[str, Any]) -> str:
    """The explanation that fits the answer."""
    container = _wire(trial)
    for reason in ask.get("because", ()):
        if all(_meets(container, path, wanted) for path, wanted in (reason.get("when") or {}).items()):
            return str(reason["says"]).strip().format_map({**values, **_flat(container)})
    return ""


def _meets(container: Any, path: str, wanted: Any) -> bool:
    """``present``, ``absent``, ``"> 3"`` or a value."""
    if wanted in ("present", "absent"):
        return paths.has(container, path) is (str(wanted) == "present")
    value: Any = paths.get(container, path)
    found = _EXPECTED.match(str(wanted))
    if found is not None and isinstance(value, int | float):
        return bool(_COMPARED[found[1] or "=="](value, float(found[2])))
    return wanted is value or str(wanted) == str(value)


def _flat(container: Any) -> dict[str, Any]:
    """Numbers of its probes by names that a text can hold: ``readinessProbe_failureThreshold``."""
    return {
        f"{probe}_{field}": value
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for field, value in (container.get(probe) or {}).items()
        if isinstance(value, int)
    }


def _wire(trial: Trial) -> dict[str, Any]:
    """The first container as it was admitted."""
    obj = trial.workload
    spec = obj["spec"] if obj["kind"] == "Pod" else obj["spec"]["template"]["spec"]
    return dict(spec["containers"][0])
