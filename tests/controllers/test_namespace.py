"""A namespace goes, and all in it before."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import ApiError
from selfheal.objects import Object, condition, name
from tests.conformance.pods import AGNHOST, container, pod


def shop(**spec: Any) -> list[Object]:
    labels = {"app": "web"}
    pods = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container(image=AGNHOST, args=["netexec"])], **spec},
    }
    wanted = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pods}
    meta = {"name": "web", "namespace": "shop"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": wanted},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}, "data": {}},
        pod(container(image=AGNHOST, args=["netexec"]), name="elsewhere"),
    ]


def up(**spec: Any) -> Cluster:
    cluster = Cluster(nodes=2, seed=1)
    cluster.apply(shop(**spec))
    return cluster.run(until=10)


def left(cluster: Cluster) -> list[str]:
    return sorted(k for k in cluster.store.kinds() if cluster.store.list(k, "shop"))


def test_a_namespace_is_emptied_pods_first_and_then_goes() -> None:
    cluster = up()
    cluster.delete("namespace/shop")
    found = cluster.get("Namespace", "shop")
    assert (found["status"]["phase"], "deletionTimestamp" in found["metadata"]) == ("Terminating", True)
    cluster.run(for_=4.5)
    assert not any("deletionTimestamp" in p["metadata"] for p in cluster.get("pods", namespace="shop"))
    cluster.run(for_=25)
    assert left(cluster) == []
    assert cluster.store.get("Namespace", "", "shop") is None
    assert [p["metadata"]["name"] for p in cluster.get("pods")] == ["elsewhere"]


def test_nothing_new_comes_into_it() -> None:
    cluster = up()
    cluster.delete("namespace/shop")
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late", "namespace": "shop"}}
    with pytest.raises(ApiError, match="unable to create new content in namespace shop"):
        cluster.apply(late)
    cluster.run(for_=60)
    assert len([r for r in cluster.timeline.select(kind="Pod", namespace="shop") if r["phase"] == "Pending"]) <= 12


def test_it_waits_for_pods_that_take_their_time() -> None:
    cluster = Cluster(nodes=1, seed=1)
    stubborn = pod(container(command="sleep 3600"), name="slow", terminationGracePeriodSeconds=30)
    stubborn["metadata"]["namespace"] = "shop"
    cluster.apply([shop()[0], shop()[2], stubborn])
    cluster.run(until=10)
    cluster.delete("namespace/shop")
    cluster.run(for_=20)
    assert left(cluster) == ["ConfigMap", "Event", "Pod", "ServiceAccount"]
    said = condition(cluster.get("Namespace", "shop"), "NamespaceContentRemaining")
    assert said["message"] == "Some resources are remaining: pods. has 1 resource instances"
    cluster.run(for_=60)
    assert cluster.store.get("Namespace", "", "shop") is None


def test_some_namespaces_may_not_be_deleted() -> None:
    cluster = Cluster()
    with pytest.raises(ApiError, match='namespaces "kube-system" is forbidden: this namespace may not be deleted'):
        cluster.delete("namespace/kube-system")


def test_a_cluster_has_its_namespaces_from_the_start() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.run(until=55)
    assert str(cluster.get("ns")).splitlines() == [
        "NAME              STATUS   AGE",
        "default           Active   60s",
        "kube-node-lease   Active   60s",
        "kube-public       Active   60s",
        "kube-system       Active   60s",
    ]
    assert str(cluster.get("services")).splitlines()[1].split()[:5] == [
        "kubernetes",
        "ClusterIP",
        "10.96.0.1",
        "<none>",
        "443/TCP",
    ]
    assert len(cluster.timeline.records) == 0, "who watches comes later"


def test_each_namespace_is_given_an_account_and_the_certificate() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.run(until=1)
    cluster.apply(shop()[0])
    cluster.run(for_=1)
    for space in ("default", "kube-system", "shop"):
        assert [name(o) for o in cluster.get("serviceaccounts", namespace=space)] == ["default"]
        assert "kube-root-ca.crt" in [name(o) for o in cluster.get("configmaps", namespace=space)]
