"""Zones: which of them a pod goes to, and what it is told if none will do."""

from __future__ import annotations

from collections import Counter
from typing import Any

from selfheal import Cluster
from selfheal.objects import Object, name, replace
from tests.scheduler.test_scheduler import PREEMPTION, TAINT, World, asking, node

ZONE = "topology.kubernetes.io/zone"
WEB = {"app": "web"}


def zoned(called: str, zone: str | None, **more: Any) -> Object:
    return node(called, labels={ZONE: zone} if zone else None, **more)


def spread(when: str = "DoNotSchedule", skew: int = 1, **more: Any) -> list[Object]:
    selector = {"matchLabels": WEB}
    return [{"maxSkew": skew, "topologyKey": ZONE, "whenUnsatisfiable": when, "labelSelector": selector, **more}]


def pods(which: str, how: str = "required", key: str = ZONE, **term: Any) -> Object:
    """An affinity to (or with podAntiAffinity: away from) pods of the app ``web``."""
    wanted: Object = {"labelSelector": {"matchLabels": WEB}, "topologyKey": key, **term}
    if how == "required":
        return {which: {"requiredDuringSchedulingIgnoredDuringExecution": [wanted]}}
    weighted = {"weight": 100, "podAffinityTerm": wanted}
    return {which: {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}


def zones_of(world: World, names: list[str]) -> Counter[str | None]:
    zone = {name(n): n["metadata"]["labels"].get(ZONE) for n in world.store.list("Node")}
    return Counter(zone.get(world.node_of(n) or "") for n in names)


def uneven(seed: int = 1) -> World:
    """Two nodes in zone a, one in zone b."""
    return World(zoned("a-1", "a"), zoned("a-2", "a"), zoned("b-1", "b"), seed=seed)


class TestSpread:
    def test_it_counts_zones_not_nodes(self) -> None:
        for seed in range(5):
            world = uneven(seed)
            names = [f"p{i}" for i in range(8)]
            for called in names:
                world.place(called, labels=WEB, topologySpreadConstraints=spread())
            assert zones_of(world, names) == {"a": 4, "b": 4}

    def test_a_full_zone_holds_the_others_back(self) -> None:
        world = World(zoned("a-1", "a"), zoned("a-2", "a"), zoned("b-1", "b", pods="1"))
        placed = [world.place(f"p{i}", labels=WEB, topologySpreadConstraints=spread()) for i in range(4)]
        assert max(placed[:3], key=str) == "b-1"
        assert placed[3] is None
        assert world.why("p3") == (
            "0/3 nodes are available: 1 Too many pods, 2 node(s) didn't match pod topology spread constraints. "
            + PREEMPTION.format(n=3, why="3 No preemption victims found for incoming pod")
        )

    def test_a_node_without_the_label_is_out_and_says_why(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b", unschedulable=True), zoned("c-1", None))
        assert world.place("p0", labels=WEB, topologySpreadConstraints=spread()) == "a-1"
        assert world.place("p1", labels=WEB, topologySpreadConstraints=spread()) is None
        assert world.why("p1") == (
            "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, "
            "1 node(s) didn't match pod topology spread constraints (missing required label), "
            "1 node(s) were unschedulable. "
            + PREEMPTION.format(
                n=3,
                why="1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling",
            )
        )

    def test_a_zone_that_the_selector_excludes_does_not_count(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b"))
        chosen = {"nodeSelector": {ZONE: "a"}, "labels": WEB}
        assert {world.place(f"p{i}", topologySpreadConstraints=spread(), **chosen) for i in range(3)} == {"a-1"}
        ignore = spread(nodeAffinityPolicy="Ignore")
        assert world.place("p3", topologySpreadConstraints=ignore, **chosen) is None

    def test_a_tainted_zone_counts_unless_the_taints_are_honored(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b", taints=[TAINT]))
        assert world.place("p0", labels=WEB, topologySpreadConstraints=spread()) == "a-1"
        assert world.place("p1", labels=WEB, topologySpreadConstraints=spread()) is None
        honored = spread(nodeTaintsPolicy="Honor")
        assert world.place("p2", labels=WEB, topologySpreadConstraints=honored) == "a-1"

    def test_min_domains_wait_for_another_zone(self) -> None:
        world = World(zoned("a-1", "a"), zoned("a-2", "a"))
        world.place("p0", labels=WEB, topologySpreadConstraints=spread(minDomains=2))
        assert world.place("p1", labels=WEB, topologySpreadConstraints=spread(minDomains=2)) is None
        world.store.create(zoned("b-1", "b"))
        world.wait(5)
        assert world.node_of("p1") == "b-1"

    def test_schedule_anyway_prefers_the_emptier_zone_even_if_its_pods_stand_on_a_full_node(self) -> None:
        """Zone a has room on a-2 alone, but the pods on its full node a-1 count."""
        for seed in range(5):
            world = World(zoned("a-1", "a"), zoned("b-1", "b", unschedulable=True), seed=seed)
            for i in range(2):
                assert world.place(f"old{i}", labels=WEB) == "a-1"
            world.set_node("a-1", "spec.unschedulable", True)
            world.set_node("b-1", "spec.unschedulable", None)
            world.store.create(zoned("a-2", "a"))
            world.wait(1)
            soft = spread("ScheduleAnyway")
            assert world.place("p0", labels=WEB, topologySpreadConstraints=soft) == "b-1"

    def test_schedule_anyway_goes_on_where_a_hard_spread_would_wait(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b", unschedulable=True))
        soft = spread("ScheduleAnyway")
        assert {world.place(f"p{i}", labels=WEB, topologySpreadConstraints=soft) for i in range(4)} == {"a-1"}

    def test_replicas_keep_zones_even_by_themselves(self) -> None:
        for seed in range(5):
            world = World(zoned("a-1", "a"), zoned("b-1", "b"), zoned("c-1", "c"), seed=seed)
            names = [f"p{i}" for i in range(6)]
            for called in names:
                world.place(called, owner="rs")
            assert zones_of(world, names) == {"a": 2, "b": 2, "c": 2}

    def test_pods_of_a_service_keep_apart_even_without_a_controller(self) -> None:
        """Where most is left they would all go to the one large node."""
        for seed in range(4):
            world = World(zoned("a-1", "a", cpu="64", memory="256Gi"), zoned("b-1", "b"), seed=seed)
            spec = {"selector": WEB, "ports": [{"port": 80}]}
            world.store.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
            world.wait(0.1)
            assert {world.place(f"web{i}", labels=WEB) for i in range(2)} == {"a-1", "b-1"}
            assert {world.place(f"other{i}", labels={"app": "x"}) for i in range(4)} == {"a-1"}

    def test_match_label_keys_count_only_the_new_version(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b", unschedulable=True))
        for i in range(2):
            world.place(f"old{i}", labels={**WEB, "pod-template-hash": "1"})
        world.set_node("b-1", "spec.unschedulable", None)
        world.wait(0.1)
        new = {**WEB, "pod-template-hash": "2"}
        keyed = spread(matchLabelKeys=["pod-template-hash"])
        names = [f"new{i}" for i in range(4)]
        for called in names:
            world.place(called, labels=new, topologySpreadConstraints=keyed)
        assert zones_of(world, names) == {"a": 2, "b": 2}

    def test_a_pod_that_waits_is_tried_again_when_another_evens_out_the_skew(self) -> None:
        world = World(zoned("a-1", "a"), zoned("b-1", "b", taints=[TAINT]))
        world.place("p0", labels=WEB, topologySpreadConstraints=spread())
        assert world.place("p1", labels=WEB, topologySpreadConstraints=spread()) is None
        world.wait(20)
        assert world.place("other", tolerations=[{"operator": "Exists"}], nodeSelector={ZONE: "b"}) == "b-1"
        world.wait(20)
        assert world.node_of("p1") is None, "a pod without the label evens out nothing"
        world.place("p2", labels=WEB, tolerations=[{"operator": "Exists"}], nodeSelector={ZONE: "b"})
        world.wait(1)
        assert world.node_of("p1") == "a-1"


class TestAffinity:
    def test_together_in_one_zone_but_on_its_emptiest_node(self) -> None:
        for seed in range(4):
            world = uneven(seed)
            world.place("web", labels=WEB, nodeSelector={"kubernetes.io/hostname": "a-1"})
            assert world.place("cache", affinity=pods("podAffinity")) == "a-2"

    def test_no_room_in_that_zone(self) -> None:
        world = uneven()
        world.place("web", labels=WEB, nodeSelector={"kubernetes.io/hostname": "b-1"}, containers=asking(cpu="1500m"))
        assert world.place("cache", affinity=pods("podAffinity"), containers=asking(cpu="1")) is None
        assert world.why("cache") == (
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod affinity rules. "
            + PREEMPTION.format(
                n=3,
                why="1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling",
            )
        )

    def test_apart_means_one_a_zone(self) -> None:
        world = uneven()
        apart = pods("podAntiAffinity")
        names = ["p0", "p1"]
        for called in names:
            world.place(called, labels=WEB, affinity=apart)
        assert zones_of(world, names) == {"a": 1, "b": 1}
        assert world.place("p2", labels=WEB, affinity=apart) is None
        assert world.why("p2") == (
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. "
            + PREEMPTION.format(n=3, why="3 No preemption victims found for incoming pod")
        )
        world.wait(30)
        world.store.create(zoned("c-1", "c"))
        world.wait(1)
        assert world.node_of("p2") == "c-1"

    def test_those_already_there_may_object(self) -> None:
        world = uneven()
        world.place("alone", nodeSelector={ZONE: "a"}, affinity=pods("podAntiAffinity"))
        assert {world.place(f"web{i}", labels=WEB) for i in range(3)} == {"b-1"}
        assert world.place("late", labels=WEB, nodeSelector={ZONE: "a"}) is None
        assert "2 node(s) didn't satisfy existing pods anti-affinity rules" in world.why("late")

    def test_a_zone_is_needed_to_be_together_in_it(self) -> None:
        world = World(zoned("x", None))
        assert world.place("web", labels=WEB, affinity=pods("podAffinity")) is None
        assert "1 node(s) didn't match pod affinity rules" in world.why("web")
        world.wait(20)
        world.set_node("x", "metadata.labels", {ZONE: "a"})
        world.wait(1)
        assert world.node_of("web") == "x"

    def test_two_terms_are_about_pods_that_match_both(self) -> None:
        world = uneven()
        world.place("web", labels=WEB, nodeSelector={ZONE: "a"})
        world.place("db", labels={"app": "db"}, nodeSelector={ZONE: "a"})
        both = pods("podAffinity")
        db = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": ZONE}
        both["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"].append(db)
        assert world.place("p", affinity=both) is None

    def test_preferences_lean_towards_and_away_from_a_zone(self) -> None:
        for seed in range(4):
            world = uneven(seed)
            world.place("web", labels=WEB, nodeSelector={ZONE: "b"})
            assert {world.place(f"near{i}", affinity=pods("podAffinity", "preferred")) for i in range(4)} == {"b-1"}
            world = uneven(seed)
            world.place("web", labels=WEB, nodeSelector={"kubernetes.io/hostname": "a-1"})
            assert world.place("far", affinity=pods("podAntiAffinity", "preferred")) == "b-1"

    def test_a_preference_gives_way_if_there_is_no_room(self) -> None:
        world = World(zoned("a-1", "a"))
        apart = pods("podAntiAffinity", "preferred")
        assert {world.place(f"p{i}", labels=WEB, affinity=apart) for i in range(3)} == {"a-1"}

    def test_only_pods_of_the_named_namespaces_count(self) -> None:
        world = uneven()
        world.place("web", labels=WEB, nodeSelector={ZONE: "a"})
        assert world.place("p0", affinity=pods("podAffinity", namespaces=["other"])) is None
        assert world.place("p1", affinity=pods("podAffinity", namespaceSelector={})) in ("a-1", "a-2")


def test_node_affinity_by_zone() -> None:
    world = uneven()
    expression = {"key": ZONE, "operator": "In", "values": ["b", "c"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    required = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert {world.place(f"p{i}", affinity=required) for i in range(3)} == {"b-1"}
    world.set_node("b-1", "metadata.labels", {ZONE: "d"})
    world.wait(0.1)
    assert world.place("late", affinity=required) is None
    assert world.why("late") == (
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. "
        + PREEMPTION.format(n=3, why="3 Preemption is not helpful for scheduling")
    )


def test_endpoints_name_their_node_and_its_zone() -> None:
    nodes = [zoned("a-1", "a"), zoned("b-1", "b"), zoned("c-1", None)]
    cluster = Cluster(nodes=[replace(n, "status.capacity", n["status"]["allocatable"]) for n in nodes], seed=3)
    web = {"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}
    apart = pods("podAntiAffinity", key="kubernetes.io/hostname")
    template = {"metadata": {"labels": WEB}, "spec": {"containers": [web], "affinity": apart}}
    cluster.apply(
        [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web"},
                "spec": {"replicas": 3, "selector": {"matchLabels": WEB}, "template": template},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web"},
                "spec": {"selector": WEB, "ports": [{"port": 80}]},
            },
        ]
    )
    cluster.run(until=30)
    (slice_,) = [s for s in cluster.get("endpointslices") if s["metadata"]["name"].startswith("web-")]
    where = {e["nodeName"]: e.get("zone") for e in slice_["endpoints"]}
    assert where == {"a-1": "a", "b-1": "b", "c-1": None}
