"""What a description may ask for beside its object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from selfheal.objects import Object


class Lister(Protocol):
    """Reads a cluster's objects; the API server's storage is one."""

    def get(self, kind: str, namespace: str, name: str, /) -> Object | None:
        """The object, or None. Cluster-wide objects have the namespace ''."""

    def list(self, kind: str, namespace: str | None = None, /) -> Iterable[Object]:
        """All objects of a kind, or those of one namespace, by namespace and name."""


class NoObjects:
    """A lister of an empty cluster, for objects that are described on their own."""

    def get(self, kind: str, namespace: str, name: str, /) -> Object | None:  # noqa: ARG002
        return None

    def list(self, kind: str, namespace: str | None = None, /) -> Iterable[Object]:  # noqa: ARG002
        return ()
