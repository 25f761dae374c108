"""Applets that run other programs: what they have in common."""

from __future__ import annotations

from selfheal.programs.filesystem import NOT_FOUND, Executable, File
from selfheal.programs.process import Process, Program, Running


def lookup(p: Process, argv: list[str]) -> tuple[Program, list[str]] | None:
    """The program of a command line and its arguments; None if there is none."""
    kernel = p.kernel
    node = kernel.command(argv[0], p.env.get("PATH", ""), p.cwd) if argv else None
    if isinstance(node, Executable):
        return node.program, argv
    if isinstance(node, File) and node.mode & 0o111:
        shell = kernel.command("/bin/sh", "", "/")
        if isinstance(shell, Executable):
            return shell.program, ["sh", *argv]
    return None


def start(p: Process, argv: list[str]) -> Process | int:
    """Start a command as a child; 127, after a complaint, if there is none."""
    found = lookup(p, argv)
    if found is None:
        return p.fail(f"can't execute '{argv[0] if argv else ''}': {NOT_FOUND}", 127)
    program, words = found
    return p.kernel.spawn(program, words, p.env, p.cwd, p.fds.copy(), p)


def run(p: Process, argv: list[str]) -> Running:
    """Run a command as a child and wait for it."""
    child = start(p, argv)
    if isinstance(child, int):
        return child
    if not child.ended:
        yield child.end_gate
    return child.exit_code


def become(p: Process, argv: list[str], env: dict[str, str]) -> Running:
    """Go on as another command (``env``, ``nohup``)."""
    found = lookup(p, argv)
    if found is None:
        return p.fail(f"can't execute '{argv[0] if argv else ''}': {NOT_FOUND}", 127)
    program, p.argv = found
    p.env = env
    result = program(p)
    if isinstance(result, int) or result is None:
        return result
    return (yield from result)
