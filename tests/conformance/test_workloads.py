"""StatefulSets, Jobs, CronJobs and DaemonSets on a whole cluster: cases C159 to C178, C192 and C194 to C196."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.clock import SECOND
from selfheal.controllers.job import backoff
from selfheal.objects import Object, condition, names
from tests.conformance.pods import command, container

READY = command("cat", "/tmp/ready", period=1, F=1)


def app(line: str = "touch /tmp/ready; exec sleep 3600", **fields: Any) -> dict[str, Any]:
    """A pod's spec: ready while /tmp/ready is there, gone one second after it was asked to go."""
    fields = {"readinessProbe": READY, **fields}
    return {"terminationGracePeriodSeconds": 1, "containers": [container(command=line, **fields)]}


def stateful_set(replicas: int = 3, spec: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "ss"}}, "spec": spec or app()}
    wanted = {"serviceName": "ss", "replicas": replicas, "selector": {"matchLabels": {"app": "ss"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "ss"},
        "spec": {**wanted, "template": template, **fields},
    }


def rolling(partition: int) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}


def second_version(**fields: Any) -> dict[str, Any]:
    return app(env=[{"name": "VERSION", "value": "2"}], **fields)


def start(*objs: dict[str, Any], until: float, seed: int = 1, nodes: Any = 1) -> Cluster:
    cluster = Cluster(nodes=nodes, seed=seed)
    cluster.apply(list(objs))
    return cluster.run(until=until)


def pods(cluster: Cluster) -> list[str]:
    return names(cluster.get("pods"))


def revisions(cluster: Cluster) -> list[str]:
    """Which pods are of the update revision: ``["ss-2"]``."""
    update = cluster.get("StatefulSet", "ss")["status"]["updateRevision"]
    return [
        p["metadata"]["name"]
        for p in cluster.get("pods")
        if p["metadata"]["labels"]["controller-revision-hash"] == update
    ]


def firsts(cluster: Cluster, **facts: Any) -> dict[str, float]:
    """When each pod first showed these facts; the last time if it was made more than once."""
    out: dict[str, float] = {}
    for r in cluster.timeline.select(kind="Pod"):
        if all(r.get(k) == v for k, v in facts.items()):
            out.setdefault(r["object"], r["t"])
    return out


def created(cluster: Cluster) -> dict[str, float]:
    return firsts(cluster, phase="Pending")


def terminating(cluster: Cluster) -> dict[str, float]:
    return firsts(cluster, terminating=True)


def deleted(cluster: Cluster) -> dict[str, float]:
    return firsts(cluster, deleted=True)


def ready(cluster: Cluster) -> dict[str, float]:
    return firsts(cluster, ready="1/1")


# ---- StatefulSet


