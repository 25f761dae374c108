"""Whole texts, blank for blank, against what kubectl 1.36.2 printed about a real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import printers
from tests.printers.demo import T0, Lister, cluster, said


@pytest.fixture(scope="module")
def demo() -> Lister:
    return cluster()


GET: list[tuple[str, str, float, dict[str, Any]]] = [
    ("get-pods.txt", "Pod", 85.5, {}),
    ("get-pods-wide.txt", "Pod", 85.5, {"wide": True}),
    ("get-pods-labels.txt", "Pod", 85.5, {"show_labels": True}),
    ("get-events.txt", "Event", 86.5, {}),
    ("get-rs-wide.txt", "ReplicaSet", 86.5, {"wide": True}),
    ("get-deploy-wide.txt", "Deployment", 86.5, {"wide": True}),
    ("get-svc-wide.txt", "Service", 86.5, {"wide": True}),
    ("get-endpoints.txt", "Endpoints", 86.5, {}),
    ("get-endpointslices.txt", "EndpointSlice", 86.5, {}),
    ("get-jobs.txt", "Job", 87.5, {}),
    ("get-sts-wide.txt", "StatefulSet", 87.5, {"wide": True}),
    ("get-ds-wide.txt", "DaemonSet", 87.5, {"wide": True}),
]


@pytest.mark.parametrize(("transcript", "kind", "when", "options"), GET, ids=[row[0] for row in GET])
def test_get_prints_what_kubectl_printed(
    demo: Lister, transcript: str, kind: str, when: float, options: dict[str, Any]
) -> None:
    assert printers.get(kind, demo.list(kind, "demo"), T0 + when, **options) == said(transcript)


@pytest.mark.parametrize(
    ("transcript", "kind", "namespace", "wide"),
    [
        ("get-nodes.txt", "Node", "", False),
        ("get-nodes-wide.txt", "Node", "", True),
        ("get-leases.txt", "Lease", "kube-node-lease", False),
        ("get-ns.txt", "Namespace", "", False),
    ],
)
def test_get_of_what_lies_outside_the_namespace(
    demo: Lister, transcript: str, kind: str, namespace: str, wide: bool
) -> None:
    assert printers.get(kind, demo.list(kind, namespace), T0 + 87.5, wide=wide) == said(transcript)


def test_get_all_prints_a_table_for_each_kind(demo: Lister) -> None:
    objects = {kind: demo.list(kind, "demo") for kind in printers.ALL}
    assert printers.get_all(objects, T0 + 86.2) == said("get-all.txt")


DESCRIBE: list[tuple[str, str, str, float]] = [
    ("describe-pod-liveness-exec.txt", "Pod", "liveness-exec", 87.9),
    ("describe-pod-crash.txt", "Pod", "crash", 88.2),
    ("describe-web-pod.txt", "Pod", "web-6b7956ddd6-2qvlr", 89.5),
    ("describe-deploy-web.txt", "Deployment", "web", 88.5),
    ("describe-deploy-api.txt", "Deployment", "api", 88.5),
    ("describe-api-rs.txt", "ReplicaSet", "api-76d9cc56c6", 89.5),
    ("describe-svc-api.txt", "Service", "api", 88.5),
    ("describe-endpointslice.txt", "EndpointSlice", "api-hkcnr", 88.5),
    ("describe-job-fail.txt", "Job", "fail", 88.5),
    ("describe-ds-agent.txt", "DaemonSet", "agent", 88.5),
    ("describe-sts-db.txt", "StatefulSet", "db", 88.5),
    ("describe-node-node-1.txt", "Node", "node-1", 89.5),
]


@pytest.mark.parametrize(("transcript", "kind", "name", "when"), DESCRIBE, ids=[row[0] for row in DESCRIBE])
def test_describe_prints_what_kubectl_printed(demo: Lister, transcript: str, kind: str, name: str, when: float) -> None:
    obj = demo.get(kind, "" if kind == "Node" else "demo", name)
    assert obj is not None
    assert printers.describe(obj, demo, T0 + when) == said(transcript)
