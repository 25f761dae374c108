"""[sig-node] Downward API, KubeletManagedEtcHosts"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.api import Client, Object
from tests.e2e.pods import agnhost, container, execute, output, pod, run

ADDRESS = r"(\d{1,3}\.){3}\d{1,3}"
RESOURCES = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}


def told(env: dict[str, str], script: str = "env", **spec: Any) -> Object:
    """A pod whose container says what it was told; ``env``: variable → field, or resource."""
    variables = [
        {
            "name": name,
            "valueFrom": {"resourceFieldRef": {"resource": field}}
            if field.startswith(("limits", "requests"))
            else {"fieldRef": {"apiVersion": "v1", "fieldPath": field}},
        }
        for name, field in env.items()
    ]
    resources = spec.pop("resources", RESOURCES)
    made = container("dapi-container", "sh", "-c", script, env=variables, resources=resources)
    return pod("downward-api", made, restartPolicy="Never", **spec)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (
            {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"},
            ["POD_NAME=downward-api", "POD_NAMESPACE=e2e-", f"POD_IP={ADDRESS}"],
        ),
        ({"HOST_IP": "status.hostIP"}, [f"HOST_IP={ADDRESS}"]),
        ({"HOST_IPS": "status.hostIPs"}, [f"HOST_IPS={ADDRESS}"]),
        ({"POD_UID": "metadata.uid"}, ["POD_UID=[a-z0-9]{8}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{12}"]),
        (
            {
                "CPU_LIMIT": "limits.cpu",
                "MEMORY_LIMIT": "limits.memory",
                "CPU_REQUEST": "requests.cpu",
                "MEMORY_REQUEST": "requests.memory",
            },
            ["CPU_LIMIT=2", "MEMORY_LIMIT=67108864", "CPU_REQUEST=1", "MEMORY_REQUEST=33554432"],
        ),
    ],
    ids=["name", "host-ip", "host-ips", "uid", "resources"],
)
def test_what_a_container_is_told(e2e: Client, env: dict[str, str], expected: list[str]) -> None:
    said = output(e2e, told(env))
    assert all(re.search(f"^{text}", said, re.MULTILINE) for text in expected), said


def test_who_has_no_limit_is_told_what_the_node_has(e2e: Client) -> None:
    said = output(e2e, told({"CPU_LIMIT": "limits.cpu", "MEMORY_LIMIT": "limits.memory"}, resources={}))
    assert re.search("CPU_LIMIT=[1-9]", said)
    assert re.search("MEMORY_LIMIT=[1-9]", said)


def test_on_the_host_network_both_addresses_are_one(e2e: Client) -> None:
    script = (
        '[[ "${HOST_IP:?}" == "${POD_IP:?}" ]] && echo \'OK\' || '
        "echo \"HOST_IP: '${HOST_IP}' != POD_IP: '${POD_IP}'\""
    )
    env = {"HOST_IP": "status.hostIP", "POD_IP": "status.podIP"}
    assert output(e2e, told(env, script, hostNetwork=True)) == "OK\n"


def test_the_kubelet_writes_etc_hosts(e2e: Client) -> None:
    volume = {"name": "host-etc-hosts", "hostPath": {"path": "/etc/hosts", "type": "FileOrCreate"}}
    original = {"name": "host-etc-hosts", "mountPath": "/etc/hosts-original"}
    own = {"name": "host-etc-hosts", "mountPath": "/etc/hosts"}
    plain = [agnhost(f"busybox-{n}", volumeMounts=[original]) for n in (1, 2)]
    overridden = agnhost("busybox-3", volumeMounts=[original, own])
    run(e2e, pod("test-pod", *plain, overridden, volumes=[volume]))
    run(e2e, pod("test-host-network-pod", *plain, volumes=[volume], hostNetwork=True, securityContext={}))

    def managed(name: str, container: str) -> bool:
        found = execute(e2e, name, "cat", "/etc/hosts", container=container)
        before = execute(e2e, name, "cat", "/etc/hosts-original", container=container)
        assert found
        assert before
        return found.startswith("# Kubernetes-managed hosts file.") and found != before

    assert [managed("test-pod", f"busybox-{n}") for n in (1, 2, 3)] == [True, True, False]
    assert [managed("test-host-network-pod", f"busybox-{n}") for n in (1, 2)] == [False, False]
