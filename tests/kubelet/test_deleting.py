"""Pods that are deleted while their kubelet is busy with them: it gives up what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from tests.conformance.pods import command, container, events, messages, play, pod

DEAF = {"args": ["sleep", "1000"]}
"""A process 1 that SIGTERM does not end."""


def deleted(obj: dict[str, Any], *at: tuple[float, int | None], until: float = 90) -> Cluster:
    """Deleted at those times with those grace periods, in seconds; None: the pod's own."""
    cluster = play(obj, until=at[0][0])
    for t, grace in at:
        cluster.run(until=t)
        cluster.delete("pod/pod", grace=grace)
    return cluster.run(until=until)


def ended(cluster: Cluster) -> float:
    return next(r["t"] for r in cluster.timeline.select(kind="Pod") if r.get("containers")[0]["state"] == "terminated")


@pytest.mark.parametrize("hook", [{"sleep": {"seconds": 25}}, {"exec": {"command": ["sleep", "25"]}}])
def test_a_pod_deleted_in_its_post_start_does_not_wait_for_it(hook: dict[str, Any]) -> None:
    app = container(**DEAF, lifecycle={"postStart": hook})
    cluster = deleted(pod(app, terminationGracePeriodSeconds=25), (5, 3))
    assert messages(cluster, "FailedPostStartHook") == ["PostStartHook failed"]
    assert messages(cluster, "Killing") == ["FailedPostStartHook", "Stopping container app"]
    assert events(cluster, "Killing")[0] < 5.1
    assert 8 <= ended(cluster) <= 9.5


def test_a_pod_deleted_in_a_post_start_leaves_complaints_about_the_images_of_the_containers_after_it() -> None:
    """The sync goes on to them, and what it asks the runtime is refused: it has been cancelled."""
    hook = {"postStart": {"exec": {"command": ["sleep", "25"]}}}
    first, second = container(**DEAF, lifecycle=hook), container(**DEAF, name="b")
    cluster = deleted(pod(first, second), (5, 3))
    of_second = [r for r in cluster.timeline.select(kind="Event") if r.get("field") == "spec.containers{b}"]
    assert [(r["type"], r["reason"], r["message"]) for r in of_second] == [
        (
            "Warning",
            "InspectFailed",
            'Failed to inspect image "": rpc error: code = Canceled desc = context canceled',
        ),
        ("Warning", "Failed", "Error: ImageInspectError"),
    ]


def test_a_pod_deleted_while_its_sandbox_is_made_does_not_wait_for_it() -> None:
    for seed in range(12):
        cluster = Cluster(nodes=1, seed=seed).run(until=1)
        cluster.apply(pod(container(**DEAF)))
        cluster.run(until=1.45)
        cluster.delete("pod/pod")
        cluster.run(until=10)
        if events(cluster, "Pulled"):
            continue  # it was quicker
        gone = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r.get("deleted"))
        assert gone < 3.7, seed  # a relist, a look at the work queue and another relist


def test_a_second_shorter_deletion_ends_a_pod_sooner() -> None:
    cluster = deleted(pod(container(**DEAF), terminationGracePeriodSeconds=60), (20, None), (25, 3))
    assert 28 <= ended(cluster) <= 29.5
    (failed,) = messages(cluster, "FailedKillPod")
    canceled = '"rpc error: code = Canceled desc = context canceled"'
    assert failed.startswith(
        f'error killing pod: [failed to "KillContainer" for "app" with KillContainerError: {canceled}, '
        'failed to "KillPodSandbox" for "'
    )
    assert [r["count"] for r in cluster.timeline.select(kind="Event", reason="Killing")] == [1, 2]


def test_a_second_longer_deletion_changes_nothing() -> None:
    cluster = deleted(pod(container(**DEAF), terminationGracePeriodSeconds=10), (20, None), (25, 60))
    assert 30 <= ended(cluster) <= 31
    assert not messages(cluster, "FailedKillPod")


def test_a_pod_deleted_while_a_probe_kills_its_container_gets_its_whole_grace_period_again() -> None:
    """Its signal is not repeated: a process that obeys late has all the time there is."""
    script = "n=0; trap 'n=$((n+1)); echo term $n' TERM; while true; do sleep 1; done"
    app = container(command=script, livenessProbe=command("false", period=5, F=1))
    cluster = play(pod(app, terminationGracePeriodSeconds=20), until=12)
    log = cluster.container("pod").log
    assert 5 <= events(cluster, "Killing")[0] <= 7
    cluster.delete("pod/pod")
    cluster.run(until=60)
    assert 32 <= ended(cluster) <= 34
    assert [line for _, line in log] == ["term 1"]


def test_a_pod_deleted_in_the_pre_stop_of_a_probes_kill_runs_it_again() -> None:
    hook = {"preStop": {"exec": {"command": ["sleep", "15"]}}}
    app = container(**DEAF, lifecycle=hook, livenessProbe=command("false", period=5, F=1))
    cluster = deleted(pod(app, terminationGracePeriodSeconds=20), (12, None))
    assert messages(cluster, "FailedPreStopHook") == ["PreStopHook failed"]
    assert 32 <= ended(cluster) <= 34


def test_a_forced_deletion_leaves_one_second_for_the_pre_stop() -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /proc/1/fd/1"]}}}
    cluster = play(pod(container(**DEAF, lifecycle=hook)), until=20)
    log = cluster.container("pod").log
    cluster.delete("pod/pod", grace=0)
    cluster.run(until=30)
    assert [line for _, line in log] == ["stopping"]
