"""A cluster, its clock and its API server, from start to stop.

One asyncio loop does all: it executes what falls due in the simulation, and answers requests in between. What
comes from outside enters at *now* (:class:`selfheal.clock.RealTime`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from selfheal.clock import SECOND, RealTime
from selfheal.cluster import SETTLING, Cluster
from selfheal.objects import Object, ref
from selfheal.server import applying
from selfheal.server.apiserver import APIServer
from selfheal.server.certificates import Authority
from selfheal.server.http import HTTPServer
from selfheal.server.kubeconfig import KubeconfigFile, kubeconfig
from selfheal.server.ownwrites import signed
from selfheal.server.state import MARGIN, StateFile

LOOPBACK = "127.0.0.1"
PAUSE = 0.5
"""Real seconds after which what was written is made safe, also if nobody has asked for anything."""
AGAIN = 1_000_003
"""Between the seeds of one cluster's starts."""


class Emulator:
    """A running cluster. ``speed``: seconds of cluster time in a second (0: time passes only when somebody says so);
    ``port`` 0: any that is free.

    ``kubeconfig``: where to write the file by which clients find it; None: in a folder of its own. ``cluster``: one
    that is there already; else one is made, whose time of day is that of the machine. ``state``: a file in which it
    outlives this process, and from which it is taken if it holds one. ``manifests``: what is applied at the start.
    Raises ApiError for a state file or manifests that cannot be used.
    """

    def __init__(
        self,
        *,
        nodes: int = 1,
        seed: int = 0,
        speed: float = 1.0,
        port: int = 0,
        kubeconfig: Path | None = None,
        cluster: Cluster | None = None,
        state: Path | None = None,
        manifests: Sequence[Path] = (),
        host: str = LOOPBACK,
    ) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"{host} is not on this machine alone")
        self._host = host
        self._port = port
        self._path = kubeconfig
        self._speed = speed
        self.token = secrets.token_urlsafe(24)
        self._state = None if state is None else StateFile(state)
        try:
            self.cluster = self._made(nodes, seed) if cluster is None else cluster
            # Its clock stands until it is started.
            self._time = RealTime(self.cluster.clock, 0)
            self._server = APIServer(self.cluster, self._time, self.token)
            if manifests:
                applying.apply(manifests, self._server.ask, self._own, space="default")
        except BaseException:
            if self._state is not None:
                self._state.close()
            raise
        if self._state is not None:
            self._state.follow(self.cluster.store, self.cluster.clock, seed=self._state.facts.get("seed", seed))
        self.address = ""
        self.content: dict[str, Any] = {}
        """What stands in the kubeconfig."""
        self._end = asyncio.Event()
        self._file: KubeconfigFile | None = None
        self._http: HTTPServer | None = None
        self._running: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None

    def _made(self, nodes: int, seed: int) -> Cluster:
        """A new cluster, or the one in the state file. Its clock never goes back."""
        now, state = int(time.time()), self._state
        if state is None or not state.objects:
            return Cluster(nodes, seed=seed, since=now, signed=signed)
        facts = state.facts
        since = max(now, facts["time"] + SETTLING // SECOND + 1)
        # Another seed at each start: what chance has made once it must not make again.
        fresh = facts["seed"] + AGAIN * facts["starts"]
        restored = state.objects, facts["version"] + MARGIN
        return Cluster(seed=fresh, since=since, restored=restored, signed=signed)

    def _own(self, objs: list[Object]) -> list[str]:
        """Apply objects of Kubernetes' own kinds."""
        return [ref(made) for made in self.cluster.apply(objs)]

    @property
    def kubeconfig(self) -> Path:
        """The path of the kubeconfig."""
        assert self._file is not None, "it is not running"
        return self._file.path

    @property
    def time(self) -> RealTime:
        """Its clock's driver."""
        return self._time

    async def start(self) -> None:
        """Answer from now on. OSError if the port is taken or the kubeconfig cannot be written."""
        authority = Authority()
        context = authority.context()
        self._time.set_speed(self._speed)
        server = self._server
        server.end = self.end
        if self._state is not None:
            server.acknowledge = self._state.commit
        self._http = HTTPServer(server)
        port = await self._http.start(self._host, self._port, context)
        server.address = f"{self._host}:{port}"
        self.address = f"https://{server.address}"
        try:
            self.content = kubeconfig(self.address, self.token, authority.pem)
            self._file = KubeconfigFile(self._path, self.content)
        except OSError:
            await self._http.stop()
            raise
        self._running = asyncio.ensure_future(self._time.run())
        if self._state is not None:
            self._keeping = asyncio.ensure_future(self._keep(self._state))

    async def _keep(self, state: StateFile) -> None:
        """What happens while nobody asks lasts, too."""
        while True:
            await asyncio.sleep(PAUSE)
            state.commit()

    def end(self) -> None:
        """Make :meth:`serve` return."""
        self._end.set()

    async def serve(self) -> None:
        """Run until :meth:`end`, or the simulation fails."""
        assert self._running is not None
        waiting = asyncio.ensure_future(self._end.wait())
        await asyncio.wait({waiting, self._running}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._running.done():
            self._running.result()

    async def stop(self) -> None:
        """Leave nothing behind: no port, no file."""
        if self._file is not None:
            self._file.remove()
        if self._http is not None:
            await self._http.stop()
        self._time.stop()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)
        if self._keeping is not None:
            self._keeping.cancel()
        if self._state is not None:
            self._state.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[Emulator]:
        """Run it in a thread of its own. Ask its cluster through its API, not directly."""
        started, problems = threading.Event(), list[BaseException]()
        loop = asyncio.new_event_loop()

        async def work() -> None:
            try:
                await self.start()
                started.set()
                await self.serve()
            except BaseException as error:
                problems.append(error)
                raise
            finally:
                await self.stop()
                started.set()

        def run() -> None:
            with contextlib.suppress(OSError), contextlib.closing(loop):
                loop.run_until_complete(work())

        thread = threading.Thread(target=run, name="selfheal up", daemon=True)
        thread.start()
        started.wait()
        if problems:
            raise problems[0]
        try:
            yield self
        finally:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self.end)
            thread.join(10)
