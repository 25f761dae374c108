"""A run of the control loops as a walk, one turn at a time: who acts next, and on what grounds?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from selfheal.explain import explain
from selfheal.headlines import told
from selfheal.lessons.questions import Answer, Question
from selfheal.lessons.steps import Step, Steps, steps
from selfheal.timeline import Record, Timeline
from selfheal.words import phrase, words

ACTORS = ("deployment", "replicaset", "scheduler", "kubelet", "endpointslice")
"""First parts of rules' keys: who applies them."""

KUBELET = ("kubelet", "start", "kill", "pleg", "status", "queue", "probe")
OFFERED = 3
"""Answers to each question."""


def stepper(timeline: Timeline, since: float, until: float | None = None, title: str = "") -> Steps:
    """What control loops wrote from ``since`` on, but for their events; each turn begins with a question."""
    walked: list[Step] = []
    for actor, run in groupby(_writes(timeline, since, until), itemgetter(0)):
        for number, (_, step) in enumerate(run):
            asked = _question(actor, step, len(walked)) if number == 0 else None
            walked.append(Step(step.when, step.function, step.source, step.who, step.says, ask=asked))
    return steps(phrase(title) or words("steps")["who"], walked)


def _writes(timeline: Timeline, since: float, until: float | None) -> Iterator[tuple[str, Step]]:
    for record in timeline.records:
        if record["t"] < since or (until is not None and record["t"] > until) or record["kind"] == "Event":
            continue
        actor = _actor(timeline, record)
        if actor is not None:
            why = explain(timeline, record).steps[0]
            say = words("loops")
            says = say["written"].format(why=why.text, object=record["object"], told=told(record))
            at = words("steps")["at"].format(t=f"{record['t']:.2f}")
            yield actor, Step(at, why.function, why.source, say[actor]["who"], says)


def _actor(timeline: Timeline, record: Record) -> str | None:
    """Who wrote a record, if it was one of :data:`ACTORS`."""
    cause = timeline.cause(record)
    part = "" if cause is None else cause.rule.partition(".")[0]
    part = "kubelet" if part in KUBELET else part
    return part if part in ACTORS and record["kind"] not in ("Probe", "App", "Traffic") else None


def _question(right: str, step: Step, number: int) -> Question:
    """The right actor among others, in an order that gives nothing away."""
    say, at = words("loops"), ACTORS.index(right)
    chosen = [ACTORS[(at + n) % len(ACTORS)] for n in range(OFFERED)]
    turn = (2 * number + at) % OFFERED
    answers = []
    for actor in chosen[turn:] + chosen[:turn]:
        who = say[actor]["who"]
        reply = say["finds" if actor == right else "finds.not"].format(looks=say[actor]["looks"], t=step.when)
        answers.append(Answer(f"{who[0].upper()}{who[1:]}{say['end']}", reply, actor == right))
    return Question(words("steps")["who"], tuple(answers))
