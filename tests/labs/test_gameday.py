"""Game day: each fault can be made, is felt, is found by its signs, and can be put right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal.labs import Lab
from selfheal.labs.api import STRATEGIC, Api
from selfheal.labs.faultbook import FAULTS
from selfheal.labs.gameday import Game

MANIFEST = Path(__file__).parents[2] / "labs" / "manifests" / "game-day.yaml"
SIGNS = {
    "port": "describe service shop|TargetPort: 8081",
    "selector": "describe service shop|app=shopp",
    "readiness": "describe pods -l app=shop|Readiness probe failed",
    "liveness": "describe pods -l app=shop|failed liveness probe",
    "image": "get pods -l app=shop|ImagePull",
    "memory": "describe pods -l app=shop|OOMKilled",
    "settings": "describe pods -l app=shop|couldn't find key",
    "node": "describe pods -l app=shop|didn't match Pod's node affinity",
    "command": "logs -l app=shop --previous|unknown command",
    "replicas": "get deployment shop|0/0",
}


@pytest.fixture
def shop(api: Api) -> Iterator[Lab]:
    with Lab("game-day") as lab:
        lab.apply(MANIFEST)
        lab.wait("deployment/shop Available")
        lab.wait("pod/users Running")
        yield lab


def test_each_fault_has_its_sign_in_the_tests() -> None:
    assert set(SIGNS) == {fault.key for fault in FAULTS}


def play(lab: Lab, key: str) -> None:
    game = Game(lab, key)
    assert "Users:" in game.begin()
    look, _, sign = SIGNS[key].partition("|")
    lab.wait(lambda: sign in " ".join(lab.kubectl(look).split()), timeout=60)
    other = next(fault for fault in FAULTS if fault.key != key)
    assert game.answer(other.key) == f"✗ No. If it were that, `{other.look}` would show: {other.sign}. Does it?"
    assert "That is it, at try number 2" in game.answer(key)
    assert "none of the suspects" in game.answer("gremlins")
    assert key in game.give_up()
    assert game.check(), str(game.check())


def test_a_wrong_port_is_found_and_put_right(shop: Lab) -> None:
    play(shop, "port")


@pytest.mark.nightly
@pytest.mark.parametrize("key", sorted(set(SIGNS) - {"port", "selector"}))
def test_a_fault_is_found_and_put_right(shop: Lab, key: str) -> None:
    play(shop, key)


@pytest.mark.nightly
@pytest.mark.wrong_rules  # the validators take it that a Service's selector never changes
def test_a_wrong_selector_is_found_and_put_right(shop: Lab) -> None:
    play(shop, "selector")


def test_what_a_repair_must_not_cost(shop: Lab) -> None:
    game = Game(shop, "liveness")
    change = {"spec": {"replicas": 1}}
    shop.api.patch("Deployment", "shop", change, shop.namespace)
    gone = {"name": "shop", "livenessProbe": None}
    without = {"spec": {"template": {"spec": {"containers": [gone]}}}}
    shop.api.patch("Deployment", "shop", without, shop.namespace, how=STRATEGIC)
    said = " ".join(str(game.check()).split())
    assert "There should be 2 servers" in said
    assert "The livenessProbe is gone" in said


def test_what_monitoring_shows(shop: Lab) -> None:
    shop.wait(10)
    said = Game(shop, "port").metrics()
    assert "endpoints  2 ready" in said
    assert "servers    2 pods, 2 ready" in said
    assert "restarts   0" in said
