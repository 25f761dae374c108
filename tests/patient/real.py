"""A real process of the patient, on free ports of loopback."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import selfheal


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports: list[int] = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class App:
    """``with App("--start", "1") as app``: it runs, and is gone afterwards."""

    def __init__(self, *flags: str, port: int | None = None) -> None:
        self.port = free_ports(1)[0] if port is None else port
        self.command = [sys.executable, "-m", "selfheal.patient", "--port", str(self.port), *flags]

    def __enter__(self) -> Self:
        self.said = tempfile.NamedTemporaryFile("r", suffix=".log")
        env = {**os.environ, "PYTHONPATH": str(Path(selfheal.__file__).parents[1])}
        with Path(self.said.name).open("w") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out, env=env)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, of: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        self.said.close()

    @property
    def log(self) -> list[str]:
        return Path(self.said.name).read_text().splitlines()

    def until(self, line: str, patience: float = 20) -> None:
        """Wait until it has said that."""
        end = time.monotonic() + patience
        while line not in self.log:
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def end(self, patience: float = 20) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(patience)

    def ask(self, method: str, path: str, patience: float = 10) -> tuple[int | str, str]:
        """(status, body), or ("hang", "")."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except TimeoutError:
            return "hang", ""
        finally:
            connection.close()

    def check(self, *words: str, patience: float = 20) -> tuple[int, str]:
        """``patient check …``: its exit code and what it says."""
        command = [*self.command[: 5 if self.command[3:4] == ["--host"] else 3], "check", *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=patience)
        return done.returncode, done.stdout + done.stderr
