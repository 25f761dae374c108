"""The public recordings, played over HTTP: what then happens is what the simulator says without any server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfheal import apply
from selfheal.cluster import Cluster
from selfheal.kinds import kind_info
from selfheal.objects import Object
from selfheal.scenario import Scenario
from selfheal.server import Emulator
from selfheal.server.remote import Remote, read
from tests.recordings.simulate import SCENARIOS, scenario_of, simulate


def post(remote: Remote, obj: Object) -> None:
    """As ``kubectl apply`` does with what is new."""
    info = kind_info(obj["kind"])
    root = "apis" if "/" in info.api_version else "api"
    space = "namespaces/default/" if info.namespaced else ""
    remote.ask("POST", f"/{root}/{info.api_version}/{space}{info.plural}", obj)


def replay(scenario: Scenario, folder: Path) -> list[dict[str, Any]]:
    """The records of a scenario's run on an emulator whose clock moves only when it is told to."""
    emulator = Emulator(speed=0, cluster=Cluster.of(scenario), kubeconfig=folder / "kubeconfig")
    with emulator.running():
        remote = Remote(emulator.content)
        for obj in scenario.manifests:
            if obj["kind"] != "Node":
                spaced = {**obj, "metadata": {"namespace": "default", **obj["metadata"]}}
                post(remote, apply.annotated(spaced if kind_info(obj["kind"]).namespaced else obj))
        waiting = []
        for action in scenario.actions:  # each waits for its moment; they are asked for in their order
            connection = remote.connect()
            remote.send(connection, "POST", "/selfheal/actions?begin=0", action.canonical())
            waiting.append(connection)
            remote.ask("GET", "/selfheal/clock")
        remote.ask("POST", "/selfheal/clock", {"advance": scenario.until})
        for connection in waiting:
            read(connection)
            connection.close()
        text = remote.text("GET", "/selfheal/timeline?all=true")
    return records(text)


def records(text: str) -> list[dict[str, Any]]:
    """What happened; why it did begins with "applied" here, with a POST there."""
    found = [json.loads(line) for line in text.splitlines()[1:]]
    return [{k: v for k, v in record.items() if k != "cause"} for record in found]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_recording_over_http_is_the_simulators_own(name: str, tmp_path: Path) -> None:
    expected = records(simulate(name, seed=1).to_jsonl(record_all=True))
    assert len(expected) > 10
    assert replay(scenario_of(name, seed=1), tmp_path) == expected
