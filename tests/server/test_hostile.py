"""Requests that nobody means well with: never an internal error, never a hang, and others are served as before."""

from __future__ import annotations

import copy
import os
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal.server.http import Response
from tests.server.api import DEPLOYMENTS, PODS, Api, deployment, pod
from tests.server.test_extensions import DEFINITIONS, crontab, definition
from tests.server.test_extensions import PATH as CUSTOM

EXAMPLES = 2500 if os.environ.get("SELFHEAL_EXAMPLES") == "nightly" else 60

_WORDS = """
metadata name labels spec containers template selector matchLabels status conditions replicas image ports data type
apiVersion kind finalizers ownerReferences annotations strategy $patch $retainKeys $setElementOrder/containers
generateName namespace resourceVersion uid initContainers env value livenessProbe httpGet port target
managedFields fieldsV1 manager operation f:spec ephemeralContainers resources limits versions schema openAPIV3Schema
properties type items pattern required enum default additionalPrinterColumns jsonPath subresources scale names plural
group scope cronSpec tags mode
"""
_PARAMETERS = """
watch labelSelector fieldSelector limit continue resourceVersion resourceVersionMatch sendInitialEvents dryRun
fieldManager fieldValidation force timeoutSeconds tailLines sinceTime sinceSeconds limitBytes container
previous command begin propagationPolicy gracePeriodSeconds
"""
WORDS = st.sampled_from(_WORDS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["app", "web", "delete", "replace", "v1", "Pod", "10.0.0.1", "1Gi"])
)
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
POINTERS = st.lists(WORDS | st.sampled_from(["0", "-", "~1", "99"]), max_size=4).map(
    lambda words: "/" + "/".join(words)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
        optional={"value": VALUES, "from": POINTERS},
    ),
    max_size=3,
)
NAMESPACED = (
    "endpoints",
    "limitranges",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
)
PATHS = st.sampled_from(
    [
        *(
            f"{base}{rest}"
            for base in (PODS, DEPLOYMENTS)
            for rest in ("", "/app", "/web", "/app/status", "/web/scale")
        ),
        *(f"{CUSTOM}{rest}" for rest in ("", "/a", "/a/status", "/a/scale")),
        DEFINITIONS,
        f"{DEFINITIONS}/crontabs.stable.example.com",
        f"{PODS}/app/ephemeralcontainers",
        f"{PODS}/app/resize",
        "/api/v1/nodes/node-1/proxy/metrics/probes",
        "/metrics",
        "/selfheal/status",
        *(f"{PODS}/app/{sub}" for sub in ("log", "exec", "eviction", "binding", "proxy/x", "portforward", "attach")),
        *(
            f"/api/v1/{kind}{rest}"
            for kind in ("nodes", "persistentvolumes")
            for rest in ("", "/node-1", "/node-1/status")
        ),
        *(f"/api/v1/namespaces/default/{kind}" for kind in NAMESPACED),
        *(f"/api/v1/namespaces/default/{kind}/app" for kind in NAMESPACED),
        "/api/v1/namespaces",
        "/api/v1/namespaces/default/finalize",
        "/api/v1/namespaces/default/services",
        "/api/v1/namespaces/default/services/kubernetes/proxy/",
        "/api/v1/events",
        "/apis/batch/v1/namespaces/default/jobs",
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
        "/apis/events.k8s.io/v1/namespaces/default/events",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/metrics.k8s.io/v1beta1/pods",
        "/selfheal/actions",
        "/selfheal/clock",
        "/selfheal/timeline",
        "/openapi/v3/../../etc/passwd",
        "/api/v1/namespaces/../pods",
    ]
)
QUERIES = st.dictionaries(
    st.sampled_from(_PARAMETERS.split()),
    st.text(max_size=8)
    | st.sampled_from(["true", "All", "1", "a=b", "metadata.name=x", "NotOlderThan", "-1", "x in (y)"]),
    max_size=3,
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/json-patch+json",
        "application/apply-patch+yaml",
        "application/vnd.kubernetes.protobuf",
        "text/plain",
    ]
)
KINDS = {DEPLOYMENTS: deployment, PODS: pod, CUSTOM: crontab, DEFINITIONS: definition}


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value, as (container, key)."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, below in list(entries) for place in ((value, key), *_places(below))]


def _body(path: str, value: Any, place: int) -> Any:
    """Often something that begins well: with a few other fields, or with one part of it exchanged."""
    base = next((copy.deepcopy(make()) for prefix, make in KINDS.items() if path.startswith(prefix)), {})
    if place and base:
        places = _places(base)
        container, key = places[place % len(places)]
        container[key] = value
        return base
    if isinstance(value, dict) and "kind" not in value:
        spec = value.get("spec")
        return {**base, **value, "spec": {**base.get("spec", {}), **spec} if isinstance(spec, dict) else spec}
    return value


