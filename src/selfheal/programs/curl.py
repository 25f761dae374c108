"""``curl``, which lies in agnhost's image: enough of it for a probe's command."""

from __future__ import annotations

import re
from typing import Any

import simpy

from selfheal.clock import SECOND, micros
from selfheal.network import Request, Response
from selfheal.programs.process import Process, Running
from selfheal.programs.statuses import TEXTS

CONNECTS_FOR = 130.0
"""Seconds after which Linux and curl give up an address that says nothing."""

VALUES = {
    "m": "max-time",
    "o": "output",
    "X": "request",
    "H": "header",
    "d": "data",
    "w": "write-out",
    "A": "user-agent",
}
FLAGS = {"fail": "f", "silent": "s", "show-error": "S", "insecure": "k", "location": "L", "head": "I", "include": "i"}
WITH_VALUE = (*VALUES.values(), "connect-timeout", "retry", "retry-delay", "user-agent")


def curl(p: Process) -> Running:
    """Exit codes and texts as curl has them: 6 no such name, 7 refused, 22 (``-f``) an error status, 28 too late."""
    flags, given, urls = set[str](), {}, []
    headers: list[tuple[str, str]] = []
    words = p.argv[1:]
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in WITH_VALUE:
                given[name] = value if equals else (words.pop(0) if words else "")
            else:
                flags.add(FLAGS.get(name, name))
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in VALUES:
                    given[VALUES[letter]] = letters or (words.pop(0) if words else "")
                    letters = ""
                else:
                    flags.add(letter)
        else:
            urls.append(word)
        if "header" in given:
            name, _, value = given.pop("header").partition(":")
            headers.append((name.strip(), value.strip()))
    if not urls:
        p.say("curl: (2) no URL specified")
        return 2
    quiet = "s" in flags and "S" not in flags

    def failed(code: int, text: str) -> int:
        if not quiet:
            p.say(f"curl: ({code}) {text}")
        return code

    method = given.get("request") or ("POST" if "data" in given else "HEAD" if "I" in flags else "GET")
    answer = yield from _ask(p, urls[0], method, headers, given, "L" in flags)
    if isinstance(answer, tuple):
        return failed(*answer)
    if "f" in flags and answer.status >= 400:
        return failed(22, f"The requested URL returned error: {answer.status}")
    _show(p, answer, flags, given)
    return 0


def _ask(p: Process, url: str, method: str, headers: list[tuple[str, str]], given: dict[str, str], follow: bool) -> Any:
    """The answer, or (exit code, text)."""
    interface, clock = p.kernel.interface, p.kernel.clock
    p.kernel.restless += 1
    patience = _seconds(given.get("max-time", "")) or CONNECTS_FOR
    deadline = clock.now + micros(patience)
    late = 28, f"Operation timed out after {round(patience * 1000) + 1} milliseconds with 0 bytes received"
    for _ in range(50):
        found = re.fullmatch(r"(?:(https?)://)?([^/:?]+)(?::(\d+))?([/?].*)?", url)
        if found is None:
            return 3, "URL using bad/illegal format or missing URL"
        host, path = found[2], found[4] or "/"
        port = int(found[3] or (443 if found[1] == "https" else 80))
        ip = interface.resolve(host)
        if ip is None:
            return 6, f"Could not resolve host: {host}"
        server = interface.network.connect(interface.ip, ip, port)
        if server == "timeout":
            yield p.sleep(_seconds(given.get("connect-timeout", "")) or patience)
            return 28, f"Failed to connect to {host} port {port} after {round(patience * 1000)} ms: Timeout was reached"
        if isinstance(server, str):
            return 7, f"Failed to connect to {host} port {port} after 0 ms: Could not connect to server"
        if (found[1] == "https") != server.tls:
            return 35, "TLS connect error: error:0A0000C6:SSL routines::packet length too long"
        base = (("Host", host if port == 80 else f"{host}:{port}"), ("User-Agent", "curl/8.14.1"), ("Accept", "*/*"))
        reply: Any = server.http(Request(method, path, (*base, *headers), given.get("data", ""), interface.ip, p.cause))
        if isinstance(reply, simpy.Event):
            yield reply | clock.sleep(max(0, deadline - clock.now))
            if not reply.triggered:
                return late
            reply = reply.value
        assert isinstance(reply, Response)
        if reply.delay is None or reply.stall_body or clock.now + reply.delay + reply.body_delay > deadline:
            yield clock.sleep(max(0, deadline - clock.now))
            return late
        if reply.delay or reply.body_delay:
            yield p.sleep((reply.delay + reply.body_delay) / SECOND)
        if reply.broken is not None:
            return 52, "Empty reply from server"
        location = reply.header("Location")
        if not (follow and location and 300 <= reply.status < 400):
            return reply
        url = location if "://" in location else f"{found[1] or 'http'}://{host}:{port}{location}"
    return 47, "Maximum (50) redirects followed"


def _show(p: Process, answer: Response, flags: set[str], given: dict[str, str]) -> None:
    head = f"HTTP/1.1 {answer.status} {TEXTS.get(answer.status, '')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items()) + "\r\n"
    text = (head if flags & {"I", "i"} else "") + ("" if "I" in flags else answer.body)
    (p.open(given["output"], "w").write if given.get("output", "-") != "-" else p.write)(text)
    if "write-out" in given:
        shown = (
            given["write-out"]
            .replace("%{http_code}", str(answer.status))
            .replace("%{response_code}", str(answer.status))
        )
        p.write(shown.replace("\\n", "\n"))


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
