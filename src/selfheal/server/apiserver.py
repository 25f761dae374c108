"""The API server: one handler for all requests.

As the real one, it passes each request through a chain of filters (who is it? what does it want?) to the handler of
its verb (staging/src/k8s.io/apiserver/pkg/server/config.go DefaultBuildHandlerChain). Everything that touches the
cluster happens at *now* of its clock.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from selfheal import controlplane
from selfheal.clock import RealTime
from selfheal.cluster import Cluster
from selfheal.errors import ApiError, BadRequest, Unavailable
from selfheal.server import actions, applying, ownwrites, statuses
from selfheal.server.context import Context
from selfheal.server.endpoints import discovery, negotiation, openapi
from selfheal.server.endpoints.handlers import delete, get, watch, write
from selfheal.server.endpoints.requestinfo import request_info
from selfheal.server.extensions import definitions
from selfheal.server.extensions.registry import Registry
from selfheal.server.http import Abort, Answer, Request, Response, Upgrade, as_json
from selfheal.server.registry import (
    evictions,
    kubelets,
    logs,
    metrics,
    portforward,
    proxies,
    remotecommand,
    reviews,
    scale,
    tokens,
)
from selfheal.tokens import ISSUER

log = logging.getLogger("selfheal.server")

OPEN = ("/healthz", "/livez", "/readyz", "/version")
"""What anybody may ask (system:public-info-viewer)."""

AT_ONCE: dict[str, Callable[[Context], Response]] = {
    "get": get.get,
    "list": get.list_,
    "watch": watch.watch,
    "create": write.create,
    "update": write.update,
    "patch": write.patch,
    "delete": delete.delete,
    "deletecollection": delete.collection,
}
"""The handlers of the verbs."""

BELOW: dict[str, Callable[[Context], Answer | Awaitable[Answer]]] = {
    "scale": scale.serve,
    "log": logs.serve,
    "binding": evictions.bind,
    "exec": remotecommand.serve,
    "attach": remotecommand.serve,
    "portforward": portforward.serve,
    "token": tokens.serve,
}
"""The handlers of subresources with a mind of their own; all others are part of their object."""

LATER: dict[str, Callable[[Context], Awaitable[Response]]] = {"eviction": evictions.evict, "proxy": proxies.serve}
"""Those whose answer takes cluster time."""

DEPRECATED = {"Endpoints": ("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",)}
"""What whoever asks for a kind is warned of (staging/src/k8s.io/api/core/v1/zz_generated.prerelease-lifecycle.go)."""

SERVED: dict[str, Callable[[Context], Response]] = {
    "authentication.k8s.io": reviews.serve,
    "authorization.k8s.io": reviews.serve,
    "metrics.k8s.io": metrics.serve,
}
"""Groups whose objects are in no store."""


class APIServer:
    """Answers requests about one cluster."""

    def __init__(self, cluster: Cluster, time: RealTime, token: str) -> None:
        self.cluster = cluster
        self.time = time
        self.lines = watch.Lines()
        self.registry = Registry(cluster)
        self.address = ""
        self.end: Callable[[], object] = lambda: None
        """Called when somebody asks for the end."""
        self.acknowledge: Callable[[], object] = lambda: None
        """Called before each answer: what it tells of must last."""
        cluster.store.signed = ownwrites.signed
        self.signer = tokens.Signer(cluster)
        cluster.store.sign = self.signer.sign
        controlplane.publish(cluster.store)
        self._requests: Counter[tuple[str, str, int]] = Counter()
        """By method, resource and status code."""
        self._token = token.encode()

    async def __call__(self, request: Request) -> Answer:
        """The answer to a request, whatever it is."""
        answer = await self._safely(request)
        self.acknowledge()
        if isinstance(answer, Response):
            self._requests[request.method, request.resource, answer.status] += 1
        return answer

    async def _safely(self, request: Request) -> Answer:
        try:
            return await self._filtered(request)
        except ApiError as error:
            return self._failure(error)
        except RecursionError:
            return self._failure(BadRequest("exceeded max depth"))
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            return self._failure(ApiError(f"Internal error occurred: {error}"))

    def ask(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """A request from inside, answered at once: to a resource, not to what takes time. Raises ApiError."""
        path, _, query = path.partition("?")
        headers = {"content-type": content_type, "user-agent": applying.MANAGER}
        request = Request(method, path, parse_qs(query), headers, b"" if body is None else json.dumps(body).encode())
        answer = self._plain(request)
        if answer is None:
            context = self._context(request)
            answer = self.time.call(lambda: AT_ONCE[context.info.verb](context))
        assert isinstance(answer.body, bytes)
        return json.loads(answer.body)

    def _failure(self, error: ApiError, context: Context | None = None) -> Response:
        info = None if context is None else context.info
        status = statuses.failure(error, info.resource if info else None, info.name if info else "")
        retry = (status.get("details") or {}).get("retryAfterSeconds")
        return as_json(status, error.code, headers={"Retry-After": str(retry)} if retry else {})

    async def _filtered(self, request: Request) -> Answer:
        if request.path not in OPEN and not self._known(request):
            raise statuses.Unauthorized("Unauthorized")
        if request.path.startswith("/selfheal/"):
            return await actions.serve(self, request)
        if self.time.call(lambda: self.cluster.store.down):
            return Abort()
        answer = self._plain(request)
        return answer if answer is not None else await self._resource(request)

    def _known(self, request: Request) -> bool:
        """Whether the request carries the administrator's token, or that of a service account.

        (The Python client's websockets say it as everybody does.)
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer":
            return False
        if self.is_own(token):
            return True
        if request.path.startswith("/selfheal/"):
            return False
        found = self.time.call(lambda: self.signer.user(token))
        request.user = None if found is None else found.info
        return found is not None

    def is_own(self, token: str) -> bool:
        """Whether it is the administrator's."""
        return hmac.compare_digest(token.encode(), self._token)

    def _plain(self, request: Request) -> Response | None:
        """What is about no resource; None if it is about one."""
        path = request.path.rstrip("/") or "/"
        if path in ("/healthz", "/livez", "/readyz") or path.startswith(("/healthz/", "/livez/", "/readyz/")):
            return Response(200, b"ok", "text/plain; charset=utf-8")
        body: Any = None
        if path == "/openid/v1/jwks":
            body = self.signer.keys()
        elif path == "/.well-known/openid-configuration":
            body = {"issuer": ISSUER, "jwks_uri": f"https://{self.address}/openid/v1/jwks", **tokens.DISCOVERED}
        elif path == "/version":
            body = discovery.ABOUT
        elif path in ("/api", "/apis"):
            return self._discovery(request, core=path == "/api")
        elif path == "/metrics":
            return self.time.call(lambda: kubelets.metrics(self.cluster, self._requests))
        elif path == "/openapi/v3":
            body = openapi.index(self.registry.versions())
        elif path.startswith("/openapi/v3/"):
            text = openapi.text(self.registry.versions(), path.removeprefix("/openapi/v3/"))
            if text is not None:
                return Response(200, text)
        elif path == "/openapi/v2":
            if request.headers.get("accept", "").startswith(openapi.PROTOBUF):
                return Response(200, openapi.v2(protobuf=True), f"{openapi.PROTOBUF}.v1+protobuf")
            if not any(media in negotiation.JSON for media, _ in negotiation.accepts(request)):
                raise statuses.NotAcceptable("only the following media types are accepted: application/json")
            return Response(200, openapi.v2())
        elif path == "/":
            body = {
                "paths": [
                    *("/api", "/apis", "/healthz", "/livez", "/metrics"),
                    *("/openapi/v2", "/openapi/v3", "/readyz", "/version"),
                ]
            }
        elif path.startswith("/apis/") and path.count("/") == 2:
            body = discovery.api_group(self.registry.versions(), path.removeprefix("/apis/"))
        elif path == "/api/v1" or (path.startswith("/apis/") and path.count("/") == 3):
            body = discovery.api_resource_list(
                self.registry.versions(), path.removeprefix("/apis/").removeprefix("/api/")
            )
        elif path.startswith(("/api/v1/", "/apis/")):
            return None
        if body is None:
            raise statuses.no_such_path()
        if request.method not in ("GET", "HEAD"):
            raise statuses.MethodNotAllowed("the server does not allow this method on the requested resource")
        return as_json(body, pretty=negotiation.pretty(request))

    def _discovery(self, request: Request, *, core: bool) -> Response:
        group, known, kind = discovery.AGGREGATED
        for media, parameters in negotiation.accepts(request):
            if media == "application/json" and parameters.get("g") == group and parameters.get("v") in known:
                version = parameters["v"]
                response = as_json(discovery.aggregated(self.registry.versions(), core, version))
                response.content_type = f"application/json;g={group};v={version};as={kind}"
                return response
        body = discovery.api_versions(self.address) if core else discovery.api_group_list(self.registry.versions())
        return as_json(body, pretty=negotiation.pretty(request))

    def _context(self, request: Request) -> Context:
        info = request_info(request, self.registry.find)
        request.resource = info.resource.plural
        context = Context(self, request, info, list(DEPRECATED.get(info.resource.kind, ())))
        own = info.resource.custom
        if own is not None and own.webhook and info.resource.api_version != own.storage:
            context.warnings.append(f"not converted from {own.storage} by its webhook: {definitions.UNCONVERTED}")
        return context

    async def _resource(self, request: Request) -> Answer:
        context = self._context(request)
        info = context.info
        try:
            if info.subresource in LATER:
                return await LATER[info.subresource](context)
            return self.time.call(lambda: _handler(context)(context))
        except ApiError as error:
            if isinstance(error, Unavailable):
                return Abort()
            return self._failure(error, context)


def _handler(context: Context) -> Callable[[Context], Answer]:
    info = context.info
    if info.resource.group in SERVED:
        return SERVED[info.resource.group]
    if info.resource.plural == "bindings":
        return evictions.bind
    return BELOW.get(info.subresource) or AT_ONCE[info.verb]  # type: ignore[return-value]


__all__ = ["APIServer", "Upgrade"]