@pytest.mark.parametrize("seed", range(3))
def test_C159_ordered_start_halts_at_an_unready_pod(seed: int) -> None:
    cluster = start(stateful_set(spec=app("exec sleep 3600")), until=10, seed=seed)
    assert pods(cluster) == ["ss-0"]
    assert cluster.get("StatefulSet", "ss")["status"]["replicas"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_C160_ordered_start_continues_when_the_pod_becomes_ready(seed: int) -> None:
    cluster = start(stateful_set(spec=app("exec sleep 3600")), until=10, seed=seed)
    for n in range(3):
        cluster.exec(f"ss-{n}", "touch /tmp/ready")
        cluster.run(for_=6)
    born, well = created(cluster), ready(cluster)
    assert list(born) == ["Pod/ss-0", "Pod/ss-1", "Pod/ss-2"]
    for a, b in pairwise(born):
        assert 0 <= born[b] - well[a] <= 0.1
    assert cluster.get("StatefulSet", "ss")["status"]["readyReplicas"] == 3


@pytest.mark.parametrize(("replicas", "goes"), [(0, ["ss-2", "ss-1", "ss-0"]), (1, [])])
def test_C161_scale_down_with_one_unready_pod_below(replicas: int, goes: list[str]) -> None:
    cluster = start(stateful_set(), until=15)
    assert pods(cluster) == ["ss-0", "ss-1", "ss-2"]
    cluster.exec("ss-0", "rm /tmp/ready")
    cluster.run(for_=3)
    cluster.scale("statefulset/ss", replicas)
    cluster.run(for_=30)
    assert [o.removeprefix("Pod/") for o in deleted(cluster)] == goes
    gone, marked = deleted(cluster), terminating(cluster)
    assert all(gone[a] <= marked[b] for a, b in pairwise(marked))


@pytest.mark.parametrize("seed", range(3))
def test_C162_reverse_scale_down_each_gone_before_the_next(seed: int) -> None:
    cluster = start(stateful_set(), until=15, seed=seed)
    cluster.scale("statefulset/ss", 0)
    cluster.run(for_=20)
    gone, marked = deleted(cluster), terminating(cluster)
    assert list(marked) == list(gone) == ["Pod/ss-2", "Pod/ss-1", "Pod/ss-0"]
    assert all(0 <= marked[b] - gone[a] <= 0.1 for a, b in pairwise(marked))


def test_C163_a_partition_as_large_as_the_set_updates_nobody() -> None:
    cluster = start(stateful_set(**rolling(3)), until=15)
    before = cluster.get("StatefulSet", "ss")["status"]
    cluster.apply(stateful_set(spec=second_version(), **rolling(3)))
    cluster.run(for_=60)
    after = cluster.get("StatefulSet", "ss")["status"]
    assert after["updateRevision"] != before["updateRevision"]
    assert after["currentRevision"] == before["currentRevision"]
    assert not terminating(cluster)


def test_C164_canary_only_the_highest_is_updated() -> None:
    cluster = start(stateful_set(**rolling(2)), until=15)
    cluster.apply(stateful_set(spec=second_version(), **rolling(2)))
    cluster.run(for_=60)
    assert revisions(cluster) == ["ss-2"]
    status = cluster.get("StatefulSet", "ss")["status"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (2, 1)


def test_C165_a_phased_update_follows_the_partition_down() -> None:
    cluster = start(stateful_set(**rolling(2)), until=15)
    for partition, updated in ((2, ["ss-2"]), (1, ["ss-1", "ss-2"]), (0, ["ss-0", "ss-1", "ss-2"])):
        cluster.apply(stateful_set(spec=second_version(), **rolling(partition)))
        cluster.run(for_=20)
        assert revisions(cluster) == updated
    status = cluster.get("StatefulSet", "ss")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["currentReplicas"] == 3
    assert list(terminating(cluster)) == ["Pod/ss-2", "Pod/ss-1", "Pod/ss-0"]


def test_C166_a_stuck_rollout_is_not_healed_by_reverting_alone() -> None:
    cluster = start(stateful_set(), until=15)
    cluster.apply(stateful_set(spec=app("exec sleep 3600")))
    cluster.run(for_=15)
    bad = cluster.get("Pod", "ss-2")["metadata"]["labels"]["controller-revision-hash"]
    cluster.apply(stateful_set())
    cluster.run(for_=300)
    stuck = cluster.get("Pod", "ss-2")
    assert stuck["metadata"]["labels"]["controller-revision-hash"] == bad
    assert list(terminating(cluster)) == ["Pod/ss-2"]
    cluster.delete("pod/ss-2")
    cluster.run(for_=15)
    status = cluster.get("StatefulSet", "ss")["status"]
    assert cluster.get("Pod", "ss-2")["metadata"]["labels"]["controller-revision-hash"] == status["currentRevision"]
    assert status["readyReplicas"] == 3


def test_a_stuck_rollout_of_a_parallel_set_heals_when_reverted() -> None:
    cluster = start(stateful_set(podManagementPolicy="Parallel"), until=15)
    cluster.apply(stateful_set(spec=app("exec sleep 3600"), podManagementPolicy="Parallel"))
    cluster.run(for_=15)
    cluster.apply(stateful_set(podManagementPolicy="Parallel"))
    cluster.run(for_=15)
    assert cluster.get("StatefulSet", "ss")["status"]["readyReplicas"] == 3


def test_C167_a_failed_pod_is_deleted_and_made_anew() -> None:
    # A pod that its node refuses (its host port is taken) has no containers; here it has no node either.
    cluster = start(stateful_set(1, {**app(), "nodeSelector": {"lab": "yes"}}), until=10)
    first = cluster.get("Pod", "ss-0")
    failed = {"phase": "Failed", "reason": "NodePorts", "message": "Pod was rejected: Predicate NodePorts failed"}
    cluster.store.patch("Pod", "default", "ss-0", lambda p: {**p, "status": {**p["status"], **failed}}, status=True)
    cluster.label("node/node-1", "lab=yes")
    cluster.run(for_=10)
    second = cluster.get("Pod", "ss-0")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert second["status"]["phase"] == "Running"
    events = cluster.timeline.select(kind="Event", object="StatefulSet/ss")
    assert [r["reason"] for r in events] == ["SuccessfulCreate", "SuccessfulDelete", "SuccessfulCreate"]
    assert events[-1]["count"] == 2


def test_C168_a_missing_predecessor_comes_back_though_another_is_ill() -> None:
    cluster = start(stateful_set(), until=15)
    first = cluster.get("Pod", "ss-0")["metadata"]["uid"]
    cluster.exec("ss-1", "rm /tmp/ready")
    cluster.run(for_=3)
    cluster.delete("pod/ss-0")
    cluster.run(for_=10)
    again = cluster.get("Pod", "ss-0")
    assert again["metadata"]["uid"] != first
    assert condition(again, "Ready")["status"] == "True"
    assert condition(cluster.get("Pod", "ss-1"), "Ready")["status"] == "False"


def test_C169_on_delete_nothing_changes_by_itself() -> None:
    on_delete = {"updateStrategy": {"type": "OnDelete"}}
    cluster = start(stateful_set(**on_delete), until=15)
    cluster.apply(stateful_set(spec=second_version(), **on_delete))
    cluster.run(for_=60)
    assert not terminating(cluster)
    cluster.delete("pod/ss-1")
    cluster.run(for_=10)
    assert revisions(cluster) == ["ss-1"]


def test_min_ready_seconds_delay_the_next_member() -> None:
    cluster = start(stateful_set(minReadySeconds=10), until=60)
    born, well = created(cluster), ready(cluster)
    for a, b in pairwise(born):
        # The time of Ready has whole seconds; the controller looks again 10 or 11 s after it.
        assert 9 <= born[b] - well[a] <= 11.2


# ---- Job


def job(line: str, *, restart: str = "Never", name: str = "job", **spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [container(command=line)]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"spec": pod}, **spec},
    }


