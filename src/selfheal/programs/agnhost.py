"""``agnhost``, the image of Kubernetes' own tests (test/images/agnhost): the subcommands that serve health."""

from __future__ import annotations

import json
from collections.abc import Callable

from selfheal.clock import MILLISECOND, SECOND, micros
from selfheal.network import Request, Response
from selfheal.probes.result import go_duration
from selfheal.programs import flags
from selfheal.programs.filesystem import Executable
from selfheal.programs.plain import pause
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import Answer, HealthServer, redirect
from selfheal.programs.streams import Capture, Stream

LISTENS_AFTER = (80 * MILLISECOND, 130 * MILLISECOND)
"""µs from the start of a Go server's process until its port is open, measured on a busy node."""

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


def _booted(c: Process) -> Running:
    """Wait until the server listens."""
    stream = c.kernel.chances
    yield c.kernel.clock.sleep(stream.between(stream.next(), *LISTENS_AFTER))
    return None


def liveness(c: Process) -> Running:
    """Well for 10 s, then 500 for ever. TERM ends it with 2, as Go ends without a handler (server.go)."""
    started = c.kernel.clock.now
    c.on("TERM", lambda: c.exit(2))

    def since() -> str:
        c.kernel.restless += 1
        return go_duration(c.kernel.clock.now - started)

    def slept(request: Request) -> Response:
        query = request.query()
        body = "x" * 1024 * min(1024, _whole(query, "size", 0))
        return _answer(_whole(query, "code", 500), body, delay=_whole(query, "time", 0) * SECOND)

    def half(request: Request) -> Response:
        query = request.query()
        return _answer(_whole(query, "code", 500), stall_body=_whole(query, "time", 0) > 0)

    def ill() -> None:
        c.set(8080, "/healthz", Response(500, f"error: {LIVES}"))
        c.report(False, "10 seconds are over: /healthz answers 500")

    yield from _booted(c)
    routes: dict[str, Answer] = {
        "/healthz": "ok",
        "/started": lambda _: Response(200, since()),
        "/redirect": lambda request: redirect(request, request.query().get("loc", "")),
        "/sleep-headers": slept,
        "/sleep-body": half,
        "/disconnect-headers": Response(0, broken="EOF"),
    }
    if c.serve(8080, routes) is None:
        return c.fail("listen tcp :8080: bind: address already in use")
    c.report(True, "ok")
    left = micros(LIVES) - (c.kernel.clock.now - started)
    c.after((left + 1) / SECOND, ill)
    yield c.forever()
    return 0


def netexec(c: Process) -> Running:
    """A server that does what it is asked (netexec/netexec.go). TERM ends it with 0."""
    known = {
        "http-port": "8080",
        "udp-port": "8081",
        "sctp-port": "-1",
        "tls-cert-file": "",
        "tls-private-key-file": "",
        "http-override": "",
        "udp-listen-addresses": "",
    }
    values, _ = flags.parse(c.argv[2:], known)
    port = flags.number(values, "http-port")
    hostname = c.kernel.hostname
    c.on("TERM", lambda: c.exit(0))

    def echo(request: Request) -> Response:
        query = request.query()
        code = query.get("code", "")
        if code and not code.lstrip("+-").isdecimal():
            return Response(200, f"argument 'code' must be an integer or empty, got \"{code}\"\n")
        return _answer(_whole(query, "code", 200), query.get("msg", ""))

    def leave(request: Request) -> Response:
        c.kernel.restless += 1
        c.after(0, lambda: c.exit(_whole(request.query(), "code", 0)))
        return Response(0, broken="EOF")

    def shell(request: Request) -> Response:
        query = request.query()
        return _shell(c, query.get("shellCommand") or query.get("cmd", ""))

    def now(_: Request) -> Response:
        c.kernel.restless += 1
        return Response(200, f"NOW: {c.kernel.clock.micro_timestamp()}")

    def turn(request: Request) -> Response:
        query = request.query()
        return redirect(request, query.get("location", ""), _whole(query, "code", 302))

    routes: dict[str, Answer] = {
        "*": now,
        "/healthz": Response(200),
        "/hostname": hostname,
        "/hostName": hostname,
        "/clientip": lambda request: Response(200, f"{request.source}:40000"),
        "/echo": echo,
        "/exit": leave,
        "/shutdown": leave,
        "/redirect": turn,
        "/shell": shell,
    }
    override = values["http-override"]
    if override:
        inner = dict(routes)

        def overridden(_: Request) -> Response:
            request = Request("GET", override)
            answer = inner.get(request.route, now)
            if callable(answer):
                reply = answer(request)
                return reply if isinstance(reply, Response) else Response(500)
            return answer if isinstance(answer, Response) else Response(200, str(answer))

        routes = {"*": overridden}
    yield from _booted(c)
    server = c.serve(port, routes)
    if server is None:
        return c.fail(f"listen tcp :{port}: bind: address already in use")
    server.tls = bool(values["tls-cert-file"])
    c.log(f"Started HTTP server on port {port}")
    yield c.forever()
    return 0


def _whole(query: dict[str, str], name: str, default: int) -> int:
    """A number of a query; ``default`` if it is missing or none."""
    text = query.get(name, "")
    return int(text[:9]) if text.isdecimal() else default


def _answer(code: int, body: str = "", delay: int = 0, stall_body: bool = False) -> Response:
    """An answer of Go's server, which breaks off at a status that is none (net/http checkWriteHeaderCode)."""
    if not 100 <= code <= 999:
        return Response(0, broken="EOF")
    return Response(code, body, delay=delay, stall_body=stall_body)


def _shell(c: Process, command: str) -> Response:
    """Run a command and answer with its output (netexec.go shellHandler)."""
    sh = c.kernel.command("/bin/sh", "", "/")
    if not isinstance(sh, Executable):
        return Response(200, json.dumps({"error": "fork/exec /bin/sh: no such file or directory"}))
    out = Capture()
    fds: dict[int, Stream] = {0: Stream(), 1: out, 2: out}
    run = c.kernel.visit(sh.program, ["/bin/sh", "-c", command], dict(c.env), c.cwd, fds)
    if not run.ended:
        return Response(0, delay=None, steady=False)
    answer = {"output": out.text} if out.text else {}
    if run.exit_code:
        answer["error"] = f"exit status {run.exit_code}"
    return Response(200, json.dumps(answer, separators=(",", ":")))


def grpc_health_checking(c: Process) -> Running:
    """The gRPC health service on --port, switched by HTTP (grpc-health-checking.go). TERM ends it with 2."""
    known = {"port": "5000", "http-port": "8080", "delay-unhealthy-sec": "-1", "service": ""}
    values, _ = flags.parse(c.argv[2:], known)
    port, http_port = flags.number(values, "port"), flags.number(values, "http-port")
    delay = flags.number(values, "delay-unhealthy-sec")
    service = values["service"]
    started = c.kernel.clock.now
    c.on("TERM", lambda: c.exit(2))
    yield from _booted(c)
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


COMMANDS: dict[str, Callable[[Process], Running]] = {
    "liveness": liveness,
    "netexec": netexec,
    "grpc-health-checking": grpc_health_checking,
    "pause": pause,
}
