"""``selfheal/patient`` in a simulated container; what it is stands in :mod:`selfheal.programs.health`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from selfheal.clock import SECOND
from selfheal.network import GRPCError, Request, Response, Server
from selfheal.programs import flags
from selfheal.programs.health import (
    HANG,
    PATHS,
    SERVICES,
    Answer,
    Patient,
    checked,
    read,
    read_check,
    usage,
)
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import HANG as NOTHING
from selfheal.programs.servers import HealthServer, RouteServer

ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound


def patient(c: Process) -> Running:
    """The program."""
    words = c.argv[1:]
    if words[:1] == ["check"]:
        return (yield from check(c))
    if words in (["--help"], ["-h"]):
        c.write(usage())
        return 0
    try:
        options = read(words)
        if options.host not in ANYWHERE:
            raise flags.FlagError(f"--host {options.host}: no probe could reach it there")
    except flags.FlagError as error:
        return c.fail(str(error), 2)
    host = Simulated(c)
    host.app = Patient(host, options)
    host.app.begin()
    yield c.forever()
    return 0


def check(c: Process) -> Running:
    """``patient check NAME``: asks the app beside it."""
    try:
        name, port = read_check(c.argv[2:])
    except flags.FlagError as error:
        return c.fail(str(error), 2)
    path = next(path for path, of in PATHS.items() if of == name)
    answer = c.kernel.interface.request("127.0.0.1", port, Request("GET", path))
    if isinstance(answer, simpy.Event):
        answer = yield answer
    if isinstance(answer, str):
        return c.fail(f"nobody listens on port {port}")
    if answer.delay is None:
        yield c.forever()
    if answer.delay:
        yield c.sleep(answer.delay / SECOND)
    text, code = checked(name, answer.status)
    c.log(text)
    return code


class Simulated:
    """What a simulated process does for its patient."""

    app: Patient

    def __init__(self, c: Process) -> None:
        self.c = c
        self.log = c.log
        self.report = c.report

    def fail(self, text: str, code: int) -> None:
        self.c.exit(self.c.fail(text, code))

    def exit(self, code: int) -> None:
        self.c.exit(code)

    def after(self, seconds: float, call: Callable[[], None]) -> object:
        return self.c.after(seconds, call)

    def term(self, call: Callable[[], None] | None) -> None:
        self.c.on("TERM", call)

    def listen(self) -> str | None:
        c, options = self.c, self.app.options
        if c.serve(options.port, {**self._answers(), "/switch": self._switch}) is None:
            return str(options.port)
        if options.grpc_port is not None and not c.listen(options.grpc_port, Health(c, self.app)):
            return str(options.grpc_port)
        if options.tcp_port is not None and not c.listen(options.tcp_port, Server()):
            return str(options.tcp_port)
        return None

    def tcp(self, opened: bool) -> None:
        port = self.app.options.tcp_port
        assert port is not None
        if not opened:
            self.c.unserve(port)
        elif port not in self.c.ports:
            self.c.listen(port, Server())

    def changed(self) -> None:
        server = self.c.ports.get(self.app.options.port)
        if isinstance(server, RouteServer):
            for path, answer in self._answers().items():
                server.route(path, answer)
            self.c.kernel.interface.changed()

    def grow(self, size: int) -> None:
        self.c.kernel.allocate(self.c, size)

    def left_over(self, path: str) -> bool:
        return self.c.fs.exists(path)

    def leave_file(self, path: str) -> None:
        self.c.fs.mkdir(path.rpartition("/")[0], parents=True)
        self.c.fs.write(path, "")

    def remove_file(self, path: str) -> None:
        if self.c.fs.exists(path):
            self.c.fs.remove(path)

    def _answers(self) -> dict[str, Response]:
        return {path: _response(self.app.answer(name)) for path, name in PATHS.items()}

    def _switch(self, request: Request) -> Response:
        answer: Any = self.app.switch(request.method, request.path, request.cause)
        response = _response(answer)
        response.steady = response.status != 200
        return response


class Health(HealthServer):
    """The patient's gRPC port."""

    def __init__(self, process: Process, app: Patient) -> None:
        super().__init__(process, dict.fromkeys(SERVICES, "SERVING"))
        self._app = app

    def grpc(self, service: str) -> str | GRPCError | None:
        for name in self.services:
            self.services[name] = self._app.status(name) or ""
        found = super().grpc(service)
        return GRPCError("DeadlineExceeded", "") if found == HANG else found


def _response(answer: Answer) -> Response:
    return Response(answer.status, answer.body) if answer.status else NOTHING
