"""nc, wget, httpd, nslookup, ping: the simulated network from inside a container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import simpy

from selfheal.clock import SECOND, micros
from selfheal.network import Request, Response, Server
from selfheal.programs.applets.registry import applet, decimal, number, options, stdin, usage
from selfheal.programs.applets.running import lookup
from selfheal.programs.filesystem import Directory, File, FileError
from selfheal.programs.process import Exit, Process, Program, Running
from selfheal.programs.servers import HANG, TEXTS, RouteServer
from selfheal.programs.streams import Capture, Gate, Stream, Text

CONNECT_TIMEOUT = "127"
"""Seconds until Linux gives up connecting to an address that says nothing."""

# ---- nc


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
    host, port = given.words[0], _port(p, given.words[1])
    patience = decimal(p, given.get("w", CONNECT_TIMEOUT))
    server = yield from _connect(p, host, port, patience)
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
    port = _port(p, given.get("p", "0"))
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


def _port(p: Process, text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text[:9]) < 65536:
        p.complain(f"invalid port '{text}'" if not text.isdecimal() else "bind: Cannot assign requested address")
        raise Exit(1)
    return int(text)


def _connect(p: Process, host: str, port: int, patience: float) -> Any:
    """The server at an address, or the exit code after a complaint."""
    network, interface = p.kernel.interface.network, p.kernel.interface
    p.kernel.restless += 1
    ip = network.resolve(host)
    if ip is None:
        return p.fail(f"bad address '{host}'")
    server = network.connect(interface.ip, ip, port)
    shown = f"{host} ({ip})" if host != ip else f"{ip}"
    if server == "timeout":
        yield p.sleep(patience)
        return p.fail(f"can't connect to remote host ({ip}): Connection timed out")
    if server == "refused":
        del shown
        return p.fail(f"can't connect to remote host ({ip}): Connection refused")
    return server


# ---- wget


@applet("wget", usage="[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR] [-T SEC] [-U AGENT] URL...")
def wget(p: Process) -> Running:
    quiet = spider = show = False
    output, patience = "", 900.0
    headers: list[tuple[str, str]] = []
    method, body, urls = "GET", "", []
    words = p.argv[1:]
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--header", "--post-data", "--timeout", "--tries", "--user-agent", "--output-document"):
            value = value if equals else (words.pop(0) if words else "")
        if name == "--spider":
            spider = True
        elif name == "--header":
            key, _, content = value.partition(":")
            headers.append((key.strip(), content.strip()))
        elif name == "--post-data":
            method, body = "POST", value
        elif name == "--timeout":
            patience = _seconds(p, value)
        elif name in ("--quiet", "--no-check-certificate", "--tries", "--user-agent", "--no-verbose"):
            quiet = quiet or name == "--quiet"
        elif name == "--output-document":
            output = value
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in "qcS":
                    quiet, show = quiet or letter == "q", show or letter == "S"
                elif letter in "OTtUoPY":
                    value = letters or (words.pop(0) if words else "")
                    letters = ""
                    if letter == "O":
                        output = value
                    elif letter == "T":
                        patience = _seconds(p, value)
                else:
                    raise usage(p, f"invalid option -- '{letter}'")
        else:
            urls.append(word)
    if not urls:
        raise usage(p)
    status = 0
    for url in urls:
        code = yield from _fetch(p, url, method, tuple(headers), body, patience, quiet, spider, show, output)
        status = code or status
    return status


def _seconds(p: Process, text: str) -> float:
    return decimal(p, text)


def _fetch(
    p: Process,
    url: str,
    method: str,
    headers: tuple[tuple[str, str], ...],
    body: str,
    patience: float,
    quiet: bool,
    spider: bool,
    show: bool,
    output: str,
) -> Running:
    interface = p.kernel.interface
    p.kernel.restless += 1
    deadline = p.kernel.clock.now + micros(patience)
    for _ in range(5):
        found = re.fullmatch(r"(?:(https?)://)?(?:[^@/]*@)?([^/:?]+)(?::(\d+))?([/?].*)?", url)
        if found is None:
            return p.fail(f"bad address '{url}'")
        host, path = found[2], found[4] or "/"
        port = _port(p, found[3] or ("443" if found[1] == "https" else "80"))
        ip = interface.network.resolve(host)
        if ip is None:
            return p.fail(f"bad address '{host}'")
        if not quiet:
            p.say(f"Connecting to {host}:{port} ({ip}:{port})")
        server = interface.network.connect(interface.ip, ip, port)
        if server == "timeout":
            left = min(patience, float(CONNECT_TIMEOUT))
            yield p.sleep(left)
            timed_out = f"can't connect to remote host ({ip}): Connection timed out"
            return p.fail("download timed out" if patience < float(CONNECT_TIMEOUT) else timed_out)
        if isinstance(server, str):
            return p.fail(f"can't connect to remote host ({ip}): Connection refused")
        if (found[1] == "https") != server.tls:
            return p.fail("error getting response")
        base = (("Host", f"{host}:{port}" if port != 80 else host), ("User-Agent", "Wget"), ("Connection", "close"))
        request = Request(method, path, (*base, *headers), body, interface.ip, p.cause)
        reply: Any = server.http(request)
        if isinstance(reply, simpy.Event):
            late = p.kernel.clock.sleep(max(0, deadline - p.kernel.clock.now))
            yield reply | late
            if not reply.triggered:
                return p.fail("download timed out")
            reply = reply.value
        if reply.delay is None or p.kernel.clock.now + reply.delay > deadline:
            yield p.kernel.clock.sleep(max(0, deadline - p.kernel.clock.now))
            return p.fail("download timed out")
        if reply.delay:
            yield p.sleep(reply.delay / SECOND)
        if reply.broken is not None:
            return p.fail("error getting response")
        location = reply.header("Location")
        if reply.status in (301, 302, 303, 307, 308) and location:
            url = location if "://" in location else f"{found[1] or 'http'}://{host}:{port}{location}"
            continue
        if show:
            p.say(f"  HTTP/1.1 {reply.status} {TEXTS.get(reply.status, '')}")
        if not 200 <= reply.status < 300:
            return p.fail(f"server returned error: HTTP/1.1 {reply.status} {TEXTS.get(reply.status, '')}".rstrip())
        return _save(p, reply.body, path, quiet, spider, output)
    return p.fail("too many redirections")


def _save(p: Process, body: str, path: str, quiet: bool, spider: bool, output: str) -> int:
    if spider:
        if not quiet:
            p.say("remote file exists")
        return 0
    if output == "-":
        if not quiet:
            p.say("writing to stdout")
        p.write(body)
        return 0
    name = output or path.partition("?")[0].rpartition("/")[2] or "index.html"
    if not output and p.fs.exists(p.path(name)):
        return p.fail(f"can't open '{name}': File exists")
    if not quiet:
        p.say(f"saving to '{name}'")
    try:
        p.open(name, "w").write(body)
    except FileError as error:
        return p.fail(f"can't open '{name}': {error}")
    if not quiet:
        p.say(f"'{name}' saved")
    return 0


# ---- httpd


@applet("httpd", usage="[-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]")
def httpd(p: Process) -> Running:
    given = options(p, "ifvc:p:u:r:h:d:e:m:")
    port = _port(p, given.get("p", "80").rpartition(":")[2])
    home = p.path(given.get("h", "."))
    if not p.fs.is_dir(home):
        return p.fail(f"can't change directory to '{given.get('h', '.')}': No such file or directory")

    def page(request: Request) -> Response:
        path = home.rstrip("/") + request.route
        try:
            node = p.fs.find(path).node
            if isinstance(node, Directory):
                node = p.fs.find(path.rstrip("/") + "/index.html").node
        except FileError:
            node = None
        if isinstance(node, File):
            return Response(200, node.text, {"Content-Type": "text/html"})
        text = "The requested URL was not found"
        html = (
            f"<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n<BODY><H1>404 Not Found</H1>\n{text}\n</BODY></HTML>\n"
        )
        return Response(404, html, {"Content-Type": "text/html"})

    def serve(q: Process) -> Running:
        if not q.listen(port, RouteServer(q, {"*": page})):
            return q.fail("bind: Address already in use")
        yield q.forever()
        return 0

    if "f" in given:
        return (yield from serve(p))
    p.kernel.spawn(serve, p.argv, p.env, p.cwd, p.fds.copy(), p)
    return 0


# ---- names and reachability


@applet("nslookup", usage="[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]")
def nslookup(p: Process) -> int:
    words = [word for word in p.argv[1:] if not word.startswith("-")]
    if not words:
        raise usage(p)
    p.kernel.restless += 1
    ip = p.kernel.interface.network.resolve(words[0])
    p.write("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n")
    if ip is None:
        p.log(f"** server can't find {words[0]}: NXDOMAIN\n")
        return 1
    p.log(f"Name:\t{words[0]}\nAddress: {ip}\n")
    return 0


@applet("ping", usage="[OPTIONS] HOST")
def ping(p: Process) -> Running:
    given = options(p, "46qAc:s:i:w:W:I:t:")
    if not given.words:
        raise usage(p)
    host = given.words[0]
    interface = p.kernel.interface
    p.kernel.restless += 1
    ip = interface.network.resolve(host)
    if ip is None:
        return p.fail(f"bad address '{host}'")
    count = number(p, given.get("c", "0"))
    p.log(f"PING {host} ({ip}): 56 data bytes")
    sent = received = 0
    while not count or sent < count:
        if sent:
            yield p.sleep(1)
        if interface.network.connect(interface.ip, ip, 0) != "timeout":
            p.log(f"64 bytes from {ip}: seq={sent} ttl=64 time=0.100 ms")
            received += 1
        sent += 1
    if received < sent:
        yield p.sleep(decimal(p, given.get("W", "10")))
    lost = 100 * (sent - received) // max(1, sent)
    p.log(f"\n--- {host} ping statistics ---")
    p.log(f"{sent} packets transmitted, {received} packets received, {lost}% packet loss")
    return int(received == 0)
