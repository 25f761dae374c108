"""Objects of defined kinds, on their way into the store (pkg/registry/customresource/strategy.go)."""

from __future__ import annotations

from typing import Any

from selfheal.errors import Invalid
from selfheal.manifests import decoding, metadata
from selfheal.manifests.fields import Errors
from selfheal.objects import Object
from selfheal.server.extensions import structural
from selfheal.server.resources import Custom, Resource


def decoded(value: Object, own: Custom) -> tuple[Object, list[str]]:
    """(the object without the fields that its schema has not, what is wrong with those). Raises BadRequest."""
    obj, problems, _ = decoding.lenient(value)  # of the metadata
    unknown: list[str] = []
    body: Any = {k: v for k, v in value.items() if k != "metadata"}
    kept = structural.prune(body, own.schema, unknown, root=True)
    return {**kept, "metadata": obj.get("metadata") or {}}, [
        *problems,
        *(f'unknown field "{field}"' for field in unknown),
    ]


def default(obj: Object, own: Custom) -> Object:
    """The object with its schema's defaults."""
    found: Object = {**structural.default(obj, own.schema), "metadata": obj["metadata"]}
    return found


def validate(obj: Object, resource: Resource) -> None:
    """Raises Invalid, with all that is wrong."""
    assert resource.custom is not None
    errors = Errors()
    metadata.metadata(errors, obj, namespaced=resource.namespaced)
    errors.refuse(obj)
    body = {k: v for k, v in obj.items() if k not in structural.ROOT}
    properties = {k: v for k, v in (resource.custom.schema.get("properties") or {}).items() if k not in structural.ROOT}
    wrong = tuple(structural.check(body, {**resource.custom.schema, "properties": properties}))
    if wrong:
        told = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
        called = obj["metadata"].get("name", "")
        raise Invalid(f'{resource.kind}.{resource.group} "{called}" is invalid: {told}', wrong)
