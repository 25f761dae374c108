"""Broken manifests: one clear message each, quickly, no traceback, and nothing has changed."""

import time
from typing import Any

import pytest

from selfheal import Cluster, manifests
from selfheal.errors import ApiError

GOOD = "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: a, image: nginx:1}]}\n"
HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


def pod(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "a", "image": "b:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers, **spec}}


def container(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "a", "image": "b:1", **fields}])


def laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return HEAD + "\n".join(lines)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": value}


def cyclic() -> dict[str, Any]:
    obj = pod()
    obj["spec"]["self"] = obj
    return obj


def doubling() -> dict[str, Any]:
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    return pod(extra=value)


BROKEN: dict[str, tuple[Any, str]] = {
    # texts
    "nothing": ("", "no objects passed to apply"),
    "only comments": ("# nobody\n---\n# here\n", "no objects passed to apply"),
    "an empty list": ([], "no objects passed to apply"),
    "a scalar": ("just text\n", "invalid object to validate"),
    "a number": ("42\n", "invalid object to validate"),
    "a list of scalars": ("[1, 2, 3]", "invalid object to validate"),
    "a python number": (42, "invalid object to validate"),
    "none": (None, "invalid object to validate"),
    "lists in lists": ([[[]]], "invalid object to validate"),
    "tabs": (f"{HEAD}spec:\n\tcontainers: []\n", "yaml: line 5: found character that cannot start any token"),
    "duplicate keys": (f"{HEAD}kind: Pod\n", 'yaml: line 4: key "kind" already set in map'),
    "duplicate keys in JSON": ('{"kind": "Pod", "kind": "Pod"}', 'duplicate field "kind"'),
    "an open brace": (f"{HEAD}spec: {{a: b\n", "did not find expected ',' or '}'"),
    "an unknown escape": (f'{HEAD}spec: "\\q"\n', "found unknown escape character"),
    "control characters": (f"{HEAD}spec: \x00\n", "control characters are not allowed"),
    "no UTF-8": (HEAD.encode() + b"spec: \xff\xfe\xfa\n", "invalid leading UTF-8 octet"),
    "half a character": (HEAD.encode() + b"spec: \xe2\x82", "incomplete UTF-8 octet sequence"),
    "a lone surrogate": (f"{HEAD}spec: \ud800\n", "invalid leading UTF-8 octet"),
    "zero bytes": (b"\0" * 50, "control characters are not allowed"),
    "random bytes": (bytes(range(256)), "invalid leading UTF-8 octet"),
    "a python object": (f"{HEAD}spec: !!python/object/apply:os.system ['true']\n", "cannot unmarshal array into"),
    "a python name": (f"{HEAD}spec: !!python/name:os.system x\n", "cannot unmarshal string into"),
    "a tag nobody knows": (f"{HEAD}spec: !e!x {{}}\n", "found undefined tag handle"),
    "a bad separator": (f"--- pod\n{HEAD}", "invalid Yaml document separator: pod"),
    # aliases, depth, size
    "an alias to nothing": (f"{HEAD}spec: *nobody\n", "yaml: line 4: unknown anchor 'nobody' referenced"),
    "a cyclic alias": (f"{HEAD}spec: &s {{containers: [*s]}}\n", "anchor 's' value contains itself"),
    "a billion laughs": (laughs(), "document contains excessive aliasing"),
    "deep YAML": (f"{HEAD}spec: {'[' * 5000}{']' * 5000}\n", "exceeded max depth of 100"),
    "endlessly deep YAML": (f"{HEAD}spec: {'[' * 500_000}\n", "exceeded max depth of 100"),
    "deep blocks": (HEAD + "".join(f"{' ' * i}spec:\n" for i in range(400)), "exceeded max depth of 100"),
    "deep JSON": ('{"a":' * 100_000 + "1" + "}" * 100_000, "exceeded max depth"),
    "a deep dict": (nested(5000), "exceeded max depth of 100"),
    "a dict just too deep": (nested(99), "exceeded max depth of 100"),
    "a dict not quite too deep": (
        nested(90),
        "cannot unmarshal object into Go struct field ConfigMap.data of type string",
    ),
    "a cyclic dict": (cyclic(), "the object contains itself"),
    "a dict that doubles": (doubling(), "more than 200000 values"),
    "too many bytes": (HEAD + "#" * 4_000_000, "Request entity too large: limit is 3145728"),
    "too many values": (f"{HEAD}spec: [{'1,' * 250_000}]\n", "yaml: more than 200000 values"),
    "a huge name": (pod() | {"metadata": {"name": "a" * 100_000}}, "must be no more than 253 characters"),
    # types and numbers
    "no apiVersion, no kind": ({"metadata": {}}, "[apiVersion not set, kind not set]"),
    "a kind that is a number": ({"apiVersion": "v1", "kind": 3}, "kind isn't string type"),
    "a version with two slashes": ({"apiVersion": "a/b/c", "kind": "Pod"}, "unexpected GroupVersion string: a/b/c"),
    "an unknown kind": ({"apiVersion": "v1", "kind": "Pid"}, 'no matches for kind "Pid" in version "v1"'),
    "the wrong group": ({"apiVersion": "v2", "kind": "Pod"}, 'no matches for kind "Pod" in version "v2"'),
    "a list that is none": ({"apiVersion": "v1", "kind": "List", "items": 5}, "items is 5, not a list"),
    "a list of lists of nothing": ({"apiVersion": "v1", "kind": "List", "items": [None]}, "invalid object to validate"),
    "metadata that is text": (pod() | {"metadata": "a"}, "cannot unmarshal string into Go struct field Pod.metadata"),
    "a spec that is a list": (pod() | {"spec": []}, "cannot unmarshal array into Go struct field Pod.spec"),
    "containers that are a map": (pod(containers={"a": {}}), "cannot unmarshal object into Go struct field"),
    "a command that is text": (container(command="sleep 5"), "of type []string"),
    "a probe that is true": (container(livenessProbe=True), "cannot unmarshal bool into Go struct field"),
    "a misspelt field": (container(livenesProbe={}), 'unknown field "spec.containers[0].livenesProbe"'),
    "a huge number": (f"{HEAD}spec: {{terminationGracePeriodSeconds: {'9' * 5000}}}\n", "cannot unmarshal string"),
    "a number of 80 digits": (pod(terminationGracePeriodSeconds=10**80), "cannot unmarshal number 1e+80"),
    "a number of a thousand digits": (
        pod(terminationGracePeriodSeconds=10**1000),
        "an integer of more than 300 digits",
    ),
    "a number too large for its field": (container(livenessProbe={"periodSeconds": 2**31}), "number 2147483648"),
    "a fraction": (container(livenessProbe={"periodSeconds": 0.5}), "number 0.5"),
    "not a number": (f"{HEAD}spec: {{priority: .nan}}\n", "json: unsupported value: NaN"),
    "infinity": (f"{HEAD}spec: {{priority: -.inf}}\n", "json: unsupported value: -Inf"),
    "infinity in python": (pod(priority=float("inf")), "json: unsupported value: +Inf"),
    "a negative period": (
        container(livenessProbe={"exec": {"command": ["a"]}, "periodSeconds": -1}),
        "must be greater",
    ),
    "an odd amount": (
        container(resources={"limits": {"cpu": "1 core"}}),
        "quantities must match the regular expression",
    ),
    "a negative amount": (container(resources={"limits": {"cpu": "-1"}}), "must be greater than or equal to 0"),
    "a python set": (pod(extra={1, 2}), "json: unsupported type: set"),
    "a python object in a dict": (pod(extra=object()), "json: unsupported type: object"),
    "a key that is a tuple": (pod(nodeSelector={(1, 2): "a"}), "invalid map key"),
    "a key that is null": (f"{HEAD}spec: {{nodeSelector: {{~: a}}}}\n", "unsupported map key of type: <nil>"),
    # names
    "a name in another script": (pod() | {"metadata": {"name": "čeština"}}, 'Pod "čeština" is invalid: metadata.name'),
    "an emoji": (pod() | {"metadata": {"name": "🐳"}}, 'Pod "🐳" is invalid: metadata.name'),
    "a name that breaks lines": (pod() | {"metadata": {"name": "a\nb"}}, 'Pod "a\\nb" is invalid: metadata.name'),
    "a name with a slash": (pod() | {"metadata": {"name": "../a"}}, 'Pod "../a" is invalid: metadata.name'),
    "no name": (pod() | {"metadata": {}}, "metadata.name: Required value: name or generateName is required"),
    "no containers": (pod(containers=[]), "spec.containers: Required value"),
    "a path that is not there": ("nowhere/at/all.yaml", 'the path "nowhere/at/all.yaml" does not exist'),
    "a device": ("/dev/zero", 'the path "/dev/zero" does not exist'),
}


@pytest.mark.parametrize(("source", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_manifest_gets_one_clear_message(source: Any, message: str) -> None:
    began = time.process_time()
    with pytest.raises(ApiError) as refused:
        manifests.load(source)
    assert message in refused.value.message
    assert "\n" not in refused.value.message
    assert manifests.kubectl_says(refused.value)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", [name for name, (source, _) in BROKEN.items() if isinstance(source, dict)])
def test_one_bad_object_among_good_ones_spoils_all(name: str) -> None:
    with pytest.raises(ApiError):
        manifests.load([GOOD, BROKEN[name][0], GOOD])


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) > 60


def test_what_was_given_is_as_before() -> None:
    given = container(livenessProbe={"exec": {"command": ["a"]}, "periodSeconds": -1})
    before = repr(given)
    with pytest.raises(ApiError):
        manifests.load(given)
    assert repr(given) == before


def test_a_generated_name_cannot_be_applied() -> None:
    pod = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "a", "image": "busybox"}]}}
    with pytest.raises(ApiError, match="from web-: cannot use generate name with apply"):
        Cluster().apply({"apiVersion": "v1", "kind": "Pod", **pod})
