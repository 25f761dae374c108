"""The API server without a socket: requests go straight to it, and time passes when a test says so."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from selfheal import Cluster
from selfheal.clock import RealTime
from selfheal.server.apiserver import APIServer
from selfheal.server.http import Answer, Request, Response

TOKEN = "token"
JSON = "application/json"


class Reply:
    """An answer, read."""

    def __init__(self, response: Response) -> None:
        assert isinstance(response.body, bytes)
        self.code = response.status
        self.headers = dict(response.headers)
        self.content_type = response.content_type
        self.text = response.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Api:
    """One cluster behind its API."""

    def __init__(self, nodes: int = 2, *, cluster: Cluster | None = None, **options: Any) -> None:
        self.cluster = cluster or Cluster(nodes, **options)
        self.server = APIServer(self.cluster, RealTime(self.cluster.clock, monotonic=lambda: 0.0), TOKEN)

    def run(self, seconds: float) -> None:
        self.cluster.run(for_=seconds)

    def request(self, method: str, target: str, body: Any = None, content_type: str = JSON, **headers: str) -> Request:
        path, _, query = target.partition("?")
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        known = {"authorization": f"Bearer {TOKEN}", "user-agent": "test/1"}
        if data:
            known["content-type"] = content_type
        known |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(method, path, parse_qs(query, keep_blank_values=True), known, data)

    def answer(self, request: Request) -> Answer:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: Request) -> Answer:
        """Ask, and let time pass until there is an answer."""
        task = asyncio.ensure_future(self.server(request))
        for _ in range(1000):
            await asyncio.sleep(0)
            if task.done():
                return task.result()
            self.cluster.run(for_=0.01)
        raise TimeoutError

    def __call__(self, method: str, target: str, body: Any = None, content_type: str = JSON, **headers: str) -> Reply:
        found = self.answer(self.request(method, target, body, content_type, **headers))
        assert isinstance(found, Response), found
        return Reply(found)

    def get(self, target: str, **headers: str) -> Reply:
        return self("GET", target, **headers)

    def stream(self, target: str, act: Any = None, lines: int = 1000, **headers: str) -> list[Any]:
        """What a watch says: what it begins with, and what comes while ``act()`` is done."""

        async def read() -> list[Any]:
            response = await self.server(self.request("GET", target, **headers))
            assert isinstance(response, Response)
            assert not isinstance(response.body, bytes), response.body
            found = bytearray()
            body = response.body
            try:
                if act is not None:
                    act()
                while found.count(b"\n") < lines:
                    async with asyncio.timeout(0.05):
                        found += await anext(body)
            except (TimeoutError, StopAsyncIteration):
                pass
            response.closing()
            await body.aclose()
            return [json.loads(line) for line in found.decode().splitlines()]

        return asyncio.run(read())


def pod(name: str = "app", **spec: Any) -> dict[str, Any]:
    """A pod that runs."""
    container = {"name": "app", "image": "busybox:1.36", "command": ["sleep", "3600"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def deployment(name: str = "web", replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
