"""What is served at a moment: the resources that the server was built with, and those of the definitions."""

from __future__ import annotations

import contextlib
from functools import partial

from selfheal.cluster import Cluster
from selfheal.errors import ApiError, Invalid
from selfheal.objects import Object, condition_true, key, name, terminating
from selfheal.rules import ACTION, Cause
from selfheal.server import resources
from selfheal.server.extensions import definitions
from selfheal.server.resources import Resource


class Registry:
    """All resources of one server; the definitions' come and go with them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._by_path: dict[tuple[str, str], Resource] | None = None
        self._versions: dict[str, list[Resource]] = {}
        self._swept: set[str] = set()
        cluster.store.watch(definitions.KIND, lambda _: self._changed(), immediate=True)
        self._changed()

    def _changed(self) -> None:
        """Read the definitions anew; those on their way out take their objects along."""
        store = self._cluster.store
        crds = []
        for crd in store.list(definitions.KIND):
            if condition_true(crd, "Established"):
                crds.append(crd)
            else:
                self._cluster.clock.after(0, partial(self._establish, name(crd)))
        found = [r for crd in crds for r in definitions.resources(crd)]
        store.custom = {crd["spec"]["names"]["kind"]: definitions.kind_of(crd) for crd in crds}
        self._by_path = {**resources.BY_PATH, **{(r.api_version, r.plural): r for r in found}}
        self._versions = resources.versions(sorted([*resources.RESOURCES, *found], key=resources.order))
        for crd in crds:
            if terminating(crd) and name(crd) not in self._swept:
                self._swept.add(name(crd))
                store.watch(crd["spec"]["names"]["kind"], lambda _, crd=crd: self._soon(crd), immediate=True)  # type: ignore[misc]
                self._soon(crd)

    def _establish(self, called: str) -> None:
        """A definition that came by another way than this server's is served from now on, if it makes sense."""
        store = self._cluster.store
        crd = store.get(definitions.KIND, "", called)
        if crd is None or condition_true(crd, "Established") or store.down:
            return
        cause = Cause(ACTION, at=self._cluster.clock.now, what=f"The definition {called} was made.")
        with contextlib.suppress(Invalid):
            made = definitions.served(crd, self._cluster.clock.timestamp())
            store.update(made, cause=cause, whole=True)

    def _soon(self, crd: Object) -> None:
        self._cluster.clock.after(0, lambda: self._sweep(name(crd)))

    def _sweep(self, called: str) -> None:
        """Delete the objects of a definition, and then it (finalizer/crd_finalizer.go)."""
        store = self._cluster.store
        crd = store.get(definitions.KIND, "", called)
        if crd is None or not terminating(crd) or store.down:
            return
        kind = crd["spec"]["names"]["kind"]
        cause = Cause(ACTION, at=self._cluster.clock.now, what=f"The definition {called} was deleted.")
        for obj in store.list(kind):
            if not terminating(obj):
                store.delete(kind, *key(obj), propagation=None, cause=cause)
        if not store.list(kind):
            left = [f for f in crd["metadata"].get("finalizers") or () if f != definitions.CLEANUP]
            self._swept.discard(called)
            try:
                store.update({**crd, "metadata": {**crd["metadata"], "finalizers": left}}, cause=cause)
            except ApiError:
                self._swept.add(called)

    def find(self, api_version: str, plural: str) -> Resource | None:
        """The resource that a path names."""
        assert self._by_path is not None
        return self._by_path.get((api_version, plural))

    def versions(self) -> dict[str, list[Resource]]:
        """The resources of each version of each group, in the order of discovery."""
        return self._versions
