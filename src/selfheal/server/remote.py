"""A running emulator, asked over its own API: for ``selfheal advance``, ``status`` and ``down``, and for tests."""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from selfheal.errors import ApiError
from selfheal.server.kubeconfig import CONTEXT

PATIENCE = 600.0
"""Real seconds that an answer may take: much cluster time may have to pass first."""


class Remote:
    """A client of the emulator that a kubeconfig names. Raises ApiError if it names none."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        try:
            [cluster] = [c["cluster"] for c in content["clusters"] if c["name"] == CONTEXT]
            [user] = [u["user"] for u in content["users"] if u["name"] == CONTEXT]
            address = urlsplit(cluster["server"])
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
            self._host, self._port = str(address.hostname), int(address.port or 443)
            self._headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
            local = ip_address(self._host).is_loopback
        except (KeyError, TypeError, ValueError):
            raise ApiError(f"no context {CONTEXT} in this kubeconfig: it is not an emulator's") from None
        if not local:
            raise ApiError(f"{self._host} is not on this machine")
        self.trust = ssl.create_default_context(cadata=authority)

    @staticmethod
    def find(path: str | None) -> Remote:
        """The emulator whose kubeconfig is at ``path``, or that KUBECONFIG names. Raises ApiError, OSError."""
        found = path or os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0]
        if not found:
            raise ApiError("which emulator? Name its kubeconfig with --kubeconfig, or in KUBECONFIG")
        try:
            content = yaml.safe_load(Path(found).read_text("utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            content = None
        return Remote(content if isinstance(content, dict) else {})

    def connect(self) -> HTTPSConnection:
        """A new connection."""
        return HTTPSConnection(self._host, self._port, timeout=PATIENCE, context=self.trust)

    def send(
        self, connection: HTTPSConnection, method: str, path: str, body: Any = None, content_type: str = ""
    ) -> None:
        """A request, as far as its answer."""
        headers = {**self._headers, "Content-Type": content_type} if content_type else self._headers
        connection.request(method, path, None if body is None else json.dumps(body), headers)

    def text(self, method: str, path: str, body: Any = None, content_type: str = "") -> str:
        """The answer to one request. Raises ApiError with the server's own text, or OSError if there is none."""
        connection = self.connect()
        try:
            self.send(connection, method, path, body, content_type)
            return read(connection)
        except HTTPException as error:
            raise ApiError(f"the emulator at {self._host}:{self._port} does not answer ({error!r})") from None
        except ConnectionError:
            raise ApiError(f"no emulator answers at {self._host}:{self._port}") from None
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None, content_type: str = "") -> Any:
        """As :meth:`text`, read as JSON."""
        return json.loads(self.text(method, path, body, content_type))


def read(connection: HTTPSConnection) -> str:
    """The answer that a connection waits for. Raises ApiError."""
    answer = connection.getresponse()
    text = answer.read().decode(errors="surrogatepass")
    if answer.status >= 400:
        raise ApiError(json.loads(text)["message"])
    return text
