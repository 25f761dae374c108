"""Nodes that are lost, tainted or deleted: cases C186 to C193."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.controllers import taints
from selfheal.objects import Object, condition, name, terminating
from selfheal.spec import Toleration
from tests.conformance.pods import AGNHOST, container, pod

TAINT = {"key": "lab", "effect": "NoExecute"}
UNREACHABLE = "node.kubernetes.io/unreachable"


def tolerating(seconds: int | None) -> list[dict[str, Any]]:
    limit = {} if seconds is None else {"tolerationSeconds": seconds}
    return [{"key": "lab", "operator": "Exists", "effect": "NoExecute", **limit}]


def taint(cluster: Cluster, node: str, *found: dict[str, Any]) -> None:
    store = cluster.store
    store.patch("Node", "", node, lambda n: {**n, "spec": {**n["spec"], "taints": list(found)}})


def app(called: str = "pod", **spec: Any) -> dict[str, Any]:
    return pod(container(image=AGNHOST, args=["netexec"]), name=called, **spec)


def up(*objs: dict[str, Any], nodes: int = 1, seed: int = 1) -> Cluster:
    cluster = Cluster(nodes=nodes, seed=seed, nodes_in_timeline=True)
    cluster.apply(list(objs))
    return cluster.run(until=10)


def deployment(replicas: int = 2, **spec: Any) -> dict[str, Any]:
    """Two pods on two nodes, as a topology spread makes them."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    chosen = {"matchLabels": {"app": "web"}}
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [container(image=AGNHOST, args=["netexec"])],
            "topologySpreadConstraints": [{**spread, "nodeTaintsPolicy": "Honor", "labelSelector": chosen}],
            **spec,
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": chosen, "template": template},
    }


def gone(cluster: Cluster, called: str = "pod") -> float | None:
    """When a pod was marked for deletion."""
    found = [r["t"] for r in cluster.timeline.select(kind="Pod", object=f"Pod/{called}") if r.get("terminating")]
    return found[0] if found else None


def on(cluster: Cluster, node: str) -> list[Object]:
    return [p for p in cluster.get("pods") if p["spec"].get("nodeName") == node]


def effects(cluster: Cluster, node: str) -> list[tuple[str, str]]:
    return [(t["key"], t["effect"]) for t in cluster.get("Node", node)["spec"].get("taints") or ()]


# ---- taints


def test_C186_a_pod_that_does_not_tolerate_goes_at_once() -> None:
    cluster = up(app())
    taint(cluster, "node-1", TAINT)
    cluster.run(for_=1)
    assert 10 <= gone(cluster) < 10.1
    last = list(cluster.timeline.select(kind="Pod", object="Pod/pod"))[-1]
    assert last["reasons"]["DisruptionTarget"] == "DeletionByTaintManager"
    assert [r["message"] for r in cluster.timeline.select(reason="TaintManagerEviction")] == [
        "Marking for deletion Pod default/pod"
    ]


def test_C187_a_pod_stays_as_long_as_it_tolerates() -> None:
    cluster = up(app(tolerations=tolerating(70)))
    taint(cluster, "node-1", TAINT)
    cluster.run(for_=65)
    assert gone(cluster) is None
    cluster.run(for_=65)
    assert 80 <= gone(cluster) < 80.1


def test_C188_a_taint_that_goes_in_time_evicts_nobody() -> None:
    cluster = up(app(tolerations=tolerating(10)))
    taint(cluster, "node-1", TAINT)
    cluster.run(for_=5)
    taint(cluster, "node-1")
    cluster.run(for_=60)
    assert gone(cluster) is None
    (event,) = cluster.timeline.select(reason="TaintManagerEviction")
    assert event["message"] == "Cancelling deletion of Pod default/pod"
    assert (event["from"], event["type"]) == ("taint-eviction-controller", "Normal")


@pytest.mark.parametrize(("seconds", "expected"), [([1, None], 1), ([1, 2], 1), ([], 0), ([None], None), ([-3, 5], 0)])
def test_C189_the_shortest_toleration_counts(seconds: list[int | None], expected: int | None) -> None:
    tolerations = [Toleration("lab", "Exists", "", "NoExecute", s) for s in seconds]
    assert taints.patience(tolerations) == expected


