"""nc: a client, or a server of one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import simpy

from selfheal.clock import SECOND
from selfheal.network import Request, Response, Server
from selfheal.programs.applets.registry import applet, decimal, options, stdin, usage
from selfheal.programs.applets.running import lookup
from selfheal.programs.process import Exit, Process, Program, Running
from selfheal.programs.servers import HANG
from selfheal.programs.statuses import TEXTS
from selfheal.programs.streams import Capture, Gate, Stream, Text

CONNECT_TIMEOUT = "127"
"""Seconds until Linux gives up connecting to an address that says nothing."""


class Connection:
    """A client that has connected to a listening ``nc``."""

    __slots__ = ("event", "reply", "text")

    def __init__(self, text: str, event: simpy.Event | None) -> None:
        self.text = text
        """All that the client sends."""
        self.event = event
        self.reply: Response | None = None

    def answer(self, text: str) -> None:
        """All that the server sends, and its end."""
        self.reply = response(text)
        if self.event is not None and not self.event.triggered:
            self.event.succeed(self.reply)


class Listener(Server):
    """``nc -l``: one client after the other (``-ll`` with ``-e``: each gets a process of its own)."""

    def __init__(self, process: Process, command: tuple[Program, list[str]] | None, forever: bool) -> None:
        self.process = process
        self.command = command
        self.forever = forever
        self.arrived = Gate()
        self.waiting: list[Connection] = []

    def http(self, request: Request) -> Response | simpy.Event:
        if self.process.stopped:
            return HANG
        kernel = self.process.kernel
        before = kernel.mark()
        connection = Connection(request.text(), kernel.clock.event())
        self._accept(connection)
        if connection.reply is None:
            assert connection.event is not None
            return connection.event
        connection.reply.steady = kernel.mark() == before
        return connection.reply

    def tcp(self) -> bool:
        kernel = self.process.kernel
        before = kernel.mark()
        if not self.process.stopped:
            self._accept(Connection("", None))
        return kernel.mark() == before

    def _accept(self, connection: Connection) -> None:
        if self.forever and self.command is not None:
            self._serve(connection, *self.command)
            return
        self.waiting.append(connection)
        self.arrived.open()
        self.process.kernel.run()

    def _serve(self, connection: Connection, program: Program, argv: list[str]) -> None:
        """A process whose input and output are the connection."""
        p = self.process
        out = Capture()
        fds: dict[int, Stream] = {0: Text(connection.text), 1: out, 2: p.kernel.err}
        child = p.kernel.visit(program, list(argv), dict(p.env), p.cwd, fds)
        if child.ended:
            connection.answer(out.text)
        else:
            child.on_end = lambda _: connection.answer(out.text)


def response(text: str) -> Response:
    """What an HTTP client makes of the bytes it gets."""
    if not text:
        return Response(0, broken="EOF")
    found = re.match(r"HTTP/1\.[01] (\d{3})[^\n]*\n", text)
    if found is None:
        line = text.partition("\n")[0].rstrip("\r")[:100].replace("\\", "\\\\").replace('"', '\\"')
        return Response(0, broken=f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{line}"')
    head, _, body = re.sub(r"\r\n", "\n", text[found.end() :]).partition("\n\n")
    if text[found.end() :].startswith(("\n", "\r\n")):
        head, body = "", text[found.end() :].lstrip("\r").removeprefix("\n")
    headers = {}
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return Response(int(found[1]), body, headers)


@applet("nc", usage="[-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]")
def nc(p: Process) -> Running:
    words = p.argv[1:]
    command: list[str] | None = None
    if "-e" in words:
        at = words.index("-e")
        command = words[at + 1 :]
        p.argv = [p.argv[0], *words[:at]]
    given = options(p, "lp:w:i:f:vzuns:k")
    if "l" in given or "k" in given:
        return (yield from _listen(p, given, command, forever=words.count("-l") > 1 or "-ll" in words or "k" in given))
    if len(given.words) != 2:
        raise usage(p)
    host, port = given.words[0], port_of(p, given.words[1])
    patience = decimal(p, given.get("w", CONNECT_TIMEOUT))
    server = yield from connect(p, host, port, patience)
    if isinstance(server, int):
        return server
    if "z" in given:
        server.tcp()
        return 0
    text = yield from stdin(p).read()
    reply = _send(p, server, text)
    p.kernel.restless += 1
    if isinstance(reply, simpy.Event):
        reply = yield reply
    assert isinstance(reply, Response)
    if reply.delay is None:
        yield p.sleep(patience) if "w" in given else p.forever()
        return 1
    if reply.delay:
        yield p.sleep(reply.delay / SECOND)
    p.write(_raw(reply))
    return 0


def _listen(p: Process, given: Mapping[str, str], command: list[str] | None, forever: bool) -> Running:
    program = None
    if command is not None:
        program = lookup(p, command)
        if program is None:
            return p.fail(f"can't execute '{' '.join(command)}': No such file or directory")
    listener = Listener(p, program, forever)
    port = port_of(p, given.get("p", "0"))
    if not p.listen(port, listener):
        return p.fail("bind: Address already in use")
    if forever and program is not None:
        yield p.forever()
    if not listener.waiting:
        yield listener.arrived
    connection = listener.waiting.pop(0)
    p.unserve(port)
    if program is not None:
        listener._serve(connection, *program)  # noqa: SLF001 - its own listener
        while connection.reply is None:
            yield p.sleep(0.1)
        return 0
    p.write(connection.text)
    text = yield from stdin(p).read()
    connection.answer(text)
    return 0


def _send(p: Process, server: Server, text: str) -> Response | simpy.Event:
    """Send bytes to a server and take what it says."""
    found = re.match(r"([A-Z]+) (\S+)(?: HTTP/1\.[01])?\r?\n", text)
    if found is None:
        if isinstance(server, Listener):
            connection = Connection(text, p.kernel.clock.event())
            server._accept(connection)  # noqa: SLF001 - there is no other way in
            return connection.reply or connection.event or HANG
        return Response(400, "400 Bad Request") if text else HANG
    head, _, body = re.sub(r"\r\n", "\n", text[found.end() :]).partition("\n\n")
    headers = tuple(
        (name.strip(), value.strip())
        for name, colon, value in (line.partition(":") for line in head.split("\n"))
        if colon
    )
    return server.http(Request(found[1], found[2], headers, body, p.kernel.interface.ip, p.cause))


def _raw(reply: Response) -> str:
    """An answer as its bytes."""
    if reply.broken is not None:
        found = re.search(r'malformed HTTP response "(.*)"\Z', reply.broken)
        return found[1] + "\n" if found else ""
    headers = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    return f"HTTP/1.1 {reply.status} {TEXTS.get(reply.status, '')}\r\n{headers}\r\n{reply.body}"


def port_of(p: Process, text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text[:9]) < 65536:
        p.complain(f"invalid port '{text}'" if not text.isdecimal() else "bind: Cannot assign requested address")
        raise Exit(1)
    return int(text)


def connect(p: Process, host: str, port: int, patience: float) -> Any:
    """The server at an address, or the exit code after a complaint."""
    network, interface = p.kernel.interface.network, p.kernel.interface
    p.kernel.restless += 1
    ip = interface.resolve(host)
    if ip is None:
        return p.fail(f"bad address '{host}'")
    ip = "127.0.0.1" if ip == "localhost" else ip
    server = network.connect(interface.ip, ip, port)
    if server == "timeout":
        yield p.sleep(patience)
        return p.fail(f"can't connect to remote host ({ip}): Connection timed out")
    if server == "refused":
        return p.fail(f"can't connect to remote host ({ip}): Connection refused")
    return server
