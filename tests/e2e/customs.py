"""Kinds of a test's own, made and waited for as the suite does it (apiextensions-apiserver/test/integration)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from selfheal.kinds import Kind
from tests.e2e.api import Client, Object

GROUP = "mygroup.example.com"
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@contextlib.contextmanager
def defined(e2e: Client, word: str, schema: Any = None, versions: tuple[str, ...] = ("v1beta1",)) -> Iterator[str]:
    """A cluster-scoped kind until the end of the block; its plural. The first version is the stored one."""
    kind, plural = word.capitalize(), f"{word}s"
    names = {"plural": plural, "singular": word, "kind": kind, "listKind": f"{kind}ItemList", "shortNames": [word[:3]]}
    named = f"{plural}.{GROUP}"
    served = [
        {"name": v, "served": True, "storage": v == versions[0], "schema": {"openAPIV3Schema": schema or ANYTHING}}
        for v in versions
    ]
    spec = {"group": GROUP, "scope": "Cluster", "names": names, "versions": served}
    e2e.create({"kind": "CustomResourceDefinition", "metadata": {"name": named}, "spec": spec})
    e2e.wait(lambda: plural in {r["name"] for r in e2e.ask("GET", f"/apis/{GROUP}/{versions[0]}")["resources"]})
    e2e.custom[kind] = Kind(f"{GROUP}/{versions[0]}", plural, namespaced=False)
    _primed(e2e, kind)
    try:
        yield plural
    finally:
        e2e.delete("CustomResourceDefinition", named)
        e2e.wait(lambda: not e2e.there("CustomResourceDefinition", named))


def _primed(e2e: Client, kind: str) -> None:
    """A watch from the creation of an instance on sees its deletion."""
    instance: Object = {
        "kind": kind,
        "metadata": {"name": "setup-instance"},
        "alpha": "foo_123",
        "beta": 10,
        "spec": {},
    }
    made = e2e.create(instance)
    e2e.delete(kind, "setup-instance")
    with e2e.watch(kind, since=made["metadata"]["resourceVersion"]) as watch:
        assert watch.next()["type"] == "DELETED"
