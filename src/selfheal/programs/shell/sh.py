"""``sh`` as a program: ``sh -c 'script' [name args…]``, ``sh file [args…]``, ``sh`` reading its standard input."""

from __future__ import annotations

from selfheal.programs.filesystem import FileError
from selfheal.programs.process import Process, Running
from selfheal.programs.shell import builtins, jobs, variables
from selfheal.programs.shell.interpreter import Shell, Status
from selfheal.programs.shell.parser import parse
from selfheal.programs.streams import NULL, Keyboard

LETTERS = frozenset("aefuxvnmbCIilsc")

__all__ = ["builtins", "jobs", "sh", "variables"]


def sh(p: Process) -> Running:
    """The program behind ``/bin/sh``."""
    words = p.argv[1:]
    options: list[str] = []
    command = stdin = False
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        if word == "-o":
            if words:
                options.append(variables.LONG.get(words[0], words[0]))
                words.pop(0)
            continue
        for letter in word[1:]:
            if letter not in LETTERS:
                p.say(f"{p.argv[0]}: illegal option -{letter}")
                return 2
            if letter == "c":
                command = True
            elif letter == "s":
                stdin = True
            elif letter not in "ils":
                options.append(letter)
    if words[:1] == ["-"]:
        words.pop(0)
    if command:
        if not words:
            p.say(f"{p.argv[0]}: -c requires an argument")
            return 2
        text = words.pop(0)
        shell = Shell(p, words[0] if words else p.argv[0], words[1:])
        script = parse(text, 0)
    elif words and not stdin:
        try:
            text = p.fs.read(p.path(words[0]))
        except FileError as error:
            p.say(f"{p.argv[0]}: can't open '{words[0]}': {error}")
            return 2
        shell = Shell(p, words[0], words[1:], script=words[0])
        script = parse(text)
    elif isinstance(p.fds.get(0, NULL), Keyboard):
        shell = Shell(p, p.argv[0], words)
        shell.options = dict.fromkeys([*("s" if stdin else ""), *options])
        return (yield from shell.until_exit(_conversation(p, shell)))
    else:
        text = yield from p.fds.get(0, NULL).read()
        shell = Shell(p, p.argv[0], words)
        script = parse(text)
    shell.options = dict.fromkeys([*("c" if command else "s" if stdin else ""), *options])
    return (yield from shell.main(script))


UNFINISHED = ("unexpected end of file", "unterminated quoted string")
"""Problems of a command that goes on in the next line."""


def _conversation(p: Process, shell: Shell) -> Status:
    """Line by line, as somebody types. What cannot be understood is told, and ends nothing."""
    text = ""
    while True:
        keyboard = p.fds.get(0, NULL)
        if isinstance(keyboard, Keyboard):
            keyboard.prompt("> " if text else f"{p.cwd} # ")
        line = yield from keyboard.readline()
        text += line
        script = parse(text)
        problem = script.problem
        if problem is not None and line and any(words in problem.message for words in UNFINISHED):
            continue
        if problem is not None:
            shell.complain(problem.message)
            shell.status = 2
        elif text:
            yield from shell.run_script(script)
        if not line:
            return shell.status
        text = ""
