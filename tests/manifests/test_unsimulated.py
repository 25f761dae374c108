"""What is kept but not simulated is named, once."""

from __future__ import annotations

from selfheal import Cluster
from tests.conformance.pods import container, pod


def test_a_claim_is_kept_and_named() -> None:
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    cluster = Cluster()
    for _ in range(2):
        cluster.apply(pod(container(image="nginx"), volumes=[claim]))
    assert cluster.warnings == ["not simulated: spec.volumes[0].persistentVolumeClaim (Pod/pod)"]
    assert claim in cluster.get("Pod", "pod")["spec"]["volumes"]


def test_a_template_is_looked_into() -> None:
    spec = pod(container(image="nginx"), shareProcessNamespace=True)["spec"]
    labels = {"app": "web"}
    cluster = Cluster()
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
        }
    )
    assert cluster.warnings == ["not simulated: spec.template.spec.shareProcessNamespace (Deployment/web)"]


def test_what_is_simulated_is_not_named() -> None:
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "b"}}]
    cluster = Cluster()
    cluster.apply(pod(container(image="nginx"), volumes=volumes))
    assert cluster.warnings == []


CHART = """
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: quick}
handler: quick
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: []
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: example.com/disk
"""


def test_what_a_chart_brings_besides_is_kept() -> None:
    cluster = Cluster()
    cluster.apply(CHART)
    assert cluster.warnings == [], "none of them changes how anything heals here and not there"
    assert cluster.get("role", "reader")["rules"][0]["verbs"] == ["get", "list"]
    assert cluster.get("clusterroles", "reader")["metadata"].get("namespace") is None
    assert cluster.get("sc", "fast")["provisioner"] == "example.com/disk"
    assert cluster.get("runtimeclasses", "quick")["handler"] == "quick"
