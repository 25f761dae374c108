"""The grpc probe: what does the health service say? (pkg/probe/grpc/grpc.go)

It never ends in an error, always in success or failure. A closed port, and one that does not
speak gRPC, cost the whole timeout: the dial is repeated until its deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfheal.network import GRPCError, Network
from selfheal.probes.result import Outcome, go_duration

if TYPE_CHECKING:
    from selfheal.spec import GRPCAction


def probe(network: Network, source: str, action: GRPCAction, pod_ip: str, timeout: int) -> Outcome:
    """Call ``grpc.health.v1.Health/Check`` from ``source`` (the node). ``timeout`` in µs."""
    server = network.connect(source, pod_ip, action.port)
    answer = None if isinstance(server, str) else server.grpc(action.service)
    if answer is None:
        return unconnected(f"{pod_ip}:{action.port}", timeout)
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
