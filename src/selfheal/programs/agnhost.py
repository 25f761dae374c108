"""``agnhost``, the image of Kubernetes' own tests (test/images/agnhost): the subcommands that serve health."""

from __future__ import annotations

from collections.abc import Callable

from selfheal.clock import SECOND, micros
from selfheal.network import Request, Response
from selfheal.probes.result import go_duration
from selfheal.programs import flags, testservers
from selfheal.programs.netexec import netexec
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import Answer, HealthServer, answer, booted, redirect, whole

LIVES = 10
"""Seconds for which ``agnhost liveness`` is well (liveness/server.go)."""


def agnhost(c: Process) -> Running:
    """The subcommand that the first argument names."""
    name = c.argv[1] if len(c.argv) > 1 else "pause"
    command = COMMANDS.get(name)
    if command is None:
        return c.fail(f'Error: unknown command "{name}" for "app"')
    try:
        return (yield from command(c))
    except flags.FlagError as error:
        c.complain(f"Error: {error}")
        return 1


def liveness(c: Process) -> Running:
    """Well for 10 s, then 500 for ever. TERM ends it with 2, as Go ends without a handler (server.go)."""
    started = c.kernel.clock.now
    c.on("TERM", lambda: c.exit(2))

    def since() -> str:
        c.kernel.restless += 1
        return go_duration(c.kernel.clock.now - started)

    def slept(request: Request) -> Response:
        query = request.query()
        body = f"Slept for {query.get('time', '0')} secs\n" + _filler(query)
        return answer(whole(query, "code", 500), body, delay=whole(query, "time", 0) * SECOND)

    def half(request: Request) -> Response:
        query = request.query()
        wait = whole(query, "time", 0) + whole(query, "size", 0) * whole(query, "interval", 0)
        return answer(whole(query, "code", 500), _filler(query), body_delay=wait * SECOND)

    def trickled(request: Request) -> Response:
        query = request.query()
        wait = whole(query, "size", 0) * whole(query, "interval", 0)
        return answer(whole(query, "code", 500), _filler(query), body_delay=wait * SECOND)

    def broken_off(request: Request) -> Response:
        query = request.query()
        return answer(whole(query, "code", 500), "Disconnecting\n", body_cut=True)

    def ill() -> None:
        c.set(8080, "/healthz", Response(500, f"error: {LIVES}"))
        c.report(False, "10 seconds are over: /healthz answers 500")

    yield from booted(c)
    routes: dict[str, Answer] = {
        "/healthz": "ok",
        "/started": lambda _: Response(200, since()),
        "/redirect": lambda request: redirect(request, request.query().get("loc", "")),
        "/sleep-headers": slept,
        "/sleep-body": half,
        "/slow-response": trickled,
        "/disconnect-headers": Response(0, broken="EOF"),
        "/disconnect-body": broken_off,
    }
    if c.serve(8080, routes) is None:
        return c.fail("listen tcp :8080: bind: address already in use")
    c.report(True, "ok")
    left = micros(LIVES) - (c.kernel.clock.now - started)
    c.after((left + 1) / SECOND, ill)
    yield c.forever()
    return 0


def _filler(query: dict[str, str]) -> str:
    """So many KiB of a body (liveness/server.go writeBody)."""
    return "x" * 1024 * min(1024, whole(query, "size", 0))


def grpc_health_checking(c: Process) -> Running:
    """The gRPC health service on --port, switched by HTTP (grpc-health-checking.go). TERM ends it with 2."""
    known = {"port": "5000", "http-port": "8080", "delay-unhealthy-sec": "-1", "service": ""}
    values, _ = flags.parse(c.argv[2:], known)
    port, http_port = flags.number(values, "port"), flags.number(values, "http-port")
    delay = flags.number(values, "delay-unhealthy-sec")
    service = values["service"]
    started = c.kernel.clock.now
    c.on("TERM", lambda: c.exit(2))
    yield from booted(c)
    server = HealthServer(c, {service: "SERVING"})

    def make(status: str, text: str) -> Callable[[Request], Response]:
        def made(request: Request) -> Response:
            c.log(text)
            if server.services[service] != status:
                server.services[service] = status
                c.kernel.interface.changed()
                c.report(status == "SERVING", status, request.cause)
            return Response(200, go_duration(c.kernel.clock.now - started))

        return made

    c.log(f"Http server starting to listen on :{http_port}")
    routes = {
        "/make-serving": make("SERVING", "Mark as healthy"),
        "/make-not-serving": make("NOT_SERVING", "Mark as unhealthy"),
    }
    if c.serve(http_port, routes) is None:
        return c.fail(f"listen tcp :{http_port}: bind: address already in use")
    if not c.listen(port, server):
        return c.fail(f"Error while starting the listening service listen tcp :{port}: bind: address already in use")
    c.log(f"gRPC server starting to listen on :{port}")
    if delay >= 0:
        c.after(max(0.0, delay - (c.kernel.clock.now - started) / SECOND), lambda: _unwell(c, server, service))
    yield c.forever()
    return 0


def _unwell(c: Process, server: HealthServer, service: str) -> None:
    server.services[service] = "NOT_SERVING"
    c.kernel.interface.changed()
    c.report(False, "NOT_SERVING")


def pause(c: Process) -> Running:
    """Nothing, until a signal says so: TERM ends it with 2, INT with 1 (pause/pause.go)."""
    c.log("Paused")
    c.on("TERM", lambda: c.exit(2))
    c.on("INT", lambda: c.exit(1))
    yield c.forever()
    return 0


COMMANDS: dict[str, Callable[[Process], Running]] = {
    "liveness": liveness,
    "netexec": netexec,
    "grpc-health-checking": grpc_health_checking,
    "pause": pause,
    "connect": testservers.connect,
    "entrypoint-tester": testservers.entrypoint_tester,
    "nettest": testservers.nettest,
    "porter": testservers.porter,
    "serve-hostname": testservers.serve_hostname,
    "test-webserver": testservers.test_webserver,
}
