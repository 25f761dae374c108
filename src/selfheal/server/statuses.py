"""Status objects: how the API server says no, and, to some requests, yes.

staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go
"""

from __future__ import annotations

import re
from typing import Any

from selfheal.errors import ApiError, Gone, Invalid, NotFound, TooManyRequests
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


class Unreachable(ApiError):
    """Nobody answers behind a proxy."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    code, reason = 504, "Timeout"


class Expired(Gone):
    """A page that can no longer be had; ``token`` asks for what is there now."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message)
        self.token = token


class Conflicts(ApiError):
    """A server-side apply that others have a say in."""

    code, reason = 409, "Conflict"


def no_such_path() -> NotFound:
    return NotFound("the server could not find the requested resource")


NAMED = re.compile(r'(\S+) "([^"]*)" ')
"""How a message begins that is about one object: ``pods "web-0" already exists``."""

UNNAMED = ("BadRequest", "Expired", "InternalError")
"""Reasons whose Status does not say what it is about."""

RETRY_AFTER = 10
"""Seconds after which an eviction may be tried again (createTooManyRequestsError)."""


def failure(error: ApiError, resource: Resource | None = None, name: str = "") -> Object:
    """The Status for an error about an object of a resource."""
    details: dict[str, Any] = {}
    if error.message.startswith(' "" is invalid'):  # of no object: of the patch itself
        resource, name = None, ""
    named = NAMED.match(error.message)
    if named and isinstance(error, NotFound):  # perhaps not what the path names, but the namespace of it
        details["name"] = named[2]
        details["kind"], _, group = named[1].partition(".")
        if group:
            details = {"name": named[2], "group": group, "kind": details["kind"]}
    elif name or named:
        details["name"] = name or named[2]  # type: ignore[index]
    if resource is not None and not details.get("kind") and error.reason not in UNNAMED:
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
    meta = {"continue": error.token} if isinstance(error, Expired) else {}
    status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": meta, "status": "Failure"}
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
