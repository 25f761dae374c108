"""POST, PUT, PATCH: what is to be stored, through the API server's gates.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers: create.go, update.go, patch.go
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from selfheal import admission, manifests
from selfheal.errors import ApiError, BadRequest, FieldError, Invalid
from selfheal.manifests import decoding, documents
from selfheal.manifests.plain import BadManifest
from selfheal.objects import Object, replace
from selfheal.server import managedfields, patches
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import render
from selfheal.server.endpoints.negotiation import form
from selfheal.server.extensions import custom, definitions
from selfheal.server.http import Request, Response
from selfheal.server.registry import parts, versions
from selfheal.server.statuses import UnsupportedMediaType
from selfheal.server.wire import protobuf

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH, "application/apply-patch+cbor")
BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
FROM_UPDATE = ("Lease", "Endpoints", "Event", "ServiceAccount", "Secret", "ConfigMap", "Node", "PodDisruptionBudget")
VALIDATIONS = ("", "Strict", "Warn", "Ignore")


def body(request: Request, kinds: tuple[str, ...] = BODIES) -> Any:
    """The value that a request carries. Raises UnsupportedMediaType, BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind not in kinds:
        text = f"accepted media types include: {', '.join(kinds)}"
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - {text}")
    if not request.body.strip():
        return None
    if kind.endswith("protobuf"):
        return protobuf.decode(request.body)
    try:
        found, request.twice = documents.request(request.body)
    except BadManifest as error:
        raise BadRequest(str(error).removeprefix("error parsing STDIN: ")) from None
    return found


def received(context: Context, value: Any) -> Object:
    """The object in a request, of the kind that its path means, without fields that do not exist. Raises BadRequest."""
    resource, name = context.info.resource, context.info.name
    if not isinstance(value, dict):
        raise BadRequest(f"the object provided is unrecognized (must be of type {resource.kind})")
    version, kind = value.get("apiVersion") or resource.api_version, value.get("kind") or resource.kind
    if version != resource.api_version:
        text = (
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
        raise BadRequest(text)
    if kind != resource.kind:
        text = f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})"
        raise BadRequest(text)
    validation = context.request.get("fieldValidation")
    if validation not in VALIDATIONS:
        raise BadRequest(f'invalid fieldValidation: "{validation}"')
    value = {**value, "apiVersion": version, "kind": kind}
    if resource.custom is None:
        obj, unknown, _ = decoding.lenient(value)
    else:
        obj, unknown = custom.decoded(value, resource.custom)
    problems = [*(f'duplicate field "{field}"' for field in context.request.twice), *unknown]
    applied = context.request.headers.get("content-type", "").startswith(APPLY_PATCH)
    if problems and (validation == "Strict" or (applied and unknown)):
        raise _strict(context, value, problems)
    if validation != "Ignore":
        context.warnings += problems
    meta = dict(obj.get("metadata") or {})
    space = context.info.namespace
    if resource.namespaced:
        if (meta.get("namespace") or space) != space:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
        meta["namespace"] = space
    if name and (meta.get("name") or name) != name:
        text = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        raise BadRequest(text)
    if name:
        meta["name"] = name
    if not meta.get("resourceVersion"):
        meta.pop("resourceVersion", None)
    obj = {"apiVersion": version, "kind": kind, **obj, "metadata": meta}
    return versions.inward(obj, resource)


def _strict(context: Context, obj: Object, problems: list[str]) -> ApiError:
    """How the problems of an object are told that is created, updated, patched or applied.

    handlers/create.go, update.go, patch.go; structured-merge-diff/typed/validate.go
    """
    version, kind = obj["apiVersion"], obj["kind"]
    text = f"strict decoding error: {', '.join(problems[: decoding.MOST_ERRORS])}"
    media = context.request.headers.get("content-type", "").partition(";")[0]
    if media == APPLY_PATCH:
        fields = [p.removeprefix("unknown field ").strip('"') for p in problems if p.startswith("unknown")]
        if not fields:
            return BadRequest(f"error strict decoding YAML: {', '.join(problems)}")
        told = [f".{f}: field not declared in schema" for f in fields]
        found = told[0] if len(told) == 1 else "errors:\n" + "\n".join(f"  {t}" for t in told)
        where = f"{context.info.namespace}/{context.info.name}; {version}, Kind={kind}"
        return BadRequest(f"failed to create typed patch object ({where}): {found}")
    if context.info.verb == "patch":
        wrong = FieldError(
            "patch", "FieldValueInvalid", f"Invalid value: {json.dumps(json.dumps(obj, separators=(',', ':')))}: {text}"
        )
        return Invalid(f' "" is invalid: {wrong}', (wrong,))
    return BadRequest(f'{kind} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind}: {text}')


