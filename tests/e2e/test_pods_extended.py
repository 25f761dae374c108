"""[sig-node] Pods Extended, Pod Extended (container restart policy), Events"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.api import AGNHOST, PAUSE, Client, Object
from tests.e2e.pods import (
    agnhost,
    condition,
    container,
    ended,
    events,
    pod,
    run,
    running,
    sh,
    status,
    waits_for,
)

SMALL = {"requests": {"cpu": "5m", "memory": "10Mi"}}


def test_submitted_and_removed(e2e: Client) -> None:
    made = running(e2e, pod("pod-submit-remove", agnhost("agnhost-container"), labels={"name": "foo", "time": "1"}))
    last = e2e.ask("DELETE", e2e.path("Pod", "pod-submit-remove"), gracePeriodSeconds=30)
    assert last["metadata"]["deletionTimestamp"]
    assert last["spec"]["terminationGracePeriodSeconds"]

    def gone() -> bool:
        pods = e2e.ask("GET", f"/api/v1/nodes/{made['spec']['nodeName']}:10250/proxy/pods")["items"]
        return made["metadata"]["uid"] not in [p["metadata"]["uid"] for p in pods]

    e2e.wait(gone, 90, 5)
    assert e2e.list("Pod", "time=1") == []


def test_the_class_of_equal_requests_and_limits(e2e: Client) -> None:
    amounts = {"cpu": "100m", "memory": "100Mi"}
    e2e.create(pod("pod-qos-class", agnhost("agnhost", resources={"limits": amounts, "requests": amounts})))
    assert e2e.get("Pod", "pod-qos-class")["status"]["qosClass"] == "Guaranteed"


@pytest.mark.parametrize("init", [False, True], ids=["container", "init"])
def test_the_status_of_a_pod_that_fails_stays_honest(e2e: Client, init: bool) -> None:
    fail = container("fail", "/bin/false", resources=SMALL)
    for n in range(15):
        name = f"pod-terminate-status-{n}"
        made = pod(name, fail, restartPolicy="Never", terminationGracePeriodSeconds=1)
        if init:
            made["spec"] |= {"initContainers": [fail], "containers": [container("blocked", "/bin/true")]}
        version = e2e.create(made)["metadata"]["resourceVersion"]
        with e2e.watch("Pod", since=version, fieldSelector=f"metadata.name={name}") as watch:
            e2e.wait(lambda name=name: e2e.get("Pod", name)["status"]["phase"] != "Pending", step=0.05)
            e2e.delete("Pod", name)
            seen: list[Object] = []
            watch.until(lambda event, seen=seen: seen.append(event["object"]) or event["type"] == "DELETED")
        check(seen)


def check(seen: list[Object]) -> None:
    """What may be seen of a container that fails, and in which order (podStartVerifier)."""
    terminated = terminal = False
    for found in seen:
        if not found["status"].get("containerStatuses"):
            assert not terminated
            continue
        blocked, fail = status(found, "blocked"), status(found, "fail")
        if blocked:
            assert not blocked["started"]
            assert "waiting" in blocked["state"]
            assert "terminated" not in blocked["lastState"]
        state = fail["state"].get("terminated")
        assert state or not terminated
        if state:
            terminated = True
            assert state["exitCode"] == 1 or (state["exitCode"] == 137 and state["reason"] == "Error")
            assert state["startedAt"]
            assert state["finishedAt"]
        phase = found["status"]["phase"]
        assert phase != "Succeeded"
        assert not terminal or phase == "Failed"
        terminal = phase == "Failed"
    assert terminal
    assert "running" not in status(seen[-1], "fail")["state"]


def test_no_second_sandbox_where_all_is_done(e2e: Client) -> None:
    done = pod("pod-always-succeed", container("bar", "/bin/true"), restartPolicy="OnFailure")
    done["spec"]["initContainers"] = [container("foo", "/bin/true")]
    found = ended(e2e, done)
    selector = {"kind": "Pod", "uid": found["metadata"]["uid"], "namespace": e2e.namespace}
    fields = ",".join([*(f"involvedObject.{k}={v}" for k, v in selector.items()), "source=kubelet"])
    said = e2e.wait(lambda: e2e.list("Event", fieldSelector=fields))
    assert "SandboxChanged" not in [e["reason"] for e in said]


def test_an_evicted_pod_has_failed(e2e: Client) -> None:
    script = "sleep 10; dd if=/dev/zero of=file bs=1M count=10; sleep 10000"
    greedy = sh("bar", script, resources={"limits": {"ephemeral-storage": "5Mi"}})
    e2e.create(pod("pod-should-be-evicted", greedy, restartPolicy="OnFailure"))
    e2e.wait(lambda: e2e.get("Pod", "pod-should-be-evicted")["status"].get("reason") == "Evicted")
    found = e2e.get("Pod", "pod-should-be-evicted")["status"]
    assert found["phase"] == "Failed"
    assert found["message"] == "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. "
    e2e.advance(60)
    assert e2e.get("Pod", "pod-should-be-evicted")["status"]["phase"] == "Failed"
    assert [e["message"] for e in events(e2e, "pod-should-be-evicted", "Evicted")] == [found["message"]]


def test_a_negative_grace_period_is_one_second(e2e: Client) -> None:
    made = pod("pod-negative-grace-period", sh("foo", "sleep 10000"), restartPolicy="OnFailure")
    made["spec"]["terminationGracePeriodSeconds"] = -1
    e2e.create(made)
    assert e2e.get("Pod", "pod-negative-grace-period")["spec"]["terminationGracePeriodSeconds"] == 1
    e2e.retry("Pod", "pod-negative-grace-period", lambda p: p["spec"].update(terminationGracePeriodSeconds=-1))
    assert e2e.get("Pod", "pod-negative-grace-period")["spec"]["terminationGracePeriodSeconds"] == 1


# ---- generation


def tolerate(p: Object) -> None:
    p["spec"]["tolerations"] = [{"key": "foo-1", "operator": "Equal", "value": "bar", "effect": "NoSchedule"}]


def observed(e2e: Client) -> int:
    return int(e2e.get("Pod", "pod-generation")["status"].get("observedGeneration", 0))


def test_the_generation_grows_with_each_change(e2e: Client) -> None:
    made = pod("pod-generation", agnhost("agnhost-container"))
    made["spec"]["initContainers"] = [container("init-container")]
    assert run(e2e, made)["metadata"]["generation"] == 1
    nginx = "registry.k8s.io/e2e-test-images/nginx:1.14-4"
    changes: list[tuple[Callable[[Object], Any], int]] = [
        (lambda _: None, 0),
        (tolerate, 1),
        (lambda p: p["spec"].update(activeDeadlineSeconds=5000), 1),
        (lambda p: p["spec"]["containers"][0].update(image=nginx), 1),
        (lambda p: p["spec"]["initContainers"][0].update(image=PAUSE), 1),
        (lambda p: p["metadata"].update(annotations={"key": "value"}), 0),
        (lambda p: p["metadata"].update(generation=1), 0),
    ]
    generation = 1
    for change, more in changes:
        e2e.retry("Pod", "pod-generation", change)
        generation += more
        assert e2e.get("Pod", "pod-generation")["metadata"]["generation"] == generation
        e2e.wait(lambda wanted=generation: observed(e2e) == wanted, 20)


def test_a_new_pod_has_generation_one_whatever_it_says(e2e: Client) -> None:
    made = pod("pod-generation", agnhost("agnhost-container"), labels={"time": "1"})
    made["metadata"]["generation"] = 100
    assert run(e2e, made)["metadata"]["generation"] == 1
    e2e.ask("DELETE", e2e.path("Pod", "pod-generation"), gracePeriodSeconds=60)
    assert e2e.get("Pod", "pod-generation")["metadata"]["generation"] == 2


def test_five_hundred_changes_are_all_observed(e2e: Client) -> None:
    run(e2e, pod("pod-generation", agnhost("agnhost-container"), activeDeadlineSeconds=5000))

    def sooner(p: Object) -> None:
        p["spec"]["activeDeadlineSeconds"] -= 1

    for _ in range(499):
        e2e.retry("Pod", "pod-generation", sooner)
    e2e.wait(lambda: observed(e2e) == 500, 300)
    assert e2e.get("Pod", "pod-generation")["metadata"]["generation"] == 500


def test_conditions_tell_the_generation_that_they_are_about(e2e: Client) -> None:
    nowhere = agnhost("agnhost-container")
    nowhere["image"] = "localhost/some-image-that-doesnt-exist"
    e2e.create(pod("pod-generation", nowhere))

    def told(generation: int) -> bool:
        found = e2e.get("Pod", "pod-generation")
        kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        return all(condition(found, kind).get("observedGeneration") == generation for kind in kinds)

    e2e.wait(lambda: told(1))
    e2e.wait(lambda: waits_for(e2e, "pod-generation") in ("ErrImagePull", "ImagePullBackOff"))
    e2e.retry("Pod", "pod-generation", lambda p: p["spec"]["containers"][0].update(image=AGNHOST))
    e2e.wait(lambda: told(2))


# ---- container restart policy


def policed(code: int, of_pod: str, **own: Any) -> Object:
    main = sh("main-container", f"exit {code}", **own)
    return pod("restart-rules", main, restartPolicy=of_pod)


ON_42 = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]


@pytest.mark.parametrize(
    ("made", "restarts"),
    [
        (policed(42, "Never", restartPolicy="Never", restartPolicyRules=ON_42), True),
        (policed(1, "Never", restartPolicy="Never", restartPolicyRules=ON_42), False),
        (policed(1, "Always", restartPolicy="Never"), False),
        (policed(1, "Always"), True),
    ],
    ids=["match", "mismatch", "own-never", "pod-always"],
)
def test_a_container_restarts_by_its_own_policy(e2e: Client, made: Object, restarts: bool) -> None:
    if restarts:
        e2e.create(made)
        e2e.wait(lambda: status(e2e.get("Pod", "restart-rules"), "main-container").get("restartCount", 0) > 0, 600)
    else:
        found = ended(e2e, made, "Failed")
        assert status(found, "main-container")["restartCount"] == 0


# ---- events


def test_events_of_kubelet_and_scheduler(e2e: Client) -> None:
    made = pod("send-events", agnhost("p", "serve-hostname", ports=[{"containerPort": 80}]), labels={"time": "1"})
    uid = running(e2e, made)["metadata"]["uid"]
    for source in ("default-scheduler", "kubelet"):
        selector = {"kind": "Pod", "uid": uid, "namespace": e2e.namespace}
        fields = ",".join([*(f"involvedObject.{k}={v}" for k, v in selector.items()), f"source={source}"])
        e2e.wait(lambda fields=fields: e2e.list("Event", fieldSelector=fields))
