"""Objects as the client wants them: whole, as a table, or their metadata alone.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go
"""

from __future__ import annotations

from collections.abc import Sequence

from selfheal import printers
from selfheal.objects import Object
from selfheal.server.context import Context
from selfheal.server.endpoints.negotiation import Form, pretty
from selfheal.server.extensions import columns
from selfheal.server.http import Response, as_json
from selfheal.server.registry.versions import outward


def partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def table(context: Context, objs: Sequence[Object], form: Form, metadata: Object) -> Object:
    """A Table of some objects (includeObject says what comes with each row)."""
    resource = context.info.resource
    kind = resource.stored or resource.kind
    now = context.cluster.clock.unix_seconds()
    if resource.custom is None:
        found = printers.table(kind, objs, now)
    else:
        objs = [outward(obj, resource) for obj in objs]
        found = columns.table(resource.custom.columns, objs, now, namespaced=resource.namespaced)
    out = found.wire()
    out["apiVersion"] = f"{form.group}/{form.version}"
    out["metadata"] = metadata
    wanted = context.request.get("includeObject") or "Metadata"
    for row, obj in zip(out["rows"], objs, strict=True):
        if wanted == "Object":
            row["object"] = outward(obj, resource)
        elif wanted == "None":
            row["object"] = None
    return out


def answer(context: Context, obj: Object, form: Form, code: int = 200) -> Response:
    """One object, or a Status."""
    body = obj = context.shown(obj)
    if obj.get("kind") != "Status":
        if form.as_ == "Table":
            body = table(context, [obj], form, {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
        elif form.as_:
            body = partial(obj)
        else:
            body = outward(obj, context.info.resource)
    return as_json(body, code, pretty=pretty(context.request), headers=warning_headers(context.warnings))


def listing(context: Context, objs: Sequence[Object], form: Form, metadata: Object) -> Response:
    """A list of objects."""
    resource = context.info.resource
    objs = [context.shown(o) for o in objs]
    if form.as_ == "Table":
        body = table(context, objs, form, metadata)
    elif form.as_:
        items = [partial(o) for o in objs]
        body = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": items,
        }
    else:
        body = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata}
        body["items"] = [_item(outward(o, resource)) for o in objs]
    return as_json(body, pretty=pretty(context.request), headers=warning_headers(context.warnings))


def _item(obj: Object) -> Object:
    """In a list each object's kind goes without saying."""
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def warning_headers(warnings: Sequence[str]) -> dict[str, str]:
    if not warnings:
        return {}
    texts = ['299 - "' + w.replace("\\", "\\\\").replace('"', '\\"') + '"' for w in warnings]
    told = ", ".join(texts).encode("latin-1", "replace").decode("latin-1")
    return {"Warning": "".join(c if c.isprintable() else "?" for c in told)}
