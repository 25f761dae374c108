"""[sig-apps] Deployment"""

from __future__ import annotations

import random
from typing import Any

from tests.e2e.api import AGNHOST, Client, Object

D, RS = "Deployment", "ReplicaSet"
OLD_AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.55"
REVISION = "deployment.kubernetes.io/revision"


def template(labels: dict[str, str], image: str = AGNHOST, name: str = "agnhost") -> Object:
    containers = [{"name": name, "image": image, "args": ["test-webserver"], "securityContext": {}}]
    return {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, "containers": containers}}


def deployment(
    name: str, count: int, labels: dict[str, str] | None = None, image: str = AGNHOST, **spec: Any
) -> Object:
    labels = labels or {"name": name}
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template(labels, image), **spec}
    return {"kind": D, "metadata": {"name": name, "labels": labels}, "spec": spec}


def replica_set(name: str, count: int, labels: dict[str, str], image: str = OLD_AGNHOST) -> Object:
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template(labels, image)}
    return {"kind": RS, "metadata": {"name": name, "labels": labels}, "spec": spec}


def rolling(surge: int | str, unavailable: int | str) -> Object:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def complete(e2e: Client, name: str, limit: float = 300) -> Object:
    """Wait until a rollout is over."""

    def done() -> Object | None:
        found = e2e.get(D, name)
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = [status.get(k, 0) for k in ("updatedReplicas", "replicas", "availableReplicas")]
        observed = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        return found if observed and counts == [wanted] * 3 else None

    found: Object = e2e.wait(done, limit=limit)
    return found


def owned(e2e: Client, name: str) -> list[Object]:
    """The ReplicaSets of a Deployment, the oldest first."""
    uid = e2e.get(D, name)["metadata"]["uid"]
    found = [r for r in e2e.list(RS) if any(o["uid"] == uid for o in r["metadata"].get("ownerReferences") or ())]
    return sorted(found, key=lambda r: int(r["metadata"].get("annotations", {}).get(REVISION, 0)))


def ready_pods(e2e: Client, selector: str, count: int) -> list[Object]:
    def found() -> Any:
        pods = [p for p in e2e.list("Pod", selector) if "deletionTimestamp" not in p["metadata"]]
        ready = [
            p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"]["conditions"])
        ]
        return pods if len(pods) == len(ready) == count else None

    pods: list[Object] = e2e.wait(found)
    return pods


def new_image(image: str) -> Any:
    def change(obj: Object) -> None:
        obj["spec"]["template"]["spec"]["containers"][0].update(image=image)

    return change


def test_goes_with_its_replica_sets_and_pods(e2e: Client) -> None:
    e2e.create(deployment("reap", 1))
    complete(e2e, "reap")
    e2e.delete(D, "reap", propagationPolicy="Background")
    e2e.wait(lambda: not e2e.there(D, "reap") and not e2e.list(RS) and not e2e.list("Pod"))


def test_a_rolling_update_takes_over_old_pods(e2e: Client) -> None:
    labels = {"name": "sample-pod", "pod": "httpd"}
    old = replica_set("test-rolling-update-controller", 1, labels)
    old["metadata"]["annotations"] = {REVISION: "3546343826724305832"}
    e2e.create(old)
    ready_pods(e2e, "name=sample-pod", 1)
    e2e.create(deployment("test-rolling-update-deployment", 1, labels, strategy=rolling(1, 0)))
    e2e.wait(
        lambda: (
            e2e.get(D, "test-rolling-update-deployment")["metadata"].get("annotations", {}).get(REVISION)
            == "3546343826724305833"
        )
    )
    complete(e2e, "test-rolling-update-deployment")
    e2e.wait(lambda: e2e.get(RS, "test-rolling-update-controller")["status"]["replicas"] == 0)
    assert len(owned(e2e, "test-rolling-update-deployment")) == 2


def test_recreate_never_runs_old_and_new(e2e: Client) -> None:
    e2e.create(deployment("recreate", 1, image=OLD_AGNHOST, strategy={"type": "Recreate"}))
    complete(e2e, "recreate")
    version = e2e.ask("GET", e2e.path("Pod"))["metadata"]["resourceVersion"]
    e2e.retry(D, "recreate", new_image(AGNHOST))
    with e2e.watch("Pod", "name=recreate", version) as watch:
        seen: dict[str, Object] = {}

        def over(event: Object) -> bool:
            pod = event["object"]
            seen[pod["metadata"]["name"]] = {"gone": event["type"] == "DELETED", "pod": pod}
            alive = {
                p["pod"]["spec"]["containers"][0]["image"]
                for p in seen.values()
                if not p["gone"] and p["pod"]["status"].get("phase") == "Running"
            }
            assert len(alive) <= 1
            return alive == {AGNHOST}

        watch.until(over)
    complete(e2e, "recreate")


