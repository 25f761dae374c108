"""Validation of what all objects share: names, labels, annotations, selectors.

staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go, …/pkg/apis/meta/v1/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from selfheal.manifests import names
from selfheal.manifests.fields import Errors
from selfheal.objects import Object

ANNOTATIONS_SIZE = 256 * 1024

Check = Callable[[str], list[str]]

_LABEL_NAMES = ("Namespace", "Service")
"""Kinds whose names are labels of the DNS; all others' are subdomains."""


def metadata(errors: Errors, obj: Object, *, namespaced: bool) -> None:
    """ValidateObjectMeta"""
    meta = obj["metadata"]
    check: Check = names.dns_label if obj["kind"] in _LABEL_NAMES else names.dns_subdomain
    prefix = meta.get("generateName") or ""
    if prefix:
        # The part after the last hyphen is generated, so a hyphen may stand at the end (maskTrailingDash).
        errors.each("metadata.generateName", prefix, check(f"{prefix[:-1]}a" if prefix.endswith("-") else prefix))
    if meta.get("name"):
        errors.each("metadata.name", meta["name"], check(meta["name"]))
    elif not prefix:
        errors.required("metadata.name", "name or generateName is required")
    if not namespaced:
        if meta.get("namespace"):
            errors.forbidden("metadata.namespace", "not allowed on this type")
    else:
        errors.each("metadata.namespace", meta["namespace"], names.dns_label(meta["namespace"]))
    errors.not_negative("metadata.generation", meta.get("generation"))
    labels(errors, meta.get("labels"), "metadata.labels")
    annotation_map(errors, meta.get("annotations"), "metadata.annotations")
    for i, owner in enumerate(meta.get("ownerReferences") or ()):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                text = "version must not be empty" if key == "apiVersion" else f"{key} must not be empty"
                errors.invalid(f"metadata.ownerReferences[{i}].{key}", owner.get(key, ""), text)
    for finalizer in meta.get("finalizers") or ():
        errors.each("metadata.finalizers", finalizer, names.qualified(finalizer))


def metadata_update(errors: Errors, obj: Object, old: Object) -> None:
    """ValidateObjectMetaUpdate"""
    for key in ("name", "namespace", "uid", "creationTimestamp"):
        if key in old["metadata"] and key in obj["metadata"]:
            errors.immutable(f"metadata.{key}", obj["metadata"][key], old["metadata"][key])


def labels(errors: Errors, found: Mapping[str, str] | None, path: str) -> None:
    """ValidateLabels"""
    for key in sorted(found or {}):
        errors.each(path, key, names.qualified(key))
        errors.each(path, (found or {})[key], names.label_value((found or {})[key]))


def annotation_map(errors: Errors, found: Mapping[str, str] | None, path: str) -> None:
    """ValidateAnnotations"""
    for key in sorted(found or {}):
        errors.each(path, key, names.qualified(key.lower()))
    if sum(len(k.encode()) + len(v.encode()) for k, v in (found or {}).items()) > ANNOTATIONS_SIZE:
        errors.too_long(path, ANNOTATIONS_SIZE)


def selector(errors: Errors, found: Mapping[str, Any], path: str) -> None:
    """ValidateLabelSelector"""
    labels(errors, found.get("matchLabels"), f"{path}.matchLabels")
    for i, requirement in enumerate(found.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{i}]"
        values = requirement.get("values") or []
        operator = requirement.get("operator", "")
        if operator in ("In", "NotIn"):
            if not values:
                errors.required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                errors.forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        else:
            errors.invalid(f"{at}.operator", operator, "not a valid selector operator")
        errors.each(f"{at}.key", requirement.get("key", ""), names.qualified(requirement.get("key", "")))
        for j, value in enumerate(values):
            errors.each(f"{at}.values[{j}]", value, names.label_value(value))


def well_formed(found: Mapping[str, Any] | None) -> bool:
    """Whether LabelSelectorAsSelector takes it: matching can then be asked of :func:`selfheal.objects.matches`."""
    trial = Errors()
    selector(trial, found or {}, "")
    return not trial.found
