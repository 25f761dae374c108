"""What it costs to ask, measured on the machine at hand: a connection with an answer, and a process.

Only orders of magnitude are worth telling: machines differ, and what a container runtime adds is not in it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from statistics import median

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians, in seconds."""

    request: float
    process: float

    @property
    def ratio(self) -> float:
        """How many requests one process costs."""
        return self.process / self.request


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """A health page logs nothing."""


def measure() -> Cost | None:
    """A GET with a new connection, and a process that starts Python and ends; None where no process can run."""
    if sys.platform == "emscripten":
        return None
    with HTTPServer(("127.0.0.1", 0), _Well) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]

        def request() -> None:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()

        asked = _median(request)
        server.shutdown()
    return Cost(asked, _median(lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True)))


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)
