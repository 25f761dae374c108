"""Runs commands: the shell itself.

Every command is run by a generator that gives its exit status. Where a real shell would wait for
a child or a pipe, the generator yields; so a script lives in simulated time. A shell that runs
as process 1 obeys only the signals it has a ``trap`` for, and runs the trap when the command in
the foreground has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from selfheal.programs.filesystem import NOT_FOUND, Executable, File, FileError
from selfheal.programs.process import SIGNALS, Exit, Process, Program, Running
from selfheal.programs.shell import expansion, syntax
from selfheal.programs.shell.expansion import ExpansionProblem
from selfheal.programs.shell.parser import parse
from selfheal.programs.shell.patterns import matches
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import NULL, BrokenPipe, Capture, Pipe, Stream, Text

if TYPE_CHECKING:
    from selfheal.programs.shell.syntax import Command, Redirect, Script

Status = Generator[Any, Any, int]
Builtin = Callable[["Shell", list[str]], "int | Status"]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEPTH = 40
"""How deep functions and subshells may be nested, before the stack is full."""

INTERRUPTED = object()
"""What a wait gives that a signal has cut short."""

DEATHS = {
    "HUP": "Hangup",
    "QUIT": "Quit",
    "ILL": "Illegal instruction",
    "ABRT": "Aborted",
    "BUS": "Bus error",
    "FPE": "Floating point exception",
    "KILL": "Killed",
    "USR1": "User defined signal 1",
    "SEGV": "Segmentation fault",
    "USR2": "User defined signal 2",
    "ALRM": "Alarm clock",
    "TERM": "Terminated",
}
"""What the shell says of a child that a signal has ended."""


class Break(Exception):
    """``break``, ``continue``: out of so many loops."""

    def __init__(self, levels: int, again: bool) -> None:
        super().__init__(levels, again)
        self.levels = levels
        self.again = again


class Return(Exception):
    """``return`` from a function or a sourced file."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BuiltinProblem(Exception):
    """A builtin cannot do what it is asked; a special builtin ends the shell with it."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class RedirectProblem(Exception):
    """A file cannot be opened; the message is the shell's."""


