"""How controllers look at the cluster: a cache kept up to date by a watch, and a queue of keys.

A controller never asks the API server what there is. It reads a cache that trails the truth by some
milliseconds, is told of changes, and puts the *name* of what may need work into a queue. Names that are
already queued are not queued twice; a key whose sync failed comes back later, each time after twice as long.

Follows staging/src/k8s.io/client-go/tools/cache/shared_informer.go and
staging/src/k8s.io/client-go/util/workqueue.
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock, Process, Timer
from selfheal.errors import ApiError, Unavailable
from selfheal.objects import Key, Object, controller_of, namespace
from selfheal.rules import Cause
from selfheal.store import Store
from selfheal.watches import Handler, WatchEvent

Index = Callable[[Object], str | None]
"""What an object is to be found by, or None."""


Objects = list[Object]


class Informer:
    """A cache of all objects of one kind, and the handlers that are told of changes."""

    def __init__(self, store: Store, kind: str) -> None:
        self.kind = kind
        self._objects: dict[Key, Object] = {}
        self._by: dict[str, dict[str, dict[Key, Object]]] = {}
        self._index: dict[str, Index] = {}
        self._handlers: list[Handler] = []
        self.index("namespace", namespace)
        store.watch(kind, self._changed)

    def index(self, called: str, by: Index) -> None:
        """Make objects findable by ``by(object)``. An index that exists stays as it is."""
        if called not in self._index:
            self._index[called], self._by[called] = by, {}
            for where, obj in self._objects.items():
                value = by(obj)
                if value is not None:
                    self._by[called].setdefault(value, {})[where] = obj

    def handle(self, handler: Handler) -> None:
        """Call ``handler`` with each change, after the cache has it; first with what the cache holds."""
        self._handlers.append(handler)
        for obj in self.list():
            handler(WatchEvent("ADDED", obj, None, None, 0))

    def get(self, namespace: str, name: str) -> Object | None:
        return self._objects.get((namespace, name))

    def list(self, namespace: str | None = None) -> Objects:
        """The objects (of a namespace, or all), sorted by namespace and name."""
        if namespace is not None:
            return self.by("namespace", namespace)
        return [self._objects[k] for k in sorted(self._objects)]

    def by(self, index: str, value: str) -> Objects:
        """The objects for which an index gives ``value``, sorted by namespace and name."""
        found = self._by[index].get(value, {})
        return [found[k] for k in sorted(found)]

    def _changed(self, event: WatchEvent) -> None:
        where, obj = event.key, event.object
        before = self._objects.get(where)
        new = None if event.type == "DELETED" else obj
        for called, by in self._index.items():
            old_value = None if before is None else by(before)
            value = None if new is None else by(new)
            if old_value is not None and old_value != value:
                del self._by[called][old_value][where]
            if value is not None:
                self._by[called].setdefault(value, {})[where] = obj
        if new is None:
            self._objects.pop(where, None)
        else:
            self._objects[where] = obj
        for handler in self._handlers:
            handler(event)


class Informers:
    """The caches that all controllers of a cluster share: one a kind, begun when first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._of: dict[str, Informer] = {}

    def __getitem__(self, kind: str) -> Informer:
        found = self._of.get(kind)
        if found is None:
            found = self._of[kind] = Informer(self._store, kind)
        return found


def controller_uid(obj: Object) -> str | None:
    """The uid of the controller that owns an object; an :data:`Index`."""
    owner = controller_of(obj)
    return str(owner["uid"]) if owner else None


class Backoff:
    """How long a failed key waits: 5 ms × 2ⁿ up to 1000 s, and 10 a second over all, 100 at once.

    staging/src/k8s.io/client-go/util/workqueue/default_rate_limiters.go
    """

    BASE = 5 * MILLISECOND
    LONGEST = 1000 * SECOND
    EACH = SECOND // 10
    BURST = 100

    def __init__(self, base: int = BASE, longest: int = LONGEST) -> None:
        self._base = base
        self._longest = longest
        self._failures: dict[Key, int] = {}
        self._free_at = -self.BURST * self.EACH

    def when(self, key: Key, now: int) -> int:
        """One more failure of ``key``: how long (µs) until it may be tried again."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        own = min(self._base << min(failures, 40), self._longest)
        # The bucket: each failure takes 0.1 s of a store that holds at most 10 s.
        self._free_at = max(self._free_at, now - self.BURST * self.EACH) + self.EACH
        return max(own, self._free_at - now)

    def failures(self, key: Key) -> int:
        return self._failures.get(key, 0)

    def forget(self, key: Key) -> None:
        self._failures.pop(key, None)


Sync = Callable[[Key, "Cause | None"], "Process | None"]
"""Brings one object to what it should be. Raises ApiError to be called again.

As a generator it may wait between its requests; its key is not synced a second time meanwhile.
"""


class WorkQueue:
    """Keys that need work, and the worker that does it.

    A key is synced once for all that happened to it until its turn comes: the ``controller`` latency
    after it was added. The cause handed to the sync is the last one that asked for it.
    """

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        name: str,
        sync: Sync,
        *,
        retries: int | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._chance = chance
        self._sync = sync
        self._retries = retries
        self._backoff = backoff or Backoff()
        self._causes: dict[Key, Cause | None] = {}
        self._processing: set[Key] = set()
        self._delayed: dict[Key, Timer] = {}

    def add(self, key: Key, cause: Cause | None = None) -> None:
        """The key needs work."""
        if key in self._causes:
            self._causes[key] = cause or self._causes[key]
            return
        self._causes[key] = cause
        if key not in self._processing:
            self._begin(key)

    def _begin(self, key: Key) -> None:
        stream = self._chance.stream("controller", self.name, *key)
        self._clock.after(latencies.draw("controller", stream, stream.next()), lambda: self._work(key))

    def add_after(self, key: Key, delay: int, cause: Cause | None = None) -> None:
        """The key will need work in ``delay`` µs. Of several such times the earliest counts."""
        if delay <= 0:
            self.add(key, cause)
            return
        due = self._clock.now + delay
        waiting = self._delayed.get(key)
        if waiting is not None:
            if waiting.when <= due:
                return
            waiting.cancel()
        self._delayed[key] = self._clock.at(due, lambda: self._due(key, cause))

    def retry(self, key: Key, cause: Cause | None = None) -> None:
        """The key's work failed: once more, after its back-off."""
        self.add_after(key, self._backoff.when(key, self._clock.now), cause)

    def _due(self, key: Key, cause: Cause | None) -> None:
        del self._delayed[key]
        self.add(key, cause)

    def _work(self, key: Key) -> None:
        cause = self._causes.pop(key)
        try:
            rest = self._sync(key, cause)
        except ApiError as error:
            self._failed(key, cause, error)
            return
        if rest is None:
            self._backoff.forget(key)
        else:
            self._processing.add(key)
            self._clock.process(self._finish(key, cause, rest))

    def _finish(self, key: Key, cause: Cause | None, rest: Process) -> Process:
        """A sync that takes time; what asked for the key meanwhile has its turn afterwards."""
        try:
            yield from rest
        except ApiError as error:
            self._failed(key, cause, error)
        else:
            self._backoff.forget(key)
        self._processing.discard(key)
        if key in self._causes:
            self._begin(key)

    def _failed(self, key: Key, cause: Cause | None, error: ApiError) -> None:
        if isinstance(error, Unavailable):
            # The controllers end with their API server, and with it they begin anew.
            error.wait(lambda: self.add(key, cause))
        elif self._retries is None or self._backoff.failures(key) < self._retries:
            self.retry(key, cause)
        else:
            self._backoff.forget(key)
