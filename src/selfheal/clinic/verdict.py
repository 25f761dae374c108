"""The first verdict on somebody's manifest at once, and the rest run by run, for whoever sits before it.

    from selfheal.clinic import verdict
    verdict(mine)      # every case with one seed, until something does not hold; beside it a button for all the others

In a notebook or a live page the runs that are left follow one by one, with a Stop that keeps what is known; at their
end it is told which change would help. Elsewhere :func:`selfheal.clinic.diagnose` runs everything in one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from selfheal import manifests
from selfheal.clinic.app import App
from selfheal.clinic.diagnosing import diagnose
from selfheal.clinic.findings import SEEDS
from selfheal.clinic.report import Diagnosis
from selfheal.runs import Step
from selfheal.words import words


def verdict(
    source: manifests.Source, app: App | None = None, *, seeds: int = SEEDS, cases: Sequence[str] = ()
) -> Diagnosis:
    """The first verdict; ``seeds``: for the runs that may follow. Raises ApiError for what cannot be run."""
    diagnosis = diagnose(source, app, seeds=1, cases=cases, first=True)
    if not diagnosis.stopped:
        diagnosis.further = partial(further, diagnosis, seeds)
    return diagnosis


def further(diagnosis: Diagnosis, seeds: int) -> Iterator[Step]:
    """The runs that are left, and then a search for what would help; the diagnosis grows with them."""
    say = words("runs")
    for examination in diagnosis.examinations:
        examination.seeds = seeds
    total = sum(len(e.cases) * seeds - len(e.outcomes) for e in diagnosis.examinations) + 1
    done = 0
    for examination in diagnosis.examinations:
        wrong = {o.case for o in examination.outcomes if o.wrong}
        for step in examination:
            done += 1
            outcome, html = step.outcome, ""
            if outcome.wrong and outcome.case not in wrong:
                wrong.add(outcome.case)
                html = _found(diagnosis, remedies=False)
            says = f"{examination.subject.ref}, {outcome.case}"
            yield Step(done, total, say["at"].format(done=done, total=total, seed=outcome.seed, says=says), html)
    yield Step(done, total, say["help"])
    yield Step(total, total, say["made"].format(total=total), _found(diagnosis, remedies=True), over=True)


def _found(diagnosis: Diagnosis, *, remedies: bool) -> str:
    """What is known by now, shown."""
    diagnosis.findings = [f for e in diagnosis.examinations for f in e.findings(remedies=remedies)]
    return diagnosis._repr_html_()
