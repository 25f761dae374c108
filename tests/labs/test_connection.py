"""A running cluster, looked at from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfheal.labs import LabError, Unsafe, connect
from selfheal.labs.api import Api
from selfheal.labs.context import PIN
from selfheal.server import Emulator
from tests.labs.test_context import config
from tests.labs.test_hands_on import POD
from tests.labs.test_lab import HTTP, namespaces


def post(api: Api, text: str) -> None:
    import yaml

    api.apply(yaml.safe_load(text), "default")


@pytest.mark.slow
def test_a_timeline_grows_while_the_cluster_lives(api: Api) -> None:
    post(api, POD)
    api.ask("POST", "/selfheal/clock", {"advance": 10})
    with connect() as cluster:
        timeline = cluster.timeline()
        assert cluster.timeline() is timeline
        [pod] = timeline.select(kind="Pod")
        assert (round(pod["t"], 1), pod["object"], pod["phase"]) == (0, "Pod/web", "Running")
        assert timeline.select(kind="Event") == []  # what was told before is not told again
        assert len(timeline.select(kind="Node")) == 3
        api.ask("POST", "/selfheal/actions", {"kill": {"pod": "web"}})
        post(api, HTTP.read_text())
        assert cluster.show(seconds=30) is timeline
        assert len(timeline.restarts("web")) == 1
        assert timeline.select(kind="Event", reason="Unhealthy")
        assert {r["namespace"] for r in timeline if "namespace" in r} == {"default"}
        assert timeline.header["until"] > 25
        assert timeline.plot().svg.startswith("<svg")
        assert cluster.timeline("kube-system") is not timeline
    assert namespaces(api) == []
    assert [r["t"] for r in timeline] == sorted(r["t"] for r in timeline)


def test_a_file_may_be_named(emulator: Emulator, tmp_path: Path) -> None:
    with connect(emulator.kubeconfig) as cluster:
        assert cluster.context.name == "selfheal"
        assert cluster.timeline().select(kind="Pod") == []
    (tmp_path / "prod").write_text(json.dumps(config("prod", "https://prod.example")))
    with pytest.raises(Unsafe, match="No request was made"):
        connect(tmp_path / "prod")
    PIN.release()


def test_a_timeline_of_a_cluster_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "kind").write_text(json.dumps(config("kind-x", "http://127.0.0.1:1")))
    with connect(tmp_path / "kind") as cluster, pytest.raises(LabError, match="does not answer"):
        cluster.timeline()
