"""[sig-api-machinery] ServerSideApply"""

from __future__ import annotations

from typing import Any

from selfheal.kinds import Kind
from tests.e2e.api import AGNHOST, Client, Object, refused
from tests.e2e.customs import GROUP, defined


def apply(
    e2e: Client, kind: str, name: str, body: Object, manager: str = "apply_test", sub: str = "", **query: Any
) -> Object:
    info = e2e.custom.get(kind)
    version = info.api_version if info else {"Deployment": "apps/v1"}.get(kind, "v1")
    body = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **body.get("metadata", {})},
        **{k: v for k, v in body.items() if k != "metadata"},
    }
    return e2e.patch(kind, name, body, "apply", sub, fieldManager=manager, **query)


def deployment(*, replicas: int | None = 3, ports: Any = (), **pod: Any) -> Object:
    labels = {"app": "nginx"}
    container: Object = {"name": "nginx", "image": AGNHOST}
    if ports:
        container["ports"] = list(ports)
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"metadata": {"labels": labels}, "spec": spec}


def test_creates_what_is_not_there(e2e: Client) -> None:
    for kind, name, body, fields in (
        (
            "Pod",
            "test-pod",
            {"spec": {"containers": [{"name": "test-container", "image": "test-image"}]}},
            {"f:containers": {'k:{"name":"test-container"}': {".": {}, "f:image": {}, "f:name": {}}}},
        ),
        (
            "Service",
            "test-svc",
            {"spec": {"ports": [{"port": 8080, "protocol": "UDP"}]}},
            {"f:ports": {'k:{"port":8080,"protocol":"UDP"}': {".": {}, "f:port": {}, "f:protocol": {}}}},
        ),
    ):
        apply(e2e, kind, name, body)
        e2e.get(kind, name)
        made = apply(e2e, kind, name, body, "apply_test_2")
        managers = {m["manager"]: m["fieldsV1"] for m in made["metadata"]["managedFields"]}
        for manager in ("apply_test", "apply_test_2"):
            assert managers[manager] == {"f:spec": fields}


def test_applies_a_status_where_that_is_meant(e2e: Client) -> None:
    apply(e2e, "Pod", "test-pod", {"spec": {"containers": [{"name": "nginx", "image": AGNHOST}]}})
    status = {"status": {"conditions": [{"type": "MyStatus", "status": "True"}]}}
    apply(e2e, "Pod", "test-pod", status, "apply_test2")

    def types() -> list[str]:
        return [c["type"] for c in e2e.get("Pod", "test-pod")["status"].get("conditions") or ()]

    assert "MyStatus" not in types()
    apply(e2e, "Pod", "test-pod", status, "apply_test2", "status")
    assert "MyStatus" in types()


def test_removes_what_is_no_longer_applied(e2e: Client) -> None:
    apply(e2e, "Deployment", "deployment", deployment(ports=[{"containerPort": 80, "protocol": "TCP"}]))
    apply(e2e, "Deployment", "deployment", deployment())
    found = e2e.get("Deployment", "deployment")
    assert not found["spec"]["template"]["spec"]["containers"][0].get("ports")


def test_keeps_what_another_still_wants(e2e: Client) -> None:
    for manager in ("shared_owner_1", "shared_owner_2"):
        apply(e2e, "Deployment", "deployment-shared-unset", deployment(hostname="test-hostname"), manager)
    left = apply(e2e, "Deployment", "deployment-shared-unset", deployment(replicas=None), "shared_owner_1")
    assert left["spec"]["replicas"] == 3
    assert left["spec"]["template"]["spec"]["hostname"] == "test-hostname"


def test_force_overrules_a_conflict(e2e: Client) -> None:
    apply(e2e, "Deployment", "deployment", deployment())
    e2e.patch("Deployment", "deployment", {"spec": {"replicas": 5}}, "merge")
    with refused("Conflict") as found:
        apply(e2e, "Deployment", "deployment", deployment())
    assert len(found.value.status["details"]["causes"]) == 1
    assert apply(e2e, "Deployment", "deployment", deployment(), force="true")["spec"]["replicas"] == 3


