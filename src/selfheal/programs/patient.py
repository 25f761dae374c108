"""``selfheal/patient``: our own app, whose health can be switched from outside.

It answers ``/healthz`` (is it alive?), ``/readyz`` (can it take work?) and ``/`` (a user's
request, answered 200 only if it is both). Each is switched by::

    POST /switch?healthz=500&readyz=200&work=hang&term=ignore

(``work=auto`` lets ``/`` follow the other two again) or by flags::

    --port 8080                    where it listens
    --start SECONDS                how long it loads before it listens
    --healthz-after SECONDS=CODE   /healthz answers CODE (or hang) from then on; --readyz-after, --work-after likewise
    --exit-after SECONDS=CODE      it ends by itself
    --term obey|ignore             what it does on SIGTERM: end with 0, or nothing
    --unfinished-work SECONDS      work is always going on; if it was cut off by an unclean end (SIGKILL, a crash), the
                                   next instance finds the file it left and is not ready until it has done it again
    --work-dir PATH                where that file lies: a mounted volume

A new instance starts well, whatever was switched before.
"""

from __future__ import annotations

from functools import partial

from selfheal.network import Request, Response
from selfheal.programs import flags
from selfheal.programs.process import Process, Running
from selfheal.programs.servers import HANG, TEXTS
from selfheal.rules import Cause

KNOWN = {
    "port": "8080",
    "start": "0",
    "healthz-after": "",
    "readyz-after": "",
    "work-after": "",
    "exit-after": "",
    "term": "obey",
    "unfinished-work": "",
    "work-dir": "/work",
}

NAMES = ("healthz", "readyz", "work")


class Patient:
    """The app's state: what each target answers."""

    def __init__(self, c: Process, port: int) -> None:
        self.c = c
        self.port = port
        self.healthz = "200"
        self.readyz = "200"
        self.work = ""
        """Empty: 200 if alive and ready."""

    @property
    def well(self) -> bool:
        return self.healthz == self.readyz == "200" and self.work in ("", "200")

    def answers(self) -> dict[str, Response]:
        """What each path answers now."""
        work = self.work
        if not work:
            work = "hang" if "hang" in (self.healthz, self.readyz) else "200" if self.well else "503"
        return {"/healthz": _answer(self.healthz), "/readyz": _answer(self.readyz), "/": _answer(work)}

    def turn(self, name: str, value: str, cause: Cause | None = None) -> None:
        """Switch one target."""
        if getattr(self, name) == value:
            return
        setattr(self, name, value)
        c = self.c
        if self.port in c.ports:
            for path, answer in self.answers().items():
                c.ports[self.port].route(path, answer)  # type: ignore[attr-defined]
            c.kernel.interface.changed()
        c.log(f"{name} answers {value or 'as it is'}")
        c.report(self.well, self.text(), cause)

    def text(self) -> str:
        """How it is, in words."""
        ill = [f"{name} {getattr(self, name)}" for name in NAMES if getattr(self, name) not in ("", "200")]
        return ", ".join(ill) or "well"

    def switch(self, request: Request) -> Response:
        """``POST /switch?…``; refuses what it does not know, and then changes nothing."""
        if request.method != "POST":
            return Response(405, "use POST\n")
        wanted = request.query()
        for name, value in wanted.items():
            if name == "term":
                if value not in ("obey", "ignore"):
                    return Response(400, f"term is obey or ignore, not {value}\n")
            elif name not in NAMES or not (_is_answer(value) or (name == "work" and value == "auto")):
                return Response(400, f"cannot switch {name} to {value}\n")
        for name, value in wanted.items():
            if name == "term":
                self.term(value)
            else:
                self.turn(name, "" if value == "auto" else value, request.cause)
        return Response(200, f"{self.text()}\n", steady=False)

    def term(self, value: str) -> None:
        """What SIGTERM does from now on."""
        self.c.on("TERM", self.leave if value == "obey" else None)

    def leave(self) -> None:
        """A clean end: no work is left behind."""
        c = self.c
        if c.fs.exists(self.unfinished):
            c.fs.remove(self.unfinished)
        c.exit(0)

    unfinished = ""


def patient(c: Process) -> Running:
    """The program."""
    try:
        values, rest = flags.parse(c.argv[1:], KNOWN)
        if rest:
            raise flags.FlagError(f"unknown argument: {rest[0]}")
        port = flags.number(values, "port")
        start = flags.seconds(values, "start")
        later = [(name, *_after(values, f"{name}-after")) for name in (*NAMES, "exit") if values[f"{name}-after"]]
        if values["term"] not in ("obey", "ignore"):
            raise flags.FlagError(f"--term is obey or ignore, not {values['term']}")
        work = flags.seconds(values, "unfinished-work") if values["unfinished-work"] else None
    except flags.FlagError as error:
        return c.fail(str(error), 2)
    me = Patient(c, port)
    me.unfinished = f"{values['work-dir']}/unfinished"
    me.term(values["term"])
    for name, at, value in later:
        c.after(at, partial(_crash, c, value) if name == "exit" else partial(me.turn, name, value))
    if start:
        c.log(f"loading for {start:g} s")
        c.report(False, "loading")
        yield c.sleep(start)
    left_over = work is not None and c.fs.exists(me.unfinished)
    if left_over:
        me.readyz = "503"
    if c.serve(port, {**me.answers(), "/switch": me.switch}) is None:
        return c.fail(f"port {port} is already in use")
    c.log(f"listening on port {port}")
    if not left_over:
        c.report(me.well, me.text())
    if work is not None:
        if left_over:
            c.log(f"the last instance left work unfinished: {work:g} s to do")
            c.report(False, "redoing unfinished work")
            yield c.sleep(work)
            c.log("done")
            me.turn("readyz", "200")
        else:
            c.fs.mkdir(values["work-dir"], parents=True)
            c.fs.write(me.unfinished, "")
    yield c.forever()
    return 0


def _after(values: dict[str, str], name: str) -> tuple[float, str]:
    """``30=500`` → (30.0, "500")"""
    at, equals, value = values[name].partition("=")
    if not equals or not (_is_answer(value) if name != "exit-after" else value.isdecimal() and int(value) < 256):
        raise flags.FlagError(f"--{name} takes SECONDS=CODE, not {values[name]!r}")
    return flags.seconds({name: at}, name), value


def _is_answer(value: str) -> bool:
    return value == "hang" or (value.isdecimal() and 200 <= int(value) < 600)


def _answer(value: str) -> Response:
    return HANG if value == "hang" else Response(int(value), TEXTS.get(int(value), "") + "\n")


def _crash(c: Process, code: str) -> None:
    c.log(f"ending with exit code {code}")
    c.report(False, f"exit {code}")
    c.exit(int(code))
