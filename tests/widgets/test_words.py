"""One file a language holds all that widgets say: the same keys and gaps in each, and no words in a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from selfheal import Cluster, words
from selfheal.lessons import predict, quiz, silo
from selfheal.lessons.exercises import data
from selfheal.lessons.timing import calculator, script
from selfheal.plot import plot
from selfheal.rules import BELIEFS
from selfheal.widgets import monitor, page
from tests.widgets.shop import POD, shop, write_page

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src/selfheal"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SCRIPTS = [
    *sorted(SRC.rglob("*.js")),
    ROOT / "book/_static/play.js",
    *(ROOT / "live/src" / f"{name}.js" for name in ("cells", "page", "python")),
]
COMPARED = {"on hold", "redoing unfinished work", "use strict"}
"""What records say, and what switches a script to strict."""
CLASSES = {"total some", "chips presets", "chips drops", "probe off", "pill ok", "dots full"}
"""Names in a style."""

SHOP = """
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    livenessProbe: {httpGet: {path: /healthz, port: 8080}}
"""


@pytest.fixture
def chinese() -> Iterator[None]:
    words.use("zh-TW")
    yield
    words._chosen.clear()


def flat(part: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{under}{key}/")
        else:
            yield f"{under}{key}", value


def file(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SRC / "words" / f"{language}.json").read_text("utf-8"))
    return found


def test_each_language_has_every_word_with_the_same_gaps_and_marks() -> None:
    gaps = re.compile(r"\{\w*\}|</?\w+>")
    english = dict(flat(file("en")))
    for language in words.LANGUAGES[1:]:
        told = file(language)
        told.pop("phrases")
        other = dict(flat(told))
        assert other.keys() == english.keys()
        differing = [key for key in english if sorted(gaps.findall(english[key])) != sorted(gaps.findall(other[key]))]
        assert differing == []


def test_nearly_every_word_is_translated() -> None:
    english, told = dict(flat(file("en"))), dict(flat(file("zh-TW")))
    same = {key for key in english if english[key] == told[key]}
    names = re.compile(
        r"(\{\w*\}|[●✕?{}/ ]|Ready|True|Pod|Unknown|Service|seed|PLEG|"
        r"\w+Seconds|\w+Threshold|liveness|readiness|startup)*"
    )
    assert [key for key in sorted(same) if not names.fullmatch(english[key])] == []


def test_each_phrase_is_said_in_a_chapter() -> None:
    told = "".join(path.read_text("utf-8") for path in (ROOT / "book").glob("*.ipynb"))
    parts = [part for text in file("zh-TW")["phrases"] for part in re.split(r"\{\w+\}", text)]
    assert [part for part in parts if json.dumps(part, ensure_ascii=False)[1:-1] not in told] == []


def test_each_rule_and_each_belief_has_its_words() -> None:
    code = "".join(path.read_text("utf-8") for path in SRC.rglob("*.py"))
    assert sorted(re.findall(r'\brule\(\s*"([^"]+)"', code)) == sorted(words.words("rules"))
    assert list(words.words("beliefs")) == list(BELIEFS)


@pytest.mark.usefixtures("chinese")
def test_a_picture_and_its_reasons_speak_chinese() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(SHOP)
    cluster.run(until=33)
    cluster.http("shop", "/switch?healthz=500", method="POST")
    cluster.run(until=90)
    picture = plot(cluster.timeline)
    shown = [*re.findall(r"<(?:text|title)[^>]*>([^<]+)<", picture.svg), *re.findall(r"[^。]+。", picture.alt)]
    names = re.compile(r"shop|Ready|liveness|[\d.]+|POST \S+|\(.*\)|TERM.*")
    assert [text for text in shown if not CHINESE.search(text) and not names.fullmatch(text)] == []
    why = cluster.explain(cluster.timeline.select(kind="Event", reason="Killing")[0]).steps
    assert len(why) >= 4
    assert all(CHINESE.search(step.text) for step in why)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_a_widget_holds_words_of_its_own(path: Path) -> None:
    code = re.sub(r"^\s*(//|\*|/\*\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
    code = re.sub(
        r'(class|className): "[^"]*"|[sS]elector(?:All)?\("[^"]*"\)|new Error\(`[^`]*`\)|class="[^"]*"', "", code
    )
    said = [a or b for a, b in re.findall(r'"([^"\n]*)"|`([^`\n]*)`', code)]
    said = [re.sub(r"\$\{.*?\}|<[^>]*>", "0", text) for text in said]
    assert [
        text for text in said if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}|0 s\b", text) and text not in COMPARED | CLASSES
    ] == []


def test_the_language_is_chosen_by_the_environment_or_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.language() == "en"
    monkeypatch.setenv("SELFHEAL_LANG", "zh_tw")
    assert words.language() == "zh-TW"
    monkeypatch.setenv("SELFHEAL_LANG", "xx")
    with pytest.raises(ValueError, match="there are no words in 'xx'; there are en, zh-TW"):
        words.language()


@pytest.mark.usefixtures("chinese")
def test_widgets_speak_chinese() -> None:
    shown = [shop(), calculator(), silo((11, 19)), predict("alive/deadlock"), quiz("alive"), data.load("in_time")]
    for one in shown:
        html: str = one.html() if hasattr(one, "html") and one is shown[0] else one._repr_html_()  # type: ignore[attr-defined]
        assert ' lang="zh-TW"' in html
        assert CHINESE.search(html)
    exercise = data.load("in_time")
    for wrong in exercise.wrong:
        assert wrong.says in repr(exercise.check(wrong.answer)), wrong.way
    assert exercise.check(exercise.solution).verdict == "完成了。"


def test_a_monitor_tells_its_run_in_the_language_in_which_it_was_made() -> None:
    made = monitor(POD, until=60)
    with words.speaking("zh-TW"):
        told = json.dumps(made.first, ensure_ascii=False)
    assert "probe succeeded" in told
    assert not CHINESE.search(told)


@pytest.mark.browser
@pytest.mark.usefixtures("chinese")
def test_a_monitor_and_a_figure_on_a_page_speak_the_language_around_it(browser: Any, tmp_path: Path) -> None:
    tab = browser.new_context(offline=True).new_page()
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    address = write_page(tmp_path, shop())
    (tmp_path / "timing.js").write_text(script(), "utf-8")
    index, figure = tmp_path / "index.html", calculator()._repr_html_()
    shown = f'{figure}<script src="timing.js"></script></main>'
    index.write_text(index.read_text("utf-8").replace("</main>", shown), "utf-8")
    tab.goto(address)
    tab.get_by_role("button", name=page.words("zh-TW")["play"], exact=True).first.wait_for()
    assert not re.search(r"\bplay\b|the app|not Ready", tab.locator(".selfheal-monitor").inner_text())
    assert "卡住" in tab.locator(".selfheal-timing form").inner_text()
    tab.context.close()
    assert wrong == []
