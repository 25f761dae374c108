"""A CustomResourceDefinition: whether it may be stored, and the resources that it makes.

staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go, …/v1/defaults.go
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from selfheal.errors import FieldError, Invalid
from selfheal.kinds import KINDS, Kind
from selfheal.manifests import names
from selfheal.objects import Object, name
from selfheal.server.extensions import rules
from selfheal.server.resources import SCALE, STATUS, Custom, Resource

KIND = "CustomResourceDefinition"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer by which a definition stays until its last object is gone."""

UNCONVERTED = "nobody asks it, and objects keep in each version the fields that it has in common with the stored one"
"""What is said of a conversion webhook: it runs in a pod, and pods here are programs of ours."""

TYPES = ("array", "boolean", "integer", "number", "object", "string")


def completed(crd: Object, old: Object | None = None) -> Object:
    """The definition with what the server fills in. Raises Invalid."""
    wrong = [*problems(crd), *(_changes(crd, old) if old else ())]
    if wrong:
        told = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
        raise Invalid(
            f'{KIND}.apiextensions.k8s.io "{crd["metadata"].get("name", "")}" is invalid: {told}', tuple(wrong)
        )
    spec, given = crd["spec"], crd["spec"]["names"]
    called = {"singular": given["kind"].lower(), "listKind": f"{given['kind']}List", **given}
    return {**crd, "spec": {"conversion": {"strategy": "None"}, **spec, "names": called}}


def served(crd: Object, now: str) -> Object:
    """A new definition as it is stored: its status says that it is served from its first moment on. Raises Invalid."""
    crd = completed(crd)
    others = [f for f in crd["metadata"].get("finalizers") or () if f != CLEANUP]
    return {**crd, "metadata": {**crd["metadata"], "finalizers": [*others, CLEANUP]}, "status": _accepted(crd, now)}


def _accepted(crd: Object, now: str) -> Object:
    conditions = [
        {
            "type": "NamesAccepted",
            "status": "True",
            "lastTransitionTime": now,
            "reason": "NoConflicts",
            "message": "no conflicts found",
        },
        {
            "type": "Established",
            "status": "True",
            "lastTransitionTime": now,
            "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted",
        },
    ]
    stored = [v["name"] for v in crd["spec"]["versions"] if v["storage"]]
    return {"conditions": conditions, "acceptedNames": crd["spec"]["names"], "storedVersions": stored}


def warnings(crd: Object) -> Iterator[str]:
    """What of a definition is kept, and has no effect here."""
    if crd["spec"]["conversion"]["strategy"] == "Webhook":
        yield f"not simulated: spec.conversion.webhook: {UNCONVERTED}"
    for i, version in enumerate(crd["spec"]["versions"]):
        where = f"spec.versions[{i}].schema.openAPIV3Schema"
        for _, rule, path, _ in rules.each(version["schema"]["openAPIV3Schema"], where):
            if rules.unanswered(rule):
                yield f"not evaluated: {path}.rule: {rule['rule'].strip()}"


# ---- validation


def _required(path: str, why: str = "") -> FieldError:
    return FieldError(path, "FieldValueRequired", f"Required value{': ' if why else ''}{why}")


def _invalid(path: str, value: Any, why: str) -> FieldError:
    return FieldError(path, "FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {why}")


def problems(crd: Object) -> Iterator[FieldError]:
    """Everything that is wrong with a definition."""
    spec = crd.get("spec")
    if not isinstance(spec, Mapping):
        yield _required("spec")
        return
    group, called, scope = spec.get("group"), spec.get("names"), spec.get("scope")
    if not isinstance(group, str) or not group:
        yield _required("spec.group")
    elif "." not in group or names.dns_subdomain(group):
        yield _invalid("spec.group", group, "should be a domain with at least one dot")
    if scope not in ("Cluster", "Namespaced"):
        known = '"Cluster", "Namespaced"'
        text = f"Unsupported value: {json.dumps(scope)}: supported values: {known}"
        yield FieldError("spec.scope", "FieldValueNotSupported", text)
    if not isinstance(called, Mapping):
        yield _required("spec.names")
        return
    for field in ("plural", "kind"):
        if not isinstance(called.get(field), str) or not called[field]:
            yield _required(f"spec.names.{field}")
        elif names.dns_label(called[field].lower()):
            yield _invalid(f"spec.names.{field}", called[field], "; ".join(names.dns_label(called[field].lower())))
        elif field == "kind" and called[field] in KINDS:
            yield _invalid("spec.names.kind", called[field], "this cluster has a kind of that name")
    for field in ("singular", "listKind"):
        if field in called and not isinstance(called[field], str):
            yield _invalid(f"spec.names.{field}", called[field], "must be a string")
    for field in ("shortNames", "categories"):
        if not _strings(called.get(field)):
            yield _invalid(f"spec.names.{field}", called[field], "must be a list of strings")
    wanted = f"{called.get('plural')}.{group}"
    if crd["metadata"].get("name") != wanted:
        yield _invalid("metadata.name", crd["metadata"].get("name", ""), 'must be spec.names.plural+"."+spec.group')
    yield from _conversion(spec.get("conversion"), "spec.conversion")
    versions = spec.get("versions")
    if not isinstance(versions, list) or not versions or not all(isinstance(v, Mapping) for v in versions):
        yield _required("spec.versions", "must have at least one version")
        return
    if sum(v.get("storage") is True for v in versions) != 1:
        yield _invalid("spec.versions", len(versions), "must have exactly one version marked as storage version")
    for i, version in enumerate(versions):
        yield from _version(version, f"spec.versions[{i}]")


