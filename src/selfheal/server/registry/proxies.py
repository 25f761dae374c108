"""``pods/proxy`` and ``services/proxy``: an HTTP request from outside to a simulated program.

staging/src/k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go
"""

from __future__ import annotations

import asyncio
from typing import cast

import simpy

from selfheal import network
from selfheal.clock import SECOND
from selfheal.errors import BadRequest, NotFound
from selfheal.objects import Object
from selfheal.server.context import Context
from selfheal.server.http import Response
from selfheal.server.registry import kubelets
from selfheal.server.statuses import Unreachable

PATIENCE = 30 * SECOND
"""How long an answer may take, in µs of cluster time."""


async def serve(context: Context) -> Response:
    """Pass the request on, and its answer back."""
    if context.info.resource.kind == "Node":
        return context.time.call(lambda: kubelets.serve(context))
    found = await exchange(context, *context.time.call(lambda: _target(context)), _passed_on(context))
    if isinstance(found, str):
        raise Unreachable(f"error trying to reach service: dial tcp: {found}")
    headers = {
        k: v for k, v in found.headers.items() if k.lower() not in ("content-type", "content-length", "connection")
    }
    kind = found.header("content-type") or "text/plain; charset=utf-8"
    return Response(found.status, found.body.encode(errors="surrogatepass"), kind, headers)


def _passed_on(context: Context) -> network.Request:
    request, info = context.request, context.info
    query = "&".join(f"{k}={v}" for k, values in request.query.items() for v in values)
    path = f"/{info.rest}" + (f"?{query}" if query else "")
    text = request.body.decode(errors="replace")
    keep = tuple((k, v) for k, v in request.headers.items() if k not in ("authorization", "host", "connection"))
    return network.Request(request.method, path, keep, text, "client", context.cause(what=f"{request.method} {path}"))


def _target(context: Context) -> tuple[str, int]:
    """(address, port): ``NAME``, ``NAME:PORT`` or ``http:NAME:PORT``."""
    info = context.info
    parts = info.name.split(":")
    scheme, name, port = parts if len(parts) == 3 else ["", *parts, ""][:3]
    if scheme not in ("", "http"):
        raise BadRequest(f"invalid {info.resource.kind.lower()} request {info.name!r}")
    found = context.store.get(info.resource.stored, info.namespace, name)
    if found is None:
        raise NotFound(f'{info.resource.named} "{name}" not found')
    spec = found["spec"]
    if info.resource.kind == "Service":
        ports: list[Object] = spec.get("ports") or []
        match = next((p for p in ports if not port or port in (p.get("name"), str(p["port"]))), None)
        if match is None:
            raise Unreachable(f'no endpoints available for service "{name}"')
        return str(spec.get("clusterIP", "")), int(match["port"])
    address = (found.get("status") or {}).get("podIP", "")
    if not address:
        raise BadRequest("address not allowed")
    named = {p.get("name"): p["containerPort"] for c in spec["containers"] for p in c.get("ports") or ()}
    if port and not port.isdecimal() and port not in named:
        raise BadRequest(f"no such port: {port}")
    first = next(iter(named.values()), 80)
    return str(address), int(port) if port.isdecimal() else int(named.get(port, first))


async def exchange(context: Context, address: str, port: int, request: network.Request) -> network.Response | str:
    """One request to a simulated server; the reason, if there is no answer."""
    clock, done = context.cluster.clock, asyncio.get_running_loop().create_future()

    def settle(value: network.Response | str) -> None:
        if not done.done():
            done.set_result(value)

    def arrived(response: network.Response) -> None:
        if response.broken is not None:
            settle(response.broken)
        elif response.delay is not None and not response.stall_body:
            clock.after(response.delay + response.body_delay, lambda: settle(response))

    def send() -> None:
        server = context.cluster.network.connect(request.source, address, port)
        if isinstance(server, str):
            settle("connect: connection refused" if server == "refused" else "i/o timeout")
            return
        clock.after(PATIENCE, lambda: settle("i/o timeout"))
        found = server.http(request)
        if isinstance(found, simpy.Event):
            if found.processed:
                arrived(cast("network.Response", found.value))
            else:
                found.callbacks.append(lambda event: arrived(event.value))
        else:
            arrived(found)

    context.time.call(send)
    result: network.Response | str = await done
    return result
