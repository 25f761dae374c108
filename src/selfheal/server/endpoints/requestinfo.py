"""What a path and a method ask for (staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from selfheal.server.http import Request
from selfheal.server.resources import Resource
from selfheal.server.statuses import MethodNotAllowed, no_such_path

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request for a resource."""

    verb: str
    """get, list, watch, create, update, patch, delete, deletecollection"""
    resource: Resource
    namespace: str
    """'' is all, or none."""
    name: str
    subresource: str
    rest: str = ""
    """What stands after the subresource, of a proxy's path."""

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name


def request_info(request: Request, find: Callable[[str, str], Resource | None]) -> RequestInfo:
    """What a request under /api or /apis asks for. Raises NotFound, MethodNotAllowed."""
    parts = request.path.strip("/").split("/")
    core = parts[0] == "api"
    prefix = 2 if core else 3
    api_version, parts = "/".join(parts[1:prefix]), parts[prefix:]
    watch = bool(parts) and parts[0] == "watch"
    if watch:
        parts = parts[1:]
    namespace = ""
    if len(parts) >= 3 and parts[0] == "namespaces" and (parts[2] not in ("status", "finalize") or len(parts) > 3):
        namespace, parts = parts[1], parts[2:]
        if not namespace:
            raise no_such_path()
    resource = find(api_version, parts[0]) if parts else None
    if resource is None or "" in parts[:3] or (namespace and not resource.namespaced):
        raise no_such_path()
    name, subresource = (*parts[1:3], "", "")[:2]
    rest = "/".join(parts[3:])
    if resource.namespaced and name and not namespace:
        raise no_such_path()
    verb = VERBS.get(request.method)
    if verb is None:
        raise _not_allowed(request.method, resource)
    allowed = resource.verbs
    if subresource:
        found = resource.subresource(subresource)
        if found is None or (rest and subresource != "proxy"):
            raise no_such_path()
        allowed = found.verbs
    elif not name:
        if verb == "get":
            verb = "watch" if watch or request.flag("watch") else "list"
        elif verb == "delete":
            verb = "deletecollection"
        elif verb != "create" or (resource.namespaced and not namespace):
            raise _not_allowed(verb, resource)
    elif watch or (verb == "get" and request.flag("watch")):
        verb = "watch"
    elif verb == "create":
        raise _not_allowed(verb, resource)
    if verb not in allowed:
        raise _not_allowed(verb, resource)
    return RequestInfo(verb, resource, namespace, name, subresource, rest)


def _not_allowed(verb: str, resource: Resource) -> MethodNotAllowed:
    return MethodNotAllowed(f'{verb} is not supported on resources of kind "{resource.named}"')
