"""A plain static host as GitHub Pages is one: a sub-path, gzip, ETag, ten minutes of cache, no headers of our own.

It keeps a log of what was asked for, can be as slow as a line is, and can lose a file: ``host.faults["*.wasm"]`` is
"404" or "hang" (the answer never comes). ``python -m tests.live.host _build/html`` serves a folder until Ctrl-C.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import sys
import threading
import time
from fnmatch import fnmatch
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

KINDS = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".ipynb": "application/json"}
PACKED = ("text/", "application/json", "application/wasm", "image/svg")
PIECE = 16_384


class Asked(NamedTuple):
    """One request: the path below the prefix, the status of the answer, the bytes of its body on the line."""

    path: str
    status: int
    size: int


class Stored(NamedTuple):
    body: bytes
    kind: str
    tag: str
    packed: bool


@cache
def stored(path: Path, _changed: int, before: bytes = b"") -> Stored:
    """A file as it goes over the line, with something before it."""
    raw = before + path.read_bytes()
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = kind.startswith(PACKED)
    body = gzip.compress(raw, 6, mtime=0) if packed else raw
    return Stored(body, kind, f'"{hashlib.sha256(raw).hexdigest()[:16]}"', packed)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_GET(self) -> None:
        host, asked = self.server, unquote(urlsplit(self.path).path)
        name = asked.removeprefix(host.prefix)
        fault = next((fault for pattern, fault in host.faults.items() if fnmatch(name, pattern)), None)
        if fault == "hang":
            host.log.append(Asked(name, 0, 0))
            host.closing.wait()
            return
        path = host.root / name
        status = 200
        if not asked.startswith(host.prefix) or fault == "404" or ".." in name or not path.exists():
            status, path = 404, host.root / "404.html"
        elif path.is_dir() and not asked.endswith("/"):
            self.answer(301, {"Location": f"{asked}/"})
            return
        elif path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.answer(404, {})
            return
        before = next((text for pattern, text in host.before.items() if fnmatch(name, pattern)), b"")
        file = stored(path, path.stat().st_mtime_ns, before)
        kept = {"ETag": file.tag, "Cache-Control": "max-age=600", "Vary": "Accept-Encoding"}
        if status == 200 and self.headers.get("If-None-Match") == file.tag:
            self.answer(304, kept)
            return
        packed = {"Content-Encoding": "gzip"} if file.packed else {}
        self.answer(status, {"Content-Type": file.kind, **packed, **(kept if status == 200 else {})}, file.body)

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        host = self.server
        host.log.append(Asked(unquote(urlsplit(self.path).path).removeprefix(host.prefix), status, len(body)))
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        for at in range(0, len(body), PIECE):
            piece = body[at : at + PIECE]
            if rate := host.rate:
                with host.line:
                    time.sleep(len(piece) / rate)
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Says nothing: the log is the host's."""


class Host(ThreadingHTTPServer):
    """Serves ``root`` under ``prefix`` on loopback, from when it is entered until it is left.

    ``rate`` is the line's speed in bytes a second, shared by all requests; None is as fast as can be.
    ``faults`` maps a pattern of paths (``*.wasm``) to "404" or "hang", ``before`` to what is put before such a file.
    All of them may be changed at any time.
    """

    request_queue_size = 64

    def __init__(self, root: Path, prefix: str = "/a/b/", port: int = 0, rate: float | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.root, self.prefix, self.rate = root, prefix, rate
        self.faults: dict[str, str] = {}
        self.before: dict[str, bytes] = {}
        self.log: list[Asked] = []
        self.line, self.closing = threading.Lock(), threading.Event()
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.url = self.origin + prefix
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        for path in self.root.rglob("*.wasm"):  # a real host has the large ones ready
            stored(path, path.stat().st_mtime_ns)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader who leaves early is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def bytes(self) -> int:
        """What has gone over the line, headers aside."""
        return sum(asked.size for asked in self.log)


if __name__ == "__main__":
    with Host(Path(sys.argv[1]), port=int(sys.argv[2]) if len(sys.argv) > 2 else 8000) as host:
        print(host.url, flush=True)
        host.thread.join()
