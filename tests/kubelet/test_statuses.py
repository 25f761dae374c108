"""What a pod's status shows, down to its order and its zeros."""

from __future__ import annotations

from tests.conformance.pods import container, play, pod


def test_containers_stand_in_the_order_of_their_names_and_init_containers_in_that_of_the_spec() -> None:
    """(pkg/kubelet/types/types.go SortedContainerStatuses, SortStatusesOfInitContainers)"""
    names = ("web", "cache", "log")
    inits = [container(name=f"init-{n}", command="true") for n in names]
    cluster = play(pod(*(container(name=n, command="sleep 600") for n in names), initContainers=inits), until=30)
    status = cluster.get("Pod", "pod")["status"]
    assert [s["name"] for s in status["containerStatuses"]] == ["cache", "log", "web"]
    assert [s["name"] for s in status["initContainerStatuses"]] == ["init-web", "init-cache", "init-log"]


def test_a_container_that_could_not_be_started_has_started_in_1970() -> None:
    """The runtime's time of its start is zero, and the kubelet makes a date of it."""
    cluster = play(pod({**container(), "command": ["/no/such"]}, restartPolicy="Never"), until=30)
    (status,) = cluster.get("Pod", "pod")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "StartError"
    assert status["state"]["terminated"]["startedAt"] == "1970-01-01T00:00:00Z"
    assert "Thu, 01 Jan 1970 00:00:00 +0000" in cluster.describe("pod/pod")
