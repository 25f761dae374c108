"""The exec probe: does a command in the container end with 0? (pkg/probe/exec/exec.go)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import simpy

from selfheal.clock import SECOND, Clock
from selfheal.probes.result import Outcome, cut, go_duration

if TYPE_CHECKING:
    from selfheal.rules import Cause
    from selfheal.spec import EnvVar

PATIENCE = 120 * SECOND
"""So long beyond its timeout the kubelet waits for the runtime's answer (cri-client remote_runtime.go execSync)."""


class Exec(Protocol):
    """A command that a runtime has started in a container.

    It may have ``ended`` and not be ``done``, since a child that it left behind holds its output.
    """

    @property
    def done(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def output(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def steady(self) -> bool: ...
    @property
    def finished(self) -> simpy.Event: ...
    def kill(self) -> None: ...


class Runtime(Protocol):
    """What the probe needs of a container runtime."""

    @property
    def clock(self) -> Clock: ...
    def exec(self, container: Any, argv: Sequence[str], cause: Cause | None = None) -> Exec: ...


def probe(runtime: Runtime, container: Any, command: Sequence[str], timeout: int) -> Outcome | simpy.Event:
    """Run the command (already expanded, see :func:`expand_static`). ``timeout`` in µs.

    Gives the outcome at once if the command needs no simulated time, else an event with it. The command that is late is
    killed, it alone; if it has left a child with its output open, the runtime answers only when that has ended too
    (containerd container_execsync.go execInternal), and the kubelet waits no longer than :data:`PATIENCE` beyond.
    """
    run = runtime.exec(container, command)
    if run.done:
        return _outcome(run, 0)
    clock = runtime.clock
    began = clock.now
    outcome = clock.event()
    killed = False

    def finished(_: simpy.Event) -> None:
        if not outcome.triggered:
            limit.cancel()
            took = clock.now - began
            outcome.succeed(timed_out(command, timeout, took) if killed else _outcome(run, took))

    def late() -> None:
        nonlocal killed
        if not run.ended:
            killed = True
            run.kill()

    def given_up() -> None:
        if not outcome.triggered:
            outcome.succeed(timed_out(command, timeout, clock.now - began))

    clock.after(timeout, late)
    limit = clock.after(timeout + PATIENCE, given_up)
    assert run.finished.callbacks is not None
    run.finished.callbacks.append(finished)
    return outcome


def _outcome(run: Exec, duration: int) -> Outcome:
    if run.error is not None:
        return Outcome("unknown", "", run.error, duration, run.steady)
    return verdict(run.exit_code, run.output, duration, run.steady)


def verdict(exit_code: int, output: str, duration: int = 0, steady: bool = True) -> Outcome:
    """What the end of a command means."""
    return Outcome("success" if exit_code == 0 else "failure", cut(output), None, duration, steady)


def timed_out(command: Sequence[str], timeout: int, took: int | None = None) -> Outcome:
    """What it means that a command did not end in time."""
    text = f'command timed out: "{" ".join(command)}" timed out after {go_duration(timeout)}'
    return Outcome("failure", text, None, timeout if took is None else took, steady=False)


def expand_static(command: Iterable[str], env: Iterable[EnvVar]) -> tuple[str, ...]:
    """Replace ``$(NAME)`` by the container's literal variables (helpers.go ExpandContainerCommandOnlyStatic).

    A variable that is declared with ``valueFrom`` gives the empty string, an undeclared one stays as written.
    """
    values = {e.name: e.value or "" for e in env}
    return tuple(expand(word, values) for word in command)


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` → its value, ``$$`` → ``$`` (third_party/forked/golang/expansion/expand.go)."""
    if "$" not in text:
        return text
    out: list[str] = []
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        if c != "$" or i + 1 == n:
            out.append(c)
            i += 1
        elif text[i + 1] == "$":
            out.append("$")
            i += 2
        elif text[i + 1] == "(" and (end := text.find(")", i)) >= 0:
            name = text[i + 2 : end]
            out.append(values.get(name, f"$({name})"))
            i = end + 1
        else:
            out.append(c)
            i += 1
    return "".join(out)
