"""Events: what components tell about their work, merged and rationed on the way to the API.

A component says "this happened" as often as it likes. Before that becomes an Event object
three things are done to it, and all three can be seen in ``kubectl describe``:

* the same words about the same object only raise a ``count``;
* from the tenth different text on, texts of one reason are merged into one event;
* 25 events of one object and type pass, then one each five minutes. What is held back is counted all the same.

Follows staging/src/k8s.io/client-go/tools/record/events_cache.go (:class:`EventRecorder`) and
staging/src/k8s.io/client-go/tools/events/event_broadcaster.go (:class:`SeriesRecorder`, which only the scheduler uses).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.errors import AlreadyExists, Forbidden, NotFound
from selfheal.flowcontrol import TokenBucket
from selfheal.objects import Object, key, name, namespace
from selfheal.rules import Cause
from selfheal.store import Store

CACHE_ENTRIES = 4096
"""Series that a recorder remembers (maxLruCacheEntries)."""

SIMILAR_TEXTS = 10
"""From this many different texts on they are merged (defaultAggregateMaxEvents)."""

SIMILAR_WITHIN = 600 * SECOND
"""A longer gap than this, in µs, forgets the texts so far (defaultAggregateIntervalInSeconds)."""

BURST = 25
"""Events of one object and type that pass at once (defaultSpamBurst)."""

REFILL = 300 * SECOND
"""One more passes each 5 minutes, in µs (defaultSpamQPS)."""

AGAIN = 10 * SECOND
"""An event that cannot be written is tried again after so long, in µs (defaultSleepDuration) …"""

TRIES = 12
"""… until it has been tried so often; then it is given up (maxTriesPerEvent)."""

MERGED = "(combined from similar events): "

V = TypeVar("V")


class Recent(Generic[V]):
    """The most recently used entries of a map, the newest last (github.com/golang/groupcache/lru)."""

    def __init__(self, size: int = CACHE_ENTRIES) -> None:
        self._size = size
        self._entries: dict[Any, V] = {}

    def get(self, key: Any) -> V | None:
        value = self._entries.pop(key, None)
        if value is not None:
            self._entries[key] = value
        return value

    def put(self, key: Any, value: V) -> V:
        self._entries.pop(key, None)
        self._entries[key] = value
        if len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
        return value

    def pop(self, key: Any) -> None:
        self._entries.pop(key, None)


class Subject(TokenBucket):
    """An object that events of one type are about: how many more of them may pass, and how they refer to it."""

    __slots__ = ("_reference",)

    def __init__(self, reference: Object, now: int) -> None:
        super().__init__(BURST, REFILL, now)
        self._reference = reference

    def same(self, reference: Object) -> Object:
        """An equal reference that an event before holds already, so that it is kept once."""
        if self._reference != reference:
            self._reference = reference
        return self._reference


@dataclass(slots=True)
class Seen:
    """What a recorder remembers of an event: enough to raise its count."""

    name: str
    count: int
    first: str


@dataclass(slots=True)
class Similar:
    """The texts of one object and reason."""

    texts: tuple[str, ...]
    last: int


class Correlator:
    """Decides what becomes of an event: itself, one more of a series, or nothing (EventCorrelator)."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._chance = chance
        self._seen: Recent[Seen] = Recent()
        self._similar: Recent[Similar] = Recent()
        self._subjects: Recent[Subject] = Recent()

    def correlate(self, event: Object) -> Object | None:
        """The event to write, with its name, message and count; None if it is held back."""
        event, series = self._aggregate(event)
        seen = self._seen.get(series)
        if seen is None:
            seen = self._seen.put(series, Seen(event["metadata"]["name"], 0, event["firstTimestamp"]))
        seen.count += 1
        subject, passes = self._passes(event)
        if not passes:
            return None
        return {
            **event,
            "metadata": {**event["metadata"], "name": seen.name},
            "involvedObject": subject.same(event["involvedObject"]),
            "firstTimestamp": seen.first,
            "count": seen.count,
        }

    def _aggregate(self, event: Object) -> tuple[Object, Any]:
        """EventAggregate: the event itself, or the one that stands for many similar ones."""
        now = self._clock.now
        regarding, text = event["involvedObject"], event["message"]
        group = (_whom(regarding), event["type"], event["reason"])
        similar = self._similar.get(group)
        if similar is None or now - similar.last > SIMILAR_WITHIN:
            similar = self._similar.put(group, Similar((text,), now))
        elif text not in similar.texts:
            similar.texts += (text,)
        similar.last = now
        if len(similar.texts) < SIMILAR_TEXTS:
            return event, (*group, regarding.get("fieldPath", ""), text)
        # One text, whichever, makes room: there are never more than nine.
        stream = self._chance.stream("similar events", *_about(event), event["type"], event["reason"])
        gone = stream.between(stream.next(), 0, len(similar.texts))
        similar.texts = similar.texts[:gone] + similar.texts[gone + 1 :]
        return {**event, "message": MERGED + text}, group

    def _passes(self, event: Object) -> tuple[Subject, bool]:
        """EventSourceObjectSpamFilter"""
        about, now = (_whom(event["involvedObject"]), event["type"]), self._clock.now
        subject = self._subjects.get(about)
        if subject is None:
            subject = self._subjects.put(about, Subject(event["involvedObject"], now))
        return subject, subject.accept(now)


