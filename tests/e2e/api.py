"""What a spec of Kubernetes' end-to-end suite has in hand: a namespace of its own, and a client like client-go.

What it creates, replaces and deletes travels as protobuf, what it patches as JSON. Time passes when a test waits.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from selfheal.kinds import KINDS, Kind
from selfheal.server.emulator import Emulator
from selfheal.server.remote import Remote
from tests.e2e import protobuf

Object = dict[str, Any]

PATCHES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
PROTOBUF = "application/vnd.kubernetes.protobuf"
V5 = [Subprotocol("v5.channel.k8s.io")]
PATIENCE = 10.0
"""Real seconds that an event of a watch may take."""

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
BUSYBOX = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1"
PAUSE = "registry.k8s.io/pause:3.10.2"


class Refused(Exception):
    """A request that the server did not do."""

    def __init__(self, status: Object) -> None:
        super().__init__(status.get("message"))
        self.status = status
        self.code = int(status["code"])
        self.reason = status.get("reason", "")


@contextlib.contextmanager
def refused(reason: str) -> Iterator[pytest.ExceptionInfo[Refused]]:
    """What stands in the block is refused, for this reason."""
    with pytest.raises(Refused) as found:
        yield found
    assert found.value.reason == reason, found.value.status


class Client:
    """One client of the emulator; ``namespace`` is where its objects lie."""

    def __init__(self, emulator: Emulator, namespace: str) -> None:
        self.namespace = namespace
        self.emulator = emulator
        self._remote = Remote(emulator.content)
        self._token = emulator.token
        self._connection: HTTPSConnection | None = None
        self.custom: dict[str, Kind] = {}
        """Kinds that a test has defined."""

    # ---- requests

    def ask(self, method: str, path: str, body: Any = None, content_type: str = "", **query: Any) -> Any:
        """One request, and its answer. Raises Refused."""
        if query:
            path += ("&" if "?" in path else "?") + urlencode(query)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": f"{PROTOBUF},application/json"}
        data = None
        if body is not None:
            plain = content_type or not isinstance(body, dict) or body.get("kind") in self.custom
            plain = plain or body.get("kind") in ("CustomResourceDefinition", None)
            data = json.dumps(body).encode() if plain else protobuf.encode(body)
            headers["Content-Type"] = content_type or ("application/json" if plain else PROTOBUF)
        if self._connection is None:
            self._connection = self._remote.connect()
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        found = json.loads(text) if answer.headers["Content-Type"].startswith("application/json") else text.decode()
        if answer.status >= 400:
            raise Refused(found)
        return found

    def raw(self, method: str, path: str, **query: Any) -> bytes:
        """A request whose answer is no object. Raises Refused."""
        found = self.ask(method, path, **query)
        return found.encode() if isinstance(found, str) else json.dumps(found).encode()

    def path(self, kind: str, name: str = "", sub: str = "", *, everywhere: bool = False) -> str:
        """Where a kind's objects are."""
        info = self.custom.get(kind) or KINDS[kind]
        start = "/api/v1" if info.api_version == "v1" else f"/apis/{info.api_version}"
        space = f"namespaces/{self.namespace}" if info.namespaced and not everywhere else ""
        return "/".join(part for part in (start, space, info.plural, name, sub) if part)

    def create(self, obj: Object, **query: Any) -> Object:
        info = self.custom.get(obj["kind"]) or KINDS[obj["kind"]]
        return self._object(self.ask("POST", self.path(obj["kind"]), {"apiVersion": info.api_version, **obj}, **query))

    def get(self, kind: str, name: str, sub: str = "") -> Object:
        return self._object(self.ask("GET", self.path(kind, name, sub)))

    def there(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        try:
            self.get(kind, name)
        except Refused as error:
            if error.code != 404:
                raise
            return False
        return True

    def list(self, kind: str, labels: str = "", *, everywhere: bool = False, **query: Any) -> list[Object]:
        if labels:
            query["labelSelector"] = labels
        found = self.ask("GET", self.path(kind, everywhere=everywhere), **query)
        version = found["apiVersion"]
        return [{"apiVersion": version, "kind": kind, **item} for item in found["items"]]

    def update(self, obj: Object, sub: str = "") -> Object:
        """PUT."""
        info = self.custom.get(obj["kind"]) or KINDS[obj["kind"]]
        obj = {"apiVersion": info.api_version, **obj}
        return self._object(self.ask("PUT", self.path(obj["kind"], obj["metadata"]["name"], sub), obj))

    def patch(self, kind: str, name: str, patch: Any, how: str = "strategic", sub: str = "", **query: Any) -> Object:
        return self._object(self.ask("PATCH", self.path(kind, name, sub), patch, PATCHES[how], **query))

    def delete(self, kind: str, name: str, **options: Any) -> Any:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        return self.ask("DELETE", self.path(kind, name), body)

    def delete_collection(self, kind: str, labels: str = "", **options: Any) -> Any:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        return self.ask("DELETE", self.path(kind), body, **({"labelSelector": labels} if labels else {}))

    def evict(self, pod: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.namespace}}
        self.emulator_runs(lambda: self.ask("POST", self.path("Pod", pod, "eviction"), body))

    def run(self, pod: str, command: str, container: str = "") -> str:
        """What a shell in a pod prints for a command."""
        words = [("command", word) for word in ("/bin/sh", "-x", "-c", command)]
        words += [("stdout", "true"), ("stderr", "true")] + ([("container", container)] if container else [])
        url = f"{self.emulator.address}{self.path('Pod', pod, 'exec')}?{urlencode(words)}".replace("https", "wss", 1)
        headers = {"Authorization": f"Bearer {self._token}"}
        out = bytearray()

        def read() -> None:
            with connect(url, ssl=self._remote.trust, additional_headers=headers, subprotocols=V5) as socket:
                for message in socket:
                    data = message if isinstance(message, bytes) else message.encode()
                    if data[0] == 1:
                        out.extend(data[1:])

        self.emulator_runs(read)
        return out.decode().strip()

    def retry(self, kind: str, name: str, change: Callable[[Object], None], sub: str = "") -> Object:
        """Read, change, write, and anew if somebody was faster (retry.RetryOnConflict)."""
        for _ in range(10):
            obj = self.get(kind, name)
            change(obj)
            try:
                return self.update(obj, sub)
            except Refused as error:
                if error.reason != "Conflict":
                    raise
        raise TimeoutError

    @staticmethod
    def _object(obj: Any) -> Object:
        assert isinstance(obj, dict)
        return obj

    # ---- time

    def advance(self, seconds: float) -> None:
        self.ask("POST", "/selfheal/clock", {"advance": seconds}, "application/json")

    def emulator_runs(self, call: Callable[[], Any]) -> Any:
        """Do something whose answer needs time: let the clock go meanwhile."""
        self.ask("POST", "/selfheal/clock", {"speed": 50}, "application/json")
        try:
            return call()
        finally:
            self.ask("POST", "/selfheal/clock", {"speed": 0}, "application/json")

    def wait(self, condition: Callable[[], Any], limit: float = 60, step: float = 0.5) -> Any:
        """Let time pass until something holds; returns what the condition gave."""
        passed = 0.0
        while not (found := condition()):
            if passed >= limit:
                raise TimeoutError(f"not within {limit:g} s")
            self.advance(step)
            passed += step
        return found

    # ---- watches

    @contextlib.contextmanager
    def watch(self, kind: str, labels: str = "", since: str = "", **query: Any) -> Iterator[Watch]:
        """A watch from a version on."""
        query |= {"watch": "true", "resourceVersion": since}
        if labels:
            query["labelSelector"] = labels
        connection = self._remote.connect()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        connection.request("GET", f"{self.path(kind)}?{urlencode(query)}", headers=headers)
        watch = Watch(self, connection)
        try:
            yield watch
        finally:
            watch.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Watch:
    """Events of one watch, read as they come."""

    def __init__(self, client: Client, connection: HTTPSConnection) -> None:
        self._client = client
        self._connection = connection
        self._events: queue.Queue[Object] = queue.Queue()
        self._answer = connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, HTTPException, AttributeError):
            for line in self._answer:
                self._events.put(json.loads(line))

    def next(self) -> Object:
        """The next event; it has come about already."""
        return self._events.get(timeout=PATIENCE)

    def until(self, holds: Callable[[Object], Any], limit: float = 60) -> Object:
        """The next event for which something holds; time passes meanwhile."""
        passed = 0.0
        while True:
            try:
                event = self._events.get(timeout=0.02)
            except queue.Empty:
                if passed >= limit:
                    raise TimeoutError(f"no such event within {limit:g} s") from None
                self._client.advance(0.5)
                passed += 0.5
                continue
            if holds(event):
                return event

    def quiet(self) -> bool:
        """Whether nothing more has come."""
        with contextlib.suppress(queue.Empty):
            self._events.get(timeout=0.2)
            return False
        return True

    def close(self) -> None:
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(2)
        self._connection.close()