def test_a_second_taint_does_not_wind_up_the_clock_again() -> None:
    cluster = up(
        app(
            tolerations=[
                *tolerating(30),
                {"key": "other", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 100},
            ]
        )
    )
    taint(cluster, "node-1", TAINT)
    cluster.run(for_=20)
    taint(cluster, "node-1", TAINT, {"key": "other", "effect": "NoExecute"})
    cluster.run(for_=30)
    assert 40 <= gone(cluster) < 40.1


# ---- nodes that are lost


@pytest.mark.parametrize("seed", range(8))
def test_C190_a_node_is_lost_and_its_pods_are_replaced_five_minutes_later(seed: int) -> None:
    cluster = up(deployment(), nodes=2, seed=seed)
    (lost,) = on(cluster, "node-2")
    cluster.node("node-2").stop()
    cluster.run(until=80)
    unknown = next(
        r["t"]
        for r in cluster.timeline.select(object="Node/node-2")
        if r["kind"] == "Node" and (r["conditions"]["Ready"] == "Unknown")
    )
    assert 50 <= unknown <= 70
    assert [c["reason"] for c in cluster.get("Node", "node-2")["status"]["conditions"]] == ["NodeStatusUnknown"] * 4
    assert condition(cluster.get("Pod", name(lost)), "Ready")["status"] == "False"
    assert effects(cluster, "node-2") == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    cluster.run(until=400)
    marked = gone(cluster, name(lost))
    assert unknown + 300 <= marked <= unknown + 300.5
    made = [r["t"] for r in cluster.timeline.select(kind="Event", reason="SuccessfulCreate")]
    assert marked <= made[-1] <= marked + 0.2
    assert terminating(cluster.get("Pod", name(lost)))
    assert len(on(cluster, "node-1")) == 2


@pytest.mark.parametrize("seed", range(4))
def test_C191_if_all_nodes_are_lost_nobody_is_evicted(seed: int) -> None:
    cluster = up(deployment(), nodes=2, seed=seed)
    for node in cluster.nodes:
        node.stop()
    cluster.run(for_=600)
    assert all(effects(cluster, n.name) == [(UNREACHABLE, "NoSchedule")] for n in cluster.nodes)
    pods = cluster.get("pods")
    assert [terminating(p) for p in pods] == [False, False]
    assert [condition(p, "Ready")["status"] for p in pods] == ["False", "False"]


def test_after_all_nodes_were_lost_the_clocks_start_afresh() -> None:
    cluster = up(deployment(), nodes=2)
    for node in cluster.nodes:
        node.stop()
    cluster.run(until=300)
    cluster.node("node-1").start()
    cluster.run(until=350)
    assert effects(cluster, "node-1") == []
    assert effects(cluster, "node-2") == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    assert not any(terminating(p) for p in on(cluster, "node-2"))
    cluster.run(until=630)
    assert all(terminating(p) for p in on(cluster, "node-2"))


def test_a_node_that_is_back_within_half_a_minute_was_never_gone() -> None:
    cluster = up(deployment(), nodes=2)
    cluster.node("node-2").stop()
    cluster.run(for_=25)
    cluster.node("node-2").start()
    cluster.run(for_=100)
    ready = {r["conditions"]["Ready"] for r in cluster.timeline.select(kind="Node", object="Node/node-2")}
    assert ready == {"True"}
    assert not list(cluster.timeline.select(reason="NodeNotReady"))
    assert list(cluster.timeline.select(reason="Rebooted"))


def test_the_second_of_three_lost_nodes_waits_ten_seconds_for_its_taint() -> None:
    cluster = up(app(), nodes=4)
    cluster.node("node-2").stop()
    cluster.node("node-3").stop()
    cluster.run(until=90)

    def tainted(node: str) -> float:
        rows = cluster.timeline.select(kind="Node", object=f"Node/{node}")
        return next(r["t"] for r in rows if f"{UNREACHABLE}:NoExecute" in r["taints"])

    assert abs(tainted("node-2") - tainted("node-3")) >= 9.9


