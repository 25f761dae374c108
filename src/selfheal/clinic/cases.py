"""The battery: what goes wrong with every app some day, and what a manifest should make of it.

| case | what is done | what is asked |
| --- | --- | --- |
| ``start`` | the app takes its time to listen; then nothing happens | it gets ready, and no probe kills it |
| ``pause`` | one pod answers nothing for some seconds | nobody is killed |
| ``slow`` | for a minute all answers take some seconds | nobody is killed, no request is lost |
| ``dependency`` | the database is away for two minutes | nobody is killed; soon after its return all is well |
| ``deadlock`` | one pod answers nothing any more | it is restarted in time |
| ``crash`` | the process of one pod ends | users hardly notice |
| ``rollout`` | a new version, as good as the old one | hardly a request is lost |
| ``bad-version`` | a new version that answers 503 to all | the old one goes on serving, hardly a request is lost |
| ``drain`` | the node of one pod is drained | it ends, and hardly a request is lost |
| ``node`` | the node of one pod loses its power | users are not without an answer for long |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from selfheal.clinic.app import BAD_IMAGE, App
from selfheal.clinic.subject import Subject
from selfheal.clinic.trial import RATE, Outcome, Trial
from selfheal.clock import micros
from selfheal.errors import ApiError
from selfheal.programs import images
from selfheal.words import words

QUIET = 300
"""Seconds for which nothing must happen to an app that is well."""
SPIKE, AWAY = 60, 120
"""How long answers are slow, and the database is away, in seconds."""
HEAL = 120
"""Seconds within which a deadlock must be over, besides those that the app takes to start."""
RECOVER = 60
"""Seconds within which all is well after the database is back."""
DARK = 60
"""Seconds for which a lost node may leave users without any answer."""
RACE = 5
"""Requests that may be lost when a pod is replaced: SIGTERM and the change of its endpoint are on their way together,
and how long the latter takes is a matter of the real network, which is not simulated."""
NOTICED = 2
"""Seconds' worth of requests that a crash may cost: the kubelet must hear of it first."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that goes wrong."""

    name: str
    lasts: float
    do: Callable[[Trial], None]
    wrong: Callable[[Trial, Outcome], str]
    """Which demand did not hold; empty if all did."""
    kinds: tuple[str, ...] = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod")
    spared: bool = False

    def told(self, app: App) -> str:
        """What is done, in a sentence that begins with "when"."""
        said: str = words("clinic")["cases"][self.name]
        return said.format(
            starts=f"{app.starts:g}", slow=f"{app.slow:g}", pause=f"{app.pause:g}", spike=SPIKE, away=AWAY
        )


def run(subject: Subject, app: App, case: Case, seed: int, trial: Trial | None = None) -> tuple[Outcome, Trial]:
    """One run of a case. Raises ApiError if the API server refuses the manifest."""
    trial = trial or Trial(subject, app, seed)
    if case.name == "start":
        ready = trial.ready()
        started = trial.cluster.now
        trial.run(QUIET)
        outcome = replace(trial.outcome(case.name), heal=round(started, 1) if ready else None)
        return replace(outcome, wrong=case.wrong(trial, outcome)), trial
    if not trial.ready():
        return Outcome(case.name, seed, heal=None, wrong="start"), trial
    trial.settle()
    case.do(trial)
    trial.run(case.lasts)
    outcome = trial.outcome(case.name, spared=case.spared)
    if case.spared and _still_hangs(trial):
        outcome = replace(outcome, heal=None)
    return replace(outcome, wrong=case.wrong(trial, outcome)), trial


# ---- what is done


def _nothing(trial: Trial) -> None:
    del trial


def _pause(trial: Trial) -> None:
    trial.cluster.fault("hang", f"pod/{trial.victim}", for_=trial.app.pause)
    trial.until = trial.begun + trial.app.pause


def _slow(trial: Trial) -> None:
    _all(trial, delay=trial.app.slow)
    trial.run(SPIKE)
    _all(trial, delay=0)
    trial.until = trial.cluster.now


def _dependency(trial: Trial) -> None:
    _all(trial, database=False)
    trial.run(AWAY)
    _all(trial, database=True)
    trial.until = trial.cluster.now


