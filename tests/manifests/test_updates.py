"""What may not change once an object is stored."""

from typing import Any

import pytest

from selfheal import manifests
from selfheal.errors import Invalid
from selfheal.manifests.pods import UPDATABLE
from selfheal.objects import Object, replace

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {
        "containers": [{"name": "a", "image": "b:1", "command": ["x"]}],
        "activeDeadlineSeconds": 50,
        "tolerations": [{"key": "k", "operator": "Exists"}],
    },
}
TEMPLATE = {"metadata": {"labels": {"app": "a", "b": "c"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}


def stored(obj: Object) -> Object:
    [found] = manifests.load(obj)
    return found


def problems(new: Object, old: Object) -> list[str]:
    try:
        manifests.validate(new, old)
    except Invalid as error:
        return [str(c) for c in error.causes]
    return []


def pod_with(path: str, value: Any) -> list[str]:
    old = stored(POD)
    return problems(replace(old, f"spec.{path}", value), old)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("containers", [{**stored(POD)["spec"]["containers"][0], "image": "b:2"}]),
        ("activeDeadlineSeconds", 20),
        ("tolerations", [{"key": "k", "operator": "Exists", "tolerationSeconds": 3, "effect": "NoExecute"}]),
    ],
)
def test_of_a_pod_the_image_may_change_and_little_else(path: str, value: Any) -> None:
    expected = (
        ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]
        if path == "tolerations"
        else []
    )
    assert pod_with(path, value) == expected


def test_a_pod_may_get_further_tolerations() -> None:
    assert pod_with("tolerations", [{"key": "new", "operator": "Exists"}, *POD["spec"]["tolerations"]]) == []  # type: ignore[index]


def test_the_deadline_of_a_pod_only_shrinks() -> None:
    at = "spec.activeDeadlineSeconds: Invalid value"
    assert pod_with("activeDeadlineSeconds", 60) == [f"{at}: 60: must be less than or equal to previous value"]
    assert pod_with("activeDeadlineSeconds", None) == [
        f"{at}: null: must not update from a positive integer to nil value"
    ]


def test_anything_else_in_a_pod_is_forbidden_and_the_difference_is_shown() -> None:
    [text] = pod_with("containers", [{**stored(POD)["spec"]["containers"][0], "command": ["y"]}])
    first, *rest = text.split("\n")
    assert first == f"spec: Forbidden: pod updates may not change fields other than {','.join(UPDATABLE)}"
    assert rest == ["- spec.containers[0].command[0]: x", "+ spec.containers[0].command[0]: y"]
    assert "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`" in first


def test_a_pod_keeps_its_containers() -> None:
    more = [*stored(POD)["spec"]["containers"], {**stored(POD)["spec"]["containers"][0], "name": "new"}]
    assert pod_with("containers", more) == ["spec.containers: Forbidden: pod updates may not add or remove containers"]


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_a_selector_never_changes(kind: str) -> None:
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}
    old = stored({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec})
    new = replace(old, "spec.selector", {"matchLabels": {"b": "c"}})
    assert problems(new, old) == ['spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable']
    assert problems(replace(old, "spec.minReadySeconds", 3), old) == []


def test_of_a_stateful_set_some_fields_never_change() -> None:
    spec = {"serviceName": "db", "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}
    old = stored({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "a"}, "spec": spec})
    assert problems(replace(old, "spec.replicas", 3), old) == []
    text = (
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
        "are forbidden"
    )
    assert problems(replace(old, "spec.serviceName", "other"), old) == [text]


def test_of_a_job_the_template_never_changes() -> None:
    template = {"spec": {"containers": [{"name": "a", "image": "b"}], "restartPolicy": "Never"}}
    old = stored({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": template}})
    assert problems(replace(old, "spec.parallelism", 3), old) == []
    assert problems(replace(old, "spec.completions", 3), old) == [
        "spec.completions: Invalid value: 3: field is immutable"
    ]
    [text] = problems(replace(old, "spec.template.spec.restartPolicy", "OnFailure"), old)
    assert text.startswith("spec.template: Invalid value: {")
    assert text.endswith("}: field is immutable")


def test_a_service_keeps_its_address() -> None:
    spec = {"ports": [{"port": 1}], "clusterIP": "10.96.0.5"}
    old = stored({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec})
    assert problems(replace(old, "spec.clusterIP", "10.96.0.6"), old) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set'
    ]


def test_what_is_immutable_says_so() -> None:
    old = stored(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}, "immutable": True}
    )
    assert problems(replace(old, "data", {"a": "c"}), old) == [
        "data: Forbidden: field is immutable when `immutable` is set"
    ]


def test_a_name_never_changes() -> None:
    old = stored(POD)
    assert problems(replace(old, "metadata.name", "b"), old) == [
        'metadata.name: Invalid value: "b": field is immutable'
    ]
