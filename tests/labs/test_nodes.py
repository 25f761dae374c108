"""Nodes that are named by their pods: the same scenario on clusters whose nodes are called otherwise."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from selfheal.cluster import Cluster
from selfheal.labs import Lab, LabError
from selfheal.labs.api import Api
from selfheal.labs.verbs import Hands
from selfheal.scenario import Scenario
from selfheal.scenario.actions import action
from selfheal.timeline import Timeline
from selfheal.timeline.compare import compare
from selfheal.timeline.roles import Roles
from tests.labs.test_lab import SHOP

FIRST = {"pod": {"selector": "app=web", "index": 0}}
FAILS: list[dict[str, Any]] = [{"at": 20, "stopNode": FIRST}, {"at": 100, "startNode": FIRST}]


def quick(seconds: int) -> list[dict[str, Any]]:
    """The shop, whose pods leave a lost node after so many seconds."""
    lost = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
        for key in ("unreachable", "not-ready")
    ]
    web = json.loads(json.dumps(SHOP[0]))
    web["spec"]["template"]["spec"]["tolerations"] = lost
    return [web, SHOP[1]]


def simulated(actions: list[dict[str, Any]], seed: int = 1, until: float = 130) -> Timeline:
    scenario = Scenario.load(quick(10), actions, nodes=3, seed=seed, until=until)
    return Cluster.of(scenario).play(scenario).timeline


def test_the_node_of_a_pod_fails_and_the_same_one_comes_back() -> None:
    timeline = simulated(FAILS)
    stop, start = timeline.select(kind="Action")
    assert (
        stop["args"]
        == start["args"]
        == next(r["node"] for r in timeline.select(kind="Pod") if "node" in r and r["object"] == f"Pod/{stop['pod']}")
    )
    assert stop["pod"] == start["pod"]
    assert f"Node/{stop['args']}" in {e["object"] for e in timeline.select(kind="Event", reason="NodeNotReady")}
    roles = Roles(timeline)
    assert roles.role(f"Node/{stop['args']}") == "Node/node #1"
    assert roles.role(f"Pod/{stop['pod']}").startswith("Pod/web.1 #1 (on node #1")
    assert roles.text(f"Node {stop['args']} status is now: NodeNotReady") == "Node node #1 status is now: NodeNotReady"


def test_seeds_that_stop_different_nodes_say_the_same() -> None:
    seeds = [simulated(FAILS, seed) for seed in range(12)]
    assert len({t.select(kind="Action")[0]["args"] for t in seeds}) > 1
    renamed = Timeline.from_lines(re.sub(r"node-(\d)", r"worker\1", seeds[0].to_jsonl()).splitlines())
    result = compare([renamed], seeds)
    assert result, result.report()
    assert {v.object for v in result.verdicts if v.object.startswith("Node/")} == {"Node/node #1"}


def test_a_node_may_be_named_by_its_pod_wherever_a_node_is_named() -> None:
    timeline = simulated(
        [
            {"at": 10, "cordon": FIRST},
            {"at": 12, "label": {"node": FIRST, "labels": "a=b"}},
            {"at": 14, "fault": {"kind": "loseHeartbeats", "target": {"node": FIRST}, "for": 5}},
            {"at": 20, "drain": {"node": FIRST, "podSelector": "app=web", "timeout": 30}},
            {"at": 50, "uncordon": FIRST},
            {"at": 52, "cordon": {"pod": "nobody"}},
        ],
        until=60,
    )
    actions = timeline.select(kind="Action")
    node = actions[0]["args"]
    assert [a["args"] for a in actions] == [
        node,
        {"node": node, "labels": "a=b"},
        {"kind": "loseHeartbeats", "target": f"node/{node}", "for": 5},
        {"node": node, "podSelector": "app=web", "timeout": 30},
        node,
        {"pod": "nobody"},
    ]
    assert actions[4]["result"] == f"node/{node} uncordoned"
    assert actions[5]["result"] == 'pods "nobody" not found'


@pytest.mark.nightly
def test_a_node_fails_on_the_emulator_as_predicted(api: Api) -> None:
    with Lab("node-failure", quick(10), FAILS, until=130) as lab:
        timeline = lab.run(live=False)
        assert [a["result"] for a in timeline.select(kind="Action")] == ["ok", "ok"]
        assert timeline.select(kind="Event", reason="NodeNotReady")
        lab.predict(12)
        assert lab.compare(), lab.compare().verdict()
        strict = lab.compare().strict
        assert strict, strict.report()


def test_the_node_of_the_control_plane_is_left_alone(api: Api) -> None:
    api.patch("Node", "node-1", {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}})
    hands = Hands(api, "default")
    for entry in ({"stopNode": "node-1"}, {"cordon": "node-1"}, {"drain": {"node": "node-1", "podSelector": "a=b"}}):
        wanted = action({"at": 0, **entry}, "action", None)
        with pytest.raises(LabError, match="carries the control plane"):
            hands.perform(wanted, wanted.args)


def test_a_lab_that_was_cut_off_puts_its_nodes_right(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab("node-failure")
    lab.do(stopNode="node-2")
    lab.do(cordon="node-1")
    lab.do(cordon="node-3")
    lab.do(uncordon="node-3")
    lab.clean()
    said = capsys.readouterr().out
    assert "Put right: startNode node-2." in said
    assert "Put right: uncordon node-1." in said
    assert "node-3" not in said
    assert not any(node["spec"].get("unschedulable") for node in api.list("Node")["items"])
    lab.wait(lambda: all(c["status"] == "True" for c in ready(api)), 60)
    lab.clean()


def ready(api: Api) -> list[dict[str, str]]:
    return [c for node in api.list("Node")["items"] for c in node["status"]["conditions"] if c["type"] == "Ready"]