class Shell:
    """A shell, or a subshell of one."""

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
        if len(text) > expansion.LIMIT:
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

    # ---- whole scripts

    def main(self, script: Script) -> Running:
        """Run a script as this process's program."""
        return (yield from self.until_exit(self.run_script(script, last=True)))

    def until_exit(self, running: Status) -> Running:
        try:
            status = yield from running
        except Exit as end:
            status = end.code
        except Return as end:
            status = end.status
        except Break:
            status = self.status
        trap = self.traps.pop("EXIT", None)
        if trap:
            self.status = status
            try:
                yield from self.run_script(parse(trap))
            except Exit as end:
                status = end.code
        return status

    def run_script(self, script: Script, last: bool = False) -> Status:
        """Run all lines. ``last``: nothing comes after them in this process."""
        self.status = 0 if not script.commands and script.problem is None else self.status
        final = len(script.commands) - 1 if script.problem is None else -1
        for i, command in enumerate(script.commands):
            yield from self.run(command, last and i == final)
        if script.problem is not None:
            self.line = script.problem.line
            self.complain(script.problem.message)
            raise Exit(2)
        return self.status

    # ---- commands

    def run(self, command: Command, last: bool = False) -> Status:
        """Run one command; its status is also in ``$?``."""
        try:
            self.status = yield from RUN[type(command)](self, command, last)
        except ExpansionProblem as problem:
            self.complain(str(problem))
            raise Exit(2) from None
        if self.pending:
            yield from self._run_traps()
        if self.status and "e" in self.options and not self.tested and _checked(command):
            raise Exit(self.status)
        return self.status

    def _sequence(self, node: syntax.Sequence, last: bool) -> Status:
        final = len(node.items) - 1
        status = 0
        for i, (command, background) in enumerate(node.items):
            if background:
                status = self._in_background(command)
                self.status = status
            else:
                status = yield from self.run(command, last and i == final)
        return status

    def _and_or(self, node: syntax.AndOr, last: bool) -> Status:
        self.tested += 1
        try:
            status = yield from self.run(node.first)
            for op, command in node.rest[:-1]:
                if (status == 0) == (op == "&&"):
                    status = yield from self.run(command)
        finally:
            self.tested -= 1
        op, command = node.rest[-1]
        if (status == 0) == (op == "&&"):
            status = yield from self.run(command, last)
        return status

    def _pipeline(self, node: syntax.Pipeline, _: bool) -> Status:
        if len(node.commands) == 1:  # it is negated
            self.tested += 1
            try:
                status = yield from self.run(node.commands[0])
            finally:
                self.tested -= 1
            return int(not status)
        children: list[Process] = []
        source: Stream | None = None
        for i, command in enumerate(node.commands):
            fds = dict(self.p.fds)
            if source is not None:
                fds[0] = source
            pipe = Pipe() if i < len(node.commands) - 1 else None
            if pipe is not None:
                fds[1] = pipe.inlet
                pipe.inlet.retain()
                pipe.outlet.retain()
            children.append(self._fork(command, fds))
            if source is not None:
                source.release()
            if pipe is not None:
                pipe.inlet.release()
                source = pipe.outlet
        status = 0
        for child in children:
            if not child.ended:
                yield child.end_gate
            status = child.exit_code or (status if "pipefail" in self.options else 0)
        self.mourn(children[-1])
        return int(not status) if node.negated else status

    def _if(self, node: syntax.If, last: bool) -> Status:
        for condition, body in node.branches:
            if (yield from self._test(condition)) == 0:
                return (yield from self.run(body, last))
        return (yield from self.run(node.otherwise, last)) if node.otherwise is not None else 0

    def _test(self, condition: Command) -> Status:
        self.tested += 1
        try:
            return (yield from self.run(condition))
        finally:
            self.tested -= 1

    def _while(self, node: syntax.While, _: bool) -> Status:
        status = 0
        self.loops += 1
        try:
            while True:
                try:
                    if ((yield from self._test(node.condition)) == 0) == node.until:
                        break
                    status = yield from self.run(node.body)
                except Break as out:
                    status = 0
                    if out.levels > 1 and self.loops > 1:
                        raise Break(out.levels - 1, out.again) from None
                    if not out.again:
                        break
                cost = self.spinner.turn()
                if cost is not None:
                    yield cost
        finally:
            self.loops -= 1
        return status

    def _for(self, node: syntax.For, _: bool) -> Status:
        if node.words is None:
            values = list(self.params)
        else:
            values = []
            for word in node.words:
                values += yield from expansion.fields(self, word)
        status = 0
        self.loops += 1
        try:
            for text in values:
                self.assign(node.name, text)
                try:
                    status = yield from self.run(node.body)
                except Break as out:
                    status = 0
                    if out.levels > 1 and self.loops > 1:
                        raise Break(out.levels - 1, out.again) from None
                    if not out.again:
                        break
                cost = self.spinner.turn(finite=True)
                if cost is not None:
                    yield cost
        finally:
            self.loops -= 1
        return status

    def _case(self, node: syntax.Case, last: bool) -> Status:
        subject = yield from expansion.value(self, node.word)
        for words, body in node.branches:
            for word in words:
                if matches((yield from expansion.pattern(self, word)), subject):
                    return (yield from self.run(body, last)) if body is not None else 0
        return 0

    def _subshell(self, node: syntax.Subshell, _: bool) -> Status:
        return (yield from self.wait_for(self._fork(node.body)))

    def _redirected(self, node: syntax.Redirected, _: bool) -> Status:
        self.line = node.line
        try:
            overlay = yield from self._overlay(node.redirects)
        except RedirectProblem as problem:
            self.complain(str(problem))
            return 1
        with overlay:
            return (yield from self.run(node.body))

    def _function(self, node: syntax.Function, _: bool) -> Status:
        self.functions[node.name] = node.body
        yield from ()
        return 0

    # ---- simple commands

    def _simple(self, node: syntax.Simple, last: bool) -> Status:
        if self.p.ended:
            raise Exit(self.p.exit_code)
        self.line = node.line
        self.substituted = 0
        words: list[str] = []
        for word in node.words:
            if word.plain is not None:
                words.append(word.plain)
            else:
                words += yield from expansion.fields(self, word)
        self.line = node.line
        assignments: list[tuple[str, str]] = []
        for name, value in node.assignments:
            text = yield from expansion.value(self, value)
            if words:
                assignments.append((name, text))
            else:
                self.assign(name, text)
        if "x" in self.options:
            self._trace(node, words, assignments)
        if node.redirects:
            try:
                overlay = yield from self._overlay(node.redirects)
            except RedirectProblem as problem:
                self.complain(str(problem))
                if words and words[0] in SPECIAL:
                    raise Exit(1) from None
                return 1
            if words[:1] == ["exec"] and len(words) == 1:
                overlay.keep()
                return 0
            with overlay:
                return (yield from self._command(words, assignments, last)) if words else self.substituted
        if not words:
            return self.substituted
        return (yield from self._command(words, assignments, last))

    def _command(self, words: list[str], assignments: list[tuple[str, str]], last: bool) -> Status:
        name = words[0]
        if name in self.functions and name not in SPECIAL:
            return (yield from self._call(self.functions[name], words[1:], assignments))
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return (yield from self.run_builtin(name, builtin, words[1:], assignments))
        return (yield from self.external(words, assignments, last))

    def run_builtin(
        self, name: str, builtin: Builtin, args: list[str], assignments: Sequence[tuple[str, str]]
    ) -> Status:
        """Run a builtin. Assignments before a special one stay."""
        saved = None if name in SPECIAL else {key: self.vars.get(key) for key, _ in assignments}
        for key, text in assignments:
            self.assign(key, text)
        try:
            status = builtin(self, args)
            if isinstance(status, Generator):
                status = yield from status
        except BuiltinProblem as problem:
            if str(problem):
                self.complain(str(problem), name)
            if name in SPECIAL:
                raise Exit(problem.status) from None
            status = problem.status
        except FileError as error:
            self.complain(f"write error: {error}", name)
            status = 1
        finally:
            for key, old in (saved or {}).items():
                self._restore(key, old)
        if self.p.ended:
            raise Exit(self.p.exit_code)
        return status

    def _restore(self, name: str, old: str | None) -> None:
        if old is None:
            self.vars.pop(name, None)
        else:
            self.vars[name] = old

    def _call(self, body: Command, args: list[str], assignments: Sequence[tuple[str, str]]) -> Status:
        """Call a function."""
        if self.depth >= DEPTH:
            raise RecursionError
        params, self.params = self.params, args
        loops, self.loops = self.loops, 0
        frame: dict[str, str | None] = {}
        self.frames.append(frame)
        self.depth += 1
        for name, text in assignments:
            frame.setdefault(name, self.vars.get(name))
            self.assign(name, text)
        try:
            return (yield from self.run(body))
        except Return as out:
            return out.status
        finally:
            self.depth -= 1
            self.frames.pop()
            self.params = params
            self.loops = loops
            for name, old in frame.items():
                self._restore(name, old)

    def external(self, words: list[str], assignments: Sequence[tuple[str, str]] = (), last: bool = False) -> Status:
        """Run a program of the file system. ``last``: in the place of this shell, which has nothing left to do."""
        found = self.find(words)
        if isinstance(found, int):
            return found
        program, argv, quick = found
        env = self.environment()
        env.update(assignments)
        if quick:
            return self._quickly(program, argv, env)
        if last and not self.traps:
            yield from self.replace(program, argv, env)
        self._check_room()
        p = self.p
        child = p.kernel.spawn(program, argv, env, p.cwd, p.fds.copy(), p)
        return (yield from self.wait_for(child))

    def find(self, words: list[str]) -> tuple[Program, list[str], bool] | int:
        """The program for a command: (program, its arguments, whether it never waits); or the status of a complaint."""
        kernel, name = self.p.kernel, words[0]
        node = kernel.command(name, self.vars.get("PATH", PATH), self.p.cwd) if name else None
        if isinstance(node, Executable):
            return node.program, words, node.quick
        if isinstance(node, File) and node.mode & 0o111:
            first, _, _ = node.text.partition("\n")
            if first.startswith("#!"):
                interpreter = first[2:].split()
                shell = kernel.command(interpreter[0], "", "/") if interpreter else None
                if not isinstance(shell, Executable):
                    self.complain(f"{name}: not found")
                    return 127
                return shell.program, [*interpreter, name, *words[1:]], False
            sh = kernel.command("/bin/sh", "", "/")
            if isinstance(sh, Executable):
                return sh.program, ["sh", name, *words[1:]], False
        if node is not None or ("/" in name and kernel.fs.is_dir(self.p.path(name))):
            self.complain(f"{name}: Permission denied")
            return 126
        self.complain(f"{name}: not found")
        return 127

    def _quickly(self, program: Program, argv: list[str], env: dict[str, str]) -> int:
        """Run a program that never waits without making a process for it."""
        p = self.p
        saved = p.argv, p.env
        p.argv, p.env = argv, env
        try:
            status = program(p)
        except Exit as end:
            status = end.code
        except BrokenPipe:
            status = 128 + SIGNALS["PIPE"]
        except FileError as error:
            status = p.fail(str(error))
        finally:
            p.argv, p.env = saved
        assert not isinstance(status, Generator)
        return status or 0

    def replace(self, program: Program, argv: list[str], env: dict[str, str]) -> Status:
        """``exec``: go on as another program. Does not come back."""
        p = self.p
        p.argv, p.env = argv, env
        for signal in [signal for signal, handler in p.handlers.items() if handler is not None]:
            del p.handlers[signal]
        self.traps.clear()
        self.pending.clear()
        result = program(p)
        if isinstance(result, Generator):
            result = yield from result
        raise Exit(result or 0)

    def _check_room(self) -> None:
        if self.p.kernel.crowded:
            self.complain("can't fork: Resource temporarily unavailable")
            raise Exit(2)

    # ---- children

    def wait_for(self, child: Process) -> Status:
        """Wait for a child in the foreground."""
        if not child.ended:
            yield child.end_gate
        if self.p.ended:
            raise Exit(self.p.exit_code)
        self.mourn(child)
        return child.exit_code

    def mourn(self, child: Process) -> None:
        if child.signal in DEATHS:
            self.p.fds.get(2, NULL).write(f"{DEATHS[child.signal]}\n")

    def _fork(self, command: Command, fds: dict[int, Stream] | None = None) -> Process:
        """Run a command in a subshell."""
        if self.depth >= DEPTH:
            raise RecursionError
        self._check_room()
        p = self.p
        sub = Shell.__new__(Shell)
        sub.__dict__.update(self.__dict__)
        sub.vars = dict(self.vars)
        sub.exported = dict(self.exported)
        sub.readonly = dict(self.readonly)
        sub.functions = dict(self.functions)
        sub.options = dict(self.options)
        sub.params = list(self.params)
        sub.traps = {signal: action for signal, action in self.traps.items() if not action and signal != "EXIT"}
        sub.pending = []
        sub.jobs = {}
        sub.frames = [{} for _ in self.frames]
        sub.depth += 1
        sub.loops = 0
        sub.spinner = Spinner(p.kernel.clock)

        def program(process: Process) -> Running:
            sub.p = process
            return sub.until_exit(sub.run(command, last=True))

        return p.kernel.spawn(program, p.argv, p.env, p.cwd, p.fds.copy() if fds is None else fds, p)

    def _in_background(self, command: Command) -> int:
        fds = dict(self.p.fds)
        fds[0] = NULL
        child = self._fork(command, fds)
        self.background = child.pid
        self.jobs[child.pid] = child
        return 0

    def substitute(self, script: Script) -> Generator[Any, Any, str]:
        """The output of ``$(…)``, without the newlines at its end."""
        out = Capture(expansion.LIMIT)
        fds = dict(self.p.fds)
        fds[1] = out
        child = self._fork(script.commands[0], fds)
        if not child.ended:
            yield child.end_gate
        self.substituted = child.exit_code
        return out.text.rstrip("\n")

    # ---- signals

    def trap(self, signal: str, action: str | None) -> None:
        """What a signal (or ``EXIT``) does from now on; None: what it does by itself, empty: nothing."""
        if action is None:
            self.traps.pop(signal, None)
            self.p.handlers.pop(signal, None)
            return
        self.traps[signal] = action
        if signal != "EXIT":
            self.p.on(signal, partial(self._caught, signal) if action else None)

    def _caught(self, signal: str) -> None:
        self.pending.append(signal)
        if self.interruptible:
            self.p.kernel.interrupt(self.p, INTERRUPTED)

    def _run_traps(self) -> Generator[Any, Any, None]:
        status = self.status
        while self.pending:
            action = self.traps.get(self.pending.pop(0))
            if action:
                yield from self.run_script(parse(action))
        self.status = status

    # ---- redirections

    def _overlay(self, redirects: Sequence[Redirect]) -> Generator[Any, Any, Overlay]:
        """Open the files of redirections. RedirectProblem if one cannot be opened."""
        overlay = Overlay(self.p)
        try:
            for redirect in redirects:
                text = yield from expansion.value(self, redirect.target)
                self._redirect(overlay, redirect, text)
        except (RedirectProblem, ExpansionProblem):
            overlay.release()
            raise
        return overlay

    def _redirect(self, overlay: Overlay, redirect: Redirect, text: str) -> None:
        op, fd = redirect.op, redirect.fd
        if op == "<<":
            overlay.set(fd, Text(text))
        elif op in (">&", "<&") and text == "-":
            overlay.fds.pop(fd, None)
        elif op in (">&", "<&") and text.isdecimal() and len(text) < 9:
            if int(text) not in overlay.fds:
                raise RedirectProblem(f"{text}: Bad file descriptor")
            overlay.set(fd, overlay.fds[int(text)])
        else:
            mode = "r" if op in ("<", "<&") else "a" if op in (">>", "<>") else "w"
            try:
                stream = self.p.open(text, mode) if text else None
                if stream is None:
                    raise FileError(NOT_FOUND)
            except FileError as error:
                raise RedirectProblem(_open_problem(text, mode, str(error))) from None
            overlay.set(fd, stream)
            if op in ("&>", ">&"):
                overlay.set(2, stream)

    def _trace(self, node: syntax.Simple, words: list[str], assignments: list[tuple[str, str]]) -> None:
        shown = [f"{name}={value}" for name, value in assignments]
        if not words:
            shown = [f"{name}={self.vars.get(name, '')}" for name, _ in node.assignments]
        shown += [quoted(word) for word in words]
        if shown:
            self.p.fds.get(2, NULL).write(f"+ {' '.join(shown)}\n")


