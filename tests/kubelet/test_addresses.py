"""The addresses of a node's pods."""

from __future__ import annotations

from selfheal import Cluster
from tests.conformance.pods import container, pod


def test_an_address_is_free_again_when_its_pod_is_gone() -> None:
    """A /28 has room for 13 pods at a time, and for any number one after another."""
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "small"},
        "spec": {"podCIDR": "10.88.1.0/28"},
    }
    cluster = Cluster([node], seed=1)
    for _ in range(30):
        cluster.apply(pod(container(image="nginx")))
        cluster.run(for_=5)
        assert cluster.get("Pod", "pod")["status"]["phase"] == "Running"
        cluster.delete("pod/pod")
        cluster.run(for_=5)


def test_a_restarted_kubelet_gives_nobody_an_address_that_is_taken() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(pod(container(image="nginx"), name="before"))
    cluster.run(until=10)
    cluster.node("node-1").restart_kubelet()
    cluster.run(for_=10)
    cluster.apply(pod(container(image="nginx"), name="after"))
    cluster.run(for_=10)
    addresses = [p["status"]["podIP"] for p in cluster.get("pods")]
    assert len(set(addresses)) == 2
