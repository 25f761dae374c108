"""``serviceaccounts/token``, for ``kubectl create token`` (pkg/registry/core/serviceaccount/storage/token.go).

The token opens nothing: there is one token that this server knows, its own.
"""

from __future__ import annotations

import secrets

from selfheal.clock import SECOND
from selfheal.errors import BadRequest
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Response, as_json

HOUR = 3600


def serve(context: Context) -> Response:
    """POST of a TokenRequest."""
    value = write.body(context.request) or {}
    spec = value.get("spec") or {} if isinstance(value, dict) else None
    if not isinstance(spec, dict):
        raise BadRequest("the object provided is unrecognized (must be of type TokenRequest)")
    context.current()
    seconds = spec.get("expirationSeconds") or HOUR
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 600 <= seconds <= 2**32:
        raise BadRequest("spec.expirationSeconds: may not specify a duration less than 10 minutes")
    clock = context.cluster.clock
    end = clock.timestamp(clock.now + seconds * SECOND)
    body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": context.info.name}}
    body["spec"] = {"audiences": [], "expirationSeconds": seconds, **spec}
    return as_json({**body, "status": {"token": secrets.token_urlsafe(48), "expirationTimestamp": end}}, 201)
