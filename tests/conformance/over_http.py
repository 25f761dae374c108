"""A pytest plugin, ``-p tests.conformance.over_http``: tests that apply, read and delete do so through the API server.

What a test asks of its :class:`Cluster` goes as a request to the API server of `selfheal up`, and is answered from
there; the test's own clock goes on driving the cluster. ``asked`` tells which tests have asked for anything: a case
about a single function cannot be told apart on an emulator.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from selfheal import Cluster, apply, errors, manifests
from selfheal.kinds import kind_info, kind_named
from selfheal.objects import Object, key
from tests.server.api import Api, Reply

asked: Counter[str] = Counter()
"""Test → requests that were answered for it."""
_doors: WeakKeyDictionary[Cluster, Api] = WeakKeyDictionary()
_now = ""


def _ask(cluster: Cluster, method: str, path: str, body: Any = None) -> Any:
    """The answer; raises ApiError, of the class of its reason."""
    if cluster not in _doors:
        _doors[cluster] = Api(cluster=cluster)
    reply: Reply = _doors[cluster](method, path, body)
    asked[_now] += 1
    if reply.code < 400:
        return reply.json
    told = reply.json
    kinds = {kind.reason: kind for kind in errors.ApiError.__subclasses__()}
    raise kinds.get(told["reason"], errors.ApiError)(told["message"])


def _path(kind: str, namespace: str, name: str = "") -> str:
    info = kind_info(kind)
    root = f"/{'apis' if '/' in info.api_version else 'api'}/{info.api_version}"
    space = f"/namespaces/{namespace}" if info.namespaced else ""
    return f"{root}{space}/{info.plural}" + (f"/{name}" if name else "")


_apply, _get, _delete, _scale = Cluster.apply, Cluster.get, Cluster.delete, Cluster.scale


def over_apply(self: Cluster, source: Any, *, namespace: str = "default", cause: Any = None) -> list[Object]:
    """What is new is posted, what is there is put, and a machine is a machine."""
    wanted = [m.object for m in manifests.read(source)]
    if cause is not None or any(obj["kind"] == "Node" for obj in wanted):
        return _apply(self, source, namespace=namespace, cause=cause)
    made = []
    for obj in wanted:
        info = kind_info(obj["kind"])
        meta = obj["metadata"]
        space = (meta.get("namespace") or namespace) if info.namespaced else ""
        spaced = apply.annotated({**obj, "metadata": {**meta, "namespace": space} if space else meta})
        old = self.store.get(obj["kind"], space, meta.get("name", ""))
        if old is None:
            done = _ask(self, "POST", _path(obj["kind"], space), spaced)
        else:
            done = _ask(self, "PUT", _path(obj["kind"], space, meta["name"]), self._change(obj, namespace)[0])
        self._warn(self.store.get(obj["kind"], *key(done)) or done)
        made.append(done)
    return made


def over_get(self: Cluster, kind: str, name: str | None = None, *, namespace: str | None = "default") -> Any:
    known = kind_named(kind)
    own = sys._getframe(1).f_globals["__name__"] == "selfheal.cluster"  # what the cluster asks of itself
    if known is None or name is None or own or self.store.down:
        return _get(self, kind, name, namespace=namespace)
    return _ask(self, "GET", _path(known, namespace or "", name))


def over_delete(
    self: Cluster, what: str, *, grace: int | None = None, namespace: str = "default", cause: Any = None
) -> None:
    if cause is not None:
        return _delete(self, what, grace=grace, namespace=namespace, cause=cause)
    kind, _, name = what.partition("/")
    body = None if grace is None else {"gracePeriodSeconds": grace}
    _ask(self, "DELETE", _path(kind_named(kind) or kind, namespace, name), body)
    return None


def over_scale(self: Cluster, what: str, replicas: int, *, namespace: str = "default", cause: Any = None) -> None:
    kind, _, name = what.partition("/")
    path = f"{_path(kind_named(kind) or kind, namespace, name)}/scale"
    if cause is not None:
        return _scale(self, what, replicas, namespace=namespace, cause=cause)
    found = _ask(self, "GET", path)
    _ask(self, "PUT", path, {**found, "spec": {"replicas": replicas}})
    return None


@pytest.fixture(autouse=True)
def through_the_api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    global _now  # noqa: PLW0603 - one test at a time
    _now = request.node.nodeid
    for name, method in (("apply", over_apply), ("get", over_get), ("delete", over_delete), ("scale", over_scale)):
        monkeypatch.setattr(Cluster, name, method)
    yield
    _doors.clear()
