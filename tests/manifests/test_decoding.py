"""Strict decoding: fields that do not exist, values of the wrong type."""

import pytest

from selfheal import manifests
from selfheal.errors import BadRequest, Invalid
from selfheal.manifests.decoding import decode
from selfheal.objects import Object


def pod(**spec: object) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}


def container(**fields: object) -> Object:
    return pod(containers=[{"name": "a", "image": "b", **fields}])


def go(what: str, field: str, type_: str) -> str:
    return f"json: cannot unmarshal {what} into Go struct field {field} of type {type_}"


def refusal(obj: Object) -> str:
    with pytest.raises(BadRequest) as refused:
        manifests.load(obj)
    start = f'{obj["kind"]} in version "v1" cannot be handled as a {obj["kind"]}: '
    assert refused.value.message.startswith(start)
    return refused.value.message.removeprefix(start)


@pytest.mark.parametrize(
    ("obj", "problem"),
    [
        (pod(contaners=[]), 'strict decoding error: unknown field "spec.contaners"'),
        (
            container(livenessprobe={}, Image="x"),
            (
                'strict decoding error: unknown field "spec.containers[0].Image", '
                'unknown field "spec.containers[0].livenessprobe"'
            ),
        ),
        (
            container(livenessProbe={"exec": {"cmd": []}}),
            'strict decoding error: unknown field "spec.containers[0].livenessProbe.exec.cmd"',
        ),
        ({**pod(), "speck": {}}, 'strict decoding error: unknown field "speck"'),
        (pod(containers={}), go("object", "PodSpec.spec.containers", "[]v1.Container")),
        (pod(containers=["x"]), go("string", "PodSpec.spec.containers", "v1.Container")),
        (pod(hostNetwork="yes"), go("string", "PodSpec.spec.hostNetwork", "bool")),
        (pod(restartPolicy=3), go("number", "PodSpec.spec.restartPolicy", "v1.RestartPolicy")),
        (
            pod(terminationGracePeriodSeconds=1.5),
            go("number 1.5", "PodSpec.spec.terminationGracePeriodSeconds", "int64"),
        ),
        (
            pod(terminationGracePeriodSeconds=2**63),
            go("number 9223372036854775808", "PodSpec.spec.terminationGracePeriodSeconds", "int64"),
        ),
        (pod(nodeSelector={"a": 1}), go("number", "PodSpec.spec.nodeSelector", "string")),
        (pod(nodeSelector=[1]), go("array", "PodSpec.spec.nodeSelector", "map[string]string")),
        (container(command="sh"), go("string", "Container.spec.containers.command", "[]string")),
        (container(command=[1]), go("number", "Container.spec.containers.command", "string")),
        (container(image=True), go("bool", "Container.spec.containers.image", "string")),
        (
            container(resources={"limits": 3}),
            go("number", "ResourceRequirements.spec.containers.resources.limits", "v1.ResourceList"),
        ),
        (
            container(livenessProbe={"periodSeconds": 2**31}),
            go("number 2147483648", "Probe.spec.containers.livenessProbe.periodSeconds", "int32"),
        ),
        (
            container(livenessProbe={"periodSeconds": 1e300}),
            go("number 1e+300", "Probe.spec.containers.livenessProbe.periodSeconds", "int32"),
        ),
        (container(livenessProbe=7), go("number", "Container.spec.containers.livenessProbe", "v1.Probe")),
        (
            container(livenessProbe={"httpGet": {"port": [80]}}),
            "json: cannot unmarshal array into Go value of type int32",
        ),
        (
            container(livenessProbe={"httpGet": {"port": 2**31}}),
            "json: cannot unmarshal number 2147483648 into Go value of type int32",
        ),
        (
            container(resources={"limits": {"cpu": "a lot"}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        ({**pod(), "metadata": 3}, go("number", "Pod.metadata", "v1.ObjectMeta")),
        ({**pod(), "metadata": {"name": 3}}, go("number", "ObjectMeta.metadata.name", "string")),
        ({**pod(), "metadata": {"labels": {"a": None, "b": 2}}}, go("number", "ObjectMeta.metadata.labels", "string")),
        (
            {**pod(), "metadata": {"creationTimestamp": "yesterday"}},
            'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
        ),
        ({**pod(), "metadata": {"creationTimestamp": 5}}, "json: cannot unmarshal number into Go value of type string"),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "no base64!"}},
            "illegal base64 data at input byte 2",
        ),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": 5}},
            go("number", "Secret.data", "[]uint8"),
        ),
        (
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": 5, "value": 3},
            go("number", "PriorityClass.metadata", "v1.ObjectMeta"),
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_told_in_gos_words(obj: Object, problem: str) -> None:
    assert refusal(obj) == problem


def test_a_wrong_type_is_told_before_unknown_fields() -> None:
    assert refusal(pod(zzz=1, hostNetwork=5)) == go("number", "PodSpec.spec.hostNetwork", "bool")


def test_a_misspelt_field_gets_a_hint() -> None:
    with pytest.raises(BadRequest) as refused:
        manifests.load(container(livenesProbe={}))
    assert refused.value.__notes__ == ['did you mean "livenessProbe"?']


def test_an_unknown_kind_gets_a_hint() -> None:
    with pytest.raises(manifests.BadManifest) as refused:
        manifests.load({"apiVersion": "v1", "kind": "Deployment", "metadata": {"name": "a"}})
    assert refused.value.__notes__ == ["Deployment is in apps/v1"]
    with pytest.raises(manifests.BadManifest) as refused:
        manifests.load({"apiVersion": "apps/v1", "kind": "deploymnt"})
    assert refused.value.__notes__ == ['did you mean "Deployment"?']


def test_known_fields_that_the_simulator_does_not_act_on_are_kept() -> None:
    [obj] = manifests.load(container(securityContext={"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}, tty=True))
    kept = obj["spec"]["containers"][0]
    assert kept["securityContext"] == {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}
    assert kept["tty"] is True


def test_nulls_are_as_if_they_were_not_there() -> None:
    [obj] = manifests.load({**container(command=None, args=[None], env=None), "status": None})
    assert "status" not in obj
    assert obj["spec"]["containers"][0]["args"] == [""]
    assert "command" not in obj["spec"]["containers"][0]


def test_whole_floats_are_integers_and_quantities_get_their_canonical_form() -> None:
    [obj] = manifests.load(
        container(
            livenessProbe={"exec": {"command": ["a"]}, "periodSeconds": 5.0},
            resources={"limits": {"cpu": 0.5, "memory": "1024Mi"}},
        )
    )
    c = obj["spec"]["containers"][0]
    assert (c["livenessProbe"]["periodSeconds"], c["resources"]["limits"]) == (5, {"cpu": "500m", "memory": "1Gi"})
    assert type(c["livenessProbe"]["periodSeconds"]) is int


def test_what_is_loaded_shares_nothing_with_what_was_given() -> None:
    given = container(command=["a"])
    [obj] = manifests.load(given)
    obj["spec"]["containers"][0]["command"].append("b")
    assert given["spec"]["containers"][0]["command"] == ["a"]


def test_null_in_a_map_or_list_is_gos_zero_value() -> None:
    [obj] = manifests.load(
        {**container(resources={"limits": {"cpu": None}}), "metadata": {"name": "a", "labels": {"x": None}}}
    )
    assert obj["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "0"}
    assert obj["metadata"]["labels"] == {"x": ""}
    assert refused_by_validation(pod(containers=[None])) == ["spec.containers[0].name", "spec.containers[0].image"]


def refused_by_validation(obj: Object) -> list[str]:
    with pytest.raises(Invalid) as refused:
        manifests.load(obj)
    return [cause.field for cause in refused.value.causes]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-01-01T08:00:00+00:00", "2026-01-01T08:00:00Z"),
        ("2026-01-01T10:00:00.75+02:00", "2026-01-01T08:00:00Z"),
        ("2026-01-01T08:00:00Z", "2026-01-01T08:00:00Z"),
    ],
)
def test_a_time_is_kept_in_utc_whatever_a_client_sends(sent: str, kept: str) -> None:
    """The Python client writes +00:00, and sends back what it has read."""
    metadata = {"name": "web", "creationTimestamp": sent}
    found = decode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    assert found["metadata"]["creationTimestamp"] == kept


def test_a_time_with_microseconds_keeps_them() -> None:
    spec = {"renewTime": "2026-01-01T09:00:00.5+01:00"}
    found = decode({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}, "spec": spec})
    assert found["spec"]["renewTime"] == "2026-01-01T08:00:00.500000Z"