def _all(trial: Trial, *, delay: float | None = None, database: bool | None = None) -> None:
    """Stand-ins see the world; programs of our own are told."""
    trial.world.change(delay=delay, database=database)
    known = images.find(trial.subject.container.image)
    if known is None:
        return
    for pod in trial.pods():
        where = pod["metadata"]["name"]
        try:
            if delay is not None:
                container = trial.cluster.container(where)
                container.runtime.slow(container, micros(delay))
            if database is not None and known is images.IMAGES["selfheal/patient"]:
                answer = "200" if database else "503"
                work = "auto" if database else "503"
                trial.cluster.http(where, f"/switch?readyz={answer}&work={work}", method="POST")
        except ApiError:  # it does not run just now
            continue


def _deadlock(trial: Trial) -> None:
    trial.cluster.fault("hang", f"pod/{trial.victim}")


def _crash(trial: Trial) -> None:
    trial.cluster.kill(trial.victim)


def _rollout(trial: Trial) -> None:
    trial.cluster.restart(f"{trial.subject.kind.lower()}/{trial.subject.name}")


def _bad_version(trial: Trial) -> None:
    bad = trial.subject.change(f"{trial.subject.at}.image", BAD_IMAGE)
    trial.cluster.apply(bad.admitted)


def _drain(trial: Trial) -> None:
    def done(text: str) -> None:
        trial.drained = text

    trial.cluster.drain(_node_of(trial), done=done)


def _node(trial: Trial) -> None:
    trial.cluster.node(_node_of(trial)).stop()


def _node_of(trial: Trial) -> str:
    return str(trial.cluster.get("Pod", trial.victim)["spec"]["nodeName"])


# ---- what is asked


def _starts(trial: Trial, o: Outcome) -> str:
    if trial.kills():
        return "restarts"
    return "ends" if trial.ended() else "start" if o.heal is None else ""


def _patient(_: Trial, o: Outcome) -> str:
    return "restarts" if o.needless else ""


def _patient_and_there(_: Trial, o: Outcome) -> str:
    return "restarts" if o.needless else "lost" if o.lost else ""


def _recovers(_: Trial, o: Outcome) -> str:
    return "restarts" if o.needless else "heal" if o.heal is None or o.heal > RECOVER else ""


def _restarts(trial: Trial, o: Outcome) -> str:
    if o.heal is None or o.heal > HEAL + trial.app.starts:
        return "heal"
    return "restarts" if o.needless else ""


def _still_hangs(trial: Trial) -> bool:
    try:
        process = trial.cluster.container(trial.victim).kernel.processes.get(1)
    except ApiError:
        return False
    return process is not None and process.stopped


def _hardly(_: Trial, o: Outcome) -> str:
    return "lost" if o.lost > NOTICED * RATE else ""


def _hardly_any(_: Trial, o: Outcome) -> str:
    return "lost" if o.lost > RACE else ""


def _ends(trial: Trial, o: Outcome) -> str:
    return "blocked" if trial.drained is None else "lost" if o.lost > RACE else ""


def _not_dark(_: Trial, o: Outcome) -> str:
    return "down" if o.down > DARK else ""


MADE = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")

BATTERY: dict[str, Case] = {
    case.name: case
    for case in (
        Case("start", QUIET, _nothing, _starts),
        Case("slow", 120, _slow, _patient_and_there),
        Case("dependency", 180, _dependency, _recovers),
        Case("deadlock", 300, _deadlock, _restarts, spared=True),
        Case("rollout", 300, _rollout, _hardly_any, ROLLED),
        Case("bad-version", 300, _bad_version, _hardly_any, ROLLED),
        Case("pause", 120, _pause, _patient),
        Case("crash", 120, _crash, _hardly),
        Case("drain", 300, _drain, _ends, MADE),
        Case("node", 600, _node, _not_dark, MADE),
    )
}
"""By name, in the order in which they are tried: what hurts most and shows fastest comes first."""


def battery(subject: Subject, names: tuple[str, ...] = ()) -> list[Case]:
    """The cases that make sense for a workload. KeyError if a name is none."""
    chosen = [BATTERY[n] for n in names] if names else list(BATTERY.values())
    bad = BAD_IMAGE if images.find(subject.container.image) is None else ""
    return [
        c for c in chosen
        if subject.kind in c.kinds and (c.name != "bad-version" or bad) and (c.name != "slow" or subject.service)
    ]  # fmt: skip
