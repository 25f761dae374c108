"""[sig-node] RuntimeClass"""

from __future__ import annotations

import pytest

from tests.e2e.api import Client, Object, Refused, refused
from tests.e2e.pods import condition, container, pod


def runtime_class(e2e: Client, name: str, **fields: object) -> Object:
    """A RuntimeClass, whose name no other test has."""
    meta = {"name": f"{e2e.namespace}-{name}", "labels": {"test": e2e.namespace}}
    return {"kind": "RuntimeClass", "metadata": meta, "handler": "test-handler", **fields}


def of_class(made: Object, **spec: object) -> Object:
    """A pod that asks for it."""
    name = made["metadata"]["name"]
    fields = {"restartPolicy": "Never", "automountServiceAccountToken": False, "runtimeClassName": name}
    return pod(f"test-runtimeclass-{name}", container("test", "true"), **fields, **spec)


def scheduled(e2e: Client) -> Object:
    """The only pod there is, once it has its node."""
    e2e.wait(lambda: condition(e2e.list("Pod")[0], "PodScheduled").get("status") == "True")
    [found] = e2e.list("Pod")
    return found


@pytest.mark.parametrize("deleted", [False, True], ids=["never", "deleted"])
def test_a_class_that_does_not_exist_is_refused(e2e: Client, deleted: bool) -> None:
    made = runtime_class(e2e, "nonexistent")
    if deleted:
        e2e.create(made)
        e2e.delete("RuntimeClass", made["metadata"]["name"])
        assert not e2e.there("RuntimeClass", made["metadata"]["name"])
    with refused("Forbidden") as found:
        e2e.create(of_class(made))
    assert f'RuntimeClass "{made["metadata"]["name"]}" not found' in str(found.value)


def test_a_node_selector_that_contradicts_is_refused(e2e: Client) -> None:
    made = runtime_class(e2e, "conflict", scheduling={"nodeSelector": {"foo": "conflict"}})
    e2e.create(made)
    with refused("Forbidden"):
        e2e.create(of_class(made, nodeSelector={"foo": "bar"}))
    e2e.delete("RuntimeClass", made["metadata"]["name"])


def test_a_pod_is_scheduled(e2e: Client) -> None:
    made = e2e.create(runtime_class(e2e, "plain"))
    e2e.create(of_class(made))
    assert "overhead" not in scheduled(e2e)["spec"]
    e2e.delete("RuntimeClass", made["metadata"]["name"])


def test_a_pod_gets_the_overhead_of_its_class(e2e: Client) -> None:
    made = e2e.create(runtime_class(e2e, "overhead", overhead={"podFixed": {"cpu": "10m", "memory": "1Mi"}}))
    e2e.create(of_class(made))
    assert scheduled(e2e)["spec"]["overhead"] == {"cpu": "10m", "memory": "1Mi"}
    e2e.delete("RuntimeClass", made["metadata"]["name"])


def test_operations(e2e: Client) -> None:
    groups = {g["name"]: g for g in e2e.ask("GET", "/apis")["groups"]}
    assert "v1" in [v["version"] for v in groups["node.k8s.io"]["versions"]]
    assert "v1" in [v["version"] for v in e2e.ask("GET", "/apis/node.k8s.io")["versions"]]
    assert "runtimeclasses" in [r["name"] for r in e2e.ask("GET", "/apis/node.k8s.io/v1")["resources"]]
    one, two, three = (runtime_class(e2e, f"conformance-{n}") for n in (1, 2, 3))
    first = e2e.create(one)
    with pytest.raises(Refused) as found:
        e2e.create(one)
    assert found.value.code == 409
    e2e.create(two)
    mine = f"test={e2e.namespace}"
    with e2e.watch("RuntimeClass", mine) as watch:
        e2e.create(three)
        name = one["metadata"]["name"]
        assert e2e.get("RuntimeClass", name)["metadata"]["uid"] == first["metadata"]["uid"]
        assert len(e2e.list("RuntimeClass", mine)) == 3
        patched = e2e.patch("RuntimeClass", name, {"metadata": {"annotations": {"patched": "true"}}}, "merge")
        assert patched["metadata"]["annotations"]["patched"] == "true"
        patched["metadata"]["annotations"]["updated"] = "true"
        assert e2e.update(patched)["metadata"]["annotations"]["updated"] == "true"
        watch.until(lambda e: e["type"] == "ADDED")
        watch.until(lambda e: (e["object"]["metadata"].get("annotations") or {}).get("patched") == "true")
        watch.until(lambda e: (e["object"]["metadata"].get("annotations") or {}).get("updated") == "true")
    e2e.delete("RuntimeClass", name)
    assert not e2e.there("RuntimeClass", name)
    assert len(e2e.list("RuntimeClass", mine)) == 2
    e2e.delete_collection("RuntimeClass", mine)
    assert e2e.list("RuntimeClass", mine) == []
