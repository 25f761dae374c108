"""ResourceQuotas where no end-to-end spec looks: priorities, and what an object that changes takes."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import Forbidden


def quota(name: str, hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard, **spec}}


HIGH = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1}


def pod(name: str, priority: str) -> dict[str, Any]:
    spec = {"priorityClassName": priority, "containers": [{"name": "c", "image": "nginx"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def used(cluster: Cluster, name: str) -> Any:
    return cluster.get("quota", name)["status"]["used"]


def priority(operator: str, *values: str) -> dict[str, Any]:
    expression = {"scopeName": "PriorityClass", "operator": operator, **({"values": list(values)} if values else {})}
    return {"scopeSelector": {"matchExpressions": [expression]}}


def test_only_quotas_of_a_pods_priority_are_charged() -> None:
    cluster = Cluster()
    cluster.apply(HIGH)
    cluster.apply(quota("any", {"pods": "1"}, **priority("Exists")))
    cluster.apply(quota("none", {"pods": "1"}, **priority("DoesNotExist")))
    cluster.apply(quota("high", {"pods": "2"}, **priority("In", "high")))
    cluster.apply(quota("others", {"pods": "2"}, **priority("NotIn", "high")))
    cluster.run(until=1)
    cluster.apply(pod("first", "high"))
    assert [used(cluster, name)["pods"] for name in ("any", "none", "high", "others")] == ["1", "0", "1", "0"]
    with pytest.raises(Forbidden, match="exceeded quota: any, requested: pods=1, used: pods=1, limited: pods=1"):
        cluster.apply(pod("second", "high"))


def test_a_service_that_needs_a_node_port_is_charged_for_it_then() -> None:
    cluster = Cluster()
    cluster.apply(quota("ports", {"services": "2", "services.nodeports": "0"}))
    cluster.run(until=1)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    }
    cluster.apply(service)
    service["spec"]["type"] = "NodePort"  # type: ignore[index]
    with pytest.raises(Forbidden, match=r"limited: services\.nodeports=0"):
        cluster.apply(service)
    assert used(cluster, "ports") == {"services": "2", "services.nodeports": "0"}  # the API server's own is one


def test_nothing_is_made_before_the_quota_has_been_counted() -> None:
    cluster = Cluster()
    cluster.apply(HIGH)
    cluster.apply(quota("new", {"pods": "1"}))
    with pytest.raises(Forbidden, match="status unknown for quota: new, resources: pods"):
        cluster.apply(pod("first", "high"))
