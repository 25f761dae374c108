"""What the reader sets becomes a scenario, the same for whoever answers it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from selfheal.scenario import Scenario
from selfheal.widgets.questions import Deed, Flip, agreed_seconds, canonical, compose, flipped, preset_of, setting_of
from tests.widgets.shop import full, shop, three, ward


def test_nothing_changed_is_the_scenario_itself() -> None:
    data = shop().data
    assert compose(data, setting_of(data)) == data["base"]


def test_a_question_is_a_scenario_in_canonical_form() -> None:
    data = full().data
    question = compose(data, flipped(setting_of(data), Flip(8, "healthz", "500")), "restart-is-instant")
    assert Scenario.from_canonical(question).question() == canonical(question)


def test_a_knob_that_is_turned_back_asks_the_first_question_again() -> None:
    data = shop().data
    given = setting_of(data)
    turned = replace(
        given, probes={**given.probes, "liveness": {**(given.probes["liveness"] or {}), "periodSeconds": 5}}
    )
    assert compose(data, turned) == data["base"]


def test_a_probe_can_be_taken_away_and_another_added() -> None:
    data = shop().data
    given = setting_of(data)
    assert given.probes["readiness"] is None
    wanted = replace(given, probes={**given.probes, "liveness": None, "readiness": {"periodSeconds": 2}})
    [container] = compose(data, wanted)["manifests"][0]["spec"]["containers"]
    assert "livenessProbe" not in container
    assert container["readinessProbe"] == {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 2}


def test_a_habit_is_an_argument_of_the_app() -> None:
    data = full().data
    [container] = compose(data, preset_of(data, data["presets"][1]))["manifests"][0]["spec"]["containers"]
    assert container["args"] == ["--term", "obey"]


@pytest.mark.parametrize(("every", "seconds"), [(1, [1, 2, 3, 4]), (2, [1, 3, 5]), (5, [3, 8, 13]), (10, [5, 15, 25])])
def test_switches_turn_half_a_period_into_each_interval(every: int, seconds: list[int]) -> None:
    data = shop().data
    given = setting_of(data)
    setting = replace(
        given, probes={**given.probes, "liveness": {**(given.probes["liveness"] or {}), "periodSeconds": every}}
    )
    assert list(agreed_seconds(setting, data["switches"][0], seconds[-1])) == seconds


def test_flips_of_a_generated_pod_name_it_by_its_place() -> None:
    data = three().data
    [action] = compose(data, flipped(setting_of(data), Flip(8, "readyz", "500")))["actions"]
    assert action["http"]["pod"] == {"index": 0, "selector": "app=shop"}


SHOP = {"index": 0, "selector": "app=shop"}


@pytest.mark.parametrize(
    ("deed", "action"),
    [
        (Deed(33, "kill"), {"kill": {"container": "app", "pod": SHOP}}),
        (Deed(33, "crash"), {"fault": {"kind": "crash", "target": SHOP}}),
        (Deed(33, "hang", seconds=30), {"fault": {"kind": "hang", "target": SHOP, "for": 30}}),
        (Deed(33, "leak"), {"fault": {"kind": "leak", "target": SHOP}}),
        (Deed(33, "stopNode", "node-2"), {"stopNode": "node-2"}),
        (Deed(33, "startNode", "node-2"), {"startNode": "node-2"}),
        (
            Deed(33, "partition", "node-2", 60),
            {"fault": {"kind": "partition", "target": "node/node-2", "for": 60}},
        ),
        (Deed(33, "loseHeartbeats", "node-2"), {"fault": {"kind": "loseHeartbeats", "target": "node/node-2"}}),
    ],
    ids=lambda one: one.fault if isinstance(one, Deed) else "",
)
def test_a_fault_is_one_more_action(deed: Deed, action: dict[str, Any]) -> None:
    data = ward().data
    question = compose(data, flipped(setting_of(data), Flip(45, "readyz", "500"), deed))
    assert question["actions"][0] == {"at": 33, **action}
    assert Scenario.from_canonical(question).question() == canonical(question)


def test_a_fault_of_a_pod_with_a_name_of_its_own_goes_by_that_name() -> None:
    data = full().data
    [_, action] = compose(data, flipped(setting_of(data), Deed(40, "hang")))["actions"]
    assert action["fault"] == {"kind": "hang", "target": "pod/shop"}
