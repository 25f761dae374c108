"""[sig-node] Pods"""

from __future__ import annotations

from urllib.parse import urlencode

from tests.e2e.api import AGNHOST, PAUSE, Client, Object
from tests.e2e.pods import agnhost, condition, container, frames, output, phase, pod, ready, run, running, sh

NGINX = "registry.k8s.io/e2e-test-images/nginx:1.14-4"
HTTPD = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4"

RESTRICTED = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}


def restricted(made: Object) -> Object:
    """A pod as the strictest policy wants it (MixinRestrictedPodSecurity)."""
    made["spec"]["securityContext"] = RESTRICTED
    for c in made["spec"]["containers"]:
        c["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return made


def nginx(name: str, time: str) -> Object:
    labels = {"name": "foo", "time": time}
    return restricted(pod(name, container("nginx", image=NGINX), labels=labels))


def test_a_host_ip(e2e: Client) -> None:
    made = restricted(pod("pod-hostip", container("test", image=PAUSE)))
    assert run(e2e, made)["status"]["hostIP"]


def test_submitted_and_removed(e2e: Client) -> None:
    assert e2e.list("Pod", "time=1") == []
    with e2e.watch("Pod", "time=1") as watch:
        e2e.create(nginx("pod-submit-remove", "1"))
        assert len(e2e.list("Pod", "time=1")) == 1
        assert watch.next()["type"] == "ADDED"
        e2e.wait(lambda: phase(e2e, "pod-submit-remove") == "Running")
        e2e.delete("Pod", "pod-submit-remove", gracePeriodSeconds=30)
        last = watch.until(lambda event: event["type"] == "DELETED")["object"]
    assert last["metadata"]["deletionTimestamp"]
    assert last["spec"]["terminationGracePeriodSeconds"]
    assert e2e.list("Pod", "time=1") == []


def test_updated(e2e: Client) -> None:
    run(e2e, nginx("pod-update", "1"))
    e2e.retry("Pod", "pod-update", lambda p: p["metadata"]["labels"].update(time="2"))
    assert phase(e2e, "pod-update") == "Running"
    assert len(e2e.list("Pod", "time=2")) == 1


def test_a_deadline_that_comes_later(e2e: Client) -> None:
    run(e2e, nginx("pod-update-activedeadlineseconds", "1"))
    e2e.retry("Pod", "pod-update-activedeadlineseconds", lambda p: p["spec"].update(activeDeadlineSeconds=5))
    e2e.wait(lambda: e2e.get("Pod", "pod-update-activedeadlineseconds")["status"].get("reason") == "DeadlineExceeded")
    assert phase(e2e, "pod-update-activedeadlineseconds") == "Failed"


def test_variables_for_services(e2e: Client) -> None:
    server = agnhost("srv", "serve-hostname", ports=[{"containerPort": 9376}])
    run(e2e, restricted(pod("server-envvars", server, labels={"name": "server-envvars"})))
    ports = [{"port": 8765, "targetPort": 8080}]
    spec = {"ports": ports, "selector": {"name": "server-envvars"}}
    e2e.create({"kind": "Service", "metadata": {"name": "fooservice"}, "spec": spec})
    said = output(
        e2e, restricted(pod("client-envvars", container("env3cont", "sh", "-c", "env"), restartPolicy="Never"))
    )
    for name in ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_8765_TCP_PORT", "PORT_8765_TCP_PROTO", "PORT_8765_TCP"):
        assert f"FOOSERVICE_{name}=" in said
    assert "FOOSERVICE_PORT_8765_TCP_ADDR=" in said


def test_a_command_over_websockets(e2e: Client) -> None:
    run(e2e, restricted(pod("pod-exec-websocket", sh("main", "echo container is alive; sleep 600"))))
    query = [("stderr", "1"), ("stdout", "1"), ("container", "main"), ("command", "echo")]
    query.append(("command", "remote execution test"))
    found = frames(e2e, f"{e2e.path('Pod', 'pod-exec-websocket', 'exec')}?{urlencode(query)}", "channel.k8s.io")
    assert all(channel == 1 for channel, text in found if text)
    assert "remote execution test" in "".join(text for _, text in found)


def test_logs_over_websockets(e2e: Client) -> None:
    run(e2e, restricted(pod("pod-logs-websocket", sh("main", "echo container is alive; sleep 10000"))))
    found = frames(e2e, f"{e2e.path('Pod', 'pod-logs-websocket', 'log')}?container=main", "binary.k8s.io")
    assert "".join(text for _, text in found if text.strip()) == "container is alive\n"


def test_readiness_gates(e2e: Client) -> None:
    gates = ["k8s.io/test-condition1", "k8s.io/test-condition2"]
    made = restricted(pod("pod-ready", sh("pod-readiness-gate", "echo container is alive; sleep 10000")))
    made["spec"]["readinessGates"] = [{"conditionType": gate} for gate in gates]
    assert not ready(running(e2e, made))

    def told(gate: str, status: str) -> None:
        patch = {"status": {"conditions": [{"type": gate, "status": status}]}}
        e2e.patch("Pod", "pod-ready", patch, sub="status")

    told(gates[0], "True")
    e2e.advance(10)
    assert not ready(e2e.get("Pod", "pod-ready"))
    told(gates[1], "True")
    e2e.wait(lambda: ready(e2e.get("Pod", "pod-ready")))
    told(gates[0], "False")
    e2e.wait(lambda: not ready(e2e.get("Pod", "pod-ready")))


def test_a_collection_is_deleted(e2e: Client) -> None:
    names = [f"test-pod-{n}" for n in (1, 2, 3)]
    for name in names:
        made = pod(name, container("token-test", image=AGNHOST), labels={"type": "Testing"}, restartPolicy="Never")
        made["spec"]["terminationGracePeriodSeconds"] = 1
        e2e.create(restricted(made))
    e2e.wait(lambda: all(ready(e2e.get("Pod", name)) for name in names))
    e2e.delete_collection("Pod", "type=Testing", gracePeriodSeconds=1)
    e2e.wait(lambda: e2e.list("Pod", "type=Testing") == [])


def test_the_life_of_a_pod_and_its_status(e2e: Client) -> None:
    made = pod("pod-test", container("pod-test", image=AGNHOST), labels={"test-pod-static": "true"})
    made["spec"]["terminationGracePeriodSeconds"] = 1
    e2e.create(restricted(made))
    e2e.wait(lambda: ready(e2e.get("Pod", "pod-test")))
    image = {"name": "pod-test", "image": HTTPD, "resources": {}}
    patch = {"metadata": {"labels": {"test-pod": "patched"}}, "spec": {"containers": [image]}, "status": {}}
    patch["spec"]["terminationGracePeriodSeconds"] = 1
    e2e.patch("Pod", "pod-test", patch)
    found = e2e.get("Pod", "pod-test")
    assert found["metadata"]["labels"]["test-pod"] == "patched"
    assert found["spec"]["containers"][0]["image"] == HTTPD
    found = e2e.get("Pod", "pod-test", "status")
    kinds = [condition(found, kind) for kind in ("Ready", "ContainersReady")]
    for c in kinds:
        assert c["status"] == "True"
        c["status"] = "False"
    found = e2e.update(found, "status")
    assert [condition(found, kind)["status"] for kind in ("Ready", "ContainersReady")] == ["False", "False"]
    with e2e.watch("Pod", "test-pod-static=true", found["metadata"]["resourceVersion"]) as watch:
        e2e.delete_collection("Pod", "test-pod-static=true", gracePeriodSeconds=1)
        watch.until(lambda event: event["type"] == "DELETED")
    assert not e2e.there("Pod", "pod-test")


def test_a_status_is_patched(e2e: Client) -> None:
    running(e2e, restricted(pod("pod", container("agnhost", image=AGNHOST))))
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}}
    patch["status"] = {"message": "Patched by e2e test", "reason": "E2E"}
    found = e2e.patch("Pod", "pod", patch, "merge", "status")
    assert (found["status"]["message"], found["status"]["reason"]) == ("Patched by e2e test", "E2E")
