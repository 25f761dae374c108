"""CustomResourceDefinitions: what somebody defines is served, checked, listed and deleted like everything else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from selfheal.server.endpoints.discovery import storage_version_hash
from tests.server.api import PODS, Api, pod
from tests.server.test_requests import AGGREGATED, APPLY, MERGE, STRATEGIC, TABLE

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATH = "/apis/stable.example.com/v1/namespaces/default/crontabs"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["cronSpec"],
            "properties": {
                "cronSpec": {"type": "string", "pattern": r"^\S+( \S+){4}$", "description": "When."},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
                "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
                "port": {"x-kubernetes-int-or-string": True},
                "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "maxItems": 3},
                "raw": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "env": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "value": {"type": "string", "nullable": True}},
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
            },
        },
        "status": {"type": "object", "properties": {"active": {"type": "integer"}, "chosen": {"type": "string"}}},
    },
}


def definition(**changes: Any) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.active",
        "labelSelectorPath": ".status.chosen",
    }
    version["subresources"] = {"status": {}, "scale": scale}
    version["additionalPrinterColumns"] = [
        {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "First", "type": "string", "jsonPath": ".spec.env[?(@.name=='A')].value", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    names = {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]}
    spec = {"group": "stable.example.com", "scope": "Namespaced", "names": names, "versions": [version], **changes}
    meta = {"name": f"{spec['names']['plural']}.stable.example.com"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def crontab(name: str = "a", **spec: Any) -> dict[str, Any]:
    body = {"cronSpec": "* * * * *", **spec}
    return {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": name}, "spec": body}


@pytest.fixture
def api() -> Api:
    api = Api()
    made = api("POST", DEFINITIONS, copy.deepcopy(definition()))
    assert made.code == 201, made.text
    return api


def test_a_definition_is_served_at_once(api: Api) -> None:
    crd = api.get(f"{DEFINITIONS}/crontabs.stable.example.com").json
    assert {c["type"]: c["status"] for c in crd["status"]["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    assert crd["status"]["acceptedNames"]["singular"] == "crontab"
    assert crd["status"]["storedVersions"] == ["v1"]
    [listed, *below] = api.get("/apis/stable.example.com/v1").json["resources"]
    assert (listed["name"], listed["shortNames"], listed["categories"]) == ("crontabs", ["ct"], ["all"])
    assert [b["name"] for b in below] == ["crontabs/scale", "crontabs/status"]
    assert "stable.example.com" in [
        i["metadata"].get("name") for i in api.get("/apis", accept=AGGREGATED).json["items"]
    ]
    url = api.get("/openapi/v3").json["paths"]["apis/stable.example.com/v1"]["serverRelativeURL"]
    document = api.get(url).json
    schema = document["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"]["cronSpec"]["description"] == "When."
    patch = document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"]["patch"]
    assert STRATEGIC not in patch["requestBody"]["content"]


def test_objects_are_defaulted_pruned_and_listed(api: Api) -> None:
    made = api("POST", PATH, crontab(bogus=1, raw={"x": {"y": 1}}, env=[{"name": "A", "value": "b", "z": 1}]))
    assert (made.code, made.json["metadata"]["generation"]) == (201, 1)
    assert made.json["spec"] == {
        "cronSpec": "* * * * *",
        "raw": {"x": {"y": 1}},
        "env": [{"name": "A", "value": "b"}],
        "replicas": 1,
        "mode": "fast",
    }
    assert 'unknown field \\"spec.bogus\\"' in made.headers["Warning"]
    strict = api("POST", f"{PATH}?fieldValidation=Strict", crontab("b", bogus=1))
    assert strict.json["message"] == (
        'CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "spec.bogus"'
    )
    table = api.get(PATH, accept=TABLE).json
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Spec", "Replicas", "First", "Age"]
    assert table["rows"][0]["cells"][:4] == ["a", "* * * * *", 1, "b"]
    assert api.get(PATH).json["kind"] == "CronTabList"


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (
            {"cronSpec": None},
            "spec.cronSpec",
            "Required value",
        ),
        (
            {"cronSpec": "x"},
            "spec.cronSpec",
            r"""Invalid value: "x": spec.cronSpec in body should match '^\S+( \S+){4}$'""",
        ),
        (
            {"replicas": "2"},
            "spec.replicas",
            'Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            {"replicas": 11},
            "spec.replicas",
            "Invalid value: 11: spec.replicas in body should be less than or equal to 10",
        ),
        ({"mode": "x"}, "spec.mode", 'Unsupported value: "x": supported values: "fast", "slow"'),
        (
            {"port": []},
            "spec.port",
            'Invalid value: "array": spec.port in body must be of type integer,string: "array"',
        ),
        ({"tags": ["a", "a"]}, "spec.tags[1]", 'Duplicate value: "a"'),
        ({"tags": ["a", "b", "c", "d"]}, "spec.tags", "Too many: 4: must have at most 3 items"),
        ({"env": [{"value": None}]}, "spec.env[0].name", "Required value"),
        ({"env": [{"name": "A"}, {"name": "A"}, {"name": "A"}]}, "spec.env[1]", 'Duplicate value: {"name":"A"}'),
        (
            {"tags": [None]},
            "spec.tags[0]",
            'Invalid value: "null": spec.tags[0] in body must be of type string: "null"',
        ),
    ],
)
def test_what_the_schema_has_against_an_object(api: Api, spec: dict[str, Any], field: str, message: str) -> None:
    refused = api("POST", PATH, crontab(**spec))
    assert (refused.code, refused.json["reason"]) == (422, "Invalid")
    assert refused.json["details"]["causes"][0]["field"] == field
    assert refused.json["details"]["causes"][0]["message"] == message
    assert refused.json["message"] == f'CronTab.stable.example.com "a" is invalid: {field}: {message}'


def test_spec_status_and_scale_are_written_apart(api: Api) -> None:
    api("POST", PATH, {**crontab(), "status": {"active": 9}})
    path = f"{PATH}/a"
    assert "status" not in api.get(path).json
    changed = api("PATCH", path, {"spec": {"replicas": 2}, "status": {"active": 9}}, MERGE).json
    assert (changed["metadata"]["generation"], changed.get("status")) == (2, None)
    status = api("PATCH", f"{path}/status", {"spec": {"replicas": 5}, "status": {"active": 2, "chosen": "a=b"}}, MERGE)
    assert (status.json["spec"]["replicas"], status.json["metadata"]["generation"]) == (2, 2)
    scale = api.get(f"{path}/scale").json
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 2, "selector": "a=b"})
    api("PATCH", f"{path}/scale", {"spec": {"replicas": 4}}, MERGE)
    assert api.get(path).json["spec"]["replicas"] == 4
    assert api("PATCH", f"{path}/scale", {"spec": {"replicas": 40}}, MERGE).code == 422
    assert api("PATCH", path, {}, STRATEGIC).code == 415


def test_objects_are_applied_and_watched(api: Api) -> None:
    path = f"{PATH}/a"
    api("PATCH", f"{path}?fieldManager=x", crontab(env=[{"name": "A", "value": "1"}]), APPLY)
    api("PATCH", f"{path}?fieldManager=y", crontab(env=[{"name": "B", "value": "2"}]), APPLY)
    assert [e["name"] for e in api.get(path).json["spec"]["env"]] == ["A", "B"]
    store = api.cluster.store
    events = api.stream(f"{PATH}?watch=true", lambda: store.delete("CronTab", "default", "a"))
    assert [(e["type"], e["object"]["apiVersion"]) for e in events] == [
        ("ADDED", "stable.example.com/v1"),
        ("DELETED", "stable.example.com/v1"),
    ]


def changed_schema(api: Api, change: Any) -> None:
    """The definition with another schema, as ``change`` makes it of the spec's fields."""
    name = f"{DEFINITIONS}/crontabs.stable.example.com"
    crd = api.get(name).json
    change(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])
    assert api("PUT", name, crd).code == 200


