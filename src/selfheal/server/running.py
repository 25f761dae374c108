"""``with selfheal.up(speed=50) as cluster:`` a cluster for tests of operators, controllers and manifests.

Whatever speaks to a Kubernetes API finds it by ``cluster.kubeconfig``; the test itself turns its clock, breaks
things, and reads what happened.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from selfheal.errors import ApiError
from selfheal.server import applying
from selfheal.server.emulator import Emulator
from selfheal.server.remote import Remote
from selfheal.timeline import Timeline

LOOK = 0.02
"""Real seconds between two looks at whether a condition holds."""


class Running:
    """A cluster behind its API, in this process."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._remote = Remote(emulator.content)

    @property
    def kubeconfig(self) -> str:
        """The path of the file by which clients find it."""
        return str(self._emulator.kubeconfig)

    @property
    def config(self) -> dict[str, Any]:
        """What stands in that file, for clients that take a dict."""
        return self._emulator.content

    @property
    def now(self) -> float:
        """Seconds of cluster time."""
        return float(self._remote.ask("GET", "/selfheal/clock")["t"])

    def advance(self, seconds: float) -> float:
        """Let so much cluster time pass at once. Returns the time it then is."""
        return float(self._remote.ask("POST", "/selfheal/clock", {"advance": seconds})["t"])

    def wait(self, condition: Callable[[], bool], *, limit: float = 3600, step: float = 1) -> float:
        """Let time pass, ``step`` seconds at a time, until a condition holds. TimeoutError after ``limit`` seconds."""
        end = self.now + limit
        while not condition():
            if self.advance(step) > end:
                raise TimeoutError(f"the condition did not come true within {limit:g} s")
        return self.now

    def eventually(self, condition: Callable[[], bool], *, patience: float = 20) -> None:
        """Give a program outside, such as an operator, real time to act until a condition holds. The cluster's clock
        goes on at its own speed, or stands. TimeoutError after ``patience`` real seconds.
        """
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"the condition did not come true within {patience:g} s of real time")
            time.sleep(LOOK)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to its API: ``ask("GET", "/api/v1/namespaces/default/pods")["items"]``. Raises ApiError."""
        return self._remote.ask(method, path, body)

    def apply(self, source: Any, *, namespace: str = "default") -> str:
        """``kubectl apply`` of a path, a text, or objects. Returns what kubectl prints; raises ApiError."""

        def own(objs: list[dict[str, Any]]) -> list[str]:
            return [self.act("apply", "manifest", namespace=namespace, manifests=objs)]

        return "\n".join(applying.apply(source, self._remote.ask, own, space=namespace))

    def act(self, verb: str, args: Any, *, namespace: str = "default", **more: Any) -> str:
        """One action of an actions.yaml: ``act("kill", {"pod": "web-0"})``. Returns what came of it."""
        record = self._remote.ask("POST", f"/selfheal/actions?namespace={namespace}", {verb: args, **more})
        return str(record["result"])

    def fault(self, kind: str, target: str = "", *, for_: float | None = None) -> str:
        """Something goes wrong (:mod:`selfheal.faults`), for some seconds or for good."""
        wanted = {"kind": kind, "target": target, "for": for_}
        return self.act("fault", {key: value for key, value in wanted.items() if value})

    @property
    def timeline(self) -> Timeline:
        """What has happened so far, probes and traffic included."""
        text = self._remote.text("GET", "/selfheal/timeline?all=true")
        return Timeline.from_lines(text.splitlines(keepends=True), "timeline")


@contextlib.contextmanager
def up(*, nodes: int = 1, speed: float = 1.0, seed: int = 0, **options: Any) -> Iterator[Running]:
    """A cluster until the end of the block; ``speed=0``: its clock moves only when it is told to."""
    try:
        emulator = Emulator(nodes=nodes, speed=speed, seed=seed, **options)
    except ValueError as error:
        raise ApiError(str(error)) from None
    with emulator.running():
        yield Running(emulator)
