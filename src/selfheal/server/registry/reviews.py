"""Who am I, and what may I do? Whoever is known may do all, the administrator and every service account.

pkg/registry/authentication/selfsubjectreview, pkg/registry/authorization
"""

from __future__ import annotations

from selfheal.errors import BadRequest
from selfheal.objects import Object
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Response, as_json
from selfheal.tokens import ISSUER

USER = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}


def serve(context: Context) -> Response:
    """POST of any review."""
    resource, value = context.info.resource, write.body(context.request)
    if not isinstance(value, dict):
        raise BadRequest(f"the object provided is unrecognized (must be of type {resource.kind})")
    status: Object
    if resource.plural == "selfsubjectreviews":
        status = {"userInfo": context.request.user or USER}
    elif resource.plural == "tokenreviews":
        status = _reviewed(context, value.get("spec"))
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


def _reviewed(context: Context, spec: object) -> Object:
    """Whose a token is (pkg/registry/authentication/tokenreview/storage.go)."""
    given = spec if isinstance(spec, dict) else {}
    if not given.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    audiences = [str(a) for a in given.get("audiences") or [ISSUER]]
    if context.server.is_own(str(given["token"])):
        return {"authenticated": True, "user": USER, "audiences": audiences}
    found = context.server.signer.user(str(given["token"]), audiences)
    if found is None:
        return {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    return {"authenticated": True, "user": found.info, "audiences": list(found.audiences)}