def test_what_was_stored_before_is_shown_as_the_schema_wants_it_today(api: Api) -> None:
    made = api("POST", PATH, crontab(port=80)).json
    changed_schema(api, lambda fields: fields.update(zone={"type": "string", "default": "a"}) or fields.pop("port"))
    selected = {"cronSpec": "* * * * *", "replicas": 1, "mode": "fast", "zone": "a"}
    assert api.get(f"{PATH}/a").json["spec"] == selected
    assert api.get(PATH).json["items"][0]["spec"] == selected
    assert api.stream(f"{PATH}?watch=true")[0]["object"]["spec"] == selected
    assert api.get(f"{PATH}/a").json["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert api("PATCH", f"{PATH}/a", {"metadata": {"labels": {"x": "y"}}}, MERGE).json["metadata"]["generation"] == 1
    changed = api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE).json
    assert (changed["metadata"]["generation"], changed["spec"]["zone"]) == (2, "a")
    changed_schema(api, lambda fields: fields["zone"].pop("default"))
    assert api.get(f"{PATH}/a").json["spec"]["zone"] == "a"  # somebody has written it since


def test_an_update_need_not_mend_what_it_leaves_alone(api: Api) -> None:
    env = [{"name": "A", "value": "long"}, {"name": "B", "value": "b"}]
    api("POST", PATH, {**crontab(mode="slow", env=env), "status": {}})

    def stricter(fields: Any) -> None:
        fields["mode"]["enum"] = ["fast"]
        fields["env"]["items"]["properties"]["value"]["maxLength"] = 2

    changed_schema(api, stricter)
    assert api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE).code == 200
    assert api("PATCH", f"{PATH}/a/status", {"status": {"active": 1}}, MERGE).code == 200
    changed = api("PATCH", f"{PATH}/a", {"spec": {"env": [*reversed(env), {"name": "C"}]}}, MERGE)
    assert changed.code == 200, changed.text
    refused = api("PATCH", f"{PATH}/a", {"spec": {"env": [{"name": "B", "value": "other"}]}}, MERGE).json
    assert refused["message"] == (
        'CronTab.stable.example.com "a" is invalid: spec.env[0].value: Too long: may not be more than 2 bytes'
    )
    assert api("PUT", f"{PATH}/a", {**crontab(mode="slow", env=env[1:])}).code == 200
    assert api("POST", PATH, crontab("b", mode="slow")).code == 422


