"""Each exercise: what it says to the start, to the usual wrong ways, to a way around it, and to a solution."""

from __future__ import annotations

import re

import pytest

from selfheal.lessons.exercises import Exercise, in_time, leftover, silent
from tests.book.notebooks import cells, source

CHAPTER = {"01-is-it-alive.ipynb": in_time, "02-liveness.ipynb": silent, "03-readiness.ipynb": leftover}
EXERCISES = list(CHAPTER.values())


def by_name(exercise: Exercise) -> str:
    return exercise.name


def without(exercise: Exercise, probe: str) -> str:
    """The manifest without a probe and what is indented below it."""
    return re.sub(rf"^( +){probe}:\n(?:\1 +.*\n)+", "", exercise.manifest, flags=re.MULTILINE)


def changed(exercise: Exercise, old: str, new: str) -> str:
    assert old in exercise.manifest
    return exercise.manifest.replace(old, new)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_the_solution_passes_and_the_start_does_not(exercise: Exercise) -> None:
    solved = exercise.check(exercise.solution)
    assert solved.passed, solved
    assert repr(solved).startswith("Solved.")
    start = exercise.check(exercise.manifest)
    assert not start.passed
    assert repr(start).startswith("Not yet: 1 of ")


@pytest.mark.parametrize("page", CHAPTER)
def test_the_chapter_starts_with_the_exercise_s_own_manifest(page: str) -> None:
    (cell,) = (cell for cell in cells(page, "code") if cell["id"] == "exercise-answer")
    assert f'mine = """\n{CHAPTER[page].manifest.strip()}\n"""' in source(cell)


WRONG = [
    (in_time, "too slow", changed(in_time, "failureThreshold: 1", "failureThreshold: 3"), "21 … 31 s"),
    (in_time, "too nervous", changed(in_time, "periodSeconds: 10", "periodSeconds: 1"), "(1 − 1) × 1 = 0"),
    (
        in_time,
        "many, but too close",
        in_time.manifest.replace("10", "1").replace("old: 1", "old: 5"),
        "taken for a dead",
    ),
    (silent, "hopes for patience", silent.manifest + "      failureThreshold: 500\n", "It takes too long"),
    (silent, "looks later", silent.manifest + "      initialDelaySeconds: 1000\n", "only puts the first probe off"),
    (
        silent,
        "asks the port",
        changed(silent, "httpGet: {path: /healthz, port: 80}", "tcpSocket: {port: 8080}"),
        "port",
    ),
    (silent, "asks for user pages", changed(silent, "/healthz, port: 80}", "/, port: 8080}"), "bring a database back"),
    (
        leftover,
        "the usual advice",
        changed(leftover, "failureThreshold: 3\n        liveness", "failureThreshold: 30\n        liveness"),
        "You raised the readiness threshold to 30",
    ),
    (leftover, "one for both", leftover.manifest.replace("/readyz", "/healthz"), "not done with its work"),
    (
        leftover,
        "a patient liveness probe",
        changed(
            leftover,
            "periodSeconds: 10\n          failureThreshold: 3",
            "periodSeconds: 10\n          failureThreshold: 30",
        ),
        "too patient for a deadlock",
    ),
    (
        leftover,
        "a longer grace",
        changed(leftover, "riodSeconds: 5\n      con", "riodSeconds: 90\n      con"),
        "You changed",
    ),
]


@pytest.mark.parametrize(
    ("exercise", "way", "answer", "says"), WRONG, ids=[f"{e.name}: {way}" for e, way, _, _ in WRONG]
)
def test_a_usual_wrong_way_gets_its_own_explanation(exercise: Exercise, way: str, answer: str, says: str) -> None:
    report = exercise.check(answer)
    assert not report.passed
    assert says in repr(report), report
    assert "✗" in repr(report)


BYPASSES = [
    (in_time, "livenessProbe", "nobody notices a deadlock either"),
    (silent, "livenessProbe", "nobody would notice the next deadlock"),
    (leftover, "livenessProbe", "nobody would notice a deadlock"),
    (leftover, "readinessProbe", "ready the moment it runs"),
]


@pytest.mark.parametrize(("exercise", "probe", "says"), BYPASSES, ids=[f"{e.name}: {p}" for e, p, _ in BYPASSES])
def test_getting_rid_of_the_probe_does_not_pass(exercise: Exercise, probe: str, says: str) -> None:
    answer = without(exercise, probe)
    assert probe not in answer
    report = exercise.check(answer)
    assert not report.passed
    assert says in repr(report)


OTHER_WAYS = [
    (in_time, in_time.manifest.replace("failureThreshold: 1", "failureThreshold: 2")),
    (in_time, in_time.manifest.replace("periodSeconds: 10", "periodSeconds: 2").replace("old: 1", "old: 5")),
    (silent, silent.solution + "      failureThreshold: 2\n"),
    (silent, silent.solution.replace("periodSeconds: 5", "periodSeconds: 10")),
    (
        leftover,
        leftover.manifest.replace(
            "        livenessProbe",
            "        startupProbe:\n          httpGet: {path: /readyz, port: 8080}\n          failureThreshold: 12\n"
            "        livenessProbe",
        ),
    ),
]


@pytest.mark.parametrize(("exercise", "answer"), OTHER_WAYS)
def test_another_good_way_passes_as_well(exercise: Exercise, answer: str) -> None:
    report = exercise.check(answer)
    assert report.passed, report


NONSENSE = [
    "",
    "kind: Pod",
    "just words",
    "a: [1, 2",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 3}",
]


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_gets_a_sentence(exercise: Exercise, answer: str) -> None:
    report = exercise.check(answer)
    assert not report.passed
    assert len(report.findings) >= 1
    assert "Traceback" not in repr(report)


def test_another_name_is_told_as_such() -> None:
    report = silent.check(silent.solution.replace("name: shop\n  labels", "name: shop2\n  labels"))
    assert "There should be Pod/shop, and there is Pod/shop2." in repr(report)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_an_exercise_shows_symptom_task_and_hints(exercise: Exercise) -> None:
    assert exercise.symptom in repr(exercise)
    assert "Symptom" in exercise._repr_html_()
    assert len(exercise.hints) >= 2
    assert exercise.hint(1) == exercise.hints[0]
    with pytest.raises(ValueError, match="hints 1 to"):
        exercise.hint(99)


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_an_exercise_never_says_that_a_pod_is_restarted(exercise: Exercise) -> None:
    told = " ".join((exercise.symptom, exercise.task, *exercise.hints))
    assert not re.search(r"(?<!of one of its two )pods? (?:is|are|has been|have been) restarted|pod restart", told)


def test_what_a_reader_typed_is_not_taken_for_markup() -> None:
    report = silent.check("kind: <script>alert(1)</script>")
    assert "<script>" not in report._repr_html_()
