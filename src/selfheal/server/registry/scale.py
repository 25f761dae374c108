"""The subresource ``scale``: how many there are, in the same form for all that can be scaled.

pkg/registry/apps/deployment/storage/storage.go ScaleREST
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.errors import BadRequest, FieldError, Invalid
from selfheal.objects import Object, replace
from selfheal.server import patches
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import render, write
from selfheal.server.endpoints.negotiation import form
from selfheal.server.http import Response, as_json
from selfheal.server.registry.versions import inward, outward
from selfheal.server.resources import Resource

META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def selector_text(selector: Any) -> str:
    """A selector as clients write it: ``app=web,tier in (a,b)`` (metav1.FormatLabelSelector)."""
    if not isinstance(selector, dict):
        return ""
    labels = selector.get("matchLabels") if "matchLabels" in selector or "matchExpressions" in selector else selector
    words = [f"{key}={value}" for key, value in sorted((labels or {}).items())]
    for e in selector.get("matchExpressions") or ():
        values = ",".join(sorted(e.get("values") or ()))
        words.append(
            {
                "In": f"{e['key']} in ({values})",
                "NotIn": f"{e['key']} notin ({values})",
                "Exists": e["key"],
                "DoesNotExist": f"!{e['key']}",
            }[e["operator"]]
        )
    return ",".join(words)


BUILT_IN = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".spec.selector",
}
"""Where the numbers stand, as a CustomResourceDefinition says it."""


def _paths(resource: Resource) -> Mapping[str, str]:
    return BUILT_IN if resource.custom is None else resource.custom.scale


def _at(obj: Any, path: str) -> Any:
    for word in path.split(".")[1:]:
        obj = obj.get(word) if isinstance(obj, dict) else None
    return obj


def scale_of(obj: Object, paths: Mapping[str, str] = BUILT_IN) -> Object:
    """The Scale of an object."""
    meta = {key: obj["metadata"][key] for key in META if key in obj["metadata"]}
    status: Object = {"replicas": _at(obj, paths["statusReplicasPath"]) or 0}
    selector = _at(obj, paths["labelSelectorPath"]) if paths.get("labelSelectorPath") else None
    if selector:
        status["selector"] = selector if isinstance(selector, str) else selector_text(selector)
    replicas = _at(obj, paths["specReplicasPath"])
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def serve(context: Context) -> Response:
    """GET, PUT, PATCH."""
    request, current = context.request, outward(context.current(), context.info.resource)
    paths = _paths(context.info.resource)
    old = scale_of(current, paths)
    if context.info.verb == "get":
        return as_json(old)
    if context.info.verb == "patch":
        value = write.body(request, write.PATCHES)
        kind = request.headers.get("content-type", "").partition(";")[0]
        new = patches.json_patch(old, value) if kind == write.JSON_PATCH else patches.merge(old, value)
        given = (value.get("metadata") or {}).get("resourceVersion") if isinstance(value, dict) else None
    else:
        new = write.body(request)
        given = (new.get("metadata") or {}).get("resourceVersion") if isinstance(new, dict) else None
    if not isinstance(new, dict) or not isinstance(new.get("spec") or {}, dict):
        raise BadRequest("the object provided is unrecognized (must be of type Scale)")
    replicas = (new.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise BadRequest("json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32")
    if replicas < 0:
        wrong = FieldError(
            "spec.replicas", "FieldValueInvalid", f"Invalid value: {replicas}: must be greater than or equal to 0"
        )
        raise Invalid(f'Scale.autoscaling "{context.info.name}" is invalid: {wrong}', (wrong,))
    changed = replace(current, paths["specReplicasPath"].removeprefix("."), replicas)
    meta = {k: v for k, v in current["metadata"].items() if k != "resourceVersion"}
    if given:
        meta["resourceVersion"] = given
    new = inward({**changed, "metadata": meta}, context.info.resource)
    made = outward(write.written(context, new, context.current()), context.info.resource)
    return render.answer(context, scale_of(made, paths), form(request)._replace(as_=""))
