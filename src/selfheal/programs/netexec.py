"""``agnhost netexec``, a server that does what its requests ask (test/images/agnhost/netexec)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from selfheal.clock import SECOND
from selfheal.network import Request, Response
from selfheal.probes.result import go_micros
from selfheal.programs import flags
from selfheal.programs.filesystem import Executable
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import Answer, Reply, answer, booted, redirect, told, when_ended, whole
from selfheal.programs.streams import Capture, Stream


def netexec(c: Process) -> Running:
    """A server that does what it is asked (netexec/netexec.go). TERM ends it with 0, after ``--delay-shutdown``.

    /healthz is well once the UDP server listens, so never without one; /readyz is too, until TERM has come.
    """
    known = {
        "http-port": "8080",
        "udp-port": "8081",
        "sctp-port": "-1",
        "tls-cert-file": "",
        "tls-private-key-file": "",
        "http-override": "",
        "udp-listen-addresses": "",
        "delay-shutdown": "0",
    }
    values, _ = flags.parse(c.argv[2:], known)
    port, wait = flags.number(values, "http-port"), flags.number(values, "delay-shutdown")
    udp = flags.number(values, "udp-port") != -1
    hostname = c.kernel.hostname
    well = Response(200) if udp else Response(412)

    def echo(request: Request) -> Response:
        query = request.query()
        code = query.get("code", "")
        if code and not code.lstrip("+-").isdecimal():
            return Response(200, f"argument 'code' must be an integer or empty, got \"{code}\"\n")
        return answer(whole(query, "code", 200), query.get("msg", ""))

    def leave(request: Request) -> Response:
        query = request.query()
        for name in ("timeout", "wait"):
            if query.get(name) and go_micros(query[name]) is None:
                text = f"argument '{name}' must be a valid golang duration or empty, got \"{query[name]}\"\n"
                return Response(200, text)
        code = query.get("code", "")
        if code and not code.lstrip("+-").isdecimal():
            return Response(200, f"argument 'code' must be an integer [0-127] or empty, got \"{code}\"\n")
        c.kernel.restless += 1
        later = go_micros(query.get("wait", "")) or 0
        c.after(later / SECOND, lambda: c.exit(int(code or 0)))
        if go_micros(query.get("timeout", "")):
            return Response(200, delay=later)  # the server is shut down first, and this answer waited for
        return Response(0, broken="EOF", delay=later)

    def down(_: Request) -> Response:
        c.kernel.restless += 1
        c.after(0, lambda: c.exit(0))
        return Response(0, broken="EOF")

    def header(request: Request) -> Response:
        wanted = request.query().get("key", "")
        if wanted:
            return Response(200, next((v for k, v in request.headers if k.lower() == wanted.lower()), ""))
        shown: dict[str, list[str]] = {}
        for name, value in sorted(request.headers):
            if name not in ("Host", "Connection"):
                shown.setdefault(name, []).append(value)
        return Response(200, json.dumps(shown, separators=(",", ":")))

    def shell(request: Request) -> Reply:
        query = request.query()
        return _shell(c, query.get("shellCommand") or query.get("cmd", ""))

    def now(_: Request) -> Response:
        c.kernel.restless += 1
        return Response(200, f"NOW: {c.kernel.clock.micro_timestamp()}")

    def dial(request: Request) -> Reply:
        """Ask another server for the caller (netexec.go dialHandler)."""
        query = request.query()
        ip = c.kernel.interface.resolve(query.get("host", "")) or ""
        port, path = whole(query, "port", 80), "/" + query.get("request", "")
        server = c.kernel.interface.network.connect(c.kernel.interface.ip, ip, port)
        if isinstance(server, str):
            text = "connect: connection refused" if server == "refused" else "i/o timeout"
            return Response(200, json.dumps({"errors": [f"dial tcp {ip}:{port}: {text}"]}))
        asked = server.http(Request("GET", path, source=c.kernel.interface.ip, cause=request.cause))
        return told(asked, lambda found: replace(found, status=200, body=json.dumps({"responses": [found.body]})))

    def logged(answer: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
        def answered(request: Request) -> Reply:
            c.kernel.restless += 1  # its log is seen
            c.log(f"{request.method} {request.path}")
            return answer(request)

        return answered

    def turn(request: Request) -> Response:
        query = request.query()
        return redirect(request, query.get("location", ""), whole(query, "code", 302))

    routes: dict[str, Answer] = {
        "*": logged(now),
        "/dial": logged(dial),
        "/healthz": well,
        "/readyz": Response(200, "ok") if udp else well,
        "/header": logged(header),
        "/hostname": logged(lambda _: Response(200, hostname)),
        "/hostName": logged(lambda _: Response(200, hostname)),
        "/clientip": logged(lambda request: Response(200, f"{request.source}:40000")),
        "/echo": logged(echo),
        "/exit": leave,
        "/shutdown": down,
        "/redirect": turn,
        "/shell": shell,
    }
    inner = dict(routes)
    override = values["http-override"]
    if override:

        def overridden(_: Request) -> Response:
            request = Request("GET", override)
            found = inner.get(request.route, now)
            if callable(found):
                reply = found(request)
                return reply if isinstance(reply, Response) else Response(500)
            return found if isinstance(found, Response) else Response(200, str(found))

        routes = {"*": overridden}

    def asked_to_end() -> None:
        if not wait:
            c.exit(0)
        c.log(f"Sleeping {wait} seconds before terminating...")
        c.on("TERM", None)
        inner["/readyz"] = Response(503, "shutting down")
        if port in c.ports and not override:
            c.set(port, "/readyz", inner["/readyz"])
        c.kernel.interface.changed()
        c.after(wait, lambda: c.exit(0))

    c.on("TERM", asked_to_end)
    yield from booted(c)
    server = c.serve(port, routes)
    if server is None:
        return c.fail(f"listen tcp :{port}: bind: address already in use")
    server.tls = bool(values["tls-cert-file"])
    c.log(f"Started HTTP server on port {port}")
    yield c.forever()
    return 0


def _shell(c: Process, command: str) -> Reply:
    """Run a command and answer with its output (netexec.go shellHandler)."""
    sh = c.kernel.command("/bin/sh", "", "/")
    if not isinstance(sh, Executable):
        return Response(200, json.dumps({"error": "fork/exec /bin/sh: no such file or directory"}))
    out = Capture()
    fds: dict[int, Stream] = {0: Stream(), 1: out, 2: out}
    run = c.kernel.visit(sh.program, ["/bin/sh", "-c", command], dict(c.env), c.cwd, fds)

    def said() -> Response:
        found = {"output": out.text} if out.text else {}
        if run.exit_code:
            found["error"] = f"exit status {run.exit_code}"
        return Response(200, json.dumps(found, separators=(",", ":")))

    return when_ended(run, said)
