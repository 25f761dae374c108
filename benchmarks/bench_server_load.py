"""What `selfheal up` does under load: ``make bench``. 1,000 pods, 200 watchers, 200 requests a second for a minute.

Seconds are those on the wall, so a busy machine counts; this client shares the machine with the server.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import ssl
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from bench_server import resident, say, start, stop

PODS, NODES, WATCHERS, RATE, SECONDS, CONNECTIONS = 1000, 10, 200, 200, 60, 20
VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENT = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": PODS,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
        },
    },
}


class Client:
    """One connection."""

    def __init__(self, content: Any) -> None:
        self._port = int(content["clusters"][0]["cluster"]["server"].rpartition(":")[2])
        self._token = content["users"][0]["user"]["token"]
        self._trust = ssl.create_default_context()
        self._trust.check_hostname, self._trust.verify_mode = False, ssl.CERT_NONE

    async def open(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._trust, limit=1 << 26
        )
        return self

    def send(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> None:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n" if data else "\r\n"
        self.writer.write(head.encode() + data)

    async def ask(self, *request: Any) -> tuple[int, bytes]:
        self.send(*request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(size)


async def watch(client: Client, seen: set[str]) -> None:
    """The versions of all ConfigMaps that a watch tells of."""
    client.send("GET", f"{CONFIGMAPS}?watch=true&timeoutSeconds=3000")
    await client.reader.readuntil(b"\r\n\r\n")
    while size := int(await client.reader.readline(), 16):
        chunk = (await client.reader.readexactly(size + 2))[:-2]
        seen.update(version.decode() for version in VERSION.findall(chunk))


async def load(content: Any) -> tuple[list[float], set[str]]:
    """(seconds of each answer, the versions that were written)."""
    took: list[float] = []
    written: set[str] = set()
    free: asyncio.Queue[Client] = asyncio.Queue()
    clients = [await Client(content).open() for _ in range(CONNECTIONS)]
    for client in clients:
        free.put_nowait(client)
    _, body = await clients[0].ask("GET", "/api/v1/namespaces/default/pods?limit=50")
    names = [p["metadata"]["name"] for p in json.loads(body)["items"]]
    dice, made = random.Random(1), 0

    async def one(request: tuple[Any, ...]) -> None:
        begin = time.monotonic()
        own = await free.get()
        code, answer = await own.ask(*request)
        free.put_nowait(own)
        took.append(time.monotonic() - begin)
        if request[0] != "GET":
            assert code in (200, 201), answer
            written.add(json.loads(answer)["metadata"]["resourceVersion"])

    await clients[0].ask("POST", CONFIGMAPS, {"metadata": {"name": "first"}})
    tasks, begin = [], time.monotonic()
    for n in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, begin + n / RATE - time.monotonic()))
        choice = dice.random()
        if choice < 0.6:
            request: tuple[Any, ...] = ("GET", f"/api/v1/namespaces/default/pods/{dice.choice(names)}")
        elif choice < 0.7:
            request = ("GET", "/api/v1/namespaces/default/pods?limit=20")
        elif choice < 0.9 or not made:
            made += 1
            request = ("POST", CONFIGMAPS, {"metadata": {"name": f"c-{made}"}, "data": {"n": "1"}})
        else:
            path = f"{CONFIGMAPS}/first"
            request = ("PATCH", path, {"data": {"n": str(n)}}, "application/merge-patch+json")
        tasks.append(asyncio.ensure_future(one(request)))
    await asyncio.gather(*tasks)
    return took, written


async def run(content: Any) -> None:
    client = await Client(content).open()
    await client.ask("POST", "/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT)
    begin = time.monotonic()
    while True:
        _, body = await client.ask("GET", "/apis/apps/v1/namespaces/default/deployments/web")
        if json.loads(body)["status"].get("readyReplicas") == PODS:
            break
        await asyncio.sleep(0.5)
    say(f"{PODS} pods ready, at 10 times the speed of a clock", f"{time.monotonic() - begin:.1f} s", "-")
    seen: list[set[str]] = [set() for _ in range(WATCHERS)]
    watches = [asyncio.ensure_future(watch(await Client(content).open(), s)) for s in seen]
    await asyncio.sleep(2)
    took, written = await load(content)
    for _ in range(60):  # what is still on its way
        missed = sum(len(written - s) for s in seen)
        if not missed:
            break
        await asyncio.sleep(1)
    assert not any(task.done() for task in watches), "a watch has ended"
    for task in watches:
        task.cancel()
    hundredths = statistics.quantiles(took, n=100)
    say(f"answers to {len(took)} requests, p50", f"{hundredths[49] * 1000:.1f} ms", "-")
    say("answers, p99", f"{hundredths[98] * 1000:.0f} ms", "-")
    say("writes that a watcher missed", str(missed), "0")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, _ = start(folder, "--nodes", str(NODES), "--speed", "10")
        try:
            asyncio.run(run(yaml.safe_load((folder / "config").read_text())))
            if Path("/proc").is_dir():
                say(f"memory with {PODS} pods and {WATCHERS} watchers", f"{resident(process):.0f} MB", "-")
        finally:
            stop(process)


if __name__ == "__main__":
    main()
