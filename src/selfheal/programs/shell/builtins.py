"""The commands that are the shell itself: ``cd``, ``exit``, ``trap``, ``wait`` …"""

from __future__ import annotations

from collections.abc import Callable

from selfheal.programs.filesystem import FileError, normal
from selfheal.programs.process import Exit
from selfheal.programs.shell import printing, tests
from selfheal.programs.shell.interpreter import BUILTINS, SPECIAL, Builtin, Shell, Status
from selfheal.programs.shell.outcomes import Break, BuiltinProblem, Return
from selfheal.programs.shell.parser import RESERVED, parse


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    """Define a builtin under its names."""

    def define(function: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = function
        return function

    return define


def number(text: str) -> int:
    if not text.isdecimal():
        raise BuiltinProblem(f"Illegal number: {text}")
    return int(text[:18])


# ---- nothing much


@builtin(":", "true", "hash", "alias", "unalias", "bg", "ulimit")
def true(shell: Shell, args: list[str]) -> int:
    del shell, args
    return 0


@builtin("false")
def false(shell: Shell, args: list[str]) -> int:
    del shell, args
    return 1


@builtin("echo")
def echo(shell: Shell, args: list[str]) -> int:
    shell.p.write(printing.echo(args))
    return 0


@builtin("printf")
def printf(shell: Shell, args: list[str]) -> int:
    return printing.printf(shell.p, args, "sh")


@builtin("test")
def test(shell: Shell, args: list[str]) -> int:
    return tests.run(shell.p, "test", args, "sh")


@builtin("[")
def bracket(shell: Shell, args: list[str]) -> int:
    return tests.run(shell.p, "[", args, "sh")


@builtin("[[")
def brackets(shell: Shell, args: list[str]) -> int:
    return tests.run(shell.p, "[[", args, "sh")


# ---- where it goes on


@builtin("exit")
def leave(shell: Shell, args: list[str]) -> int:
    raise Exit(number(args[0]) if args else shell.status)


@builtin("return")
def come_back(shell: Shell, args: list[str]) -> int:
    raise Return(number(args[0]) & 0xFF if args else shell.status)


@builtin("break")
def break_(shell: Shell, args: list[str]) -> int:
    levels = number(args[0]) if args else 1
    if shell.loops:
        raise Break(levels, again=False)
    return 0


@builtin("continue")
def continue_(shell: Shell, args: list[str]) -> int:
    levels = number(args[0]) if args else 1
    if shell.loops:
        raise Break(levels, again=True)
    return 0


@builtin("eval")
def evaluate(shell: Shell, args: list[str]) -> int | Status:
    return shell.run_script(parse(" ".join(args), shell.line)) if args else 0


@builtin(".", "source")
def source(shell: Shell, args: list[str]) -> Status:
    if not args:
        raise BuiltinProblem("filename argument required")
    path = args[0]
    if "/" not in path:  # looked for as a command is
        places = [f"{place}/{path}" for place in shell.vars.get("PATH", "").split(":")]
        found = next((place for place in places if shell.p.fs.exists(place)), None)
        if found is None:
            raise BuiltinProblem(f"{path}: not found")
        path = found
    try:
        text = shell.p.fs.read(shell.p.path(path))
    except FileError as error:
        raise BuiltinProblem(f"can't open '{args[0]}': {error}") from None
    params, script = shell.params, shell.script
    if len(args) > 1:
        shell.params = args[1:]
    shell.script = args[0]
    if shell.depth > 20:
        raise RecursionError
    shell.depth += 1
    try:
        yield from shell.run_script(parse(text))
    except Return as out:
        return out.status
    finally:
        shell.depth -= 1
        shell.params, shell.script = params, script
    return shell.status


@builtin("exec")
def execute(shell: Shell, args: list[str]) -> int | Status:
    if not args:
        return 0
    return _execute(shell, args)


def _execute(shell: Shell, args: list[str]) -> Status:
    kernel, name = shell.p.kernel, args[0]
    if kernel.command(name, shell.vars.get("PATH", ""), shell.p.cwd) is None:
        raise BuiltinProblem(f"{name}: not found", 127)
    found = shell.find(args)
    if isinstance(found, int):
        raise Exit(found)
    program, argv, _ = found
    return (yield from shell.replace(program, argv, shell.environment()))


@builtin("command")
def command(shell: Shell, args: list[str]) -> int | Status:
    if args[:1] and args[0] in ("-v", "-V"):
        return _describe(shell, args[1:], verbose=args[0] == "-V")
    if args[:1] == ["-p"]:
        args = args[1:]
    if not args:
        return 0
    found = BUILTINS.get(args[0])
    if found is not None:
        return shell.run_builtin(args[0], found, args[1:], ())
    return shell.external(args)


@builtin("type")
def type_(shell: Shell, args: list[str]) -> int:
    return _describe(shell, args, verbose=True)


def _describe(shell: Shell, names: list[str], verbose: bool) -> int:
    status = 0
    for name in names:
        if name in RESERVED:
            text, short = f"{name} is a shell keyword", name
        elif name in shell.functions:
            text, short = f"{name} is a function", name
        elif name in BUILTINS:
            text, short = f"{name} is a {'special ' if name in SPECIAL else ''}shell builtin", name
        else:
            path = shell.p.kernel.where(name, shell.vars.get("PATH", ""), shell.p.cwd)
            if path is None:
                status = 127
                if verbose:
                    shell.p.write(f"{name}: not found\n")
                continue
            text, short = f"{name} is {path}", path
        shell.p.write((text if verbose else short) + "\n")
    return status


# ---- variables


# ---- directories


@builtin("cd", "chdir")
def cd(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if arg not in ("-L", "-P", "--")]
    path = words[0] if words else shell.vars.get("HOME", "/")
    back = path == "-"
    if back:
        path = shell.vars.get("OLDPWD", shell.p.cwd)
    target = normal(shell.p.path(path))
    try:
        shell.p.fs.directory(target)
    except FileError as error:
        raise BuiltinProblem(f"can't cd to {path}: {error}") from None
    shell.vars["OLDPWD"], shell.vars["PWD"] = shell.p.cwd, target
    shell.p.cwd = target
    if back:
        shell.p.write(target + "\n")
    return 0


@builtin("pwd")
def pwd(shell: Shell, args: list[str]) -> int:
    del args
    shell.p.write(shell.p.cwd + "\n")
    return 0


@builtin("umask")
def umask(shell: Shell, args: list[str]) -> int:
    if not args:
        shell.p.write("0022\n")
    return 0


# ---- input


# ---- processes and signals
