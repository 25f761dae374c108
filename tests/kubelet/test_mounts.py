"""Where containers find volumes, files of their host and /etc/hosts, and how much they may write."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from tests.conformance.pods import events, messages, play, pod


def app(
    *mounts: dict[str, Any], volumes: list[dict[str, Any]], command: str = "sleep 3600", **fields: Any
) -> dict[str, Any]:
    container = {"name": "app", "image": "busybox:1.36", "command": ["sh", "-c", command], "volumeMounts": list(mounts)}
    made = pod({**container, **fields}, name="pod")
    made["spec"]["volumes"] = volumes
    return made


def mount(path: str, **fields: Any) -> dict[str, Any]:
    return {"name": "data", "mountPath": path, **fields}


EMPTY = [{"name": "data", "emptyDir": {}}]


def said(cluster: Cluster, script: str) -> str:
    return cluster.exec("pod", ["sh", "-c", script]).output


def waiting(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.get("pods")[0]["status"]["containerStatuses"][0]["state"]["waiting"]
    return found


def test_a_subpath_is_a_part_of_the_volume() -> None:
    cluster = play(app(mount("/all"), mount("/part", subPath="a/b"), volumes=EMPTY), until=10)
    assert said(cluster, "echo 1 > /part/x; cat /all/a/b/x; echo 2 > /all/a/b/x; cat /part/x") == "1\n2\n"


def test_a_read_only_mount_shows_what_others_write() -> None:
    cluster = play(app(mount("/all"), mount("/seen", readOnly=True, subPath="a"), volumes=EMPTY), until=10)
    text = said(cluster, "echo 1 > /all/a/x; cat /seen/x; echo 2 > /seen/x")
    assert text == "1\nsh: can't create /seen/x: Read-only file system\n"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subPathExpr": "$(NO)/x"}, 'missing value for "NO"'),
        ({"subPathExpr": "$(UP)"}, "unable to provision SubPath `..`: must not contain '..'"),
        ({"subPathExpr": "$(ROOT)"}, "error SubPath `/tmp` must not be an absolute path"),
    ],
)
def test_a_subpath_that_leads_nowhere_keeps_the_container_from_being_made(fields: Any, message: str) -> None:
    env = [{"name": "UP", "value": ".."}, {"name": "ROOT", "value": "/tmp"}]
    cluster = play(app(mount("/data", **fields), volumes=EMPTY, env=env), until=10)
    assert waiting(cluster) == {"reason": "CreateContainerConfigError", "message": message}


def test_what_a_node_has_outlives_its_pods() -> None:
    there = [{"name": "data", "hostPath": {"path": "/srv/data"}}]
    cluster = play(app(mount("/data"), volumes=there, command="echo 1 >> /data/x; sleep 3600"), until=10, nodes=1)
    cluster.delete("pod/pod")
    cluster.run(for_=60)
    cluster.apply(app(mount("/data"), volumes=there, command="cat /data/x; sleep 3600"))
    cluster.run(for_=10)
    assert cluster.logs("pod") == "1\n"


def test_a_folder_of_the_host_that_must_be_there_is_waited_for() -> None:
    there = [{"name": "data", "hostPath": {"path": "/srv/none", "type": "Directory"}}]
    cluster = play(app(mount("/data"), volumes=there), until=10)
    text = 'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/none is not a directory'
    assert messages(cluster, "FailedMount")[0] == text


def test_the_hosts_file_has_the_pod_and_its_aliases() -> None:
    made = app(volumes=[])
    made["spec"]["hostAliases"] = [{"ip": "10.1.2.3", "hostnames": ["foo.local", "bar.local"]}]
    cluster = play(made, until=10)
    text = cluster.exec("pod", "cat /etc/hosts").output
    assert text.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert f"{cluster.get('pods')[0]['status']['podIP']}\tpod\n" in text
    assert text.endswith("\n# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n")


def test_a_pod_is_told_of_itself_in_files() -> None:
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "app", "resource": "limits.cpu", "divisor": "1m"}},
    ]
    made = app(
        mount("/data"),
        volumes=[{"name": "data", "downwardAPI": {"items": items}}],
        resources={"limits": {"cpu": "1500m"}},
    )
    made["metadata"]["labels"] = {"b": "2", "a": "1"}
    assert (
        play(made, until=10).exec("pod", ["sh", "-c", "cat /data/labels; echo; cat /data/cpu"]).output
        == 'a="1"\nb="2"\n1500'
    )


GREEDY = "sleep 5; dd if=/dev/zero of=/data/file bs=1M count=6; sleep 3600"


@pytest.mark.parametrize(
    ("volume", "limit", "message"),
    [
        ({"sizeLimit": "5Mi"}, None, 'Usage of EmptyDir volume "data" exceeds the limit "5Mi". '),
        ({}, "5Mi", "Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. "),
        ({"sizeLimit": "7Mi"}, "7Mi", ""),
    ],
)
def test_who_writes_too_much_is_evicted_at_the_next_look(volume: Any, limit: str | None, message: str) -> None:
    limits = {"resources": {"limits": {"ephemeral-storage": limit}}} if limit else {}
    made = app(mount("/data"), volumes=[{"name": "data", "emptyDir": volume}], command=GREEDY, **limits)
    cluster = play(made, until=40)
    status = cluster.get("pods")[0]["status"]
    assert (status["phase"], status.get("reason", ""), status.get("message", "")) == (
        ("Failed", "Evicted", message) if message else ("Running", "", "")
    )
    assert messages(cluster, "Evicted") == ([message] if message else [])
    assert all(10 <= second <= 12 for second in events(cluster, "Evicted"))


def test_a_class_that_no_node_can_run_leaves_the_pod_pending() -> None:
    meta = {"name": "gvisor"}
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": meta, "handler": "runsc"}
    cluster = play(made, {**(p := app(volumes=[])), "spec": {**p["spec"], "runtimeClassName": "gvisor"}}, until=20)
    assert cluster.get("pods")[0]["status"]["phase"] == "Pending"
    text = 'failed to get sandbox runtime: no runtime for "runsc" is configured'
    assert all(message.endswith(text) for message in messages(cluster, "FailedCreatePodSandBox"))
    assert len(messages(cluster, "FailedCreatePodSandBox")) > 1


@pytest.mark.parametrize(
    ("security", "token", "other"),
    [
        ({}, "-rw-r--r--", "-r--------"),
        ({"runAsUser": 1000}, "-rw-------", "-r--------"),
        ({"fsGroup": 2000}, "-rw-r-----", "-r--r-----"),
    ],
    ids=["root", "one-user", "group"],
)
def test_whose_files_are_has_its_say_in_their_modes(security: Any, token: str, other: str) -> None:
    """A token belongs to the pod's one user, or its group alone (projected.go collectData, SetVolumeOwnership)."""
    made = app(mount("/v"), volumes=[{"name": "data", "configMap": {"name": "c", "defaultMode": 0o400}}])
    made["spec"]["securityContext"] = security
    cluster = Cluster()
    cluster.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}, made])
    cluster.run(until=20)
    at = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert [line.split()[0] for line in said(cluster, f"ls -l {at} /v/a").splitlines()] == [other, token]
