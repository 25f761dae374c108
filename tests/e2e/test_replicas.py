"""[sig-apps] ReplicaSet and ReplicationController: what they ask of both, they ask alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import AGNHOST, PAUSE, Client, Object, Refused

RS, RC = "ReplicaSet", "ReplicationController"
BOTH = pytest.mark.parametrize("kind", [RS, RC])


def replicas(kind: str, name: str, count: int, labels: dict[str, str] | None = None, **container: Any) -> Object:
    labels = labels or {"name": name}
    container = {"name": name, "image": PAUSE, **container}
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}
    selector = {"matchLabels": labels} if kind == RS else labels
    spec = {"replicas": count, "selector": selector, "template": template}
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


def status(e2e: Client, kind: str, name: str, **wanted: int) -> None:
    """Wait until a status says so."""
    e2e.wait(lambda: all(e2e.get(kind, name)["status"].get(key, 0) == value for key, value in wanted.items()))


def owner(e2e: Client, pod: str) -> Any:
    found = e2e.get("Pod", pod)["metadata"].get("ownerReferences") or [{}]
    return found[0].get("uid")


def answer(e2e: Client, pod: str) -> Any:
    """What a pod answers through the API server's proxy; None while it does not."""
    try:
        return e2e.ask("GET", e2e.path("Pod", f"{pod}:9376", "proxy") + "/")
    except Refused:
        return None


@BOTH
def test_serves_an_image_on_each_replica(e2e: Client, kind: str) -> None:
    ports = [{"containerPort": 9376}]
    e2e.create(replicas(kind, "my-hostname", 2, image=AGNHOST, args=["serve-hostname"], ports=ports))
    status(e2e, kind, "my-hostname", readyReplicas=2)
    for pod in e2e.list("Pod", "name=my-hostname"):
        name = pod["metadata"]["name"]
        e2e.wait(lambda name=name: answer(e2e, name) == name)


@BOTH
def test_adopts_and_releases(e2e: Client, kind: str) -> None:
    labels = {"name": "pod-adoption"}
    containers = [{"name": "pod-adoption", "image": PAUSE}]
    e2e.create(
        {"kind": "Pod", "metadata": {"name": "pod-adoption", "labels": labels}, "spec": {"containers": containers}}
    )
    e2e.wait(lambda: e2e.get("Pod", "pod-adoption")["status"].get("phase") == "Running")
    made = e2e.create(replicas(kind, "adopter", 1, labels))
    e2e.wait(lambda: owner(e2e, "pod-adoption") == made["metadata"]["uid"])
    status(e2e, kind, "adopter", readyReplicas=1)
    assert len(e2e.list("Pod")) == 1
    e2e.retry("Pod", "pod-adoption", lambda p: p["metadata"]["labels"].update(name="not-matching-name"))
    e2e.wait(lambda: owner(e2e, "pod-adoption") is None)


@BOTH
def test_tells_that_a_quota_is_used_up(e2e: Client, kind: str) -> None:
    quota = {"hard": {"pods": "2"}}
    e2e.create({"kind": "ResourceQuota", "metadata": {"name": "condition-test"}, "spec": quota})
    e2e.wait(lambda: e2e.get("ResourceQuota", "condition-test")["status"].get("hard") == quota["hard"])
    e2e.create(replicas(kind, "condition-test", 3))

    def failure() -> Any:
        found = e2e.get(kind, "condition-test")
        conditions = [c for c in found["status"].get("conditions") or () if c["type"] == "ReplicaFailure"]
        return conditions if found["status"].get("observedGeneration") == found["metadata"]["generation"] else None

    [condition] = e2e.wait(failure)
    assert condition["reason"] == "FailedCreate"
    assert "exceeded quota: condition-test, requested: pods=1, used: pods=2, limited: pods=2" in condition["message"]
    e2e.retry(kind, "condition-test", lambda r: r["spec"].update(replicas=2))
    e2e.wait(lambda: failure() == [])


