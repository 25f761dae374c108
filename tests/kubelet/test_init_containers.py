"""Init containers and sidecars, where the last one that exists tells how far a pod has come."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from tests.conformance.pods import container, play, pod

SEEDS = range(4)


def times(cluster: Cluster, reason: str) -> dict[str, list[float]]:
    """Container → when the events with that reason came, in seconds."""
    out: dict[str, list[float]] = {}
    for r in cluster.timeline.select(kind="Event", object="Pod/pod", reason=reason):
        if "{" in r.get("field", ""):
            out.setdefault(r["field"].partition("{")[2][:-1], []).append(r["t"])
    return out


def sidecar(name: str, script: str, **fields: Any) -> dict[str, Any]:
    return container(name, command=script, restartPolicy="Always", **fields)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_power_cut_all_init_containers_run_again_before_the_others(seed: int) -> None:
    inits = [container("one", command="sleep 5"), container("two", command="sleep 5")]
    cluster = play(pod(container(command="sleep 3600"), initContainers=inits), until=30, seed=seed)
    cluster.node("node-1").stop()
    cluster.run(until=60)
    cluster.node("node-1").start()
    cluster.run(until=100)
    begun = {name: at[1] for name, at in times(cluster, "Started").items()}
    assert begun["two"] - begun["one"] >= 5
    assert begun["app"] - begun["two"] >= 5
    status = cluster.get("Pod", "pod")["status"]
    both = (*status["initContainerStatuses"], *status["containerStatuses"])
    assert [s["restartCount"] for s in both] == [1, 1, 1]
    assert [bool(s["lastState"]) for s in both] == [False, False, True]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pod_that_a_power_cut_ended_shows_no_running_container(seed: int) -> None:
    cluster = play(pod(container(command="sleep 3600")), until=30, seed=seed)
    cluster.node("node-1").stop()
    cluster.run(until=60)
    cluster.node("node-1").start()
    cluster.run(until=90)
    first = next(r for r in cluster.timeline.select(kind="Pod") if r["t"] > 60)["containers"][0]
    assert (first["state"], first["reason"], first["exitCode"], first["ready"]) == ("terminated", "Unknown", 255, False)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sidecar_in_back_off_holds_nobody_back_whose_turn_has_come(seed: int) -> None:
    inits = [sidecar("helper", "sleep 1; exit 1"), container("setup", command="sleep 40")]
    cluster = play(pod(container(command="sleep 3600"), initContainers=inits), until=60, seed=seed)
    setup, app = times(cluster, "Started")["setup"][0], times(cluster, "Started")["app"][0]
    assert 40 <= app - setup <= 42.5


def test_under_on_failure_what_has_succeeded_is_not_run_again_after_a_power_cut() -> None:
    both = container("done", command="sleep 5"), container("goes-on", command="sleep 3600")
    cluster = play(pod(*both, restartPolicy="OnFailure"), until=30)
    cluster.node("node-1").stop()
    cluster.run(until=60)
    cluster.node("node-1").start()
    cluster.run(until=100)
    assert {name: len(at) for name, at in times(cluster, "Started").items()} == {"done": 1, "goes-on": 2}


def test_under_on_failure_an_init_container_that_runs_anew_after_a_power_cut_still_reads_completed() -> None:
    """The kubelet holds that one which has succeeded lives again to be a mistake, and drops the whole status."""
    obj = pod(container(command="sleep 3600"), initContainers=[container("setup", command="sleep 8")])
    shown = {}
    for policy in ("OnFailure", "Always"):
        obj["spec"]["restartPolicy"] = policy
        cluster = play(obj, until=30)
        cluster.node("node-1").stop()
        cluster.run(until=60)
        cluster.node("node-1").start()
        cluster.run(until=100)
        assert len(times(cluster, "Started")["setup"]) == 2
        pods = [r for r in cluster.timeline.select(kind="Pod") if r["t"] > 60]
        shown[policy] = {r["initContainers"][0]["state"] for r in pods}, pods[-1]["containers"][0]["state"]
    assert shown["OnFailure"] == ({"terminated"}, "running")
    assert shown["Always"] == ({"terminated", "running"}, "running")


ABSENT = "registry.invalid/x:1"


def last_states(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Container → what it was when the pod's object went."""
    last = cluster.timeline.select(kind="Pod", object="Pod/pod")[-1]
    return {c["name"]: (c["state"], c["reason"]) for c in (*last["initContainers"], *last["containers"])}


def test_a_pod_deleted_before_its_first_init_container_could_be_started() -> None:
    inits = [container("first", image=ABSENT), container("second", command="true")]
    cluster = play(pod(container(command="sleep 3600"), initContainers=inits), until=12)
    cluster.delete("pod/pod")
    cluster.run(until=20)
    waits = ("waiting", "PodInitializing")
    assert last_states(cluster) == {"first": ("terminated", "ContainerStatusUnknown"), "second": waits, "app": waits}
    assert cluster.timeline.select(kind="Pod")[-1]["phase"] == "Failed"


def test_a_pod_deleted_before_its_sidecar_was_up_never_had_another_container() -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 100}
    helper = sidecar("helper", "sleep 3600", startupProbe=probe)
    obj = pod(container(command="sleep 3600"), initContainers=[helper], terminationGracePeriodSeconds=2)
    cluster = play(obj, until=12)
    cluster.delete("pod/pod")
    cluster.run(until=20)
    assert last_states(cluster) == {"helper": ("terminated", "Error"), "app": ("waiting", "PodInitializing")}
