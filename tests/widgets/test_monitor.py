"""What a cell says, what it stores, and what it refuses."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.errors import ApiError
from selfheal.widgets import bank, monitor, page
from selfheal.widgets.kernel import LiveMonitor
from selfheal.widgets.monitor import TARGETS
from selfheal.widgets.questions import canonical
from tests.widgets.shop import POD, SICK, full, shop, three

EVIL = "</script><img src=x onerror=alert(1)>"


def test_what_is_stored_is_small_and_the_same_each_time() -> None:
    first, second = full().html(), full().html()
    assert first == second
    assert len(first) < 8_000
    assert "/root" not in first
    assert "0x" not in repr(full())
    assert repr(full()) == "Monitor(shop, container app, 120 s)"


def test_without_scripts_the_question_and_the_run_are_there_to_read() -> None:
    text = shop().html()
    assert "When will the container be restarted?" in text
    assert "Container app failed liveness probe, will be restarted" in text


def test_the_books_builder_finds_the_data_again(tmp_path: Path) -> None:
    shown = full()
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"outputs": [{"data": {"text/html": shown.html()}}]}]}))
    assert list(bank.monitors(tmp_path / "a.ipynb")) == [(bank.name_of(shown.data), shown.data)]


def test_names_and_texts_cannot_break_out() -> None:
    seen: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)

    shown = monitor(POD, until=10, ask=EVIL, title=EVIL, next=EVIL, presets={EVIL: {}})
    tags = Tags()
    tags.feed(shown.html())
    assert "div" in seen
    assert "img" not in seen
    [(_, data)] = bank.DATA.findall(shown.html())
    assert json.loads(data)["title"] == EVIL


def test_a_deployment_is_named_by_its_label() -> None:
    assert repr(three()) == "Monitor(app=shop, container app, 60 s)"
    assert three().data["at"]["pod"] == {"index": 0, "selector": "app=shop"}


def test_a_switch_belongs_to_the_probes_that_look_at_it() -> None:
    switches = {switch["name"]: switch["probes"] for switch in three().data["switches"]}
    assert switches == {"healthz": ["startup", "liveness"], "readyz": ["readiness"]}
    one = monitor(POD.replace("/healthz", "/readyz"), until=10).data["switches"]
    assert {switch["name"]: switch["probes"] for switch in one} == {
        "healthz": ["startup"],
        "readyz": ["readiness", "liveness"],
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target": "heal"}, "target 'heal' is not one of"),
        ({"beliefs": ["the earth is flat"]}, "there is no belief 'the earth is flat'"),
        ({"switches": ["power"]}, "there is no switch 'power'"),
        ({"faults": ["meteor"]}, "there is no fault 'meteor'; there are kill"),
        ({"faults": ["leak"]}, "container app has no memory limit"),
        ({"presets": {"odd": {"livenes": {}}}}, "preset 'odd' sets 'livenes'"),
        ({"actions": [{"at": 1, "kil": {}}]}, 'unknown verb "kil"'),
        ({"until": -1}, "until"),
    ],
)
def test_what_it_does_not_know_it_says(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, ApiError), match=re.escape(says)):
        monitor(POD, **wrong)


def test_faults_are_offered_only_where_a_chapter_asks_for_them() -> None:
    assert "faults" not in shop().data
    offered = monitor(POD, until=10, faults=["kill", "partition"]).data["faults"]
    assert offered == [
        {"name": "kill", "on": "pod", "lasts": False},
        {"name": "partition", "on": "node", "lasts": True},
    ]


def test_without_a_pod_there_is_nothing_to_watch() -> None:
    with pytest.raises(ValueError, match="there is no Pod"):
        monitor("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}")


def test_every_target_has_words_and_an_event_in_the_script() -> None:
    script = page.source("monitor.js")
    for target in TARGETS:
        assert f'"{target}"' in script, target


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    words, script = page.words("en"), page.source("monitor.js") + page.source("mount.js") + page.source("load.js")
    asked = set(re.findall(r'(?:say(?:\.rich|\.has)?\(|(?:words|wordsFor\(place\))\[)"([\w.-]+)"', script))
    assert asked <= set(words)
    prefixes = set(re.findall(r"`([\w.]+)\$\{", script))
    known = set(re.findall(r'"([\w.\- ]+)"', script)) | {"still", "still.run", "still.app"}
    unused = [key for key in words if key not in known and not any(key.startswith(prefix) for prefix in prefixes)]
    assert [key for key in unused if not key.startswith(("switch.", "value."))] == []


def test_the_page_script_is_classic_and_names_no_other_host() -> None:
    for script in (page.bundle(), page.loader("")):
        assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
        assert set(re.findall(r"https?://[^\s\"'`)]+", script)) <= {"http://www.w3.org/2000/svg"}
    assert len(page.loader("")) < 4_000
    assert len(page.source("monitor.js")) < 105_000


def test_a_live_widget_takes_questions_and_sends_answers() -> None:
    data = shop().data
    live = LiveMonitor(data, shop().first)
    sent: list[Any] = []
    live.send = sent.append  # type: ignore[method-assign]
    live._asked(live, {"ask": 3, "question": canonical(data["base"])}, None)
    live._asked(live, {"something": "else"}, None)
    live._asked(live, {"ask": 4}, None)
    message, wrong = sent
    assert message == {"to": 3, "text": live.first}
    assert json.loads(message["text"]) == {"answer": shop().first}
    assert wrong["to"] == 4
    assert "error" in json.loads(wrong["text"])
    assert repr(live) == "LiveMonitor()"


def test_in_a_page_the_page_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(kernel=True)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    monkeypatch.delenv("SELFHEAL_WIDGETS", raising=False)
    assert "application/vnd.jupyter.widget-view+json" in shop()._repr_mimebundle_()
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert set(shop()._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_outside_a_kernel_only_text_is_shown() -> None:
    bundle = shop()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert SICK[0]["at"] == 31