def test_a_taint_that_is_due_while_the_api_server_is_away_comes_when_it_is_back() -> None:
    cluster = up(app(), nodes=4)
    cluster.node("node-2").stop()
    cluster.node("node-3").stop()

    def tainted() -> list[str]:
        return [n for n in ("node-2", "node-3") if (UNREACHABLE, "NoExecute") in effects(cluster, n)]

    cluster.run(lambda: len(tainted()) == 1)
    cluster.fault("apiDown", for_=30)
    cluster.run(for_=29)
    assert len(tainted()) == 1
    cluster.run(for_=60)
    assert tainted() == ["node-2", "node-3"]


def test_most_of_a_small_zone_lost_evicts_nobody_more() -> None:
    cluster = up(app(), nodes=5)
    for n in (1, 2, 3):
        cluster.node(f"node-{n}").stop()
    cluster.run(until=120)
    tainted = [n for n in (1, 2, 3) if (UNREACHABLE, "NoExecute") in effects(cluster, f"node-{n}")]
    assert len(tainted) < 3


# ---- node objects that are deleted


def test_C193_pods_of_a_node_that_no_longer_exists_are_collected() -> None:
    cluster = up(app(), nodes=1)
    cluster.node("node-1").stop()
    cluster.delete("node/node-1")
    cluster.run(for_=39)
    assert [name(p) for p in cluster.get("pods")] == ["pod"]
    cluster.run(for_=22)
    assert cluster.get("pods") == []
    last = list(cluster.timeline.select(kind="Pod", object="Pod/pod"))[-1]
    assert last["phase"] == "Failed"
    assert last["reasons"]["DisruptionTarget"] == "DeletionByPodGC"
    assert 50 <= last["t"] <= 71


def test_pods_of_a_node_that_no_longer_exists_are_collected_though_the_api_server_goes_away() -> None:
    cluster = up(app(), nodes=1)
    cluster.node("node-1").stop()
    cluster.delete("node/node-1")
    refused: list[str] = []
    patch = cluster.store.patch

    def away(kind: str, *args: Any, **options: Any) -> Any:
        if kind == "Pod" and not refused:
            refused.append(kind)
            cluster.fault("apiDown", for_=5)
        return patch(kind, *args, **options)

    cluster.store.patch = away  # type: ignore[method-assign]
    cluster.run(for_=130)
    assert refused == ["Pod"]
    assert cluster.get("pods") == []


def test_out_of_service_sets_free_what_a_dead_node_holds() -> None:
    cluster = up(
        deployment(
            tolerations=[{"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]
        ),
        nodes=2,
    )
    cluster.node("node-2").stop()
    cluster.run(until=100)
    (held,) = on(cluster, "node-2")
    assert terminating(held)
    store = cluster.store
    out = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
    store.patch("Node", "", "node-2", lambda n: {**n, "spec": {**n["spec"], "taints": [*n["spec"]["taints"], out]}})
    cluster.run(for_=21)
    assert on(cluster, "node-2") == []


def test_a_deleted_pod_without_a_node_does_not_stay_for_ever() -> None:
    cluster = up(
        app(
            nodeSelector={"none": "such"},
        )
    )
    store = cluster.store
    store.patch("Pod", "default", "pod", lambda p: {**p, "metadata": {**p["metadata"], "finalizers": ["a.b/c"]}})
    cluster.delete("pod/pod")
    cluster.run(for_=30)
    assert terminating(cluster.get("Pod", "pod"))
    store.patch("Pod", "default", "pod", lambda p: {**p, "metadata": {**p["metadata"], "finalizers": []}})
    assert cluster.get("pods") == []


def test_well_nodes_cost_nothing() -> None:
    cluster = Cluster(nodes=5, seed=1).run(until=20)
    steps = cluster.clock.steps
    cluster.run(for_=3600)
    assert cluster.clock.steps - steps < 5
