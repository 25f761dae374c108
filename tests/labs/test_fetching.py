"""Images are fetched before a run, once, and nothing of that stays."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.labs import Lab, fetching
from selfheal.labs.api import Api
from selfheal.labs.fetching import fetch, short
from selfheal.labs.namespaces import OWNED, OWNER
from selfheal.scenario import Scenario


def pod(name: str, image: str, **more: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": image, **more}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, api: Api) -> Api:
    """The emulator as if it were somebody's cluster."""
    monkeypatch.setattr("selfheal.labs.context.EMULATOR", "another")
    monkeypatch.setenv("LAB_CONTEXT", "selfheal")
    monkeypatch.setattr(fetching, "_FETCHED", set())
    return Lab("named", say=lambda _: None).api


def test_each_node_fetches_what_it_lacks_once(named: Api) -> None:
    said: list[str] = []
    web = pod("web", "registry.k8s.io/e2e-test-images/agnhost:2.63.0")
    scenario = Scenario.load([web, pod("box", "busybox:1.36"), pod("no", "registry.example/web:1")])
    fetch(named, scenario, said.append)
    assert said == ["Fetching registry.k8s.io/e2e-test-images/agnhost:2.63.0, busybox:1.36; this is done once."]
    assert named.list("Namespace", selector=f"{OWNED}={OWNER}")["items"] == []
    fetch(named, scenario, said.append)
    assert len(said) == 1


def test_an_image_that_cannot_be_fetched_holds_nothing_up(named: Api) -> None:
    said: list[str] = []
    fetch(named, Scenario.load([pod("own", "localhost:1/own:1", imagePullPolicy="Never")]), said.append)
    assert said == []


def test_the_emulator_has_everything(api: Api) -> None:
    fetch(api, Scenario.load([pod("box", "busybox:1.36")]), pytest.fail)


@pytest.mark.parametrize(
    ("long", "told"),
    [
        ("docker.io/library/busybox:1.36", "busybox:1.36"),
        ("nginx", "nginx:latest"),
        ("selfheal/patient:1", "selfheal/patient:1"),
        ("localhost:5000/web", "localhost:5000/web:latest"),
        ("busybox@sha256:0a", "busybox@sha256:0a"),
    ],
)
def test_an_image_has_one_name(long: str, told: str) -> None:
    assert short(long) == told
