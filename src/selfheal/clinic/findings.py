"""What was found out about one workload: each case that did not hold, its first cause, its place, what would help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from selfheal.clinic.app import App
from selfheal.clinic.cases import Case, battery, run
from selfheal.clinic.remedies import Change, Tried, search
from selfheal.clinic.subject import Subject
from selfheal.clinic.trial import Outcome, Trial
from selfheal.words import words

NEVER = 1e6
"""Seconds, for what is not healed by the end."""
SEEDS = 5
"""Seeds that are tried unless somebody asks for more."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far an examination has come."""

    done: int
    total: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that did not hold."""

    subject: Subject
    case: Case
    app: App
    outcome: Outcome
    """With the seed with which it hurt most."""
    failed: int
    tried: int
    cause: str
    """What came first, in a sentence."""
    place: str
    """Where in the manifest."""
    changes: tuple[Change, ...] = ()
    """The smallest change that helps; empty if none was found."""
    then: Outcome | None = None
    """What the same run comes to with it: some of the harm nobody can prevent."""
    searched: bool = True
    """Whether a change was looked for."""

    @property
    def title(self) -> str:
        say = words("clinic")
        return str(say["title"]).format(told=self.case.told(self.app), problem=say["problems"][self.outcome.wrong])

    @property
    def harm(self) -> tuple[float, ...]:
        """For ranking: what users feel, then what it costs the cluster; less what the change leaves."""
        return tuple(a - b for a, b in zip(_harm(self.outcome), _harm(self.then) if self.then else NONE, strict=True))

    def json(self) -> dict[str, Any]:
        return {
            "object": self.subject.ref,
            "file": self.subject.source,
            "case": self.case.name,
            "problem": self.outcome.wrong,
            "title": self.title,
            "felt": self.outcome.json(),
            "failed": self.failed,
            "tried": self.tried,
            "cause": self.cause,
            "place": self.place,
            "changes": [c.json() for c in self.changes],
            "then": None if self.then is None else self.then.json(),
        }


@dataclass
class Examination:
    """All runs of one workload; to be gone through one after another, and stopped at any moment.

    The first seed of every case comes first, so that what fails at all shows soon.
    """

    subject: Subject
    app: App = field(default_factory=App)
    seeds: int = SEEDS
    names: tuple[str, ...] = ()
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def cases(self) -> dict[str, Case]:
        return {case.name: case for case in battery(self.subject, self.names)}

    def __iter__(self) -> Iterator[Step]:
        """Run what has not been run yet. Raises ApiError if the API server refuses the manifest."""
        plan = [(case, seed) for seed in range(1, self.seeds + 1) for case in self.cases.values()]
        for case, seed in plan[len(self.outcomes) :]:
            outcome, _ = run(self.subject, self.app, case, seed)
            self.outcomes.append(outcome)
            yield Step(len(self.outcomes), len(plan), outcome)

    def first(self, on_step: Callable[[Step], object] = lambda _: None) -> Outcome | None:
        """Run until something does not hold; None if everything does."""
        for step in self:
            on_step(step)
            if step.outcome.wrong:
                return step.outcome
        return None

    def findings(self, *, remedies: bool = True, tick: Callable[[], object] = lambda: None) -> list[Finding]:
        """What did not hold so far, ranked by harm."""
        tried: Tried = {(o.case, o.seed): o.wrong for o in self.outcomes}
        found = []
        first = next(iter(self.cases), "")  # "start", unless others are asked for
        never = any(o.wrong == "start" or (o.case == "start" and o.wrong) for o in self.outcomes)
        broken = first if never else ""
        for name, case in self.cases.items():
            of = [o for o in self.outcomes if o.case == name]
            wrong = [o for o in of if o.wrong and (name == first or o.wrong != "start")]
            if not wrong or broken not in ("", name):
                continue
            worst = max(wrong, key=_harm)
            changes, then = search(self.subject, self.app, case, tried, self.cases, tick) if remedies else ((), None)
            cause, place = first_cause(self.subject, *run(self.subject, self.app, case, worst.seed))
            if changes:
                place = changes[0].path if not changes[0].of else f"{changes[0].of} {changes[0].path}"
            found.append(
                Finding(self.subject, case, self.app, worst, len(wrong), len(of), cause, place, changes, then, remedies)
            )
        return sorted(found, key=lambda f: f.harm, reverse=True)


NONE = (0.0, 0.0, 0.0, 0.0)


def _harm(o: Outcome) -> tuple[float, ...]:
    return (o.lost, o.down, o.needless, NEVER if o.heal is None else o.heal)


def felt(o: Outcome) -> str:
    """What users would have felt, in words."""
    say = words("clinic")["felt"]
    said = [say["lost"].format(lost=o.lost, sent=o.sent)] if o.sent else []
    if o.down:
        said.append(say["down"].format(minutes=f"{o.down / 60:.1f}"))
    if o.needless:
        said.append(say["needless.one" if o.needless == 1 else "needless"].format(n=o.needless))
    said.append(say["heal.not"] if o.heal is None else say["heal"].format(seconds=f"{o.heal:g}"))
    return str(say["comma"]).join(said)


_FAILED = re.compile(r"failed (liveness|startup) probe")


def first_cause(subject: Subject, outcome: Outcome, trial: Trial) -> tuple[str, str]:
    """(what came first, its place in the manifest)."""
    say = words("clinic")["cause"]
    if outcome.wrong in ("restarts", "start") and trial.kills():
        return _killed(subject, trial)
    if outcome.wrong == "ends":
        pod, code = trial.ended()[0]
        return say["ends"].format(pod=pod, code=code), f"{subject.at}.command"
    if outcome.wrong == "blocked":
        budgets = [o["metadata"]["name"] for o in subject.others if o["kind"] == "PodDisruptionBudget"]
        names = words("punctuation")["comma"].join(budgets)
        what = say["budget" if budgets else "budget.none"].format(names=names)
        return say["blocked"].format(pod=trial.victim, what=what), "spec.replicas"
    if outcome.wrong in ("lost", "down"):
        return _lost(subject, trial)
    probe = "livenessProbe"
    if outcome.wrong == "start":
        return say["start"], f"{subject.at}.readinessProbe"
    if subject.container.liveness is None:
        return say["heal.none"], f"{subject.at}.{probe}"
    kills = trial.cluster.timeline.kills(trial.victim)
    after = [k for k in kills if k >= trial.begun]
    if after:
        told = say["heal.late"].format(pod=trial.victim, seconds=f"{after[0] - trial.begun:.1f}")
        return told, f"{subject.at}.{probe}"
    return say["heal"].format(pod=trial.victim), f"{subject.at}.{probe}"


def _killed(subject: Subject, trial: Trial) -> tuple[str, str]:
    kill = trial.kills()[0]
    found = _FAILED.search(kill["message"])
    probe = f"{found[1]}Probe" if found else "livenessProbe"
    told = [
        r["message"].strip() for r in trial.cluster.timeline.select(kind="Event", object=kill["object"])
        if r["reason"] == "Unhealthy" and r["t"] <= kill["t"] and r["message"].lower().startswith(probe[:-5])
    ]  # fmt: skip
    text = told[-1] if told else kill["message"]
    place = f"{_container_path(subject, kill.get('field', ''))}.{probe}"
    pod = kill["object"].partition("/")[2]
    said = words("clinic")["cause"]["killed"].format(t=f"{kill['t']:.1f}", pod=pod, text=text)
    return said, place + _what(text)


def _what(text: str) -> str:
    """What of a probe its failure speaks of, as the rest of a path; empty if that is open."""
    if "deadline exceeded" in text or "Timeout exceeded" in text or "timed out" in text:
        return ".timeoutSeconds"
    return ".httpGet.path" if "statuscode" in text else ""


def _container_path(subject: Subject, field: str) -> str:
    called = field.partition("{")[2].rstrip("}")
    for n, container in enumerate(subject.template["spec"]["containers"]):
        if container["name"] == called:
            return f"{subject.prefix}.containers[{n}]"
    return subject.at


def _lost(subject: Subject, trial: Trial) -> tuple[str, str]:
    lost = next((r for r in trial.traffic() if r["lost"]), None)
    if lost is None:
        return "", subject.at
    say, t = words("clinic")["cause"], f"{lost['t']:.1f}"
    at = f"{subject.at}.readinessProbe"
    told = [
        r["message"].strip()
        for r in trial.cluster.timeline.select(kind="Event", reason="Unhealthy", since=trial.begun, until=lost["t"] + 1)
        if r["message"].startswith("Readiness") and r["object"].partition("/")[2] in trial.before
    ]
    if told:
        return say["lost.unready"].format(t=t, text=told[0]), at + _what(told[0])
    place = at if subject.container.readiness is None else subject.at
    if subject.replicas == 1:
        place = "spec.replicas"
    original = trial.cluster.timeline[lost["id"]]
    because = trial.cluster.explain(original).steps
    why = because[0].text if because else ""
    return say["lost"].format(t=t, text=why), place


def examine(subjects: Iterable[Subject], app: App, seeds: int = SEEDS, names: tuple[str, ...] = ()) -> list[Finding]:
    """Everything about some workloads at once, ranked by harm."""
    found: list[Finding] = []
    for subject in subjects:
        examination = Examination(subject, app, seeds, names)
        for _ in examination:
            pass
        found += examination.findings()
    return sorted(found, key=lambda f: f.harm, reverse=True)
