"""A question has one answer, and the answer says why."""

from __future__ import annotations

import json

import pytest

from selfheal.errors import ApiError
from selfheal.widgets import answers
from selfheal.widgets.answers import answer, respond_text
from selfheal.widgets.questions import Deed, canonical, compose, flipped, setting_of
from tests.widgets.shop import shop, ward


def test_the_same_question_has_the_same_answer_to_the_letter() -> None:
    question = shop().data["base"]
    assert json.dumps(answer(question)) == json.dumps(answer(json.loads(json.dumps(question))))


def test_a_kill_has_its_causes_the_first_one_first() -> None:
    told = shop().first
    kill = next(r for r in told["timeline"][1:] if r.get("reason") == "Killing")
    chain = told["why"][str(kill["id"])]
    assert [step["function"] for step in chain][-1] == "killContainer"
    assert "doProbe" in [step["function"] for step in chain]
    times = [step["t"] for step in chain if step["t"] is not None]
    assert times == sorted(times)


def test_records_are_numbered_by_their_place() -> None:
    _header, *records = shop().first["timeline"]
    assert [record["id"] for record in records] == list(range(len(records)))
    assert {record["kind"] for record in records} >= {"Pod", "Probe", "App", "Traffic", "EndpointSlice", "Action"}


def test_after_a_power_cut_the_node_is_part_of_the_answer() -> None:
    data = ward().data
    told = answer(compose(data, flipped(setting_of(data), Deed(20, "stopNode", "node-1"))))
    ready = [r["conditions"]["Ready"] for r in told["timeline"][1:] if r.get("object") == "Node/node-1"]
    assert list(dict.fromkeys(ready)) == ["True", "Unknown"]
    assert not [r for r in ward().first["timeline"][1:] if r["kind"] == "Node"]


def test_a_fault_by_place_hits_the_pod_at_that_place() -> None:
    data = ward().data
    told = answer(compose(data, flipped(setting_of(data), Deed(20, "crash"))))
    [done] = [r for r in told["timeline"][1:] if r["kind"] == "Action"]
    pods = sorted({r["object"].lower() for r in told["timeline"][1:] if r["kind"] == "Pod"})
    assert (done["args"]["target"], done["result"]) == (pods[0], "ok")


def test_what_a_widget_hears_is_the_answer_as_a_browser_would_write_it() -> None:
    told = respond_text(canonical(shop().data["base"]))
    assert json.loads(told) == {"answer": shop().first}
    assert '": ' not in told.replace('message":', "").split('"text"')[0]
    assert "\\u" not in told


@pytest.mark.parametrize(
    "wrong",
    ["", "[]", "{", "7", "[" * 100_000, '{"until": NaN}', '{"manifests": [{"kind": "Pod"}]}', '{"manifests": 3}'],
)
def test_what_cannot_be_run_is_said_in_one_line(wrong: str) -> None:
    told = json.loads(respond_text(wrong))
    assert list(told) == ["error"]
    assert told["error"].strip()
    assert "\n" not in told["error"]


def test_whatever_breaks_who_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"refused": ApiError("no\nway"), "broken": ZeroDivisionError("division by zero"), "silent": ValueError()}

    def breaks(question: dict[str, str]) -> None:
        raise broken[question["how"]]

    monkeypatch.setattr(answers, "answer", breaks)
    said = {how: json.loads(respond_text(f'{{"how": "{how}"}}'))["error"] for how in broken}
    assert said == {
        "refused": "no way",
        "broken": "ZeroDivisionError: division by zero",
        "silent": "no reason given",
    }
