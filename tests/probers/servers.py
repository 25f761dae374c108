"""Real servers that do as they are told: one function per connection, in a thread, on a free port of loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Handler = Callable[[socket.socket, bytes], None]
"""Called with the connection and the head of its request."""


class Served:
    """Where it listens, and what it was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[bytes] = []


def head_of(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := client.recv(65536)):
        data += more
    return data


@contextmanager
def serve(handler: Handler, tls: ssl.SSLContext | None = None, read: bool = True) -> Iterator[Served]:
    """``read=False``: the handler is called before anything was read."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = Served()
    served.port = listener.getsockname()[1]
    clients: list[socket.socket] = []

    def handle(client: socket.socket) -> None:
        try:
            client.settimeout(10)
            if tls is not None:
                client = tls.wrap_socket(client, server_side=True)
                clients.append(client)
            head = head_of(client) if read else b""
            served.heads.append(head)
            handler(client, head)
        except OSError:
            pass
        finally:
            client.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            clients.append(client)
            threading.Thread(target=handle, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for client in clients:
            client.close()


def says(data: bytes, *, then: str = "close") -> Handler:
    """Answers with these bytes, and then closes, resets, or waits until the client goes."""

    def handler(client: socket.socket, head: bytes) -> None:
        client.sendall(data)
        if then == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        elif then == "wait":
            while client.recv(65536):
                pass
        elif then == "for ever":
            while True:
                client.sendall(b"x" * 4096)

    return handler


def certificate(folder: Path) -> ssl.SSLContext | None:
    """A server's TLS with a certificate that nobody would trust; None if this machine cannot make one."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += [
        "-subj",
        "/CN=nobody.example",
        "-days",
        "1",
        "-keyout",
        str(folder / "key"),
        "-out",
        str(folder / "crt"),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context
