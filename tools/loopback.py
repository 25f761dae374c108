"""Ports on loopback, for the two targets that serve something."""

from __future__ import annotations

import os
import socket
import sys
import webbrowser

HOST = "127.0.0.1"


class Taken(Exception):
    """The port that was asked for is in use."""


def free_port(preferred: int) -> int:
    """``PORT`` if the caller named one, else ``preferred`` or one of the nine after it, else any that is free.

    Raises Taken if the named one is in use, ValueError if it is no port.
    """
    named = os.environ.get("PORT")
    if named:
        if not named.isdecimal() or not 0 < int(named) < 65536:
            raise ValueError(f"PORT={named} is not a port")
        if not is_free(int(named)):
            raise Taken(f"port {named} is taken; name another (PORT=…) or none at all")
        return int(named)
    return next((port for port in range(preferred, preferred + 10) if is_free(port)), 0) or any_port()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def open_browser(url: str) -> None:
    """Shows the page where there is a screen and a person before it."""
    screen = sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if screen and sys.stdout.isatty():
        webbrowser.open(url)
