"""Who am I, and what may I do? Whoever has the token is the administrator and may do all.

pkg/registry/authentication/selfsubjectreview, pkg/registry/authorization
"""

from __future__ import annotations

from selfheal.errors import BadRequest
from selfheal.objects import Object
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Response, as_json

USER = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}


def serve(context: Context) -> Response:
    """POST of any review."""
    resource, value = context.info.resource, write.body(context.request)
    if not isinstance(value, dict):
        raise BadRequest(f"the object provided is unrecognized (must be of type {resource.kind})")
    status: Object
    if resource.plural == "selfsubjectreviews":
        status = {"userInfo": USER}
    elif resource.plural == "tokenreviews":
        status = {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    elif resource.plural == "selfsubjectrulesreviews":
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        status = {
            "resourceRules": [everything],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
    else:
        status = {"allowed": True}
    meta = {"creationTimestamp": None, **(value.get("metadata") or {})}
    body = {**value, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta, "status": status}
    return as_json(body, 201)