def _changes(crd: Object, old: Object) -> Iterator[FieldError]:
    """What may not change any more once a definition is served."""
    for path in (("scope",), ("names", "kind")):
        new, was = crd["spec"], old["spec"]
        for word in path:
            new, was = new.get(word) if isinstance(new, Mapping) else None, was[word]
        if new != was:
            yield _invalid(f"spec.{'.'.join(path)}", new, "field is immutable")


def _conversion(conversion: Any, path: str) -> Iterator[FieldError]:
    """How objects of one version become those of another."""
    if conversion is None:
        return
    given = conversion if isinstance(conversion, Mapping) else {}
    strategy, webhook = given.get("strategy"), given.get("webhook")
    if strategy not in ("None", "Webhook"):
        known = '"None", "Webhook"'
        text = f"Unsupported value: {json.dumps(strategy)}: supported values: {known}"
        yield FieldError(f"{path}.strategy", "FieldValueNotSupported", text)
    elif strategy == "None":
        if webhook is not None:
            why = "should not be set when strategy is not set to Webhook"
            yield FieldError(f"{path}.webhookClientConfig", "FieldValueForbidden", f"Forbidden: {why}")
    else:
        webhook = webhook if isinstance(webhook, Mapping) else {}
        client = webhook.get("clientConfig")
        if not isinstance(client, Mapping):
            yield _required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
        elif (client.get("url") is None) == (client.get("service") is None):
            yield _required(f"{path}.webhookClientConfig", "exactly one of url or service is required")
        if not webhook.get("conversionReviewVersions"):
            yield _required(f"{path}.conversionReviewVersions")


