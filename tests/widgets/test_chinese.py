"""All that is said in Chinese is said as in Taiwan: characters, words, punctuation, a blank beside Latin letters.

The words stand in a table in CONTRIBUTING.md: what is used, and what is never used for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal import Cluster, words
from selfheal.clinic.grid import sweep
from selfheal.clinic.sweeping import _lines
from selfheal.headlines import headline
from selfheal.lessons import describes, predict, quiz, silo
from selfheal.lessons.exercises import data
from selfheal.lessons.nodemap import nodemap
from selfheal.lessons.routes import routes
from selfheal.lessons.timing import calculator, sampler
from selfheal.plot import plot
from selfheal.plot.figure import fonts, legible
from selfheal.verdict import verdict
from selfheal.words.width import columns, wrapped

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src/selfheal"
HAN = r"[\u3400-\u9fff]"
WIDE = "，。：；？！、（）「」"
SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: selfheal/patient:1
        livenessProbe: {httpGet: {path: /healthz, port: 8080}}
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
"""
AHEAD = {"伺服器", "硬體", "軟體", "支援", "品質", "訊息", "檔案"}
"""Words of the table that nothing has needed yet."""
RULES = {
    "Chinese and Latin letters or digits without a blank": rf"{HAN}[A-Za-z0-9`]|[A-Za-z0-9%`]{HAN}",
    "a narrow mark beside Chinese": rf"{HAN}[,;:?!()]|[,;:!(]\s?{HAN}|\.{{3}}|{HAN}\.",
    "a blank beside a wide mark": rf"[{WIDE}] (?=[^ ])|[^ |] [{WIDE}]",
    "two marks in a row": r"[，。：；、]{2}",
}


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    words.use("zh-TW")
    yield
    words._chosen.clear()


def strings(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for value in given.values():
            yield from strings(value)
    elif isinstance(given, list):
        for value in given:
            yield from strings(value)


def written() -> dict[str, list[str]]:
    """All that is written in Chinese, by file."""
    found = {"words": list(strings(json.loads((SRC / "words/zh-TW.json").read_text("utf-8"))))}
    for path in (SRC / "lessons").glob("*/zh-TW/*.yaml"):
        found[path.name] = list(strings(yaml.safe_load(path.read_text("utf-8"))))
    for path in (ROOT / "book/zh-TW").glob("*.ipynb"):
        told = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "markdown"]
        found[path.name] = ["".join(cell["source"]) for cell in told]
    return found


def plain(text: str) -> str:
    """A text as it is read: code is a Latin word, and what Markdown and HTML add is gone."""
    text = re.sub(rf"(?<=[{WIDE}])\*\* ", "**", text)  # Markdown needs that blank
    text = re.sub(r"`[^`\n]+`", "code", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"</?\w+[^>]*>|^(#+|>|-|\*|\d+\.) |\*+", "", text, flags=re.MULTILINE)


def wrong(text: str) -> list[str]:
    """What is wrong with a text."""
    said = plain(text)
    return [
        f"{what}: {said[max(0, at.start() - 12) : at.end() + 12]!r}"
        for what, rule in RULES.items()
        for at in re.finditer(rule, said)
    ]


