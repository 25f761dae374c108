"""Tables that one can play, and walks: what is stored is whole without a script, and true."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from selfheal import Cluster
from selfheal.lessons import Case, Step, cases, steps
from selfheal.lessons.cases import Cases
from selfheal.lessons.lanes import bars
from selfheal.lessons.questions import Answer, Question, _texts
from selfheal.lessons.trace import WATCHED, traced
from selfheal.words import words

SRC = Path(__file__).parents[2] / "src/selfheal"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [--exit-after, "SECONDS=CODE"]
"""


def run(code: str, seconds: str) -> Case:
    cluster = Cluster(seed=1)
    cluster.apply(POD.replace("SECONDS", seconds).replace("CODE", code))
    cluster.run(until=60)
    again = cluster.timeline.restarts("shop")
    return Case(cluster.timeline, again[1] if len(again) > 1 else None, "Because of `doBackOff`.", until=60)


def played() -> Cases:
    return cases("How it ends", {"code": ["0", "1"], "after": ["5", "50"]}, run, ask="When is the second restart?")


def test_each_combination_is_played_and_told_in_words() -> None:
    lines = repr(played()).splitlines()
    assert lines[0] == "How it ends"
    assert [re.sub(r"at [\d.]+ s", "at …", line.strip()) for line in lines[1:]] == [
        "0 · 5: at …",
        "0 · 50: never",
        "1 · 5: at …",
        "1 · 50: never",
    ]


def test_without_a_script_each_case_opens_and_shows_its_run() -> None:
    text = played()._repr_html_()
    assert text.count("<details") == text.count("</details>") == 4
    assert "<script" not in text
    assert text.count('role="img" aria-label="Timeline') == 4
    assert "<code>doBackOff</code>" in text
    assert re.search(r'data-case="0-1" data-answer="never"', text)
    axes = re.search(r'data-axes="([^"]+)"', text)
    assert axes
    assert json.loads(html.unescape(axes[1])) == [["code", ["0", "1"]], ["after", ["5", "50"]]]


def test_an_answer_that_nobody_can_choose_is_refused() -> None:
    with pytest.raises(ValueError, match="which is not one of"):
        cases("x", {"code": ["0"], "after": ["5"]}, run, ask="?", answers=["restarted", "not restarted"])


def test_bars_stand_where_the_timeline_says() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(POD.replace("SECONDS", "20").replace("CODE", "1"))
    cluster.run(until=80)
    text = bars(cluster.timeline, 80, marks=[(40.0, "<here>")])
    begin = cluster.timeline.starts("shop")[1]
    assert f'class="running" style="left:{100 * begin / 80:.1f}%' in text
    assert 'style="left:50.0%" title="&lt;here&gt;, 40.0 s"' in text
    places = [float(p) for p in re.findall(r"left:([\d.]+)%", text)]
    assert max(places) <= 100


def test_what_a_manifest_names_stays_text() -> None:
    case = Case(Cluster(seed=1).timeline, "<b>", "<img src=x>", until=10)
    text = cases("<i>", {"<u>": ["<s>"]}, lambda _: case, ask="<q>", answers=["<b>"])._repr_html_()
    body = text.partition("</style>")[2]
    assert not re.search(r"<img|<s>|<q>|<i>", body)
    assert "&lt;img src=x&gt;" in body


def test_a_walk_names_each_function_and_asks_on_the_way() -> None:
    asked = Question("What is next?", (Answer("this", "because", True), Answer("that", "no", False)))
    walk = steps("Walk", [Step("1.0 s", "Relist", "pleg/generic.go", "PLEG", "It lists.", "pleg.py", asked)])
    text = walk._repr_html_()
    assert text.count("<li") == 1
    assert "<code>Relist</code>" in text
    assert text.index("What is next?") < text.index("It lists.")
    assert "Relist  (PLEG)" in repr(walk)


def test_a_run_watched_from_inside_is_the_same_run() -> None:
    def crash() -> Cluster:
        cluster = Cluster(seed=1)
        cluster.apply(POD.replace("SECONDS", "20").replace("CODE", "1"))
        return cluster.run(until=60)

    before = {key: vars(watched.of)[watched.method] for key, watched in WATCHED.items()}
    with traced() as calls:
        inside = crash()
    assert {key: vars(watched.of)[watched.method] for key, watched in WATCHED.items()} == before
    assert inside.timeline.to_jsonl(record_all=True) == crash().timeline.to_jsonl(record_all=True)
    assert {key for _, key in calls} == set(WATCHED)
    assert [t for t, _ in calls] == sorted(t for t, _ in calls)


def test_a_watched_function_says_which_one_it_follows() -> None:
    machine = {"end", "start"}  # what the runtime does follows no function of Kubernetes
    for key, watched in WATCHED.items():
        text = (SRC / watched.where).read_text("utf-8")
        assert f"def {watched.method}(" in text
        assert key in machine or watched.function in text, key


def test_every_step_has_words_and_each_question_one_right_answer() -> None:
    said = _texts("kubelet")["steps"]
    assert set(said["says"]) == set(WATCHED)
    assert set(said["asks"]) <= set(WATCHED)
    for asked in said["asks"].values():
        assert sum(bool(answer.get("right")) for answer in asked["answers"]) == 1


def test_the_script_uses_each_word_and_no_other() -> None:
    script = (Path(__file__).parents[2] / "book/_static/play.js").read_text("utf-8")
    assert set(re.findall(r"words\.(\w+)", script)) == set(words("play")) | set(words("walk"))
