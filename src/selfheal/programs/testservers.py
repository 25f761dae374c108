"""The smaller subcommands of ``agnhost``: they serve files, their own name or a fixed text, or try a connection."""

from __future__ import annotations

import json

from selfheal.network import Request, Response
from selfheal.probes.result import go_micros
from selfheal.programs import flags
from selfheal.programs.filesystem import Directory, File, FileError
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import Answer, booted

GOES_ON = 60
"""Seconds for which ``serve-hostname`` goes on after TERM (serve_hostname.go)."""

CONNECTS_FOR = 127.0
"""Seconds after which Linux gives up a connection that nobody answers (tcp_syn_retries 6)."""


def test_webserver(c: Process) -> Running:
    """All files of the container, on --port (test-webserver.go). TERM ends it with 2."""
    values, _ = flags.parse(c.argv[2:], {"port": "80"})

    def page(request: Request) -> Response:
        if request.route.endswith("/index.html"):  # net/http fs.go: a folder's page has the folder's address
            return Response(301, "", {"Location": request.route.removesuffix("index.html")})
        try:
            node = c.fs.find(request.route).node
            if isinstance(node, Directory):
                index = c.fs.find(request.route.rstrip("/") + "/index.html").node
                node = index or node
        except FileError:
            node = None
        if node is None:
            return Response(404, "404 page not found\n")
        return Response(200, node.text if isinstance(node, File) else "<pre>\n</pre>\n")

    c.on("TERM", lambda: c.exit(2))
    return (yield from _serve(c, flags.number(values, "port"), page))


def serve_hostname(c: Process) -> Running:
    """The pod's name on --port; goes on for a minute after TERM (serve_hostname.go)."""
    known = {"port": "9376", "tcp": "false", "udp": "false", "http": "true", "close": "false"}
    values, _ = flags.parse(c.argv[2:], known)
    name = Response(200, c.kernel.hostname)
    c.on("TERM", lambda: c.after(GOES_ON, lambda: c.exit(0)))
    return (yield from _serve(c, flags.number(values, "port"), lambda _: name))


def porter(c: Process) -> Running:
    """Each variable SERVE_PORT_n (SERVE_TLS_PORT_n) is what port n answers (porter.go). TERM ends it with 2."""
    c.on("TERM", lambda: c.exit(2))
    yield from booted(c)
    for key, text in c.env.items():
        kind, _, port = key.rpartition("_")
        if port.isdecimal() and kind in ("SERVE_PORT", "SERVE_TCP_PORT", "SERVE_TLS_PORT"):
            server = c.serve(int(port), {"*": Response(200, text)})
            if server is not None:
                server.tls = kind == "SERVE_TLS_PORT"
    yield c.forever()
    return 0


def connect(c: Process) -> Running:
    """Whether a connection to host:port comes about (connect.go): 0, or 1 and the reason."""
    values, words = flags.parse(c.argv[2:], {"timeout": "0s", "protocol": "tcp"})
    if len(words) != 1:
        return c.fail(f"Error: accepts 1 arg(s), received {len(words)}")
    host, _, port = words[0].rpartition(":")
    patience = go_micros(values["timeout"])
    if patience is None:
        raise flags.FlagError(f'invalid argument "{values["timeout"]}" for "--timeout" flag: time: invalid duration')
    if not host or not port.isdecimal():
        c.say(f"UNKNOWN: address {words[0]}: missing port in address")
        return 1
    c.kernel.restless += 1
    interface = c.kernel.interface
    ip = interface.resolve(host.strip("[]"))
    if ip is None:
        c.say(f"DNS: lookup {host}: no such host")
        return 1
    server = interface.network.connect(interface.ip, ip, int(port))
    if server == "timeout":
        yield c.sleep(patience / 1_000_000 or CONNECTS_FOR)
        c.say("TIMEOUT")
        return 1
    if isinstance(server, str):
        c.say("REFUSED")
        return 1
    return 0


def entrypoint_tester(c: Process) -> Running:
    """Says with what it was started (ep.go)."""
    c.log(f"[{' '.join(c.argv)}]")
    yield from ()
    return 0


def nettest(c: Process) -> Running:
    """Counts who has told it of themselves, on --port (nettest/nettest.go). TERM ends it with 2."""
    values, _ = flags.parse(
        c.argv[2:], {"port": "8080", "service": "nettest", "namespace": "", "delay-shutdown": "0", "peers": "8"}
    )
    received: dict[str, int] = {}

    def read(_: Request) -> Response:
        state = {"Hostname": c.kernel.hostname, "Sent": {}, "Received": received, "Errors": None, "Log": None}
        return Response(200, json.dumps({**state, "StillContactingPeers": True}, separators=(",", ":")))

    def write(request: Request) -> Response:
        try:
            source = str(json.loads(request.body)["Source"])
        except (ValueError, KeyError, TypeError):
            return Response(400, "invalid")
        received[source] = received.get(source, 0) + 1
        c.kernel.interface.changed()
        return Response(200, json.dumps({"Hostname": c.kernel.hostname}))

    c.on("TERM", lambda: c.exit(2))
    yield from booted(c)
    port = flags.number(values, "port")
    if c.serve(port, {"/read": read, "/write": write, "/hello": "ok"}) is None:
        return c.fail(f"listen tcp :{port}: bind: address already in use")
    yield c.forever()
    return 0


def _serve(c: Process, port: int, page: Answer) -> Running:
    yield from booted(c)
    if c.serve(port, {"*": page}) is None:
        return c.fail(f"listen tcp :{port}: bind: address already in use")
    yield c.forever()
    return 0