def _about(event: Object) -> tuple[str, ...]:
    """Source and object of an event."""
    source, regarding = event["source"], event["involvedObject"]
    return (
        source["component"],
        source.get("host", ""),
        *(regarding.get(k, "") for k in ("kind", "namespace", "name", "uid", "apiVersion")),
    )


def _whom(regarding: Object) -> str | tuple[str, str, str]:
    """What tells one object from all others."""
    return regarding.get("uid") or (regarding["kind"], regarding.get("namespace", ""), regarding["name"])


def reference(obj: Object, field: str | None = None) -> Object:
    """The ``involvedObject`` of an event about ``obj`` (client-go/tools/reference/ref.go)."""
    out = {"kind": obj["kind"]}
    meta = obj["metadata"]
    for k in ("namespace", "name", "uid"):
        if meta.get(k):
            out[k] = meta[k]
    out["apiVersion"] = obj.get("apiVersion", "v1")
    if meta.get("resourceVersion"):
        out["resourceVersion"] = meta["resourceVersion"]
    if field:
        out["fieldPath"] = field
    return out


class _Recorder:
    """Writes events to the API, one after another, some milliseconds later."""

    def __init__(self, store: Store, clock: Clock, chance: Chance, component: str, host: str = "") -> None:
        self.component = component
        self.host = host
        self._store = store
        self._clock = clock
        self._chance = chance
        self.silent = False
        """Whether the component is gone, and with it whatever it would still have told."""
        self.cut_off = False
        """Whether the API server cannot be reached."""
        self._held: list[tuple[Object, Cause | None]] = []
        """What could not be written: the first is tried again and again, the others wait for it (recordToSink)."""
        self._free = 0
        self._last_name = 0
        self._nanosecond = chance.stream("event name", component, host).between(0, 0, 900)

    def _send(self, event: Object, cause: Cause | None) -> None:
        """Create the event, or patch the one that is there. One event is written after another."""
        about = event["involvedObject"]
        stream = self._chance.stream("event", self.component, self.host, about.get("namespace", ""), about["name"])
        self._free = max(self._free, self._clock.now + latencies.draw("event", stream, stream.next()))
        self._clock.at(self._free, lambda: self._write(event, cause))

    def _write(self, event: Object, cause: Cause | None) -> None:
        if self.silent:
            return
        if self._held or not self._reachable():
            self._held.append((event, cause))
            if len(self._held) == 1:
                self._fail(1)
            return
        space, called = key(event)
        if self._repeats(event) and self._store.get("Event", space, called) is not None:
            changes: Object = {k: event[k] for k in ("count", "lastTimestamp", "message", "series") if k in event}
            self._store.patch("Event", space, called, lambda old: {**old, **changes}, cause=cause)
            return
        # Two recorders in the same nanosecond, or a namespace that is going or gone: client-go gives up too ("Server
        # rejected event (will not retry!)").
        with suppress(AlreadyExists, Forbidden, NotFound):
            self._store.create(event, cause=cause)

    def _reachable(self) -> bool:
        return not (self.cut_off or self._store.down)

    def _fail(self, tries: int) -> None:
        """The first of those that wait could not be written, the ``tries``-th time (recordToSink)."""
        if tries == TRIES:
            del self._held[0]
            tries = 1
        if self._held:
            stream = self._chance.stream("event again", self.component, self.host)
            wait = stream.between(stream.next(), 0, AGAIN) if tries == 1 else AGAIN
            self._clock.after(wait, lambda: self._try(tries))

    def _try(self, tries: int) -> None:
        """Once more; if that works, the others follow, one after another."""
        if self.silent:
            return
        if self._reachable():
            held, self._held = self._held, []
            for event, cause in held:
                self._send(event, cause)
        else:
            self._fail(tries + 1)

    @staticmethod
    def _repeats(event: Object) -> bool:
        return bool(event.get("series")) or event.get("count", 0) > 1

    def _unique_name(self, obj: Object) -> str:
        """``<object>.<hex of unix nanoseconds>``; no two of one recorder are alike."""
        self._last_name = max(self._last_name + 1, self._clock.unix() * 1000 + self._nanosecond)
        return f"{name(obj)}.{self._last_name:x}"

    def _new(self, obj: Object, type_: str, reason: str, message: str, field: str | None) -> Object:
        """The parts that all events have (client-go/tools/record/event.go makeEvent)."""
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": self._unique_name(obj),
                "namespace": namespace(obj) or "default",
            },
            "involvedObject": reference(obj, field),
            "reason": reason,
            "message": message,
            "type": type_,
        }


