"""The API of a cluster in wire form: plain dicts over the ``kubernetes`` client's connections.

The client reads the kubeconfig, with all the ways of logging in that it may name, and keeps the connections; its
models are left aside, since timelines and the simulator speak of objects as they are on the wire.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from selfheal.kinds import kind_info
from selfheal.labs.context import Context, on_loopback
from selfheal.labs.errors import LabError, Refused, Unreachable
from selfheal.objects import Object

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
MANAGER = "selfheal-labs"
CONNECTIONS = 32
"""Watches and requests at a time; what is above that costs a handshake each."""
CONNECT, READ = 10.0, 30.0
"""Seconds that a connection and an answer may take."""
PAUSES = (0.3, 1.0, 2.0)
"""Seconds before a request is made again."""


def path_of(kind: str, namespace: str = "", name: str = "", sub: str = "", api_version: str = "v1") -> str:
    """``/apis/apps/v1/namespaces/lab/deployments/web/scale``."""
    info = kind_info(kind, api_version)
    parts = ["/api" if "/" not in info.api_version else "/apis", info.api_version]
    if info.namespaced and namespace:
        parts += ["namespaces", namespace]
    parts.append(info.plural)
    parts += [quote(part, safe="") for part in (name, sub) if part]
    return "/".join(parts)


def client(context: Context) -> Any:
    """A ``kubernetes.client.ApiClient`` that knows this context alone. Raises LabError."""
    try:
        from kubernetes import config
    except ModuleNotFoundError as error:
        if error.name != "kubernetes":
            raise
        raise LabError('labs need the kubernetes client: pip install "selfheal[labs]"') from None
    try:
        make: Any = config.new_client_from_config_dict
        made = make(context.config)
    except (config.ConfigException, OSError) as error:
        raise LabError(f"{context}: {error}") from None
    if on_loopback(context.server):
        made.configuration.proxy = None  # what is on this machine is not looked for elsewhere
        made.rest_client = type(made.rest_client)(made.configuration)
    return made


class Api:
    """A cluster's API."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._client = client(context)
        self._client.configuration.retries = False
        self._client.configuration.connection_pool_maxsize = CONNECTIONS
        self._client.rest_client = type(self._client.rest_client)(self._client.configuration)
        self._lock = threading.Lock()

    # ---- objects

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        return self.ask("GET", path_of(kind, namespace, name))

    def list(self, kind: str, namespace: str = "", selector: str = "") -> Object:
        """The whole list object, with its resourceVersion."""
        found = self.ask("GET", path_of(kind, namespace), query={"labelSelector": selector} if selector else {})
        info = kind_info(kind)
        for item in found.get("items") or ():  # items of a list do not say what they are
            item.setdefault("kind", kind)
            item.setdefault("apiVersion", info.api_version)
        return found

    def create(self, obj: Object, namespace: str = "") -> Object:
        return self.ask("POST", path_of(obj["kind"], namespace, api_version=obj["apiVersion"]), obj)

    def apply(self, obj: Object, namespace: str = "") -> tuple[Object, bool]:
        """Server-side apply; (the object, whether it is new)."""
        path = path_of(obj["kind"], namespace, obj["metadata"]["name"], api_version=obj["apiVersion"])
        query = {"fieldManager": MANAGER, "force": "true"}
        code, answer = self.exchange("PATCH", path, obj, query=query, content_type=APPLY)
        return answer, code == 201

    def patch(
        self, kind: str, name: str, change: Object, namespace: str = "", sub: str = "", how: str = MERGE
    ) -> Object:
        return self.ask("PATCH", path_of(kind, namespace, name, sub), change, content_type=how)

    def delete(self, kind: str, name: str, namespace: str = "", **options: Any) -> Object:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **options}
        return self.ask("DELETE", path_of(kind, namespace, name), body)

    def version(self) -> str:
        """``v1.36.2``"""
        return str(self.ask("GET", "/version").get("gitVersion", ""))

    # ---- requests

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Object:
        """One request; the answer's object."""
        return self.exchange(method, path, body, query=query, content_type=content_type)[1]

    def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        patience: float = READ,
    ) -> tuple[int, Object]:
        """(status, object). Raises :class:`Refused` and :class:`Unreachable`.

        What may be asked twice is asked again after a conflict, or when the server is overloaded or lost for a moment.
        """
        pauses = list(PAUSES)
        while True:
            try:
                return self._exchange(method, path, body, query, content_type, patience)
            except (Refused, Unreachable) as error:
                if not pauses or not _passing(error, method):
                    raise
                time.sleep(pauses.pop(0))

    def _exchange(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None, content_type: str, patience: float
    ) -> tuple[int, Object]:
        response = self.send(method, path, body, query=query, content_type=content_type, patience=patience)
        try:
            text = response.read()
        except self._broken() as error:
            raise Unreachable(f"{self.context} went silent: {error}") from None
        finally:
            response.release_conn()
        answer = _object(text)
        if response.status >= 400:
            raise Refused(response.status, str(answer.get("message") or text[:200].decode(errors="replace")))
        return response.status, answer

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        patience: float | None = READ,
        accept: str = JSON,
    ) -> Any:
        """The response (urllib3), whatever its status, not yet read. Raises :class:`Unreachable`."""
        from urllib3 import Timeout

        headers = {"Accept": accept, "User-Agent": MANAGER}
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body).encode()
        with self._lock:  # a token may be renewed here
            for auth in self._client.configuration.auth_settings().values():
                if auth["in"] == "header" and auth["value"]:
                    headers[auth["key"]] = auth["value"]
        url = self.context.server.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        try:
            return self._client.rest_client.pool_manager.request(
                method,
                url,
                body=data,
                headers=headers,
                preload_content=False,
                retries=False,
                redirect=False,
                timeout=Timeout(connect=CONNECT, read=patience),
            )
        except self._broken() as error:
            raise Unreachable(f"{self.context} does not answer: {_why(error)}") from None

    def watch(
        self, kind: str, namespace: str, version: str, patience: float
    ) -> Iterator[tuple[str, Object, float | None]]:
        """Changes since a version, as (type, object, when), until the server ends the watch or is silent too long.

        The first is an empty ``BOOKMARK``: the server is there and follows, though it may have nothing to tell.
        ``when`` is known to the emulator alone, which is asked for it: seconds of cluster time.

        Raises :class:`Refused` with status 410 if the version is too old, and :class:`Unreachable`.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(int(patience)),
            **({"clock": "true"} if self.context.sort == "emulator" else {}),
        }
        response = self.send("GET", path_of(kind, namespace), query=query, patience=patience + READ)
        try:
            if response.status >= 400:
                text = response.read()
                raise Refused(response.status, str(_object(text).get("message") or text[:200]))
            yield "BOOKMARK", {"metadata": {}}, None
            for line in _lines(response):
                event = _object(line)
                obj = event.get("object") or {}
                if event.get("type") == "ERROR":
                    raise Refused(int(obj.get("code") or 500), str(obj.get("message")))
                if event:
                    yield str(event["type"]), obj, event.get("t")
        except self._broken() as error:
            raise Unreachable(f"the watch on {kind} broke: {_why(error)}") from None
        finally:
            response.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.rest_client.pool_manager.clear()

    @staticmethod
    def _broken() -> tuple[type[Exception], ...]:
        from urllib3.exceptions import HTTPError

        return (HTTPError, OSError)


def _passing(error: Refused | Unreachable, method: str) -> bool:
    """Whether what went wrong may be over in a moment, and asking again does nothing twice."""
    status = error.status if isinstance(error, Refused) else 0
    if status == 429 or method == "POST":  # too many requests: this one has not been looked at
        return status == 429
    return status in (0, 500, 502, 503, 504) or (status == 409 and method in ("PATCH", "PUT"))


def _lines(response: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True) if not response.chunked else response.read_chunked():
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())


def _object(text: bytes) -> Object:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _why(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).rpartition(": ")[2]
