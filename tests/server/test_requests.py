"""What the API server answers: verbs, errors, forms (../shared/reference/api.md in the notes of this project)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfheal import protobuf
from selfheal.server.http import Response
from tests.server.api import DEPLOYMENTS, PODS, Api, deployment, pod

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.fixture
def api() -> Api:
    return Api()


# ---- who asks


def test_without_the_token_nothing_is_told(api: Api) -> None:
    for wrong in ("", "Bearer", "Bearer tokens", "Basic token", "bearer token"):
        reply = api.get("/api/v1/pods", authorization=wrong)
        assert (reply.code, reply.json["reason"], reply.json["message"]) == (401, "Unauthorized", "Unauthorized")
    assert api.get("/selfheal/timeline", authorization="").code == 401
    assert api.get("/healthz", authorization="").text == "ok"


# ---- discovery


def test_discovery_old_and_new(api: Api) -> None:
    assert api.get("/api").json["versions"] == ["v1"]
    groups = {g["name"] for g in api.get("/apis").json["groups"]}
    assert {"apps", "batch", "policy", "metrics.k8s.io"} <= groups
    listed = {r["name"]: r for r in api.get("/api/v1").json["resources"]}
    assert listed["pods"]["shortNames"] == ["po"]
    assert listed["pods"]["categories"] == ["all"]
    assert listed["pods/eviction"] == {
        "name": "pods/eviction",
        "singularName": "",
        "namespaced": True,
        "group": "policy",
        "version": "v1",
        "kind": "Eviction",
        "verbs": ["create"],
    }
    found = api.get("/apis", accept=AGGREGATED)
    assert found.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    apps = next(i for i in found.json["items"] if i["metadata"].get("name") == "apps")
    deployments = next(r for r in apps["versions"][0]["resources"] if r["resource"] == "deployments")
    assert deployments["subresources"][0]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert api.get("/api", accept=AGGREGATED).json["items"][0]["metadata"] == {}
    assert api.get("/apis/apps").json["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}


def test_there_is_all_that_a_real_cluster_has(api: Api) -> None:
    recorded = Path(__file__).parents[1] / "kubectl" / "api-resources.txt"
    found = set()
    for item in [*api.get("/api", accept=AGGREGATED).json["items"], *api.get("/apis", accept=AGGREGATED).json["items"]]:
        for version in item["versions"]:
            group = item["metadata"].get("name", "")
            for r in version["resources"]:
                called = f"{group}/{version['version']}" if group else version["version"]
                row = (r["resource"], *r.get("shortNames", ()), called, r["scope"] == "Namespaced")
                found.add((*row, r["responseKind"]["kind"]))
    rows = [line.split() for line in recorded.read_text().splitlines()[2:]]
    for name, *shorts, version, namespaced, kind in rows:
        row = (name, *(s for word in shorts for s in word.split(",")), version, namespaced == "true", kind)
        assert row in found
    assert len(rows) > 50


def test_openapi_says_that_validation_is_the_servers(api: Api) -> None:
    url = api.get("/openapi/v3").json["paths"]["apis/apps/v1"]["serverRelativeURL"]
    document = api.get(url).json
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in [p["name"] for p in patch["parameters"]]
    assert STRATEGIC in patch["requestBody"]["content"]
    schemas = document["components"]["schemas"]
    assert "Pod" in schemas["io.k8s.api.core.v1.PodSpec"]["description"]
    assert schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert "#/definitions/" in api.get("/openapi/v2").text
    old = api.answer(
        api.request("GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    )
    assert isinstance(old, Response)
    assert isinstance(old.body, bytes)
    document = dict(protobuf.fields(old.body))
    assert document[1] == b"2.0"
    assert document[2] == b"\n\nKubernetes\x12\x07v1.36.2"
    definitions = [dict(protobuf.fields(d)) for _, d in protobuf.fields(_bytes(document[9]))]
    probe = next(d[2] for d in definitions if d[1] == b"io.k8s.api.core.v1.Probe")
    fields = [dict(protobuf.fields(p)) for _, p in protobuf.fields(_bytes(dict(protobuf.fields(_bytes(probe)))[25]))]
    [handler] = [dict(protobuf.fields(_bytes(f[2]))) for f in fields if f[1] == b"httpGet"]
    assert handler[1] == b"#/definitions/io.k8s.api.core.v1.HTTPGetAction"
    assert api.get("/openapi/v2", accept="text/html").code == 406


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def test_unknown_paths_and_verbs(api: Api) -> None:
    for path in (
        "/nope",
        "/api/v2/pods",
        "/apis/apps/v1/wombats",
        "/apis/nope/v1/x",
        "/api/v1/pods/a",
        "/openapi/v3/x",
    ):
        reply = api.get(path)
        assert (reply.code, reply.json["reason"]) == (404, "NotFound"), path
        assert reply.json["message"] == "the server could not find the requested resource"
    reply = api("PUT", "/api/v1/pods", pod())
    assert (reply.code, reply.json["reason"]) == (405, "MethodNotAllowed")
    assert api("POST", "/apis/metrics.k8s.io/v1beta1/nodes", {}).code == 405
    assert api("BREW", PODS).code == 405


# ---- one object


def test_an_object_comes_changes_and_goes(api: Api) -> None:
    reply = api("POST", DEPLOYMENTS, deployment())
    assert reply.code == 201
    assert reply.json["spec"]["strategy"]["type"] == "RollingUpdate"
    again = api("POST", DEPLOYMENTS, deployment())
    assert (again.code, again.json["reason"]) == (409, "AlreadyExists")
    assert again.json["message"] == 'deployments.apps "web" already exists'
    found = api.get(f"{DEPLOYMENTS}/web").json
    found["spec"]["replicas"] = 3
    changed = api("PUT", f"{DEPLOYMENTS}/web", found)
    assert (changed.code, changed.json["metadata"]["generation"]) == (200, 2)
    stale = api("PUT", f"{DEPLOYMENTS}/web", found)
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    assert stale.json["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    gone = api("DELETE", f"{DEPLOYMENTS}/web")
    uid = found["metadata"]["uid"]
    assert gone.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "web", "group": "apps", "kind": "deployments", "uid": uid},
    }
    missing = api.get(f"{DEPLOYMENTS}/web")
    assert (missing.code, missing.json["details"]) == (404, {"name": "web", "group": "apps", "kind": "deployments"})
    assert missing.json["message"] == 'deployments.apps "web" not found'


def test_an_invalid_object_is_refused_with_its_causes(api: Api) -> None:
    wrong = pod()
    wrong["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"port": 80}, "successThreshold": 2}
    reply = api("POST", PODS, wrong)
    assert (reply.code, reply.json["reason"]) == (422, "Invalid")
    assert reply.json["details"]["kind"] == "Pod"
    assert reply.json["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": "Invalid value: 2: must be 1",
            "field": "spec.containers[0].livenessProbe.successThreshold",
        }
    ]


def test_unknown_fields_are_refused_told_or_ignored(api: Api) -> None:
    wrong = {**pod(), "spec": {**pod()["spec"], "colour": "red"}}
    strict = api("POST", f"{PODS}?fieldValidation=Strict", wrong)
    assert strict.code == 400
    assert strict.json["message"] == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.colour"'
    )
    told = api("POST", PODS, wrong)
    assert (told.code, told.headers["Warning"]) == (201, '299 - "unknown field \\"spec.colour\\""')
    assert "colour" not in told.json["spec"]
    wrong["metadata"]["name"] = "other"
    assert api("POST", f"{PODS}?fieldValidation=Ignore", wrong).headers == {}
    assert api("POST", f"{PODS}?fieldValidation=Maybe", wrong).code == 400


def test_fields_named_twice_and_fields_of_a_patch(api: Api) -> None:
    text = json.dumps(deployment()).replace('"replicas": 2', '"replicas": 1, "replicas": 2, "colour": 1').encode()
    strict = api("POST", f"{DEPLOYMENTS}?fieldValidation=Strict", text)
    assert (strict.code, strict.json["message"]) == (
        400,
        (
            'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
            'duplicate field "spec.replicas", unknown field "spec.colour"'
        ),
    )
    told = api("POST", DEPLOYMENTS, text)
    assert told.json["spec"]["replicas"] == 2
    assert told.headers["Warning"].startswith('299 - "duplicate field \\"spec.replicas\\""')
    path, colour = f"{DEPLOYMENTS}/web", {"spec": {"colour": 1}}
    patched = api("PATCH", f"{path}?fieldValidation=Strict", colour, MERGE)
    assert (patched.code, patched.json["details"]["causes"][0]["field"]) == (422, "patch")
    assert patched.json["message"].endswith('strict decoding error: unknown field "spec.colour"')
    applied = api("PATCH", f"{path}?fieldManager=x", {"apiVersion": "apps/v1", "kind": "Deployment", **colour}, APPLY)
    assert (applied.code, applied.json["message"]) == (
        400,
        (
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
            ".spec.colour: field not declared in schema"
        ),
    )


def test_a_warning_is_fit_for_a_header(api: Api) -> None:
    told = api("POST", PODS, {**pod(), "spec": {**pod()["spec"], 'a\n"\\\x00é€': 1}})
    assert told.headers["Warning"] == '299 - "unknown field \\"spec.a?\\"\\\\?é?\\""'


def test_bodies_that_are_no_objects(api: Api) -> None:
    for body in (b"", b"[]", b"1", b"{", b"[" * 5000, b"\xff\xfe"):
        reply = api("POST", PODS, body)
        assert (reply.code, reply.json["reason"]) == (400, "BadRequest"), body[:20]
    assert api("POST", PODS, b"<pod/>", "application/xml").code == 415
    assert api("POST", PODS, deployment()).code == 400
    assert api("POST", PODS, {**pod(), "metadata": {"name": "x", "namespace": "other"}}).code == 400
    assert api("POST", "/api/v1/namespaces/nowhere/pods", pod()).json["message"] == 'namespaces "nowhere" not found'


def test_a_dry_run_changes_nothing(api: Api) -> None:
    version = api.cluster.store.version
    made = api("POST", f"{PODS}?dryRun=All", pod())
    assert made.code == 201
    assert made.json["metadata"]["uid"]
    assert "resourceVersion" not in made.json["metadata"]
    assert api.get(f"{PODS}/app").code == 404
    assert api.cluster.store.version == version
    api("POST", PODS, pod())
    assert api("DELETE", f"{PODS}/app?dryRun=All").code == 200
    assert "deletionTimestamp" not in api.get(f"{PODS}/app").json["metadata"]
    api("POST", DEPLOYMENTS, deployment())
    version, scale = api.cluster.store.version, {"spec": {"replicas": 9}}
    for method, target, body in (
        (
            "PATCH",
            f"{DEPLOYMENTS}/web?fieldManager=x&force=true",
            {"apiVersion": "apps/v1", "kind": "Deployment", **scale},
        ),
        ("PUT", f"{DEPLOYMENTS}/web/scale?fieldManager=x", scale),
        ("DELETE", f"{DEPLOYMENTS}?fieldManager=x", None),
        ("POST", f"{PODS}/app/eviction?x=y", {"metadata": {"name": "app"}}),
        ("POST", "/api/v1/nodes?x=y", {"metadata": {"name": "node-9"}}),
    ):
        content = APPLY if method == "PATCH" else "application/json"
        assert api(method, f"{target}&dryRun=All", body, content).code in (200, 201), target
    assert api.cluster.store.version == version
    assert api("POST", f"{PODS}?dryRun=Some", pod("b")).json["details"]["causes"][0]["field"] == "dryRun"


def test_yaml_is_taken_too(api: Api) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
    assert api("POST", "/api/v1/namespaces/default/configmaps", text, "application/yaml").code == 201


# ---- patches


def test_patches_of_three_sorts(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/web"
    container = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.28"}]}}}}
    strategic = api("PATCH", path, container, STRATEGIC).json["spec"]["template"]["spec"]["containers"][0]
    assert (strategic["image"], strategic["ports"][0]["containerPort"]) == ("nginx:1.28", 80)
    assert api("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, MERGE).json["metadata"]["labels"]["a"] == "b"
    assert "a" not in api("PATCH", path, {"metadata": {"labels": {"a": None}}}, MERGE).json["metadata"]["labels"]
    patched = api("PATCH", path, [{"op": "replace", "path": "/spec/replicas", "value": 5}], JSON_PATCH)
    assert patched.json["spec"]["replicas"] == 5
    refused = api("PATCH", path, [{"op": "test", "path": "/spec/replicas", "value": 4}], JSON_PATCH)
    assert (refused.code, refused.json["reason"]) == (422, "Invalid")
    assert api("PATCH", path, {}, "application/json").code == 415
    version = api.get(path).json["metadata"]["resourceVersion"]
    assert api("PATCH", path, {"metadata": {"resourceVersion": "1"}}, MERGE).code == 409
    assert api("PATCH", path, {"spec": {"replicas": 5}}, MERGE).json["metadata"]["resourceVersion"] == version


def test_a_pods_status_is_patched_apart(api: Api) -> None:
    api("POST", PODS, {**pod(), "spec": {**pod()["spec"], "readinessGates": [{"conditionType": "x/y"}]}})
    api.run(5)
    gate = {"status": {"conditions": [{"type": "x/y", "status": "True"}]}}
    assert api("PATCH", f"{PODS}/app", gate, STRATEGIC).code == 200
    assert "x/y" not in [c["type"] for c in api.get(f"{PODS}/app").json["status"]["conditions"]]
    assert api("PATCH", f"{PODS}/app/status", gate, STRATEGIC).code == 200
    api.run(1)
    conditions = {c["type"]: c["status"] for c in api.get(f"{PODS}/app").json["status"]["conditions"]}
    assert (conditions["x/y"], conditions["Ready"]) == ("True", "True")


def test_server_side_apply(api: Api) -> None:
    path = "/api/v1/namespaces/default/configmaps/c"
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert api("PATCH", path, {**base, "data": {"a": "1"}}, APPLY).code == 422
    assert api("PATCH", f"{path}?fieldManager=x", {**base, "data": {"a": "1", "b": "1"}}, APPLY).code == 201
    assert api("PATCH", f"{path}?fieldManager=x", {**base, "data": {"a": "2"}}, APPLY).json["data"] == {"a": "2"}
    assert api("PATCH", f"{path}?fieldManager=y", {**base, "data": {"c": "3"}}, APPLY).json["data"] == {
        "a": "2",
        "c": "3",
    }
    conflict = api("PATCH", f"{path}?fieldManager=y", {**base, "data": {"a": "4"}}, APPLY)
    assert (conflict.code, conflict.json["reason"]) == (409, "Conflict")
    assert conflict.json["message"] == 'Apply failed with 1 conflict: conflict with "x": .data.a'
    assert conflict.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "x"', "field": ".data.a"}
    ]
    forced = api("PATCH", f"{path}?fieldManager=y&force=true", {**base, "data": {"a": "4"}}, APPLY)
    assert forced.json["data"] == {"a": "4"}


def test_who_wants_what_is_written_down(api: Api) -> None:
    """As kubectl get --show-managed-fields shows it after kubectl create deployment, set image, scale and apply."""
    path = f"{DEPLOYMENTS}/web"
    made = api("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-create", deployment()).json
    [entry] = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("kubectl-create", "Update", "apps/v1")
    assert entry["time"] == made["metadata"]["creationTimestamp"]
    assert entry["fieldsV1"]["f:metadata"] == {"f:labels": {".": {}, "f:app": {}}}
    spec = entry["fieldsV1"]["f:spec"]
    assert spec["f:selector"] == {}
    assert spec["f:strategy"] == {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}}
    containers = spec["f:template"]["f:spec"]["f:containers"]
    assert list(containers) == ['k:{"name":"web"}']
    assert containers['k:{"name":"web"}'] == {
        ".": {},
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:name": {},
        "f:ports": {
            ".": {},
            'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
        },
        "f:resources": {},
        "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
    }
    image = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.28"}]}}}}
    old, new = api("PATCH", f"{path}?fieldManager=kubectl-set", image, STRATEGIC).json["metadata"]["managedFields"]
    mine = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}}}
    assert (new["manager"], new["fieldsV1"]) == ("kubectl-set", mine)
    assert "f:image" not in old["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}']
    api("PATCH", f"{path}/scale?fieldManager=kubectl", {"spec": {"replicas": 4}}, MERGE)
    intent = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2, **image["spec"]}}
    intent["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.29"
    refused = api("PATCH", f"{path}?fieldManager=ci", intent, APPLY)
    assert refused.json["message"] == (
        'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n'
        '- .spec.replicas\nconflicts with "kubectl-set" using apps/v1:\n'
        '- .spec.template.spec.containers[name="web"].image'
    )
    forced = api("PATCH", f"{path}?fieldManager=ci&force=true", intent, APPLY).json
    assert forced["spec"]["replicas"] == 2
    entries = {e["manager"]: e for e in forced["metadata"]["managedFields"]}
    assert list(entries) == ["ci", "kubectl-create"]
    assert entries["ci"]["operation"] == "Apply"
    assert entries["ci"]["fieldsV1"]["f:spec"]["f:replicas"] == {}


def test_what_is_applied_no_longer_goes_unless_another_wants_it(api: Api) -> None:
    path = f"{DEPLOYMENTS}/web"
    both = deployment()
    pair = [{"name": "web", "image": "nginx:1.27", "env": [{"name": "A", "value": "1"}]}, {"name": "b", "image": "c"}]
    both["spec"]["template"]["spec"]["containers"] = pair
    api("PATCH", f"{path}?fieldManager=x", both, APPLY)
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [pair[1]]}}}}
    api("PATCH", f"{path}?fieldManager=y", other, APPLY)
    one = deployment()
    made = api("PATCH", f"{path}?fieldManager=x", one, APPLY).json["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c.get("env")) for c in made] == [("web", None), ("b", None)]
    none = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"only": "y"}}}
    gone = api("PATCH", f"{path}?fieldManager=y", none, APPLY).json
    assert [c["name"] for c in gone["spec"]["template"]["spec"]["containers"]] == ["web"]
    version = gone["metadata"]["resourceVersion"]
    assert api("PATCH", f"{path}?fieldManager=y", none, APPLY).json["metadata"]["resourceVersion"] == version


def test_a_status_has_managers_of_its_own(api: Api) -> None:
    api("POST", PODS, pod())
    gate = {"status": {"conditions": [{"type": "x/y", "status": "True"}]}}
    api("PATCH", f"{PODS}/app/status?fieldManager=gate", gate, STRATEGIC)
    entries = {e["manager"]: e for e in api.get(f"{PODS}/app").json["metadata"]["managedFields"]}
    assert (entries["gate"]["subresource"], list(entries["gate"]["fieldsV1"])) == ("status", ["f:status"])
    assert "f:status" not in entries["test"]["fieldsV1"]


# ---- lists


def test_lists_and_their_selectors(api: Api) -> None:
    empty = api.get(PODS).json
    assert (empty["kind"], empty["apiVersion"], empty["items"]) == ("PodList", "v1", [])
    for i in range(4):
        made = pod(f"p{i}")
        made["metadata"]["labels"] = {"even": str(i % 2 == 0).lower(), "n": str(i)}
        api("POST", PODS, made)

    def names(query: str) -> list[str]:
        return [o["metadata"]["name"] for o in api.get(f"{PODS}?{query}").json["items"]]

    assert names("labelSelector=even%3Dtrue") == ["p0", "p2"]
    assert names("labelSelector=n+in+(1,3),!x") == ["p1", "p3"]
    assert names("fieldSelector=metadata.name%3Dp1") == ["p1"]
    assert names("fieldSelector=metadata.name!%3Dp1,status.phase%3DPending") == ["p0", "p2", "p3"]
    assert (
        api.get(f"{PODS}?fieldSelector=spec.colour%3Dred").json["message"] == "field label not supported: spec.colour"
    )
    assert api.get(f"{PODS}?labelSelector=((").code == 400
    first = api.get(f"{PODS}?limit=3").json
    assert (len(first["items"]), first["metadata"]["remainingItemCount"]) == (3, 1)
    rest = api.get(f"{PODS}?limit=3&continue={first['metadata']['continue']}").json
    assert [o["metadata"]["name"] for o in rest["items"]] == ["p3"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert api.get(f"{PODS}?continue=nonsense").json["reason"] == "BadRequest"
    assert api.get(f"{PODS}?resourceVersion=999999").json["reason"] == "Timeout"
    deleted = api("DELETE", f"{PODS}?labelSelector=even%3Dtrue&gracePeriodSeconds=0")
    assert len(deleted.json["items"]) == 2
    assert names("") == ["p1", "p3"]


def test_the_pages_of_a_list_are_of_one_moment(api: Api) -> None:
    for name in "abc":
        api("POST", PODS, pod(name))
    first = api.get(f"{PODS}?limit=1").json
    api("DELETE", f"{PODS}/b?gracePeriodSeconds=0")
    api("POST", PODS, pod("d"))
    token = first["metadata"]["continue"]
    second = api.get(f"{PODS}?limit=1&continue={token}").json
    assert [o["metadata"]["name"] for o in second["items"]] == ["b"]
    assert second["metadata"]["remainingItemCount"] == 1
    old = f"{PODS}?resourceVersion={first['metadata']['resourceVersion']}&resourceVersionMatch=Exact"
    assert [o["metadata"]["name"] for o in api.get(old).json["items"]] == ["a", "b", "c"]
    for n in range(4200):  # more than the history holds
        api.cluster.label("node/node-1", f"n={n}")
    expired = api.get(f"{PODS}?limit=1&continue={token}")
    assert (expired.code, expired.json["reason"]) == (410, "Expired")
    assert "the provided continue parameter is too old" in expired.json["message"].lower()
    rest = api.get(f"{PODS}?continue={expired.json['metadata']['continue']}").json
    assert [o["metadata"]["name"] for o in rest["items"]] == ["c", "d"]
    assert api.get(old).code == 410
    assert api.get(f"{PODS}?continue={token}&resourceVersion=1").code == 400


def test_nothing_new_in_a_namespace_that_is_missing_or_going(api: Api) -> None:
    missing = api("POST", "/api/v1/namespaces/nowhere/pods", {"metadata": {"name": "Not!valid"}})
    assert (missing.code, missing.json["message"]) == (404, 'namespaces "nowhere" not found')
    assert missing.json["details"] == {"name": "nowhere", "kind": "namespaces"}
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    api("POST", "/api/v1/namespaces", home)
    held = {**pod(), "metadata": {"name": "held", "finalizers": ["example.com/wait"]}}
    api("POST", "/api/v1/namespaces/shop/pods", held)
    api("DELETE", "/api/v1/namespaces/shop")
    refused = api("POST", "/api/v1/namespaces/shop/pods", pod("late"))
    assert (refused.code, refused.json["reason"]) == (403, "Forbidden")
    assert refused.json["message"] == (
        'pods "late" is forbidden: unable to create new content in namespace shop because it is being terminated'
    )
    assert refused.json["details"] == {
        "name": "late",
        "kind": "pods",
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": "namespace shop is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }


def test_the_api_server_publishes_itself(api: Api) -> None:
    [slice_] = api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices").json["items"]
    assert slice_["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
    assert slice_["ports"] == [{"name": "https", "port": 6443, "protocol": "TCP"}]
    table = api.get("/api/v1/namespaces/default/endpoints", accept=TABLE).json
    assert table["rows"][0]["cells"][:2] == ["kubernetes", "10.88.0.254:6443"]
    assert "kubernetes" not in api.get("/selfheal/timeline").text


def test_roles_show_when_they_were_made(api: Api) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    api("POST", roles, {"metadata": {"name": "r"}, "rules": []})
    table = api.get(roles, accept=TABLE).json
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Created At"]
    assert table["rows"][0]["cells"] == ["r", table["rows"][0]["object"]["metadata"]["creationTimestamp"]]


def test_tables(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    table = api.get(PODS, accept=TABLE).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [c["name"] for c in table["columnDefinitions"][:5]] == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert table["rows"][0]["cells"][:4] == ["app", "1/1", "Running", "0"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert api.get(f"{PODS}?includeObject=Object", accept=TABLE).json["rows"][0]["object"]["kind"] == "Pod"
    assert api.get(f"{PODS}/app", accept=TABLE).json["kind"] == "Table"
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    assert api.get(PODS, accept=partial).json["kind"] == "PartialObjectMetadataList"
    assert api.get(PODS, accept="text/html").json["reason"] == "NotAcceptable"
    assert api.get(PODS, accept="application/vnd.kubernetes.protobuf,application/json").json["kind"] == "PodList"


# ---- watches


def test_a_watch_begins_with_what_is_there_and_goes_on(api: Api) -> None:
    api("POST", PODS, pod("a"))
    events = api.stream(f"{PODS}?watch=true", lambda: api.cluster.delete("pod/a", grace=0))
    assert [e["type"] for e in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert int(events[2]["object"]["metadata"]["resourceVersion"]) > int(
        events[0]["object"]["metadata"]["resourceVersion"]
    )
    assert events[0]["object"]["kind"] == "Pod"


def test_a_watch_from_a_version_on_misses_nothing(api: Api) -> None:
    version = api.get(PODS).json["metadata"]["resourceVersion"]
    api("POST", PODS, pod("a"))
    assert [e["type"] for e in api.stream(f"{PODS}?watch=true&resourceVersion={version}")] == ["ADDED"]
    late = api.stream(f"{PODS}?watch=true&resourceVersion=99999")
    assert late[0]["object"]["reason"] == "Timeout"


def test_a_watch_that_begins_too_far_back_is_told_so(api: Api) -> None:
    for i in range(4200):
        api.cluster.store.create({"kind": "ConfigMap", "metadata": {"name": f"c{i}"}})
    [event] = api.stream(f"{PODS}?watch=true&resourceVersion=1")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"].startswith("too old resource version: 1 (")


def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    api("POST", PODS, pod("a"))
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = api.stream(f"{PODS}?{query}&resourceVersion=")
    assert [e["type"] for e in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert api.get(f"{PODS}?watch=true&sendInitialEvents=true").code == 422
    assert api.get(f"{PODS}?sendInitialEvents=true").code == 422


def test_who_stops_to_match_is_deleted_for_the_watch(api: Api) -> None:
    made = pod("a")
    made["metadata"]["labels"] = {"x": "1"}
    api("POST", PODS, made)
    target = f"{PODS}?watch=true&labelSelector=x%3D1"

    def act() -> None:
        api.cluster.label("pod/a", "x=2")
        api.cluster.label("pod/a", "x=1")

    assert [e["type"] for e in api.stream(target, act)] == ["ADDED", "DELETED", "ADDED"]


def test_a_watch_of_tables_has_its_head_once(api: Api) -> None:
    api("POST", PODS, pod("a"))
    before = _watchers(api)
    first, *rest = api.stream(f"{PODS}?watch=true", lambda: api.run(5), accept=TABLE)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert rest
    assert all(e["object"]["kind"] == "Table" and e["object"]["columnDefinitions"] is None for e in rest)
    assert rest[-1]["object"]["rows"][0]["cells"][:3] == ["a", "1/1", "Running"]
    assert _watchers(api) == before


def _watchers(api: Api) -> int:
    return len(api.cluster.store._watches._immediate["Pod"])


# ---- deletion


def test_a_running_pod_gets_its_grace(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    reply = api("DELETE", f"{PODS}/app", {"gracePeriodSeconds": 3, "propagationPolicy": "Background"})
    assert (reply.code, reply.json["metadata"]["deletionGracePeriodSeconds"]) == (200, 3)
    other = {"preconditions": {"uid": "other"}}
    assert api("DELETE", f"{PODS}/app", other).json["reason"] == "Conflict"
    assert api("DELETE", f"{PODS}/app", {"gracePeriodSeconds": 0}).code == 200
    assert api.get(f"{PODS}/app").code == 404


def test_what_depends_goes_or_stays_as_one_asks(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    api.run(3)
    api("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Orphan"})
    api.run(3)
    assert len(api.get("/apis/apps/v1/namespaces/default/replicasets").json["items"]) == 1
    assert api("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Sometimes"}).code == 422


# ---- subresources


def test_scale(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment())
    api.run(2)
    scale = api.get(f"{DEPLOYMENTS}/web/scale").json
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    changed = api("PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 0}}, MERGE)
    assert changed.json["spec"] == {}
    assert api.get(f"{DEPLOYMENTS}/web").json["spec"]["replicas"] == 0
    scale["spec"]["replicas"] = 4
    assert api("PUT", f"{DEPLOYMENTS}/web/scale", scale).code == 409
    assert api("PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}}, MERGE).code == 422


def test_evictions_obey_budgets(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment(replicas=1))
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    api("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)
    api("POST", PODS, pod("free"))
    api.run(8)
    name = api.get(f"{PODS}?labelSelector=app%3Dweb").json["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    refused = api("POST", f"{PODS}/{name}/eviction", eviction)
    assert (refused.code, refused.json["reason"]) == (429, "TooManyRequests")
    assert refused.json["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    cause = refused.json["details"]["causes"][0]
    assert cause == {
        "reason": "DisruptionBudget",
        "message": "The disruption budget b needs 1 healthy pods and has 1 currently",
    }
    allowed = api("POST", f"{PODS}/free/eviction", eviction)
    assert (allowed.code, allowed.json["status"]) == (201, "Success")
    assert api.get(f"{PODS}/free").json["metadata"]["deletionTimestamp"]


def test_bindings(api: Api) -> None:
    api("POST", PODS, pod(schedulerName="mine"))
    api.run(2)
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "app"},
        "target": {"kind": "Node", "name": "node-2"},
    }
    assert api("POST", f"{PODS}/app/binding", binding).json["status"] == "Success"
    again = api("POST", f"{PODS}/app/binding", binding)
    assert again.json["message"] == (
        'Operation cannot be fulfilled on pods/binding "app": pod app is already assigned to node "node-2"'
    )


def test_logs(api: Api) -> None:
    talker = pod("talk", restartPolicy="Never")
    talker["spec"]["containers"][0]["command"] = ["sh", "-c", "echo one; sleep 2; echo two; exit 1"]
    api("POST", PODS, talker)
    pending = api.get(f"{PODS}/talk/log")
    assert pending.code == 400
    api.run(8)
    assert api.get(f"{PODS}/talk/log").text == "one\ntwo\n"
    assert api.get(f"{PODS}/talk/log?tailLines=1").text == "two\n"
    assert api.get(f"{PODS}/talk/log?limitBytes=5").text == "one\nt"
    assert api.get(f"{PODS}/talk/log?timestamps=true&tailLines=1").text.endswith("000Z two\n")
    assert api.get(f"{PODS}/talk/log?sinceSeconds=5").text in ("two\n", "")
    previous = api.get(f"{PODS}/talk/log?previous=true")
    assert previous.json["message"] == 'previous terminated container "app" in pod "talk" not found'
    wrong = api.get(f"{PODS}/talk/log?container=nope")
    assert wrong.json["message"] == "container nope is not valid for pod talk"
    two = pod("two")
    two["spec"]["containers"].append({**two["spec"]["containers"][0], "name": "other"})
    two["spec"]["initContainers"] = [{"name": "first", "image": "busybox:1.36", "command": ["true"]}]
    api("POST", PODS, two)
    which = api.get(f"{PODS}/two/log").json["message"]
    assert which == "a container name must be specified for pod two, choose one of: [first app other]"


def test_a_proxy_asks_a_simulated_program(api: Api) -> None:
    api("POST", DEPLOYMENTS, deployment(replicas=1))
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    api("POST", "/api/v1/namespaces/default/services", service)
    api.run(8)
    name = api.get(PODS).json["items"][0]["metadata"]["name"]
    assert api.get(f"{PODS}/{name}/proxy/").code == 200
    assert api.get("/api/v1/namespaces/default/services/web/proxy/").code == 200
    assert api.get(f"{PODS}/{name}:81/proxy/").code == 503


def test_a_container_for_debugging_joins_a_running_pod(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    path, debugger = f"{PODS}/app/ephemeralcontainers", {"name": "dbg", "image": "busybox:1.36", "command": ["false"]}
    made = api("PATCH", path, {"spec": {"ephemeralContainers": [debugger]}}, STRATEGIC)
    assert (made.code, made.json["metadata"]["generation"]) == (200, 2)
    api.run(20)
    [status] = api.get(f"{PODS}/app").json["status"]["ephemeralContainerStatuses"]
    assert (status["state"]["terminated"]["exitCode"], status["restartCount"]) == (1, 0)
    assert api.get(f"{PODS}/app").json["status"]["phase"] == "Running"
    started = [e["involvedObject"].get("fieldPath") for e in api.get("/api/v1/events").json["items"]]
    assert "spec.ephemeralContainers{dbg}" in started
    for wrong in ([], [{**debugger, "image": "other"}], [debugger, {"name": "app", "image": "x"}]):
        assert (
            api(
                "PATCH", path, [{"op": "replace", "path": "/spec/ephemeralContainers", "value": wrong}], JSON_PATCH
            ).code
            == 422
        )
    refused = api(
        "PATCH", f"{PODS}/app", {"spec": {"ephemeralContainers": [debugger, {**debugger, "name": "b"}]}}, MERGE
    )
    assert (refused.code, refused.json["reason"]) == (422, "Invalid")


def test_a_running_pod_gets_another_size(api: Api) -> None:
    hungry = pod()
    hungry["spec"]["containers"][0]["resources"] = {"limits": {"memory": "10Mi"}}
    api("POST", PODS, hungry)
    api.run(5)
    more = {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}}}]}}
    assert api("PATCH", f"{PODS}/app", more, STRATEGIC).code == 422
    resized = api("PATCH", f"{PODS}/app/resize", more, STRATEGIC).json
    assert resized["spec"]["containers"][0]["resources"]["limits"] == {"memory": "64Mi"}
    api.run(3)
    assert api.cluster.container("app").kernel.memory_limit == 64 * 1024 * 1024
    other = {"spec": {"containers": [{"name": "app", "image": "other"}]}}
    assert api("PATCH", f"{PODS}/app/resize", other, STRATEGIC).code == 422


def test_a_kubelet_tells_how_often_it_probed(api: Api) -> None:
    probed = pod()
    probed["spec"]["containers"][0]["livenessProbe"] = {"exec": {"command": ["true"]}, "periodSeconds": 5}
    probed["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["false"]}, "periodSeconds": 5}
    api("POST", PODS, probed)
    api.run(32)
    node = api.get(f"{PODS}/app").json["spec"]["nodeName"]
    text = api.get(f"/api/v1/nodes/{node}/proxy/metrics/probes").text
    uid = api.get(f"{PODS}/app").json["metadata"]["uid"]
    about = f'container="app",namespace="default",pod="app",pod_uid="{uid}"'
    counts = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}
    assert set(counts) == {
        f'prober_probe_total{{{about},probe_type="Liveness",result="successful"}}',
        f'prober_probe_total{{{about},probe_type="Readiness",result="failed"}}',
    }
    assert all(5 <= count <= 9 for count in counts.values())  # unready, it is asked at each change, too
    assert text.splitlines()[-1] in api.get("/metrics").text
    assert 'apiserver_request_total{code="201",resource="pods",verb="POST"} 1' in api.get("/metrics").text
    assert api.get(f"/api/v1/nodes/{node}/proxy/healthz").text == "ok"
    assert api.get(f"/api/v1/nodes/{node}:10250/proxy/pods").json["items"][0]["metadata"]["name"] == "app"
    assert api.get(f"/api/v1/nodes/{node}/proxy/nope").code == 404
    api.cluster.node(node).stop()
    assert api.get(f"/api/v1/nodes/{node}/proxy/healthz").code == 503
    assert api.get("/api/v1/nodes/nope/proxy/healthz").code == 404


def test_metrics_come_after_a_scrape(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    path = "/apis/metrics.k8s.io/v1beta1"
    assert api.get(f"{path}/namespaces/default/pods").json["items"] == []
    api.run(15)
    [found] = api.get(f"{path}/namespaces/default/pods").json["items"]
    assert found["containers"][0]["name"] == "app"
    assert api.get(f"{path}/namespaces/default/pods/app").json["kind"] == "PodMetrics"
    assert [n["metadata"]["name"] for n in api.get(f"{path}/nodes").json["items"]] == ["node-1", "node-2"]
    assert api.get(f"{path}/nodes/nope").code == 404


def test_reviews(api: Api) -> None:
    review = {"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods"}}}
    assert api("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review).json["status"] == {
        "allowed": True
    }
    me = api("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}).json
    assert me["status"]["userInfo"]["username"] == "kubernetes-admin"


def test_events_under_both_names(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    core = api.get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dapp,reason%3DStarted").json
    new = api.get("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dapp").json
    assert core["items"][0]["message"] in [e["note"] for e in new["items"]]
    assert all(e["regarding"]["name"] == "app" for e in new["items"])


def test_an_autoscaler_under_both_versions(api: Api) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    path = "namespaces/default/horizontalpodautoscalers"
    made = api("POST", f"/apis/autoscaling/v1/{path}", {"metadata": {"name": "web"}, "spec": spec})
    assert (made.code, made.json["apiVersion"], made.json["spec"]) == (
        201,
        "autoscaling/v1",
        {**spec, "minReplicas": 1},
    )
    new = api.get(f"/apis/autoscaling/v2/{path}/web").json
    assert new["spec"]["metrics"][0]["resource"] == {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 50},
    }
    changed = api("PATCH", f"/apis/autoscaling/v1/{path}/web", {"spec": {"targetCPUUtilizationPercentage": 70}}, MERGE)
    assert changed.json["spec"]["targetCPUUtilizationPercentage"] == 70
    [event] = api.stream(f"/apis/autoscaling/v1/{path}?watch=true", lines=1)
    assert event["object"]["apiVersion"] == "autoscaling/v1"
    group = next(g for g in api.get("/apis").json["groups"] if g["name"] == "autoscaling")
    assert group["preferredVersion"]["version"] == "v2"


def test_a_token_for_a_service_account(api: Api) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts"
    api.run(2)
    made = api("POST", f"{path}/default/token", {"spec": {"expirationSeconds": 7200}})
    assert (made.code, made.json["kind"]) == (201, "TokenRequest")
    assert len(made.json["status"]["token"]) > 20
    assert api.get("/api/v1/pods", authorization=f"Bearer {made.json['status']['token']}").code == 200
    assert api("POST", f"{path}/nobody/token", {}).code == 404


# ---- beside the API


def test_an_action_is_performed_and_recorded(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    t = api.cluster.now
    record = api("POST", "/selfheal/actions", {"at": 3, "kill": {"pod": "app"}}).json
    assert (record["kind"], record["verb"], record["result"]) == ("Action", "kill", "ok")
    assert record["t"] == pytest.approx(t, abs=0.001)
    refused = api("POST", "/selfheal/actions", {"delete": "pod/nope"})
    assert 'pods "nope" not found' in refused.json["result"]
    assert api("POST", "/selfheal/actions", {"kil": {}}).code == 400
    assert api("POST", "/selfheal/actions", {"fault": {"kind": "apiDown", "for": 5}}).code == 201
    assert not hasattr(api.answer(api.request("GET", PODS)), "status")
    lines = api.get("/selfheal/timeline").text.splitlines()
    assert '"timeline": 1' in lines[0]
    assert sum('"kind": "Action"' in line for line in lines) == 3
    api.run(6)
    assert api.get(PODS).code == 200


def test_an_action_is_done_in_the_namespace_that_is_asked_for(api: Api) -> None:
    api("POST", "/api/v1/namespaces", {"metadata": {"name": "lab"}})
    labelled = {**pod(), "metadata": {"name": "app", "labels": {"app": "app"}}}
    api("POST", PODS, labelled)
    api("POST", "/api/v1/namespaces/lab/pods", labelled)
    api.run(5)
    app = {"selector": "app=app", "index": 0}

    def act(**entry: object) -> str:
        return str(api("POST", "/selfheal/actions?namespace=lab", entry).json["result"])

    assert act(kill={"pod": "app"}) == "ok"
    assert act(fault={"kind": "partition", "target": app, "for": 5}) == "ok"
    assert act(label={"pod": app, "labels": "a=b"}) == "pod/app labeled"
    assert act(exec={"pod": "app", "command": ["true"]}) == "exit 0"
    assert act(fault={"kind": "hang", "target": "pod/nobody"}) == 'pods "lab/nobody" not found'
    api.run(5)
    there = api.get("/api/v1/namespaces/lab/pods/app").json
    assert (there["status"]["containerStatuses"][0]["restartCount"], there["metadata"]["labels"]["a"]) == (1, "b")
    assert act(delete={"pod": app}) == 'pod "app" deleted from lab namespace'
    here = api.get(f"{PODS}/app").json
    assert (here["status"]["containerStatuses"][0]["restartCount"], "a" in here["metadata"]["labels"]) == (0, False)
    assert "deletionTimestamp" not in here["metadata"]


def test_an_action_waits_for_its_moment(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(5)
    begin = api.cluster.now
    record = api("POST", f"/selfheal/actions?begin={begin}", {"at": 2.5, "kill": {"pod": "app"}}).json
    assert record["t"] == pytest.approx(begin + 2.5, abs=0.001)


def test_the_clock_stands_hurries_and_jumps(api: Api) -> None:
    t = api.get("/selfheal/clock").json["t"]
    told = api("POST", "/selfheal/clock", {"speed": 0, "advance": 90}).json
    assert told == {**told, "t": pytest.approx(t + 90, abs=1), "speed": 0}
    assert api("POST", "/selfheal/clock", {"speed": 20}).json["speed"] == 20
    for wrong in ({}, {"speed": -1}, {"speed": "fast"}, {"advance": 1e9}, {"advance": True}, {"back": 1}, []):
        assert api("POST", "/selfheal/clock", wrong).code == 400


def test_a_well_nodes_heartbeat_moves_in_all_that_is_read(api: Api) -> None:
    """One object, a list and a watch show the same; nothing is written for it."""
    path = "/api/v1/nodes/node-1"
    first = api.get(path).json
    api.run(800)
    one = api.get(path).json
    assert one["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    now, before = (o["status"]["conditions"][0]["lastHeartbeatTime"] for o in (one, first))
    assert now > before
    assert api.get("/api/v1/nodes").json["items"][0]["status"] == one["status"]
    assert api.stream("/api/v1/nodes?watch=1", lines=2)[0]["object"]["status"] == one["status"]
