"""The chapter in Chinese runs the same cells as the English one and shows the same."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
import yaml

from selfheal.lessons import questions
from selfheal.lessons.exercises import data
from tests.book.notebooks import BOOK, cells, source, text_of

ENGLISH, CHINESE = "01-is-it-alive.ipynb", "zh-TW/01-is-it-alive.ipynb"
SPEAK = 'from selfheal import words\n\nwords.use("zh-TW")'
TEXTS = BOOK.parent / "src/selfheal/lessons/texts"


def ran(name: str) -> list[dict[str, Any]]:
    return [cell for cell in cells(name, "code") if source(cell) != SPEAK]


def test_its_code_cells_are_those_of_the_english_chapter() -> None:
    assert source(cells(CHINESE, "code")[0]) == SPEAK
    told = [[(cell["id"], cell["metadata"], source(cell)) for cell in ran(name)] for name in (ENGLISH, CHINESE)]
    assert told[0] == told[1]


def test_what_the_cluster_shows_is_the_same_and_what_widgets_say_is_chinese() -> None:
    spoken = 0
    for english, chinese in zip(ran(ENGLISH), ran(CHINESE), strict=True):
        there, here = ("\n".join(map(text_of, cell["outputs"])) for cell in (english, chinese))
        if here != there:
            spoken += 1
            assert re.search(r"[\u4e00-\u9fff]", here), english["id"]
            numbers = [sorted(re.findall(r"\d+(?:\.\d+)?", text)) for text in (there, here)]
            assert english["id"] in ("exercise-try", "predict-deadlock", "quiz-alive") or set(numbers[0]) == set(
                numbers[1]
            )
    assert spoken >= 6


def test_every_passage_is_translated_in_its_order() -> None:
    told = [[cell["id"] for cell in cells(name, "markdown")] for name in (ENGLISH, CHINESE)]
    assert told[0] == [key for key in told[1] if key != "language-intro"]
    assert all(re.search(r"[\u4e00-\u9fff]", source(cell)) for cell in cells(CHINESE, "markdown"))


def test_questions_have_the_same_answers_and_the_same_one_is_right() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(one) for key, one in value.items()}
        return [shape(one) for one in value] if isinstance(value, list) else type(value)

    for path in (TEXTS / "zh-TW").glob("*.yaml"):
        here, there = (yaml.safe_load(one.read_text("utf-8")) for one in (path, TEXTS / path.name))
        assert shape(here) == shape(there)


def test_the_frame_of_a_page_is_translated_and_no_code() -> None:
    spec = importlib.util.spec_from_file_location("languages", BOOK / "_ext/languages.py")
    assert spec
    assert spec.loader
    languages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(languages)
    frame = '<a title="next page"><p class="x">next</p></a> <h2> Contents </h2>'
    code = '<pre><span class="nb">next</span></pre><script>{"a":"next"}</script><code>next</code>'
    page: str = languages.translated(frame + code + frame, "zh-TW")
    told = '<a title="下一頁"><p class="x">下一頁</p></a> <h2> 目錄 </h2>'
    assert page == told + code + told


def test_a_text_that_is_not_translated_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFHEAL_LANG", "zh-TW")
    assert questions.quiz("liveness").questions[0].text.isascii()
    assert data.load("silent").name.isascii()
