"""The shell's builtins for variables: export, set, read, getopts and their like."""

from __future__ import annotations

from selfheal.programs.shell.builtins import builtin, number
from selfheal.programs.shell.expansion import BLANKS, calculate
from selfheal.programs.shell.interpreter import Shell, Status
from selfheal.programs.shell.lexer import NAME
from selfheal.programs.shell.outcomes import BuiltinProblem
from selfheal.programs.streams import NULL


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
        else:
            shell.vars.pop(name, None)
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
                    shell.complain(f"illegal option -o {option}", "set")
                    return 1
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
    count = number(args[0]) if args else 1
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
    index = max(1, number(shell.vars.get("OPTIND") or "1")) - 1
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
            shell.p.say(f"No arg for -{letter} option")
            shell.vars[name] = "?"
        offset = 1
    elif rest:
        offset += 1
    else:
        index, offset = index + 1, 1
    if not known and not options.startswith(":"):
        shell.p.say(f"Illegal option -{letter}")
    shell.vars["OPTIND"], shell.vars["_OPTOFF"] = str(index + 1), str(offset)
    return 0


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
