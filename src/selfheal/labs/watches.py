"""Watches on a real API that miss nothing: what a recorder needs of a store.

One thread a kind lists and then watches. Where a connection drops, the watch goes on from the last version seen; where
the server has forgotten that version (410), the list is read anew and laid over what was known, so that what was
added, changed or removed meanwhile is told, if late. (staging/src/k8s.io/client-go/tools/cache/reflector.go)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfheal.kinds import kind_info
from selfheal.labs.api import Api
from selfheal.labs.errors import Refused, Unreachable
from selfheal.objects import Key, Object, key
from selfheal.rules import Cause

GONE = 410
LASTS = 50.0
"""Seconds that one watch request lasts: a connection that died in silence is noticed soon after."""
PATIENCE = 60.0
"""Seconds without an API server after which a recording is given up."""
FIRST_PAUSE, LAST_PAUSE = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class Change:
    """A change as a store reports it."""

    type: str
    object: Object
    t: float | None = None
    """When, in seconds of cluster time, if the server tells."""
    cause: Cause | None = None

    @property
    def key(self) -> Key:
        return key(self.object)


Handler = Callable[[Any], Any]


class Watches:
    """The store of a recorder: ``watch`` follows one kind in a namespace.

    ``lock`` is held while a handler is called, so that records are written one after the other.
    ``shown`` makes of an object what the handler sees. Each handler gets the changes of its kind in their order.
    """

    def __init__(
        self, api: Api, namespace: str, lock: threading.RLock, shown: Callable[[Object], Object] = lambda obj: obj
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._lock = lock
        self._shown = shown
        self._watches: list[Watch] = []

    def watch(self, kind: str, handler: Handler, *, immediate: bool = True, namespace: str | None = None) -> Watch:
        """Follow a kind, here or elsewhere. What exists already is told as ``ADDED`` by :meth:`Watch.begin`."""
        del immediate  # the store's own word: a watch here always calls at once
        watch = Watch(
            self._api, kind, self._namespace if namespace is None else namespace, handler, self._lock, self._shown
        )
        self._watches.append(watch)
        return watch

    def begin(self) -> None:
        """Read all lists, then follow them. Returns when nothing that happens from now on can be missed."""
        for watch in self._watches:
            watch.begin()

    def stop(self) -> None:
        """Tell no more of any kind."""
        for watch in self._watches:
            watch.stop()

    @property
    def trouble(self) -> Exception | None:
        """What ended a watch before its time, if anything did."""
        return next((w.trouble for w in self._watches if w.trouble is not None), None)

    @property
    def relists(self) -> int:
        """How often a server had forgotten where a watch was."""
        return sum(w.relists for w in self._watches)


class Watch:
    """One kind, followed by a thread of its own."""

    def __init__(
        self,
        api: Api,
        kind: str,
        namespace: str,
        handler: Handler,
        lock: threading.RLock,
        shown: Callable[[Object], Object],
    ) -> None:
        self._api = api
        self._kind = kind
        self._namespace = namespace if kind_info(kind).namespaced else ""
        self._handler = handler
        self._lock = lock
        self._shown = shown
        self._known: dict[Key, Object] = {}
        self._version = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble: Exception | None = None
        self.relists = 0

    def begin(self) -> None:
        """List, then follow in a thread. Raises what the list raises."""
        self._list()
        self._thread = threading.Thread(target=self._follow, name=f"watch {self._kind}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell no more."""
        self._stopped.set()

    # ---- inner

    def _list(self) -> None:
        found = self._api.list(self._kind, self._namespace)
        now = {key(obj): obj for obj in found.get("items") or ()}
        with self._lock:
            for gone in [k for k in self._known if k not in now]:
                self._tell("DELETED", self._known[gone])
            for at, obj in now.items():
                before = self._known.get(at)
                if before is None:
                    self._tell("ADDED", obj)
                elif before["metadata"].get("uid") != obj["metadata"].get("uid"):
                    self._tell("DELETED", before)
                    self._tell("ADDED", obj)
                elif before["metadata"].get("resourceVersion") != obj["metadata"].get("resourceVersion"):
                    self._tell("MODIFIED", obj)
            self._version = str(found["metadata"].get("resourceVersion", ""))

    def _follow(self) -> None:
        silent_since: float | None = None
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self.relists += 1
                    self._list()
                for type, obj, t in self._api.watch(self._kind, self._namespace, self._version, LASTS):
                    silent_since, pause = None, FIRST_PAUSE
                    self._take(type, obj, t)
                    if self._stopped.is_set():
                        return
                silent_since, pause = None, FIRST_PAUSE  # it ended as it should
            except Refused as refusal:
                if refusal.status == GONE:
                    self._version = ""
                    continue
                if refusal.status < 500 and refusal.status != 429:
                    self.trouble = refusal
                    return
                silent_since = silent_since or time.monotonic()
            except Unreachable as error:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > PATIENCE:
                    self.trouble = error
                    return
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence would look like a quiet cluster
                self.trouble = error
                return
            if silent_since is not None:
                self._stopped.wait(pause)
                pause = min(LAST_PAUSE, 2 * pause)

    def _take(self, type: str, obj: Object, t: float | None) -> None:
        if type != "BOOKMARK":
            with self._lock:
                self._tell(type, obj, t)
        self._version = str(obj["metadata"].get("resourceVersion") or self._version)

    def _tell(self, type: str, obj: Object, t: float | None = None) -> None:
        if self._stopped.is_set():
            return
        if type == "DELETED":
            self._known.pop(key(obj), None)
        else:
            self._known[key(obj)] = obj
        self._handler(Change(type, self._shown(obj), t))
