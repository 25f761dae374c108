"""GET: one object, or a list (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/get.go)."""

from __future__ import annotations

import base64
import binascii
import json

from selfheal.errors import BadRequest, FieldError, Gone, Invalid
from selfheal.objects import Key, Object, key
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import render
from selfheal.server.endpoints.negotiation import form
from selfheal.server.http import Request, Response
from selfheal.server.selectors import matcher
from selfheal.server.statuses import Expired, Timeout

TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def get(context: Context) -> Response:
    """One object."""
    if context.info.resource.stored in ("Lease", "Node"):
        context.cluster.settle()
    return render.answer(context, context.current(), form(context.request))


def list_(context: Context) -> Response:
    """The objects of a resource, some at a time if the client wants that."""
    request, resource = context.request, context.info.resource
    if request.query.get("sendInitialEvents"):
        raise options_refused("sendInitialEvents", "Forbidden", "sendInitialEvents is forbidden for list", "List")
    if resource.stored in ("Lease", "Node"):
        context.cluster.settle()
    wanted, match = form(request), matcher(request, resource)
    version = context.store.version
    at_least = resource_version(request)
    if at_least > version:
        raise too_large(at_least, version)
    after = ("", "")
    if request.get("continue"):
        if at_least:
            raise BadRequest("specifying resource version is not allowed when using continue")
        first, after = _decoded(request.get("continue"))
        version = version if first < 0 else first
    elif request.get("resourceVersionMatch") == "Exact":
        version = at_least
    try:
        found = [o for o in context.listed(version) if key(o) > after and (match is None or match(o))]
    except Gone as gone:
        raise _expired(gone, after) from None
    metadata: Object = {"resourceVersion": str(version)}
    limit = _limit(request)
    if limit and len(found) > limit:
        rest, found = len(found) - limit, found[:limit]
        metadata["continue"] = _encoded(version, key(found[-1]))
        if match is None:
            metadata["remainingItemCount"] = rest
    return render.listing(context, found, wanted, metadata)


def _expired(gone: Gone, after: Key) -> Gone:
    """What was there then is no longer known; a token leads to what is there now, from the same place on.

    staging/src/k8s.io/apiserver/pkg/storage/etcd3/errors.go handleCompactedErrorForPaging
    """
    return Expired(TOO_OLD, _encoded(-1, after)) if after != ("", "") else gone


def resource_version(request: Request) -> int:
    """``resourceVersion``; 0 if there is none. Raises BadRequest."""
    text = request.get("resourceVersion")
    if not text:
        return 0
    if not text.isdecimal() or not text.isascii():
        wrong = FieldError(
            "resourceVersion",
            "FieldValueInvalid",
            f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
        )
        raise BadRequest(f"{wrong.field}: {wrong.message}")
    return int(text[:20])


def too_large(wanted: int, version: int) -> Timeout:
    cause = FieldError("", "ResourceVersionTooLarge", "Too large resource version")
    return Timeout(f"Timeout: Too large resource version: {wanted}, current: {version}", (cause,))


def options_refused(field: str, reason: str, text: str, kind: str) -> Invalid:
    cause = FieldError(field, f"FieldValue{reason}", f"{reason}: {text}")
    return Invalid(f'{kind}Options.meta.k8s.io "" is invalid: {cause}', (cause,))


def _limit(request: Request) -> int:
    text = request.get("limit")
    if not text:
        return 0
    if not text.isdecimal() or not text.isascii() or len(text) > 18:
        raise BadRequest(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    return int(text)


def _encoded(version: int, last: Key) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(last)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(token: str) -> tuple[int, Key]:
    """(version of the first page, where the last page ended); -1 is any version."""
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = str(found["start"]).partition("/")
        return int(found["rv"]), (namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        raise BadRequest(f"continue key is not valid: {token[:200]}") from None
