"""Servers that programs open: a table of paths and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import simpy

from selfheal.clock import MILLISECOND
from selfheal.network import GRPCError, Request, Response, Server
from selfheal.programs.statuses import TEXTS

if TYPE_CHECKING:
    from selfheal.programs.process import Process, Running

Reply = Response | simpy.Event
Answer = int | str | Response | Callable[[Request], Reply]
"""What a path answers: a status, a body (with 200), a whole response, or whatever a function makes of the request."""

LISTENS_AFTER = (80 * MILLISECOND, 130 * MILLISECOND)
"""µs from the start of a Go server's process until its port is open, measured on a busy node."""

HANG = Response(0, delay=None)
"""No answer, ever."""


def booted(c: Process) -> Running:
    """Wait until a server written in Go listens."""
    stream = c.kernel.chances
    yield c.kernel.clock.sleep(stream.between(stream.next(), *LISTENS_AFTER))
    return None


class RouteServer(Server):
    """Answers by path. ``"*"`` stands for all paths that are not in the table; without it they get 404."""

    def __init__(self, process: Process, routes: Mapping[str, Answer]) -> None:
        self._process = process
        self.routes: dict[str, Response | Callable[[Request], Reply]] = {}
        for path, answer in routes.items():
            self.route(path, answer)

    def route(self, path: str, answer: Answer) -> None:
        """Set what a path answers from now on."""
        if isinstance(answer, int):
            answer = Response(answer, TEXTS.get(answer, ""))
        elif isinstance(answer, str):
            answer = Response(200, answer)
        self.routes[path] = answer

    def http(self, request: Request) -> Reply:
        if self._process.stopped:
            return HANG
        kernel = self._process.kernel
        reply = self._reply(request)
        if kernel.lag and isinstance(reply, Response) and reply.delay is not None:
            return replace(reply, delay=reply.delay + kernel.lag)
        return reply

    def _reply(self, request: Request) -> Reply:
        routes = self.routes
        answer = routes.get(request.path) or routes.get(request.route) or routes.get("*")
        if answer is None:
            return NOT_FOUND
        if isinstance(answer, Response):
            return answer
        kernel = self._process.kernel
        before = kernel.mark()
        reply = answer(request)
        if isinstance(reply, Response) and kernel.mark() != before:
            reply.steady = False
        return reply


NOT_FOUND = Response(404, "404 page not found\n")


class HealthServer(Server):
    """A gRPC server with the health service: a status for each service it knows."""

    def __init__(self, process: Process, services: Mapping[str, str]) -> None:
        self._process = process
        self.services = dict(services)

    def grpc(self, service: str) -> str | GRPCError | None:
        if self._process.stopped:
            return None
        return self.services.get(service) or GRPCError("NotFound", "unknown service")

    def http(self, request: Request) -> Response:
        del request
        return Response(0, broken='net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00"')


def redirect(request: Request, location: str, status: int = 302) -> Response:
    """Go's http.Redirect: the answer to a GET carries a small page."""
    if "://" not in location and not location.startswith("/"):
        location = request.route.rpartition("/")[0] + "/" + location
    body = f'<a href="{location}">{TEXTS.get(status, "")}</a>.\n\n' if request.method == "GET" else ""
    return Response(status, body, {"Location": location, "Content-Type": "text/html; charset=utf-8"})


def when_ended(run: Process, make: Callable[[], Response]) -> Reply:
    """What ``make()`` answers once a process has ended; if its container ends first, nothing."""
    if run.ended:
        return make()
    kernel = run.kernel
    event = kernel.clock.event()

    def ended(_: Process) -> None:
        event.succeed(Response(0, broken="EOF") if kernel.halted else make())

    run.on_end = ended
    return event


def told(reply: Reply, make: Callable[[Response], Response]) -> Reply:
    """What ``make()`` makes of another server's answer, when that has come."""
    if isinstance(reply, Response):
        return make(reply)
    if reply.processed:
        return make(cast("Response", reply.value))
    event = reply.env.event()

    def came(first: simpy.Event) -> None:
        event.succeed(make(cast("Response", first.value)))

    reply.callbacks.append(came)
    return event


def whole(query: dict[str, str], name: str, default: int) -> int:
    """A number of a query; ``default`` if it is missing or none."""
    text = query.get(name, "")
    return int(text[:9]) if text.isdecimal() else default


def answer(code: int, body: str = "", delay: int = 0, body_delay: int = 0, body_cut: bool = False) -> Response:
    """An answer of Go's server, which breaks off at a status that is none (net/http checkWriteHeaderCode)."""
    if not 100 <= code <= 999:
        return Response(0, broken="EOF")
    return Response(code, body, delay=delay, body_delay=body_delay, body_cut=body_cut)