class Overlay:
    """The open files of a process while some of them are redirected."""

    __slots__ = ("_held", "_old", "_p", "fds")

    def __init__(self, process: Process) -> None:
        self._p = process
        self._old = process.fds
        self._held: list[Stream] = []
        self.fds = process.fds.copy()

    def set(self, fd: int, stream: Stream) -> None:
        stream.retain()
        self._held.append(stream)
        self.fds[fd] = stream

    def keep(self) -> None:
        """``exec >file``: for good."""
        for stream in self.fds.values():
            stream.retain()
        for stream in self._old.values():
            stream.release()
        self._p.fds = self.fds
        self.release()

    def release(self) -> None:
        for stream in self._held:
            stream.release()

    def __enter__(self) -> None:
        self._p.fds = self.fds

    def __exit__(self, *_: object) -> None:
        if self._p.fds is self.fds:
            self._p.fds = self._old
        self.release()


def _checked(command: Command) -> bool:
    """Whether the failure of such a command ends a shell with ``set -e``."""
    if isinstance(command, syntax.Pipeline):
        return not command.negated
    return isinstance(command, syntax.Simple | syntax.Subshell | syntax.Redirected)


def _open_problem(path: str, mode: str, error: str) -> str:
    """busybox's own words (shell/ash.c open_redirect)."""
    missing = error == NOT_FOUND
    if mode == "r":
        return f"can't open {path}: {'no such file' if missing else error}"
    return f"can't create {path}: {'nonexistent directory' if missing else error}"


