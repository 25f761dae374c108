"""`make serve`: a folder of static pages on loopback, as any host serves it: ``python tools/serve.py _build/html``."""

from __future__ import annotations

import functools
import gzip
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from loopback import HOST, Taken, free_port, open_browser

PACKED = ("text/", "application/json", "application/wasm", "image/svg")


@functools.cache
def packed(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


class Handler(SimpleHTTPRequestHandler):
    """Packs what is text, names the types that Python's own list lacks, and shows ``404.html`` where nothing is."""

    extensions_map = {  # noqa: RUF012 (as in the class above)
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".ipynb": "application/json",
    }

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.partition("?")[0].endswith("/"):
            path /= "index.html"
        nothing = Path(self.directory) / "404.html"
        missing = not path.exists() and nothing.is_file()
        path = nothing if missing else path
        kind = self.guess_type(str(path))
        if path.is_dir() or not path.is_file() or not kind.startswith(PACKED):
            super().do_GET()
        else:
            takes = "gzip" in self.headers.get("Accept-Encoding", "")
            body = packed(path, path.stat().st_mtime_ns) if takes else path.read_bytes()
            self.send_response(404 if missing else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-cache")
            if takes:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Says nothing: a request is no news."""


def main() -> int:
    try:
        port = free_port(8000)
    except (Taken, ValueError) as problem:
        print(f"selfheal: {problem}", file=sys.stderr)
        return 1
    with ThreadingHTTPServer((HOST, port), functools.partial(Handler, directory=sys.argv[1])) as server:
        url = f"http://{HOST}:{port}/"
        print(f"The book is open, until Ctrl-C, at\n\n    {url}\n", flush=True)
        open_browser(url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
