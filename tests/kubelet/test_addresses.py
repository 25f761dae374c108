"""The addresses of a node's pods."""

from __future__ import annotations

from selfheal import Cluster
from tests.conformance.pods import container, play, pod


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


def test_a_pod_in_the_nodes_network_has_its_address_and_its_endpoint_before_anything_of_it_runs() -> None:
    """(kubelet_pods.go generateAPIPodStatus)"""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "pod"}}
    ports = {"spec": {"selector": {"app": "pod"}, "ports": [{"port": 80}]}}
    for host_network in (True, False):
        obj = pod(container(image="registry.invalid/x:1", imagePullPolicy="Never"), hostNetwork=host_network)
        cluster = play({**service, **ports}, obj, until=0.4)
        found = cluster.get("Pod", "pod")["status"]
        assert (found.get("podIP") == found["hostIP"]) is host_network
        ends = cluster.timeline.select(kind="EndpointSlice")[-1]["endpoints"]
        assert [e["ready"] for e in ends] == ([False] if host_network else [])