def test_old_replica_sets_are_cleaned_up(e2e: Client) -> None:
    labels = {"name": "cleanup-pod", "pod": "httpd"}
    e2e.create(replica_set("test-cleanup-controller", 1, labels))
    ready_pods(e2e, "name=cleanup-pod", 1)
    e2e.create(deployment("test-cleanup-deployment", 1, labels, revisionHistoryLimit=0))
    e2e.wait(lambda: len(owned(e2e, "test-cleanup-deployment")) == 1 and not e2e.there(RS, "test-cleanup-controller"))


def test_a_rollover_leaves_the_middle_out(e2e: Client) -> None:
    labels = {"name": "rollover-pod", "pod": "httpd"}
    e2e.create(replica_set("test-rollover-controller", 1, labels))
    ready_pods(e2e, "name=rollover-pod", 1)
    e2e.wait(lambda: e2e.get(RS, "test-rollover-controller")["status"].get("availableReplicas") == 1)
    name = "test-rollover-deployment"
    made = deployment(name, 1, labels, strategy=rolling(1, 0), minReadySeconds=10)
    made["spec"]["template"]["spec"]["containers"][0].update(
        name="redis-slave", image="gcr.io/samples/redis:nonexistent"
    )
    e2e.create(made)
    e2e.wait(lambda: e2e.get(D, name)["metadata"].get("annotations", {}).get(REVISION) == "1")
    e2e.wait(lambda: owned(e2e, name)[-1]["spec"]["replicas"] == 1)
    first = owned(e2e, name)[-1]["metadata"]["name"]

    def change(obj: Object) -> None:
        obj["spec"]["template"]["spec"]["containers"][0].update(name="agnhost", image=AGNHOST)

    e2e.retry(D, name, change)
    e2e.wait(lambda: e2e.get(D, name)["metadata"]["annotations"][REVISION] == "2")
    complete(e2e, name)
    assert e2e.get(RS, first)["status"]["replicas"] == 0
    assert e2e.get(RS, "test-rollover-controller")["status"]["replicas"] == 0


def test_scaling_in_the_middle_of_a_rollout_is_proportional(e2e: Client) -> None:
    name = "webserver-deployment"
    e2e.create(deployment(name, 10, strategy=rolling(3, 2)))
    ready_pods(e2e, f"name={name}", 10)
    complete(e2e, name)
    e2e.retry(D, name, new_image("webserver:404"))
    e2e.wait(lambda: len(owned(e2e, name)) == 2)
    e2e.wait(lambda: [r["spec"]["replicas"] for r in owned(e2e, name)] == [8, 5])
    e2e.advance(30)
    e2e.wait(lambda: e2e.get(RS, owned(e2e, name)[0]["metadata"]["name"])["status"].get("availableReplicas") == 8)
    assert owned(e2e, name)[1]["status"].get("availableReplicas", 0) == 0
    e2e.retry(D, name, lambda d: d["spec"].update(replicas=30))
    e2e.wait(lambda: [r["spec"]["replicas"] for r in owned(e2e, name)] == [20, 13])