def conditions(cluster: Cluster, name: str = "job") -> dict[str, str]:
    found = cluster.get("Job", name)["status"].get("conditions") or ()
    return {c["type"]: c["reason"] for c in found if c["status"] == "True"}


def numbers(cluster: Cluster, name: str = "job") -> dict[str, int]:
    status = cluster.get("Job", name)["status"]
    return {k: status.get(k, 0) for k in ("active", "ready", "succeeded", "failed", "terminating")}


@pytest.mark.parametrize("seed", range(3))
def test_C170_completes(seed: int) -> None:
    cluster = start(job("sleep 3", completions=4, parallelism=2), until=30, seed=seed)
    assert numbers(cluster) == {"active": 0, "ready": 0, "succeeded": 4, "failed": 0, "terminating": 0}
    assert conditions(cluster) == {"SuccessCriteriaMet": "CompletionsReached", "Complete": "CompletionsReached"}
    assert max(r["active"] for r in cluster.timeline.select(kind="Job")) == 2
    assert [r["message"] for r in cluster.timeline.select(kind="Event", reason="Completed")] == ["Job completed"]
    assert cluster.get("Job", "job")["status"]["completionTime"]


def test_C171_the_wait_is_never_longer_than_ten_minutes() -> None:
    waits = [backoff.remaining(n, 0, 0) // SECOND for n in range(1, 60)]
    assert waits[:8] == [10, 20, 40, 80, 160, 320, 600, 600]
    assert set(waits[6:]) == {600}


@pytest.mark.parametrize(
    ("failures", "ago", "left"), [(1, 0, 5), (1, 1, 4), (1, 6, 0), (3, 0, 20), (8, 0, 640), (9, 0, 700), (0, 0, 0)]
)
def test_C172_the_remaining_time(failures: int, ago: int, left: int) -> None:
    found = backoff.remaining(failures, 100 * SECOND, (100 + ago) * SECOND, base=5 * SECOND, longest=700 * SECOND)
    assert found == left * SECOND


def policy(action: str, *codes: int) -> dict[str, Any]:
    return {
        "podFailurePolicy": {"rules": [{"action": action, "onExitCodes": {"operator": "In", "values": list(codes)}}]}
    }


def test_C173_fail_job_ends_it_at_once() -> None:
    cluster = start(job("sleep 1; exit 1", **policy("FailJob", 1)), until=60)
    assert conditions(cluster) == {"FailureTarget": "PodFailurePolicy", "Failed": "PodFailurePolicy"}
    (only,) = pods(cluster)
    text = f"Container app for pod default/{only} failed with exit code 1 matching FailJob rule at index 0"
    assert [r["message"] for r in cluster.timeline.select(kind="Event", reason="PodFailurePolicy")] == [text]


def test_C174_ignored_failures_do_not_count() -> None:
    cluster = Cluster(seed=1, second=0)
    # Before second 8 of the minute it fails, afterwards it does not.
    cluster.apply(job("sleep 1; [ $(date +%S) -ge 8 ] || exit 42", backoffLimit=0, **policy("Ignore", 42)))
    cluster.run(until=40)
    assert len(pods(cluster)) == 2
    assert "Complete" in conditions(cluster)
    assert numbers(cluster)["failed"] == 0
    assert numbers(cluster)["succeeded"] == 1


def test_C175_replacement_policy_failed_waits_for_the_end() -> None:
    spec = job("sleep 600", podReplacementPolicy="Failed", backoffLimit=3)
    spec["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 12
    cluster = start(spec, until=10)
    (first,) = pods(cluster)
    cluster.delete(f"pod/{first}")
    cluster.run(for_=6)
    assert numbers(cluster) == {"active": 0, "ready": 0, "succeeded": 0, "failed": 0, "terminating": 1}
    assert pods(cluster) == [first]
    cluster.run(for_=35)
    assert numbers(cluster) == {"active": 1, "ready": 1, "succeeded": 0, "failed": 1, "terminating": 0}
    assert len(pods(cluster)) == 1
    assert pods(cluster) != [first]


def test_replacement_by_default_begins_with_the_deletion() -> None:
    spec = job("sleep 600", backoffLimit=3)
    spec["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 25
    cluster = start(spec, until=10)
    cluster.delete(f"pod/{pods(cluster)[0]}")
    cluster.run(for_=15)
    assert numbers(cluster) == {"active": 1, "ready": 1, "succeeded": 0, "failed": 1, "terminating": 1}


def test_C176_on_failure_restarts_inside_the_pod() -> None:
    spec = job("[ -e /d/once ] || { touch /d/once; exit 5; }; sleep 1", restart="OnFailure", completions=2)
    pod = spec["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "d", "emptyDir": {}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "d", "mountPath": "/d"}]
    cluster = start(spec, until=60)
    assert "Complete" in conditions(cluster)
    assert numbers(cluster)["failed"] == 0
    assert [p["status"]["containerStatuses"][0]["restartCount"] for p in cluster.get("pods")] == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_C177_a_finished_job_goes_after_its_time(seed: int) -> None:
    cluster = start(job("sleep 1", ttlSecondsAfterFinished=5), until=30, seed=seed)
    over = next(r["t"] for r in cluster.timeline.select(kind="Job") if "Complete" in r["conditions"])
    gone = next(r["t"] for r in cluster.timeline.select(kind="Job") if r.get("deleted"))
    assert 4 <= gone - over <= 6.5  # the time of the condition has whole seconds
    assert pods(cluster) == []
    assert all(t <= gone for t in deleted(cluster).values())


def test_C178_suspend_and_resume() -> None:
    cluster = start(job("sleep 600", parallelism=2, completions=2), until=10)
    began = cluster.get("Job", "job")["status"]["startTime"]
    cluster.apply(job("sleep 600", parallelism=2, completions=2, suspend=True))
    cluster.run(for_=20)
    assert pods(cluster) == []
    assert conditions(cluster) == {"Suspended": "JobSuspended"}
    assert numbers(cluster) == {"active": 0, "ready": 0, "succeeded": 0, "failed": 0, "terminating": 0}
    cluster.apply(job("sleep 600", parallelism=2, completions=2, suspend=False))
    cluster.run(for_=10)
    assert len(pods(cluster)) == 2
    status = cluster.get("Job", "job")["status"]
    assert condition(cluster.get("Job", "job"), "Suspended")["status"] == "False"
    assert status["startTime"] > began
    texts = [r["message"] for r in cluster.timeline.select(kind="Event", object="Job/job")]
    assert [t for t in texts if t.startswith("Job ")] == ["Job suspended", "Job resumed"]


def test_never_and_a_limit_of_three_make_four_pods_with_growing_waits() -> None:
    cluster = start(job("sleep 2; exit 1", backoffLimit=3), until=200)
    births = sorted(created(cluster).values())
    ends = sorted(firsts(cluster, phase="Failed").values())
    assert len(births) == 4
    for wait, birth, end in zip((10, 20, 40), births[1:], ends, strict=False):
        # From the exit, in whole seconds; the phase comes 1.1 to 2 s after the exit.
        assert wait - 3 <= birth - end <= wait
    assert conditions(cluster)["Failed"] == "BackoffLimitExceeded"
    assert numbers(cluster)["failed"] == 4


def test_an_active_deadline_ends_a_job() -> None:
    cluster = start(job("sleep 600", activeDeadlineSeconds=10), until=40)
    assert conditions(cluster) == {"FailureTarget": "DeadlineExceeded", "Failed": "DeadlineExceeded"}
    (marked,) = terminating(cluster).values()
    assert 8.9 <= marked <= 10.2
    assert numbers(cluster)["failed"] == 1


# ---- CronJob


def cron_job(line: str = "sleep 5", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job(line)["spec"]}, **spec},
    }


def jobs_started(cluster: Cluster) -> list[float]:
    out: dict[str, float] = {}
    for r in cluster.timeline.select(kind="Job"):
        out.setdefault(r["object"], r["t"])
    return sorted(out.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_job_starts_a_tenth_of_a_second_after_each_full_minute(seed: int) -> None:
    cluster = Cluster(seed=seed, second=30)
    cluster.apply(cron_job())
    cluster.run(until=200)
    offsets = [t - due for t, due in zip(jobs_started(cluster), (30, 90, 150), strict=True)]
    # Second 0 of the run may be up to a second into the 30th.
    assert all(-0.9 <= o <= 0.2 for o in offsets)
    assert max(offsets) - min(offsets) < 0.05


def test_allow_starts_jobs_side_by_side_and_replace_ends_the_old_one() -> None:
    for concurrency, running in (("Allow", 3), ("Replace", 1), ("Forbid", 1)):
        cluster = Cluster(seed=2, second=30)
        cluster.apply(cron_job("sleep 600", concurrencyPolicy=concurrency))
        cluster.run(until=175)
        assert len(cluster.get("CronJob", "tick")["status"]["active"]) == running
        assert len(cluster.get("jobs")) == running
        assert len(jobs_started(cluster)) == (1 if concurrency == "Forbid" else 3)


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_job_that_was_replaced_is_not_taken_for_a_stranger(seed: int) -> None:
    cluster = Cluster(seed=seed, second=30)
    cluster.apply([{**cron_job("sleep 600", concurrencyPolicy="Replace"), "metadata": {"name": n}} for n in "abc"])
    cluster.run(until=100)
    told = [r["reason"] for r in cluster.timeline.select(kind="Event", object="CronJob/a")]
    # The sync that follows may yet have the CronJob as it was before: then the old Job is missed.
    assert [r for r in told if r != "MissingJob"] == ["SuccessfulCreate", "SuccessfulDelete", "SuccessfulCreate"]


def test_history_limits_remove_the_oldest() -> None:
    cluster = Cluster(seed=2, second=30)
    cluster.apply(cron_job("exit 0", successfulJobsHistoryLimit=2))
    cluster.run(until=60 * 5)
    assert len(cluster.get("jobs")) == 2
    assert cluster.timeline.select(kind="Event", object="CronJob/tick", reason="SuccessfulDelete")


def test_a_suspended_cron_job_starts_nothing_and_a_late_one_may_not() -> None:
    cluster = Cluster(seed=2, second=30)
    cluster.apply(cron_job(suspend=True, startingDeadlineSeconds=10))
    cluster.run(until=120)
    assert jobs_started(cluster) == []
    cluster.apply(cron_job(suspend=False, startingDeadlineSeconds=10))
    cluster.run(until=145)
    assert jobs_started(cluster) == []
    cluster.run(until=160)
    assert len(jobs_started(cluster)) == 1


# ---- DaemonSet


def daemon_set(spec: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": spec or app()}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template, **fields},
    }


def node(name: str, *, taints: tuple[str, ...] = (), **labels: str) -> Object:
    marks = [{"key": t, "effect": "NoSchedule"} for t in taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "spec": {"taints": marks} if marks else {},
        "status": {
            "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
        },
    }


def places(cluster: Cluster) -> list[str]:
    return sorted(p["spec"]["nodeName"] for p in cluster.get("pods"))


def test_C192_daemon_pods_stay_on_a_dead_node() -> None:
    cluster = start(daemon_set(), until=20, nodes=2)
    tolerations = cluster.get("pods")[0]["spec"]["tolerations"]
    for taint in ("not-ready", "unreachable"):
        (found,) = (t for t in tolerations if t["key"] == f"node.kubernetes.io/{taint}")
        assert "tolerationSeconds" not in found
    cluster.node("node-1").stop()
    cluster.run(until=620)
    lost = next(p for p in cluster.get("pods") if p["spec"]["nodeName"] == "node-1")
    assert places(cluster) == ["node-1", "node-2"]
    assert "deletionTimestamp" not in lost["metadata"]


def test_C192_daemon_pods_of_a_dead_node_are_not_ready() -> None:
    cluster = start(daemon_set(), until=20, nodes=2)
    cluster.node("node-1").stop()
    cluster.run(until=100)
    lost = next(p for p in cluster.get("pods") if p["spec"]["nodeName"] == "node-1")
    assert condition(lost, "Ready")["status"] == "False"


def test_C194_a_daemon_pod_on_each_matching_node() -> None:
    nodes = [node("a", color="blue"), node("b", taints=("lab",), color="blue"), node("c")]
    cluster = start(daemon_set({**app(), "nodeSelector": {"color": "blue"}}), until=10, nodes=nodes)
    assert places(cluster) == ["a"]
    cluster.label("node/a", "color=green")
    cluster.run(for_=0.2)
    assert len(terminating(cluster)) == 1
    assert cluster.get("DaemonSet", "agent")["status"]["numberMisscheduled"] == 1
    cluster.run(for_=5)
    assert places(cluster) == []
    cluster.label("node/c", "color=blue")
    cluster.run(for_=5)
    assert places(cluster) == ["c"]
    assert cluster.get("DaemonSet", "agent")["status"]["numberReady"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_C195_a_rolling_update_takes_one_node_at_a_time(seed: int) -> None:
    cluster = start(daemon_set(), until=15, nodes=3, seed=seed)
    old = pods(cluster)
    cluster.apply(daemon_set(second_version()))
    cluster.run(for_=60)
    during = [r for r in cluster.timeline.select(kind="DaemonSet") if r["t"] > 15]
    assert min(r["available"] for r in during) == 2
    status = cluster.get("DaemonSet", "agent")["status"]
    assert (status["updatedNumberScheduled"], status["numberAvailable"]) == (3, 3)
    assert not set(old) & set(pods(cluster))
    assert len(old) == len(terminating(cluster))


@pytest.mark.parametrize("seed", range(3))
def test_C196_with_surge_the_old_pod_goes_when_the_new_one_is_available(seed: int) -> None:
    surge = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    cluster = start(daemon_set(**surge), until=15, nodes=3, seed=seed)
    old = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in cluster.get("pods")}
    cluster.apply(daemon_set(second_version(), **surge))
    cluster.run(for_=60)
    marked, well = terminating(cluster), ready(cluster)
    new = {p["spec"]["nodeName"]: p["metadata"]["name"] for p in cluster.get("pods")}
    assert len(new) == 3
    for name, where in old.items():
        assert marked[f"Pod/{name}"] >= well[f"Pod/{new[where]}"]
    during = [r for r in cluster.timeline.select(kind="DaemonSet") if r["t"] > 15]
    assert min(r["available"] for r in during) == 3


def test_a_daemon_pod_is_replaced_when_it_has_ended_not_before() -> None:
    cluster = start(daemon_set({**app(), "terminationGracePeriodSeconds": 5}), until=10)
    (first,) = pods(cluster)
    cluster.delete(f"pod/{first}")
    cluster.run(for_=15)
    ended = firsts(cluster, phase="Failed")[f"Pod/{first}"]
    (second,) = (o for o in created(cluster) if o != f"Pod/{first}")
    assert 0 <= created(cluster)[second] - ended <= 0.1
    assert created(cluster)[second] < deleted(cluster)[f"Pod/{first}"]
