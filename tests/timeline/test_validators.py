"""The validators: quiet over every recording of a real cluster, loud over each rule that is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfheal.timeline import Timeline
from selfheal.timeline.validators import VALIDATORS, validate

RECORDINGS = Path(__file__).parent.parent / "recordings"
TAKES = sorted(RECORDINGS.glob("*/timeline*.jsonl"))
Records = list[dict[str, Any]]


@pytest.mark.parametrize("path", TAKES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_real_cluster_breaks_no_rule(path: Path) -> None:
    assert validate(Timeline.load(path)) == []


def test_each_rule_says_what_it_is_and_where_it_stands() -> None:
    assert len(VALIDATORS) >= 12
    for check in VALIDATORS.values():
        assert check.__doc__


def pods(records: Records) -> Records:
    return [r for r in records if r["kind"] == "Pod"]


def events(records: Records, reason: str) -> Records:
    return [r for r in records if r["kind"] == "Event" and r["reason"] == reason]


def running(records: Records) -> Records:
    return [r for r in pods(records) if r["containers"][0]["state"] == "running"]


BROKEN: dict[str, tuple[str, Callable[[Records], object]]] = {}


def breaks(rule: str, scenario: str) -> Callable[[Callable[[Records], object]], Callable[[Records], object]]:
    def keep(change: Callable[[Records], object]) -> Callable[[Records], object]:
        BROKEN[rule] = (scenario, change)
        return change

    return keep


@breaks("time_never_goes_back", "liveness-exec")
def _(records: Records) -> None:
    records[9]["t"] = 0.5


@breaks("a_deleted_object_is_gone", "replicaset-heal")
def _(records: Records) -> None:
    end = next(r for r in records if r.get("deleted"))
    records.append({**copy.deepcopy(end), "t": 89.0})


@breaks("deletion_is_not_taken_back", "replicaset-heal")
def _(records: Records) -> None:
    marked = [r for r in records if r.get("terminating")]
    del marked[-1]["terminating"]


@breaks("a_pod_stays_on_its_node", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["node"] = "node-2"


@breaks("phases_never_go_back", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["phase"] = "Pending"


@breaks("a_finished_pod_runs_nothing", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["phase"] = "Failed"


@breaks("it_is_scheduled_before_it_runs", "liveness-exec")
def _(records: Records) -> None:
    for r in pods(records):
        r.pop("node", None)


@breaks("ready_implies_containers_ready", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["conditions"]["ContainersReady"] = "False"


@breaks("containers_ready_implies_each_ready", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["containers"][0]["ready"] = False


@breaks("ready_implies_running_and_started", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["containers"][0]["started"] = False


@breaks("exit_code_0_is_completed", "crash-loop")
def _(records: Records) -> None:
    pods(records)[-1]["containers"][0]["last"] = {"reason": "Completed", "exitCode": 1}


@breaks("restart_counts_rise_by_one", "liveness-exec")
def _(records: Records) -> None:
    pods(records)[-1]["containers"][0]["restartCount"] = 7


@breaks("a_restarted_container_had_an_end", "liveness-exec")
def _(records: Records) -> None:
    del pods(records)[-1]["containers"][0]["last"]


@breaks("no_start_inside_the_back_off", "crash-loop")
def _(records: Records) -> None:
    for r in records:
        if r["t"] > 50:  # the fourth restart, 40 s after its end, comes 10 s after it
            r["t"] = round(r["t"] - 35.5, 2)


@breaks("a_kill_by_a_probe_follows_its_failure", "liveness-exec")
def _(records: Records) -> None:
    for r in events(records, "Unhealthy"):
        records.remove(r)


@breaks("no_instance_is_created_twice", "liveness-exec")
def _(records: Records) -> None:
    records.remove(events(records, "Started")[1])


@breaks("event_counts_never_fall", "liveness-http")
def _(records: Records) -> None:
    events(records, "Killing")[-1]["count"] = 1


@breaks("a_ready_endpoint_serves", "replicaset-heal")
def _(records: Records) -> None:
    slices = [r for r in records if r["kind"] == "EndpointSlice"]
    slices[-1]["endpoints"][0]["serving"] = False


@breaks("endpoints_follow_their_pods", "readiness-flip")
def _(records: Records) -> None:
    for r in [r for r in records if r["kind"] == "EndpointSlice" and r["t"] > 20]:
        records.remove(r)


@breaks("replicas_are_the_active_pods", "replicaset-heal")
def _(records: Records) -> None:
    sets = [r for r in records if r["kind"] == "ReplicaSet"]
    sets[-1]["replicas"] = 2


@breaks("no_request_is_lost_from_the_books", "liveness-exec")
def _(records: Records) -> None:
    traffic = {"namespace": "default", "object": "Service/web", "sent": 20, "served": 19, "lost": 0, "times": 1}
    records.append({"t": 1.0, "kind": "Traffic", **traffic})


@breaks("runs_of_a_probe_add_up", "liveness-exec")
def _(records: Records) -> None:
    probe = {"namespace": "default", "object": "Pod/liveness-exec", "result": "success", "run": 2, "times": 3}
    records.append({"t": 5.0, "kind": "Probe", **probe})


@pytest.mark.parametrize("rule", list(VALIDATORS))
def test_a_broken_rule_is_named(rule: str) -> None:
    scenario, change = BROKEN[rule]
    timeline = Timeline.load(RECORDINGS / scenario / "timeline.jsonl")
    records = copy.deepcopy(timeline.records)
    change(records)
    broken = Timeline(timeline.header)
    for r in records:
        broken.append(r)
    problems = validate(broken)
    assert any(problem.startswith(f"{rule}: ") for problem in problems)
    assert all("\n" not in problem for problem in problems)


def test_a_free_restart_after_a_kill_is_not_held_against_anybody() -> None:
    timeline = Timeline.load(RECORDINGS / "liveness-http" / "timeline.jsonl")
    assert timeline.restarts("liveness-http")[1] - timeline.restarts("liveness-http")[0] < 20
    assert validate(timeline) == []


def test_a_pod_that_comes_back_under_its_name_begins_anew() -> None:
    timeline = Timeline.load(RECORDINGS / "replicaset-heal" / "timeline.jsonl")
    records = copy.deepcopy(timeline.records)
    first = next(r for r in records if r["kind"] == "Pod")
    end = next(r for r in records if r.get("deleted"))
    again = Timeline(timeline.header)
    for r in [*records, {**first, "object": end["object"], "t": 89.5}]:
        again.append(r)
    assert [p for p in validate(again) if p.startswith("a_deleted_object")] == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "partition", "target": "node/NODE", "for": 30}, False),
        ({"kind": "apiDown", "target": "", "for": 30}, False),
        ({"kind": "apiDown", "target": "", "for": None}, False),
        ({"kind": "partition", "target": "node/other", "for": 30}, True),
        ({"kind": "partition", "target": "pod/liveness-exec", "for": 30}, True),
        ({"kind": "loseHeartbeats", "target": "node/NODE", "for": 30}, True),
        ({"kind": "apiDown", "target": "", "for": 1}, True),
    ],
)
def test_of_restarts_behind_a_partition_only_the_last_shows(fault: dict[str, Any], told: bool) -> None:
    """The jump is in the last record; what a fault that is long over, or another's, has to do with it: nothing."""
    timeline = Timeline.load(RECORDINGS / "liveness-exec" / "timeline.jsonl")
    records = copy.deepcopy(timeline.records)
    last = pods(records)[-1]
    last["containers"][0]["restartCount"] = 7
    before = pods(records)[-2]["t"]
    t = before - 20 if fault["for"] == 1 else before
    target = fault["target"].replace("NODE", last["node"])
    action = {"t": t, "kind": "Action", "verb": "fault", "args": {**fault, "target": target}, "result": "ok"}
    records.insert(next(i for i, r in enumerate(records) if r["t"] >= t), action)
    broken = Timeline(timeline.header)
    for r in records:
        broken.append(r)
    assert any(p.startswith("restart_counts_rise_by_one") for p in validate(broken)) == told