def test_a_status_of_the_wrong_type_is_named_as_the_server_does(api: Api) -> None:
    api("POST", PATH, crontab())
    refused = api("PATCH", f"{PATH}/a/status", {"status": {"active": "x"}}, MERGE).json
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldValueTypeInvalid",
            "field": "status.active",
            "message": 'Invalid value: "string": active in body must be of type integer: "string"',
        }
    ]
    negative = api("PATCH", f"{PATH}/a/status", {"status": {"active": -1}}, MERGE).json["details"]["causes"]
    assert [c["field"] for c in negative] == [".status.active"]


def test_what_is_unknown_is_kept_where_the_schema_says_so(api: Api) -> None:
    def deeper(fields: Any) -> None:
        fields["raw"]["properties"] = {"known": {"type": "object", "properties": {"a": {"type": "string"}}}}
        fields["open"] = {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}
        fields["closed"] = {"type": "object", "additionalProperties": {"type": "string"}}
        fields["resource"] = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}}
        fields["resource"]["x-kubernetes-preserve-unknown-fields"] = True

    changed_schema(api, deeper)
    body = {"raw": {"x": None, "list": [{"y": 1}], "known": {"a": "1", "b": "2"}}, "open": {"a": None}}
    body |= {"closed": {"a": None, "b": "c"}, "resource": {"apiVersion": "v1", "kind": "Pod", "spec": {"a": 1}}}
    made = api("POST", PATH, crontab(**body)).json["spec"]
    assert made["raw"] == {"x": None, "list": [{"y": 1}], "known": {"a": "1"}}
    assert (made["open"], made["closed"]) == ({"a": None}, {"b": "c"})
    assert made["resource"] == {"apiVersion": "v1", "kind": "Pod", "spec": {"a": 1}}


