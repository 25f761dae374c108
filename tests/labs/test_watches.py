"""Watches lose nothing: not when a connection drops, not when the server has forgotten where they were."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from selfheal.labs import watches
from selfheal.labs.api import Api
from selfheal.labs.errors import Refused, Unreachable
from selfheal.labs.watches import Change, Watches
from selfheal.objects import Object
from selfheal.server import Emulator

Script = Callable[[], Iterator[tuple[str, Object, float | None]]]


def pod(name: str, version: int, uid: str = "") -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "lab", "uid": uid or name, "resourceVersion": version},
    }


class Server:
    """An API whose lists and watches are given, one after the other; then it has nothing more to tell."""

    def __init__(self, lists: list[Any], scripts: list[Script]) -> None:
        self._lists, self._scripts = lists, scripts
        self.asked: list[str] = []
        """From which version each watch began."""
        self.done = threading.Event()

    def list(self, kind: str, namespace: str) -> Object:
        found = self._lists.pop(0)
        if isinstance(found, Exception):
            raise found
        version = max([o["metadata"]["resourceVersion"] for o in found], default=1)
        return {"metadata": {"resourceVersion": str(version)}, "items": found}

    def watch(self, kind: str, namespace: str, version: str, patience: float) -> Any:
        self.asked.append(version)
        if self._scripts:
            yield from self._scripts.pop(0)()
            return
        self.done.set()
        time.sleep(0.05)


def broken(*events: tuple[str, Object], by: Exception | None = None) -> Script:
    """Some events, then the connection breaks, or ends as it should."""

    def script() -> Iterator[tuple[str, Object, float | None]]:
        for type, obj in events:
            yield type, obj, None
        if by is not None:
            raise by

    return script


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(watches, "LAST_PAUSE", 0.005)


def told(server: Server) -> list[tuple[str, str]]:
    """What a handler hears until the server has no more to tell."""
    heard: list[tuple[str, str]] = []
    api: Any = server
    store = Watches(api, "lab", threading.RLock())

    def hear(change: Change) -> None:
        heard.append(
            (change.type, f"{change.object['metadata']['name']}@{change.object['metadata']['resourceVersion']}")
        )

    store.watch("Pod", hear)
    store.begin()
    assert server.done.wait(10)
    store.stop()
    assert store.trouble is None
    return heard


def test_a_watch_that_drops_goes_on_where_it_was() -> None:
    server = Server(
        [[pod("a", 3)]],
        [
            broken(("MODIFIED", pod("a", 4)), ("BOOKMARK", pod("", 9)), by=Unreachable("reset by peer")),
            broken(by=Refused(500, "etcdserver: leader changed")),
            broken(by=Refused(429, "too many requests")),
            broken(("ADDED", pod("b", 10))),
        ],
    )
    assert told(server) == [("ADDED", "a@3"), ("MODIFIED", "a@4"), ("ADDED", "b@10")]
    assert server.asked[:4] == ["3", "9", "9", "9"]


@pytest.mark.parametrize("how", [Refused(410, "too old resource version"), Refused(410, "Expired")])
def test_what_a_server_has_forgotten_is_read_anew_and_told_late(how: Refused) -> None:
    after = [pod("changed", 7), pod("same", 2), pod("born", 8), pod("again", 9, uid="another")]
    server = Server(
        [[pod("changed", 1), pod("same", 2), pod("gone", 3), pod("again", 4)], Unreachable("for a moment"), after],
        [broken(by=how), broken(("DELETED", pod("born", 12)))],
    )
    assert told(server)[4:] == [
        ("DELETED", "gone@3"),
        ("MODIFIED", "changed@7"),
        ("ADDED", "born@8"),
        ("DELETED", "again@4"),
        ("ADDED", "again@9"),
        ("DELETED", "born@12"),
    ]
    assert server.asked[:2] == ["4", "9"]


def test_a_quiet_watch_may_be_cut_again_and_again(
    emulator: Emulator, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a load balancer that ends what has been idle for half a minute."""
    monkeypatch.setattr(watches, "PATIENCE", 0.05)
    asked: list[str] = []
    once = Api.send

    def send(self: Api, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        if "watch" in (kwargs.get("query") or {}):
            asked.append(path)
            kwargs["patience"] = 0.1  # of silence, and the connection is gone
        return once(self, method, path, *args, **kwargs)

    monkeypatch.setattr(Api, "send", send)
    store = Watches(api, "default", threading.RLock())
    store.watch("PodDisruptionBudget", lambda change: None)
    store.begin()
    end = time.monotonic() + 10
    while len(asked) < 5 and store.trouble is None and time.monotonic() < end:
        time.sleep(0.01)
    store.stop()
    assert store.trouble is None
    assert len(asked) >= 5


def test_what_ends_a_watch_for_good_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "PATIENCE", 0.02)

    def gone() -> Iterator[tuple[str, Object, float | None]]:
        raise Unreachable("connection refused")
        yield

    for script, says in ((broken(by=Refused(403, "pods is forbidden")), "forbidden"), (gone, "refused")):
        api: Any = Server([[]], [script] * 50)
        store = Watches(api, "lab", threading.RLock())
        store.watch("Pod", lambda change: None)
        store.begin()
        end = time.monotonic() + 10
        while store.trouble is None and time.monotonic() < end:
            time.sleep(0.01)
        assert says in str(store.trouble)
        store.stop()
