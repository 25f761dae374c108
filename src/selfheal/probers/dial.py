"""Connections as Go makes them: what each failure is called (net/dial.go, pkg/probe/dialer_others.go)."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct

from selfheal.probes.http import bracketed

CALLED = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.EPIPE: "broken pipe",
    errno.ETIMEDOUT: "connection timed out",
    errno.EACCES: "permission denied",
    errno.EINVAL: "invalid argument",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
}
"""What Linux calls its errors, as Go prints them."""

LINGER = struct.pack("ii", 1, 1)
"""A closed connection is forgotten after a second."""


class Failed(Exception):
    """A connection that did not come about, or broke; the text is Go's."""


def called(error: OSError) -> str:
    """An error in Linux's words."""
    return CALLED.get(error.errno or 0, (error.strerror or str(error)).lower())


async def dial(host: str, port: int) -> socket.socket:
    """A connection; of several addresses the first that takes it. Failed if none does. Knows no deadline."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Failed(f"dial tcp: lookup {host}: no such host") from None
    first: Failed | None = None
    for family, kind, protocol, _, address in found:
        own = socket.socket(family, kind, protocol)
        own.setblocking(False)
        try:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            await loop.sock_connect(own, address)
        except OSError as error:
            own.close()
            shown = f"{bracketed(str(address[0]))}:{port}"
            first = first or Failed(f"dial tcp {shown}: connect: {called(error)}")
        except BaseException:
            own.close()
            raise
        else:
            return own
    raise first or Failed(f"dial tcp: lookup {host}: no such host")
