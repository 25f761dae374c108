"""[sig-apps] StatefulSet: a web server whose readiness a test takes away and gives back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import AGNHOST, BUSYBOX, Client, Object

SS = "StatefulSet"
OLD_AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.55"
LABELS = {"foo": "bar", "baz": "blah"}
SELECTOR = "foo=bar,baz=blah"
REVISION = "controller-revision-hash"
PAGE = "/srv/page"


@pytest.fixture(autouse=True)
def headless(e2e: Client) -> None:
    """The Service that each set names."""
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    spec = {"selector": LABELS, "clusterIP": "None", "ports": ports}
    e2e.create({"kind": "Service", "metadata": {"name": "test"}, "spec": spec})


def stateful_set(name: str, count: int, *, probe: bool = True, image: str = OLD_AGNHOST, **spec: Any) -> Object:
    script = f"mkdir -p /srv; echo ok > {PAGE}; exec /agnhost test-webserver"
    container: Object = {"name": "webserver", "image": image, "command": ["/bin/sh", "-c", script]}
    if probe:
        container["readinessProbe"] = {
            "httpGet": {"path": PAGE, "port": 80},
            "periodSeconds": 1,
            "successThreshold": 1,
            "failureThreshold": 1,
        }
    template = {"metadata": {"labels": LABELS, "annotations": {}}, "spec": {"containers": [container]}}
    spec = {
        "replicas": count,
        "serviceName": "test",
        "selector": {"matchLabels": LABELS},
        "template": template,
        "updateStrategy": {"type": "RollingUpdate"},
        **spec,
    }
    return {"kind": SS, "metadata": {"name": name}, "spec": spec}


def pods(e2e: Client) -> list[Object]:
    return sorted(e2e.list("Pod", SELECTOR), key=lambda p: int(p["metadata"]["name"].rpartition("-")[2]))


def ready(pod: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ())


def healthy(e2e: Client, count: int) -> list[Object]:
    """Wait for so many pods, all ready, none of them leaving."""

    def found() -> list[Object] | None:
        there = pods(e2e)
        well = all(ready(p) and "deletionTimestamp" not in p["metadata"] for p in there)
        return there if len(there) == count and well else None

    there: list[Object] = e2e.wait(found, limit=600)
    return there


def observed(e2e: Client, name: str) -> Object:
    """The set once its controller has seen what is asked for."""

    def current() -> Object | None:
        found = e2e.get(SS, name)
        return found if found["status"].get("observedGeneration", 0) >= found["metadata"]["generation"] else None

    found: Object = e2e.wait(current)
    return found


def revisions(found: Object) -> tuple[str, str]:
    return found["status"]["currentRevision"], found["status"]["updateRevision"]


def state(e2e: Client) -> list[tuple[str, str]]:
    """(image, revision) of each pod."""
    return [(p["spec"]["containers"][0]["image"], p["metadata"]["labels"][REVISION]) for p in pods(e2e)]


def break_probe(e2e: Client, pod: str) -> None:
    e2e.run(pod, f"mv -v {PAGE} /tmp/ || true")
    e2e.wait(lambda: not ready(e2e.get("Pod", pod)))


def mend_probe(e2e: Client, pod: str) -> None:
    e2e.run(pod, f"mv -v /tmp/page {PAGE} || true")
    e2e.wait(lambda: ready(e2e.get("Pod", pod)))


def new_image(e2e: Client, name: str, image: str) -> None:
    e2e.retry(SS, name, lambda s: s["spec"]["template"]["spec"]["containers"][0].update(image=image))


def partition(e2e: Client, name: str, value: int) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": value}}
    e2e.retry(SS, name, lambda s: s["spec"].update(updateStrategy=strategy))


def test_rolling_updates_and_roll_backs(e2e: Client) -> None:
    e2e.create(stateful_set("ss2", 3))
    healthy(e2e, 3)
    first, update = revisions(observed(e2e, "ss2"))
    assert first == update
    assert state(e2e) == [(OLD_AGNHOST, first)] * 3
    break_probe(e2e, "ss2-1")
    new_image(e2e, "ss2", AGNHOST)
    _, second = revisions(observed(e2e, "ss2"))
    assert second != first
    mend_probe(e2e, "ss2-1")
    e2e.wait(lambda: state(e2e) == [(AGNHOST, second)] * 3, limit=300)
    healthy(e2e, 3)
    e2e.wait(lambda: revisions(e2e.get(SS, "ss2")) == (second, second))
    break_probe(e2e, "ss2-1")
    new_image(e2e, "ss2", OLD_AGNHOST)
    assert revisions(observed(e2e, "ss2")) == (second, first)
    mend_probe(e2e, "ss2-1")
    e2e.wait(lambda: state(e2e) == [(OLD_AGNHOST, first)] * 3, limit=300)


def test_canaries_and_phased_updates(e2e: Client) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}
    e2e.create(stateful_set("ss2", 3, updateStrategy=strategy))
    healthy(e2e, 3)
    first, _ = revisions(observed(e2e, "ss2"))
    new_image(e2e, "ss2", AGNHOST)
    current, second = revisions(observed(e2e, "ss2"))
    assert (current, second != first) == (first, True)
    e2e.advance(10)
    old, new = (OLD_AGNHOST, first), (AGNHOST, second)
    assert state(e2e) == [old] * 3
    partition(e2e, "ss2", 2)
    e2e.wait(lambda: state(e2e) == [old, old, new], limit=300)
    for name in ("ss2-0", "ss2-2"):
        uid = e2e.get("Pod", name)["metadata"]["uid"]
        e2e.delete("Pod", name)
        e2e.wait(lambda name=name, uid=uid: e2e.there("Pod", name) and e2e.get("Pod", name)["metadata"]["uid"] != uid)
    healthy(e2e, 3)
    assert state(e2e) == [old, old, new]
    for value in (1, 0):
        partition(e2e, "ss2", value)
        e2e.wait(lambda value=value: state(e2e) == [old] * value + [new] * (3 - value), limit=300)
        healthy(e2e, 3)
    e2e.wait(lambda: revisions(e2e.get(SS, "ss2")) == (second, second))


ENDS_BADLY = """
_term(){
    if [ "${POD_NAME}" = "ss2-0" ]; then
        exit 1
    else
        exit 0
    fi
}
trap _term SIGTERM
while true; do
    sleep 1