def writing(context: Context, options: Any = None) -> contextlib.AbstractContextManager[None]:
    """Whether what is written meanwhile is written. Raises Invalid for a ``dryRun`` that is none."""
    return context.store.dry_run() if context.dry(options) else contextlib.nullcontext()


# ---- POST


def create(context: Context) -> Response:
    """A new object."""
    return stored_anew(context, body(context.request))


def stored_anew(context: Context, value: Any, *, applied: bool = False) -> Response:
    store, wanted, resource = context.store, form(context.request), context.info.resource
    given = received(context, value)
    obj = _defaulted(context, given)
    _require_namespace(context, obj)
    if resource.custom is None:
        manifests.validate(obj)
    else:
        custom.validate(obj, resource, context.warnings)
        if resource.custom.status:
            obj.pop("status", None)
    if resource.kind == definitions.KIND:
        obj = definitions.served(obj, context.cluster.clock.timestamp())
        context.warnings += definitions.warnings(obj)
    time = context.cluster.clock.timestamp()
    if applied:
        fields = managedfields.applied(
            None, given, context.managed(managedfields.APPLY), time, context.schema, force=False
        )
    else:
        fields = managedfields.updated(None, obj, context.managed(managedfields.UPDATE), time, context.schema)
    obj = replace(obj, "metadata.managedFields", fields["metadata"].get("managedFields"))
    with writing(context):
        if obj["kind"] == "Node" and not context.dry():
            made = _new_node(context, obj)
        else:
            made = store.create(obj, cause=context.cause(obj["metadata"].get("name") or "…"))
    if context.dry():
        made = {**made, "metadata": {k: v for k, v in made["metadata"].items() if k != "resourceVersion"}}
    _not_simulated(context, made)
    return render.answer(context, made, wanted, 201)


def _new_node(context: Context, obj: Object) -> Object:
    """A machine joins the cluster; its kubelet registers it."""
    name = obj["metadata"]["name"]
    if context.store.get("Node", "", name) is None:
        context.cluster.add_node(obj)
    else:
        context.store.create(obj)  # refuses
    found = context.store.get("Node", "", name)
    return found if found is not None else obj


def _require_namespace(context: Context, obj: Object) -> None:
    """Admission comes before validation."""
    info = context.info
    if info.namespace:
        context.store.require_namespace(info.namespace, f'{info.resource.named} "{obj["metadata"].get("name", "")}"')


def _not_simulated(context: Context, obj: Object) -> None:
    """Tell whoever writes what of it will have no effect here."""
    if context.manager.startswith("kubectl"):
        context.warnings += [f"not simulated: {path}" for path in manifests.not_simulated(obj)]


# ---- PUT


def update(context: Context) -> Response:
    """All of an object anew."""
    info, store, wanted = context.info, context.store, form(context.request)
    given = body(context.request)
    new = received(context, given)
    if not (given.get("metadata") or {}).get("name"):
        raise BadRequest(f"the name of the object ({info.name} based on URL) was undeterminable: name must be provided")
    current = store.get(info.resource.stored, *info.key)
    if current is None:
        if info.subresource or info.resource.stored not in FROM_UPDATE or new["metadata"].get("uid"):
            context.current()
        return stored_anew(context, new)
    return render.answer(context, written(context, new, current), wanted)


def _defaulted(context: Context, obj: Object) -> Object:
    own = context.info.resource.custom
    return manifests.default(obj) if own is None else custom.default(obj, own.schema)


def _managed(context: Context, new: Object, current: Object) -> Object:
    time = context.cluster.clock.timestamp()
    return managedfields.updated(current, new, context.managed(managedfields.UPDATE), time, context.schema)


def written(context: Context, new: Object, current: Object, *, applied: bool = False) -> Object:
    """A changed object, or its status, in the store. What has been ``applied`` knows its managers already."""
    store, cause, resource = context.store, context.cause(), context.info.resource
    if context.info.subresource == "status":
        marks = () if resource.custom else tuple(m for m in MARKS if m not in KEPT.get(resource.kind, ()))
        new = _complete(new, current, marks)
        if resource.custom is not None:
            new = _defaulted(context, new)
            custom.validate(new, resource, context.warnings, custom.outward(current, resource), status=True)
        with writing(context):
            return store.update_status(new if applied else _managed(context, new, current), cause=cause, marks=marks)
    narrow = parts.PARTS.get(context.info.subresource)
    if narrow is not None:
        new = narrow(manifests.default(new), current)
        with writing(context):
            return store.update(new if applied else _managed(context, new, current), cause=cause)
    new = _defaulted(context, new)
    if resource.kind == definitions.KIND:
        new = definitions.completed(new, current)
        context.warnings += definitions.warnings(new)
    if not applied:
        new = _managed(context, new, current)
    if resource.custom is not None:
        shown, apart = custom.outward(current, resource), resource.custom.status
        custom.validate(new, resource, context.warnings, shown)
        if custom.same(new, shown, status=apart):  # a new default is no wish of anybody: the generation stays
            new = {**current, "metadata": new["metadata"]}
        with writing(context):
            return store.update(new, cause=cause, whole=not resource.custom.status)
    # What the server has written a client cannot change, and need not repeat.
    new = admission.admitted_again(new)
    kept = {k: current["metadata"][k] for k in ("creationTimestamp", "uid") if k in current["metadata"]}
    manifests.validate({**new, "metadata": {**kept, **new["metadata"]}}, current)
    with writing(context):
        return store.update(new, cause=cause)


