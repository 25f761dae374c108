"""Whatever is done to a good manifest: objects come out, or one error, and what was given is untouched."""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal import manifests, spec
from selfheal.errors import ApiError
from selfheal.objects import Object

RECORDINGS = Path(__file__).parent.parent / "recordings"
GOOD: list[Object] = [
    obj
    for path in sorted(RECORDINGS.glob("*/manifest.yaml"))
    for obj in yaml.safe_load_all(path.read_text())
    if obj is not None
]
POD_SPEC = {
    "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
    "nodeSelector": {"a": "b"},
    "readinessGates": [{"conditionType": "a/b"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}]
            }
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 5, "podAffinityTerm": {"topologyKey": "a", "labelSelector": {"matchLabels": {"a": "b"}}}}
            ]
        },
    },
    "initContainers": [{"name": "i", "image": "b", "restartPolicy": "Always"}],
    "containers": [
        {
            "name": "a",
            "image": "b:1",
            "ports": [{"containerPort": 80, "name": "http", "hostPort": 80}],
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "envFrom": [{"prefix": "A", "configMapRef": {"name": "a"}}],
            "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a"}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
            "livenessProbe": {"httpGet": {"port": "http", "httpHeaders": [{"name": "A", "value": "b"}]}},
            "readinessProbe": {"grpc": {"port": 5}},
            "startupProbe": {"tcpSocket": {"port": 5}, "terminationGracePeriodSeconds": 5},
            "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
            "restartPolicy": "Never",
            "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}],
        }
    ],
}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}
SELECTOR = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}
WORKLOAD = {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE, "minReadySeconds": 1}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%"}}
JOB = {"completions": 3, "parallelism": 2, "template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}}
SPECS: dict[tuple[str, str], Object] = {
    ("Pod", "v1"): POD_SPEC,
    ("Deployment", "apps/v1"): {**WORKLOAD, "strategy": ROLLING},
    ("StatefulSet", "apps/v1"): {
        **WORKLOAD,
        "serviceName": "a",
        "updateStrategy": {"rollingUpdate": {"partition": 1}},
        "volumeClaimTemplates": [{"metadata": {"name": "w"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
    },
    ("DaemonSet", "apps/v1"): {"selector": SELECTOR, "template": TEMPLATE, "updateStrategy": ROLLING},
    ("ReplicationController", "v1"): {"template": TEMPLATE},
    ("Job", "batch/v1"): JOB,
    ("CronJob", "batch/v1"): {"schedule": "*/5 0-3 * jan *", "jobTemplate": {"spec": JOB}},
    ("Service", "v1"): {
        "ports": [{"name": "a", "port": 80, "targetPort": "http"}, {"name": "b", "port": 81}],
        "selector": {"a": "b"},
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}},
    },
    ("Node", "v1"): {"taints": [{"key": "a", "effect": "NoSchedule"}]},
    ("PodDisruptionBudget", "policy/v1"): {"minAvailable": "50%", "selector": SELECTOR},
    ("HorizontalPodAutoscaler", "autoscaling/v2"): {
        "scaleTargetRef": {"kind": "Deployment", "name": "a"},
        "minReplicas": 1,
        "maxReplicas": 3,
    },
}
EXTRA = [
    {"apiVersion": version, "kind": kind, "metadata": {"name": "a", "labels": {"a": "b"}}, "spec": found}
    for (kind, version), found in SPECS.items()
]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 70_000),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "a", "1", "50%", "100m", "1Gi", "Always", "Never", "http", "0.5", "a b", "-1", "\x00", "ü"]),
    st.lists(
        st.one_of(st.integers(-1, 3), st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.none())), max_size=3
    ),
    st.dictionaries(
        st.sampled_from(["name", "port", "command", "matchLabels", "type", "x"]), st.integers(-1, 9), max_size=3
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a manifest."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, inner in items for p in places(inner, (*path, key)))]


def changed(obj: Object, path: tuple[Any, ...], what: str, junk: Any) -> Any:
    """A copy with one thing replaced, removed, doubled or renamed."""
    obj = copy.deepcopy(obj)
    if not path:
        return junk
    inner: Any = obj
    for key in path[:-1]:
        inner = inner[key]
    if what == "remove":
        del inner[path[-1]]
    elif what == "double" and isinstance(inner, list):
        inner.append(copy.deepcopy(inner[path[-1]]))
    elif what == "rename" and isinstance(inner, dict):
        inner[str(junk)[:10]] = inner.pop(path[-1])
    else:
        inner[path[-1]] = junk
    return obj


def outcome(source: Any) -> list[Object]:
    """What comes of a source; an ApiError is one clear message in a line or, from Kubernetes, a few."""
    try:
        return manifests.load(source)
    except ApiError as error:
        told = error
    assert told.message
    assert told.message == str(told)
    assert manifests.kubectl_says(told)
    return []


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(GOOD + EXTRA),
    st.lists(
        st.tuples(st.integers(0), st.sampled_from(["put", "remove", "double", "rename"]), JUNK), min_size=1, max_size=3
    ),
)
def test_a_mutated_manifest_gives_objects_or_one_error(obj: Any, changes: list[tuple[int, str, Any]]) -> None:
    for where, what, junk in changes:
        if isinstance(obj, dict | list):
            found = places(obj)
            obj = changed(obj, found[where % len(found)], what, junk)  # type: ignore[arg-type]
    before = repr(obj)
    for made in outcome(obj):
        if made["kind"] == "Pod":
            spec.pod_spec(made)
        elif "template" in made.get("spec", {}):
            spec.pod_spec(made["spec"]["template"])
        assert manifests.default(made) == made
    assert repr(obj) == before


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(RECORDINGS.glob("*/manifest.yaml"))), st.integers(0, 2**32), st.integers(1, 6))
def test_a_damaged_text_gives_objects_or_one_error(path: Path, seed: int, cuts: int) -> None:
    chance = random.Random(seed)
    text = path.read_text()
    for _ in range(cuts):
        at = chance.randrange(len(text))
        piece = chance.choice(
            [
                "",
                "\t",
                ":",
                "{",
                "]",
                "- ",
                "&a ",
                "*a",
                "!!int ",
                '"',
                "'",
                "|",
                "%",
                "\n",
                "  ",
                "0",
                "---\n",
                "\x07",
                "é",
            ]
        )
        text = text[:at] + piece + text[at + chance.randrange(3) :]
    outcome(text + "\n")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_objects_or_one_error(junk: bytes) -> None:
    outcome(b"kind: Pod\n" + junk)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        JUNK,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=20,
    )
)
def test_any_python_value_gives_objects_or_one_error(junk: Any) -> None:
    if isinstance(junk, str) and ("/" in junk or "." in junk):
        junk = [junk + "\n"]  # not a path of this machine
    outcome(junk)


def test_the_good_ones_are_good() -> None:
    assert len(GOOD) > 10
    for obj in GOOD + EXTRA:
        assert manifests.load(obj)
    with pytest.raises(ApiError):
        manifests.load([])
