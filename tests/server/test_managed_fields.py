"""``kubectl get -o yaml --show-managed-fields``: who wrote what, where the cluster's own components wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.server.ownwrites import LONGEST, Owned, signed
from tests.server.api import DEPLOYMENTS, PODS, Api, deployment, pod

APPLY = "application/apply-patch+yaml"
CONTROLLERS, KUBELET, SCHEDULER = "kube-controller-manager", "kubelet", "kube-scheduler"


@pytest.fixture
def api() -> Api:
    return Api(cluster=Cluster(2, signed=signed))


def entries(obj: Any) -> dict[tuple[str, str], Any]:
    """(manager, subresource) → its fields."""
    return {(e["manager"], e.get("subresource", "")): e["fieldsV1"] for e in obj["metadata"].get("managedFields", ())}


def listed(api: Api, path: str) -> list[Any]:
    items: list[Any] = api.get(path).json["items"]
    return items


def test_a_pod_belongs_to_who_made_it_and_its_status_to_its_kubelet(api: Api) -> None:
    """The scheduler binds, and what admission adds belongs to nobody (handlers/create.go: managers come first)."""
    api("POST", DEPLOYMENTS, deployment())
    api.run(20)
    found = entries(listed(api, PODS)[0])
    assert set(found) == {(CONTROLLERS, ""), (KUBELET, "status")}
    made, status = found[CONTROLLERS, ""], found[KUBELET, "status"]
    assert set(made["f:metadata"]) == {"f:generateName", "f:labels", "f:ownerReferences"}
    assert set(made["f:spec"]) == {
        *("f:containers", "f:dnsPolicy", "f:enableServiceLinks", "f:restartPolicy", "f:schedulerName"),
        *("f:securityContext", "f:terminationGracePeriodSeconds"),
    }
    assert set(status) == {"f:status"}
    assert 'k:{"type":"PodScheduled"}' not in status["f:status"]["f:conditions"]
    assert {"f:containerStatuses", "f:phase", "f:podIP", "f:startTime"} <= set(status["f:status"])


def test_what_cannot_be_scheduled_says_the_scheduler(api: Api) -> None:
    wanted = pod()
    wanted["spec"]["nodeSelector"] = {"no": "node"}
    api("POST", PODS, wanted)
    api.run(5)
    fields = entries(api.get(f"{PODS}/app").json)[SCHEDULER, "status"]["f:status"]["f:conditions"]
    assert set(fields['k:{"type":"PodScheduled"}']) >= {"f:reason", "f:message"}


def test_a_deployments_status_and_revision_belong_to_its_controller(api: Api) -> None:
    api("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-create", deployment())
    api.run(20)
    found = entries(api.get(f"{DEPLOYMENTS}/web").json)
    assert set(found) == {("kubectl-create", ""), (CONTROLLERS, "status")}
    status = found[CONTROLLERS, "status"]
    assert status["f:metadata"]["f:annotations"]["f:deployment.kubernetes.io/revision"] == {}
    assert "f:readyReplicas" in status["f:status"]
    [replica_set] = listed(api, DEPLOYMENTS.replace("deployments", "replicasets"))
    assert set(entries(replica_set)) == {(CONTROLLERS, ""), (CONTROLLERS, "status")}


def test_what_is_there_from_the_beginning_has_managers_too(api: Api) -> None:
    api.run(5)
    node = entries(listed(api, "/api/v1/nodes")[0])
    assert set(node) == {(KUBELET, ""), (CONTROLLERS, ""), (KUBELET, "status")}
    assert (set(node[KUBELET, ""]), set(node[CONTROLLERS, ""])) == ({"f:metadata"}, {"f:spec"})
    assert set(node[KUBELET, "status"]) == {"f:status"}
    assert set(entries(api.get("/api/v1/namespaces/default").json)) == {("kube-apiserver", "")}
    certificate = api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt").json
    assert set(entries(certificate)) == {(CONTROLLERS, "")}
    account = api.get("/api/v1/namespaces/default/serviceaccounts/default").json
    assert "managedFields" not in account["metadata"]
    [lease, _] = listed(api, "/apis/coordination.k8s.io/v1/leases")
    assert set(entries(lease)) == {(KUBELET, "")}


def test_an_event_belongs_to_who_tells_it(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    api.run(20)
    by = {e["reason"]: (e["metadata"]["managedFields"][0], e) for e in listed(api, "/api/v1/events")}
    told = {reason: (entry["manager"], entry["apiVersion"]) for reason, (entry, _) in by.items()}
    assert told["Started"] == (KUBELET, "v1")
    assert told["SuccessfulCreate"] == told["ScalingReplicaSet"] == (CONTROLLERS, "v1")
    assert told["Scheduled"] == (SCHEDULER, "events.k8s.io/v1")
    assert "f:regarding" in by["Scheduled"][0]["fieldsV1"]


def test_who_applies_a_field_of_another_component_is_told_of_it(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    api.run(20)
    status = {"apiVersion": "apps/v1", "kind": "Deployment", "status": {"readyReplicas": 7}}
    refused = api("PATCH", f"{DEPLOYMENTS}/web/status?fieldManager=me", status, APPLY)
    assert refused.json["message"] == (
        'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "status" '
        "using apps/v1: .status.readyReplicas"
    )


def test_who_writes_nothing_new_writes_nothing(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    api.run(20)
    one = api.get(f"{DEPLOYMENTS}/web").json
    assert api("PUT", f"{DEPLOYMENTS}/web", one).json == one
    assert api("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"paused": None}}, "application/merge-patch+json").json == one


def test_a_binding_and_a_deletion_belong_to_nobody(api: Api) -> None:
    wanted = pod()
    wanted["spec"]["schedulerName"] = "mine"
    api("POST", PODS, wanted)
    target = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "node-1"}}
    api("POST", f"{PODS}/app/binding", {**target, "metadata": {"name": "app"}})
    api.run(10)
    api("DELETE", f"{PODS}/app")
    found = api.get(f"{PODS}/app").json
    assert found["metadata"]["deletionTimestamp"]
    assert set(entries(found)) == {("test", ""), (KUBELET, "status")}


def test_a_watch_tells_the_same_as_a_list(api: Api) -> None:
    seen = api.stream(f"{PODS}?watch=1", lambda: (api.cluster.apply(pod()), api.run(10)))
    last = seen[-1]["object"]
    assert last["metadata"]["managedFields"] == api.get(f"{PODS}/app").json["metadata"]["managedFields"]
    assert set(entries(seen[0]["object"])) == {("kubectl-client-side-apply", "")}
    assert set(entries(last)) == {("kubectl-client-side-apply", ""), (KUBELET, "status")}


def test_what_nobody_reads_is_not_worked_out_and_does_not_pile_up() -> None:
    """A container that ends again and again, and a controller and a kubelet that write in turn."""
    cluster = Cluster(signed=signed)
    cluster.apply({**pod(), "spec": {"containers": [{"name": "app", "image": "busybox:1.36", "command": ["false"]}]}})
    cluster.run(until=3600)
    assert all(
        isinstance(o["metadata"]["managedFields"], Owned) and o["metadata"]["managedFields"].links <= LONGEST
        for o in cluster.store.list("Pod")
    )
    assert Cluster().store.list("Node")[0]["metadata"].get("managedFields") is None
