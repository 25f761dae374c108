"""The tcpSocket probe: can the port be opened? (pkg/probe/tcp/tcp.go DoTCPProbe)"""

from __future__ import annotations

import asyncio

from selfheal.probers.dial import Failed, dial
from selfheal.probes import Outcome
from selfheal.probes.result import PortError, port_number
from selfheal.probes.tcp import dial_error


async def probe(host: str, port: int | str, timeout: int) -> Outcome:
    """One attempt. ``timeout`` in µs."""
    try:
        number = port_number(port, ())
    except PortError as error:
        return Outcome("unknown", error=str(error))
    try:
        async with asyncio.timeout(timeout / 1_000_000):
            (await dial(host, number)).close()
    except TimeoutError:
        return Outcome("failure", dial_error(host, host, number, "timeout"))
    except Failed as error:
        return Outcome("failure", str(error))
    return Outcome("success")