@BOTH
def test_has_a_scale(e2e: Client, kind: str) -> None:
    e2e.create(replicas(kind, "scaled", 1))
    status(e2e, kind, "scaled", readyReplicas=1)
    scale = e2e.get(kind, "scaled", "scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (1, 1)
    scale["spec"]["replicas"] = 2
    path = e2e.path(kind, "scaled", "scale")
    assert e2e.ask("PUT", path, scale)["spec"]["replicas"] == 2
    assert e2e.get(kind, "scaled")["spec"]["replicas"] == 2
    patched = e2e.patch(kind, "scaled", {"spec": {"replicas": 4}}, sub="scale")
    assert patched["spec"]["replicas"] == 4
    assert e2e.get(kind, "scaled")["spec"]["replicas"] == 4
    status(e2e, kind, "scaled", replicas=4)


def test_replica_sets_are_replaced_and_patched(e2e: Client) -> None:
    e2e.create(replicas(RS, "test-rs", 1, {"app": "test"}))
    status(e2e, RS, "test-rs", replicas=1)
    e2e.retry(RS, "test-rs", lambda r: r["spec"].update(replicas=2))
    status(e2e, RS, "test-rs", readyReplicas=2)
    patch = {
        "metadata": {"labels": {"test-rs": "patched"}},
        "spec": {
            "replicas": 3,
            "template": {
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "test-rs", "image": PAUSE, "command": ["/pause"]}],
                }
            },
        },
    }
    e2e.patch(RS, "test-rs", patch)
    found = e2e.get(RS, "test-rs")
    assert found["metadata"]["labels"]["test-rs"] == "patched"
    assert found["spec"]["template"]["spec"]["containers"][0]["command"] == ["/pause"]
    status(e2e, RS, "test-rs", readyReplicas=3)


def test_a_collection_of_replica_sets_is_deleted(e2e: Client) -> None:
    mark = {"e2e": "test-rs"}
    made = replicas(RS, "test-rs", 3)
    made["metadata"]["labels"] = mark
    e2e.create(made)
    status(e2e, RS, "test-rs", readyReplicas=3)
    assert len(e2e.list(RS, "e2e=test-rs", everywhere=True)) == 1
    e2e.delete_collection(RS, "e2e=test-rs")
    assert e2e.list(RS, "e2e=test-rs", everywhere=True) == []


def condition(**fields: str) -> Object:
    return {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test", **fields}


def test_status_changes_of_a_replica_set(e2e: Client) -> None:
    made = replicas(RS, "test-rs", 1)
    made["metadata"]["labels"] = {"e2e": "status"}
    e2e.create(made)
    status(e2e, RS, "test-rs", readyReplicas=1)
    assert e2e.get(RS, "test-rs", "status")["status"]["readyReplicas"] == 1
    version = e2e.get(RS, "test-rs")["metadata"]["resourceVersion"]
    with e2e.watch(RS, "e2e=status", version) as watch:
        updated = e2e.retry(RS, "test-rs", lambda r: r["status"].update(conditions=[condition()]), "status")
        assert updated["status"]["conditions"][0]["reason"] == "E2E"
        watch.until(lambda e: e["object"]["status"].get("conditions"))
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        patched = e2e.patch(RS, "test-rs", patch, "merge", "status")
        assert [c["type"] for c in patched["status"]["conditions"]] == ["StatusPatched"]
        watch.until(lambda e: [c["type"] for c in e["object"]["status"].get("conditions", ())] == ["StatusPatched"])


def test_life_of_a_replication_controller(e2e: Client) -> None:
    mark = {"test-rc-static": "true"}
    made = replicas(RC, "rc-test", 1, {**mark}, image=AGNHOST, args=["test-webserver"])
    made["metadata"]["labels"] = mark
    version = e2e.ask("GET", e2e.path(RC))["metadata"]["resourceVersion"]
    with e2e.watch(RC, "test-rc-static=true", version) as watch:
        e2e.create(made)
        watch.until(lambda e: e["type"] == "ADDED")
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 1)
        e2e.patch(RC, "rc-test", {"metadata": {"labels": {"test-rc": "patched"}}})
        watch.until(lambda e: e["object"]["metadata"]["labels"].get("test-rc") == "patched")
        patched = e2e.patch(RC, "rc-test", {"status": {"readyReplicas": 0, "availableReplicas": 0}}, sub="status")
        assert not patched["status"].get("readyReplicas")
        watch.until(lambda e: not e["object"]["status"].get("readyReplicas"))
        assert e2e.get(RC, "rc-test", "status")["kind"] == RC
        scale = e2e.patch(RC, "rc-test", {"spec": {"replicas": 2}}, "merge", "scale")
        assert scale["spec"]["replicas"] == 2
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 2)
        found = e2e.get(RC, "rc-test")
        found["status"] = {**found["status"], "readyReplicas": 1, "availableReplicas": 1}
        try:
            e2e.update(found, "status")
        except Refused as error:
            if error.reason != "Conflict":
                raise
        assert len(e2e.list(RC, "test-rc-static=true", everywhere=True)) == 1
        e2e.delete_collection(RC, "test-rc-static=true")
        watch.until(lambda e: e["type"] == "DELETED")
