"""SPDY/3.1, as much of it as ``kubectl port-forward`` speaks inside its websocket.

Streams that the client opens, data both ways, headers compressed with SPDY's own dictionary. There is no flow
control, as there is none in Kubernetes' implementation (github.com/moby/spdystream).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
LARGEST = 1 << 24

_WORDS = """
options;head;post;put;delete;trace;accept;accept-charset;accept-encoding;accept-language;accept-ranges;age;allow;
authorization;cache-control;connection;content-base;content-encoding;content-language;content-length;content-location;
content-md5;content-range;content-type;date;etag;expect;expires;from;host;if-match;if-modified-since;if-none-match;
if-range;if-unmodified-since;last-modified;location;max-forwards;pragma;proxy-authenticate;proxy-authorization;range;
referer;retry-after;server;te;trailer;transfer-encoding;upgrade;user-agent;vary;via;warning;www-authenticate;method;get;
status;200 OK;version;HTTP/1.1;url;public;set-cookie;keep-alive;origin
"""
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = [word.strip() for word in _WORDS.split(";")]
    return b"".join(len(word).to_bytes(4, "big") + word.encode() for word in words) + _REST.encode()


DICTIONARY = _dictionary()
"""What the compression begins with (draft-mbelshe-httpbis-spdy-00, 2.6.10.1)."""


class Broken(Exception):
    """What came is no SPDY."""


class Opened(NamedTuple):
    """The client has opened a stream."""

    stream: int
    headers: dict[str, str]


class Data(NamedTuple):
    """Bytes on a stream; ``last``: there will be no more."""

    stream: int
    data: bytes
    last: bool


class Reset(NamedTuple):
    """The client wants no more of a stream."""

    stream: int


Event = Opened | Data | Reset


class Connection:
    """The server's side of a connection, without input and output: bytes go in, events and bytes come out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self.answers = bytearray()
        """What must be sent because of what came: replies and pings."""

    def receive(self, data: bytes) -> Iterator[Event]:
        """What the client has said. Raises Broken."""
        self._buffer += data
        while len(self._buffer) >= 8:
            size = int.from_bytes(self._buffer[5:8], "big")
            if len(self._buffer) < 8 + size:
                return
            head, body = bytes(self._buffer[:8]), bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            event = self._control(head, body) if head[0] & 0x80 else self._data(head, body)
            if event is not None:
                yield event
                if isinstance(event, Opened) and head[4] & FIN:
                    yield Data(event.stream, b"", last=True)

    def _data(self, head: bytes, body: bytes) -> Data:
        return Data(int.from_bytes(head[:4], "big"), body, bool(head[4] & FIN))

    def _control(self, head: bytes, body: bytes) -> Event | None:
        if int.from_bytes(head[:2], "big") & 0x7FFF != 3:
            raise Broken("not version 3")
        kind = int.from_bytes(head[2:4], "big")
        if kind == PING:
            self.answers += _frame(PING, body[:4])
        elif kind == RST_STREAM:
            return Reset(int.from_bytes(body[:4], "big"))
        elif kind == SYN_STREAM:
            stream = int.from_bytes(body[:4], "big")
            opened = Opened(stream, self._headers(body[10:]))
            self.answers += _frame(SYN_REPLY, body[:4] + self._compressed({}))
            return opened
        return None

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block, LARGEST)
        except zlib.error as error:
            raise Broken(str(error)) from None
        found, at = {}, 4
        for _ in range(min(int.from_bytes(text[:4], "big"), 1000)):
            pair = []
            for _ in range(2):
                size = int.from_bytes(text[at : at + 4], "big")
                pair.append(text[at + 4 : at + 4 + size].decode("latin-1"))
                at += 4 + size
            found[pair[0].lower()] = pair[1].partition("\0")[0]
        return found

    def _compressed(self, headers: dict[str, str]) -> bytes:
        text = len(headers).to_bytes(4, "big")
        for name, value in headers.items():
            for word in (name, value):
                text += len(word).to_bytes(4, "big") + word.encode("latin-1")
        return self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def data(self, stream: int, data: bytes, *, last: bool = False) -> bytes:
        """A data frame."""
        return stream.to_bytes(4, "big") + bytes([FIN if last else 0]) + len(data).to_bytes(3, "big") + data


def _frame(kind: int, body: bytes, flags: int = 0) -> bytes:
    return b"\x80\x03" + kind.to_bytes(2, "big") + bytes([flags]) + len(body).to_bytes(3, "big") + body
