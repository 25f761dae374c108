"""busybox's commands."""

from __future__ import annotations

from selfheal.programs.filesystem import FileError
from selfheal.programs.process import Process, Program, Running


def sleep(p: Process) -> Running:
    yield p.sleep(sum(float(word) for word in p.argv[1:]))
    return 0


def cat(p: Process) -> int:
    code = 0
    for path in p.argv[1:]:
        try:
            p.write(p.fs.read(p.path(path)))
        except FileError as error:
            code = p.fail(f"can't open '{path}': {error}")
    return code


def touch(p: Process) -> int:
    for path in p.argv[1:]:
        p.fs.touch(p.path(path))
    return 0


def rm(p: Process) -> int:
    code = 0
    for path in p.argv[1:]:
        if path.startswith("-"):
            continue
        try:
            p.fs.remove(p.path(path))
        except FileError as error:
            if "-f" not in p.argv:
                code = p.fail(f"can't remove '{path}': {error}")
    return code


def echo(p: Process) -> int:
    p.log(" ".join(p.argv[1:]))
    return 0


def sh(p: Process) -> Running:
    if "-c" not in p.argv:
        return 0
    code = 0
    for part in p.argv[p.argv.index("-c") + 1].split(";"):
        words = part.split()
        if words and words[0] == "exit":
            return int(words[1])
        if words:
            child = p.kernel.spawn(APPLETS[words[0]], words, p.env, p.cwd, p.fds, p)
            if not child.ended:
                yield child.end_gate
            code = child.exit_code
    return code


APPLETS: dict[str, Program] = {
    "sleep": sleep,
    "cat": cat,
    "touch": touch,
    "rm": rm,
    "echo": echo,
    "sh": sh,
    "true": lambda _: 0,
    "false": lambda _: 1,
}
