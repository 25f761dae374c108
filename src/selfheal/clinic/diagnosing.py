"""A diagnosis of some workloads, for whoever asks: the command, a notebook, a page.

from selfheal.clinic import diagnose
diagnose("shop.yaml")                            # everything: findings, what would help, what is not known
diagnose(mine, first=True)                       # until the first proof that something does not hold

Interrupted (■), it gives what was found by then. To see how far it has come there is :func:`selfheal.clinic.verdict`,
run by run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from selfheal import __version__, manifests
from selfheal.clinic.app import App
from selfheal.clinic.findings import SEEDS, Examination
from selfheal.clinic.report import Diagnosis
from selfheal.clinic.subject import Subject, subjects
from selfheal.clinic.unknown import unknowns
from selfheal.errors import BadRequest
from selfheal.words import words

Tell = Callable[[str], object]
"""Told how far it has come, in a line; at the end an empty one."""


def diagnose(
    source: manifests.Source,
    app: App | None = None,
    *,
    seeds: int = SEEDS,
    cases: Sequence[str] = (),
    first: bool = False,
) -> Diagnosis:
    """Diagnose the workloads of a source. Interrupted, it gives what was found by then. Raises ApiError.

    ``app``: what is known of the app; ``cases``: only these of the battery; ``first``: stop at the first proof.
    """
    name = str(source) if isinstance(source, Path) else "-"
    found, passed = subjects([(m.object, m.name if m.name != "STDIN" else name) for m in manifests.read(source)])
    if not found:
        raise BadRequest(f"no workload that could be diagnosed{': ' if passed else ''}{'; '.join(passed)}")
    diagnosis = Diagnosis(__version__, app or App(), [], passed=passed)
    given = frozenset() if app is None else frozenset(("starts", "slow", "pause", "depends", "term"))
    examine(found, diagnosis, given, seeds=seeds, cases=cases, first=first, tell=_nobody)
    return diagnosis


def examine(
    chosen: Sequence[Subject],
    diagnosis: Diagnosis,
    given: frozenset[str],
    *,
    seeds: int,
    cases: Sequence[str],
    first: bool,
    tell: Tell,
) -> None:
    """Fill a diagnosis; ``given`` names what of the app is known. Ctrl-C ends it, and what is found by then stays."""
    try:
        for subject in chosen:
            _one(subject, diagnosis, given, Examination(subject, diagnosis.app, seeds, tuple(cases)), first, tell)
    except KeyboardInterrupt:
        diagnosis.stopped = True
    tell("")


def _one(
    subject: Subject, diagnosis: Diagnosis, given: frozenset[str], examination: Examination, first: bool, tell: Tell
) -> None:
    say, runs = words("clinic")["report"], 0

    def tick() -> None:
        nonlocal runs
        runs += 1
        tell(say["searching"].format(object=subject.ref, runs=runs))

    diagnosis.examinations.append(examination)
    try:
        for step in examination:
            tell(say["run"].format(object=subject.ref, done=step.done, total=step.total, case=step.outcome.case))
            if first and step.outcome.wrong:
                break
        diagnosis.findings += examination.findings(remedies=not first, tick=tick)
    except KeyboardInterrupt:
        diagnosis.findings += examination.findings(remedies=False)
        raise
    if not first:
        diagnosis.unknown[subject.ref] = unknowns(subject, diagnosis.app, given, tick)


def _nobody(_: str) -> None:
    pass
