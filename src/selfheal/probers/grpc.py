"""The grpc probe, by grpcio (pkg/probe/grpc/grpc.go). Needs the extra ``selfheal[probe]``."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import grpc.aio

from selfheal import grpchealth
from selfheal.network import GRPCError
from selfheal.probes import Outcome
from selfheal.probes.grpc import failed, unconnected, verdict
from selfheal.probes.http import USER_AGENT, bracketed

OPTIONS = [
    ("grpc.primary_user_agent", USER_AGENT),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own each time
    ("grpc.initial_reconnect_backoff_ms", 1000),
]


async def probe(host: str, port: int, service: str, timeout: int) -> Outcome:
    """One attempt. ``timeout`` in µs covers the connection and the call."""
    address = f"{bracketed(host)}:{port}"
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout / 1_000_000
    channel = grpc.aio.insecure_channel(address, options=OPTIONS)
    try:
        try:
            async with asyncio.timeout_at(deadline):
                await channel.channel_ready()
        except TimeoutError:
            return unconnected(address, timeout)
        call = channel.unary_unary(f"/{grpchealth.SERVICE}/Check")
        answer = await call(grpchealth.request(service), timeout=max(0.001, deadline - loop.time()))
        return verdict(grpchealth.status(answer))
    except grpc.aio.AioRpcError as error:
        return failed(GRPCError(go_code(error.code().name), error.details() or ""), timeout)
    except ValueError as error:
        return failed(GRPCError("Internal", str(error)), timeout)
    finally:
        with contextlib.suppress(grpc.aio.UsageError):
            await channel.close()


def go_code(name: str) -> str:
    """``NOT_FOUND`` → ``NotFound``; Go spells one of them in its own way."""
    return {"CANCELLED": "Canceled", "OK": "OK"}.get(name) or name.title().replace("_", "")