@pytest.mark.wrong_rules  # who writes a status writes what he likes
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
            PATHS,
            QUERIES,
            TYPES,
            VALUES | OPERATIONS | st.binary(max_size=40),
            st.integers(0, 120),
        ),
        min_size=4,
        max_size=8,
    )
)
def test_no_request_is_an_internal_error(requests: list[tuple[str, str, dict[str, str], str, Any, int]]) -> None:
    api = Api()
    api("POST", PODS, pod())
    api("POST", DEPLOYMENTS, deployment())
    api("POST", DEFINITIONS, definition())
    api("POST", CUSTOM, crontab())
    api.run(4)
    for method, path, query, content_type, value, place in requests:
        if path in ("/selfheal/actions", "/selfheal/clock") and method == "POST":
            continue  # those with the token may send the clock ahead for years
        target = f"{path}?{'&'.join(f'{k}={quote(v)}' for k, v in query.items())}"
        body = value if isinstance(value, bytes) else _body(path, value, place)
        answer = api.answer(api.request(method, target, body, content_type))
        if isinstance(answer, Response):
            told = answer.body if isinstance(answer.body, bytes) else b""
            assert answer.status != 500, (method, target, content_type, body, told)
            answer.closing()
    api.run(30)
    assert api.get("/api/v1/nodes").code == 200


LEAST: tuple[dict[str, Any], ...] = ({}, {"spec": {}}, {"spec": None, "status": None}, {"status": {}})


def test_the_least_that_a_kind_may_say_harms_nobody() -> None:
    api = Api()
    versions = [group["preferredVersion"]["groupVersion"] for group in api.get("/apis").json["groups"]]
    for base in ("/api/v1", *(f"/apis/{version}" for version in versions)):
        for found in api.get(base).json["resources"]:
            if not {"create", "update"} <= set(found["verbs"]):
                continue
            path = f"{base}/namespaces/default/{found['name']}" if found["namespaced"] else f"{base}/{found['name']}"
            there = [item["metadata"]["name"] for item in api.get(path).json.get("items", ())][:1]
            for rest in LEAST:
                assert api("POST", path, {"metadata": {"name": "x"}, **rest}).code < 500
                for called in ("x", *there):
                    body = {"metadata": {"name": called}, **rest}
                    assert api("PUT", f"{path}/{called}", body).code < 500
                    assert api("PUT", f"{path}/{called}/status", body).code < 500
                api.run(1)
    api.run(40)
    nodes = api.get("/api/v1/nodes").json["items"]
    own = [n for n in nodes if n["metadata"]["name"] != "x"]
    assert all(len(n["status"]["conditions"]) == 4 and n["status"]["nodeInfo"] for n in own), "kubelets report again"


def test_who_replaces_an_object_says_its_name() -> None:
    told = Api()("PUT", "/api/v1/nodes/node-1", {})
    text = "the name of the object (node-1 based on URL) was undeterminable: name must be provided"
    assert (told.code, told.json["message"]) == (400, text)


MOST = 2**31 - 1
SELECTOR = {"matchLabels": {"app": "web"}}


def _template(policy: str = "Always") -> dict[str, Any]:
    container = {"name": "app", "image": "busybox:1.36", "command": ["sleep", "3600"]}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"restartPolicy": policy, "containers": [container]}}


@pytest.mark.parametrize(
    ("path", "spec"),
    [
        ("/apis/apps/v1/namespaces/default/deployments", {"replicas": MOST, "selector": SELECTOR}),
        ("/apis/apps/v1/namespaces/default/statefulsets", {"replicas": MOST, "selector": SELECTOR}),
        (
            "/apis/apps/v1/namespaces/default/statefulsets",
            {"replicas": MOST, "selector": SELECTOR, "podManagementPolicy": "Parallel"},
        ),
        ("/api/v1/namespaces/default/replicationcontrollers", {"replicas": MOST, "selector": {"app": "web"}}),
        ("/apis/batch/v1/namespaces/default/jobs", {"parallelism": MOST, "completions": MOST}),
        ("/apis/batch/v1/namespaces/default/jobs", {"parallelism": MOST}),
    ],
)
def test_who_asks_for_two_thousand_million_pods_gets_twenty_a_second(path: str, spec: dict[str, Any]) -> None:
    api = Api()
    spec["template"] = _template("Never" if "batch" in path else "Always")
    assert api("POST", path, {"metadata": {"name": "web"}, "spec": spec}).code == 201
    api.run(10)
    assert len(api.get(PODS).json["items"]) <= 30 + 10 * 20
    api.run(5)
    assert len(api.get(PODS).json["items"]) <= 30 + 15 * 20
