"""Objects of defined kinds, on their way into the store and out of it.

staging/src/k8s.io/apiextensions-apiserver/pkg: apiserver/customresource_handler.go (schemaCoercingDecoder,
unstructuredDefaulter), registry/customresource/strategy.go, status_strategy.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfheal.errors import FieldError, Invalid
from selfheal.manifests import decoding, metadata
from selfheal.manifests.fields import Errors
from selfheal.objects import Object
from selfheal.server.extensions import rules, structural, validation
from selfheal.server.extensions.structural import ROOT, Schema
from selfheal.server.resources import Custom, Resource

MOST_REPLICAS = 2**31 - 1


def decoded(value: Object, own: Custom) -> tuple[Object, list[str]]:
    """(the object without the fields that its schema has not, what is wrong with those). Raises BadRequest."""
    obj, problems, _ = decoding.lenient(value)  # of the metadata
    unknown: list[str] = []
    kept = _coerced({**value, "metadata": obj.get("metadata") or {}}, own.schema, unknown)
    return kept, [*problems, *(f'unknown field "{field}"' for field in unknown)]


def _coerced(obj: Object, schema: Schema, unknown: list[str]) -> Object:
    """Pruned, and without nulls that are none; the metadata has its own rules."""
    body: Any = {k: v for k, v in obj.items() if k != "metadata"}
    kept = structural.without_nulls(structural.prune(body, schema, unknown, root=True), schema)
    return {**kept, "metadata": obj["metadata"]}


def default(obj: Object, schema: Schema) -> Object:
    """The object with a schema's defaults."""
    found: Object = {**structural.default(obj, schema), "metadata": obj["metadata"]}
    return found


def outward(obj: Object, resource: Resource, *, defaults: bool = True) -> Object:
    """A stored object as it is shown: as today's schemas want it, whatever they were when it was written."""
    own = resource.custom
    if own is None or obj.get("kind") != resource.kind:
        return obj
    found = _coerced(obj, own.stored, [])
    if defaults:
        found = default(found, own.stored)
    if resource.api_version != own.storage:
        found = _coerced(found, own.schema, [])
    return {**found, "apiVersion": resource.api_version}


def inward(obj: Object, resource: Resource) -> Object:
    """An object of whatever version as it is stored."""
    own = resource.custom
    if own is None:
        return obj
    found = obj if resource.api_version == own.storage else _coerced(obj, own.stored, [])
    return {**found, "apiVersion": own.storage}


def same(new: Object, old: Object, *, status: bool) -> bool:
    """Whether two states of an object differ in their metadata alone, or in a status that ``status`` says is apart."""
    aside = ("apiVersion", "metadata", *(("status",) if status else ()))
    return {k: v for k, v in new.items() if k not in aside} == {k: v for k, v in old.items() if k not in aside}


# ---- what is wrong


def validate(
    new: Object, resource: Resource, warnings: list[str], old: Object | None = None, *, status: bool = False
) -> None:
    """Raises Invalid, with all that is wrong. An update need not mend what it leaves alone, nor one of the ``status``
    what lies outside; ``warnings`` gets what a rule has against it all the same.
    """
    own = resource.custom
    assert own is not None
    errors = Errors()
    metadata.metadata(errors, new, namespaced=resource.namespaced)
    errors.refuse(new)
    wrong = [*_schema(new, old, own, status=status), *_scale(new, own, status=status)]
    if old is None or not any(validation.duplicates(_body(old), own.schema)):
        wrong += validation.duplicates(_body(new), own.schema)
    if any(True for _ in rules.each(own.schema, "")):
        blocked = any(error.reason in rules.BLOCKING for error in wrong)
        wrong += [rules.UNASKED] if blocked else rules.check(new, own.schema, old, warnings)
    if wrong:
        told = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
        called = new["metadata"].get("name", "")
        raise Invalid(f'{resource.kind}.{resource.group} "{called}" is invalid: {told}', tuple(wrong))


def _body(obj: Object) -> Object:
    return {k: v for k, v in obj.items() if k not in ROOT}


def _schema(new: Object, old: Object | None, own: Custom, *, status: bool) -> Iterable[FieldError]:
    properties = own.schema.get("properties") or {}
    if not status:
        schema = {**own.schema, "properties": {k: v for k, v in properties.items() if k not in ROOT}}
        return validation.check(_body(new), schema, old=validation.NEW if old is None else _body(old))
    if "status" not in new or "status" not in properties:
        return ()
    before = validation.NEW if old is None else old.get("status", validation.NEW)
    found = validation.check(new["status"], properties["status"], old=before)
    return [FieldError(f"status.{e.field}" if e.field != "<nil>" else "status", e.reason, e.message) for e in found]


def _scale(new: Object, own: Custom, *, status: bool) -> Iterable[FieldError]:
    """The numbers of the subresource ``scale`` (validator.go ValidateScaleSpec)."""
    for field in ("statusReplicasPath",) if status else ("specReplicasPath", "statusReplicasPath"):
        path = own.scale.get(field, "")
        found: Any = new
        for word in path.removeprefix(".").split("."):
            found = found.get(word) if isinstance(found, dict) else None
        if isinstance(found, int) and not 0 <= found <= MOST_REPLICAS:
            least = "a non-negative integer" if found < 0 else f"less than or equal to {MOST_REPLICAS}"
            yield FieldError(path, "FieldValueInvalid", f"Invalid value: {found}: should be {least}")
