"""The checks of an exercise that is data: runs, and what is asked of each. The format: :mod:`.data`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from selfheal.clinic import App, paths
from selfheal.clinic.cases import BATTERY, run
from selfheal.clinic.findings import felt
from selfheal.clinic.subject import subjects
from selfheal.clinic.trial import GOLDEN
from selfheal.lessons.arithmetic import forgives, verdict_after
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import name
from selfheal.scenario import Scenario
from selfheal.traffic import onward
from selfheal.words import words

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq,
}  # fmt: skip
_EXPECTED = re.compile(r"(<=|>=|==|<|>)?\s*(-?[\d.]+)\Z")


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
    """The first variant and the first moment at which something does not hold decide."""
    runs = []
    for day, at in [(one, at) for one in _variants(check) for at in _moments(one.get("at", 0), trial)]:
        values = {**_numbers(trial), **day["given"], **_values(day, trial, at)}
        runs.append(values)
        if any(not _holds(ask["expect"], values) for ask in check["ask"]):
            break
    worst = {
        "slowest": max((v["after_kill"] or 0) for v in runs),
        "slowest_restart": max((v["after_restart"] or 0) for v in runs),
        "moments": len(runs),
    }
    values = {**runs[-1], **worst}
    return [finding for ask in check["ask"] for finding in _asked(ask, trial, values)]


def _variants(check: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The check itself, or one for each entry of ``each``, whose values stand in its actions and texts."""
    for given in check.get("each", [{}]):
        filled = {key: _filled(check[key], given) for key in ("do", "with") if key in check}
        yield {**check, **given, **filled, "given": given}


def _filled(data: Any, given: Mapping[str, Any]) -> Any:
    """Data in whose texts ``{gap}`` is filled."""
    if isinstance(data, dict):
        return {key: _filled(value, given) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, given) for value in data]
    if isinstance(data, str):
        for gap, value in given.items():
            data = data.replace(f"{{{gap}}}", str(value))
    return data


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
    cluster = _with(check.get("with", {}), trial).cluster()
    for service, rate in (check.get("traffic") or {}).items():
        cluster.traffic(service, rate)
    cluster.run(until=at)
    pod = name(cluster.get("pods")[0])
    cluster.play(Scenario.load([], actions=check.get("do", []), until=_lasts(check["lasts"], trial)))
    timeline = cluster.timeline
    kills, restarts = timeline.kills(pod), timeline.restarts(pod)
    lost = [r for r in onward(timeline.select(kind="Traffic"), at + check.get("since", 0)) if r["lost"]]
    ready = timeline.ready_intervals(pod)
    status = cluster.get("Pod", pod)["status"]
    waiting = [c["state"]["waiting"] for c in status.get("containerStatuses", ()) if "waiting" in c["state"]]
    told = [r["message"].strip() for r in timeline.select(kind="Event", reason="Unhealthy")]
    killing = [r["message"].partition(",")[0] for r in timeline.select(kind="Event", reason="Killing")]
    pulls = timeline.select(kind="Event", object=f"Pod/{pod}", reason="Pulling", since=at)
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
        "phase": status.get("phase"),
        "waiting": waiting[0]["reason"] if waiting else "",
        "pulls": ", ".join(f"{r['t']:.0f}" for r in pulls),
        "unhealthy": told[0] if told else "",
        "killing": killing[0] if killing else "",
    }


def _with(change: Mapping[str, Any], trial: Trial) -> Trial:
    """The answer with other values at some paths of its Pod or Deployment: what is different on another day."""
    objects = list(trial.objects)
    at = objects.index(trial.workload)
    for path, value in change.items():
        objects[at] = paths.put(objects[at], path, value)
    return replace(trial, objects=tuple(objects))


def _numbers(trial: Trial) -> dict[str, Any]:
    """The numbers of the liveness probe and what follows from them, and the startup probe's budget."""
    s = startup = trial.container.startup
    budget = None if s is None else s.initial_delay_seconds + s.period_seconds * s.failure_threshold
    probe = trial.container.liveness or trial.container.readiness
    if probe is None:
        return {"startup": startup, "budget": budget}
    p, f, t = probe.period_seconds, probe.failure_threshold, probe.timeout_seconds
    return {
        "period": p,
        "threshold": f,
        "timeout": t,
        "forgives": forgives(p, f),
        "window": verdict_after(p, f, t),
        "longest": f * p,
        "startup": startup,
        "budget": budget,
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
    """Whether all values are as expected. What there is not is as expected by nothing."""
    return all(_is(values[key], wanted) for key, wanted in expect.items())


def _is(value: Any, wanted: Any) -> bool:
    """A number (``0``, ``">= 1"``), a text, or a part of a text (``"~errored"``)."""
    found = _EXPECTED.match(str(wanted))
    if found is not None and isinstance(value, int | float):
        return bool(_COMPARED[found[1] or "=="](value, float(found[2])))
    if str(wanted).startswith("~"):
        return str(wanted)[1:] in str(value)
    return value is not None and (wanted is value or str(wanted) == str(value))


def _because(ask: Mapping[str, Any], trial: Trial, values: Mapping[str, Any]) -> str:
    """The explanation that fits the answer."""
    container = _wire(trial)
    for reason in ask.get("because", ()):
        if all(_meets(container, values, what, wanted) for what, wanted in (reason.get("when") or {}).items()):
            return str(reason["says"]).strip().format_map({**values, **_flat(container)})
    return ""


def _meets(container: Any, values: Mapping[str, Any], what: str, wanted: Any) -> bool:
    """Of a value of the run, or of a path of the container: ``present``, ``absent``, or as in ``expect``."""
    if wanted in ("present", "absent"):
        return paths.has(container, what) is (str(wanted) == "present")
    return _is(values[what] if what in values else paths.get(container, what), wanted)


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