def terms() -> list[tuple[list[str], list[str]]]:
    """(what is used, what never is), row by row."""
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("| | so | never |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [(so.split("、"), never.split("、")) for _, so, never in rows]


def longer(word: str, used: list[str]) -> str:
    """What must not follow a word to make one that is used: 映像 is bad, 映像檔 is not."""
    rest = [one.removeprefix(word) for one in used if one.startswith(word)]
    return f"(?!{'|'.join(rest)})" if rest else ""


def test_the_words_are_those_of_taiwan_and_one_for_one_thing() -> None:
    used = [word for so, _ in terms() for word in so]
    never = re.compile("|".join(word + longer(word, used) for _, bad in terms() for word in bad))
    found = [
        f"{name}: {text[max(0, at.start() - 8) : at.end() + 8]}"
        for name, texts in written().items()
        for text in texts
        for at in never.finditer(text)
    ]
    assert found == []
    everything = "".join(text for texts in written().values() for text in texts)
    assert len(terms()) > 30
    assert [word for word in used if word not in everything and word not in AHEAD] == []


def test_each_character_is_a_traditional_one() -> None:
    """Big5 is what Taiwan writes with; it has no simplified characters."""
    everything = set("".join(text for texts in written().values() for text in texts))
    assert [c for c in sorted(everything) if re.match(HAN, c) and not c.encode("big5", "ignore")] == []


def test_punctuation_is_wide_and_latin_letters_stand_apart() -> None:
    found = [f"{name}: {one}" for name, texts in written().items() for text in texts for one in wrong(text)]
    assert found == []


def test_what_is_put_into_a_text_keeps_to_that_too() -> None:
    cluster = Cluster(seed=1, nodes=2)
    cluster.apply(SHOP)
    cluster.run(until=5)
    users = cluster.traffic("shop", rate=5)
    pod = cluster.get("pods")[0]["metadata"]["name"]
    sick = routes(
        cluster, users, until=70, do={30: lambda c: c.http(pod, "/switch?healthz=500&readyz=503", method="POST")}
    )
    node = cluster.get("pods")[0]["spec"]["nodeName"]
    dark = nodemap(cluster, until=150, do={80: lambda c: c.node(node).stop()})
    told = [plot(cluster.timeline).alt, verdict(cluster.timeline), repr(sick), repr(dark)]
    told += [headline(record) for record in cluster.timeline if record["kind"] != "Event"]
    kills = cluster.timeline.select(kind="Event", reason="Killing")
    told += [step.text for record in kills for step in cluster.explain(record).steps]
    told += [repr(one) for one in (silo((11, 19)), calculator(), sampler(), predict("alive/deadlock"), quiz("alive"))]
    for exercise in map(data.load, ("in_time", "stays_away")):
        checked = {answer.says: repr(exercise.check(answer.answer)) for answer in exercise.wrong}
        assert [says for says, text in checked.items() if says not in text] == []
        told += [repr(exercise), *checked.values()]
    found = sorted({one for text in told for one in wrong(text)})
    assert found == []


def test_a_film_its_title_and_a_describe_speak_chinese() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(SHOP)
    for film in (nodemap(cluster, until=4), routes(cluster, cluster.traffic("shop", rate=5), until=8)):
        assert all(re.search(HAN, text) for text in (film.title, *(frame.told for frame in film.frames)))
    case = describes("port").cases[0]
    assert all(re.search(HAN, line.reply) for line in case.lines if line.reply)
    assert re.search(HAN, case.given["ask"])


def test_sweeping_speaks_chinese() -> None:
    swept = sweep(SHOP, {"livenessProbe.periodSeconds": [5, 10]}, cases=["deadlock"], seeds=1)
    lines = list(_lines(swept))
    assert [line for line in lines if not re.search(HAN, line)] == []
    assert [one for line in lines for one in wrong(re.sub(r" {2,}", " ", line))] == []


def test_a_chapters_sentence_with_gaps_is_said_with_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.phrase("10 s × 3") == "10 秒 × 3"
    assert words.phrase("10 m × 3") == "10 m × 3"
    words.use("en")
    assert words.phrase("10 s × 3") == "10 s × 3"


def test_a_line_of_chinese_breaks_where_it_may() -> None:
    lines = wrapped(
        "容器 shop 結束（代碼 137），所以「重新啟動」一次；接著等 10 秒，再看一次。", 24, "  因為 ", "       "
    )
    assert all(columns(line) <= 24 for line in lines)
    assert not any(re.match(rf" +[{WIDE}]", line.replace("（", "").replace("「", "")) for line in lines[1:])
    assert not any(re.search(r"[（「]$", line) for line in lines)


def test_a_figure_is_written_in_chinese_where_there_is_a_font_and_in_english_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib")
    cluster = Cluster(seed=1)
    cluster.apply(SHOP)
    cluster.run(until=20)

    def said() -> str:
        return "".join(text.get_text() for text in plot(cluster.timeline, backend="matplotlib").axes[0].texts)

    monkeypatch.setattr("selfheal.plot.figure.fonts", lambda: ["DejaVu Sans"])
    assert not re.search(HAN, said())
    monkeypatch.setattr("selfheal.plot.figure.fonts", lambda: ["DejaVu Sans", "Noto Sans CJK TC"])
    assert re.search(HAN, said())
    monkeypatch.undo()
    with legible():
        assert words.language() == ("zh-TW" if len(fonts()) > 1 else "en")
