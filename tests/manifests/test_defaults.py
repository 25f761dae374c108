"""What the API server writes where a manifest is silent."""

from pathlib import Path
from typing import Any

import pytest

from selfheal import manifests
from selfheal.objects import Object

RECORDINGS = Path(__file__).parent.parent / "recordings"


def load(kind: str, api_version: str, **rest: Any) -> Object:
    [obj] = manifests.load({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **rest})
    return obj


def pod(container: Object | None = None, **spec: Any) -> Object:
    containers = [{"name": "a", "image": "b:1", **(container or {})}]
    return load("Pod", "v1", spec={"containers": containers, **spec})["spec"]


TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "b:1"}]}}
SELECTOR = {"matchLabels": {"app": "a"}}
CONTAINER = {
    "name": "a",
    "image": "b:1",
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
POD_SPEC = {
    "containers": [CONTAINER],
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}


def test_a_pod() -> None:
    assert pod() == {**POD_SPEC, "enableServiceLinks": True}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
        ("nginx:latest@sha256:abc", "IfNotPresent"),
    ],
)
def test_an_image_is_always_pulled_only_when_it_is_the_latest(image: str, policy: str) -> None:
    assert pod({"image": image})["containers"][0]["imagePullPolicy"] == policy


def test_a_probe_shows_its_numbers_and_zero_means_unset() -> None:
    probe = {
        "httpGet": {"port": 80},
        "initialDelaySeconds": 0,
        "timeoutSeconds": 0,
        "periodSeconds": 0,
        "successThreshold": 0,
        "failureThreshold": 0,
    }
    assert pod({"livenessProbe": probe})["containers"][0]["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_the_handlers_of_probes_and_hooks() -> None:
    c = pod(
        {
            "readinessProbe": {"grpc": {"port": 5}},
            "lifecycle": {"preStop": {"httpGet": {"port": 5, "path": "/bye"}}},
            "ports": [{"containerPort": 5}],
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        }
    )["containers"][0]
    assert c["readinessProbe"]["grpc"] == {"port": 5, "service": ""}
    assert c["lifecycle"]["preStop"]["httpGet"] == {"port": 5, "path": "/bye", "scheme": "HTTP"}
    assert c["ports"] == [{"containerPort": 5, "protocol": "TCP"}]
    assert c["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}


def test_limits_are_requests_where_a_pod_makes_none_but_not_in_a_template() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}
    assert pod({"resources": resources})["containers"][0]["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}
    template = {**TEMPLATE, "spec": {"containers": [{"name": "a", "image": "b:1", "resources": resources}]}}
    rs = load("ReplicaSet", "apps/v1", spec={"selector": SELECTOR, "template": template})
    kept = rs["spec"]["template"]["spec"]
    assert kept["containers"][0]["resources"] == resources
    made = manifests.pod_only(kept)
    assert made["containers"][0]["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}
    assert manifests.pod_only(made) is made


def test_ports_in_the_network_of_the_node_are_ports_of_the_node() -> None:
    assert pod({"ports": [{"containerPort": 5}]}, hostNetwork=True)["containers"][0]["ports"][0]["hostPort"] == 5


def test_a_negative_grace_period_is_one() -> None:
    assert pod(terminationGracePeriodSeconds=-5)["terminationGracePeriodSeconds"] == 1
    assert pod(terminationGracePeriodSeconds=0)["terminationGracePeriodSeconds"] == 0


def test_both_names_of_the_service_account() -> None:
    spec = pod(serviceAccount="robot")
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "robot"


def test_volumes() -> None:
    spec = pod(
        volumes=[{"name": "a"}, {"name": "b", "configMap": {"name": "x"}}, {"name": "c", "hostPath": {"path": "/"}}]
    )
    assert spec["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "x", "defaultMode": 420}},
        {"name": "c", "hostPath": {"path": "/", "type": ""}},
    ]


def test_a_deployment() -> None:
    obj = load("Deployment", "apps/v1", spec={"selector": SELECTOR, "template": TEMPLATE})
    assert obj["spec"] == {
        "selector": SELECTOR,
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": POD_SPEC},
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }


def test_a_deployment_that_recreates_has_no_numbers_for_rolling() -> None:
    spec = {"selector": SELECTOR, "template": TEMPLATE, "strategy": {"type": "Recreate"}}
    assert load("Deployment", "apps/v1", spec=spec)["spec"]["strategy"] == {"type": "Recreate"}


def test_zero_replicas_stay_zero() -> None:
    spec = {"selector": SELECTOR, "template": TEMPLATE, "replicas": 0}
    assert load("ReplicaSet", "apps/v1", spec=spec)["spec"]["replicas"] == 0


def test_a_replication_controller_takes_labels_and_selector_from_its_template() -> None:
    obj = load("ReplicationController", "v1", spec={"template": TEMPLATE})
    assert (obj["spec"]["selector"], obj["metadata"]["labels"], obj["spec"]["replicas"]) == (
        {"app": "a"},
        {"app": "a"},
        1,
    )


def test_a_stateful_set() -> None:
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    spec = load(
        "StatefulSet",
        "apps/v1",
        spec={"serviceName": "db", "selector": SELECTOR, "template": TEMPLATE, "volumeClaimTemplates": claims},
    )["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (1, 10)
    assert spec["volumeClaimTemplates"][0]["spec"]["volumeMode"] == "Filesystem"


def test_a_daemon_set() -> None:
    spec = load("DaemonSet", "apps/v1", spec={"selector": SELECTOR, "template": TEMPLATE})["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    assert spec["revisionHistoryLimit"] == 10
    assert "replicas" not in spec


JOB_TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, (1, 1, 6)),
        ({"parallelism": 3}, (None, 3, 6)),
        ({"completions": 3}, (3, 1, 6)),
        ({"completions": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 1}, (3, 1, 2**31 - 1)),
    ],
)
def test_a_job(given: Object, numbers: tuple[int | None, int, int]) -> None:
    obj = load("Job", "batch/v1", spec={"template": JOB_TEMPLATE, **given})
    spec = obj["spec"]
    assert (spec.get("completions"), spec["parallelism"], spec["backoffLimit"]) == numbers
    assert (spec["suspend"], spec["podReplacementPolicy"]) == (False, "TerminatingOrFailed")
    assert obj["metadata"]["labels"] == {"app": "a"}


def test_a_cron_job() -> None:
    obj = load(
        "CronJob", "batch/v1", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": JOB_TEMPLATE}}}
    )
    spec = obj["spec"]
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Allow", False)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)
    assert "backoffLimit" not in spec["jobTemplate"]["spec"]
    assert spec["jobTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_a_horizontal_pod_autoscaler() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = load("HorizontalPodAutoscaler", "autoscaling/v2", spec={"scaleTargetRef": target, "maxReplicas": 3})["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


def test_a_service() -> None:
    obj = load("Service", "v1", spec={"selector": {"app": "a"}, "ports": [{"port": 80}]})
    assert obj["spec"] == {
        "selector": {"app": "a"},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    }


def test_services_of_other_types() -> None:
    ports = [{"port": 80}]
    balancer = load("Service", "v1", spec={"type": "LoadBalancer", "ports": ports})["spec"]
    assert (balancer["externalTrafficPolicy"], balancer["allocateLoadBalancerNodePorts"]) == ("Cluster", True)
    sticky = load("Service", "v1", spec={"sessionAffinity": "ClientIP", "ports": ports})["spec"]
    assert sticky["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    external = load("Service", "v1", spec={"type": "ExternalName", "externalName": "example.com"})["spec"]
    assert "internalTrafficPolicy" not in external


def test_the_rest() -> None:
    assert load("Namespace", "v1")["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a"}
    node = load("Node", "v1", status={"capacity": {"cpu": 2}})
    assert node["status"]["allocatable"] == {"cpu": "2"}
    secret = load("Secret", "v1", data={"a": "aGk="}, stringData={"b": "ho"})
    assert (secret["type"], secret["data"]) == ("Opaque", {"a": "aGk=", "b": "aG8="})
    assert "stringData" not in secret


def test_defaults_come_once() -> None:
    for path in sorted(RECORDINGS.glob("*/manifest.yaml")):
        for obj in manifests.load(path):
            assert manifests.default(obj) == obj


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("**/*.yaml")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_all_recorded_manifests_load(path: Path) -> None:
    if path.stem != "actions":
        assert manifests.load(path)
