"""[sig-node] Container Lifecycle Hook, Restartable Init Container Lifecycle Hook, PreStop"""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.e2e.api import PAUSE, Client, Object
from tests.e2e.pods import agnhost, delete, logs, phase, pod, run, running, sh

HANDLER = "pod-handle-http-request"


@pytest.mark.parametrize("kind", ["regular", "sidecar"])
@pytest.mark.parametrize("action", ["exec", "http", "https"])
@pytest.mark.parametrize("hook", ["postStart", "preStop"])
def test_hooks(e2e: Client, hook: str, action: str, kind: str) -> None:
    """Another pod hears of the hook: from the container itself, or by way of a server in its own pod."""
    handler = run(e2e, pod(HANDLER, agnhost("container-handle-http-request", "netexec")))
    address, node = handler["status"]["podIP"], handler["spec"]["nodeName"]
    asked = f"/echo?msg={hook.lower()}"
    act: Object = {"exec": {"command": ["sh", "-c", f"curl http://{address}:8080{asked}"]}}
    secure = {"scheme": "HTTPS"} if action == "https" else {}
    if action != "exec":
        path = f"/dial?host={address}&port=8080&request={quote(asked.lstrip('/'), safe='')}"
        act = {"httpGet": {"path": path, "port": 8080, **secure}}
    with_hook = (
        agnhost("with-hook", lifecycle={hook: act}) if action == "exec" else {"name": "with-hook", "image": PAUSE}
    )
    with_hook["lifecycle"] = {hook: act}
    keys = ["--tls-cert-file", "/localhost.crt", "--tls-private-key-file", "/localhost.key"] if secure else []
    redirect = agnhost("container-redirect", "netexec", "--udp-port", "-1", *keys, restartPolicy="Always")
    redirect["startupProbe"] = {"httpGet": {"path": "/echo?msg=startup", "port": 8080, **secure}}
    name = "pod-with-hook"
    place = {} if action == "exec" else {"nodeSelector": {"kubernetes.io/hostname": node}}
    if kind == "regular":
        made = pod(name, with_hook, initContainers=[redirect], **place)
    else:
        with_hook["restartPolicy"] = "Always"
        made = pod(name, {"name": "app", "image": PAUSE}, initContainers=[redirect, with_hook], **place)
    run(e2e, made)
    if hook == "postStart":
        e2e.wait(lambda: f"GET {asked}" in logs(e2e, HANDLER), 120)
    else:
        assert f"GET {asked}" not in logs(e2e, HANDLER)
    delete(e2e, name, 15)
    e2e.wait(lambda: f"GET {asked}" in logs(e2e, HANDLER), 30)


def test_prestop_is_called_when_a_pod_is_killed(e2e: Client) -> None:
    server = running(e2e, pod("server", agnhost("server", "nettest", ports=[{"containerPort": 8080}])))
    address = server["status"]["podIP"]
    told = ["wget", "-O-", '--post-data={"Source": "prestop"}', f"http://{address}:8080/write"]
    tester = sh("tester", "sleep 600", lifecycle={"preStop": {"exec": {"command": told}}})
    tester["command"] = ["sleep", "600"]
    running(e2e, pod("tester", tester))
    e2e.delete("Pod", "tester")
    e2e.wait(lambda: json.loads(e2e.raw("GET", e2e.path("Pod", "server", "proxy/read")))["Received"].get("prestop"), 60)


def test_a_pod_runs_until_its_prestop_hook_is_over(e2e: Client) -> None:
    forever = {"exec": {"command": ["sh", "-c", "while true; do echo preStop; sleep 1; done"]}}
    nginx = {
        "name": "nginx",
        "image": "registry.k8s.io/e2e-test-images/nginx:1.15-4",
        "lifecycle": {"preStop": forever},
    }
    made = running(e2e, pod("pod-prestop-hook", nginx))
    e2e.delete("Pod", "pod-prestop-hook", gracePeriodSeconds=30)
    e2e.advance(15)
    found = e2e.ask("GET", f"/api/v1/nodes/{made['spec']['nodeName']}:10250/proxy/pods")["items"]
    [mine] = [p for p in found if p["metadata"]["uid"] == made["metadata"]["uid"]]
    assert mine["status"]["phase"] == "Running"
    assert phase(e2e, "pod-prestop-hook") == "Running"
