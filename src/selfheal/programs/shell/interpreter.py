"""Runs commands: the shell itself.

Every command is run by a generator that gives its exit status. Where a real shell would wait for
a child or a pipe, the generator yields; so a script lives in simulated time. A shell that runs
as process 1 obeys only the signals it has a ``trap`` for, and runs the trap when the command in
the foreground has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from selfheal.programs.filesystem import NOT_FOUND, FileError
from selfheal.programs.process import Exit, Process, Running
from selfheal.programs.shell import expansion, syntax
from selfheal.programs.shell.expansion import ExpansionProblem
from selfheal.programs.shell.launching import Launcher
from selfheal.programs.shell.outcomes import Break, BuiltinProblem, Return
from selfheal.programs.shell.parser import parse
from selfheal.programs.shell.patterns import matches
from selfheal.programs.shell.redirects import Overlay, RedirectProblem, open_problem
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import NULL, Capture, Pipe, Stream, Text

if TYPE_CHECKING:
    from selfheal.programs.shell.syntax import Command, Redirect, Script

Status = Generator[Any, Any, int]
Builtin = Callable[["Shell", list[str]], "int | Status"]

DEPTH = 40
"""How deep functions and subshells may be nested, before the stack is full."""


class Shell(Launcher):
    """A shell, or a subshell of one."""

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
                    if self._leaves(out):
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
                    if self._leaves(out):
                        break
                cost = self.spinner.turn(finite=True)
                if cost is not None:
                    yield cost
        finally:
            self.loops -= 1
        return status

    def _leaves(self, out: Break) -> bool:
        """Whether the innermost loop ends (``break``) or goes on; what is meant for one further out is passed on."""
        if out.levels > 1 and self.loops > 1:
            raise Break(out.levels - 1, out.again) from None
        return not out.again

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
            if last and words and not self.traps:
                overlay.keep()  # nobody comes back to the files of before, and a program in this place holds none
                return (yield from self._command(words, assignments, last))
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
        except ExpansionProblem as problem:
            self.complain(str(problem), name)
            raise Exit(2) from None
        except FileError as error:
            self.p.say(f"sh: write error: {error}")
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

    # ---- children

    def _fork(self, command: Command, fds: dict[int, Stream] | None = None) -> Process:
        """Run a command in a subshell."""
        if self.depth >= DEPTH:
            raise RecursionError
        self.check_room()
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
        self.forget_jobs(32)
        return 0

    def substitute(self, script: Script) -> Generator[Any, Any, str]:
        """The output of ``$(…)``, without the newlines at its end."""
        out = Capture(expansion.LIMIT, self.p.keep)
        fds = dict(self.p.fds)
        fds[1] = out
        child = self._fork(script.commands[0], fds)
        if not child.ended:
            yield child.end_gate
        self.substituted = child.exit_code
        return out.text.rstrip("\n")

    # ---- signals

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
                raise RedirectProblem(open_problem(text, mode, str(error))) from None
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


def _checked(command: Command) -> bool:
    """Whether the failure of such a command ends a shell with ``set -e``."""
    if isinstance(command, syntax.Pipeline):
        return not command.negated
    return isinstance(command, syntax.Simple | syntax.Subshell | syntax.Redirected)


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
