"""Where pods go, and what they are told if they can go nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.informers import Informers
from selfheal.objects import Object, condition, replace
from selfheal.scheduler import Scheduler
from selfheal.store import Store, WatchEvent


class World:
    """A scheduler and its nodes."""

    def __init__(self, *nodes: Object, seed: int = 1) -> None:
        self.clock = Clock(40, 250_000)
        self.chance = Chance(seed)
        self.store = Store(self.clock, self.chance)
        self.told: list[tuple[float, str]] = []
        self.store.watch("Event", self._on_event, immediate=True)
        self.scheduler = Scheduler(self.store, Informers(self.store), self.clock, self.chance)
        for made in nodes:
            self.store.create(made)
        self.wait(1)

    def _on_event(self, event: WatchEvent) -> None:
        self.told.append((self.clock.seconds, event.object["message"]))

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.now + round(seconds * SECOND))

    def create(self, called: str = "web", owner: str | None = None, labels: Any = None, **spec: Any) -> None:
        meta: Object = {"name": called, "labels": labels or {}}
        if owner:
            meta["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}]
        containers = [{"name": "app", "image": "v1"}]
        self.store.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}
        )

    def node_of(self, called: str = "web") -> str | None:
        found = self.store.get("Pod", "default", called)
        assert found is not None
        return found["spec"].get("nodeName")

    def place(self, called: str = "web", **spec: Any) -> str | None:
        """Create a pod and see where it goes."""
        self.create(called, **spec)
        self.wait(0.5)
        return self.node_of(called)

    def why(self, called: str = "web") -> str:
        found = self.store.get("Pod", "default", called)
        assert found is not None
        scheduled = condition(found, "PodScheduled")
        assert scheduled is not None
        assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
        return str(scheduled["message"])

    def waiting_since(self, called: str = "web") -> int:
        return self.scheduler.waiting[("default", called)].since

    def set_node(self, called: str, path: str, value: Any) -> None:
        status = path.startswith("status")
        self.store.patch("Node", "", called, lambda n: replace(n, path, value), status=status)


def node(
    called: str, cpu: str = "2", memory: str = "4Gi", pods: str = "110", labels: Any = None, **spec: Any
) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": called, "labels": {"kubernetes.io/hostname": called, **(labels or {})}},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
    }


def asking(cpu: str | None = None, memory: str | None = None, **more: Any) -> list[Object]:
    requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    return [{"name": "app", "image": "v1", "resources": {"requests": requests}, **more}]


TAINT = {"key": "lab", "value": "fail", "effect": "NoSchedule"}
PREEMPTION = "no new claims to deallocate, preemption: 0/{n} nodes are available: {why}."


def test_a_pod_is_bound_and_told_so() -> None:
    world = World(node("node-1"))
    assert world.place() == "node-1"
    pod = world.store.get("Pod", "default", "web")
    assert pod is not None
    assert condition(pod, "PodScheduled")["status"] == "True"  # type: ignore[index]
    (event,) = world.store.list("Event")
    assert event["message"] == "Successfully assigned default/web to node-1"
    assert (event["reason"], event["action"], event["reportingComponent"]) == (
        "Scheduled",
        "Binding",
        "default-scheduler",
    )


def test_the_recorded_text_of_a_request_too_large_for_every_node() -> None:
    world = World(node("node-1"), node("node-2"), node("node-3", taints=[TAINT]))
    assert world.place(containers=asking(cpu="64")) is None
    assert world.why() == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )
    assert [message for _, message in world.told] == [world.why()]


def test_the_recorded_text_of_a_selector_that_matches_nothing() -> None:
    world = World(node("node-1"), node("node-2"), node("node-3", taints=[TAINT]))
    assert world.place(nodeSelector={"disk": "ssd"}) is None
    assert world.why().startswith(
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
        "2 node(s) didn't match Pod's node affinity/selector. "
    )


def test_a_full_node_might_be_freed_by_preemption_but_there_is_nobody_to_preempt() -> None:
    world = World(node("node-1"))
    world.place("first", containers=asking(cpu="1500m"))
    assert world.place(containers=asking(cpu="1", memory="1Gi")) is None
    victims = PREEMPTION.format(n=1, why="1 No preemption victims found for incoming pod")
    assert world.why() == f"0/1 nodes are available: 1 Insufficient cpu. {victims}"


@pytest.mark.parametrize(
    ("made", "spec", "reason"),
    [
        (node("n", unschedulable=True), {}, "1 node(s) were unschedulable"),
        (node("n", pods="0"), {}, "1 Too many pods"),
        (node("n"), {"containers": asking(memory="8Gi")}, "1 Insufficient memory"),
        (node("n"), {"containers": asking(cpu="3", memory="8Gi")}, "1 Insufficient cpu, 1 Insufficient memory"),
        (node("n"), {"nodeSelector": {"a": "b"}}, "1 node(s) didn't match Pod's node affinity/selector"),
        (node("n", taints=[{**TAINT, "effect": "NoExecute"}]), {}, "1 node(s) had untolerated taint(s)"),
    ],
)
def test_each_reason_in_its_own_words(made: Object, spec: Any, reason: str) -> None:
    world = World(made)
    assert world.place(**spec) is None
    assert world.why().startswith(f"0/1 nodes are available: {reason}. ")


def test_a_daemon_pod_is_refused_unseen_by_all_nodes_but_its_own() -> None:
    world = World(node("node-1"), node("node-2"), node("node-3"))
    own = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-2"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": own}}}
    assert world.place("fits", affinity=affinity, containers=asking(cpu="1500m")) == "node-2"
    assert world.place(affinity=affinity, containers=asking(cpu="1")) is None
    why = "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling"
    assert world.why() == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        + PREEMPTION.format(n=3, why=why)
    )


def test_without_nodes() -> None:
    world = World()
    assert world.place() is None
    assert world.why() == "no nodes available to schedule pods"


def test_tolerations_open_tainted_nodes_and_prefer_no_schedule_only_advises() -> None:
    world = World(node("node-1", taints=[TAINT]), node("node-2", unschedulable=True))
    assert world.place("a", tolerations=[{"key": "lab", "operator": "Exists"}]) == "node-1"
    cordon = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}
    assert world.place("b", tolerations=[cordon]) == "node-2"
    world = World(node("node-1", taints=[{**TAINT, "effect": "PreferNoSchedule"}]), node("node-2"))
    assert {world.place(f"p{i}") for i in range(5)} == {"node-2"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "size", "operator": "Gt", "values": ["5"]}, "big"),
        ({"key": "size", "operator": "Lt", "values": ["5"]}, "small"),
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, "big"),
        ({"key": "disk", "operator": "DoesNotExist"}, "small"),
    ],
)
def test_required_node_affinity(expression: Object, expected: str) -> None:
    world = World(node("big", labels={"size": "10", "disk": "ssd"}), node("small", labels={"size": "1"}))
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    assert {world.place(f"p{i}", affinity=affinity) for i in range(4)} == {expected}


def test_preferred_node_affinity_decides_among_those_that_could() -> None:
    world = World(node("a", labels={"disk": "ssd"}), node("b"))
    preference = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    preferred = [{"weight": 50, "preference": preference}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    assert {world.place(f"p{i}", affinity=affinity) for i in range(4)} == {"a"}


def test_a_host_port_is_given_once_a_node() -> None:
    world = World(node("node-1"), node("node-2"))
    containers = [{"name": "app", "image": "v1", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    assert {world.place(f"p{i}", containers=containers) for i in range(2)} == {"node-1", "node-2"}
    assert world.place("late", containers=containers) is None
    assert "2 node(s) didn't have free ports for the requested pod ports" in world.why("late")


def test_anti_affinity_keeps_apart_and_affinity_together() -> None:
    world = World(node("node-1"), node("node-2"))
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    together = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert {world.place(f"db-{i}", labels={"app": "db"}, affinity=apart) for i in range(2)} == {"node-1", "node-2"}
    assert world.place("db-2", labels={"app": "db"}, affinity=apart) is None
    assert "2 node(s) didn't match pod anti-affinity rules" in world.why("db-2")
    assert world.place("friend", labels={"app": "x"}, affinity=together) is not None
    lonely = World(node("node-1"))
    assert lonely.place("friend", labels={"app": "x"}, affinity=together) is None
    assert "1 node(s) didn't match pod affinity rules" in lonely.why("friend")
    assert lonely.place("first", labels={"app": "db"}, affinity=together) == "node-1", "the first of its group may go"


def test_a_hard_spread_keeps_the_skew() -> None:
    world = World(node("node-1"), node("node-2", cpu="1"))
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    spec = {"labels": {"app": "web"}, "topologySpreadConstraints": [constraint], "containers": asking(cpu="600m")}
    assert {world.place(f"p{i}", **spec) for i in range(2)} == {"node-1", "node-2"}
    assert world.place("p2", **spec) == "node-1"
    assert world.place("p3", **spec) is None
    assert "1 node(s) didn't match pod topology spread constraints" in world.why("p3")


def test_replicas_keep_apart() -> None:
    for seed in range(5):
        world = World(*(node(f"node-{i}") for i in range(1, 5)), seed=seed)
        for i in range(8):
            world.create(f"p{i}", owner="rs")
        world.wait(1)
        placed = [world.node_of(f"p{i}") for i in range(8)]
        assert sorted(placed.count(f"node-{i}") for i in range(1, 5)) == [2, 2, 2, 2]


def test_pods_go_where_most_is_left() -> None:
    world = World(node("big", cpu="16", memory="64Gi"), node("small", cpu="2", memory="4Gi"))
    assert {world.place(f"p{i}", containers=asking(cpu="500m", memory="1Gi")) for i in range(3)} == {"big"}


def test_equal_nodes_are_chosen_by_chance_and_the_seed() -> None:
    def run(seed: int) -> list[str | None]:
        return [World(node("node-1"), node("node-2"), seed=seed).place(f"p{i}") for i in range(6)]

    assert run(1) == run(1)
    assert {name for seed in range(4) for name in run(seed)} == {"node-1", "node-2"}


def test_an_init_container_and_sidecars_count_as_kubernetes_counts_them() -> None:
    world = World(node("node-1", cpu="2"))
    big = {"name": "init", "image": "v1", "resources": {"requests": {"cpu": "2"}}}
    side = {"name": "side", "image": "v1", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}}
    assert world.place("a", initContainers=[side, big], containers=asking(cpu="100m")) is None
    assert "Insufficient cpu" in world.why("a")
    assert world.place("b", initContainers=[big], containers=asking(cpu="100m")) == "node-1"


class TestWaiting:
    """A pod that fits nowhere is tried again when something could have changed for it, and only then."""

    def crowded(self) -> World:
        world = World(node("node-1"))
        world.place("first", containers=asking(cpu="1500m"))
        assert world.place(containers=asking(cpu="1")) is None
        return world

    def test_nothing_happens_while_nothing_changes(self) -> None:
        world = self.crowded()
        steps = world.clock.steps
        world.wait(299)
        assert world.clock.steps == steps

    def test_five_minutes_later_it_is_tried_again_anyway(self) -> None:
        world = self.crowded()
        tries = len(world.told)
        world.wait(299)
        assert len(world.told) == tries
        world.wait(35)
        assert len(world.told) == tries + 1

    def test_the_end_of_a_pod_makes_room(self) -> None:
        world = self.crowded()
        world.wait(20)
        world.store.patch("Pod", "default", "first", lambda p: replace(p, "status.phase", "Succeeded"), status=True)
        world.wait(0.2)
        assert world.node_of() == "node-1"

    def test_a_try_comes_at_once_however_often_the_pod_has_failed(self) -> None:
        """Recording unschedulable: two tries 0.02 s apart, at 7.82 and 7.84 s. Nobody sits out a back-off alone."""
        world = World(node("node-1", cpu="1"))
        assert world.place(containers=asking(cpu="64")) is None
        for i in range(7):
            world.create(f"small-{i}")
        world.wait(1)
        for i in range(7):
            # Another pod's end is worth a try, though it cannot help.
            before, version = world.waiting_since(), self.version(world)
            world.store.delete("Pod", "default", f"small-{i}", grace=0)
            world.wait(0.05)
            assert world.waiting_since() > before
            assert self.version(world) == version, "it fails for the same reason"

    def version(self, world: World) -> object:
        pod = world.store.get("Pod", "default", "web")
        assert pod is not None
        return pod["metadata"]["resourceVersion"]

    def test_whoever_is_still_in_back_off_lets_others_go_first(self) -> None:
        world = World(node("node-1", cpu="1"))
        important = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}}
        world.store.create({**important, "value": 5, "preemptionPolicy": "Never"})
        world.place("there", containers=asking(cpu="1"))
        world.place("plain", containers=asking(cpu="1"))
        world.wait(10)
        world.place("high", containers=asking(cpu="1"), priorityClassName="high")
        world.store.delete("Pod", "default", "there", grace=0)
        world.wait(0.2)
        assert (world.node_of("plain"), world.node_of("high")) == ("node-1", None)

    def test_of_those_that_wait_the_most_important_is_tried_first_then_the_oldest(self) -> None:
        world = World(node("node-1", cpu="1"))
        important = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}}
        world.store.create({**important, "value": 5, "preemptionPolicy": "Never"})
        world.place("first", containers=asking(cpu="1"))
        for called, more in (("old", {}), ("young", {}), ("high", {"priorityClassName": "high"})):
            assert world.place(called, containers=asking(cpu="1"), **more) is None
        for end, next_one in (("first", "high"), ("high", "old"), ("old", "young")):
            world.wait(11)  # nobody is in back-off any more
            world.store.delete("Pod", "default", end, grace=0)
            world.wait(0.5)
            assert world.node_of(next_one) == "node-1"

    def test_a_new_node_or_a_larger_one_helps(self) -> None:
        world = self.crowded()
        world.wait(20)
        world.store.create(node("node-2"))
        world.wait(0.2)
        assert world.node_of() == "node-2"
        world = self.crowded()
        world.wait(20)
        world.set_node("node-1", "status.allocatable", {"cpu": "4", "memory": "4Gi", "pods": "110"})
        world.wait(0.2)
        assert world.node_of() == "node-1"

    def test_a_label_helps_who_waits_for_a_label(self) -> None:
        world = World(node("node-1"))
        assert world.place(nodeSelector={"disk": "ssd"}) is None
        world.wait(20)
        world.set_node("node-1", "metadata.labels", {"disk": "ssd"})
        world.wait(0.2)
        assert world.node_of() == "node-1"

    def test_the_end_of_a_pod_does_not_help_who_waits_for_a_label(self) -> None:
        world = World(node("node-1"))
        world.place("first")
        assert world.place(nodeSelector={"disk": "ssd"}) is None
        world.wait(20)
        told = len(world.told)
        world.store.delete("Pod", "default", "first", grace=0)
        world.wait(20)
        assert len(world.told) == told

    def test_a_taint_that_goes_helps(self) -> None:
        world = World(node("node-1", taints=[TAINT]))
        assert world.place() is None
        world.wait(20)
        world.set_node("node-1", "spec.taints", None)
        world.wait(0.2)
        assert world.node_of() == "node-1"

    def test_a_heartbeat_of_a_node_helps_nobody(self) -> None:
        world = self.crowded()
        world.wait(20)
        told = len(world.told)
        world.set_node("node-1", "status.conditions", [{"type": "Ready", "status": "True"}])
        world.wait(20)
        assert len(world.told) == told

    def test_a_pod_that_is_deleted_while_it_waits_is_forgotten(self) -> None:
        world = self.crowded()
        world.store.delete("Pod", "default", "web")
        world.store.delete("Pod", "default", "first", grace=0)
        world.wait(1000)
        assert world.store.list("Pod") == []

    def test_each_try_tells_again(self) -> None:
        """Its version changes with its condition: the first two tellings are two events, further ones a series."""
        world = World(node("node-1", cpu="1"))
        for i in range(3):
            world.place(f"small-{i}")
        assert world.place(containers=asking(cpu="64")) is None
        for i in range(3):
            world.wait(15)
            world.store.delete("Pod", "default", f"small-{i}", grace=0)
        world.wait(15)
        tries = [e for e in world.store.list("Event") if e["reason"] == "FailedScheduling"]
        assert sorted(e.get("series", {}).get("count", 1) for e in tries) == [1, 2]


def test_a_pod_with_scheduling_gates_is_not_tried() -> None:
    world = World(node("node-1"))
    assert world.place(schedulingGates=[{"name": "wait"}]) is None
    pod = world.store.get("Pod", "default", "web")
    assert pod is not None
    assert condition(pod, "PodScheduled")["reason"] == "SchedulingGated"  # type: ignore[index]
    world.store.patch("Pod", "default", "web", lambda p: replace(p, "spec.schedulingGates", None))
    world.wait(0.5)
    assert world.node_of() == "node-1"


def test_another_schedulers_pods_are_left_alone() -> None:
    world = World(node("node-1"))
    assert world.place(schedulerName="mine") is None
    assert world.told == []


def test_of_pods_that_compete_the_first_wins() -> None:
    for seed in range(5):
        world = World(node("node-1"), seed=seed)
        for i in range(3):
            world.create(f"p{i}", containers=asking(cpu="800m"))
        world.wait(0.5)
        assert [world.node_of(f"p{i}") for i in range(3)] == ["node-1", "node-1", None]


def test_a_pod_made_again_under_its_name_while_the_first_is_in_flight_is_bound_too() -> None:
    for seed in range(20):
        world = World(node("node-1"), seed=seed)
        world.create()
        world.wait(0.008)
        world.store.delete("Pod", "default", "web", grace=0)
        world.create()
        world.wait(0.5)
        assert world.node_of() == "node-1"
