"""[sig-api-machinery] Garbage collector"""

from __future__ import annotations

from tests.e2e.api import PAUSE, Client, Object
from tests.e2e.customs import GROUP, defined
from tests.e2e.test_cron_job import cron_job

LABELS = {"gctest": "owned"}


def template() -> Object:
    containers = [{"name": "nginx", "image": PAUSE}]
    return {"metadata": {"labels": LABELS}, "spec": {"terminationGracePeriodSeconds": 0, "containers": containers}}


def controller(count: int) -> Object:
    spec = {"replicas": count, "selector": LABELS, "template": template()}
    return {"kind": "ReplicationController", "metadata": {"name": "simpletest.rc"}, "spec": spec}


def deployment() -> Object:
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "strategy": {"type": "RollingUpdate"},
        "template": template(),
    }
    return {"kind": "Deployment", "metadata": {"name": "simpletest.deployment"}, "spec": spec}


def replicas(e2e: Client, count: int) -> None:
    e2e.wait(lambda: e2e.get("ReplicationController", "simpletest.rc")["status"]["replicas"] == count)


def counts(e2e: Client, *kinds: str) -> list[int]:
    return [len(e2e.list(kind)) for kind in kinds]


def test_pods_go_with_their_controller(e2e: Client) -> None:
    made = e2e.create(controller(10))
    e2e.wait(lambda: len(e2e.list("Pod")) == 10)
    uid = {"uid": made["metadata"]["uid"]}
    e2e.delete("ReplicationController", "simpletest.rc", propagationPolicy="Background", preconditions=uid)
    e2e.wait(lambda: counts(e2e, "ReplicationController", "Pod") == [0, 0])


def test_pods_stay_if_nobody_says_that_they_go(e2e: Client) -> None:
    made = e2e.create(controller(2))
    replicas(e2e, 2)
    e2e.delete("ReplicationController", "simpletest.rc", preconditions={"uid": made["metadata"]["uid"]})
    e2e.advance(30)
    assert counts(e2e, "ReplicationController", "Pod") == [0, 2]


def test_replica_sets_go_with_their_deployment(e2e: Client) -> None:
    made = e2e.create(deployment())
    e2e.wait(lambda: e2e.list("ReplicaSet"))
    uid = {"uid": made["metadata"]["uid"]}
    e2e.delete("Deployment", "simpletest.deployment", propagationPolicy="Background", preconditions=uid)
    e2e.wait(lambda: counts(e2e, "Deployment", "ReplicaSet", "Pod") == [0, 0, 0])


def test_replica_sets_stay_as_orphans(e2e: Client) -> None:
    made = e2e.create(deployment())
    e2e.wait(lambda: [r["status"].get("replicas") for r in e2e.list("ReplicaSet")] == [2])
    uid = {"uid": made["metadata"]["uid"]}
    e2e.delete("Deployment", "simpletest.deployment", propagationPolicy="Orphan", preconditions=uid)
    e2e.wait(lambda: not e2e.there("Deployment", "simpletest.deployment"))
    e2e.advance(5)
    assert counts(e2e, "Deployment", "ReplicaSet", "Pod") == [0, 1, 2]
    assert not any(r["metadata"].get("ownerReferences") for r in e2e.list("ReplicaSet"))


def test_a_circle_of_owners_is_no_obstacle(e2e: Client) -> None:
    pods = {}
    for name in ("pod1", "pod2", "pod3"):
        containers = [{"name": "nginx", "image": PAUSE}]
        pods[name] = e2e.create({"kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}})
    for name, owner in (("pod1", "pod3"), ("pod2", "pod1"), ("pod3", "pod2")):
        uid = pods[owner]["metadata"]["uid"]
        reference = {"apiVersion": "v1", "kind": "Pod", "name": owner, "uid": uid}
        reference |= {"controller": True, "blockOwnerDeletion": True}
        e2e.patch("Pod", name, {"metadata": {"ownerReferences": [reference]}})
    e2e.delete("Pod", "pod1", propagationPolicy="Foreground", preconditions={"uid": pods["pod1"]["metadata"]["uid"]})
    e2e.wait(lambda: not e2e.list("Pod"), limit=90)


def own(e2e: Client, kind: str) -> None:
    """An owner and its dependent, both of a kind of our own."""
    version = f"{GROUP}/v1beta1"
    uid = e2e.create({"kind": kind, "metadata": {"name": "owner"}})["metadata"]["uid"]
    reference = {"apiVersion": version, "kind": kind, "name": "owner", "uid": uid}
    e2e.create({"kind": kind, "metadata": {"name": "dependent", "ownerReferences": [reference]}})


def test_custom_resources_go_with_their_owner(e2e: Client) -> None:
    with defined(e2e, "cascading"):
        own(e2e, "Cascading")
        e2e.delete("Cascading", "owner", propagationPolicy="Background")
        e2e.wait(lambda: not e2e.there("Cascading", "dependent"))
        assert not e2e.there("Cascading", "owner")


def test_custom_resources_stay_as_orphans(e2e: Client) -> None:
    with defined(e2e, "orphaning"):
        own(e2e, "Orphaning")
        e2e.delete("Orphaning", "owner", propagationPolicy="Orphan")
        e2e.wait(lambda: not e2e.there("Orphaning", "owner"), limit=120)
        e2e.advance(30)
        assert e2e.there("Orphaning", "dependent")


def test_jobs_and_pods_go_with_their_cron_job(e2e: Client) -> None:
    e2e.create(cron_job("simple"))
    e2e.wait(lambda: e2e.list("Job"), limit=120)
    e2e.delete("CronJob", "simple", propagationPolicy="Background")
    e2e.wait(lambda: counts(e2e, "CronJob", "Job", "Pod") == [0, 0, 0])
