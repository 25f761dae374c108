"""Objects that lack things, or hold nonsense: a printer prints what it can and never raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from selfheal import printers
from tests.printers.demo import T0, Lister, cluster
from tests.printers.test_tables import obj

DEMO = cluster()

MORE = [
    obj("CronJob", spec={"schedule": "x", "jobTemplate": {"spec": {"selector": {"matchLabels": {"a": "b"}}}}}),
    obj("PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchExpressions": [{"key": "a"}]}}),
    obj("ReplicationController", spec={"selector": {"a": "b"}, "template": {}}, status={"conditions": [{}]}),
    obj("ConfigMap", data={"a": "b"}, binaryData={"c": "!"}),
    obj("Secret", data={"a": "b"}),
    obj("ServiceAccount", imagePullSecrets=[{"name": "s"}]),
    obj("ControllerRevision", revision=1),
    obj("PriorityClass", value=1),
    obj("Wombat", spec={"list": [{"a": 1}, 2]}),
    obj(
        "HorizontalPodAutoscaler",
        spec={
            "metrics": [
                {"type": kind, kind[0].lower() + kind[1:]: {"name": "n", "target": {"value": "1", **more}}}
                for kind in ("Resource", "ContainerResource", "Pods", "Object", "External", "Other")
                for more in ({}, {"averageValue": "2"})
            ],
            "behavior": {"scaleUp": {"policies": [{}]}},
        },
        status={"conditions": [{}]},
    ),
]


def one_of_each() -> list[dict[str, Any]]:
    first: dict[str, dict[str, Any]] = {}
    for each in DEMO.objects + MORE:
        first.setdefault(each["kind"], each)
    return list(first.values())


def damaged(value: Any) -> Iterator[Any]:
    """The value with one part, at any depth, missing, null or of another type."""
    if isinstance(value, dict):
        for key, child in value.items():
            rest = {k: v for k, v in value.items() if k != key}
            yield rest
            for wrong in (None, "text", 7, [], [None], {}, True):
                yield {**value, key: wrong}
            for broken in damaged(child):
                yield {**value, key: broken}
    elif isinstance(value, list):
        for i, child in enumerate(value):
            for broken in damaged(child):
                yield [*value[:i], broken, *value[i + 1 :]]


@pytest.mark.parametrize("whole", one_of_each(), ids=lambda obj: obj["kind"])
def test_no_damage_to_an_object_raises(whole: dict[str, Any]) -> None:
    kind = whole["kind"]
    for broken in damaged(whole):
        assert printers.get(kind, [broken], T0, wide=True, show_labels=True, all_namespaces=True)
        assert printers.describe(broken, None, T0)


@pytest.mark.parametrize("kind", ["Pod", "ReplicaSet", "EndpointSlice", "Event", "Lease"])
def test_no_damage_to_what_belongs_to_an_object_raises(kind: str) -> None:
    asked = [o for o in DEMO.objects if o["kind"] in ("Deployment", "ReplicaSet", "Service", "Node", "Pod")]
    asked = list({o["kind"]: o for o in asked}.values())
    found = next(o for o in DEMO.objects if o["kind"] == kind)
    for broken in damaged(found):
        if not isinstance(broken.get("metadata"), dict) or "name" not in broken["metadata"] or "kind" not in broken:
            continue  # a store has no such object
        lister = Lister([broken])
        if not isinstance(broken["metadata"].get("name"), str) or not isinstance(
            broken["metadata"].get("namespace", ""), str
        ):
            continue
        for whole in asked:
            assert printers.describe(whole, lister, T0)
