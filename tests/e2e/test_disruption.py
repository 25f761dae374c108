"""[sig-apps] DisruptionController"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import AGNHOST, PAUSE, Client, Object, Refused, refused

LABELS = {"foo": "bar"}
BUDGET = "PodDisruptionBudget"


def budget(name: str = "foo", **spec: Any) -> Object:
    spec = {"selector": {"matchLabels": LABELS}, **spec}
    return {"kind": BUDGET, "metadata": {"name": name}, "spec": spec}


def pods(e2e: Client, count: int) -> None:
    for number in range(count):
        containers = [{"name": "donothing", "image": PAUSE}]
        meta = {"name": f"pod-{number}", "labels": LABELS}
        e2e.create({"kind": "Pod", "metadata": meta, "spec": {"containers": containers, "restartPolicy": "Always"}})


def replica_set(e2e: Client, size: int, **container: Any) -> None:
    container = {"name": "donothing", "image": PAUSE, **container}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    spec = {"replicas": size, "selector": {"matchLabels": LABELS}, "template": template}
    e2e.create({"kind": "ReplicaSet", "metadata": {"name": "rs"}, "spec": spec})


def running(e2e: Client, count: int) -> list[Object]:
    def found() -> list[Object]:
        return [p for p in e2e.list("Pod", "foo=bar") if p["status"].get("phase") == "Running"]

    e2e.wait(lambda: len(found()) >= count)
    return found()


def seen(e2e: Client, name: str = "foo") -> Object:
    """The budget once its controller has looked at it."""

    def current() -> Object | None:
        found = e2e.get(BUDGET, name)
        return found if found["status"].get("observedGeneration") == found["metadata"]["generation"] else None

    found: Object = e2e.wait(current)
    return found


def evictable(e2e: Client, pod: str) -> bool:
    try:
        e2e.evict(pod)
    except Refused as error:
        if error.code != 429:
            raise
        return False
    return True


def not_evictable(e2e: Client, pod: str) -> None:
    with refused("TooManyRequests") as found:
        e2e.evict(pod)
    assert "Cannot evict pod as it would violate the pod's disruption budget." in str(found.value)
    assert [c["reason"] for c in found.value.status["details"]["causes"]] == ["DisruptionBudget"]


def test_life_of_a_budget(e2e: Client) -> None:
    e2e.create(budget(minAvailable=1))
    seen(e2e)
    updated = e2e.retry(BUDGET, "foo", lambda b: b["spec"].update(minAvailable=2))
    assert updated["spec"]["minAvailable"] == 2
    seen(e2e)
    assert e2e.patch(BUDGET, "foo", {"spec": {"minAvailable": 3}})["spec"]["minAvailable"] == 3
    seen(e2e)
    e2e.delete(BUDGET, "foo")
    assert not e2e.there(BUDGET, "foo")


def test_budgets_of_all_namespaces_are_listed_and_deleted(e2e: Client, other: Client) -> None:
    marks = {"e2e-test": e2e.namespace}
    for client, name in ((e2e, "foo"), (e2e, "foo2"), (other, "foo3")):
        made = budget(name, minAvailable="1%")
        made["metadata"]["labels"] = marks
        client.create(made)
    selector = f"e2e-test={e2e.namespace}"
    assert len(e2e.list(BUDGET, selector, everywhere=True)) == 3
    assert len(e2e.list(BUDGET, selector)) == 2
    e2e.delete_collection(BUDGET, selector)
    assert e2e.list(BUDGET, selector) == []


def test_the_status_follows_the_pods(e2e: Client) -> None:
    e2e.create(budget(minAvailable=1))
    pods(e2e, 3)
    running(e2e, 3)
    e2e.wait(lambda: e2e.get(BUDGET, "foo")["status"]["disruptionsAllowed"] > 0)


def test_status_changes_of_a_budget(e2e: Client) -> None:
    e2e.create(budget(minAvailable=1))
    pods(e2e, 1)
    [pod] = [p["metadata"]["name"] for p in running(e2e, 1)]
    seen(e2e)
    time = e2e.get("Pod", pod)["metadata"]["creationTimestamp"]

    def disrupt(obj: Object) -> None:
        obj["status"]["disruptedPods"] = {pod: time}

    updated = e2e.retry(BUDGET, "foo", disrupt, "status")
    assert updated["status"]["disruptedPods"] == {pod: time}
    more = {pod: time, "another": time}
    patched = e2e.patch(BUDGET, "foo", {"status": {"disruptedPods": more}}, "merge", "status")
    assert patched["status"]["disruptedPods"] == more
    assert e2e.get(BUDGET, "foo", "status")["status"]["disruptedPods"]


def test_pods_of_nobody_are_no_error(e2e: Client) -> None:
    e2e.create(budget(minAvailable=1))
    pods(e2e, 3)
    running(e2e, 3)
    for _ in range(6):
        conditions = e2e.get(BUDGET, "foo")["status"].get("conditions") or ()
        assert "SyncFailed" not in [c["reason"] for c in conditions]
        e2e.advance(10)


def test_an_eviction_waits_for_the_budget(e2e: Client) -> None:
    e2e.create(budget(minAvailable=3))
    replica_set(e2e, 3)
    pod = running(e2e, 3)[0]["metadata"]["name"]
    not_evictable(e2e, pod)
    e2e.retry(BUDGET, "foo", lambda b: b["spec"].update(minAvailable=2))
    e2e.wait(lambda: observes(e2e, 3, 2))
    e2e.evict(pod)
    e2e.patch(BUDGET, "foo", {"spec": {"minAvailable": None, "maxUnavailable": 0}}, "merge")
    seen(e2e)
    e2e.wait(lambda: not e2e.there("Pod", pod))
    pod = running(e2e, 3)[0]["metadata"]["name"]
    not_evictable(e2e, pod)
    e2e.delete(BUDGET, "foo")
    e2e.evict(pod)


def observes(e2e: Client, healthy: int, desired: int) -> bool:
    now = seen(e2e)["status"]
    return (now["currentHealthy"], now["desiredHealthy"]) == (healthy, desired)


@pytest.mark.parametrize(
    ("bare", "size", "limit", "denied"),
    [
        (3, 0, {}, False),
        (2, 0, {"minAvailable": 2}, True),
        (3, 0, {"minAvailable": 2}, False),
        (0, 10, {"minAvailable": "90%"}, False),
        (0, 10, {"maxUnavailable": "10%"}, False),
    ],
    ids=["no-budget", "too-few", "enough", "replicaset", "max-unavailable"],
)
def test_evictions(e2e: Client, bare: int, size: int, limit: Object, denied: bool) -> None:
    pods(e2e, bare)
    if size:
        replica_set(e2e, size)
    if limit:
        e2e.create(budget(**limit))
    pod = running(e2e, bare + size)[0]["metadata"]["name"]
    if denied:
        e2e.advance(60)
        not_evictable(e2e, pod)
    else:
        e2e.wait(lambda: evictable(e2e, pod))


@pytest.mark.parametrize(
    ("ready", "policy", "evicted"),
    [
        (True, "AlwaysAllow", 1),
        (True, "", 1),
        (True, "IfHealthyBudget", 1),
        (False, "AlwaysAllow", 3),
        (False, "", 0),
        (False, "IfHealthyBudget", 0),
    ],
    ids=["ready-always", "ready-default", "ready-if", "unready-always", "unready-default", "unready-if"],
)
def test_evictions_of_pods_that_are_not_ready(e2e: Client, ready: bool, policy: str, evicted: int) -> None:
    """The address of the folder's page leads to the folder, and that is there."""
    e2e.create(budget(maxUnavailable=1, **({"unhealthyPodEvictionPolicy": policy} if policy else {})))
    probe = {"httpGet": {"path": "/index.html", "port": 80}, "initialDelaySeconds": 20 if ready else 330}
    replica_set(e2e, 3, image=AGNHOST, args=["test-webserver"], readinessProbe=probe)
    running(e2e, 3)
    e2e.wait(lambda: observes(e2e, 3 if ready else 0, 2))
    found = [evictable(e2e, pod["metadata"]["name"]) for pod in e2e.list("Pod")]
    assert sum(found) == evicted
