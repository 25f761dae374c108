"""As much HTTP as the patient speaks: short answers to requests without a body worth reading."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable

from selfheal.programs.statuses import TEXTS

NOT_FOUND = (404, "404 page not found\n")
LONGEST = 64 * 1024
"""Bytes of a request's head, and of a body that is read over."""

Answers = Callable[[str, str], tuple[int, str]]
"""What (method, path) gets: (status, body). Status 0: nothing, for as long as the client waits."""


async def serve(answers: Answers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection's requests, in turn."""
    try:
        while await _one(answers, reader, writer):
            pass
    except asyncio.CancelledError:
        pass  # the app ends, and whoever waits for its answer gets none
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
        pass  # a client that hangs up, or speaks something else: nothing is owed to it
    finally:
        writer.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A port behind which nobody speaks."""
    try:
        while await reader.read(LONGEST):
            pass
    except (OSError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def _one(answers: Answers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request; gives whether there may be another."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    method, path, version = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= LONGEST or not version.startswith("HTTP/1"):
        raise ValueError(first)
    await reader.readexactly(length)
    status, body = answers(method, path)
    if not status:
        await reader.read()  # until the client has had enough
        return False
    asked = headers.get("connection", "").lower()
    last = asked == "close" or (version == "HTTP/1.0" and asked != "keep-alive")
    data = body.encode() if status not in (204, 304) else b""
    told = [f"HTTP/1.1 {status} {TEXTS.get(status, '')}", f"Content-Length: {len(data)}"]
    if data:
        told.append("Content-Type: text/plain; charset=utf-8")
    if last:
        told.append("Connection: close")
    writer.write("\r\n".join([*told, "", ""]).encode() + (b"" if method == "HEAD" else data))
    await writer.drain()
    return not last


def ask(host: str, port: int, path: str, patience: float) -> int:
    """The status of an answer. OSError if there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=patience)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()
