"""[sig-node] Security Context"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import Client, Object
from tests.e2e.pods import Failed, container, ended, events, execute, logs, output, pod, running, sh, waits_for

NONROOT = "registry.k8s.io/e2e-test-images/nonroot:1.4"


def secured(name: str, script: str, own: Object | None = None, of_pod: Object | None = None) -> Object:
    """A pod that runs a script once, with security contexts of its container and of its own."""
    fields = {} if own is None else {"securityContext": own}
    return pod(name, sh(name, script, **fields), restartPolicy="Never", securityContext=of_pod or {})


@pytest.mark.parametrize("uid", [0, 65534])
def test_runs_as_user(e2e: Client, uid: int) -> None:
    ended(e2e, secured(f"busybox-user-{uid}", f"test $(id -u) -eq {uid}", {"runAsUser": uid}))


def test_runs_with_an_explicit_user_that_is_not_root(e2e: Client) -> None:
    assert "1000" in output(e2e, secured("explicit-nonroot-uid", "id -u", {"runAsNonRoot": True, "runAsUser": 1000}))


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ({"runAsNonRoot": True, "runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        ({"runAsNonRoot": True}, "container has runAsNonRoot and image will run as root"),
    ],
    ids=["explicit", "unspecified"],
)
def test_does_not_run_as_root_where_that_is_forbidden(e2e: Client, own: Object, text: str) -> None:
    image = NONROOT if "runAsUser" in own else "registry.k8s.io/e2e-test-images/busybox:1.37.0-1"
    name = "root-uid"
    e2e.create(pod(name, container(name, "id", "-u", image=image, securityContext=own), restartPolicy="Never"))
    e2e.wait(lambda: waits_for(e2e, name) == "CreateContainerConfigError")
    event = events(e2e, name, "Failed")[0]
    assert event["message"].startswith(f"Error: {text} (pod: ")


def test_an_unprivileged_container_makes_no_network_device(e2e: Client) -> None:
    made = secured("unprivileged", "ip link add dummy0 type dummy || true", {"privileged": False})
    assert "Operation not permitted" in output(e2e, made)


@pytest.mark.parametrize("closed", [True, False])
def test_read_only_root_filesystem(e2e: Client, closed: bool) -> None:
    made = secured("busybox-readonly", "touch checkfile", {"readOnlyRootFilesystem": closed})
    ended(e2e, made, "Failed" if closed else "Succeeded")
    assert ("Read-only file system" in logs(e2e, "busybox-readonly")) == closed


@pytest.mark.parametrize(
    ("of_pod", "own", "uid", "gid"),
    [
        ({"runAsUser": 1001}, None, 1001, 0),
        ({"runAsUser": 1001, "runAsGroup": 2002}, None, 1001, 2002),
        ({"runAsUser": 1001}, {"runAsUser": 1002}, 1002, 0),
        ({"runAsUser": 1001, "runAsGroup": 2001}, {"runAsUser": 1002, "runAsGroup": 2002}, 1002, 2002),
    ],
    ids=["pod", "pod-and-group", "container", "container-and-group"],
)
def test_user_and_group(e2e: Client, of_pod: Object, own: Any, uid: int, gid: int) -> None:
    said = output(e2e, secured("security-context", "id", own, of_pod))
    assert f"uid={uid}" in said
    assert f"gid={gid}" in said


def test_supplemental_groups(e2e: Client) -> None:
    assert output(e2e, secured("groups", "id -G", None, {"supplementalGroups": [1234, 5678]})) == "0 1234 5678\n"


@pytest.mark.parametrize(
    ("own", "of_pod", "seccomp"),
    [
        ({"seccompProfile": {"type": "Unconfined"}}, {"seccompProfile": {"type": "RuntimeDefault"}}, "0"),
        (None, {"seccompProfile": {"type": "Unconfined"}}, "0"),
        ({"seccompProfile": {"type": "RuntimeDefault"}}, None, "2"),
    ],
    ids=["container-unconfined", "pod-unconfined", "runtime-default"],
)
def test_seccomp(e2e: Client, own: Any, of_pod: Any, seccomp: str) -> None:
    said = output(e2e, secured("seccomp", "grep Seccomp: /proc/self/status", own, of_pod))
    assert said.split() == ["Seccomp:", seccomp]


@pytest.mark.parametrize("host", ["", "hostIPC", "hostPID"])
def test_a_volume_is_seen_through_a_path_of_the_host(e2e: Client, host: str) -> None:
    def labelled(name: str, level: str, source: Object, *command: str, **spec: Any) -> Object:
        mount = [{"name": "test-volume", "mountPath": "/mounted_volume"}]
        fields: Object = {"securityContext": {"seLinuxOptions": {"level": level}}, "restartPolicy": "Never", **spec}
        if host:
            fields[host] = True
        return pod(
            name,
            container("test-container", *command, volumeMounts=mount),
            volumes=[{"name": "test-volume", **source}],
            **fields,
        )

    first = running(e2e, labelled("first", "s0:c0,c1", {"emptyDir": {}}, "sleep", "6000"))
    execute(e2e, "first", "/bin/sh", "-c", "echo 'hello' > '/mounted_volume/TEST'; sync")
    assert "hello" in execute(e2e, "first", "cat", "/mounted_volume/TEST")
    path = f"/var/lib/kubelet/pods/{first['metadata']['uid']}/volumes/kubernetes.io~empty-dir/test-volume"
    there, node = {"hostPath": {"path": path}}, first["spec"]["nodeName"]
    second = labelled("second", "s0:c0,c1", there, "cat", "/mounted_volume/TEST", nodeName=node)
    assert "hello" in output(e2e, second)
    running(e2e, labelled("third", "s0:c2,c3", there, "sleep", "6000"))
    with pytest.raises(Failed):  # no SELinux on these nodes
        execute(e2e, "third", "cat", "/sys/fs/selinux/enforce")