MARKS = ("labels", "annotations", "finalizers", "ownerReferences")
"""Metadata that go with a write of the status, as with any other (the PrepareForUpdate of each kind's status)."""
KEPT: dict[str, tuple[str, ...]] = {
    "Deployment": ("labels",),
    "Pod": ("ownerReferences",),
    **dict.fromkeys(
        ("CustomResourceDefinition", "APIService", "FlowSchema", "PriorityLevelConfiguration", "ResourceClaim"), MARKS
    ),
}
"""But for those."""


def _complete(new: Object, current: Object, marks: tuple[str, ...]) -> Object:
    """A status write may come with a spec, or without it: only the status counts, and what ``marks`` name."""
    given = {k: v for k, v in new["metadata"].items() if k in ("uid", "resourceVersion", *marks)}
    meta = {**{k: v for k, v in current["metadata"].items() if k not in marks}, **given}
    if "resourceVersion" not in new["metadata"]:
        meta.pop("resourceVersion", None)
    return {**current, "metadata": meta, "status": new.get("status") or {}}


# ---- PATCH


def patcher(context: Context, value: Any) -> Callable[[Object], Any]:
    """What a patch does with an object. Raises UnsupportedMediaType, BadRequest."""
    kind = context.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == JSON_PATCH:
        return lambda obj: patches.json_patch(obj, value)
    if not isinstance(value, dict):
        raise BadRequest("the patch is no object")
    if kind == MERGE_PATCH:
        return lambda obj: patches.merge(obj, value)
    of = context.schema
    if context.info.resource.custom is not None:
        text = f"accepted media types include: {', '.join(p for p in PATCHES if p != STRATEGIC_PATCH)}"
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - {text}")
    return lambda obj: patches.strategic(obj, value, of)


def patch(context: Context) -> Response:
    """Part of an object anew."""
    wanted, value = form(context.request), body(context.request, PATCHES)
    if context.request.headers.get("content-type", "").startswith(APPLY_PATCH):
        return apply(context, value)
    change = patcher(context, value)
    current = context.current()
    shown = managedfields.plain(versions.outward(current, context.info.resource))
    new = received(context, change(shown))
    given = (value.get("metadata") or {}).get("resourceVersion") if isinstance(value, dict) else None
    if not given and new["metadata"].get("resourceVersion") == current["metadata"]["resourceVersion"]:
        del new["metadata"]["resourceVersion"]  # the patch names none: it goes for any
    return render.answer(context, written(context, new, current), wanted)


def apply(context: Context, value: Any) -> Response:
    """Server-side apply."""
    request, info = context.request, context.info
    if not request.get("fieldManager"):
        wrong = FieldError("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise Invalid(f'PatchOptions.meta.k8s.io "" is invalid: {wrong}', (wrong,))
    intent = received(context, value)
    if "managedFields" in ((value.get("metadata") or {}) if isinstance(value, dict) else {}):
        raise BadRequest("metadata.managedFields must be nil")
    current = context.store.get(info.resource.stored, *info.key)
    if current is None:
        if info.subresource:
            context.current()
        return stored_anew(context, intent, applied=True)
    merged = managedfields.applied(
        versions.outward(current, info.resource),
        versions.outward(intent, info.resource, defaults=False),
        context.managed(managedfields.APPLY),
        context.cluster.clock.timestamp(),
        context.schema,
        force=request.flag("force"),
    )
    merged = versions.inward(merged, info.resource)
    meta = {k: v for k, v in merged["metadata"].items() if k != "resourceVersion"}
    if intent["metadata"].get("resourceVersion"):
        meta["resourceVersion"] = intent["metadata"]["resourceVersion"]
    made = written(context, {**merged, "metadata": meta}, current, applied=True)
    return render.answer(context, made, form(request))
