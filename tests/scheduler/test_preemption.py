"""A pod of a higher priority makes room for itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import Forbidden, Invalid
from selfheal.objects import Object, condition, replace
from tests.scheduler.test_scheduler import PREEMPTION, World, asking, node

CLASSES = {"low": 10, "middle": 50, "high": 1000}


def priority_class(called: str, value: int, **more: Any) -> Object:
    meta = {"name": called}
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta, "value": value, **more}


def ranked(*nodes: Object, seed: int = 1) -> World:
    world = World(*nodes, seed=seed)
    for called, value in CLASSES.items():
        world.store.create(priority_class(called, value))
    world.store.create(priority_class("patient", 1000, preemptionPolicy="Never"))
    return world


def place(world: World, called: str, cpu: str, rank: str | None = None, **more: Any) -> str | None:
    if rank is not None:
        more["priorityClassName"] = rank
    return world.place(called, containers=asking(cpu=cpu), **more)


def found(world: World, called: str) -> Object:
    pod = world.store.get("Pod", "default", called)
    assert pod is not None
    return pod


def leaving(world: World) -> set[str]:
    return {p["metadata"]["name"] for p in world.store.list("Pod") if "deletionTimestamp" in p["metadata"]}


def end(world: World, *called: str) -> None:
    for name in called:
        world.store.patch("Pod", "default", name, lambda p: replace(p, "status.phase", "Failed"), status=True)
    world.wait(0.5)


def test_victims_are_told_why_and_the_pod_gets_their_place_when_they_have_ended() -> None:
    world = ranked(node("node-1"))
    for i in range(2):
        place(world, f"low-{i}", "900m", "low")
    assert place(world, "high", "1500m", "high") is None
    assert leaving(world) == {"low-0", "low-1"}
    assert world.why("high") == "0/1 nodes are available: 1 Insufficient cpu."
    assert found(world, "high")["status"]["nominatedNodeName"] == "node-1"
    target = condition(found(world, "low-0"), "DisruptionTarget")
    assert target is not None
    assert (target["status"], target["reason"]) == ("True", "PreemptionByScheduler")
    assert target["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    told = {e["involvedObject"]["name"]: e for e in world.store.list("Event") if e["reason"] == "Preempted"}
    uid = found(world, "high")["metadata"]["uid"]
    assert told["low-1"]["message"] == f"Preempted by pod {uid} on node node-1"
    assert (told["low-1"]["type"], told["low-1"]["action"]) == ("Normal", "Preempting")
    assert (told["low-1"]["reportingComponent"], told["low-1"]["related"]["uid"]) == ("default-scheduler", uid)
    end(world, "low-0")
    assert world.why("high").endswith("preemption: not eligible due to a terminating pod on the nominated node.")
    end(world, "low-1")
    assert world.node_of("high") == "node-1"
    assert "nominatedNodeName" not in found(world, "high")["status"]


def test_a_pod_is_not_tried_before_all_its_victims_were_told_to_go() -> None:
    world = ranked(node("node-1"))
    for i in range(3):
        place(world, f"low-{i}", "600m", "low", terminationGracePeriodSeconds=0)
    assert place(world, "high", "2", "high") == "node-1"
    events = [e for e in world.store.list("Event") if e["reason"] in ("Preempted", "FailedScheduling")]
    assert sorted(e["reason"] for e in events) == ["FailedScheduling", *["Preempted"] * 3]


def test_victims_go_once_the_server_answers_again() -> None:
    world = ranked(node("node-1"))
    place(world, "low", "1500m", "low")
    world.create("high", containers=asking(cpu="1"), priorityClassName="high")
    while not world.scheduler.waiting:
        world.wait(0.001)
    world.store.stop()
    world.wait(5)
    assert leaving(world) == set()
    world.store.start()
    world.wait(0.5)
    assert leaving(world) == {"low"}


def test_replicas_that_come_at_once_do_not_want_the_same_place() -> None:
    for seed in range(4):
        world = ranked(node("node-1"), node("node-2"), node("node-3"), seed=seed)
        for i in range(3):
            place(world, f"low-{i}", "1500m", "low")
        for i in range(2):
            world.create(f"high-{i}", containers=asking(cpu="1500m"), priorityClassName="high")
        world.wait(0.5)
        assert len(leaving(world)) == 2
        assert len({found(world, f"high-{i}")["status"]["nominatedNodeName"] for i in range(2)}) == 2


def test_no_more_pods_go_than_must_and_the_least_important_ones() -> None:
    world = ranked(node("node-1"))
    for called, rank in (("low", "low"), ("middle", "middle"), ("plain", None)):
        place(world, called, "600m", rank)
    assert place(world, "high", "800m", "high") is None
    assert leaving(world) == {"plain"}


def test_the_node_is_taken_where_least_is_lost() -> None:
    for seed in range(4):
        world = ranked(node("node-1"), node("node-2"), node("node-3", cpu="1"), seed=seed)
        for i in range(2):
            place(world, f"middle-{i}", "1500m", "middle")
        place(world, "low", "1", "low")
        place(world, "high", "900m", "high")
        assert leaving(world) == {"low"}, "a lower one rather than a higher one"


def test_a_budget_is_kept_where_it_can_be() -> None:
    for seed in range(4):
        world = ranked(node("node-1"), node("node-2"), seed=seed)
        for called in ("kept", "free"):
            place(world, called, "1500m", "low", labels={"app": called})
        budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}}
        world.store.create({**budget, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}})
        world.wait(0.5)
        place(world, "high", "1", "high")
        assert leaving(world) == {"free"}
        place(world, "beside", "1", "high")
        assert leaving(world) == {"free"}, "beside the first there is room"
        place(world, "more", "1", "high")
        assert leaving(world) == {"free", "kept"}, "and broken where it cannot"


def test_what_is_being_freed_is_not_given_to_those_that_matter_less() -> None:
    world = ranked(node("node-1"))
    place(world, "low", "1500m", "low")
    place(world, "high", "1500m", "high")
    assert place(world, "next", "1", "middle") is None
    end(world, "low")
    assert (world.node_of("high"), world.node_of("next")) == ("node-1", None)
    assert "1 Insufficient cpu" in world.why("next")


def test_a_place_that_is_no_longer_wanted_is_given_to_the_next() -> None:
    world = ranked(node("node-1"))
    place(world, "low", "1500m", "low")
    place(world, "high", "1500m", "high")
    assert place(world, "next", "400m", None) is None
    world.store.delete("Pod", "default", "high", grace=0)
    world.wait(0.5)
    assert world.node_of("next") == "node-1"


def test_equals_are_left_in_peace_and_so_is_everybody_by_a_patient_pod() -> None:
    world = ranked(node("node-1"))
    place(world, "first", "1500m", "high")
    assert place(world, "second", "1", "high") is None
    victims = PREEMPTION.format(n=1, why="1 No preemption victims found for incoming pod")
    assert world.why("second") == f"0/1 nodes are available: 1 Insufficient cpu. {victims}"
    assert place(world, "third", "1", "patient") is None
    assert world.why("third").endswith(
        "no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never."
    )
    assert leaving(world) == set()


def test_victims_that_would_not_be_enough_are_left_alone() -> None:
    world = ranked(node("node-1"))
    place(world, "middle", "1500m", "high")
    place(world, "low", "400m", "low")
    assert place(world, "high", "1", "high") is None
    assert leaving(world) == set()
    assert world.why("high").endswith("preemption: 0/1 nodes are available: 1 Insufficient cpu.")


def test_a_pod_gets_the_priority_of_its_class_or_of_the_default_one() -> None:
    cluster = Cluster()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    spec: Object = {"containers": [{"name": "c", "image": "nginx"}]}

    def made(called: str, **more: Any) -> Object:
        cluster.apply({**pod, "metadata": {"name": called}, "spec": {**spec, **more}})
        return dict(cluster.get("pod", called)["spec"])

    assert made("plain")["priority"] == 0
    assert made("node", priorityClassName="system-node-critical")["priority"] == 2_000_001_000
    with pytest.raises(Forbidden, match='pods "x" is forbidden: no PriorityClass with name nope was found'):
        made("x", priorityClassName="nope")
    with pytest.raises(Forbidden, match="this is a system priority class and cannot be deleted"):
        cluster.delete("priorityclass/system-node-critical")
    cluster.apply(priority_class("usual", 7, globalDefault=True, preemptionPolicy="Never"))
    given = made("later")
    assert (given["priority"], given["priorityClassName"], given["preemptionPolicy"]) == (7, "usual", "Never")
    with pytest.raises(Forbidden, match=r"the integer value of priority \(8\) must not be provided in pod spec"):
        made("x", priority=8)
    with pytest.raises(Forbidden, match=r"PriorityClass usual is already marked as default\. Only one default"):
        cluster.apply(priority_class("second", 9, globalDefault=True))
    cluster.apply(priority_class("second", 9))
    with pytest.raises(Forbidden, match="PriorityClass usual is already marked as default"):
        cluster.apply(priority_class("second", 9, globalDefault=True))
    assert cluster.warnings == []


@pytest.mark.parametrize(
    ("called", "changes", "why"),
    [
        ("x", {"value": 10**9 + 1}, "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        ("system-x", {}, "error: system-x is not a known system priority class"),
        ("system-node-critical", {"value": 7}, "error: value of system-node-critical PriorityClass must be 2000001000"),
        ("x", {"preemptionPolicy": "Always"}, 'supported values: "PreemptLowerPriority", "Never"'),
        ("there", {"value": 8}, "value: Forbidden: may not be changed in an update."),
        ("there", {"preemptionPolicy": "Never"}, 'preemptionPolicy: Invalid value: "Never": field is immutable'),
    ],
)
def test_what_a_priority_class_may_not_be(called: str, changes: dict[str, Any], why: str) -> None:
    cluster = Cluster()
    cluster.apply(priority_class("there", 7))
    with pytest.raises(Invalid, match=re.escape(why)):
        cluster.apply({**priority_class(called, 7), **changes})


def test_a_class_as_kubectl_tells_of_it() -> None:
    told = Cluster().describe("priorityclass/system-node-critical")
    assert told == (
        "Name:              system-node-critical\n"
        "Value:             2000001000\n"
        "GlobalDefault:     false\n"
        "PreemptionPolicy:  PreemptLowerPriority\n"
        "Description:       Used for system critical pods that must not be moved from their current node.\n"
        "Annotations:       <none>\n"
        "Events:            <none>\n"
    )


def test_a_replica_that_had_to_go_waits_until_the_important_pod_is_gone() -> None:
    """The victim has its grace: its successor comes at once and finds no room, the important pod has it at the end."""
    cluster = Cluster(nodes=1)
    cluster.apply(priority_class("high", 1000))
    cpu = cluster.get("node", "node-1")["status"]["allocatable"]["cpu"]
    container = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "1000"]}
    container["resources"] = {"requests": {"cpu": cpu}}  # type: ignore[assignment]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    template["spec"]["terminationGracePeriodSeconds"] = 10  # type: ignore[index]
    selector = {"matchLabels": {"app": "web"}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    cluster.apply({**deployment, "spec": {"replicas": 1, "selector": selector, "template": template}})
    cluster.run(until=20)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "high"}}
    cluster.apply({**pod, "spec": {"priorityClassName": "high", "containers": [container]}})
    cluster.run(until=25)
    phases = sorted(p["status"]["phase"] for p in cluster.get("pods"))
    assert phases == ["Pending", "Pending", "Running"]
    cluster.run(until=40)
    assert cluster.get("pod", "high")["status"]["phase"] == "Running"
    assert len(cluster.get("pods")) == 2
    cluster.delete("pod/high")
    cluster.run(until=80)
    assert [p["status"]["phase"] for p in cluster.get("pods")] == ["Running"]
