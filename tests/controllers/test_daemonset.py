"""What a DaemonSet does: a pod on each node that wants one, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.clock import SECOND
from selfheal.controllers.daemonset.backoff import LONGEST, Backoff
from selfheal.controllers.daemonset.placement import Fit, fit, on_node, pod_template, target
from selfheal.controllers.daemonset.sync import Sync, Tools
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.podcontrol import PodControl
from selfheal.events import EventRecorder
from selfheal.objects import Object, labels, name, replace, terminating
from tests.controllers.worlds import World, node, template

NUMBERS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberMisscheduled",
)


def daemon_set(image: str = "v1", unavailable: Any = 1, surge: Any = 0, **spec: Any) -> Object:
    rolling = {"maxUnavailable": unavailable, "maxSurge": surge}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


def up(nodes: int = 3, seed: int = 7, **spec: Any) -> World:
    world = World(nodes, seed)
    world.store.create(daemon_set(**spec))
    settle(world)
    return world


def settle(world: World, rounds: int = 8) -> None:
    """Whatever is made becomes ready, whatever is to go is gone."""
    for _ in range(rounds):
        world.wait(0.2)
        for pod in world.pods():
            if terminating(pod):
                world.gone(pod)
            elif pod["status"]["phase"] == "Pending" and pod["spec"].get("nodeName"):
                world.ready(pod)
    world.wait(0.2)


def places(world: World) -> list[str]:
    return sorted(p["spec"]["nodeName"] for p in world.pods() if not terminating(p))


def pod_on(world: World, where: str) -> Object:
    (found,) = (p for p in world.pods() if p["spec"]["nodeName"] == where and not terminating(p))
    return found


def change(world: World, image: str) -> None:
    world.set("DaemonSet", "web", "spec.template", template(image))


# ---- which nodes


def taint(key: str, effect: str) -> dict[str, str]:
    return {"key": key, "effect": effect}


@pytest.mark.parametrize(
    ("taints", "found"),
    [
        ([], Fit(True, True)),
        ([taint("lab", "PreferNoSchedule")], Fit(True, True)),
        ([taint("lab", "NoSchedule")], Fit(False, True)),
        ([taint("lab", "NoExecute")], Fit(False, False)),
        ([taint("node.kubernetes.io/unreachable", "NoExecute")], Fit(True, True)),
        ([taint("node.kubernetes.io/unschedulable", "NoSchedule")], Fit(True, True)),
        ([taint("node.kubernetes.io/network-unavailable", "NoSchedule")], Fit(False, True)),
    ],
)
def test_taints_decide(taints: list[dict[str, str]], found: Fit) -> None:
    assert fit(daemon_set(), node("a", taints=taints)) == found


def test_the_network_of_the_node_needs_no_network() -> None:
    owner = replace(daemon_set(), "spec.template.spec.hostNetwork", True)
    marked = node("a", taints=[taint("node.kubernetes.io/network-unavailable", "NoSchedule")])
    assert fit(owner, marked) == Fit(True, True)


def test_selector_affinity_and_name_of_the_node_decide() -> None:
    blue = replace(node("a"), "metadata.labels", {"color": "blue"})
    wanted = replace(daemon_set(), "spec.template.spec.nodeSelector", {"color": "blue"})
    assert fit(wanted, blue) == Fit(True, True)
    assert fit(wanted, node("a")) == Fit(False, False)
    named = replace(daemon_set(), "spec.template.spec.nodeName", "b")
    assert fit(named, blue) == Fit(False, False)


def test_a_pod_is_bound_to_its_node_by_the_ordinary_scheduler() -> None:
    made = on_node(pod_template(daemon_set(), "abc"), "node-7")
    assert target({"spec": made["spec"]}) == "node-7"
    assert target({"spec": {"nodeName": "node-8"}}) == "node-8"
    assert target({"spec": {}}) is None
    world = up(2)
    assert places(world) == ["node-1", "node-2"]
    for pod in world.pods():
        assert target({"spec": {"affinity": pod["spec"]["affinity"]}}) == pod["spec"]["nodeName"]


def test_an_affinity_of_its_own_is_replaced_on_the_pod() -> None:
    terms = [{"matchExpressions": [{"key": "agent", "operator": "DoesNotExist"}]}]
    at = "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    made = on_node(pod_template(replace(daemon_set(), at, terms), "abc"), "a")
    required = made["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [list(t) for t in required["nodeSelectorTerms"]] == [["matchFields"]]


def test_pods_bear_labels_and_tolerations() -> None:
    world = up(1)
    (pod,) = world.pods()
    (revision,) = world.store.list("ControllerRevision")
    assert labels(pod) == {
        "app": "web",
        "controller-revision-hash": labels(revision)["controller-revision-hash"],
        "pod-template-generation": "1",
    }
    assert name(revision) == f"web-{labels(pod)['controller-revision-hash']}"
    for_ever = [t["key"].rpartition("/")[2] for t in pod["spec"]["tolerations"] if "tolerationSeconds" not in t]
    assert sorted(for_ever) == [
        "disk-pressure",
        "memory-pressure",
        "not-ready",
        "pid-pressure",
        "unreachable",
        "unschedulable",
    ]


def test_new_nodes_get_a_pod_and_heartbeats_cost_nothing() -> None:
    world = up(1)
    world.store.create(node("node-2"))
    settle(world)
    assert places(world) == ["node-1", "node-2"]
    world.wait(60)
    before = len(world.history)
    world.store.patch("Node", "", "node-2", lambda n: {**n, "status": {**n["status"], "beat": 1}}, status=True)
    world.wait(60)
    assert len(world.history) == before + 1


def test_a_label_that_changes_acts_at_once() -> None:
    world = up(2)
    wanted = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [off("agent")]}}
    world.set("DaemonSet", "web", "spec.template.spec.affinity", {"nodeAffinity": wanted})
    settle(world)
    seen = len(world.changes("DaemonSet", *NUMBERS))
    world.store.patch("Node", "", "node-2", lambda n: replace(n, "metadata.labels", {"agent": "off"}))
    world.wait(0.2)
    assert places(world) == ["node-1"]
    leaving = next(p for p in world.pods() if terminating(p))
    world.status(leaving, phase="Succeeded")
    world.wait(0.2)
    assert world.changes("DaemonSet", *NUMBERS)[seen:] == [(1, 1, 1, 1, 1), (1, 1, 1, 1, 0)]


def off(key: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": "NotIn", "values": ["off"]}]}


# ---- one a node


def test_a_pod_is_replaced_when_it_has_ended() -> None:
    world = up(1)
    (first,) = world.pods()
    world.store.delete("Pod", "default", name(first))
    world.wait(20)
    assert len(world.pods()) == 1
    world.status(first, phase="Succeeded")
    world.wait(0.2)
    assert len(world.pods()) == 2


def test_of_two_pods_on_a_node_the_older_stays() -> None:
    world = up(1)
    (first,) = world.pods()
    world.wait(5)
    copy = {k: first["metadata"][k] for k in ("labels", "ownerReferences")}
    world.store.create({**first, "metadata": {**copy, "name": "web-zzzzz"}})
    world.wait(0.5)
    assert [name(p) for p in world.pods() if not terminating(p)] == [name(first)]


def test_a_failed_pod_is_deleted_and_then_less_and_less_eagerly() -> None:
    world = up(1)
    times = []
    for _ in range(4):
        (pod,) = (p for p in world.pods() if not terminating(p))
        world.status(pod, phase="Failed")
        began = world.clock.seconds
        while world.store.get("Pod", "default", name(pod)) is not None:
            world.wait(0.1)
        times.append(world.clock.seconds - began)
        world.wait(0.3)
    waits = [round(t) for t in times]
    assert waits == [0, 1, 2, 4]
    assert world.events("FailedDaemonPod")[0].endswith("on node node-1, will try to kill it")
    assert world.events("FailedDaemonPod")[0].startswith("Found failed daemon pod default/web-")


def test_a_succeeded_pod_is_deleted_at_once() -> None:
    world = up(1)
    (first,) = world.pods()
    world.status(first, phase="Succeeded")
    world.wait(0.2)
    assert len(world.events("SucceededDaemonPod")) == 1
    assert [name(p) for p in world.pods()] != [name(first)]


def test_the_back_off_of_failed_pods() -> None:
    backoff, now, waits = Backoff(), 0, []
    for _ in range(14):
        backoff.next("a", now)
        waits.append(backoff.waiting("a", now) // SECOND)
        now += backoff.waiting("a", now)
        assert backoff.waiting("a", now) == 0
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 900
    backoff.next("a", now + 2 * LONGEST + 1)
    assert backoff.waiting("a", now + 2 * LONGEST + 1) == SECOND


# ---- updates


@pytest.mark.parametrize(("unavailable", "most"), [(1, 1), (2, 2), ("50%", 2), ("10%", 1)])
def test_so_many_nodes_may_be_without_a_pod(unavailable: Any, most: int) -> None:
    world = up(4, unavailable=unavailable)
    change(world, "v2")
    world.wait(1)
    assert sum(terminating(p) for p in world.pods()) == most
    settle(world, 20)
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"v2"}
    assert len(world.pods()) == 4


def test_old_pods_that_are_no_use_go_at_once() -> None:
    world = up(4)
    for where in ("node-1", "node-2", "node-3"):
        world.ready(pod_on(world, where), ready=False)
    change(world, "v2")
    world.wait(1)
    assert places(world) == ["node-4"]


def test_chance_decides_where_an_update_begins() -> None:
    begun = set()
    for seed in range(8):
        world = up(3, seed=seed)
        change(world, "v2")
        world.wait(1)
        begun.add(next(p["spec"]["nodeName"] for p in world.pods() if terminating(p)))
    assert len(begun) > 1


def test_with_surge_a_node_has_two_for_a_while() -> None:
    world = up(2, unavailable=0, surge=1)
    change(world, "v2")
    world.wait(1)
    assert len(world.pods()) == 3
    assert not any(terminating(p) for p in world.pods())
    settle(world, 12)
    assert [p["spec"]["containers"][0]["image"] for p in world.pods()] == ["v2", "v2"]


def test_on_delete_waits_for_somebody_to_delete() -> None:
    world = up(2, updateStrategy={"type": "OnDelete"})
    change(world, "v2")
    settle(world)
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"v1"}
    world.store.delete("Pod", "default", name(world.pods()[0]))
    settle(world)
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"v1", "v2"}


def test_the_template_generation_counts_templates() -> None:
    world = up(1)
    key = "deprecated.daemonset.template.generation"
    assert world.get("DaemonSet", "web")["metadata"]["annotations"] == {key: "1"}
    world.set("DaemonSet", "web", "spec.minReadySeconds", 0)
    change(world, "v2")
    settle(world)
    assert world.get("DaemonSet", "web")["metadata"]["annotations"] == {key: "2"}
    assert labels(world.pods()[0])["pod-template-generation"] == "2"


def test_a_sync_that_waits_for_its_pods_takes_back_nothing_that_was_observed() -> None:
    """Its cache is behind, so its write meets a conflict, and is done once more on what is there by then."""
    world = up(2)
    stale = world.get("DaemonSet", "web")
    change(world, "v2")
    settle(world)
    assert world.get("DaemonSet", "web")["status"]["observedGeneration"] == 2
    recorder = EventRecorder(world.store, world.clock, world.chance, "daemonset-controller")
    expectations = Expectations(world.clock)
    expectations.expect(("default", "web"), 1, [])
    tools = Tools(
        world.store,
        recorder,
        PodControl(world.store, recorder, world.clock),
        expectations,
        Backoff(),
        world.clock,
        world.chance,
        pods=lambda _owner, _cause: [],
        again=lambda _key, _wait, _cause: None,
        request=lambda: world.clock.sleep(0),
    )
    assert list(Sync(tools, stale, world.store.list("Node"), "v1", None).run()) == []
    status = world.get("DaemonSet", "web")["status"]
    assert (status["currentNumberScheduled"], status["observedGeneration"]) == (0, 2)


def test_quiet_costs_nothing() -> None:
    world = up(3, minReadySeconds=2)
    world.wait(60)
    steps = world.clock.steps
    world.wait(3600)
    assert world.clock.steps == steps