def _strings(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _version(version: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    if not isinstance(version.get("name"), str) or names.dns_label(version["name"]):
        yield _invalid(f"{path}.name", version.get("name", ""), "must be a DNS-1035 label")
    for field in ("served", "storage"):
        if not isinstance(version.get(field), bool):
            yield _required(f"{path}.{field}")
    schema = (
        (version.get("schema") or {}).get("openAPIV3Schema") if isinstance(version.get("schema"), Mapping) else None
    )
    if not isinstance(schema, Mapping):
        yield _required(f"{path}.schema.openAPIV3Schema", "schemas are required")
    else:
        where = f"{path}.schema.openAPIV3Schema"
        if schema.get("type") != "object":
            yield _invalid(f"{where}.type", schema.get("type", ""), "must be object at the root")
        wrong = list(_schema(schema, where))
        yield from wrong or rules.problems(schema, where)
    columns = version.get("additionalPrinterColumns")
    if columns is not None and not isinstance(columns, list):
        yield _invalid(f"{path}.additionalPrinterColumns", columns, "must be a list")
    for i, column in enumerate(columns if isinstance(columns, list) else ()):
        at = f"{path}.additionalPrinterColumns[{i}]"
        for field in ("name", "type", "jsonPath"):
            if not isinstance(column, Mapping) or not isinstance(column.get(field), str) or not column[field]:
                yield _required(f"{at}.{field}")
        if isinstance(column, Mapping) and not isinstance(column.get("priority") or 0, int):
            yield _invalid(f"{at}.priority", column["priority"], "must be an integer")
    fields = version.get("selectableFields") or []
    for i, field in enumerate(fields if isinstance(fields, list) else ()):
        if not isinstance(field, Mapping) or not isinstance(field.get("jsonPath"), str) or not field["jsonPath"]:
            yield _required(f"{path}.selectableFields[{i}].jsonPath")
    below = version.get("subresources")
    if below is not None and not isinstance(below, Mapping):
        yield _invalid(f"{path}.subresources", below, "must be an object")
    elif below and below.get("scale") is not None:
        for field in ("specReplicasPath", "statusReplicasPath"):
            if not isinstance(below["scale"], Mapping) or not isinstance(below["scale"].get(field), str):
                yield _required(f"{path}.subresources.scale.{field}")


_NUMBERS = ("minimum", "maximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_LISTS = ("allOf", "anyOf", "oneOf")


def _schema(schema: Any, path: str) -> Iterator[FieldError]:
    """What would make a schema useless for the checks."""
    if not isinstance(schema, Mapping):
        yield _invalid(path, str(type(schema).__name__), "must be a schema")
        return
    kind = schema.get("type")
    if kind is not None and kind not in TYPES:
        known = ", ".join(f'"{t}"' for t in TYPES)
        yield FieldError(
            f"{path}.type",
            "FieldValueNotSupported",
            f"Unsupported value: {json.dumps(kind)}: supported values: {known}",
        )
    for fields, fits in ((_NUMBERS, int | float), (_COUNTS, int)):
        for field in fields:
            if field in schema and (isinstance(schema[field], bool) or not isinstance(schema[field], fits)):
                yield _invalid(f"{path}.{field}", schema[field], "must be a number")
    for field in ("required", "x-kubernetes-list-map-keys"):
        if not _strings(schema.get(field)):
            yield _invalid(f"{path}.{field}", schema[field], "must be a list of strings")
    if "enum" in schema and not isinstance(schema["enum"], list):
        yield _invalid(f"{path}.enum", schema["enum"], "must be a list")
    if "format" in schema and not isinstance(schema["format"], str):
        yield _invalid(f"{path}.format", schema["format"], "must be a string")
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except (re.error, TypeError, RecursionError, OverflowError) as error:
            yield _invalid(
                f"{path}.pattern", str(schema["pattern"]), f"must be a valid regular expression, but isn't: {error}"
            )
    properties = schema.get("properties") or {}
    if not isinstance(properties, Mapping):
        yield _invalid(f"{path}.properties", str(properties), "must be an object")
        properties = {}
    for key, below in properties.items():
        yield from _schema(below, f"{path}.properties[{key}]")
    for field in ("items", "not", "additionalProperties"):
        if schema.get(field) is not None and not (field == "additionalProperties" and isinstance(schema[field], bool)):
            yield from _schema(schema[field], f"{path}.{field}")
    for field in _LISTS:
        parts = schema.get(field) or []
        if not isinstance(parts, list):
            yield _invalid(f"{path}.{field}", str(parts), "must be a list")
            continue
        for i, below in enumerate(parts):
            yield from _schema(below, f"{path}.{field}[{i}]")


# ---- what it makes


def kind_of(crd: Object) -> Kind:
    """What the store must know of it."""
    spec = crd["spec"]
    storage = next(v["name"] for v in spec["versions"] if v["storage"])
    return Kind(f"{spec['group']}/{storage}", spec["names"]["plural"], spec["scope"] == "Namespaced")


def resources(crd: Object) -> list[Resource]:
    """The resources of a definition: one for each version that is served."""
    spec, found = crd["spec"], []
    called, storage = spec["names"], kind_of(crd).api_version
    [stored] = [v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["storage"]]
    for version in spec["versions"]:
        if not version["served"]:
            continue
        below = version.get("subresources") or {}
        subresources = tuple(s for s in (SCALE, STATUS) if below.get(s.name) is not None)
        found.append(
            Resource(
                f"{spec['group']}/{version['name']}",
                called["plural"],
                called["kind"],
                spec["scope"] == "Namespaced",
                called["kind"],
                subresources=subresources,
                short_names=tuple(called.get("shortNames") or ()),
                categories=tuple(called.get("categories") or ()),
                custom=Custom(
                    name(crd),
                    called["singular"],
                    storage,
                    version["schema"]["openAPIV3Schema"],
                    tuple(version.get("additionalPrinterColumns") or ()),
                    "status" in below and below["status"] is not None,
                    below.get("scale") or {},
                    stored,
                    tuple(field["jsonPath"] for field in version.get("selectableFields") or ()),
                    (spec.get("conversion") or {}).get("strategy") == "Webhook",
                ),
            )
        )
    return found
