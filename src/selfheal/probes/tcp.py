"""The tcpSocket probe: can the port be opened? (pkg/probe/tcp/tcp.go DoTCPProbe)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfheal.network import Network
from selfheal.probes.result import Outcome, PortError, port_number

if TYPE_CHECKING:
    from selfheal.spec import ContainerPort, TCPSocketAction


def dial_error(host: str, ip: str | None, port: int, unreachable: str) -> str:
    """Go's text for a connection that did not come about."""
    if ip is None:
        return f"dial tcp: lookup {host}: no such host"
    shown = "[::1]" if host in ("localhost", "::1") else host
    why = "connect: connection refused" if unreachable == "refused" else "i/o timeout"
    return f"dial tcp {shown}:{port}: {why}"


def probe(
    network: Network,
    source: str,
    action: TCPSocketAction,
    ports: Sequence[ContainerPort],
    pod_ip: str,
    timeout: int,
) -> Outcome:
    """Open the port from ``source`` (the node) and hang up. ``timeout`` in µs."""
    try:
        port = port_number(action.port, ports)
    except PortError as error:
        return Outcome("unknown", error=str(error))
    host = action.host or pod_ip
    own = host == pod_ip
    ip = network.resolve(host)
    server = network.connect(source, ip, port) if ip is not None else "refused"
    if isinstance(server, str):
        duration = timeout if server == "timeout" else 0
        return Outcome("failure", dial_error(host, ip, port, server), duration=duration, steady=own)
    steady = server.tcp()
    return Outcome("success", steady=steady and own)
