"""A timeline laid out: what stands in which lane, from when to when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfheal.timeline import Timeline
from selfheal.timeline.lanes import lanes

RECORDINGS = Path(__file__).parent.parent / "recordings"
NAMES = sorted(p.parent.name for p in RECORDINGS.glob("*/timeline.jsonl"))


def recorded(name: str, **options: Any) -> dict[str, Any]:
    return lanes(Timeline.load(RECORDINGS / name / "timeline.jsonl"), **options)


def spans(container: dict[str, Any]) -> list[tuple[float, float, str, str]]:
    return [(s["from"], s["to"], s["is"], s["label"]) for s in container["spans"]]


@pytest.mark.parametrize("name", NAMES)
def test_lanes_are_plain_data_and_spans_do_not_overlap(name: str) -> None:
    found = recorded(name)
    assert json.loads(json.dumps(found)) == found
    for pod in found["pods"]:
        for c in pod["containers"]:
            for a, b in zip(c["spans"], c["spans"][1:], strict=False):
                assert a["from"] <= a["to"] <= b["from"] <= b["to"] <= pod["to"]
        for row in (pod["ready"], pod["service"]):
            assert all(s["from"] < s["to"] for s in row)


def test_a_killed_container_lives_is_stopped_and_lives_again() -> None:
    pod = recorded("liveness-exec", until=130)["pods"][0]
    assert (pod["name"], pod["node"], pod["deleted"]) == ("liveness-exec", "node-1", False)
    container = pod["containers"][0]
    assert spans(container) == [
        (0.0, 0.82, "starting", "starting"),
        (0.82, 45.37, "running", "life 1"),
        (45.37, 75.4, "stopping", "TERM, KILL after 30 s"),
        (75.48, 120.35, "running", "life 2"),
        (120.35, 130.0, "stopping", "TERM …"),
    ]
    assert container["spans"][1]["exitCode"] == 137
    assert [(r["t"], r["n"]) for r in container["restarts"]] == [(75.48, 1)]
    assert pod["ready"] == [{"from": 0.82, "to": 130.0, "id": 7}]


def test_failures_are_counted_from_events_where_nothing_else_tells() -> None:
    liveness = recorded("liveness-exec", until=130)["pods"][0]["containers"][0]["probes"][0]
    assert liveness["probe"] == "liveness"
    assert [(t["t"], t["result"], t["run"]) for t in liveness["ticks"]] == [
        (35.38, "failure", 1),
        (40.39, "failure", 2),
        (45.36, "failure", 3),
        (110.37, "failure", 1),
        (115.36, "failure", 2),
        (120.35, "failure", 3),
    ]
    assert liveness["ticks"][0]["output"] == "cat: can't open '/tmp/healthy': No such file or directory"


def test_a_run_of_readiness_failures_ends_when_the_pod_is_ready() -> None:
    pods = {p["name"][-5:]: p for p in recorded("readiness-flip")["pods"]}
    ticks = pods["m2h85"]["containers"][0]["probes"][0]["ticks"]
    assert [t["run"] for t in ticks if t["t"] < 40] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert next(t["run"] for t in ticks if t["t"] > 50) == 1


def test_what_is_held_back_waits_with_its_reason() -> None:
    container = recorded("crash-loop")["pods"][0]["containers"][0]
    waits = [s for s in container["spans"] if s["is"] == "waiting"]
    assert [w["label"] for w in waits][1:4] == [
        "exit 1 · back-off 10s",
        "exit 1 · back-off 20s",
        "exit 1 · back-off 40s",
    ]
    assert [(r["n"], round(r["waited"])) for r in container["restarts"]][:4] == [(1, 0), (2, 13), (3, 26), (4, 46)]


def test_a_container_that_is_done_has_ended() -> None:
    pods = {p["name"]: p for p in recorded("restart-policies")["pods"]}
    assert spans(pods["never-1"]["containers"][0])[-1][2:] == ("ended", "exit 1")
    assert spans(pods["onfailure-0"]["containers"][0])[-1][2:] == ("ended", "exit 0")


def test_endpoints_ready_and_not_are_told_apart() -> None:
    found = recorded("replicaset-heal")
    pods = {p["name"]: p for p in found["pods"]}
    assert [(s["from"], s["to"], s["ready"], s["terminating"]) for s in pods["web-2nkwd"]["service"]] == [
        (1.08, 1.39, False, False),
        (1.39, 15.18, True, False),
        (15.18, 15.34, False, True),
    ]
    assert pods["web-2nkwd"]["deleted"]
    assert pods["web-2nkwd"]["to"] == 15.4
    assert [a["text"] for a in found["actions"]] == [
        *("delete pod/web-2nkwd", "kill -KILL", "kill -TERM", "scale replicaset/web 1")
    ]


def test_a_deployment_speaks_for_its_only_replica_set() -> None:
    assert [c["object"] for c in recorded("readiness-flip")["controllers"]] == ["Deployment/web"]
    assert [c["object"] for c in recorded("replicaset-heal")["controllers"]] == ["ReplicaSet/web"]


def test_objects_can_be_chosen_by_name_or_kind_and_name() -> None:
    assert [p["name"] for p in recorded("restart-policies", objects=["never-1", "Pod/always-0"])["pods"]] == [
        *("never-1", "always-0")
    ]
    chosen = recorded("readiness-flip", objects="Deployment/web")
    assert (len(chosen["pods"]), len(chosen["controllers"])) == (0, 1)


def simulated() -> Timeline:
    timeline = Timeline({"until": 60})
    status = {"name": "app", "reason": None, "exitCode": None, "restartCount": 0, "ready": True, "started": True}
    pod: dict[str, Any] = {"kind": "Pod", "namespace": "default", "object": "Pod/shop", "phase": "Running"}
    pod |= {"conditions": {"Ready": "True"}, "containers": [{**status, "state": "running"}], "node": "node-1"}
    timeline.append({"t": 1.0, **pod})
    about = {"namespace": "default", "object": "Pod/shop", "container": "app"}
    probe = {"kind": "Probe", **about, "probe": "liveness", "every": 5}
    timeline.append({"t": 0.4, **probe, "result": "skipped", "why": "no container", "run": 0, "times": 1})
    timeline.append({"t": 5.4, **probe, "result": "success", "run": 6, "times": 6})
    timeline.append({"t": 31.0, "kind": "App", **about, "healthy": False, "text": "healthz 500"})
    timeline.append({"t": 35.4, **probe, "result": "failure", "run": 3, "times": 3, "output": "500"})
    timeline.append({"t": 40.0, "kind": "App", **about, "healthy": True, "text": "healthz 200"})
    traffic = {"kind": "Traffic", "namespace": "default", "object": "Service/shop", "every": 1}
    timeline.append({"t": 0.0, **traffic, "sent": 20, "served": 20, "lost": 0, "times": 31})
    timeline.append({"t": 31.0, **traffic, "sent": 20, "served": 0, "lost": 20, "times": 29})
    return timeline


def test_what_only_the_simulator_knows_has_its_lanes() -> None:
    found = lanes(simulated())
    container = found["pods"][0]["containers"][0]
    assert [(s["from"], s["to"], s["healthy"], s["text"]) for s in container["app"]] == [
        (1.0, 31.0, True, ""),
        (31.0, 40.0, False, "healthz 500"),
        (40.0, 60, True, "healthz 200"),
    ]
    ticks = container["probes"][0]["ticks"]
    assert [(t["t"], t["every"], t["times"], t["result"], t["run"], t["why"]) for t in ticks] == [
        (0.4, 5, 1, "skipped", 0, "no container"),
        (5.4, 5, 6, "success", 6, None),
        (35.4, 5, 3, "failure", 3, None),
    ]
    assert [t["object"] for t in found["traffic"]] == ["Service/shop"]
    assert [s["lost"] for s in found["traffic"][0]["stretches"]] == [0, 20]