def quoted(word: str) -> str:
    """A word as ``set -x`` and ``trap`` show it."""
    if word and all(c.isalnum() or c in "%+,-./:@_]^#{}" for c in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


RUN: dict[type, Callable[[Shell, Any, bool], Status]] = {
    syntax.Simple: Shell._simple,  # noqa: SLF001
    syntax.Pipeline: Shell._pipeline,  # noqa: SLF001
    syntax.AndOr: Shell._and_or,  # noqa: SLF001
    syntax.Sequence: Shell._sequence,  # noqa: SLF001
    syntax.If: Shell._if,  # noqa: SLF001
    syntax.While: Shell._while,  # noqa: SLF001
    syntax.For: Shell._for,  # noqa: SLF001
    syntax.Case: Shell._case,  # noqa: SLF001
    syntax.Subshell: Shell._subshell,  # noqa: SLF001
    syntax.Redirected: Shell._redirected,  # noqa: SLF001
    syntax.Function: Shell._function,  # noqa: SLF001
}

BUILTINS: dict[str, Builtin] = {}
"""Filled by :mod:`selfheal.programs.shell.builtins`."""
SPECIAL = frozenset(
    [
        ".",
        ":",
        "break",
        "continue",
        "eval",
        "exec",
        "exit",
        "export",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "times",
        "trap",
        "unset",
    ]
)
"""Builtins whose errors end the shell."""
