"""A pod that is gone leaves nothing behind on its node."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from tests.conformance.pods import command, container, pod

MAIN = container(
    command="touch /tmp/healthy; sleep 100000",
    readinessProbe=command("cat", "/tmp/healthy", period=1),
    startupProbe=command("true", period=1),
)


def left(cluster: Cluster) -> dict[str, Any]:
    """What a node still keeps of pods."""
    node = cluster.node("node-1")
    kubelet = node.kubelet
    books = {
        "sandboxes": node.runtime.sandboxes,
        "containers": node.runtime._containers,
        "workers": kubelet.workers,
        "statuses": kubelet.statuses._statuses,
        "snapshots": kubelet.pleg._snapshots,
        "probe workers": kubelet.prober.workers,
        "startup times": kubelet.prober.started_at,
        "results": {i: r for results in kubelet.prober.results.values() for i, r in results._results.items()},
    }
    return {what: book for what, book in books.items() if book}


def running(grace: int = 1) -> Cluster:
    cluster = Cluster(seed=1)
    cluster.apply(pod(MAIN, terminationGracePeriodSeconds=grace))
    cluster.run(until=20)
    assert len(left(cluster)) == 8
    return cluster


@pytest.mark.parametrize("grace", [None, 0])
def test_of_a_deleted_pod_nothing_is_left(grace: int | None) -> None:
    cluster = running()
    cluster.delete("pod/pod", grace=grace)
    cluster.run(until=40)
    assert left(cluster) == {}


def test_of_a_pod_that_had_ended_nothing_is_left_once_it_is_deleted() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(pod(container(command="exit 0"), restartPolicy="Never"))
    cluster.run(until=20)
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Succeeded"
    cluster.node("node-1").stop()
    cluster.node("node-1").start()
    cluster.run(until=40)
    assert "sandboxes" in left(cluster)  # `kubectl logs` still works
    cluster.delete("pod/pod")
    cluster.run(until=60)
    assert left(cluster) == {}


def test_of_a_pod_that_was_deleted_while_its_node_was_off_nothing_is_left() -> None:
    cluster = running()
    cluster.node("node-1").stop()
    cluster.delete("pod/pod", grace=0)
    cluster.node("node-1").start()
    cluster.run(until=40)
    assert left(cluster) == {}
