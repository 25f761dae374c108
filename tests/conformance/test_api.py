"""What the API makes of an object: cases C92, C93, C129, C202 to C206 and C214 to C216."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import Gone, Invalid
from selfheal.store import HISTORY
from tests.conformance.pods import container, pod

EXEC = {"exec": {"command": ["true"]}}
HTTP = {"httpGet": {"path": "/", "port": 80}}
AMOUNTS = {"cpu": "100m", "memory": "64Mi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": AMOUNTS, "limits": AMOUNTS}, "Guaranteed"),
        ({"limits": AMOUNTS}, "Guaranteed"),
        ({"requests": AMOUNTS}, "Burstable"),
        ({}, "BestEffort"),
    ],
)
def test_C92_quality_of_service(resources: dict[str, Any], expected: str) -> None:
    cluster = Cluster()
    cluster.apply(pod(container(resources=resources)))
    assert cluster.get("Pod", "pod")["status"]["qosClass"] == expected


def test_C93_a_negative_grace_period_is_one_second() -> None:
    cluster = Cluster()
    cluster.apply(pod(container(args=["sleep", "1000"]), terminationGracePeriodSeconds=-1))
    assert cluster.get("Pod", "pod")["spec"]["terminationGracePeriodSeconds"] == 1


RULES = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]


@pytest.mark.parametrize(
    ("case", "obj", "text"),
    [
        (
            "C129",
            pod(container(restartPolicyRules=RULES)),
            "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        ),
        (
            "C202",
            pod(container(livenessProbe={**EXEC, "successThreshold": 2})),
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            "C203",
            pod(container(livenessProbe={**EXEC, **HTTP})),
            "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
        ),
        (
            "C204",
            pod(container(livenessProbe={})),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
        (
            "C206",
            pod(container(), initContainers=[container("init", readinessProbe=EXEC)]),
            "readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ),
    ],
)
def test_C129_C202_C203_C204_C206_what_the_api_refuses(case: str, obj: dict[str, Any], text: str) -> None:
    cluster = Cluster()
    with pytest.raises(Invalid) as refused:
        cluster.apply(obj)
    assert text in str(refused.value), case
    assert cluster.get("pods") == []


def test_C205_zero_means_default() -> None:
    cluster = Cluster()
    cluster.apply(pod(container(livenessProbe={**EXEC, "timeoutSeconds": 0, "failureThreshold": 0})))
    probe = cluster.get("Pod", "pod")["spec"]["containers"][0]["livenessProbe"]
    assert (probe["timeoutSeconds"], probe["failureThreshold"]) == (1, 3)


def deployment(**notes: str) -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container(image="nginx")]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": notes},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def test_C214_an_annotation_raises_the_generation_of_a_deployment() -> None:
    cluster = Cluster()
    cluster.apply(deployment(note="one"))
    cluster.run(until=5)
    before = cluster.get("Deployment", "web")["metadata"]["generation"]
    cluster.apply(deployment(note="two"))
    assert cluster.get("Deployment", "web")["metadata"]["generation"] == before + 1


def test_C215_a_watch_begins_with_all_there_is() -> None:
    """As the store tells it to its watchers; the BOOKMARK that ends the list is a matter of the API server."""
    cluster = Cluster()
    cluster.apply([pod(container(), name="a"), pod(container(), name="b")])
    cluster.run(until=5)
    seen: list[tuple[str, str]] = []
    cluster.store.watch("Pod", lambda event: seen.append((event.type, event.object["metadata"]["name"])))
    cluster.run(until=6)
    assert seen == [("ADDED", "a"), ("ADDED", "b")]
    cluster.label("pod/a", "x=y")
    cluster.run(until=7)
    assert seen[2:] == [("MODIFIED", "a")]


def test_C216_a_version_that_is_too_old() -> None:
    cluster = Cluster()
    cluster.apply(pod(container()))
    old = cluster.store.version
    for n in range(HISTORY + 10):
        cluster.label("pod/pod", f"n={n}")
    with pytest.raises(Gone, match=rf"^too old resource version: {old} \(\d+\)$") as gone:
        cluster.store.watch("Pod", lambda _: None, since=old)
    assert (gone.value.code, gone.value.reason) == (410, "Expired")
