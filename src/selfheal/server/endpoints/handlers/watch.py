"""Watches: what changes, line by line, from a version on.

With ``clock=true``, which no real server knows, each line also says when (``"t"``, seconds of cluster time).

staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go, …/pkg/storage/cacher/cacher.go
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from selfheal.errors import ApiError, BadRequest
from selfheal.objects import Object
from selfheal.server import statuses
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import get, render
from selfheal.server.endpoints.negotiation import Form, form
from selfheal.server.http import WIRE, Response
from selfheal.server.registry.versions import outward
from selfheal.server.resources import Resource
from selfheal.server.selectors import Matcher, matcher
from selfheal.store import WatchEvent

LEAST = 1800.0
"""A watch that names no end lasts this long, × [1, 2) (MinRequestTimeout), in real seconds."""
BOOKMARK = 60.0
"""Real seconds between two bookmarks."""
MOST = 10_000
"""Events that wait for a client; one that is slower loses its watch."""

INITIAL_END = "k8s.io/initial-events-end"
EMPTY: dict[str, Object] = {
    "Pod": {"spec": {"containers": None}, "status": {}},
    "Event": {"involvedObject": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None, "source": {}},
}
"""What Go writes of an empty object of a kind."""


def watch(context: Context) -> Response:
    """The stream of events. Raises BadRequest, Invalid; what has expired is told in the stream."""
    request, info = context.request, context.info
    wanted, match = form(request), matcher(request, info.resource, info.name)
    initial = request.flag("sendInitialEvents")
    matching = request.get("resourceVersionMatch")
    if request.query.get("sendInitialEvents") and matching != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise get.options_refused("resourceVersionMatch", "Forbidden", text, "List")
    if matching and not request.query.get("sendInitialEvents"):
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise get.options_refused("resourceVersionMatch", "Forbidden", text, "List")
    seconds = _seconds(request.get("timeoutSeconds"))
    since = get.resource_version(request)
    bookmarks = request.flag("allowWatchBookmarks")
    if info.resource.stored in ("Lease", "Node"):
        context.cluster.settle()
    stream = _Stream(context, wanted, match)
    everything = initial or (since == 0 and not request.query.get("sendInitialEvents"))
    try:
        if everything:
            if since > context.store.version:
                raise get.too_large(since, context.store.version)
            stream.begin(bookmarks)
        stream.follow(None if everything or not since else since)
    except ApiError as error:
        stream.fail(error)
    body = stream.events(seconds or LEAST * (1 + (context.store.version % 97) / 97), bookmarks)
    return Response(200, body, closing=stream.close)


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    if not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise BadRequest(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    return float(text)


class _Stream:
    """One watch."""

    def __init__(self, context: Context, wanted: Form, match: Matcher | None) -> None:
        self._context = context
        self._form = wanted
        self._match = match
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST)
        self._headed = False
        self._clock = context.request.flag("clock")
        self.close: Callable[[], object] = lambda: None

    def begin(self, bookmarks: bool) -> None:
        """All that is there, and where it ends."""
        match = self._match
        lines = [self._line("ADDED", o) for o in self._context.listed() if match is None or match(o)]
        if bookmarks:
            lines.append(self._bookmark({INITIAL_END: "true"}))
        if lines:
            self._queue.put_nowait(b"".join(lines))

    def follow(self, since: int | None) -> None:
        """Everything after ``since``, or from now on. Raises Gone."""
        store = self._context.store
        if since is not None and since > store.version:
            raise get.too_large(since, store.version)
        start = store.version if since is None else since
        watch = store.watch(self._context.info.resource.stored, self._heard, since=start, immediate=True)
        self.close = watch.stop

    def fail(self, error: ApiError) -> None:
        """An error in place of the events."""
        status = statuses.failure(error, self._context.info.resource)
        self._put(_json({"type": "ERROR", "object": status}))
        self._put(None)

    def _heard(self, event: WatchEvent) -> None:
        obj, old, namespace = event.object, event.old, self._context.info.namespace
        if namespace and obj["metadata"].get("namespace") != namespace:
            return
        kind = str(event.type)
        if self._match is not None:
            before = old is not None and self._match(old)
            after = kind != "DELETED" and self._match(obj)
            if not before and not after:
                return
            if not after and kind != "DELETED":
                kind, obj = "DELETED", {**old, "metadata": {**old["metadata"], "resourceVersion": str(event.version)}}  # type: ignore[dict-item, index]
            elif after:
                kind = "MODIFIED" if before else "ADDED"
        line = self._line(kind, obj)
        if self._clock:
            line = line[:-2] + b',"t":%.6f}\n' % self._context.cluster.now
        self._put(line)

    def _put(self, line: bytes | None) -> None:
        try:
            self._queue.put_nowait(line)
        except asyncio.QueueFull:
            self.close()
            self._queue.get_nowait()
            self._queue.put_nowait(None)

    def _line(self, kind: str, obj: Object) -> bytes:
        obj = self._context.shown(obj)
        if self._form.as_ == "Table":
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            shown = render.table(self._context, [obj], self._form, metadata)
            if self._headed:
                shown["columnDefinitions"] = None
            self._headed = True
        elif self._form.as_:
            shown = render.partial(obj)
        else:
            return self._context.server.lines.line(kind, obj, self._context.info.resource)
        return _json({"type": kind, "object": shown})

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        resource = self._context.info.resource
        metadata: Object = {"resourceVersion": str(self._context.store.version)}
        if annotations:
            metadata["annotations"] = annotations
        obj: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._form.as_ == "Table":
            obj = {"kind": "Table", "apiVersion": f"{self._form.group}/{self._form.version}", "metadata": metadata}
            obj |= {"columnDefinitions": None, "rows": []}
        elif self._form.as_:
            obj = render.partial(obj)
        else:
            obj |= EMPTY.get(resource.kind, {})
        return _json({"type": "BOOKMARK", "object": obj})

    async def events(self, seconds: float, bookmarks: bool) -> AsyncGenerator[bytes, None]:
        """The lines, until ``seconds`` (of real time) are over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, BOOKMARK)):
                    line = await self._queue.get()
            except TimeoutError:
                if bookmarks:
                    yield self._bookmark()
                continue
            lines = [line]
            while not self._queue.empty() and len(lines) < 256:
                lines.append(self._queue.get_nowait())
            yield b"".join(line for line in lines if line is not None)
            if None in lines:
                return


class Lines:
    """The line of an event: written once for all who watch, since they hear of it one right after the other."""

    def __init__(self) -> None:
        self._of: tuple[str, Object, Resource] | None = None
        self._text = b""

    def line(self, kind: str, obj: Object, resource: Resource) -> bytes:
        of = self._of
        if of is None or of[1] is not obj or of[0] != kind or of[2] is not resource:
            self._of, self._text = (kind, obj, resource), _json({"type": kind, "object": outward(obj, resource)})
        return self._text


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=WIRE)
    return text.encode(errors="surrogatepass") + b"\n"
