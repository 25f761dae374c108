"""The httpGet probe (pkg/probe/http/http.go DoHTTPProbe, pkg/probe/http/request.go).

200 to 399 is a success; a redirect that leads to another host, and any other 3xx that cannot be
followed, a warning; all else a failure. Whatever goes wrong on the way is a failure too, with
the text of Go's client; only a body that never ends is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

import simpy

from selfheal.network import Network, Request, Response
from selfheal.probes.result import Outcome, PortError, cut, port_number
from selfheal.probes.tcp import dial_error

if TYPE_CHECKING:
    from selfheal.spec import ContainerPort, HTTPGetAction

USER_AGENT = "kube-probe/1.36"

REDIRECTS = (301, 302, 303, 307, 308)
LIMIT = 10
"""Requests after which a chain of redirects is given up (http.go RedirectChecker)."""

DEADLINE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
STALLED = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
CUT = "unexpected EOF"
PLAIN = "http: server gave HTTP response to HTTPS client"
TOO_MANY = f"stopped after {LIMIT} redirects"
BAD_STATUS = "HTTP probe failed with statuscode: "

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@-]*\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""
    url: str
    """As the texts show it."""


def probe(
    network: Network,
    source: str,
    action: HTTPGetAction,
    ports: Sequence[ContainerPort],
    pod_ip: str,
    timeout: int,
) -> Outcome | simpy.Event:
    """GET from ``source`` (the node). ``timeout`` in µs covers everything, redirects and body too."""
    try:
        target, headers = first_target(action, tuple(ports), pod_ip)
    except PortError as error:
        return Outcome("unknown", error=str(error))
    return Attempt(network, source, target, headers, timeout, own=not action.host or action.host == pod_ip).run()


@lru_cache(maxsize=4096)
def first_target(
    action: HTTPGetAction, ports: tuple[ContainerPort, ...], pod_ip: str
) -> tuple[Target, tuple[tuple[str, str], ...]]:
    """The first request's target and headers (request.go NewRequestForHTTPGetAction). PortError if the port is none."""
    port = port_number(action.port, ports)
    host = action.host or pod_ip
    path = _path(action.path)
    scheme = action.scheme.lower()
    target = Target(scheme, host, port, path, f"{scheme}://{bracketed(host)}:{port}{path}")
    return target, tuple(_headers(action.http_headers, f"{bracketed(host)}:{port}"))


class Attempt:
    """One GET with its redirects."""

    __slots__ = ("headers", "hops", "network", "own", "source", "spent", "target", "timeout")

    def __init__(
        self,
        network: Network,
        source: str,
        target: Target,
        headers: tuple[tuple[str, str], ...],
        timeout: int,
        own: bool,
    ) -> None:
        self.network = network
        self.source = source
        self.target = target
        self.headers = headers
        self.timeout = timeout
        self.own = own
        self.hops = 1
        self.spent = 0

    def run(self) -> Outcome | simpy.Event:
        """Until there is an outcome, or an answer that has to be waited for."""
        while True:
            answer = self._send()
            if isinstance(answer, simpy.Event):
                return self._wait(answer)
            outcome = answer if isinstance(answer, Outcome) else self._judge(answer)
            if outcome is not None:
                return outcome

    def _send(self) -> Response | Outcome | simpy.Event:
        target = self.target
        ip = self.network.resolve(target.host)
        server = self.network.connect(self.source, ip, target.port) if ip is not None else "refused"
        if server == "timeout":
            return self._failure(DEADLINE, self.timeout)
        if isinstance(server, str):
            return self._failure(dial_error(target.host, ip, target.port, server))
        if target.scheme == "https" and not server.tls:
            return self._failure(PLAIN)
        if target.scheme == "http" and server.tls:
            return Response(400, "Client sent an HTTP request to an HTTPS server.\n")
        return server.http(Request("GET", target.path, self.headers, source=self.source))

    def _judge(self, answer: Response) -> Outcome | None:
        """The outcome of an answer; None if it is a redirect to be followed."""
        self.own = self.own and answer.steady
        if answer.delay is None or self.spent + answer.delay >= self.timeout:
            return self._failure(DEADLINE, self.timeout)
        self.spent += answer.delay
        if answer.broken is not None:
            return self._failure(answer.broken)
        location = answer.header("Location") if answer.status in REDIRECTS else None
        if location:
            onward = follow(self.target, location)
            if onward is not None and onward.host == self.target.host:
                if self.hops >= LIMIT:
                    return Outcome("failure", failed(location, TOO_MANY), None, self.spent, self.own)
                self.hops += 1
                self.headers = onward_headers(self.headers, self.target, onward)
                self.target = onward
                return None
        if answer.stall_body or self.spent + answer.body_delay >= self.timeout:
            return Outcome("failure", "", STALLED, self.timeout, self.own)
        self.spent += answer.body_delay
        if answer.body_cut:
            return Outcome("failure", "", CUT, self.spent, self.own)
        return verdict(answer, self.spent, self.own)

    def _failure(self, why: str, duration: int | None = None) -> Outcome:
        took = self.spent if duration is None else duration
        return Outcome("failure", failed(self.target.url, why), None, took, self.own)

    def _wait(self, answer: simpy.Event) -> simpy.Event:
        """An outcome that comes when the server has answered, or the time is up."""
        clock = self.network.clock
        began = clock.now - self.spent
        outcome = clock.event()
        self.own = False

        def settle(found: Outcome | simpy.Event) -> None:
            if outcome.triggered:
                return
            if isinstance(found, Outcome):
                timer.cancel()
                outcome.succeed(found)
            elif found.callbacks is not None:
                found.callbacks.append(lambda event: settle(event.value))

        def answered(event: simpy.Event) -> None:
            self.spent = clock.now - began
            if not outcome.triggered:
                response = event.value
                assert isinstance(response, Response)
                settle(self._judge(response) or self.run())

        timer = clock.after(self.timeout - self.spent, lambda: settle(self._failure(DEADLINE, self.timeout)))
        assert answer.callbacks is not None
        answer.callbacks.append(answered)
        return outcome


