"""`make serve`: a folder of static pages on loopback: ``python tools/serve.py _build/html``."""

from __future__ import annotations

import functools
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from loopback import HOST, Taken, free_port, open_browser


class Handler(SimpleHTTPRequestHandler):
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
