"""Who is told of a write, and when.

A write reaches those who watch its kind after the time that a real watch needs; writes of one kind
arrive in their order. One simulation event carries a write to all its watchers, and there is none
when nobody listens. Follows staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.errors import Gone
from selfheal.objects import Key, Object, key
from selfheal.rules import Cause


class WatchEvent:
    """One write, as watchers are told of it."""

    __slots__ = ("cause", "key", "object", "old", "type", "version")

    def __init__(
        self,
        type: Literal["ADDED", "MODIFIED", "DELETED"],
        object: Object,
        old: Object | None,
        cause: Cause | None,
        version: int,
    ) -> None:
        self.type = type
        self.object = object
        """The object after the write; for DELETED its last state, with the deletion's resourceVersion."""
        self.key: Key = key(object)
        """Of the object; every cache that hears of it keeps this one."""
        self.old = old
        """The object before the write; None if it was not there."""
        self.cause = cause
        self.version = version


Handler = Callable[[WatchEvent], object]


def node_of(pod: Object | None) -> str | None:
    return pod["spec"].get("nodeName") if pod else None


class Watch:
    """Somebody who listens, until :meth:`stop`."""

    __slots__ = ("_among", "_backlog", "_cut_off", "_handler", "_since", "_starting", "kind", "node", "stopped")

    def __init__(self, kind: str | None, handler: Handler, node: str | None, since: int, among: list[Watch]) -> None:
        self.kind = kind
        self.node = node
        self.stopped = False
        self._handler = handler
        self._since = since
        self._among = among
        self._backlog: list[WatchEvent] = []
        """What arrived while the first events were still on their way, or the API server out of reach."""
        self._starting = False
        self._cut_off = False
        among.append(self)

    def stop(self) -> None:
        """Nothing is delivered any more, not even what was on its way."""
        if not self.stopped:
            self.stopped = True
            self._among.remove(self)

    def expect(self) -> None:
        """Keep what comes until :meth:`begin`: the first events are on their way."""
        self._starting = True

    def begin(self, first: list[WatchEvent]) -> None:
        """What was there when the watch began, then what came in the meantime."""
        self._starting = False
        self._backlog = [*first, *self._backlog]
        self._flush()

    def hold(self) -> None:
        """Keep what comes until :meth:`release`: the API server cannot be reached."""
        self._cut_off = True

    def release(self) -> None:
        """The API server can be reached again."""
        self._cut_off = False
        self._flush()

    def _flush(self) -> None:
        if not (self._starting or self._cut_off):
            backlog, self._backlog = self._backlog, []
            for event in backlog:
                self._hand_on(event)

    def deliver(self, event: WatchEvent) -> None:
        """Hand an event on, unless it is older than the watch."""
        if self.stopped or event.version <= self._since:
            return
        if self._starting or self._cut_off:
            self._backlog.append(event)
        else:
            self._hand_on(event)

    def _hand_on(self, event: WatchEvent) -> None:
        if self.stopped:
            return
        if self.node is not None and event.type == "MODIFIED" and node_of(event.old) != self.node:
            # The pod has just been bound: for this watch it is new.
            event = WatchEvent("ADDED", event.object, None, event.cause, event.version)
        self._handler(event)


class Watches:
    """The log of writes and everyone who follows it."""

    def __init__(self, clock: Clock, chance: Chance, history: int) -> None:
        self.version = 0
        self._clock = clock
        self._chance = chance
        self._log: deque[WatchEvent] = deque(maxlen=history)
        self._forgotten = 0
        self._immediate: dict[str | None, list[Watch]] = {}
        self._delayed: dict[str | None, list[Watch]] = {}
        self._delayed_by_node: dict[str, list[Watch]] = {}
        self._on_the_way: dict[str, deque[tuple[int, WatchEvent]]] = {}

    def restart(self, version: int) -> None:
        """Go on from a version; what came before it is forgotten."""
        self.version = self._forgotten = version

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def add(
        self,
        kind: str | None,
        handler: Handler,
        existing: list[Object] | None,
        since: int | None,
        node: str | None,
        immediate: bool,
    ) -> Watch:
        """A new watch that begins with the ``existing`` objects, or with the writes after ``since``."""
        if node is not None and (kind != "Pod" or immediate):
            raise ValueError("only pods are watched by node, and not immediately")
        if since is None:
            first = [WatchEvent("ADDED", o, None, None, _version(o)) for o in existing or ()]
        else:
            first = self._since(since, kind, node)
        if immediate:
            among = self._immediate.setdefault(kind, [])
        elif node is not None:
            among = self._delayed_by_node.setdefault(node, [])
        else:
            among = self._delayed.setdefault(kind, [])
        watch = Watch(kind, handler, node, self.version, among)
        if immediate:
            watch.begin(first)
        elif first:
            watch.expect()
            stream = self._chance.stream("watch", kind or "", node or "")
            self._clock.after(latencies.draw("watch", stream, stream.next()), lambda: watch.begin(first))
        return watch

    def after(self, version: int, kind: str) -> Iterator[WatchEvent]:
        """The writes of a kind after ``version``, the last one first. Raises Gone."""
        self._require_known(version)
        for event in reversed(self._log):
            if event.version <= version:
                return
            if event.object["kind"] == kind:
                yield event

    def _require_known(self, version: int) -> None:
        if version < self._forgotten:
            raise Gone(f"too old resource version: {version} ({self._forgotten})")

    def _since(self, since: int, kind: str | None, node: str | None) -> list[WatchEvent]:
        self._require_known(since)
        return [
            event
            for event in self._log
            if event.version > since
            and (kind is None or event.object["kind"] == kind)
            and (node is None or node_of(event.object) == node)
        ]

    def tell(self, event: WatchEvent) -> None:
        """Note a write, and send it on its way to whoever listens."""
        log, kind = self._log, event.object["kind"]
        if len(log) == log.maxlen:
            self._forgotten = log[0].version
        log.append(event)
        for of in (kind, None):
            for watch in tuple(self._immediate.get(of, ())):
                watch.deliver(event)
        if next(self._listeners(event), None) is None:
            return
        stream = self._chance.stream("watch", kind, *event.key)
        due = self._clock.now + latencies.draw("watch", stream, stream.next())
        on_the_way = self._on_the_way.setdefault(kind, deque())
        if on_the_way and due <= on_the_way[-1][0]:
            # Writes of a kind arrive in their order: this one comes together with the one before it.
            on_the_way.append((on_the_way[-1][0], event))
            return
        on_the_way.append((due, event))
        self._clock.at(due, lambda: self._arrive(on_the_way))

    def _arrive(self, on_the_way: deque[tuple[int, WatchEvent]]) -> None:
        """Deliver what is due."""
        now = self._clock.now
        while on_the_way and on_the_way[0][0] <= now:
            _, event = on_the_way.popleft()
            for watch in tuple(self._listeners(event)):
                watch.deliver(event)

    def _listeners(self, event: WatchEvent) -> Iterator[Watch]:
        """Those who are told after a while."""
        kind = event.object["kind"]
        yield from self._delayed.get(kind, ())
        yield from self._delayed.get(None, ())
        if kind == "Pod":
            node: Any = node_of(event.object)
            yield from self._delayed_by_node.get(node, ())


def _version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
