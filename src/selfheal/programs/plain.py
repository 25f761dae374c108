"""Programs that need no module of their own: pause, nginx, httpd, and the server of an unknown image."""

from __future__ import annotations

from selfheal.network import Request, Response
from selfheal.programs.filesystem import Directory, File, FileError
from selfheal.programs.process import Process, Running
from selfheal.programs.signals import send

NGINX_404 = """<html>
<head><title>404 Not Found</title></head>
<body>
<center><h1>404 Not Found</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""


def pause(c: Process) -> Running:
    """``registry.k8s.io/pause``: does nothing until it is told to end."""
    c.on("TERM", lambda: c.exit(0))
    c.on("INT", lambda: c.exit(0))
    yield c.forever()
    return 0


def server(c: Process) -> Running:
    """An image that no program claims: opens its ports, answers 200 to everything, obeys TERM."""
    c.on("TERM", lambda: c.exit(0))
    for port in ports(c):
        c.serve(port, {"*": 200})
    yield c.forever()
    return 0


def ports(c: Process) -> list[int]:
    """The container's declared ports and those that its probes name by number."""
    spec = c.kernel.spec
    found = [p.container_port for p in spec.ports if p.protocol == "TCP"]
    for probe in (spec.startup, spec.readiness, spec.liveness):
        port = getattr(probe.handler, "port", None) if probe is not None else None
        if isinstance(port, str) and port.isdecimal():
            port = int(port)
        if isinstance(port, int):
            found.append(port)
    return list(dict.fromkeys(found))


def nginx(c: Process) -> Running:
    """``nginx``: port 80, the files of /usr/share/nginx/html; TERM and QUIT end it with 0."""
    root = "/usr/share/nginx/html"

    def page(request: Request) -> Response:
        path = root + request.route
        try:
            node = c.fs.find(path).node
            if isinstance(node, Directory):
                node = c.fs.find(path.rstrip("/") + "/index.html").node
                if node is None:
                    return Response(403, NGINX_404.replace("404 Not Found", "403 Forbidden"))
        except FileError:
            node = None
        if not isinstance(node, File):
            return Response(404, NGINX_404, {"Server": "nginx", "Content-Type": "text/html"})
        return Response(200, node.text, {"Server": "nginx", "Content-Type": "text/html"})

    if "-t" in c.argv:
        c.say("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok")
        c.say("nginx: configuration file /etc/nginx/nginx.conf test is successful")
        return 0
    if "-s" in c.argv[:-1]:
        signal = {"stop": "TERM", "quit": "QUIT", "reload": "HUP", "reopen": "USR1"}.get(c.argv[c.argv.index("-s") + 1])
        if signal is None:
            return c.fail(f'invalid option: "-s {c.argv[c.argv.index("-s") + 1]}"')
        return 0 if send(c, 1, signal) else 1
    for signal in ("HUP", "USR1", "WINCH"):
        c.on(signal, None)
    c.on("TERM", lambda: c.exit(0))
    c.on("QUIT", lambda: c.exit(0))
    if c.serve(80, {"*": page}) is None:
        return c.fail("[emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)")
    yield c.forever()
    return 0


HTTPD_404 = """<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</body></html>
"""


def httpd(c: Process) -> Running:
    """Apache's ``httpd``: port 80, the files of /usr/local/apache2/htdocs; TERM and WINCH end it with 0."""
    root = "/usr/local/apache2/htdocs"

    def page(request: Request) -> Response:
        path = root + request.route
        try:
            node = c.fs.find(path).node
            if isinstance(node, Directory):
                node = c.fs.find(path.rstrip("/") + "/index.html").node
        except FileError:
            node = None
        kind = {"Server": "Apache/2.4", "Content-Type": "text/html"}
        return Response(200, node.text, kind) if isinstance(node, File) else Response(404, HTTPD_404, kind)

    for signal in ("TERM", "WINCH"):
        c.on(signal, lambda: c.exit(0))
    if c.serve(80, {"*": page}) is None:
        return c.fail("(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:80")
    yield c.forever()
    return 0
