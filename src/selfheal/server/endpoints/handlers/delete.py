"""DELETE (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go)."""

from __future__ import annotations

import contextlib
from typing import Any

from selfheal.errors import BadRequest, Conflict, FieldError, Invalid, NotFound
from selfheal.objects import Object, key
from selfheal.server import statuses
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import render, write
from selfheal.server.endpoints.negotiation import form
from selfheal.server.http import Response, as_json
from selfheal.server.selectors import matcher

RETURNED = ("Pod", "Service", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "ServiceAccount")
"""Kinds whose deletion answers with the object; the others' with a Status."""

LEFT_ALONE = ("Job", "ReplicationController")
"""Kinds whose dependents stay unless somebody says that they go (DefaultGarbageCollectionPolicy)."""

PROPAGATIONS = ("Background", "Foreground", "Orphan")


def delete(context: Context) -> Response:
    """One object."""
    wanted, options = form(context.request), _options(context)
    current = context.current()
    deleted = _delete(context, current, options)
    resource = context.info.resource
    left = context.store.get(resource.stored, *key(current))
    gone = left is None or left["metadata"]["uid"] != current["metadata"]["uid"]
    if resource.stored in RETURNED or (not gone and deleted["metadata"].get("finalizers")):
        return render.answer(context, deleted, wanted)
    return as_json(statuses.success(resource, context.info.name, current["metadata"]["uid"]))


def collection(context: Context) -> Response:
    """All objects of a resource, or those that a selector means."""
    wanted, options, match = form(context.request), _options(context), matcher(context.request, context.info.resource)
    found = [o for o in context.listed() if match is None or match(o)]
    deleted = []
    for obj in found:
        with contextlib.suppress(NotFound):
            deleted.append(_delete(context, obj, options))
    return render.listing(context, deleted, wanted, {"resourceVersion": str(context.store.version)})


def _delete(context: Context, current: Object, options: dict[str, Any]) -> Object:
    kind, name = current["kind"], current["metadata"]["name"]
    conditions = options.get("preconditions") or {}
    version = conditions.get("resourceVersion")
    if version and version != current["metadata"]["resourceVersion"]:
        text = f"ResourceVersion in precondition: {version}, ResourceVersion in object meta"
        raise Conflict(
            f'Operation cannot be fulfilled on {context.info.resource.named} "{name}": Precondition failed: '
            f"{text}: {current['metadata']['resourceVersion']}"
        )
    propagation = options.get("propagationPolicy")
    if propagation is None and isinstance(options.get("orphanDependents"), bool):
        propagation = "Orphan" if options["orphanDependents"] else "Background"
    if propagation is None and kind in LEFT_ALONE:
        propagation = "Orphan"
    dry = context.dry(options)
    with context.store.dry_run() if dry else contextlib.nullcontext():
        return context.store.delete(
            kind,
            *key(current),
            grace=options.get("gracePeriodSeconds"),
            propagation=propagation,
            uid=conditions.get("uid"),
            cause=context.cause(name),
        )


def _options(context: Context) -> dict[str, Any]:
    """DeleteOptions, from the body or else from the query. Raises BadRequest, Invalid."""
    request = context.request
    given = write.body(request)
    if given is not None and not isinstance(given, dict):
        raise BadRequest("the body is no DeleteOptions")
    options: dict[str, Any] = dict(given or {})
    if given is None:
        for name in ("propagationPolicy", "gracePeriodSeconds", "orphanDependents"):
            if request.get(name):
                options[name] = request.get(name)
        if "orphanDependents" in options:
            options["orphanDependents"] = request.flag("orphanDependents")
    grace = options.get("gracePeriodSeconds")
    if isinstance(grace, str) and grace.lstrip("-").isdecimal() and grace.isascii() and len(grace) < 12:
        options["gracePeriodSeconds"] = grace = int(grace)
    if grace is not None and (isinstance(grace, bool) or not isinstance(grace, int) or abs(grace) > 2**40):
        raise BadRequest("json: cannot unmarshal gracePeriodSeconds into Go struct field DeleteOptions of type int64")
    policy = options.get("propagationPolicy")
    if policy is not None and policy not in PROPAGATIONS:
        text = f'Invalid value: "{policy}": valid values are "Foreground", "Background", "Orphan" and nil'
        wrong = FieldError("propagationPolicy", "FieldValueInvalid", text)
        raise Invalid(f'DeleteOptions.meta.k8s.io "" is invalid: {wrong}', (wrong,))
    if not isinstance(options.get("preconditions") or {}, dict):
        raise BadRequest(
            "json: cannot unmarshal preconditions into Go struct field DeleteOptions of type Preconditions"
        )
    return options
