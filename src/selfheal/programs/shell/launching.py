"""How a shell finds and starts programs, and waits for them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from selfheal.programs.filesystem import Executable, File, FileError
from selfheal.programs.process import SIGNALS, Exit, Process, Program
from selfheal.programs.shell.outcomes import DEATHS
from selfheal.programs.shell.state import PATH, State
from selfheal.programs.streams import NULL, BrokenPipe

Status = Generator[Any, Any, int]


class Launcher(State):
    """The part of a shell that starts other programs."""

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
        self.check_room()
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
        self.complain(f"{name}: {'not found' if name else 'Permission denied'}")
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

    def check_room(self) -> None:
        if self.p.kernel.crowded:
            self.complain("can't fork: Resource temporarily unavailable")
            raise Exit(2)

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
