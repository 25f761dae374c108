"""The httpGet probe over real connections (pkg/probe/http/http.go DoHTTPProbe)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from selfheal.network import Response
from selfheal.probers.dial import Failed
from selfheal.probers.wire import Answer, Wire
from selfheal.probes import Outcome
from selfheal.probes.http import (
    DEADLINE,
    LIMIT,
    REDIRECTS,
    STALLED,
    TOO_MANY,
    Target,
    failed,
    first_target,
    follow,
    onward_headers,
    verdict,
)
from selfheal.probes.result import PortError
from selfheal.spec import HTTPGetAction


async def probe(action: HTTPGetAction, timeout: int, host: str = "127.0.0.1") -> Outcome:
    """One attempt. ``timeout`` in µs covers connecting, TLS, redirects, headers and body; no proxy is ever used."""
    try:
        target, headers = first_target(action, (), host)
    except PortError as error:
        return Outcome("unknown", error=str(error))
    deadline = asyncio.get_running_loop().time() + timeout / 1_000_000
    for hops in range(LIMIT):
        wire = Wire()
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    answer = await wire.get(target, headers)
            except TimeoutError:
                return Outcome("failure", failed(target.url, DEADLINE))
            except Failed as error:
                return Outcome("failure", failed(target.url, str(error)))
            onward = _onward(target, answer)
            if onward is None:
                return await _read(wire, answer, deadline)
            if hops + 1 == LIMIT:
                return Outcome("failure", failed(answer.header("location"), TOO_MANY))
        finally:
            wire.close()
        if onward.scheme not in ("http", "https"):
            return Outcome("failure", failed(onward.url, f'unsupported protocol scheme "{onward.scheme}"'))
        headers = onward_headers(headers, target, onward)
        target = onward
    raise AssertionError("the last hop returns")


def _onward(target: Target, answer: Answer) -> Target | None:
    """Where an answer leads, if that is to be followed (RedirectChecker)."""
    location = answer.header("location") if answer.status in REDIRECTS else ""
    onward = follow(target, location) if location else None
    return onward if onward is not None and onward.host == target.host else None


async def _read(wire: Wire, answer: Answer, deadline: float) -> Outcome:
    try:
        async with asyncio.timeout_at(deadline):
            body = await wire.body(answer)
    except TimeoutError:
        return Outcome("failure", "", STALLED)
    except Failed as error:
        return Outcome("failure", "", str(error))
    return verdict(Response(answer.status, body.decode(errors="replace")))


def action(url: str, headers: Sequence[tuple[str, str]] = ()) -> HTTPGetAction:
    """A URL as a manifest would have it. ValueError if it is none that a probe can ask."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "http", url
    if scheme.lower() not in ("http", "https"):
        raise ValueError(f"{url}: the scheme is http or https")
    where, slash, path = rest.partition("/")
    if "?" in where:
        where, _, query = where.partition("?")
        slash, path = "/?", query
    host, port = split(where, 443 if scheme.lower() == "https" else 80)
    return HTTPGetAction(slash + path or "/", port, host, scheme.upper(), tuple(headers))


def split(where: str, default: int | None = None) -> tuple[str, int]:
    """``host:port``, ``[::1]:80``, ``:80`` (this machine). ValueError if it is none."""
    host, colon, port = where.rpartition(":")
    if not colon or where.endswith("]"):
        host, port = where, "" if default is None else str(default)
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:9]) < 65536) or "@" in host:
        raise ValueError(f"{where}: write HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"{where}: write [HOST]:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
