"""postStart and preStop (pkg/kubelet/lifecycle/handlers.go)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import simpy

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.network import Network
from selfheal.objects import Object, name, namespace, uid
from selfheal.probes import http
from selfheal.rules import Cause
from selfheal.runtime import Container as RuntimeContainer
from selfheal.runtime import Runtime
from selfheal.spec import Container, ExecAction, HTTPGetAction, SleepAction, TCPSocketAction

Steps = Generator[simpy.Event, Any, Any]

PATIENCE = 10**9 * SECOND
"""The kubelet's client for hooks has no timeout."""

CANCELED = "rpc error: code = Canceled desc = context canceled"
"""What the runtime's client says of a call that is given up."""


class Hooks:
    """Runs the hooks of one node's containers."""

    def __init__(
        self, clock: Clock, chance: Chance, network: Network, runtime: Runtime, events: EventRecorder, node: str
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._network = network
        self._runtime = runtime
        self._events = events
        self._node = node

    def run(
        self,
        pod: Object,
        c: Container,
        container: RuntimeContainer,
        handler: Any,
        cancelled: simpy.Event,
    ) -> Steps:
        """Run one hook to its end; None, or what went wrong.

        When the pod is deleted (or its grace period gets shorter) meanwhile, the sync that waits for the hook is
        ``cancelled``, and that is a failure of the hook.
        """
        where = f'for Container "{c.name}" in Pod "{name(pod)}_{namespace(pod)}({uid(pod)})"'
        if isinstance(handler, SleepAction):
            over = self._clock.sleep(handler.seconds * SECOND)
            if not cancelled.triggered:
                yield over | cancelled
            if over.processed:
                return None
            why = "container terminated before sleep hook finished"
            return f"Sleep lifecycle hook ({handler.seconds}) {where} failed - error: {why}"
        if isinstance(handler, ExecAction):
            command = " ".join(handler.command)
            failed = f"Exec lifecycle hook ([{command}]) {where} failed - error:"
            if cancelled.triggered:
                return f'{failed} {CANCELED}, message: ""'
            process = self._runtime.exec(container, list(handler.command))
            if not process.done:
                yield process.finished | cancelled
            if not process.done:
                process.kill()
                return f'{failed} {CANCELED}, message: ""'
            if process.error is not None:
                return f'{failed} {process.error}, message: ""'
            if process.exit_code == 0:
                return None
            return (
                f"{failed} command '{command}' exited with "
                f'{process.exit_code}: {process.output}, message: "{process.output}"'
            )
        if isinstance(handler, HTTPGetAction):
            error = yield from self._get(c, container, handler)
            if error is not None and error.endswith(http.PLAIN):
                error = yield from self._get(c, container, replace(handler, scheme="HTTP"))
                if error is None:
                    target, _ = http.first_target(handler, c.ports, container.sandbox.ip)
                    told = f"request to HTTPS lifecycle hook {target.host}:{target.port} got HTTP response"
                    text = f"{told}, retry with HTTP succeeded"
                    self._events.event(pod, "Warning", "LifecycleHTTPFallback", text)
            return error and f"HTTP lifecycle hook ({handler.path}) {where} failed - error: {error}"
        assert isinstance(handler, TCPSocketAction)  # accepted by the API, and fails here
        port = f"{{0 {handler.port} }}" if isinstance(handler.port, int) else f"{{1 0 {handler.port}}}"
        said = f"Exec:nil,HTTPGet:nil,TCPSocket:&TCPSocketAction{{Port:{port},Host:{handler.host},}},Sleep:nil,"
        return f"Cannot run handler: invalid handler: &LifecycleHandler{{{said}}}"

    def _get(self, c: Container, container: RuntimeContainer, action: HTTPGetAction) -> Steps:
        """One GET; None, or why there was no answer. Whatever is answered is good, and is waited for without limit."""
        request = replace(action, http_headers=(*action.http_headers, ("User-Agent", "kube-lifecycle/1.36")))
        outcome = http.probe(self._network, self._node, request, c.ports, container.sandbox.ip, PATIENCE)
        if isinstance(outcome, simpy.Event):
            outcome = yield outcome
        else:
            yield self._clock.sleep(outcome.duration)
        answered = outcome.result in ("success", "warning") or outcome.output.startswith(http.BAD_STATUS)
        return None if answered else outcome.error or outcome.output

    def pre_stop(
        self,
        pod: Object,
        c: Container,
        container: RuntimeContainer,
        handler: Any,
        cause: Cause | None,
        cancelled: simpy.Event,
    ) -> Steps:
        """As a process of its own: the kubelet stops waiting at the end of the grace period, the hook goes on."""
        error = yield from self.run(pod, c, container, handler, cancelled)
        if error is not None:
            self._events.event(
                pod, "Warning", "FailedPreStopHook", "PreStopHook failed", field=c.field_path, cause=cause
            )
