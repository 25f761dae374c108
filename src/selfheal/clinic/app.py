"""The stand-in for an app whose image nobody here can run: what it is taken to do, and a program that does it.

A manifest does not say how long its app takes to start, nor which of its pages need the database. :class:`App` holds
what is assumed of that. A stand-in serves the ports that the container declares and those its probes name, passes
whatever its probes ask while it is well, and is made slow, broken or cut off from its database by :class:`World`.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal.clock import SECOND
from selfheal.network import Request, Response, Server
from selfheal.objects import Object
from selfheal.programs import images
from selfheal.programs.images import Image
from selfheal.programs.process import Process, Program, Running
from selfheal.spec import Container, ExecAction, GRPCAction, HTTPGetAction, Probe, TCPSocketAction, pod_spec

HANG = Response(0, delay=None)
BAD_IMAGE = "selfheal.clinic/bad-version"
"""The image of a version that should never have been rolled out."""


@dataclass(frozen=True, slots=True)
class App:
    """What is taken for granted of an app, since its manifest does not say it. Times are seconds."""

    starts: float = 5
    """From the start of its process until it listens."""
    depends: tuple[str, ...] | None = None
    """Pages that fail while the database is away, besides what users ask for. None: what the readiness probe asks."""
    term: str = "obey"
    """At SIGTERM: ``obey`` (end at once), ``ignore``, or so many seconds in which it goes on serving."""
    pause: float = 3
    """For how long it answers nothing now and then (a collector at work, a full disk, a busy neighbour)."""
    slow: float = 2
    """How long an answer takes under load."""


class World:
    """What is wrong around the stand-ins of one run; they all see it, also those that are started later."""

    def __init__(self, container: str = "", ports: tuple[int, ...] = ()) -> None:
        self.container = container
        self.ports = ports
        """Where this container listens, since users are sent there, whether or not it declares that."""
        self.database = True
        self.delay = 0
        """How much later answers come, in µs."""
        self.standing: list[StandIn] = []

    def change(self, *, database: bool | None = None, delay: float | None = None) -> None:
        """From now on it is like that; ``delay`` in seconds."""
        self.database = self.database if database is None else database
        self.delay = self.delay if delay is None else round(delay * SECOND)
        for standing in self.standing:
            if not standing.process.ended:
                standing.process.kernel.interface.changed()


class StandIn(Server):
    """What listens on a stand-in's ports."""

    def __init__(self, process: Process, world: World, depends: tuple[str, ...], broken: bool) -> None:
        self.process = process
        self._world = world
        self._depends = depends
        self._broken = broken

    def well(self, asked: str) -> bool:
        return not self._broken and (self._world.database or asked not in self._depends)

    def http(self, request: Request) -> Response:
        if self.process.stopped:
            return HANG
        lag = self._world.delay + self.process.kernel.lag
        return Response(200 if self.well(request.route) else 503, delay=lag)

    def grpc(self, service: str) -> str | None:
        if self.process.stopped:
            return None
        return "SERVING" if self.well(service) else "NOT_SERVING"


def asks(probe: Probe | None) -> str | None:
    """What a probe asks for: a page, a gRPC service, a command; None: nothing that could depend on anything."""
    if probe is None or isinstance(probe.handler, TCPSocketAction):
        return None
    if isinstance(probe.handler, HTTPGetAction):
        return probe.handler.path.partition("?")[0]
    if isinstance(probe.handler, GRPCAction):
        return probe.handler.service
    return " ".join(probe.handler.command) if isinstance(probe.handler, ExecAction) else None


def ports_of(container: Container) -> list[int]:
    """The TCP ports that a container declares, then those that its probes name by number."""
    named = [str(getattr(p.handler, "port", "")) for p in _probes(container)]
    declared = [p.container_port for p in container.ports if p.protocol == "TCP"]
    return list(dict.fromkeys((*declared, *(int(p) for p in named if p.isdecimal()))))


def stand_ins(template: Object, app: App, world: World) -> dict[str, Image]:
    """Images for the containers of a pod template that no program stands for, and one for a bad version of them."""
    spec = pod_spec(template)
    found: dict[str, Image] = {}
    for container in (*spec.init_containers, *spec.containers):
        known = images.find(container.image)
        if known is None or (known is images.NGINX and (container.volume_mounts or container.command)):
            found[container.image] = _image(template, app, world)
    if found:
        found[BAD_IMAGE] = _image(template, app, world, broken=True)
    return found


def _image(template: Object, app: App, world: World, broken: bool = False) -> Image:
    """Its process 1 is the stand-in; what its probes and hooks run is there too."""
    spec = pod_spec(template)
    programs: dict[str, Program] = {}
    for container in (*spec.init_containers, *spec.containers):
        probes = [p.handler.command for p in _probes(container) if isinstance(p.handler, ExecAction)]
        life = container.lifecycle
        hooks = () if life is None else (life.post_start, life.pre_stop)
        for command in (*probes, *(h.command for h in hooks if isinstance(h, ExecAction))):
            name = command[0]
            path = name if name.startswith("/") else f"/usr/local/sbin/{name}"
            programs[path] = _command(name.rpartition("/")[2], tuple(probes), world)

    def server(c: Process) -> Running:
        return _serve(c, app, world, broken)

    return Image(entrypoint=("/stand-in",), programs={**programs, "/stand-in": server})


def _serve(c: Process, app: App, world: World, broken: bool) -> Running:
    """Process 1 of a stand-in."""
    spec = c.kernel.spec
    if spec.init and not spec.restartable_init:
        return 0
    c.on("TERM", None if app.term == "ignore" else lambda: _leave(c, app))
    if app.starts:
        yield c.sleep(app.starts)
    asked = asks(spec.readiness)
    depends = app.depends if app.depends is not None else () if asked is None else (asked,)
    standing = StandIn(c, world, ("/", *depends), broken)
    world.standing.append(standing)
    for port in dict.fromkeys((*ports_of(spec), *(world.ports if spec.name == world.container else ()))):
        c.listen(port, standing)
    yield c.forever()
    return 0


def _leave(c: Process, app: App) -> None:
    seconds = 0.0 if app.term == "obey" else float(app.term)
    if not seconds:
        c.exit(0)
    c.on("TERM", None)
    c.after(seconds, lambda: c.exit(0))


def _command(name: str, probes: tuple[tuple[str, ...], ...], world: World) -> Program:
    """A command of a probe asks the app beside it; another is busybox's, or does nothing and is content."""

    def command(c: Process) -> Running:
        if tuple(c.argv) in probes:
            return _ask(c, world)
        program = getattr(images.applets().get(name), "program", None)
        return _content() if program is None else program(c)

    return command


def _content() -> Running:
    yield from ()
    return 0


def _ask(c: Process, world: World) -> Running:
    """Exit code 0 if the app is well."""
    first = c.kernel.processes.get(1)
    if first is not None and first.stopped:
        yield c.forever()
    standing = next((s for s in reversed(world.standing) if s.process is first), None)
    if standing is None:
        return 1
    lag = world.delay + c.kernel.lag
    if lag:
        yield c.sleep(lag / SECOND)
    return 0 if standing.well(" ".join(c.argv)) else 1


def _probes(container: Container) -> list[Probe]:
    return [p for p in (container.startup, container.readiness, container.liveness) if p is not None]