def test_lists_merge_in_apply_patches_as_the_schema_says(api: Api) -> None:
    def applied(who: str, **spec: Any) -> Any:
        return api("PATCH", f"{PATH}/a?fieldManager={who}", crontab(**spec), APPLY).json["spec"]

    applied("x", tags=["a", "b"], env=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}], raw={"l": [1]})
    found = applied("y", tags=["c"], env=[{"name": "C"}, {"name": "A"}])
    assert found["tags"] == ["a", "b", "c"]
    assert found["env"] == [{"name": "C"}, {"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    assert applied("x", tags=["b"], env=[{"name": "A", "value": "2"}])["tags"] == ["b", "c"]
    assert [e["name"] for e in api.get(f"{PATH}/a").json["spec"]["env"]] == ["C", "A"]


def test_fields_that_a_selector_may_name() -> None:
    api, crd = Api(), definition()
    crd["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": ".spec.mode"}]
    api("POST", DEFINITIONS, crd)
    for name, mode in (("a", "fast"), ("b", "slow")):
        api("POST", PATH, crontab(name, mode=mode))
    found = api.get(f"{PATH}?fieldSelector=spec.mode%3Dslow").json["items"]
    assert [o["metadata"]["name"] for o in found] == ["b"]
    assert api.get(f"{PATH}?fieldSelector=spec.port%3D1").json["message"] == "field label not supported: spec.port"


def test_discovery_tells_as_what_a_resource_is_stored(api: Api) -> None:
    """The hashes are those of a real server (api/discovery/*.json in Kubernetes' repository)."""

    def hashes(path: str) -> dict[str, str | None]:
        return {r["name"]: r.get("storageVersionHash") for r in api.get(path).json["resources"]}

    core = hashes("/api/v1")
    assert (core["pods"], core["events"], core["namespaces"]) == ("xPOwRZ+Yhw8=", "r2yiGXH7wu8=", "Q3oi5N2YM8M=")
    assert (core["pods/status"], core["bindings"], core["componentstatuses"]) == (None, None, None)
    assert hashes("/apis/autoscaling/v1")["horizontalpodautoscalers"] == "qwQve8ut294="
    assert hashes("/apis/events.k8s.io/v1")["events"] == "r2yiGXH7wu8="
    assert hashes("/apis/apps/v1")["deployments"] == "8aSe+NMegvE="
    assert hashes("/apis/stable.example.com/v1") == {
        "crontabs": storage_version_hash("stable.example.com/v1", "CronTab"),
        "crontabs/scale": None,
        "crontabs/status": None,
    }


def test_two_versions_of_one_object() -> None:
    api, crd = Api(), definition()
    old = {**crd["spec"]["versions"][0], "name": "v1beta1", "storage": False}
    crd["spec"]["versions"].append(old)
    api("POST", DEFINITIONS, crd)
    made = api("POST", PATH.replace("/v1/", "/v1beta1/"), {**crontab(), "apiVersion": "stable.example.com/v1beta1"})
    assert (made.code, made.json["apiVersion"]) == (201, "stable.example.com/v1beta1")
    assert api.get(f"{PATH}/a").json["apiVersion"] == "stable.example.com/v1"
    group = api.get("/apis/stable.example.com").json
    assert [v["version"] for v in group["versions"]] == ["v1", "v1beta1"]


def test_a_version_shows_no_field_that_it_has_not() -> None:
    api, crd = Api(), definition()
    old = copy.deepcopy({**crd["spec"]["versions"][0], "name": "v1beta1", "storage": False})
    del old["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["tags"]
    crd["spec"]["versions"].append(old)
    api("POST", DEFINITIONS, crd)
    api("POST", PATH, crontab(tags=["a"]))
    beta = f"{PATH.replace('/v1/', '/v1beta1/')}/a"
    assert "tags" not in api.get(beta).json["spec"]
    assert api.get(f"{PATH}/a").json["spec"]["tags"] == ["a"]


def test_a_kind_of_the_whole_cluster_with_its_status_in_one_piece() -> None:
    api, crd = Api(), definition(scope="Cluster")
    del crd["spec"]["versions"][0]["subresources"]
    api("POST", DEFINITIONS, crd)
    path = "/apis/stable.example.com/v1/crontabs"
    assert api("POST", path, {**crontab(), "status": {"active": 1}}).json["status"] == {"active": 1}
    assert api("PATCH", f"{path}/a", {"status": {"active": 2}}, MERGE).json["status"] == {"active": 2}
    assert api.get(f"{path}/a/status").code == 404
    assert api.get(PATH).code == 404


def test_with_its_definition_go_the_objects(api: Api) -> None:
    api("POST", PATH, crontab("free"))
    held = crontab("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    api("POST", PATH, held)
    name = f"{DEFINITIONS}/crontabs.stable.example.com"
    assert api("DELETE", name).json["metadata"]["deletionTimestamp"]
    api.run(1)
    assert [o["metadata"]["name"] for o in api.get(PATH).json["items"]] == ["held"]
    assert api.get(name).code == 200
    api("PATCH", f"{PATH}/held", {"metadata": {"finalizers": None}}, MERGE)
    api.run(1)
    assert api.get(name).code == 404
    assert api.get(PATH).code == 404
    assert api("POST", DEFINITIONS, definition()).code == 201
    assert api.get(PATH).json["items"] == []


def test_owners_may_be_of_defined_kinds(api: Api) -> None:
    owner = api("POST", PATH, crontab()).json
    reference = {"apiVersion": owner["apiVersion"], "kind": "CronTab", "name": "a", "uid": owner["metadata"]["uid"]}
    api("POST", PODS, {**pod(), "metadata": {"name": "app", "ownerReferences": [{**reference, "controller": True}]}})
    api.run(5)
    assert api.get(f"{PODS}/app").code == 200
    api("DELETE", f"{PATH}/a")
    api.run(40)
    assert api.get(f"{PODS}/app").code == 404


WEBHOOK = {"clientConfig": {"url": "https://example.com"}, "conversionReviewVersions": ["v1"]}


def test_a_conversion_webhook_is_not_asked_and_nobody_is_kept_in_the_dark() -> None:
    api, crd = Api(), definition(conversion={"strategy": "Webhook", "webhook": WEBHOOK})
    crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v1beta1", "storage": False})
    made = api("POST", DEFINITIONS, crd)
    assert (made.code, made.headers["Warning"].partition(":")[0]) == (201, '299 - "not simulated')
    assert "spec.conversion.webhook" in made.headers["Warning"]
    api("POST", PATH, crontab())
    assert "Warning" not in api.get(PATH).headers
    shown = api.get(f"{PATH.replace('/v1/', '/v1beta1/')}/a")
    assert (shown.code, "by its webhook" in shown.headers["Warning"]) == (200, True)


def test_what_a_definition_makes_stays_what_it_is(api: Api) -> None:
    name, names = f"{DEFINITIONS}/crontabs.stable.example.com", {"kind": "Other"}
    refused = api("PATCH", name, {"spec": {"scope": "Cluster", "names": names}}, MERGE).json["details"]["causes"]
    assert [(c["field"], c["message"]) for c in refused] == [
        ("spec.scope", 'Invalid value: "Cluster": field is immutable'),
        ("spec.names.kind", 'Invalid value: "Other": field is immutable'),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conversion": {"strategy": "Magic"}}, "spec.conversion.strategy"),
        ({"conversion": {"strategy": "None", "webhook": WEBHOOK}}, "spec.conversion.webhookClientConfig"),
        ({"conversion": {"strategy": "Webhook"}}, "spec.conversion.webhookClientConfig"),
        (
            {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {}}}},
            "spec.conversion.conversionReviewVersions",
        ),
        ({"group": "nodots"}, "spec.group"),
        ({"scope": "Everywhere"}, "spec.scope"),
        ({"versions": []}, "spec.versions"),
        ({"versions": [{"name": "v1", "served": True, "storage": True}]}, "spec.versions[0].schema.openAPIV3Schema"),
        ({"versions": [{"name": "v1", "served": True, "storage": False}]}, "spec.versions"),
        ({"names": {"plural": "crontabs", "kind": "Pod"}}, "spec.names.kind"),
        ({"names": {"plural": "others", "kind": "CronTab"}, "group": "other.example.com"}, "metadata.name"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(change: dict[str, Any], field: str) -> None:
    refused = Api()("POST", DEFINITIONS, definition(**change))
    assert refused.code == 422
    assert field in [c["field"] for c in refused.json["details"]["causes"]]