done
"""
FINALIZER = "example.com/test-finalizer"


@pytest.mark.parametrize("failing", [True, False], ids=["failing", "well"])
def test_a_partition_of_one_and_a_lost_first_pod(e2e: Client, failing: bool) -> None:
    """The pod that was lost stays for a while, with a finalizer, ended well or not; then it comes again as it was."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    made = stateful_set("ss2", 3, updateStrategy=strategy)
    if failing:
        named = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
        other = {"name": "sleep-exit-with-1", "image": BUSYBOX, "command": ["sh", "-c"], "args": [ENDS_BADLY]}
        made["spec"]["template"]["spec"]["containers"].append({**other, "env": [named]})
    e2e.create(made)
    healthy(e2e, 3)
    first, _ = revisions(observed(e2e, "ss2"))
    e2e.retry("Pod", "ss2-0", lambda p: p["metadata"].update(finalizers=[FINALIZER]))
    new_image(e2e, "ss2", AGNHOST)
    _, second = revisions(observed(e2e, "ss2"))
    wanted = [(OLD_AGNHOST, first), (AGNHOST, second), (AGNHOST, second)]
    e2e.wait(lambda: state(e2e) == wanted, limit=300)
    healthy(e2e, 3)
    e2e.delete("Pod", "ss2-0")
    uid = e2e.get("Pod", "ss2-0")["metadata"]["uid"]
    e2e.wait(lambda: e2e.get("Pod", "ss2-0")["status"]["phase"] in ("Failed", "Succeeded"))
    e2e.retry("Pod", "ss2-0", lambda p: p["metadata"].pop("finalizers"))
    e2e.wait(lambda: e2e.there("Pod", "ss2-0") and e2e.get("Pod", "ss2-0")["metadata"]["uid"] != uid)
    healthy(e2e, 3)
    assert state(e2e) == wanted


def test_on_delete_updates_only_what_is_deleted(e2e: Client) -> None:
    e2e.create(stateful_set("ss2", 3, updateStrategy={"type": "OnDelete"}))
    healthy(e2e, 3)
    first, _ = revisions(observed(e2e, "ss2"))

    def lose_all() -> None:
        for pod in pods(e2e):
            e2e.delete("Pod", pod["metadata"]["name"])
        healthy(e2e, 3)

    lose_all()
    assert state(e2e) == [(OLD_AGNHOST, first)] * 3
    new_image(e2e, "ss2", AGNHOST)
    _, second = revisions(observed(e2e, "ss2"))
    assert second != first
    e2e.advance(5)
    assert state(e2e) == [(OLD_AGNHOST, first)] * 3
    lose_all()
    e2e.wait(lambda: state(e2e) == [(AGNHOST, second)] * 3, limit=300)


