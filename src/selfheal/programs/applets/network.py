"""wget, httpd, nslookup, ping: the simulated network from inside a container."""

from __future__ import annotations

import re
from typing import Any

import simpy

from selfheal.clock import SECOND, micros
from selfheal.network import Request, Response
from selfheal.programs.applets.nc import CONNECT_TIMEOUT, port_of
from selfheal.programs.applets.registry import applet, decimal, number, options, usage
from selfheal.programs.filesystem import Directory, Executable, File, FileError
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import Reply, RouteServer, when_ended
from selfheal.programs.statuses import TEXTS
from selfheal.programs.streams import Capture, Stream, Text

# ---- nc


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
        port = port_of(p, found[3] or ("443" if found[1] == "https" else "80"))
        ip = interface.resolve(host)
        if ip is None:
            return p.fail(f"bad address '{host}'")
        ip = "127.0.0.1" if ip == "localhost" else ip
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
    port = port_of(p, given.get("p", "80").rpartition(":")[2])
    home = p.path(given.get("h", "."))
    if not p.fs.is_dir(home):
        return p.fail(f"can't change directory to '{given.get('h', '.')}': No such file or directory")

    def page(request: Request) -> Reply:
        path = home.rstrip("/") + request.route
        try:
            node = p.fs.find(path).node
            if isinstance(node, Directory):
                node = p.fs.find(path.rstrip("/") + "/index.html").node
        except FileError:
            node = None
        if isinstance(node, File):
            if request.route.startswith("/cgi-bin/"):
                return _cgi(p, path, node, request)
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


def _cgi(p: Process, path: str, script: File, request: Request) -> Reply:
    """What a script says (httpd.c cgi_io_loop): its headers, a blank line, the body; ``Status:`` comes first."""
    first = script.text.partition("\n")[0]
    words = first[2:].split() if first.startswith("#!") else ["/bin/sh"]
    shell = p.kernel.command(words[0], "", "/") if script.mode & 0o111 and words else None
    if not isinstance(shell, Executable):
        return Response(200)
    env = {**p.env, "REQUEST_METHOD": request.method, "REQUEST_URI": request.path, "SCRIPT_NAME": request.route}
    env |= {"QUERY_STRING": request.path.partition("?")[2], "SERVER_PROTOCOL": "HTTP/1.1"}
    out = Capture()
    fds: dict[int, Stream] = {0: Text(request.body), 1: out, 2: p.fds.get(2, Stream())}
    run = p.kernel.visit(shell.program, [*words, path], env, path.rpartition("/")[0], fds)
    return when_ended(run, lambda: _from_script(out.text))


def _from_script(text: str) -> Response:
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.split("\n") if ": " in line)
    status = headers.pop("Status", "200").split(" ")[0]
    return Response(int(status) if status.isdecimal() else 200, body, headers)


# ---- names and reachability


@applet("nslookup", usage="[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]")
def nslookup(p: Process) -> int:
    words = [word for word in p.argv[1:] if not word.startswith("-")]
    if not words:
        raise usage(p)
    p.kernel.restless += 1
    ip = p.kernel.interface.resolve(words[0])
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
    ip = interface.resolve(host)
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
