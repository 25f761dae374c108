"""One container on one node, for tests that look inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import simpy

from selfheal import spec
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, micros
from selfheal.network import Network, Request, Response
from selfheal.probes import Outcome, grpc, http, tcp
from selfheal.probes import exec as command
from selfheal.programs.filesystem import Node
from selfheal.runtime import Container, Exec, Runtime

NODE, IP = "node-1", "10.88.1.2"


class Box:
    """A pod with one container; ``Box("sleep 5; exit 3")`` runs a line in busybox' shell."""

    def __init__(
        self,
        line: str | None = None,
        *,
        mounts: Mapping[str, Node] | None = None,
        env: Mapping[str, str] | None = None,
        seed: int = 1,
        **fields: Any,
    ) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        self.runtime = Runtime(self.clock, Chance(seed), self.network, NODE)
        self.reports: list[tuple[float, bool, str]] = []
        self.runtime.on_report = lambda _, healthy, text, __: self.reports.append((self.now, healthy, text))
        self.changes: list[float] = []
        self.runtime.on_change = lambda _: self.changes.append(self.now)
        wire: dict[str, Any] = {"name": "app", "image": "busybox:1.36", **fields}
        if line is not None:
            wire["command"] = ["sh", "-c", line]
        self.wire = wire
        self.mounts, self.env = mounts, env
        self.sandbox = self.runtime.run_sandbox("uid", "default", "web-0", IP)
        self.attempt = -1
        self.container: Container
        self.again()

    def again(self) -> Box:
        """Start another instance of the container."""
        self.attempt += 1
        of = spec.container(self.wire)
        self.container = self.runtime.create_container(
            self.sandbox, of, attempt=self.attempt, env=self.env, mounts=self.mounts
        )
        self.runtime.start_container(self.container)
        return self

    @property
    def now(self) -> float:
        return self.clock.seconds

    def run(self, until: float) -> Box:
        """Go on until that second."""
        self.clock.run(micros(until))
        return self

    @property
    def log(self) -> list[str]:
        return [line for _, line in self.container.log]

    @property
    def times(self) -> list[tuple[float, str]]:
        return [(t / SECOND, line) for t, line in self.container.log]

    @property
    def end(self) -> tuple[float, int | None, str] | None:
        """(second, exit code, reason), once it has exited."""
        c = self.container
        return None if c.finished_at is None else (c.finished_at / SECOND, c.exit_code, c.reason)

    def stop(self, grace: float = 30) -> simpy.Event:
        return self.runtime.stop_container(self.container, micros(grace))

    def kill(self, signal: str = "KILL") -> None:
        self.runtime.kill(self.container, signal)

    def exec(self, *argv: str, stdin: str | None = None) -> Exec:
        return self.runtime.exec(self.container, argv, stdin=stdin)

    def sh(self, line: str) -> Exec:
        return self.exec("sh", "-c", line)

    def http(self, path: str = "/", port: int = 8080, method: str = "GET", body: str = "") -> Response | str:
        """The answer to a request from the node."""
        answer = self.network.request(NODE, IP, port, Request(method, path, body=body))
        assert not isinstance(answer, simpy.Event)
        return answer

    def status(self, path: str = "/", port: int = 8080) -> int | str:
        """The status of an answer; ``hang`` if there is none; or why there is no connection."""
        answer = self.http(path, port)
        if isinstance(answer, str):
            return answer
        return "hang" if answer.delay is None else answer.status

    def probe(self, wire: dict[str, Any], timeout: float = 1) -> Outcome:
        """One attempt with a handler as in a manifest; time goes on if it must."""
        handler = spec.handler(wire)
        patience = micros(timeout)
        ports = self.container.spec.ports
        found: Outcome | simpy.Event
        if isinstance(handler, spec.HTTPGetAction):
            found = http.probe(self.network, NODE, handler, ports, IP, patience)
        elif isinstance(handler, spec.TCPSocketAction):
            found = tcp.probe(self.network, NODE, handler, ports, IP, patience)
        elif isinstance(handler, spec.GRPCAction):
            found = grpc.probe(self.network, NODE, handler, IP, patience)
        else:
            assert isinstance(handler, spec.ExecAction)
            found = command.probe(self.runtime, self.container, handler.command, patience)
        if isinstance(found, simpy.Event):
            self.clock.run(self.clock.now + patience + micros(121), stop=lambda: found.triggered)
            outcome = found.value
            assert isinstance(outcome, Outcome)
            return outcome
        return found
