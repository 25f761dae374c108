"""One request for a resource, with all that its handler needs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from selfheal.clock import RealTime
from selfheal.cluster import Cluster
from selfheal.errors import FieldError, Invalid, NotFound
from selfheal.objects import Object
from selfheal.rules import ACTION, Cause
from selfheal.server.endpoints.requestinfo import RequestInfo
from selfheal.server.http import Request
from selfheal.server.managedfields import Manager
from selfheal.server.patches import Schema, schema_of
from selfheal.store import Store

if TYPE_CHECKING:
    from selfheal.server.apiserver import APIServer

DEEDS = {
    "create": "created",
    "update": "changed",
    "patch": "changed",
    "delete": "deleted",
    "deletecollection": "deleted",
}


METADATA = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
"""What all kinds have, also those that somebody has defined."""


@dataclass(slots=True)
class Context:
    """A request, what it asks for, and the cluster that it asks."""

    server: APIServer
    request: Request
    info: RequestInfo
    warnings: list[str] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        return self.server.cluster

    @property
    def store(self) -> Store:
        return self.server.cluster.store

    @property
    def time(self) -> RealTime:
        return self.server.time

    @property
    def manager(self) -> str:
        """Who writes: ``fieldManager``, or the client's name up to the first slash."""
        agent = self.request.headers.get("user-agent", "")
        return self.request.get("fieldManager") or agent.partition("/")[0] or "unknown"

    def managed(self, operation: str) -> Manager:
        """Who writes, as ``managedFields`` has it."""
        return Manager(self.manager, operation, self.info.resource.api_version, self.info.subresource)

    @property
    def schema(self) -> Schema | None:
        """Of the kind that the path names."""
        resource = self.info.resource
        if resource.custom is not None:
            own = resource.custom.schema
            return {**own, "properties": {**own.get("properties", {}), "metadata": METADATA}}
        return schema_of(resource.api_version, resource.kind)

    def cause(self, name: str = "", what: str = "") -> Cause:
        """The beginning of a chain: somebody wrote through the API."""
        info = self.info
        subject = f"{info.resource.kind}/{name or info.name}" + (f" ({info.subresource})" if info.subresource else "")
        told = what or f"{subject} was {DEEDS.get(info.verb, info.verb)} by {self.manager}."
        return Cause(ACTION, at=self.cluster.clock.now, what=told)

    def current(self) -> Object:
        """The object that the path names. Raises NotFound."""
        info = self.info
        found = self.store.get(info.resource.stored, *info.key)
        if found is None:
            raise NotFound(f'{info.resource.named} "{info.name}" not found')
        return found

    def shown(self, obj: Object) -> Object:
        """As a client is shown it."""
        return self.cluster.shown(obj) if obj.get("kind") == "Node" else obj

    def listed(self, version: int | None = None) -> Iterable[Object]:
        """The objects that the path is about, before any selector; as they were at ``version``. Raises Gone."""
        kind, space = self.info.resource.stored, self.info.namespace or None
        return self.store.list(kind, space) if version is None else self.store.list_at(kind, space, version)

    def dry(self, options: Any = None) -> bool:
        """Whether nothing shall be written."""
        given = options.get("dryRun") if isinstance(options, dict) else None
        wanted = given if isinstance(given, list) else self.request.query.get("dryRun", [])
        for value in wanted:
            if value != "All":
                wrong = FieldError(
                    "dryRun",
                    "FieldValueNotSupported",
                    f'Unsupported value: {json.dumps([value])}: supported values: "All"',
                )
                raise Invalid(f'{self.info.verb.capitalize()}Options.meta.k8s.io "" is invalid: {wrong}', (wrong,))
        return bool(wanted)
