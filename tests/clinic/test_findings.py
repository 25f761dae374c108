"""Findings: ranked by harm, with their first cause, its place, and the smallest change that helps."""

from __future__ import annotations

from selfheal.clinic import App, Examination, Finding
from selfheal.clinic.remedies import Change
from tests.clinic.manifests import GOOD, C, subject


def found(text: str = GOOD, app: App | None = None, names: tuple[str, ...] = (), **changes: object) -> list[Finding]:
    """With the cases that could speak against a remedy, unless others are asked for."""
    names = names or ("start", "slow", "dependency", "deadlock", "pause")
    examination = Examination(subject(text, **changes), app or App(), seeds=1, names=names)
    list(examination)
    return examination.findings()


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found() == []


def test_the_probe_that_asks_the_database_is_named_and_gets_a_page_of_its_own() -> None:
    [finding] = found(livenessProbe__httpGet__path="/readyz")
    assert finding.title == "when the database is away for 120 s, containers that a restart cannot help are killed"
    assert "Liveness probe failed: HTTP probe failed with statuscode: 503" in finding.cause
    assert finding.place == f"{C}.livenessProbe.httpGet.path"
    assert [(c.path, c.now, c.value) for c in finding.changes] == [(finding.place, "/readyz", "/livez")]
    assert len(finding.changes) == 1, "a higher threshold would help here, and harm where an app hangs"
    assert finding.then is not None
    assert (finding.outcome.needless > 0, finding.then.needless) == (True, 0)


def test_the_smallest_timeout_that_helps_is_found() -> None:
    [finding] = found(livenessProbe__timeoutSeconds=1)
    assert "context deadline exceeded" in finding.cause
    assert [(c.path, c.now, c.value) for c in finding.changes] == [(f"{C}.livenessProbe.timeoutSeconds", 1, 3)]


def test_changes_are_combined_where_one_is_not_enough() -> None:
    [finding] = found(livenessProbe__timeoutSeconds=1, readinessProbe__timeoutSeconds=1)
    assert {c.path for c in finding.changes} == {f"{C}.{p}Probe.timeoutSeconds" for p in ("liveness", "readiness")}


def test_a_missing_probe_is_proposed_with_numbers_that_do_no_harm() -> None:
    [finding] = found(livenessProbe=None, startupProbe=None)
    assert finding.case.name == "deadlock"
    assert finding.cause == "No liveness probe asks the app, so nobody restarts it."
    [change] = finding.changes
    assert change.path == f"{C}.livenessProbe"
    assert change.value["timeoutSeconds"] > 2, "a timeout of 1 s would kill when answers take 2 s"


def test_a_slow_start_is_helped_by_a_startup_probe_not_by_patience_with_deadlocks() -> None:
    [finding] = found(app=App(starts=100), names=("start", "deadlock", "crash"), startupProbe=None)
    assert finding.case.name == "start", "what never gets ready is told once, not once for every case"
    assert [c.path for c in finding.changes] == [f"{C}.startupProbe"]


def test_what_never_gets_ready_is_found_whatever_is_asked_for() -> None:
    [finding] = found(app=App(starts=100), names=("deadlock", "crash"), startupProbe=None)
    assert finding.title.endswith("it never gets ready")


def test_the_worst_comes_first() -> None:
    all_of_them = found(GOOD.replace("replicas: 2", "replicas: 1"), names=("crash", "node"))
    assert [f.case.name for f in all_of_them] == ["node", "crash"]
    assert [c for f in all_of_them for c in f.changes] == [Change("spec.replicas", 2, 1, 8)] * 2
