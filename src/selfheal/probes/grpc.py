"""The grpc probe: what does the health service say? (pkg/probe/grpc/grpc.go)

It never ends in an error, always in success or failure. A closed port, and one that does not
speak gRPC, cost the whole timeout: the dial is repeated until its deadline, 1 s after the first
try and then ever later, so that with a timeout of more than 1 s a server may open its port meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from selfheal.clock import SECOND
from selfheal.network import GRPCError, Network
from selfheal.probes.result import Outcome, go_duration

if TYPE_CHECKING:
    from selfheal.spec import GRPCAction


FIRST_RETRY = SECOND
"""After the first try, in µs (google.golang.org/grpc/backoff DefaultConfig)."""
LONGER = 1.6
"""How much longer each further wait is than the one before; really ± 20 %."""


def probe(network: Network, source: str, action: GRPCAction, pod_ip: str, timeout: int) -> Outcome | simpy.Event:
    """Call ``grpc.health.v1.Health/Check`` from ``source`` (the node). ``timeout`` in µs.

    Gives the outcome at once, or, while it dials again, an event with it.
    """
    outcome = _try(network, source, action, pod_ip, timeout)
    if outcome is not None:
        return outcome
    address = f"{pod_ip}:{action.port}"
    if timeout <= FIRST_RETRY:
        return unconnected(address, timeout)
    clock = network.clock
    done = clock.event()

    def again(spent: int, wait: int) -> None:
        if spent + wait >= timeout:
            clock.after(timeout - spent, lambda: done.succeed(unconnected(address, timeout)))
            return

        def dial() -> None:
            now = spent + wait
            outcome = _try(network, source, action, pod_ip, timeout)
            if outcome is None:
                again(now, int(wait * LONGER))
            else:
                clock.after(timeout - now if outcome.duration else 0, lambda: done.succeed(outcome))

        clock.after(wait, dial)

    again(0, FIRST_RETRY)
    return done


def _try(network: Network, source: str, action: GRPCAction, pod_ip: str, timeout: int) -> Outcome | None:
    """One dial, and the call; None if it will be dialled again."""
    server = network.connect(source, pod_ip, action.port)
    if server == "timeout":
        return unconnected(f"{pod_ip}:{action.port}", timeout)
    answer = None if isinstance(server, str) else server.grpc(action.service)
    if answer is None:
        return None
    return verdict(answer) if isinstance(answer, str) else failed(answer, timeout)


def verdict(status: str) -> Outcome:
    """What a status of the health service means."""
    if status == "SERVING":
        return Outcome("success", "service healthy")
    return Outcome("failure", f'service unhealthy (responded with "{status}")')


def unconnected(address: str, timeout: int) -> Outcome:
    """No connection within the timeout."""
    text = f'timeout: failed to connect service "{address}" within {go_duration(timeout)}: context deadline exceeded'
    return Outcome("failure", text, duration=timeout)


def failed(error: GRPCError, timeout: int) -> Outcome:
    """What it means that the call ended with a code."""
    if error.code == "Unimplemented":
        text = f"this server does not implement the grpc health protocol (grpc.health.v1.Health): {error.message}"
        return Outcome("failure", f"error: {text}")
    if error.code == "DeadlineExceeded":
        text = f"timeout: health rpc did not complete within {go_duration(timeout)}"
        return Outcome("failure", text, duration=timeout)
    text = f"rpc error: code = {error.code} desc = {error.message}"
    return Outcome("failure", f"error: health rpc probe failed: {text}")