def failed(url: str, why: str) -> str:
    """What Go's client says of a request that got no answer (net/url Error)."""
    return f'Get "{url}": {why}'


def verdict(answer: Response, duration: int = 0, steady: bool = True) -> Outcome:
    """What the final answer of a server means."""
    body = cut(answer.body)
    if 200 <= answer.status < 300:
        return Outcome("success", body, None, duration, steady)
    if 300 <= answer.status < 400:
        return Outcome("warning", f"Probe terminated redirects, Response body: {body}", None, duration, steady)
    return Outcome("failure", f"{BAD_STATUS}{answer.status}", None, duration, steady)


def _headers(given: Sequence[tuple[str, str]], host: str) -> list[tuple[str, str]]:
    """The request's headers in the order in which Go sends them (request.go, net/http Request.Write)."""
    named = [(canonical(name), value) for name, value in given]
    agent: str | None = USER_AGENT
    accept: str | None = "*/*"
    rest = []
    for name, value in named:
        if name == "Host":
            host = value or host
        elif name == "User-Agent":
            agent = value or None
        elif name == "Accept":
            accept = value or None
        else:
            rest.append((name, value))
    if accept is not None:
        rest.append(("Accept", accept))
    out = [("Host", host)]
    if agent is not None:
        out.append(("User-Agent", agent))
    out += sorted(rest, key=lambda pair: pair[0])
    out.append(("Connection", "close"))
    return out


def canonical(name: str) -> str:
    """``user-agent`` → ``User-Agent`` (net/textproto CanonicalMIMEHeaderKey)."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def _path(path: str) -> str:
    """A path as it goes over the wire; a bad one is taken literally (request.go formatURL)."""
    plain, mark, query = path.partition("#")[0].partition("?")
    if "://" in plain:
        plain = urlsplit(plain).path
    if not _PLAIN_PATH.match(plain):
        safe = "/~!$&'()*+,;=:@"
        if re.search(r"%(?![0-9A-Fa-f]{2})", plain):
            plain, mark, query = path, "", ""
        else:
            safe += "%"
        plain = quote(plain, safe=safe)
    if not plain.startswith("/"):
        plain = "/" + plain
    return plain + mark + query


def follow(target: Target, location: str) -> Target | None:
    """Where a Location header leads; None if it cannot be read."""
    try:
        url = urljoin(target.url, location)
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname or "", port, path, url)


def onward_headers(headers: tuple[tuple[str, str], ...], old: Target, new: Target) -> tuple[tuple[str, str], ...]:
    """The headers of a request that follows a redirect: another Host, and where it came from."""
    before, after = (f"{bracketed(t.host)}:{t.port}" for t in (old, new))
    kept = [
        (name, after if (name, value) == ("Host", before) else value) for name, value in headers if name != "Referer"
    ]
    referer = [] if old.scheme == "https" and new.scheme == "http" else [("Referer", old.url)]
    return (*kept[:-1], *referer, *kept[-1:])


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
