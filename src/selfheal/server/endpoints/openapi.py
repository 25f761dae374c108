"""/openapi/v3, and /openapi/v2 as JSON: what kubectl asks before it applies, and what ``explain`` prints.

Made from the resources and the schemas, when somebody asks (staging/src/k8s.io/apiserver/pkg/server/routes/openapi.go).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from selfheal import schema
from selfheal.objects import Object
from selfheal.server import wire
from selfheal.server.endpoints.discovery import VERSION, Versions
from selfheal.server.resources import Resource, versions
from selfheal.server.wire.openapi import encode

INFO = {"title": "Kubernetes", "version": VERSION}
PREFIX = "#/components/schemas/"

LIST_PARAMETERS = (
    "allowWatchBookmarks:boolean",
    "continue:string",
    "fieldSelector:string",
    "labelSelector:string",
    "limit:integer",
    "resourceVersion:string",
    "resourceVersionMatch:string",
    "sendInitialEvents:boolean",
    "timeoutSeconds:integer",
    "watch:boolean",
)
WRITE_PARAMETERS = ("dryRun:string", "fieldManager:string", "fieldValidation:string")
DELETE_PARAMETERS = (
    "dryRun:string",
    "gracePeriodSeconds:integer",
    "orphanDependents:boolean",
    "propagationPolicy:string",
)
PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


def _path(api_version: str) -> str:
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


def index(served: Versions) -> Object:
    """/openapi/v3"""
    paths = {}
    for api_version in served:
        path = _path(api_version)
        digest = hashlib.sha256(text(served, path) or b"").hexdigest()[:32].upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def text(served: Versions, path: str) -> bytes | None:
    """/openapi/v3/apis/apps/v1, as bytes; None if there is no such version."""
    found = next((v for v in served if _path(v) == path), None)
    if found is None or found in versions():
        return _built_in(path)
    return json.dumps(document(served[found]), separators=(",", ":")).encode()


@cache
def _built_in(path: str) -> bytes | None:
    found = next((v for v in versions() if _path(v) == path), None)
    return None if found is None else json.dumps(document(versions()[found]), separators=(",", ":")).encode()


def document(resources: list[Resource]) -> Object:
    """The document of one version of a group."""
    paths: Object = {}
    for resource in resources:
        paths.update(_paths(resource))
    return {"openapi": "3.0.0", "info": INFO, "paths": paths, "components": {"schemas": _schemas(resources)}}


@cache
def v2(*, protobuf: bool = False) -> bytes:
    """/openapi/v2: all versions in one document, as JSON or in protobuf."""
    paths: Object = {}
    definitions: Object = {}
    for resources in versions().values():
        definitions.update(_schemas(resources))
        for resource in resources:
            paths.update(_paths(resource))
    whole = {
        "swagger": "2.0",
        "info": INFO,
        "paths": {path: {m: _old_operation(o) for m, o in item.items()} for path, item in paths.items()},
        "definitions": {name: _old_schema(of) for name, of in definitions.items()},
    }
    return encode(whole) if protobuf else json.dumps(whole, separators=(",", ":")).encode()


PROTOBUF = "application/com.github.proto-openapi.spec.v2"
"""How the media type begins in which kubectl asks for version 2."""


def _old_operation(of: Object) -> Object:
    """An operation in the words of version 2: parameters are flat, a body is one of them."""
    out = {k: v for k, v in of.items() if k != "requestBody"}
    out["parameters"] = [{"name": p["name"], "in": "query", **p["schema"]} for p in of["parameters"]]
    if "requestBody" in of:
        out["consumes"] = list(of["requestBody"]["content"])
        out["parameters"].append({"name": "body", "in": "body", "required": True, "schema": {"type": "object"}})
    return out


def _old_schema(of: Any) -> Any:
    """A schema in the words of version 2: a reference stands alone, and nothing is one of several."""
    if isinstance(of, list):
        return [_old_schema(item) for item in of]
    if not isinstance(of, dict):
        return of
    out = {k: _old_schema(v) for k, v in of.items() if k not in ("allOf", "oneOf")}
    if "oneOf" in of:
        out["type"] = "string"
    if "allOf" in of:
        out.pop("default", None)
        out |= _old_schema(of["allOf"][0])
    if isinstance(out.get("$ref"), str):
        out["$ref"] = out["$ref"].replace(PREFIX, "#/definitions/")
    return out


def _schemas(resources: list[Resource]) -> Object:
    """The schemas that some resources need, and all that those need."""
    types = schema.types()
    waiting = [n for r in resources for k in (r.kind, f"{r.kind}List") if (n := schema.names().get((r.api_version, k)))]
    found: Object = {}
    told = wire.descriptions()
    while waiting:
        name = waiting.pop()
        if name not in found and name in types:
            found[name] = _described(name, types[name], told)
            waiting += _references(types[name])
    for resource in resources:
        if resource.custom is not None:
            found[f"{'.'.join(reversed(resource.group.split('.')))}.{resource.version}.{resource.kind}"] = _custom(
                resource
            )
    return dict(sorted(found.items()))


def _custom(resource: Resource) -> Object:
    """The schema of a defined kind, with what all objects have."""
    assert resource.custom is not None
    own = resource.custom.schema
    meta = {"type": "object", "description": "Standard object's metadata."}
    texts = {key: {"type": "string"} for key in ("apiVersion", "kind")}
    properties = {**texts, **(own.get("properties") or {}), "metadata": meta}
    known = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {**own, "properties": properties, "x-kubernetes-group-version-kind": [known]}


def _described(name: str, of: Object, told: dict[str, str]) -> Object:
    """A schema with what its type and its fields mean."""
    name = name.removeprefix("io.k8s.")
    out = {"description": told[name], **of} if name in told else dict(of)
    if "properties" in of:
        fields = of["properties"]
        out["properties"] = {
            f: {"description": told[f"{name}.{f}"], **v} if f"{name}.{f}" in told else v for f, v in fields.items()
        }
    return out


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for below in value.values():
            yield from _references(below)
    elif isinstance(value, list):
        for below in value:
            yield from _references(below)


def _paths(resource: Resource) -> Object:
    space = "namespaces/{namespace}/" if resource.namespaced else ""
    base = f"/{_path(resource.api_version)}/"
    collection = f"{base}{space}{resource.plural}"
    out: Object = {}
    operations = {"list": "get", "create": "post", "deletecollection": "delete"}
    found = {operations[v]: _operation(resource, v) for v in operations if v in resource.verbs}
    if found:
        out[collection] = found
    if resource.namespaced and "list" in resource.verbs:
        out[f"{base}{resource.plural}"] = {"get": _operation(resource, "list")}
    operations = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
    found = {operations[v]: _operation(resource, v) for v in operations if v in resource.verbs}
    if found:
        out[f"{collection}/{{name}}"] = found
    for sub in resource.subresources:
        if sub.name in ("status", "scale"):
            version, kind = sub.api_version or resource.api_version, sub.kind or resource.kind
            below = {operations[v]: _operation(resource, v, version, kind) for v in operations if v in sub.verbs}
            out[f"{collection}/{{name}}/{sub.name}"] = below
    return out


def _operation(resource: Resource, verb: str, api_version: str = "", kind: str = "") -> Object:
    api_version, kind = api_version or resource.api_version, kind or resource.kind
    group, _, version = api_version.rpartition("/")
    parameters: tuple[str, ...] = ()
    if verb in ("create", "update", "patch"):
        parameters = (*WRITE_PARAMETERS, *(("force:boolean",) if verb == "patch" else ()))
    elif verb in ("list", "deletecollection"):
        parameters = LIST_PARAMETERS + (DELETE_PARAMETERS if verb == "deletecollection" else ())
    elif verb == "delete":
        parameters = DELETE_PARAMETERS
    out: Object = {
        "x-kubernetes-action": {"create": "post", "update": "put"}.get(verb, verb),
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": of, "uniqueItems": True}}
            for name, _, of in (p.partition(":") for p in parameters)
        ],
        "responses": {"200": {"description": "OK"}},
    }
    if verb == "patch":
        media = [m for m in PATCHES if resource.custom is None or "strategic" not in m]
        out["requestBody"] = {"required": True, "content": {m: {"schema": {"type": "object"}} for m in media}}
    return out
