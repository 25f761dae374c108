"""Pods that name their node themselves: the kubelet looks whether it can have them."""

from __future__ import annotations

from typing import Any

from selfheal import Cluster
from selfheal.clock import SECOND
from selfheal.kubelet.predicate import rejection
from selfheal.objects import Object, labels
from tests.conformance.pods import container, pod


def asking(cpu: str, name: str = "pod", **spec: Any) -> Object:
    return pod(container(command="sleep 1000", resources={"requests": {"cpu": cpu}}), name=name, **spec)


def rejected(cluster: Cluster, name: str = "pod") -> tuple[str, str]:
    status = cluster.get("Pod", name)["status"]
    assert status["phase"] == "Failed"
    events = cluster.timeline.select(kind="Event", object=f"Pod/{name}")
    assert [(r["type"], r["reason"], f"Pod was rejected: {r['message']}") for r in events] == [
        ("Warning", status["reason"], status["message"])
    ]
    return status["reason"], status["message"]


def test_too_little_cpu_is_left() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.apply([asking("1500m", "first")])
    cluster.run(until=5)
    cluster.apply(asking("600m", nodeName="node-1"))
    cluster.run(until=6)
    assert rejected(cluster) == (
        "OutOfcpu",
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000",
    )
    cluster.run(until=60)
    assert cluster.get("Pod", "first")["status"]["phase"] == "Running"
    status = cluster.get("Pod", "pod")["status"]
    assert "containerStatuses" not in status, "nothing of it was begun"
    since = cluster.clock.at_timestamp(status["startTime"]) / SECOND
    assert (status["observedGeneration"], 4 < since < 6) == (1, True), "the kubelet has seen it"
    cluster.delete("pod/pod")
    assert cluster.store.get("Pod", "default", "pod") is None


def test_what_fits_runs_without_any_scheduler() -> None:
    cluster = Cluster(nodes=2, seed=1)
    cluster.apply([asking("1", nodeName="node-2")])
    cluster.run(until=10)
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Running"


def test_a_node_that_is_not_what_the_pod_asks_for() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.apply([asking("1", nodeName="node-1", nodeSelector={"disk": "ssd"})])
    cluster.run(until=1)
    assert rejected(cluster) == (
        "NodeAffinity",
        "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    )


def test_a_taint_counts_if_it_evicts() -> None:
    """Seldom seen: the taint eviction controller deletes such a pod in the same moment."""
    for effect, expected in (("NoExecute", "TaintToleration"), ("NoSchedule", None)):
        node = {"metadata": {"name": "n"}, "spec": {"taints": [{"key": "lab", "effect": effect}]}}
        found = rejection(asking("1"), node, [])
        assert (found and found[0]) == expected


def test_a_cordoned_node_takes_whom_the_scheduler_would_not_send() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.cordon("node-1")
    cluster.run(until=2)
    cluster.apply([asking("1", nodeName="node-1")])
    cluster.run(until=10)
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Running"


def test_a_replica_set_whose_template_names_a_full_node_makes_failed_pods_without_end() -> None:
    """A failed pod is none of its replicas, so another is created; nothing slows that down but the node's answers."""
    cluster = Cluster(nodes=1, seed=1)
    spec = asking("3", nodeName="node-1")
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec["spec"]}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        }
    )
    cluster.run(until=3)
    pods = [p for p in cluster.get("pods") if labels(p).get("app") == "web"]
    assert len(pods) > 10
    assert {p["status"].get("reason") for p in pods} <= {"OutOfcpu", None}