def test_orphaned_replica_sets_are_adopted_again(e2e: Client) -> None:
    name = "test-orphan-deployment"
    made = deployment(name, 1)
    e2e.create(made)
    complete(e2e, name)
    [before] = owned(e2e, name)
    e2e.delete(D, name, propagationPolicy="Orphan")
    e2e.wait(lambda: not e2e.there(D, name))
    [left] = e2e.list(RS)
    assert not left["metadata"].get("ownerReferences")
    again = deployment("test-adopt-deployment", 1, {"name": name})
    e2e.create(again)
    complete(e2e, "test-adopt-deployment")
    [after] = owned(e2e, "test-adopt-deployment")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_has_a_scale(e2e: Client) -> None:
    e2e.create(deployment("scaled", 1))
    complete(e2e, "scaled")
    scale = e2e.get(D, "scaled", "scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (1, 1)
    scale["spec"]["replicas"] = 2
    assert e2e.ask("PUT", e2e.path(D, "scaled", "scale"), scale)["spec"]["replicas"] == 2
    assert e2e.get(D, "scaled")["spec"]["replicas"] == 2
    assert e2e.patch(D, "scaled", {"spec": {"replicas": 4}}, sub="scale")["spec"]["replicas"] == 4
    assert e2e.get(D, "scaled")["spec"]["replicas"] == 4
    complete(e2e, "scaled")


def test_rollouts_one_after_the_other_come_to_an_end(e2e: Client) -> None:
    name, chance = "webserver", random.Random(1)
    e2e.create(deployment(name, 6, progressDeadlineSeconds=30, revisionHistoryLimit=2))
    for number in range(20):
        choice = chance.random()

        def change(obj: Object, choice: float = choice, number: int = number) -> None:
            spec = obj["spec"]
            if choice < 0.2:
                spec["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": str(number)}]
            elif choice < 0.4:
                spec["replicas"] = max(1, min(10, spec["replicas"] + chance.choice([-1, 1])))
            elif choice < 0.6:
                spec["paused"] = True
            elif choice < 0.8:
                spec.pop("paused", None)

        e2e.retry(D, name, change)
        if choice >= 0.8:
            for pod in e2e.list("Pod", f"name={name}"):
                if chance.random() < 0.5:
                    e2e.delete("Pod", pod["metadata"]["name"])
        e2e.advance(chance.random() * 5)
    e2e.retry(D, name, lambda d: d["spec"].pop("paused", None))
    e2e.wait(lambda: e2e.get(D, name)["status"]["observedGeneration"] == e2e.get(D, name)["metadata"]["generation"])
    complete(e2e, name)

    def progressing() -> bool:
        conditions = e2e.get(D, name)["status"]["conditions"]
        return [c["reason"] for c in conditions if c["type"] == "Progressing"] == ["NewReplicaSetAvailable"]

    e2e.wait(progressing)


def test_life_of_a_deployment(e2e: Client) -> None:
    mark = {"test-deployment-static": "true"}
    made = deployment("test-deployment", 2, mark)
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 0
    version = e2e.ask("GET", e2e.path(D))["metadata"]["resourceVersion"]
    selector = "test-deployment-static=true"
    with e2e.watch(D, selector, version) as watch:
        e2e.create(made)
        watch.until(lambda e: e["type"] == "ADDED")
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 2)
        patch = {
            "metadata": {"labels": {"test-deployment": "patched"}},
            "spec": {
                "replicas": 1,
                "template": {"spec": {"containers": [{"name": "agnhost", "image": OLD_AGNHOST}]}},
            },
        }
        e2e.patch(D, "test-deployment", patch)
        watch.until(lambda e: e["object"]["metadata"]["labels"].get("test-deployment") == "patched")
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 1 and e["object"]["spec"]["replicas"] == 1)
        [found] = e2e.list(D, selector, everywhere=True)
        assert found["spec"]["template"]["spec"]["containers"][0]["image"] == OLD_AGNHOST
        e2e.retry(D, "test-deployment", lambda d: d["spec"].update(replicas=2))
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 2)
        note = {"metadata": {"annotations": {"deployment-status": "patched"}}, "status": {"readyReplicas": 1}}
        e2e.patch(D, "test-deployment", note, sub="status")
        assert e2e.get(D, "test-deployment", "status")["metadata"]["annotations"]["deployment-status"] == "patched"
        watch.until(lambda e: e["object"]["status"].get("readyReplicas") == 2)
        e2e.delete_collection(D, selector)
        watch.until(lambda e: e["type"] == "DELETED")


def test_status_changes_of_a_deployment(e2e: Client) -> None:
    e2e.create(deployment("status", 1, {"e2e": "testing"}))
    complete(e2e, "status")
    assert e2e.get(D, "status", "status")["status"]["readyReplicas"] == 1
    told = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    version = e2e.get(D, "status")["metadata"]["resourceVersion"]
    with e2e.watch(D, "e2e=testing", version) as watch:
        updated = e2e.retry(D, "status", lambda d: d["status"]["conditions"].append(told), "status")
        assert "StatusUpdate" in [c["type"] for c in updated["status"]["conditions"]]
        watch.until(lambda e: "StatusUpdate" in [c["type"] for c in e["object"]["status"].get("conditions", ())])
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        patched = e2e.patch(D, "status", patch, "merge", "status")
        assert [c["type"] for c in patched["status"]["conditions"]] == ["StatusPatched"]
        watch.until(lambda e: "StatusPatched" in [c["type"] for c in e["object"]["status"].get("conditions", ())])
