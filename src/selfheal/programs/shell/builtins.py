"""The commands that are the shell itself: ``cd``, ``exit``, ``trap``, ``wait`` …"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from selfheal.programs.filesystem import FileError, normal
from selfheal.programs.process import SIGNALS, Exit, Process
from selfheal.programs.shell import printing, tests
from selfheal.programs.shell.expansion import BLANKS, calculate
from selfheal.programs.shell.interpreter import (
    BUILTINS,
    INTERRUPTED,
    SPECIAL,
    Break,
    Builtin,
    BuiltinProblem,
    Return,
    Shell,
    Status,
    quoted,
)
from selfheal.programs.shell.lexer import NAME
from selfheal.programs.shell.parser import RESERVED, parse
from selfheal.programs.signals import kill
from selfheal.programs.streams import NULL


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    """Define a builtin under its names."""

    def define(function: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = function
        return function

    return define


def _number(text: str) -> int:
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
    raise Exit(_number(args[0]) if args else shell.status)


@builtin("return")
def come_back(shell: Shell, args: list[str]) -> int:
    raise Return(_number(args[0]) & 0xFF if args else shell.status)


@builtin("break")
def break_(shell: Shell, args: list[str]) -> int:
    levels = _number(args[0]) if args else 1
    if shell.loops:
        raise Break(levels, again=False)
    return 0


@builtin("continue")
def continue_(shell: Shell, args: list[str]) -> int:
    levels = _number(args[0]) if args else 1
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
    try:
        text = shell.p.fs.read(shell.p.path(args[0]))
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


@builtin("export")
def export(shell: Shell, args: list[str]) -> int:
    return _declare(shell, args, shell.exported, "export")


@builtin("readonly")
def readonly(shell: Shell, args: list[str]) -> int:
    return _declare(shell, args, shell.readonly, "readonly")


def _declare(shell: Shell, args: list[str], marked: dict[str, None], word: str) -> int:
    words = [arg for arg in args if arg not in ("-p", "--")]
    if not words:
        for name in sorted(marked):
            if name in shell.vars:
                shell.p.write(f"{word} {name}={quoted_value(shell.vars[name])}\n")
            else:
                shell.p.write(f"{word} {name}\n")
        return 0
    unmark = "-n" in words
    for arg in words:
        if arg == "-n":
            continue
        name, equals, value = arg.partition("=")
        if not NAME.fullmatch(name):
            raise BuiltinProblem(f"{name}: bad variable name")
        if equals:
            shell.assign(name, value)
        if unmark:
            marked.pop(name, None)
        else:
            marked[name] = None
    return 0


def quoted_value(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


@builtin("unset")
def unset(shell: Shell, args: list[str]) -> int:
    functions = args[:1] == ["-f"]
    for name in args:
        if name in ("-f", "-v"):
            continue
        if functions:
            shell.functions.pop(name, None)
        else:
            shell.unset(name)
    return 0


@builtin("local")
def local(shell: Shell, args: list[str]) -> int:
    if not shell.frames:
        raise BuiltinProblem("not in a function")
    for arg in args:
        name, equals, value = arg.partition("=")
        shell.frames[-1].setdefault(name, shell.vars.get(name))
        if equals:
            shell.assign(name, value)
    return 0


@builtin("let")
def let(shell: Shell, args: list[str]) -> int:
    result = 0
    for arg in args:
        result = calculate(shell, arg)
    return int(result == 0)


@builtin("set")
def set_(shell: Shell, args: list[str]) -> int:
    words = list(args)
    if not words:
        for name in sorted(shell.vars):
            shell.p.write(f"{name}={quoted_value(shell.vars[name])}\n")
        return 0
    while words:
        word = words[0]
        if word == "--":
            shell.params = words[1:]
            return 0
        if len(word) < 2 or word[0] not in "-+":
            shell.params = words
            return 0
        words.pop(0)
        for letter in word[1:]:
            option = letter
            if letter == "o":
                if not words:
                    return 0
                option = LONG.get(words[0], words[0])
                words.pop(0)
                if option not in (*LONG.values(), "pipefail"):
                    raise BuiltinProblem(f"illegal option -o {option}")
            elif letter not in "aefuxvnmbCI":
                raise BuiltinProblem(f"illegal option {word[0]}{letter}")
            if word[0] == "-":
                shell.options[option] = None
            else:
                shell.options.pop(option, None)
    return 0


LONG = {
    "errexit": "e",
    "nounset": "u",
    "xtrace": "x",
    "noglob": "f",
    "allexport": "a",
    "verbose": "v",
    "noclobber": "C",
    "notify": "b",
    "monitor": "m",
}


@builtin("shift")
def shift(shell: Shell, args: list[str]) -> int:
    count = _number(args[0]) if args else 1
    if count > len(shell.params):
        return 1
    shell.params = shell.params[count:]
    return 0


@builtin("getopts")
def getopts(shell: Shell, args: list[str]) -> int:
    if len(args) < 2:
        raise BuiltinProblem("usage: getopts optstring var [arg]")
    options, name = args[0], args[1]
    words = args[2:] or shell.params
    index = max(1, _number(shell.vars.get("OPTIND") or "1")) - 1
    offset = int(shell.vars.get("_OPTOFF", "1"))
    if index >= len(words) or offset >= len(words[index]):
        offset = 1
    if index >= len(words) or not words[index].startswith("-") or words[index] == "-":
        shell.vars[name] = "?"
        return 1
    if words[index] == "--":
        shell.vars[name] = "?"
        shell.vars["OPTIND"] = str(index + 2)
        return 1
    letter, rest = words[index][offset], words[index][offset + 1 :]
    known = letter != ":" and letter in options
    argument = known and options[options.index(letter) + 1 : options.index(letter) + 2] == ":"
    shell.vars[name] = letter if known else "?"
    shell.vars.pop("OPTARG", None)
    if argument:
        index += 1
        if rest:
            shell.vars["OPTARG"] = rest
        elif index < len(words):
            shell.vars["OPTARG"] = words[index]
            index += 1
        else:
            shell.complain(f"No arg for -{letter} option")
            shell.vars[name] = "?"
        offset = 1
    elif rest:
        offset += 1
    else:
        index, offset = index + 1, 1
    if not known and not options.startswith(":"):
        shell.complain(f"Illegal option -{letter}")
    shell.vars["OPTIND"], shell.vars["_OPTOFF"] = str(index + 1), str(offset)
    return 0


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


@builtin("read")
def read(shell: Shell, args: list[str]) -> Status:
    raw, words = False, list(args)
    names: list[str] = []
    while words:
        word = words.pop(0)
        if word.startswith("-") and len(word) > 1 and not names:
            for letter in word[1:]:
                if letter == "r":
                    raw = True
                elif letter in "ptndu":
                    argument = words.pop(0) if words else ""
                    if letter == "p":
                        shell.p.fds.get(2, NULL).write(argument)
                    break
        else:
            names.append(word)
    stream = shell.p.fds.get(0, NULL)
    line = ""
    while True:
        part = yield from stream.readline()
        complete = part.endswith("\n")
        line += part.removesuffix("\n")
        if raw or not complete or not _continued(line):
            break
        line = line[:-1]
    if names:
        _share(shell, names, line, raw)
    else:
        shell.assign("REPLY", line)
    return int(not complete)


def _continued(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _share(shell: Shell, names: list[str], line: str, raw: bool) -> None:
    """Give each variable its field, the last one all that is left."""
    ifs = shell.vars.get("IFS", BLANKS)
    blanks = "".join(c for c in ifs if c in BLANKS)
    letters: list[tuple[str, bool]] = []
    i = 0
    while i < len(line):
        if line[i] == "\\" and not raw and i + 1 < len(line):
            letters.append((line[i + 1], True))
            i += 2
        elif line[i] == "\\" and not raw:
            i += 1
        else:
            letters.append((line[i], False))
            i += 1
    at, end = 0, len(letters)
    while at < end and not letters[at][1] and letters[at][0] in blanks:
        at += 1
    while end > at and not letters[end - 1][1] and letters[end - 1][0] in blanks:
        end -= 1
    for name in names[:-1]:
        text = ""
        while at < end and (letters[at][1] or letters[at][0] not in ifs):
            text += letters[at][0]
            at += 1
        while at < end and not letters[at][1] and letters[at][0] in blanks:
            at += 1
        if at < end and not letters[at][1] and letters[at][0] in ifs and letters[at][0] not in blanks:
            at += 1
            while at < end and not letters[at][1] and letters[at][0] in blanks:
                at += 1
        shell.assign(name, text)
    shell.assign(names[-1], "".join(letter for letter, _ in letters[at:end]))


# ---- processes and signals


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
            jobs = list(shell.jobs)
            number = int(arg[1:10]) if arg[1:].isdecimal() else len(jobs)
            if not 0 < number <= len(jobs):
                raise BuiltinProblem(f"{arg}: no such job", 1)
            arg = str(jobs[number - 1])
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
        if arg.startswith("%"):
            jobs = list(shell.jobs)
            number = int(arg[1:10]) if arg[1:].isdecimal() else len(jobs)
            pid = jobs[number - 1] if 0 < number <= len(jobs) else 0
        else:
            pid = _number(arg)
        job = shell.jobs.get(pid)
        if job is None:
            result = 127
            continue
        if not job.ended:
            status = yield from _interruptibly(shell, job)
            if status is not None:
                return status
        del shell.jobs[pid]
        shell.mourn(job)
        result = job.exit_code
    return result


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
