"""One HTTP exchange, and what Go's client says when it goes wrong (net/http transport.go, response.go, transfer.go)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfheal.probers import h2
from selfheal.probers.dial import Failed, called, dial
from selfheal.probes.http import CUT, PLAIN, Target, bracketed
from selfheal.probes.result import BODY_LIMIT

BROKEN = "net/http: HTTP/1.x transport connection broken: "
HEADERS = 10 << 20
"""Bytes of an answer's head (Transport.MaxResponseHeaderBytes)."""
CHUNK = 16 * 1024

_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


@dataclass
class Answer:
    """The head of an answer."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    """Where it has come with the head."""

    def header(self, name: str) -> str:
        """The first of that name (in small letters), or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Wire:
    """A connection for one request: the kubelet keeps none."""

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._stream: h2.Stream | None = None
        self._ways = ""

    async def get(self, target: Target, headers: Iterable[tuple[str, str]]) -> Answer:
        """Connect, ask, and read the head of the answer. Failed, in Go's words."""
        own = await dial(target.host, target.port)
        mine, theirs = own.getsockname(), own.getpeername()
        self._ways = "->".join(f"{bracketed(str(end[0]))}:{end[1]}" for end in (mine, theirs))
        try:
            self._reader, self._writer = await asyncio.open_connection(sock=own, limit=HEADERS)
        except BaseException:
            own.close()
            raise
        if target.scheme == "https":
            await self._secure(target.host)
        try:
            if self._stream is not None:
                status, found = await self._stream.get(target, headers)
                return Answer(status, found)
            head = "".join(f"{name}: {value}\r\n" for name, value in headers)
            self._writer.write(f"GET {target.path} HTTP/1.1\r\n{head}\r\n".encode())
            await self._writer.drain()
            return await self._head()
        except OSError as error:
            raise Failed(self._lost(error)) from None

    async def body(self, answer: Answer) -> bytes:
        """The first bytes of the body. Failed if it ends before its end."""
        try:
            if self._stream is not None:
                return await self._stream.body(BODY_LIMIT)
            if answer.status in (204, 304) or 100 <= answer.status < 200:
                return b""
            if answer.header("transfer-encoding").lower() == "chunked":
                return await self._chunks()
            length = answer.header("content-length")
            if not length:
                return await self._most(BODY_LIMIT)
            wanted = min(int(length), BODY_LIMIT)
            data = await self._most(wanted)
            if len(data) < wanted:
                raise Failed(CUT)
            return data
        except OSError as error:
            raise Failed(self._lost(error)) from None

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.transport.abort()

    # ---- what comes

    async def _head(self) -> Answer:
        while True:
            line = await self._line(first=True)
            protocol, space, rest = line.partition(" ")
            code = rest.lstrip(" ").partition(" ")[0]
            if not space:
                raise Failed(f"{BROKEN}malformed HTTP response {go_quote(line)}")
            if len(code) != 3 or not (code.isascii() and code.isdecimal()):
                raise Failed(f"{BROKEN}malformed HTTP status code {go_quote(code)}")
            if not re.fullmatch(r"HTTP/[0-9]\.[0-9]", protocol):
                raise Failed(f"{BROKEN}malformed HTTP version {go_quote(protocol)}")
            answer = Answer(int(code), await self._fields())
            if not 100 <= answer.status < 200 or answer.status == 101:  # an answer that announces another
                self._check(answer)
                return answer

    async def _fields(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        size = 0
        while line := await self._line():
            size += len(line)
            if size > HEADERS:
                raise Failed(f"net/http: server response headers exceeded {HEADERS} bytes; aborted")
            if line[0] in " \t":
                if not found:
                    raise Failed(f"{BROKEN}malformed MIME header initial line: {line}")
                name, value = found[-1]
                found[-1] = (name, f"{value} {line.strip()}")
                continue
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise Failed(f"{BROKEN}malformed MIME header line: {line}")
            found.append((name, value.strip()))
        return found

    @staticmethod
    def _check(answer: Answer) -> None:
        """Whether the body's length can be told (transfer.go)."""
        coding = answer.header("transfer-encoding")
        if coding and coding.lower() != "chunked":
            raise Failed(f"{BROKEN}unsupported transfer encoding: {go_quote(coding)}")
        lengths = {value for name, value in answer.headers if name.lower() == "content-length"}
        bad = [text for text in sorted(lengths) if not (text.isascii() and text.isdecimal())]
        if not coding and bad:
            raise Failed(f"{BROKEN}bad Content-Length {go_quote(bad[0])}")
        if not coding and len(lengths) > 1:
            raise Failed(f"{BROKEN}http: message cannot contain multiple Content-Length headers")

    async def _line(self, first: bool = False) -> str:
        """A line of the head; the last one may lack its end."""
        try:
            data = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            data = error.partial
            if not data:
                raise Failed("EOF" if first else f"{BROKEN}{CUT}") from None
            if not first:
                raise Failed(f"{BROKEN}{CUT}") from None
        except asyncio.LimitOverrunError:
            raise Failed(f"net/http: server response headers exceeded {HEADERS} bytes; aborted") from None
        return data.removesuffix(b"\n").removesuffix(b"\r").decode("latin-1")

    async def _most(self, wanted: int) -> bytes:
        """So many bytes, or what there is."""
        data = b""
        while len(data) < wanted and (more := await self._reader.read(min(CHUNK, wanted - len(data)))):
            data += more
        return data

    async def _chunks(self) -> bytes:
        data = b""
        while len(data) < BODY_LIMIT:
            try:
                line = (await self._reader.readuntil(b"\n")).rstrip()
            except asyncio.IncompleteReadError:
                raise Failed(CUT) from None
            except asyncio.LimitOverrunError:
                raise Failed("chunked line too long") from None
            digits = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", digits):
                raise Failed("invalid byte in chunk length" if digits else "empty hex number for chunk length")
            size = int(digits, 16)
            if not size:
                return data
            wanted = min(size, BODY_LIMIT - len(data))
            chunk = await self._most(wanted)
            data += chunk
            if len(chunk) < wanted:
                raise Failed(CUT)
            if len(data) < BODY_LIMIT and await self._most(2) != b"\r\n":
                raise Failed("malformed chunked encoding")
        return data

    # ---- what goes wrong

    def _lost(self, error: OSError) -> str:
        if isinstance(error, ssl.SSLError):
            return _tls(error)
        what = "write" if error.errno == errno.EPIPE else "read"
        return f"{what} tcp {self._ways}: {what}: {called(error)}"

    async def _secure(self, host: str) -> None:
        """TLS with whatever certificate there is: none is verified."""
        assert self._writer is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"] if h2.AVAILABLE else ["http/1.1"])
        try:
            await self._writer.start_tls(context, server_hostname="" if _is_address(host) else host)
        except ssl.SSLError as error:
            raise Failed(_tls(error)) from None
        except OSError as error:
            raise Failed(self._lost(error) if error.errno else "EOF") from None
        spoken: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        if spoken is not None and spoken.selected_alpn_protocol() == "h2":
            self._stream = h2.Stream(self._reader, self._writer)


def _tls(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return PLAIN
    alert = re.fullmatch(r"(?:TLSV1|TLSV13|SSLV3)_ALERT_(.+)", reason)
    if alert:
        return f"remote error: tls: {alert[1].replace('_', ' ').lower()}"
    return "EOF" if "EOF" in reason else f"tls: {reason.replace('_', ' ').lower() or error}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def go_quote(text: str) -> str:
    """Bytes (one a letter) as Go's %q shows them."""

    def shown(letter: str) -> str:
        if ord(letter) in _ESCAPES:
            return _ESCAPES[ord(letter)]
        number = ord(letter)
        if number > 127 and utf8:
            return letter if letter.isprintable() else f"\\u{number:04x}"
        return letter if letter.isprintable() and number < 127 else f"\\x{number:02x}"

    utf8 = False
    with contextlib.suppress(UnicodeDecodeError):
        text, utf8 = text.encode("latin-1").decode(), True
    return f'"{"".join(map(shown, text))}"'
