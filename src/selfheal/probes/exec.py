"""The exec probe: does a command in the container end with 0? (pkg/probe/exec/exec.go)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import simpy

from selfheal.clock import Clock
from selfheal.probes.result import Outcome, cut, go_duration

if TYPE_CHECKING:
    from selfheal.rules import Cause
    from selfheal.spec import EnvVar


class Exec(Protocol):
    """A command that a runtime has started in a container."""

    @property
    def done(self) -> bool: ...
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

    Gives the outcome at once if the command needs no simulated time, else an event with it.
    """
    run = runtime.exec(container, command)
    if run.done:
        return _outcome(run, 0)
    clock = runtime.clock
    began = clock.now
    outcome = clock.event()

    def finished(_: simpy.Event) -> None:
        if not outcome.triggered:
            timer.cancel()
            outcome.succeed(_outcome(run, clock.now - began))

    def late() -> None:
        if not outcome.triggered:
            run.kill()
            outcome.succeed(timed_out(command, timeout))

    timer = clock.after(timeout, late)
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


def timed_out(command: Sequence[str], timeout: int) -> Outcome:
    """What it means that a command did not end in time."""
    text = f'command timed out: "{" ".join(command)}" timed out after {go_duration(timeout)}'
    return Outcome("failure", text, None, timeout, steady=False)


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