class EventRecorder(_Recorder):
    """The recorder of one component: ``EventRecorder(store, clock, chance, "kubelet", "node-1")``."""

    def __init__(self, store: Store, clock: Clock, chance: Chance, component: str, host: str = "") -> None:
        super().__init__(store, clock, chance, component, host)
        self._correlator = Correlator(clock, chance)
        self._source = {"component": component, **({"host": host} if host else {})}

    def event(
        self,
        obj: Object,
        type_: str,
        reason: str,
        message: str,
        *,
        field: str | None = None,
        cause: Cause | None = None,
    ) -> None:
        """Tell that something happened to ``obj``. ``type_`` is Normal or Warning, ``field`` a part of it.

        The field of a container is ``spec.containers{app}``.
        """
        now = self._clock.timestamp()
        event = {
            **self._new(obj, type_, reason, message, field),
            "source": self._source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "eventTime": None,
            "reportingComponent": self.component,
            "reportingInstance": self.host,
        }
        passed = self._correlator.correlate(event)
        if passed is not None:
            self._send(passed, cause)


REFRESH = 360 * SECOND
"""A series that has been still for this long (µs) is finished (finishTime)."""


@dataclass(slots=True)
class Series:
    """An event and how often it has been seen since it was written."""

    event: Object
    seen: int
    last: int
    written: int = 1


class SeriesRecorder(_Recorder):
    """The scheduler's recorder, of the newer events.k8s.io kind.

    A repetition (same object *in the same version*, same reason) makes the event a series of 2, and is
    written; further ones are only counted until the series ends.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance, component: str) -> None:
        super().__init__(store, clock, chance, component, f"{component}-control-plane")
        self._series: Recent[Series] = Recent()

    def event(
        self,
        obj: Object,
        type_: str,
        reason: str,
        message: str,
        *,
        action: str,
        related: Object | None = None,
        cause: Cause | None = None,
    ) -> None:
        """Tell what was done about ``obj``: ``action`` is what the component tried (Binding, Scheduling).

        ``related`` is another object that it was done for.
        """
        now, stamp = self._clock.now, self._clock.micro_timestamp()
        event = {
            **self._new(obj, type_, reason, message, None),
            "action": action,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": stamp,
            "reportingComponent": self.component,
            "reportingInstance": self.host,
        }
        if related is not None:
            event["related"] = reference(related)
        regarding = tuple(event["involvedObject"].values())
        series = self._series.get((type_, action, reason, regarding))
        if series is not None and now - series.last > REFRESH:
            self._finish(series, cause)
            series = None
        if series is None:
            self._series.put((type_, action, reason, regarding), Series(event, 1, now))
            self._send(event, cause)
            return
        series.seen += 1
        series.last = now
        if series.seen == 2:
            self._write_series(series, cause)

    def _write_series(self, series: Series, cause: Cause | None) -> None:
        series.written = series.seen
        observed = {"count": series.seen, "lastObservedTime": self._clock.micro_timestamp(series.last)}
        self._send({**series.event, "series": observed}, cause)

    def _finish(self, series: Series, cause: Cause | None) -> None:
        if series.written < series.seen:
            self._write_series(series, cause)
