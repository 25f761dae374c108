"""/selfheal: what no real API server has. Actions are done to the cluster from outside, its timeline is read.

``POST /selfheal/actions`` takes one entry of an actions.yaml, and looks up what it names in ``?namespace=``; the clock
stands while it is performed, but for the time that the action itself takes. ``GET /selfheal/timeline`` gives the
records, ``GET /selfheal/clock`` tells the time; a ``POST`` to it says how fast it goes (``{"speed": 10}``; 0: it
stands) or lets time pass at once (``{"advance": 60}``). ``GET /selfheal/status`` says how all is, and
``POST /selfheal/down`` ends it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from selfheal.actions import perform
from selfheal.clock import SECOND, micros
from selfheal.errors import BadRequest
from selfheal.objects import condition_true
from selfheal.scenario.actions import action
from selfheal.server import statuses
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Request, Response, as_json

if TYPE_CHECKING:
    from selfheal.server.apiserver import APIServer


async def serve(server: APIServer, request: Request) -> Response:
    """Answer a request under /selfheal."""
    asked = request.method, request.path
    if asked == ("POST", "/selfheal/actions"):
        return await _act(server, write.body(request), request.get("begin"), request.get("namespace") or "default")
    if asked == ("GET", "/selfheal/timeline"):
        return _timeline(server, request)
    if asked == ("GET", "/selfheal/clock"):
        return as_json(server.time.call(lambda: clock(server)))
    if asked == ("POST", "/selfheal/clock"):
        return as_json(await _set(server, write.body(request)))
    if asked == ("GET", "/selfheal/status"):
        return as_json(server.time.call(lambda: status(server)))
    if asked == ("POST", "/selfheal/down"):
        asyncio.get_running_loop().call_later(FAREWELL, server.end)
        return as_json({"down": True})
    raise statuses.no_such_path()


FAREWELL = 0.05
"""Real seconds between the answer to ``down`` and the end."""


def status(server: APIServer) -> dict[str, Any]:
    """The cluster at a glance."""
    store = server.cluster.store
    server.cluster.settle()
    nodes, pods = store.list("Node"), store.list("Pod")
    return {
        **clock(server),
        "address": f"https://{server.address}",
        "nodes": len(nodes),
        "nodesReady": sum(condition_true(n, "Ready") for n in nodes),
        "pods": len(pods),
        "podsReady": sum(condition_true(p, "Ready") for p in pods),
    }


def clock(server: APIServer) -> dict[str, Any]:
    """What time it is, and how fast it goes."""
    cluster = server.cluster
    return {"t": round(cluster.now, 3), "time": cluster.clock.timestamp(), "speed": server.time.speed}


FASTEST, FARTHEST = 10_000, 1e8
"""The most that one can ask of the clock: its speed, and seconds at once."""


async def _set(server: APIServer, wanted: Any) -> dict[str, Any]:
    """Another speed, then some time at once; others are answered in between."""
    known = {"speed": FASTEST, "advance": FARTHEST}
    if not isinstance(wanted, dict) or not wanted or any(key not in known for key in wanted):
        raise BadRequest('the body must be {"speed": X}, {"advance": SECONDS}, or both')
    for key, value in wanted.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= known[key]:
            raise BadRequest(f"{key} must be a number between 0 and {known[key]:g}")
    if "speed" in wanted:
        server.time.set_speed(wanted["speed"])
    if "advance" in wanted:
        with server.time.hold():
            sim = server.cluster.clock
            end = sim.now + micros(wanted["advance"])
            while sim.now < end:
                sim.run(min(end, sim.now + STRIDE))
                await asyncio.sleep(0)
    return server.time.call(lambda: clock(server))


STRIDE = SECOND
"""Cluster time that passes between two looks at who else wants something, in µs."""


async def _act(server: APIServer, entry: Any, begin: str, namespace: str) -> Response:
    """Perform one action; answers with its record once it has been done. What it names lies in ``namespace``.

    Without ``begin`` it is done now, and the clock stands but for the time that the action takes. With it, when
    ``begin`` + ``at`` seconds of cluster time have come, to the microsecond.
    """
    if not isinstance(entry, dict):
        raise BadRequest("the body must be one entry of a list of actions")
    wanted = action({"at": 0, **entry}, "action", None)
    cluster, records = server.cluster, list[dict[str, Any]]()
    if not begin:
        with server.time.hold():
            perform(cluster, wanted, records.append, namespace=namespace)
            cluster.run(lambda: bool(records))
        return as_json(records[0], 201)
    try:
        when = micros(float(begin) + wanted.at)
    except (ValueError, OverflowError):
        raise BadRequest(f"begin must be seconds of cluster time, not {begin!r}") from None
    done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def settle(record: dict[str, Any]) -> None:
        if not done.done():
            done.set_result(record)

    server.time.call(lambda: cluster.clock.at(when, lambda: perform(cluster, wanted, settle, namespace=namespace)))
    return as_json(await done, 201)


def _timeline(server: APIServer, request: Request) -> Response:
    """The timeline as JSON Lines; ``?all=true`` with what only a simulator knows."""
    cluster = server.cluster

    def read() -> str:
        cluster.timeline.header["until"] = max(cluster.timeline.header["until"], round(cluster.now, 3))
        return cluster.timeline.to_jsonl(record_all=request.flag("all"))

    return Response(200, server.time.call(read).encode(errors="surrogatepass"), "application/jsonl")
