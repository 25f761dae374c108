"""Each chapter has the same frame, and its pages say nothing that was not computed."""

from __future__ import annotations

import re

import pytest

from selfheal.lessons.questions import _texts, predict, quiz
from tests.book.chapters import all_chapters
from tests.book.notebooks import BOOK, CHAPTERS, PAGES, TEXTS, cells, headings, notebook, output, prose, shown, source

TOC = BOOK.parent / "_toc.yml"
FRAME = [
    "Question",
    "Predict",
    "Try",
    "Explain",
    "Often told otherwise",
    "Exercise",
    "Quiz",
    "Summary",
    "Where to go on",
]
LAST = FRAME[-5:]


def test_the_book_has_its_chapters_in_order_and_the_tests_know_each() -> None:
    listed = re.findall(r"file: book/(\d\d-.+)", TOC.read_text("utf-8"))
    assert [f"{name}.ipynb" for name in listed] == CHAPTERS
    assert [chapter.page for chapter in all_chapters()] == CHAPTERS
    assert len(set(TEXTS.values())) == len(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_asks_first_and_has_every_part(name: str) -> None:
    (title,) = headings(name, 1)
    assert title.startswith(f"{int(name[:2])} · ")
    parts = headings(name)
    assert parts[0].startswith("Question: ")
    assert [part for part in FRAME if not any(h.startswith(part) for h in parts)] == []
    kinds = [h.partition(":")[0] for h in parts]
    assert kinds[-5:] == LAST
    opening = source(cells(name)[0])
    assert "**Time:**" in opening
    assert "**You need:**" in opening
    assert "**Afterwards you can**" in opening


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_prediction_comes_before_the_run_it_is_about(name: str) -> None:
    code = [source(cell) for cell in cells(name, "code")]
    for asked in [n for n, text in enumerate(code) if "predict(" in text]:
        assert any("run(" in text or "pauses(" in text for text in code[asked + 1 :]), code[asked]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_a_monitor_to_predict_on_an_exercise_and_a_quiz(name: str) -> None:
    code = "\n".join(source(cell) for cell in cells(name, "code"))
    assert code.count("monitor(\n") == 1
    assert "ask=" in code
    assert "beliefs=" in code
    assert ".check(mine)" in code
    assert f'quiz("{TEXTS[name]}")' in code


@pytest.mark.parametrize("name", PAGES)
def test_a_notebook_is_plain_and_complete(name: str) -> None:
    book = notebook(name)
    assert book["nbformat"] == 4
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z][a-z0-9-]+", id)] == []
    assert [cell["id"] for cell in cells(name, "code") if cell["execution_count"] is None] == []
    for cell in book["cells"]:
        text = source(cell)
        assert not re.search(r"^\s*[%!]|^:::|^```\{", text, re.MULTILINE), f"{cell['id']}: magic or directive"
        assert "execution" not in cell["metadata"], "times of day"


@pytest.mark.parametrize("name", PAGES)
def test_an_output_is_no_error_and_names_no_place_of_a_machine(name: str) -> None:
    for cell in cells(name, "code"):
        for one in cell["outputs"]:
            assert one["output_type"] != "error", cell["id"]
            assert one.get("name") != "stderr", cell["id"]
            text = str(one)
            assert not re.search(r"/(home|root|Users|tmp)/(?!healthy|started|ok)|0x[0-9a-f]{6}", text), cell["id"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_visible_code_fits_the_page(name: str) -> None:
    visible = [cell for cell in cells(name, "code") if "remove-input" not in cell["metadata"].get("tags", [])]
    assert [line for cell in visible for line in source(cell).splitlines() if len(line) > 80] == []


TOLD = {"index.ipynb": frozenset({"1.36", "3.11"})} | {chapter.page: chapter.told for chapter in all_chapters()}
"""Numbers in the prose that no run computes; ``test_the_constants_in_the_prose_are_those_of_the_package`` looks at
those of Kubernetes."""


@pytest.mark.parametrize("name", PAGES)
def test_each_number_in_the_prose_is_computed_by_a_cell(name: str) -> None:
    plain = re.sub(
        r"\]\([^)]*\)|`[^`]*`|^#.*$|^\d\. |\[[Cc]hapter \d+|chapters? \[?\d+", "", prose(name), flags=re.MULTILINE
    )
    numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)", plain)) - TOLD[name]
    computed = set(re.findall(r"\d+(?:\.\d+)?", shown(name)))
    small = {str(n) for n in range(4)}
    assert sorted(numbers - computed - small) == []


@pytest.mark.parametrize("name", TEXTS.values())
def test_each_number_in_a_question_is_in_its_chapter(name: str) -> None:
    page = next(page for page, key in TEXTS.items() if key == name)
    known = set(re.findall(r"\d+(?:\.\d+)?", shown(page) + prose(page)))
    assert sorted(set(re.findall(r"\d+(?:\.\d+)?", str(_texts(name)))) - known) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_pod_is_never_restarted_in_our_words(name: str) -> None:
    ours = re.sub(r"[\"“][^\"”]*[\"”]|\[.*?\]\(.*?\)|\*\*\"[^*]*\*\*", "", prose(name))
    allowed = ("A pod is never restarted", "that gives up restarts the pod")
    for phrase in allowed:
        ours = ours.replace(phrase, "")
    assert (
        re.findall(
            r"(?i)pods? restarts?|restarts? (?:the|a|its) pods?|restarted pods?|pods? (?:is|are) restarted", ours
        )
        == []
    )


@pytest.mark.parametrize("chapter", TEXTS.values())
def test_a_question_has_one_right_answer_and_a_reply_to_each(chapter: str) -> None:
    asked = [predict(f"{chapter}/{key}") for key in _texts(chapter)["predict"]]
    quizzed = quiz(chapter).questions
    assert len(quizzed) == 3
    for question in [*asked, *quizzed]:
        assert sum(answer.right for answer in question.answers) == 1
        assert len(question.answers) >= 3
        assert all(len(answer.reply) > 20 for answer in question.answers)


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_prediction_of_a_chapter_is_asked(name: str) -> None:
    code = "\n".join(source(cell) for cell in cells(name, "code"))
    for key in _texts(TEXTS[name])["predict"]:
        assert f'predict("{TEXTS[name]}/{key}")' in code


def test_the_right_answer_is_not_always_in_the_same_place() -> None:
    places = {
        [answer.right for answer in question.answers].index(True)
        for chapter in TEXTS.values()
        for question in quiz(chapter).questions
    }
    assert len(places) >= 2


def test_pictures_say_in_words_what_they_show() -> None:
    for name in PAGES:
        for cell in cells(name, "code"):
            for one in cell["outputs"]:
                for svg in re.findall(r"<svg[^>]*>", "".join(one.get("data", {}).get("text/html", ""))):
                    assert "aria-label" in svg or 'aria-hidden="true"' in svg, cell["id"]


def test_a_stored_quiz_is_the_one_of_today() -> None:
    for name, chapter in TEXTS.items():
        assert output(name, "quiz-questions") == repr(quiz(chapter))


@pytest.mark.parametrize("name", PAGES)
def test_a_number_that_leads_to_a_chapter_is_that_chapter_s(name: str) -> None:
    links = re.findall(r"\[(?:[Cc]hapter |[Ll]ab )?(\d+)[^\]]*\]\((?:\.\./labs/)?(\d\d)-", prose(name))
    assert [(told, leads) for told, leads in links if int(told) != int(leads)] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_ends_with_its_lab_or_says_why_there_is_none(name: str) -> None:
    last = source(cells(name, "markdown")[-1])
    assert "](../labs/" in last or "no lab" in last
