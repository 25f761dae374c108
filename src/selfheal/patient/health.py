"""``grpc.health.v1`` for the patient: Check, and Watch, which says each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

import grpc
import grpc.aio

from selfheal import grpchealth
from selfheal.programs.health import HANG, Patient


class Watched(Protocol):
    """A patient, and who wants to know when it changes."""

    app: Patient
    watchers: set[asyncio.Event]


async def serve(host: Watched, address: str) -> grpc.aio.Server:
    """Open the port; gives the server. RuntimeError if it is taken."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health = Health(host)
    methods = {
        "Check": grpc.unary_unary_rpc_method_handler(health.check, grpchealth.service),
        "Watch": grpc.unary_stream_rpc_method_handler(health.watch, grpchealth.service),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(grpchealth.SERVICE, methods)])
    server.add_insecure_port(address)
    await server.start()
    return server


class Health:
    """The service."""

    def __init__(self, host: Watched) -> None:
        self._host = host

    async def check(self, service: str, context: Any) -> bytes:
        """How it is now; a service that nobody knows is an error."""
        status = self._host.app.status(service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        elif status == HANG:
            await asyncio.Event().wait()  # until the client has had enough
        return grpchealth.response(status or "UNKNOWN")

    async def watch(self, service: str, context: Any) -> AsyncIterator[bytes]:
        """How it is, and again whenever that changes; a service that nobody knows may yet come."""
        del context
        changed = asyncio.Event()
        self._host.watchers.add(changed)
        last = None
        try:
            while True:
                status = self._host.app.status(service) or "SERVICE_UNKNOWN"
                if status not in (last, HANG):
                    yield grpchealth.response(status)
                    last = status
                await changed.wait()
                changed.clear()
        finally:
            self._host.watchers.discard(changed)
