"""A question has one answer, and the answer says why."""

from __future__ import annotations

import json

from selfheal.widgets.answers import answer
from tests.widgets.shop import shop


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
