"""[sig-api-machinery] ResourceQuota"""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import quantities
from selfheal.kinds import Kind
from tests.e2e.api import PAUSE, Client, Object, refused

HARD = {
    "pods": "5",
    "services": "10",
    "services.nodeports": "1",
    "services.loadbalancers": "1",
    "replicationcontrollers": "10",
    "resourcequotas": "1",
    "cpu": "1",
    "memory": "500Mi",
    "configmaps": "10",
    "secrets": "10",
    "persistentvolumeclaims": "10",
    "requests.storage": "10Gi",
    "ephemeral-storage": "50Gi",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
    "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    "count/replicasets.apps": "5",
    "requests.example.com/dongle": "3",
}


def quota(e2e: Client, name: str = "test-quota", hard: Any = None, **spec: Any) -> Object:
    return e2e.create({"kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard or HARD, **spec}})


def uses(e2e: Client, name: str = "test-quota", **used: str) -> None:
    """Wait until a quota's status tells of this; names have _ for . and __ for /."""
    wanted = {key.replace("__", "/").replace("_", "."): quantities.parse(value) for key, value in used.items()}

    def told() -> bool:
        now = (e2e.get("ResourceQuota", name).get("status") or {}).get("used") or {}
        return all(key in now and quantities.parse(now[key]) == value for key, value in wanted.items())

    e2e.wait(told)


def pod(name: str, requests: Any = None, limits: Any = None, **spec: Any) -> Object:
    """It finds no node, so that it never runs."""
    container = {"name": "pause", "image": PAUSE, "resources": {"requests": requests or {}, "limits": limits or {}}}
    spec = {"nodeSelector": {"x-test.k8s.io/unsatisfiable": "not-schedulable"}, "containers": [container], **spec}
    return {"kind": "Pod", "metadata": {"name": name}, "spec": spec}


def service(name: str, kind: str, **spec: Any) -> Object:
    ports = [{"port": 80, "targetPort": 80}]
    return {"kind": "Service", "metadata": {"name": name}, "spec": {"type": kind, "ports": ports, **spec}}


def template(name: str) -> Object:
    containers = [{"name": name, "image": "nginx"}]
    return {"metadata": {"labels": {"name": name}}, "spec": {"containers": containers}}


def claim(name: str, **spec: Any) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def test_status_is_calculated(e2e: Client) -> None:
    quota(e2e)
    uses(e2e, resourcequotas="1")


def test_life_of_a_service(e2e: Client) -> None:
    quota(e2e)
    uses(e2e, resourcequotas="1")
    e2e.create(service("test-service", "ClusterIP"))
    e2e.create(service("test-service-np", "NodePort"))
    with refused("Forbidden") as found:
        e2e.create(service("test-service-lb", "LoadBalancer", allocateLoadBalancerNodePorts=True))
    assert str(found.value) == (
        'services "test-service-lb" is forbidden: exceeded quota: test-quota, requested: services.nodeports=1, '
        "used: services.nodeports=1, limited: services.nodeports=1"
    )
    uses(e2e, resourcequotas="1", services="2", services_nodeports="1")
    for name in ("test-service", "test-service-np"):
        e2e.delete("Service", name)
    uses(e2e, resourcequotas="1", services="0", services_nodeports="0")


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_life_of_plain_objects(e2e: Client, kind: str) -> None:
    counted, there = f"{kind.lower()}s", len(e2e.list(kind))
    quota(e2e, hard={**HARD, counted: str(there + 1)})
    uses(e2e, resourcequotas="1", **{counted: str(there)})
    data = {"data-1": "dmFsdWUtMQ=="} if kind == "Secret" else {"a": "b"}
    e2e.create({"kind": kind, "metadata": {"name": "test"}, "data": data})
    uses(e2e, **{counted: str(there + 1)})
    with refused("Forbidden"):
        e2e.create({"kind": kind, "metadata": {"name": "another"}, "data": data})
    e2e.delete(kind, "test")
    uses(e2e, **{counted: str(there)})


def test_life_of_a_pod(e2e: Client) -> None:
    quota(e2e)
    uses(e2e, resourcequotas="1")
    dongle = {"example.com/dongle": "2"}
    asked = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", **dongle}
    made = e2e.create(pod("test-pod", asked, dongle))
    used = {
        "pods": "1",
        "cpu": "500m",
        "memory": "252Mi",
        "ephemeral_storage": "30Gi",
        "requests_example_com__dongle": "2",
    }
    used["ephemeral-storage"] = used.pop("ephemeral_storage")
    uses(e2e, resourcequotas="1", **used)
    for requests, limits in (
        ({"cpu": "600m", "memory": "100Mi"}, {}),
        ({"cpu": "500m", "memory": "100Mi", "ephemeral-storage": "30Gi", **dongle}, dongle),
    ):
        with refused("Forbidden") as found:
            e2e.create(pod("fail-pod", requests, limits))
        assert "exceeded quota: test-quota" in str(found.value)
    with refused("Forbidden") as found:
        e2e.create(pod("silent"))
    assert str(found.value) == (
        'pods "silent" is forbidden: failed quota: test-quota: must specify cpu for: pause; memory for: pause'
    )
    made["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "100m", "memory": "100Mi"}
    with refused("Invalid"):
        e2e.update(made)
    uses(e2e, resourcequotas="1", **used)
    e2e.delete("Pod", "test-pod", gracePeriodSeconds=0)
    uses(e2e, resourcequotas="1", **dict.fromkeys(used, "0"))


def test_life_of_a_replication_controller(e2e: Client) -> None:
    quota(e2e)
    uses(e2e, resourcequotas="1", replicationcontrollers="0")
    spec = {"replicas": 0, "selector": {"name": "test-rc"}, "template": template("test-rc")}
    e2e.create({"kind": "ReplicationController", "metadata": {"name": "test-rc"}, "spec": spec})
    uses(e2e, replicationcontrollers="1")
    e2e.delete("ReplicationController", "test-rc", propagationPolicy="Background")
    uses(e2e, replicationcontrollers="0")


def test_life_of_a_replica_set(e2e: Client) -> None:
    quota(e2e)
    uses(e2e, resourcequotas="1", count__replicasets_apps="0")
    spec = {"replicas": 0, "selector": {"matchLabels": {"name": "test-rs"}}, "template": template("test-rs")}
    e2e.create({"kind": "ReplicaSet", "metadata": {"name": "test-rs"}, "spec": spec})
    uses(e2e, count__replicasets_apps="1")
    e2e.delete("ReplicaSet", "test-rs")
    uses(e2e, count__replicasets_apps="0")


def test_life_of_a_resource_claim(e2e: Client) -> None:
    names = ("count__resourceclaims_resource_k8s_io", "gold_deviceclass_resource_k8s_io__devices")
    hard = {name.replace("__", "/").replace("_", "."): "1" for name in names}
    quota(e2e, hard=HARD | hard)
    uses(e2e, resourcequotas="1", **dict.fromkeys(names, "0"))
    requests = [{"name": "req-0", "exactly": {"deviceClassName": "gold"}}]
    made = {"kind": "ResourceClaim", "metadata": {"name": "test-claim"}, "spec": {"devices": {"requests": requests}}}
    e2e.create(made)
    uses(e2e, **dict.fromkeys(names, "1"))
    e2e.delete("ResourceClaim", "test-claim")
    uses(e2e, **dict.fromkeys(names, "0"))


@pytest.mark.parametrize("of", ["", "gold"], ids=["plain", "with-a-class"])
def test_life_of_a_persistent_volume_claim(e2e: Client, of: str) -> None:
    quota(e2e)
    used = {"persistentvolumeclaims": "1", "requests_storage": "1Gi"}
    if of:
        used |= {f"gold_storageclass_storage_k8s_io__{name}": amount for name, amount in used.items()}
    uses(e2e, resourcequotas="1", **dict.fromkeys(used, "0"))
    e2e.create(claim("test-claim", **({"storageClassName": of} if of else {})))
    uses(e2e, **used)
    e2e.delete("PersistentVolumeClaim", "test-claim")
    uses(e2e, **dict.fromkeys(used, "0"))


def test_life_of_a_custom_resource(e2e: Client) -> None:
    group, plural = "quota.example.com", f"{e2e.namespace}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": "Quoted", "singular": e2e.namespace, "listKind": "QuotedList"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }
    e2e.create(definition)
    e2e.custom["Quoted"] = Kind(f"{group}/v1", plural)
    counted = f"count/{plural}.{group}"
    quota(e2e, "quota-for-it", {counted: "0"})
    e2e.wait(lambda: counted in (e2e.get("ResourceQuota", "quota-for-it").get("status") or {}).get("used", {}))
    e2e.delete("ResourceQuota", "quota-for-it")
    quota(e2e, hard={**HARD, counted: "1"})
    key = counted.replace("/", "__").replace(".", "_")
    uses(e2e, resourcequotas="1", **{key: "0"})
    e2e.create({"kind": "Quoted", "metadata": {"name": "test-cr-1"}})
    uses(e2e, **{key: "1"})
    with refused("Forbidden"):
        e2e.create({"kind": "Quoted", "metadata": {"name": "test-cr-2"}})
    e2e.delete("Quoted", "test-cr-1")
    uses(e2e, **{key: "0"})
    e2e.create({"kind": "Quoted", "metadata": {"name": "test-cr-2"}})
    e2e.delete("CustomResourceDefinition", f"{plural}.{group}")


COMPUTE = {"pods": "1", "requests.cpu": "1", "requests.memory": "500Mi", "limits.cpu": "2", "limits.memory": "1Gi"}
ASKED = {"cpu": "500m", "memory": "200Mi"}, {"cpu": "1", "memory": "400Mi"}
USED = {
    "pods": "1",
    "requests_cpu": "500m",
    "requests_memory": "200Mi",
    "limits_cpu": "1",
    "limits_memory": "400Mi",
}


def scoped(name: str, *, selector: bool, values: Any = (), operator: str = "Exists") -> dict[str, Any]:
    """A scope, plain or as a selector."""
    if not selector:
        return {"scopes": [name]}
    expression = {"scopeName": name, "operator": operator, **({"values": list(values)} if values else {})}
    return {"scopeSelector": {"matchExpressions": [expression]}}


@pytest.mark.parametrize("selector", [False, True], ids=["scopes", "selectors"])
def test_terminating_scopes(e2e: Client, *, selector: bool) -> None:
    quota(e2e, "quota-terminating", COMPUTE, **scoped("Terminating", selector=selector))
    quota(e2e, "quota-not-terminating", COMPUTE, **scoped("NotTerminating", selector=selector))
    nothing = dict.fromkeys(USED, "0")
    for name in ("quota-terminating", "quota-not-terminating"):
        uses(e2e, name, **nothing)
    e2e.create(pod("test-pod", *ASKED))
    uses(e2e, "quota-not-terminating", **USED)
    e2e.advance(10)
    uses(e2e, "quota-terminating", **nothing)
    e2e.retry("Pod", "test-pod", lambda p: p["spec"].update(activeDeadlineSeconds=3600))
    with refused("Forbidden"):
        e2e.create(pod("terminating-pod", *ASKED, activeDeadlineSeconds=3600))
    uses(e2e, "quota-terminating", **USED)
    uses(e2e, "quota-not-terminating", **nothing)
    e2e.delete("Pod", "test-pod", gracePeriodSeconds=0)
    uses(e2e, "quota-terminating", **nothing)
    e2e.create(pod("terminating-pod", *ASKED, activeDeadlineSeconds=3600))
    uses(e2e, "quota-terminating", **USED)
    uses(e2e, "quota-not-terminating", **nothing)
    e2e.delete("Pod", "terminating-pod", gracePeriodSeconds=0)
    uses(e2e, "quota-terminating", **nothing)


@pytest.mark.parametrize("selector", [False, True], ids=["scopes", "selectors"])
def test_best_effort_scopes(e2e: Client, *, selector: bool) -> None:
    quota(e2e, "quota-besteffort", {"pods": "1"}, **scoped("BestEffort", selector=selector))
    quota(e2e, "quota-not-besteffort", {"pods": "1"}, **scoped("NotBestEffort", selector=selector))
    for name in ("quota-besteffort", "quota-not-besteffort"):
        uses(e2e, name, pods="0")
    for pod_name, asked, takes, leaves in (
        ("besteffort-pod", (), "quota-besteffort", "quota-not-besteffort"),
        ("burstable-pod", ASKED, "quota-not-besteffort", "quota-besteffort"),
    ):
        e2e.create(pod(pod_name, *asked))
        uses(e2e, takes, pods="1")
        uses(e2e, leaves, pods="0")
        e2e.delete("Pod", pod_name, gracePeriodSeconds=0)
        uses(e2e, takes, pods="0")


def test_scope_of_affinity_across_namespaces(e2e: Client) -> None:
    quota(e2e, "quota-across", {"pods": "1"}, **scoped("CrossNamespacePodAffinity", selector=True))
    uses(e2e, "quota-across", pods="0")

    def affinity(which: str, **term: Any) -> dict[str, Any]:
        term = {"topologyKey": "region", "labelSelector": {"matchLabels": {"a": "b"}}, **term}
        return {"affinity": {which: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}

    e2e.create(pod("no-cross", **affinity("podAntiAffinity")))
    uses(e2e, "quota-across", pods="0")
    e2e.create(pod("with-namespaces", **affinity("podAffinity", namespaces=["ns1"])))
    uses(e2e, "quota-across", pods="1")
    with refused("Forbidden"):
        e2e.create(pod("with-selector", **affinity("podAffinity", namespaceSelector={"matchLabels": {"team": "ads"}})))
    e2e.delete("Pod", "with-namespaces", gracePeriodSeconds=0)
    uses(e2e, "quota-across", pods="0")
    e2e.create(pod("with-selector", **affinity("podAntiAffinity", namespaceSelector={"matchLabels": {"team": "ads"}})))
    uses(e2e, "quota-across", pods="1")
    for name in ("no-cross", "with-selector"):
        e2e.delete("Pod", name, gracePeriodSeconds=0)
    uses(e2e, "quota-across", pods="0")


GOLD = scoped("VolumeAttributesClass", selector=True, operator="In", values=["gold"])
SILVER = scoped("VolumeAttributesClass", selector=True, operator="In", values=["silver"])


def test_two_claims_of_one_attributes_class(e2e: Client) -> None:
    quota(e2e, "quota-gold", {"requests.storage": "5Gi", "persistentvolumeclaims": "1"}, **GOLD)
    uses(e2e, "quota-gold", requests_storage="0", persistentvolumeclaims="0")
    e2e.create(claim("test-claim-1", storageClassName="", volumeAttributesClassName="gold"))
    uses(e2e, "quota-gold", requests_storage="1Gi", persistentvolumeclaims="1")
    with refused("Forbidden"):
        e2e.create(claim("test-claim-2", storageClassName="", volumeAttributesClassName="gold"))
    e2e.delete("PersistentVolumeClaim", "test-claim-1")
    uses(e2e, "quota-gold", requests_storage="0", persistentvolumeclaims="0")


def test_a_claim_that_changes_its_attributes_class(e2e: Client) -> None:
    """Meanwhile it takes of both quotas: it wants the one and still has the other."""
    hard = {"requests.storage": "5Gi", "persistentvolumeclaims": "1"}
    quota(e2e, "quota-gold", hard, **GOLD)
    quota(e2e, "quota-silver", hard, **SILVER)
    nothing = {"requests_storage": "0", "persistentvolumeclaims": "0"}
    one = {"requests_storage": "1Gi", "persistentvolumeclaims": "1"}
    for name in ("quota-gold", "quota-silver"):
        uses(e2e, name, **nothing)
    volume, labels = f"fake-{e2e.namespace}", {"x-test.k8s.io/satisfiable": "fake-volume"}
    selector = {"matchLabels": labels}
    wanted = {"storageClassName": "", "volumeAttributesClassName": "gold", "selector": selector, "volumeName": volume}
    e2e.create(claim("test-claim", **wanted))
    spec = {
        "storageClassName": "",
        "volumeAttributesClassName": "gold",
        "persistentVolumeReclaimPolicy": "Delete",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "csi": {"driver": "fake.csi.k8s.io", "volumeHandle": "volume-handle"},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": e2e.namespace,
            "name": "test-claim",
        },
    }
    e2e.create({"kind": "PersistentVolume", "metadata": {"name": volume, "labels": labels}, "spec": spec})
    e2e.wait(lambda: e2e.get("PersistentVolumeClaim", "test-claim")["status"]["phase"] == "Bound")
    assert e2e.get("PersistentVolume", volume)["status"]["phase"] == "Bound"
    uses(e2e, "quota-gold", **one)
    e2e.retry("PersistentVolumeClaim", "test-claim", lambda c: c["spec"].update(volumeAttributesClassName="silver"))
    uses(e2e, "quota-silver", **one)
    uses(e2e, "quota-gold", **one)
    e2e.retry("PersistentVolume", volume, lambda v: v["spec"].update(volumeAttributesClassName="silver"))

    def given(obj: Object) -> None:
        obj["status"]["currentVolumeAttributesClassName"] = "silver"

    e2e.retry("PersistentVolumeClaim", "test-claim", given, "status")
    uses(e2e, "quota-gold", **nothing)
    uses(e2e, "quota-silver", **one)
    e2e.delete("PersistentVolume", volume)


def test_a_quota_is_updated_and_deleted(e2e: Client) -> None:
    made = quota(e2e, hard={"cpu": "1", "memory": "500Mi"})
    assert made["spec"]["hard"] == e2e.get("ResourceQuota", "test-quota")["spec"]["hard"]
    made["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}
    assert e2e.update(e2e.get("ResourceQuota", "test-quota") | {"spec": made["spec"]})["spec"]["hard"]["cpu"] == "2"
    assert e2e.get("ResourceQuota", "test-quota")["spec"]["hard"] == {"cpu": "2", "memory": "1Gi"}
    e2e.delete("ResourceQuota", "test-quota")
    assert not e2e.there("ResourceQuota", "test-quota")


def test_life_of_a_resource_quota(e2e: Client) -> None:
    quota(e2e, "e2e-quota", {"cpu": "500m", "memory": "500Mi"})
    assert e2e.get("ResourceQuota", "e2e-quota")["spec"]["hard"] == {"cpu": "500m", "memory": "500Mi"}
    patch = {"metadata": {"labels": {"test": "patched"}}, "spec": {"hard": {"memory": "750Mi"}}}
    assert e2e.patch("ResourceQuota", "e2e-quota", patch)["spec"]["hard"]["memory"] == "750Mi"
    assert len(e2e.list("ResourceQuota", "test=patched", everywhere=True)) == 1
    e2e.delete_collection("ResourceQuota", "test=patched")
    assert e2e.list("ResourceQuota", "test=patched", everywhere=True) == []


def test_status_changes_of_a_resource_quota(e2e: Client) -> None:
    """Its controller takes no notice of a status that somebody else writes, until it looks at all quotas again."""
    hard = {"cpu": "500m", "memory": "500Mi"}
    e2e.create({"kind": "ResourceQuota", "metadata": {"name": "rq", "labels": {"a": "b"}}, "spec": {"hard": hard}})
    e2e.wait(lambda: (e2e.get("ResourceQuota", "rq").get("status") or {}).get("hard") == hard)

    def forget_use(obj: Object) -> None:
        obj["status"] = {"hard": hard}

    updated = e2e.retry("ResourceQuota", "rq", forget_use, "status")
    assert updated["status"]["hard"] == hard
    patched = e2e.patch("ResourceQuota", "rq", {"spec": {"hard": {"cpu": "1", "memory": "1Gi"}}})
    assert patched["spec"]["hard"]["cpu"] == "1"
    patched = e2e.patch("ResourceQuota", "rq", {"status": {"hard": {"cpu": "1", "memory": "1Gi"}}}, sub="status")
    assert e2e.get("ResourceQuota", "rq", "status")["status"]["hard"] == {"cpu": "1", "memory": "1Gi"}
    e2e.advance(1)
    version = e2e.get("ResourceQuota", "rq")["metadata"]["resourceVersion"]
    with e2e.watch("ResourceQuota", "a=b", version) as watch:
        e2e.patch("ResourceQuota", "rq", {"status": {"hard": {"cpu": "2", "memory": "2Gi"}}}, sub="status")
        assert watch.next()["object"]["status"]["hard"] == {"cpu": "2", "memory": "2Gi"}
    assert e2e.get("ResourceQuota", "rq")["spec"]["hard"]["cpu"] == "1"
    e2e.wait(lambda: e2e.get("ResourceQuota", "rq")["status"]["hard"]["cpu"] == "1", limit=360, step=5)
