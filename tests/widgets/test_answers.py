"""A question has one answer, and the answer says why."""

from __future__ import annotations

import json

from selfheal.widgets.answers import answer
from selfheal.widgets.questions import Deed, compose, flipped, setting_of
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
