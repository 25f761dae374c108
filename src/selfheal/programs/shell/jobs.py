"""The shell's builtins for signals and children: trap, kill, wait, jobs."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from selfheal.programs.process import SIGNALS, Process
from selfheal.programs.shell.builtins import builtin, number
from selfheal.programs.shell.interpreter import Shell, Status, quoted
from selfheal.programs.shell.outcomes import INTERRUPTED, BuiltinProblem
from selfheal.programs.signals import kill


@builtin("trap")
def trap(shell: Shell, args: list[str]) -> int:
    if args[:1] == ["--"]:
        args = args[1:]
    if not args or args == ["-l"]:
        for name, command in shell.traps.items():
            shell.p.write(f"trap -- {quoted_trap(command)} {name}\n")
        return 0
    action: str | None = args[0]
    names = args[1:]
    if action == "-":
        action = None
    elif not names and action is not None and _signal(action) is not None:
        names, action = [action], None
    status = 0
    for name in names:
        signal = _signal(name)
        if signal is None:
            shell.complain(f"{name}: invalid signal specification", "trap")
            status = 1
        else:
            shell.trap(signal, action)
    return status


def quoted_trap(text: str) -> str:
    return quoted(text) if text else "''"


def _signal(name: str) -> str | None:
    if name.isdecimal():
        number = int(name[:9])
        return "EXIT" if number == 0 else next((s for s, n in SIGNALS.items() if n == number), None)
    name = name.upper().removeprefix("SIG")
    return name if name in SIGNALS or name == "EXIT" else None


@builtin("kill")
def kill_(shell: Shell, args: list[str]) -> int:
    words = []
    for arg in args:
        if arg.startswith("%"):
            pid = _job(shell, arg)
            if not pid:
                raise BuiltinProblem(f"{arg}: no such job", 1)
            arg = str(pid)
        words.append(arg)
    return kill(shell.p, words, "sh")


@builtin("wait")
def wait(shell: Shell, args: list[str]) -> Status:
    if not args:
        while shell.jobs:
            pid, child = next(iter(shell.jobs.items()))
            if not child.ended:
                status = yield from _interruptibly(shell, child)
                if status is not None:
                    return status
            shell.jobs.pop(pid, None)
        return 0
    result = 0
    for arg in args:
        pid = _job(shell, arg) if arg.startswith("%") else number(arg)
        job = shell.jobs.get(pid)
        if job is None:
            result = 127
            continue
        if not job.ended:
            status = yield from _interruptibly(shell, job)
            if status is not None:
                return status
        shell.mourn(job)
        result = job.exit_code
    return result


def _job(shell: Shell, name: str) -> int:
    """The process of ``%1``; 0 if there is no such job."""
    running = list(shell.jobs)
    index = int(name[1:10]) if name[1:].isdecimal() else len(running)
    return running[index - 1] if 0 < index <= len(running) else 0


def _interruptibly(shell: Shell, child: Process) -> Generator[Any, Any, int | None]:
    """Wait for a child; None when it has ended, a status when a signal with a trap came first."""
    shell.interruptible = True
    try:
        value = yield child.end_gate
    finally:
        shell.interruptible = False
    return 128 + SIGNALS[shell.pending[0]] if value is INTERRUPTED else None


@builtin("jobs")
def jobs(shell: Shell, args: list[str]) -> int:
    del args
    for i, (_, child) in enumerate(tuple(shell.jobs.items()), 1):
        state = "Done" if child.ended else "Running"
        shell.p.write(f"[{i}]+  {state:<24}{' '.join(child.argv)}\n")
    shell.forget_jobs(0)
    return 0


@builtin("fg")
def fg(shell: Shell, args: list[str]) -> int:
    del shell, args
    raise BuiltinProblem("No current job")


@builtin("times")
def times(shell: Shell, args: list[str]) -> int:
    del args
    shell.p.write("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
    return 0
