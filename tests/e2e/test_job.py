"""[sig-apps] Job"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.api import BUSYBOX, PAUSE, Client, Object

FAIL_ONCE = """
if [[ -r /data/foo ]]
then
    exit 0
else
    touch /data/foo
    exit 1
fi
"""
WAIT_ONCE = """
if [[ -r /data/foo ]]
then
    exit 0
elif [[ $JOB_COMPLETION_INDEX -eq 0 ]]
then
    touch /data/foo
    sleep 1000000
else
    exit 1
fi
"""
FAIL_ODD = """
if [ $(expr ${JOB_COMPLETION_INDEX} % 2) -ne 0 ]; then
    exit 1
else
    exit 0
fi
"""
SLOW_END = """_term(){
    sleep 5
    exit 143
}
trap _term SIGTERM
while true; do
    sleep 1
done"""

COMPLETIONS = 4
PARALLELISM = 2


def shell(script: str) -> Object:
    return {"image": BUSYBOX, "command": ["/bin/sh", "-c"], "args": [script]}


BEHAVIOURS: dict[str, Object] = {
    "succeed": {"image": BUSYBOX, "command": ["/bin/sh", "-c", "exit 0"]},
    "shell": {"image": BUSYBOX, "command": []},  # there is nothing to read: it ends at once
    "fail": {"image": BUSYBOX, "command": ["/bin/sh", "-c", "exit 1"]},
    "notTerminate": {"image": PAUSE},
    "failOnce": shell(FAIL_ONCE),
    "failOddSucceedEven": shell(FAIL_ODD),
    "notTerminateOnce": shell(WAIT_ONCE),
    "slowEnd": shell(SLOW_END),
}


def job(behaviour: str, name: str, restart: str = "Never", node: str = "", **spec: Any) -> Object:
    """A job as the suite makes it; on a named node its pods share a folder of that node."""
    data: Object = {"name": "data", "emptyDir": {}}
    container = {"name": "c", "securityContext": {}, "volumeMounts": [{"mountPath": "/data", "name": "data"}]}
    pod: Object = {
        "restartPolicy": restart,
        "volumes": [data],
        "containers": [container | BEHAVIOURS[behaviour]],
    }
    if node:
        pod["nodeSelector"] = {"kubernetes.io/hostname": node}
        pod["containers"][0]["securityContext"] = {"privileged": True}
        del data["emptyDir"]
        data["hostPath"] = {"path": f"/tmp/job-e2e/{name}", "type": "DirectoryOrCreate"}
    if behaviour == "notTerminateOnce":
        pod["terminationGracePeriodSeconds"] = 1
    template = {"metadata": {"labels": {"job": name}}, "spec": pod}
    spec = {"parallelism": PARALLELISM, "completions": COMPLETIONS, "backoffLimit": 6, **spec}
    spec = {"manualSelector": False, "template": template, **spec}
    return {"kind": "Job", "metadata": {"name": name}, "spec": {k: v for k, v in spec.items() if v is not None}}


def pods(e2e: Client, name: str, phase: str = "") -> list[Object]:
    found = e2e.list("Pod", f"job={name}")
    return [p for p in found if not phase or p["status"]["phase"] == phase]


def status(e2e: Client, name: str) -> Object:
    found: Object = e2e.get("Job", name).get("status") or {}
    return found


def has(e2e: Client, name: str, condition: str, reason: str = "") -> None:
    """Wait until a job has a condition."""

    def told() -> bool:
        found = status(e2e, name).get("conditions") or ()
        return any(c["type"] == condition and c["status"] == "True" and reason in ("", c["reason"]) for c in found)

    e2e.wait(told, limit=900, step=1)


def completes(
    e2e: Client, name: str, completions: int | None = COMPLETIONS, reason: str = "CompletionsReached"
) -> None:
    """Wait until a job is complete; nothing of it may still run then."""
    has(e2e, name, "SuccessCriteriaMet", reason)
    has(e2e, name, "Complete", reason)
    now = status(e2e, name)
    assert (now.get("active", 0), now.get("ready", 0), now.get("terminating", 0)) == (0, 0, 0)
    if completions is not None:
        assert now["succeeded"] == completions


def fails(e2e: Client, name: str, reason: str) -> Object:
    has(e2e, name, "FailureTarget", reason)
    has(e2e, name, "Failed", reason)
    return status(e2e, name)


def running(e2e: Client, name: str, count: int = PARALLELISM) -> list[Object]:
    e2e.wait(lambda: len(pods(e2e, name, "Running")) == count)
    return pods(e2e, name, "Running")


def suspend(e2e: Client, name: str, value: bool) -> None:
    e2e.retry("Job", name, lambda j: j["spec"].update(suspend=value))


def delete_with_pods(e2e: Client, name: str) -> None:
    e2e.delete("Job", name, propagationPolicy="Background")
    e2e.wait(lambda: not e2e.there("Job", name) and not pods(e2e, name))


def test_completes_when_tasks_succeed(e2e: Client) -> None:
    e2e.create(job("succeed", "all-succeed"))
    completes(e2e, "all-succeed")
    assert len(pods(e2e, "all-succeed", "Succeeded")) == COMPLETIONS


def ignoring(*rules: Object) -> Object:
    return {"rules": [{"action": "Ignore", **rule} for rule in rules]}


def codes(*values: int) -> Object:
    return {"onExitCodes": {"operator": "In", "values": list(values)}}


def test_a_policy_ends_the_job_at_an_exit_code(e2e: Client) -> None:
    policy = {"rules": [{"action": "FailJob", **codes(1)}]}
    e2e.create(job("fail", "pod-failure-failjob", podFailurePolicy=policy))
    fails(e2e, "pod-failure-failjob", "PodFailurePolicy")


def test_a_policy_ignores_an_exit_code(e2e: Client) -> None:
    e2e.create(job("failOnce", "ignore", node="node-1", backoffLimit=0, podFailurePolicy=ignoring(codes(1))))
    completes(e2e, "ignore")


def test_a_policy_ignores_disruptions(e2e: Client) -> None:
    disrupted = {"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    policy = ignoring(codes(1), disrupted)
    indexed: Any = {"completionMode": "Indexed", "backoffLimit": 0, "podFailurePolicy": policy}
    e2e.create(job("notTerminateOnce", "evicted", node="node-2", **indexed))
    e2e.wait(lambda: len(pods(e2e, "evicted", "Succeeded")) == COMPLETIONS - 1, limit=300)
    [first] = running(e2e, "evicted", 1)
    e2e.evict(first["metadata"]["name"])
    e2e.wait(lambda: not e2e.there("Pod", first["metadata"]["name"]))
    completes(e2e, "evicted")


def test_containers_that_restart_by_themselves_are_no_failures(e2e: Client) -> None:
    policy = {"rules": [{"action": "FailJob", **codes(1)}]}
    one: Any = {"completions": 1, "parallelism": 1, "backoffLimit": 1, "podFailurePolicy": policy}
    made = job("failOnce", "restarts", node="node-1", **one)
    made["spec"]["template"]["spec"]["containers"][0]["restartPolicy"] = "OnFailure"
    e2e.create(made)
    completes(e2e, "restarts", 1)
    [pod] = pods(e2e, "restarts")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 1


def test_another_controller_may_take_a_job(e2e: Client) -> None:
    e2e.create(job("succeed", "managed", managedBy="example.com/custom-job-controller"))
    e2e.advance(10)
    assert status(e2e, "managed") == {}
    assert pods(e2e, "managed") == []

    def start(obj: Object) -> None:
        obj["status"] = {"active": 2, "ready": 1, "startTime": obj["metadata"]["creationTimestamp"]}

    e2e.retry("Job", "managed", start, "status")
    e2e.advance(10)
    assert status(e2e, "managed")["active"] == 2


def test_a_suspended_job_makes_no_pods(e2e: Client) -> None:
    e2e.create(job("succeed", "suspended", suspend=True))
    has(e2e, "suspended", "Suspended")
    assert pods(e2e, "suspended") == []
    suspend(e2e, "suspended", False)
    completes(e2e, "suspended")


def test_pods_go_when_a_job_is_suspended(e2e: Client) -> None:
    e2e.create(job("notTerminate", "to-suspend", suspend=False))
    running(e2e, "to-suspend")
    suspend(e2e, "to-suspend", True)
    e2e.wait(lambda: not pods(e2e, "to-suspend"))
    has(e2e, "to-suspend", "Suspended")


def resources(cpu: str) -> Object:
    return {"requests": {"cpu": cpu, "memory": "32Mi"}, "limits": {"cpu": cpu, "memory": "64Mi"}}


def resized(e2e: Client, name: str, wanted: Object) -> None:
    """Change what the pods of a suspended job will ask for, and let it go on."""
    e2e.retry("Job", name, lambda j: j["spec"]["template"]["spec"]["containers"][0].update(resources=wanted))
    assert e2e.get("Job", name)["spec"]["template"]["spec"]["containers"][0]["resources"] == wanted
    suspend(e2e, name, False)


def test_resources_of_a_suspended_job_may_change(e2e: Client) -> None:
    made = job("succeed", "resize", suspend=True, completions=1, parallelism=1)
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = resources("100m")
    e2e.create(made)
    has(e2e, "resize", "Suspended")
    resized(e2e, "resize", resources("200m"))
    completes(e2e, "resize", 1)
    [pod] = pods(e2e, "resize")
    assert pod["spec"]["containers"][0]["resources"] == resources("200m")


def test_resources_of_a_job_that_was_suspended_later_may_change(e2e: Client) -> None:
    made = job("notTerminate", "resize-later", completions=1, parallelism=1)
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = resources("100m")
    e2e.create(made)
    running(e2e, "resize-later", 1)
    suspend(e2e, "resize-later", True)
    has(e2e, "resize-later", "Suspended")
    e2e.wait(lambda: status(e2e, "resize-later").get("active", 0) == 0 and not pods(e2e, "resize-later"))
    resized(e2e, "resize-later", resources("200m"))
    [pod] = running(e2e, "resize-later", 1)
    assert pod["spec"]["containers"][0]["resources"] == resources("200m")


def test_status_changes_of_a_job(e2e: Client) -> None:
    made = e2e.create(job("notTerminate", "status"))
    running(e2e, "status")
    time = "2026-01-02T03:04:05Z"
    condition = {"type": "CustomConditionType", "status": "True", "lastTransitionTime": time}
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"conditions": [condition]}}
    patched = e2e.patch("Job", "status", patch, "merge", "status")
    assert patched["status"]["conditions"][0]["lastTransitionTime"] == time
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    later = "2026-02-02T03:04:05Z"
    updated = e2e.retry(
        "Job", "status", lambda j: j["status"]["conditions"][0].update(lastTransitionTime=later), "status"
    )
    assert updated["status"]["conditions"][0]["lastTransitionTime"] == later
    assert e2e.get("Job", "status", "status")["metadata"]["uid"] == made["metadata"]["uid"]


def test_each_index_has_its_pod(e2e: Client) -> None:
    e2e.create(job("succeed", "indexed", completionMode="Indexed"))
    completes(e2e, "indexed")
    found = {
        p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: p["spec"]["hostname"]
        for p in pods(e2e, "indexed", "Succeeded")
    }
    assert found == {str(i): f"indexed-{i}" for i in range(COMPLETIONS)}


def test_each_pod_knows_its_index(e2e: Client) -> None:
    made = job("succeed", "knows", completionMode="Indexed")
    made["spec"]["template"]["spec"]["containers"][0]["command"] = ["/bin/sh", "-c", "echo $JOB_COMPLETION_INDEX"]
    e2e.create(made)
    completes(e2e, "knows")
    for pod in pods(e2e, "knows"):
        index = pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]
        assert e2e.ask("GET", e2e.path("Pod", pod["metadata"]["name"], "log")) == f"{index}\n"


def test_a_job_is_deleted(e2e: Client) -> None:
    e2e.create(job("notTerminate", "foo"))
    running(e2e, "foo")
    delete_with_pods(e2e, "foo")


def test_pods_go_with_their_job(e2e: Client) -> None:
    e2e.create(job("notTerminate", "all-pods-removed"))
    running(e2e, "all-pods-removed")
    delete_with_pods(e2e, "all-pods-removed")
    assert e2e.list("Pod") == []


def per_index(limit: int, **spec: Any) -> dict[str, Any]:
    return {"backoffLimit": None, "backoffLimitPerIndex": limit, "completionMode": "Indexed", **spec}


def test_all_indexes_are_tried_though_some_fail(e2e: Client) -> None:
    e2e.create(job("failOddSucceedEven", "per-index", **per_index(1)))
    now = fails(e2e, "per-index", "FailedIndexes")
    assert (now["failedIndexes"], now["completedIndexes"], now["failed"], now["succeeded"]) == ("1,3", "0,2", 4, 2)


def test_too_many_failed_indexes_end_the_job(e2e: Client) -> None:
    e2e.create(job("fail", "max-failed", **per_index(0, maxFailedIndexes=0, parallelism=1)))
    now = fails(e2e, "max-failed", "MaxFailedIndexesExceeded")
    assert (now["failedIndexes"], now["failed"]) == ("0", 1)


def test_a_policy_ends_an_index(e2e: Client) -> None:
    policy = {"rules": [{"action": "FailIndex", **codes(1)}]}
    e2e.create(job("failOddSucceedEven", "fail-index", **per_index(1, completions=2, podFailurePolicy=policy)))
    now = fails(e2e, "fail-index", "FailedIndexes")
    assert (now["failedIndexes"], now["completedIndexes"], now["failed"], now["succeeded"]) == ("1", "0", 1, 1)


def test_a_pod_tells_how_often_its_index_has_failed(e2e: Client) -> None:
    e2e.create(job("fail", "failure-count", **per_index(1, completions=1, parallelism=1)))
    fails(e2e, "failure-count", "FailedIndexes")
    notes = [
        p["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] for p in pods(e2e, "failure-count")
    ]
    assert sorted(notes) == ["0", "1"]


def test_ends_beyond_its_backoff_limit(e2e: Client) -> None:
    e2e.create(job("fail", "backofflimit", completions=1, parallelism=1, backoffLimit=1))
    fails(e2e, "backofflimit", "BackoffLimitExceeded")
    assert [p["status"]["phase"] for p in pods(e2e, "backofflimit")] == ["Failed", "Failed"]


def test_ends_at_its_deadline(e2e: Client) -> None:
    e2e.create(job("notTerminate", "deadline", activeDeadlineSeconds=1))
    fails(e2e, "deadline", "DeadlineExceeded")


def test_life_of_a_job(e2e: Client) -> None:
    made = job("succeed", "life", suspend=True)
    made["metadata"]["labels"] = {"e2e-job-label": "life"}
    e2e.create(made)
    version = e2e.ask("GET", e2e.path("Job"))["metadata"]["resourceVersion"]
    with e2e.watch("Job", "e2e-job-label=life", version) as watch:
        patch = {"metadata": {"labels": {"life": "patched"}}}
        assert e2e.patch("Job", "life", patch)["metadata"]["labels"]["life"] == "patched"
        watch.until(lambda event: event["object"]["metadata"]["labels"].get("life") == "patched")

        def start(obj: Object) -> None:
            obj["spec"]["suspend"] = False
            obj["metadata"].setdefault("annotations", {})["updated"] = "true"

        assert e2e.retry("Job", "life", start)["metadata"]["annotations"]["updated"] == "true"
        watch.until(lambda event: event["object"]["metadata"].get("annotations", {}).get("updated") == "true")
        completes(e2e, "life")
        assert len(e2e.list("Job", "e2e-job-label=life", everywhere=True)) == 1
        e2e.delete_collection("Job", "e2e-job-label=life", propagationPolicy="Background")
        watch.until(lambda event: event["type"] == "DELETED")
    assert e2e.list("Job", "e2e-job-label=life", everywhere=True) == []


def test_a_new_pod_comes_only_when_the_old_has_ended(e2e: Client) -> None:
    e2e.create(job("slowEnd", "recreate", completions=1, parallelism=1, backoffLimit=1, podReplacementPolicy="Failed"))
    [pod] = running(e2e, "recreate", 1)
    e2e.delete("Pod", pod["metadata"]["name"], gracePeriodSeconds=30)

    def counts(active: int, failed: int, terminating: int) -> Callable[[], bool]:
        def told() -> bool:
            now = status(e2e, "recreate")
            return (now.get("active", 0), now.get("failed", 0), now.get("terminating")) == (active, failed, terminating)

        return told

    e2e.wait(counts(0, 0, 1))
    e2e.wait(counts(1, 1, 0))


def test_tasks_that_fail_once_restart_in_their_pods(e2e: Client) -> None:
    e2e.create(job("failOnce", "fail-once-local", "OnFailure"))
    completes(e2e, "fail-once-local")


def test_a_task_that_fails_once_gets_another_pod(e2e: Client) -> None:
    e2e.create(job("failOnce", "fail-once", node="node-3"))
    completes(e2e, "fail-once")


def test_the_status_counts_ready_pods(e2e: Client) -> None:
    e2e.create(job("notTerminate", "all-ready", suspend=True))
    e2e.wait(lambda: status(e2e, "all-ready").get("ready") == 0)
    for value, count in ((False, PARALLELISM), (True, 0)):
        suspend(e2e, "all-ready", value)
        e2e.wait(lambda count=count: status(e2e, "all-ready").get("ready") == count)


def test_adopts_orphans_and_releases_what_is_not_its_own(e2e: Client) -> None:
    made = e2e.create(job("notTerminate", "adopt"))
    pod = running(e2e, "adopt")[0]["metadata"]["name"]

    def orphan(obj: Object) -> None:
        obj["metadata"].pop("ownerReferences")

    def unlabel(obj: Object) -> None:
        obj["metadata"].pop("labels")

    def owner() -> Any:
        return e2e.get("Pod", pod)["metadata"].get("ownerReferences")

    e2e.retry("Pod", pod, orphan)
    e2e.wait(owner)
    assert owner()[0]["uid"] == made["metadata"]["uid"]
    e2e.retry("Pod", pod, unlabel)
    e2e.wait(lambda: not owner())


@pytest.mark.parametrize(
    ("behaviour", "completions", "rule", "succeeded"),
    [
        ("shell", 2, {"succeededCount": 2}, 2),
        ("failOddSucceedEven", 5, {"succeededIndexes": "0"}, 1),
        ("failOddSucceedEven", 5, {"succeededCount": 1}, 1),
    ],
    ids=["all", "indexes", "count"],
)
def test_a_success_policy(e2e: Client, behaviour: str, completions: int, rule: Object, succeeded: int) -> None:
    policy = {"rules": [rule]}
    e2e.create(job(behaviour, "policy", completions=completions, completionMode="Indexed", successPolicy=policy))
    completes(e2e, "policy", succeeded, "SuccessPolicy")
    now = status(e2e, "policy")
    assert now["completedIndexes"] == ("0" if succeeded == 1 else "0,1")
    assert (now.get("active", 0), now["ready"], now["terminating"]) == (0, 0, 0)
