"""The network of the simulated cluster: addresses, open ports, and who can reach whom.

Nothing here takes time by itself: a connection is answered, refused, or leads nowhere. An
address that nobody has, and every address of a node without power, leads nowhere
(``"timeout"``): whoever connects waits until its own patience ends.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs

import simpy

from selfheal.clock import Clock
from selfheal.rules import Cause

Unreachable = Literal["refused", "timeout"]
"""What a connection may meet instead of a server."""

LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104 - nothing is bound
"""Names of one's own address."""

_NO_HEADERS: Mapping[str, str] = {}


@dataclass(slots=True)
class Request:
    """An HTTP request as it goes over the wire."""

    method: str = "GET"
    path: str = "/"
    """With its query: ``/echo?msg=hi``."""
    headers: tuple[tuple[str, str], ...] = ()
    """In the order sent; a name may come twice."""
    body: str = ""
    source: str = ""
    """Address of the client."""
    cause: Cause | None = None
    """Why it was sent, for what it changes."""

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever the letters' case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    def query(self) -> dict[str, str]:
        """The query's values, the first of each name."""
        values = parse_qs(self.path.partition("?")[2], keep_blank_values=True)
        return {name: found[0] for name, found in values.items()}

    def text(self) -> str:
        """The bytes of the request."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n{self.body}"


@dataclass(slots=True)
class Response:
    """An HTTP answer, or the way in which there is none."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    delay: int | None = 0
    """µs until the headers arrive; None: they never do."""
    stall_body: bool = False
    """Headers arrive, the body never ends."""
    body_delay: int = 0
    """µs from the headers until the body has ended."""
    body_cut: bool = False
    """The connection ends in the middle of the body."""
    broken: str | None = None
    """The connection ends without an answer: what Go's client says of it, for instance ``EOF``."""
    steady: bool = True
    """Whether the same request gets the same answer as long as the server's container does not change."""

    def header(self, name: str) -> str | None:
        """The header of that name, whatever the letters' case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class GRPCError:
    """A gRPC call that ended with a status code: ``NotFound``, ``Unimplemented`` …"""

    code: str
    message: str


class Server:
    """What stands behind an open port. This one accepts connections and never says a word."""

    tls = False
    """Whether it expects TLS."""

    def http(self, request: Request) -> Response | simpy.Event:
        """Answer a request; an event brings the Response later as its value."""
        del request
        return Response(0, delay=None)

    def grpc(self, service: str) -> str | GRPCError | None:
        """``SERVING``, ``NOT_SERVING`` … of the health service; None: this does not speak gRPC."""
        del service
        return None

    def tcp(self) -> bool:
        """A client has connected and hung up. Returns whether that changes nothing."""
        return True


class Network:
    """All addresses of a cluster and the ports open on them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._node: dict[str, str] = {}
        self._ports: dict[tuple[str, int], Server] = {}
        self._dark: dict[str, None] = {}
        self.lookup: Callable[[str, str], str | None] = lambda _name, _namespace: None
        """The cluster's DNS: (name, the asker's namespace) → address. Set by whoever knows the Services."""
        self.forward: Callable[[str, str, int], tuple[str, int] | Unreachable | None] | None = None
        """What kube-proxy does: (source, address, port) → where it really goes; None: no Service has that address."""
        self.parted: Callable[[str, str], bool] | None = None
        """Whether a partition lies between two nodes. Set by the fault."""
        self.registries: dict[str, int | None] = {}
        """What is wrong with image registries: host → µs that a pull takes longer; None: it refuses connections."""
        self._cut: dict[str, None] = {}
        self._observers: dict[str, list[Callable[[], None]]] = {}

    # ---- who wants to know of changes

    def observe(self, ip: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback()`` whenever what a client meets at an address may have changed. Gives what ends it."""
        callbacks = self._observers.setdefault(ip, [])
        callbacks.append(callback)

        def end() -> None:
            if callback in callbacks:
                callbacks.remove(callback)

        return end

    def altered(self, ip: str | None = None) -> None:
        """Something is different at an address (None: perhaps at any, as with a partition)."""
        for address in [*self._observers] if ip is None else [ip]:
            for callback in tuple(self._observers.get(address, ())):
                callback()

    # ---- addresses

    def attach(self, ip: str, node: str) -> None:
        """``ip`` is now an address on ``node`` (a pod's, or the node's own)."""
        self._node[ip] = node
        self.altered(ip)

    def detach(self, ip: str) -> None:
        """The address is gone, and with it every port."""
        self._node.pop(ip, None)
        for key in [key for key in self._ports if key[0] == ip]:
            del self._ports[key]
        self.altered(ip)

    def power(self, node: str, on: bool) -> None:
        """Switch a node's power; without it none of its addresses answers."""
        if on:
            self._dark.pop(node, None)
        else:
            self._dark[node] = None
        self.altered()

    def cut(self, ip: str, on: bool = True) -> None:
        """Part an address from all that is not on its own node; ``on=False``: join it again."""
        if on:
            self._cut[ip] = None
        else:
            self._cut.pop(ip, None)
        self.altered(ip)

    # ---- ports

    def listen(self, ip: str, port: int, server: Server) -> bool:
        """Open a port; False if it is taken."""
        if (ip, port) in self._ports:
            return False
        self._ports[ip, port] = server
        return True

    def close(self, ip: str, port: int) -> None:
        self._ports.pop((ip, port), None)

    # ---- connections

    def resolve(self, host: str, namespace: str = "default") -> str | None:
        """The address of a host name, as a pod of that namespace finds it; an address is its own."""
        return host if host in LOOPBACK or _is_address(host) else self.lookup(host, namespace)

    def connect(self, source: str, ip: str, port: int) -> Server | Unreachable:
        """What somebody at ``source`` (an address, or a node's name) meets at ``ip:port``."""
        server = self._ports.get((ip, port))
        if server is not None and self.parted is None and not self._dark and not self._cut:
            return server
        if ip in LOOPBACK:
            ip = source
            server = self._ports.get((ip, port))
        elif self.forward is not None and ip not in self._node:
            way = self.forward(source, ip, port)
            if isinstance(way, str):
                return way
            if way is not None:
                ip, port = way
                server = self._ports.get(way)
        to = self._node.get(ip)
        here = self._node.get(source, source)
        if ip == source:
            to = here
        if to is None or to in self._dark or here in self._dark:
            return "timeout"
        if here != to and (ip in self._cut or source in self._cut):
            return "timeout"
        if self.parted is not None and here != to and self.parted(here, to):
            return "timeout"
        return server if server is not None else "refused"

    def request(self, source: str, host: str, port: int, request: Request) -> Response | Unreachable | simpy.Event:
        """Send an HTTP request from ``source``; a host that nobody knows is a timeout."""
        ip = self.resolve(host)
        server = self.connect(source, ip, port) if ip is not None else "timeout"
        if isinstance(server, str):
            return server
        request.source = source
        return server.http(request)


class Interface:
    """A pod's own network: its address and its ports, shared by its containers."""

    __slots__ = (
        "ip",
        "namespace",
        "network",
        "watchers",
    )

    def __init__(self, network: Network, ip: str, namespace: str = "default") -> None:
        self.network = network
        self.ip = ip
        self.namespace = namespace
        self.watchers: list[Callable[[], None]] = []
        """Called whenever what a client would meet here has changed."""

    def listen(self, port: int, server: Server) -> bool:
        """Open a port; False if another process of the pod has it."""
        opened = self.network.listen(self.ip, port, server)
        if opened:
            self.changed()
        return opened

    def close(self, port: int) -> None:
        self.network.close(self.ip, port)
        self.changed()

    def changed(self) -> None:
        for watcher in tuple(self.watchers):
            watcher()
        self.network.altered(self.ip)

    def resolve(self, host: str) -> str | None:
        """The address of a host name, asked from inside the pod."""
        return self.network.resolve(host, self.namespace)

    def request(self, host: str, port: int, request: Request) -> Response | Unreachable | simpy.Event:
        """An HTTP request from inside the pod."""
        return self.network.request(self.ip, host, port, request)


class Addresses:
    """The addresses that a node gives its pods: counting up from .2 in its podCIDR.

    An address is not given again until the range is used up (the host-local CNI plug-in).
    """

    def __init__(self, cidr: str) -> None:
        network = ipaddress.ip_network(cidr)
        self._base = int(network.network_address)
        self._size = network.num_addresses - 3  # without the network's, the bridge's and the broadcast address
        self._next = 0
        self._used: dict[int, None] = {}

    def allocate(self) -> str:
        """The next free address. RuntimeError if there is none."""
        for _ in range(self._size):
            offset = self._next % self._size
            self._next += 1
            if offset not in self._used:
                self._used[offset] = None
                return str(ipaddress.ip_address(self._base + 2 + offset))
        raise RuntimeError("no IP addresses available in range set")

    def release(self, ip: str) -> None:
        self._used.pop(int(ipaddress.ip_address(ip)) - self._base - 2, None)


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdecimal() or ":" in host
