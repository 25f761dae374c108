"""What a shell knows, and how it says what is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from selfheal.programs.process import Process
from selfheal.programs.shell import expansion
from selfheal.programs.shell.expansion import ExpansionProblem
from selfheal.programs.shell.outcomes import INTERRUPTED, BuiltinProblem
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import NULL

if TYPE_CHECKING:
    from selfheal.programs.shell.syntax import Command

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class State:
    """What a shell knows: its process, variables, functions, traps and options."""

    def __init__(self, process: Process, arg0: str, params: list[str], script: str = "") -> None:
        self.p = process
        self.arg0 = arg0
        self.params = params
        self.script = script
        """The script's file; empty for ``-c``."""
        self.pid = process.pid
        """``$$``: also in subshells that of the first."""
        self.vars: dict[str, str] = dict(process.env)
        self.exported: dict[str, None] = dict.fromkeys(process.env)
        self.vars.setdefault("PATH", PATH)
        self.vars["PWD"] = process.cwd
        self.vars.setdefault("OPTIND", "1")
        self.readonly: dict[str, None] = {}
        self.functions: dict[str, Command] = {}
        self.traps: dict[str, str] = {}
        self.pending: list[str] = []
        self.options: dict[str, None] = {}
        """One letter each: e, u, x, f; ``pipefail``."""
        self.status = 0
        self.substituted = 0
        """Status of the last command substitution."""
        self.background: int | None = None
        """``$!``"""
        self.jobs: dict[int, Process] = {}
        self.frames: list[dict[str, str | None]] = []
        """For each function that runs: its local variables and what they hide."""
        self.tested = 0
        """Above 0 where a failure is being looked at, so that ``set -e`` ignores it."""
        self.loops = 0
        self.depth = 0
        self.line = 0
        self.interruptible = False
        self.spinner = Spinner(process.kernel.clock)

    def forget_jobs(self, keep: int) -> None:
        """Forget the children that have ended, all but the last ``keep``."""
        ended = [pid for pid, child in self.jobs.items() if child.ended]
        for pid in ended[: len(ended) - keep] if keep else ended:
            del self.jobs[pid]

    # ---- variables

    def get(self, name: str) -> str | None:
        """The value of a variable or special parameter; None if it is not set."""
        if name[0] in "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
            found = self.vars.get(name)
            return self._dynamic(name) if found is None else found
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self.params))
        if name == "0":
            return self.arg0
        if name == "$":
            self.p.kernel.restless += self.pid != 1
            return str(self.pid)
        if name == "!":
            return None if self.background is None else str(self.background)
        if name == "-":
            return "".join(option for option in self.options if len(option) == 1)
        if name.isdecimal():
            number = int(name[:9])
            return self.params[number - 1] if number <= len(self.params) else None
        return None

    def _dynamic(self, name: str) -> str | None:
        if name == "RANDOM":
            return str(self.p.kernel.random_number())
        if name == "LINENO":
            return str(self.line)
        if name == "PPID":
            return str(self.p.parent.pid if self.p.parent is not None else 0)
        return None

    def assign(self, name: str, text: str) -> None:
        """Set a variable. ExpansionProblem if it is read only."""
        if name in self.readonly:
            raise ExpansionProblem(f"{name}: is read only")
        self.p.keep(len(text))
        if len(text) > expansion.LIMIT:
            if self.p.kernel.memory_limit is not None:
                self.p.keep(self.p.kernel.memory_limit + 1)  # the next doubling or two
            raise ExpansionProblem("out of memory")
        self.vars[name] = text

    def unset(self, name: str) -> None:
        if name in self.readonly:
            raise BuiltinProblem(f"{name}: is read only")
        self.vars.pop(name, None)
        self.exported.pop(name, None)

    def environment(self) -> dict[str, str]:
        """The exported variables."""
        return {name: self.vars[name] for name in self.exported if name in self.vars}

    # ---- complaints

    def complain(self, text: str, command: str = "") -> None:
        """A line to standard error in the shell's form."""
        prefix = f"{self.arg0}: "
        if command:
            prefix += f"{command}: "
        elif self.script and self.script != self.arg0:
            prefix += f"{self.script}: "
        if self.script or command:
            prefix += f"line {self.line}: "
        self.p.fds.get(2, NULL).write(f"{prefix}{text}\n")

    # ---- signals

    def trap(self, signal: str, action: str | None) -> None:
        """What a signal (or ``EXIT``) does from now on; None: what it does by itself, empty: nothing."""
        if action is None:
            self.traps.pop(signal, None)
            self.p.handlers.pop(signal, None)
            return
        self.traps[signal] = action
        if signal != "EXIT":
            self.p.on(signal, partial(self.caught, signal) if action else None)

    def caught(self, signal: str) -> None:
        self.pending.append(signal)
        if self.interruptible:
            self.p.kernel.interrupt(self.p, INTERRUPTED)