def test_gives_up_what_another_has_taken(e2e: Client) -> None:
    name = "deployment-shared-map-item-removal"
    apply(e2e, "Deployment", name, deployment(), "test_applier")
    e2e.retry("Deployment", name, lambda d: d["spec"].update(replicas=4))
    left = apply(e2e, "Deployment", name, deployment(replicas=None), "test_applier")
    assert left["spec"]["replicas"] == 4


PORTS = {
    "type": "array",
    "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
    "x-kubernetes-list-type": "map",
    "items": {
        "type": "object",
        "required": ["containerPort", "protocol"],
        "properties": {
            "containerPort": {"format": "int32", "type": "integer"},
            "hostIP": {"type": "string"},
            "hostPort": {"format": "int32", "type": "integer"},
            "name": {"type": "string"},
            "protocol": {"type": "string"},
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
                "ports": PORTS,
                "atomicList": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}},
            },
        }
    },
}


def port(name: str, number: int) -> Object:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def test_custom_resources_are_applied(e2e: Client) -> None:
    with defined(e2e, "applied", SCHEMA, ("v1beta1", "v1beta2")) as plural:
        spec = {"cronSpec": "* * * * */5", "replicas": 1, "ports": [port("x", 80)]}
        body = {"metadata": {"finalizers": ["test-finalizer"]}, "spec": spec}
        made = apply(e2e, "Applied", "mytest", body)
        assert made["metadata"]["finalizers"] == ["test-finalizer"]
        assert (made["spec"]["replicas"], len(made["spec"]["ports"])) == (1, 1)
        e2e.custom["Applied"] = Kind(f"{GROUP}/v1beta2", plural, namespaced=False)
        later = apply(e2e, "Applied", "mytest", {"spec": spec})
        assert (later["spec"]["replicas"], len(later["spec"]["ports"])) == (1, 1)
        e2e.custom["Applied"] = Kind(f"{GROUP}/v1beta1", plural, namespaced=False)
        both = ["test-finalizer", "another-one"]
        patched = e2e.patch("Applied", "mytest", {"metadata": {"finalizers": both}}, "merge")
        assert sorted(patched["metadata"]["finalizers"]) == sorted(both)
        assert sorted(apply(e2e, "Applied", "mytest", body)["metadata"]["finalizers"]) == sorted(both)
        assert e2e.patch("Applied", "mytest", {"spec": {"replicas": 5}}, "merge")["spec"]["replicas"] == 5
        with refused("Conflict") as found:
            apply(e2e, "Applied", "mytest", body)
        assert len(found.value.status["details"]["causes"]) == 1
        assert apply(e2e, "Applied", "mytest", body, force="true")["spec"]["replicas"] == 1
        with refused("Conflict") as found:
            apply(e2e, "Applied", "mytest", {"spec": {"ports": [port("y", 80)]}}, "apply_test_2")
        assert len(found.value.status["details"]["causes"]) == 1
        more = apply(e2e, "Applied", "mytest", {"spec": {"ports": [port("y", 8080)]}}, "apply_test_2")
        assert len(more["spec"]["ports"]) == 2
        nobody = {"kind": "Applied", "metadata": {"name": "should-not-exist", "finalizers": ["test-finalizer"]}}
        with refused("NotFound"):
            e2e.update({**nobody, "spec": spec})
        apply(e2e, "Applied", "listed", {"spec": {"atomicList": ["item1"]}})
        replaced = apply(e2e, "Applied", "listed", {"spec": {"atomicList": ["item2"]}}, "apply_test_2", force="true")
        assert replaced["spec"]["atomicList"] == ["item2"]
        e2e.patch("Applied", "mytest", {"metadata": {"finalizers": []}}, "merge")
