"""Status objects: how the API server says no, and, to some requests, yes.

staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go
"""

from __future__ import annotations

import re
from typing import Any

from selfheal.errors import ApiError, Invalid, NotFound, TooManyRequests
from selfheal.objects import Object
from selfheal.server.resources import Resource


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Timeout(ApiError):
    code, reason = 504, "Timeout"


class Conflicts(ApiError):
    """A server-side apply that others have a say in."""

    code, reason = 409, "Conflict"


def no_such_path() -> NotFound:
    return NotFound("the server could not find the requested resource")


NAMED = re.compile(r'\S+ "([^"]*)" ')
"""How a message begins that is about one object: ``pods "web-0" already exists``."""

RETRY_AFTER = 10
"""Seconds after which an eviction may be tried again (createTooManyRequestsError)."""


def failure(error: ApiError, resource: Resource | None = None, name: str = "") -> Object:
    """The Status for an error about an object of a resource."""
    details: dict[str, Any] = {}
    named = NAMED.match(error.message)
    name = name or (named[1] if named else "")
    if name:
        details["name"] = name
    if resource is not None and error.reason not in ("BadRequest", "Expired", "InternalError"):
        if resource.group:
            details["group"] = resource.group
        details["kind"] = resource.kind if isinstance(error, Invalid) else resource.plural
    if isinstance(error, TooManyRequests):
        why = error.causes[0].message if error.causes else ""
        details["causes"] = [{"reason": "DisruptionBudget", "message": why}]
        if "still being processed" in why:
            details["retryAfterSeconds"] = RETRY_AFTER
    elif error.causes:
        details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in error.causes]
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    status |= {"message": error.message, "reason": error.reason}
    if details:
        status["details"] = details
    return {**status, "code": error.code}


def success(resource: Resource | None = None, name: str = "", uid: str = "", code: int = 0) -> Object:
    """The Status that says that all went well."""
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if resource is not None:
        group = {"group": resource.group} if resource.group else {}
        status["details"] = {"name": name, **group, "kind": resource.plural, "uid": uid}
    return {**status, "code": code} if code else status
