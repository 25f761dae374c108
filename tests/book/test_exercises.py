"""Each exercise: what it says to the start, to the usual wrong ways, to a way around it, and to a solution."""

from __future__ import annotations

import re

import pytest

from selfheal.lessons.exercises import Exercise, silent
from tests.book.chapters import Chapter, all_exercises
from tests.book.notebooks import cells, source

CHAPTERS = all_exercises()
EXERCISES = [chapter.exercise for chapter in CHAPTERS]


def by_name(exercise: Exercise) -> str:
    return exercise.name


def by_page(chapter: Chapter) -> str:
    return f"{chapter.page}: {chapter.exercise.name}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_the_solution_passes_and_the_start_does_not(exercise: Exercise) -> None:
    solved = exercise.check(exercise.solution)
    assert solved.passed, solved
    assert repr(solved).startswith("Solved.")
    start = exercise.check(exercise.manifest)
    assert not start.passed
    assert repr(start).startswith("Not yet: ")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_page)
def test_the_chapter_starts_with_the_exercise_s_own_manifest(chapter: Chapter) -> None:
    (cell,) = (cell for cell in cells(chapter.page, "code") if cell["id"] == chapter.cell)
    assert f'mine = """\n{chapter.exercise.manifest.strip()}\n"""' in source(cell)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=by_page)
def test_an_exercise_has_two_usual_wrong_ways_and_a_cheat(chapter: Chapter) -> None:
    assert len(chapter.exercise.wrong) >= 2
    assert len(list(chapter.cheats)) >= 1


USUAL = [(c.exercise, wrong.way, wrong.answer, wrong.says) for c in CHAPTERS for wrong in c.exercise.wrong]
WRONG = [*USUAL, *((c.exercise, *one) for c in CHAPTERS for one in c.cheats)]


@pytest.mark.parametrize(
    ("exercise", "way", "answer", "says"), WRONG, ids=[f"{e.name}: {way}" for e, way, _, _ in WRONG]
)
def test_a_wrong_way_or_a_cheat_gets_its_own_explanation(exercise: Exercise, way: str, answer: str, says: str) -> None:
    report = exercise.check(answer)
    assert not report.passed
    assert says in repr(report), report
    assert "✗" in repr(report)


@pytest.mark.parametrize(("exercise", "answer"), [(c.exercise, one) for c in CHAPTERS for one in c.good])
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
    assert "the path" not in repr(report), "an answer is never the name of a file"


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