def test_an_evicted_pod_comes_again(e2e: Client) -> None:
    """Two pods want one port of one node: the set's own is refused there, and comes when the other is gone."""
    ports = [{"containerPort": 21017, "hostPort": 21017, "protocol": "TCP"}]
    node = "node-1"
    container = {"name": "webserver", "image": AGNHOST, "args": ["test-webserver"], "ports": ports}
    spec = {"nodeName": node, "containers": [container]}
    e2e.create({"kind": "Pod", "metadata": {"name": "test-pod"}, "spec": spec})
    e2e.wait(lambda: e2e.get("Pod", "test-pod")["status"].get("phase") == "Running")
    made = stateful_set("ss", 1, probe=False)
    made["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    made["spec"]["template"]["spec"]["nodeName"] = node
    version = e2e.ask("GET", e2e.path("Pod"))["metadata"]["resourceVersion"]
    with e2e.watch("Pod", SELECTOR, version) as watch:
        e2e.create(made)
        first: list[str] = []

        def refused_and_gone(event: Object) -> bool:
            if event["object"]["status"].get("phase") == "Failed":
                first.append(event["object"]["metadata"]["uid"])
            return event["type"] == "DELETED" and event["object"]["metadata"]["uid"] in first

        watch.until(refused_and_gone)
    e2e.delete("Pod", "test-pod", gracePeriodSeconds=0)

    def again() -> bool:
        there = e2e.there("Pod", "ss-0") and e2e.get("Pod", "ss-0")
        return bool(there and there["status"].get("phase") == "Running" and there["metadata"]["uid"] not in first)

    e2e.wait(again)


def test_has_a_scale(e2e: Client) -> None:
    e2e.create(stateful_set("ss", 1))
    healthy(e2e, 1)
    scale = e2e.get(SS, "ss", "scale")
    assert (scale["spec"]["replicas"], scale["status"]["replicas"]) == (1, 1)
    scale["spec"]["replicas"] = 2
    assert e2e.ask("PUT", e2e.path(SS, "ss", "scale"), scale)["spec"]["replicas"] == 2
    assert e2e.get(SS, "ss")["spec"]["replicas"] == 2
    assert e2e.patch(SS, "ss", {"spec": {"replicas": 4}}, sub="scale")["spec"]["replicas"] == 4
    assert e2e.get(SS, "ss")["spec"]["replicas"] == 4
    healthy(e2e, 4)


def test_a_collection_of_stateful_sets_is_deleted(e2e: Client) -> None:
    made = stateful_set("test-ss", 1)
    made["metadata"]["labels"] = {"e2e": "test-ss"}
    e2e.create(made)
    healthy(e2e, 1)
    patch = {
        "metadata": {"labels": {"test-ss": "patched"}},
        "spec": {
            "replicas": 2,
            "template": {
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "webserver", "image": AGNHOST}],
                }
            },
        },
    }
    e2e.patch(SS, "test-ss", patch)
    found = e2e.get(SS, "test-ss")
    assert (found["spec"]["replicas"], found["metadata"]["labels"]["test-ss"]) == (2, "patched")
    e2e.wait(lambda: e2e.get(SS, "test-ss")["status"].get("readyReplicas") == 2, limit=300)
    assert [s["metadata"]["name"] for s in e2e.list(SS, "e2e=test-ss", everywhere=True)] == ["test-ss"]
    e2e.delete_collection(SS, "e2e=test-ss")
    assert e2e.list(SS, "e2e=test-ss") == []


def test_status_changes_of_a_stateful_set(e2e: Client) -> None:
    made = stateful_set("ss", 1)
    made["metadata"]["labels"] = {"e2e": "testing"}
    e2e.create(made)
    healthy(e2e, 1)
    told = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    version = e2e.get(SS, "ss")["metadata"]["resourceVersion"]
    assert e2e.get(SS, "ss", "status")["kind"] == SS
    with e2e.watch(SS, "e2e=testing", version) as watch:
        updated = e2e.retry(SS, "ss", lambda s: s["status"].update(conditions=[told]), "status")
        assert updated["status"]["conditions"][0]["type"] == "StatusUpdate"
        watch.until(lambda e: "StatusUpdate" in [c["type"] for c in e["object"]["status"].get("conditions", ())])
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        patched = e2e.patch(SS, "ss", patch, "merge", "status")
        assert [c["type"] for c in patched["status"]["conditions"]] == ["StatusPatched"]
        watch.until(lambda e: "StatusPatched" in [c["type"] for c in e["object"]["status"].get("conditions", ())])
