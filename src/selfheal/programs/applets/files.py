"""touch, rm, mkdir, ls, mv, cp and their like."""

from __future__ import annotations

import re

from selfheal.programs.applets.registry import applet, options, usage
from selfheal.programs.filesystem import (
    DENIED,
    NOT_FOUND,
    Directory,
    Executable,
    File,
    FileError,
    Node,
    normal,
)
from selfheal.programs.process import Process


@applet("touch", usage="[-cham] [-d DATE] [-t DATE] [-r FILE] FILE...")
def touch(p: Process) -> int:
    given = options(p, "chamd:t:r:")
    if not given.words:
        raise usage(p)
    status = 0
    for path in given.words:
        try:
            if "c" not in given or p.fs.exists(p.path(path)):
                p.fs.touch(p.path(path))
        except FileError as error:
            status = p.fail(f"{path}: {error}")
    return status


@applet("rm", usage="[-irf] FILE...")
def rm(p: Process) -> int:
    given = options(p, "irRf")
    force = "f" in given
    if not given.words and not force:
        raise usage(p)
    status = 0
    for path in given.words:
        try:
            node = p.fs.find(p.path(path), follow=False).node
            if isinstance(node, Directory) and not ("r" in given or "R" in given):
                status = p.fail(f"'{path}' is a directory")
            elif path.rstrip("/").rpartition("/")[2] in (".", ".."):
                status = p.fail("can't remove '.' or '..'")
            else:
                p.fs.remove(p.path(path), recursive=True)
        except FileError as error:
            if not (force and str(error) == NOT_FOUND):
                status = p.fail(f"can't remove '{path}': {error}")
    return status


@applet("unlink", usage="FILE")
def unlink(p: Process) -> int:
    given = options(p, "")
    if len(given.words) != 1:
        raise usage(p)
    try:
        p.fs.remove(p.path(given.words[0]))
    except FileError as error:
        return p.fail(f"can't remove file '{given.words[0]}': {error}")
    return 0


@applet("mkdir", usage="[-m MODE] [-p] DIRECTORY...")
def mkdir(p: Process) -> int:
    given = options(p, "m:pv")
    if not given.words:
        raise usage(p)
    status = 0
    for path in given.words:
        try:
            p.fs.mkdir(normal(p.path(path)), parents="p" in given)
        except FileError as error:
            status = p.fail(f"can't create directory '{path}': {error}")
    return status


@applet("rmdir", usage="[-p] DIRECTORY...")
def rmdir(p: Process) -> int:
    given = options(p, "p")
    if not given.words:
        raise usage(p)
    status = 0
    for path in given.words:
        while path not in ("", "."):
            try:
                p.fs.rmdir(p.path(path))
            except FileError as error:
                status = p.fail(f"'{path}': {error}")
                break
            path = path.rpartition("/")[0] if "p" in given else ""
    return status


def _target(p: Process, words: list[str]) -> tuple[list[str], str, bool]:
    """(sources, destination, whether that is a directory)"""
    if len(words) < 2:
        raise usage(p)
    *sources, destination = words
    return sources, destination, len(sources) > 1 or p.fs.is_dir(p.path(destination))


def _inside(directory: bool, destination: str, source: str) -> str:
    if not directory:
        return destination
    return destination.rstrip("/") + "/" + source.rstrip("/").rpartition("/")[2]


@applet("mv", usage="[-finT] SOURCE DEST")
def mv(p: Process) -> int:
    given = options(p, "finTt:v")
    sources, destination, directory = _target(p, given.words)
    status = 0
    for path in sources:
        target = _inside(directory, destination, path)
        if "n" in given and p.fs.exists(p.path(target)):
            continue
        try:
            p.fs.rename(p.path(path), p.path(target))
        except FileError as error:
            status = p.fail(f"can't rename '{path}': {error}")
        else:
            if "v" in given:
                p.say(f"'{path}' -> '{target}'")
    return status


@applet("cp", usage="[-arPLHpfinlsTu] SOURCE DEST")
def cp(p: Process) -> int:
    given = options(p, "arRdPLHpfinlsTut:v")
    sources, destination, directory = _target(p, given.words)
    recursive = any(letter in given for letter in "arR")
    status = 0
    for path in sources:
        target = _inside(directory, destination, path)
        node = p.fs.node(p.path(path))
        if node is None:
            status = p.fail(f"can't stat '{path}': {NOT_FOUND}")
        elif isinstance(node, Directory) and not recursive:
            status = p.fail(f"omitting directory '{path}'")
        elif node is p.fs.node(p.path(target)):
            status = p.fail(f"'{path}' and '{target}' are the same file")
        else:
            try:
                _copy(p, node, p.path(target))
            except FileError as error:
                status = p.fail(f"can't create '{target}': {error}")
    return status


def _copy(p: Process, node: Node, target: str) -> None:
    if isinstance(node, Directory):
        if not p.fs.is_dir(target):
            p.fs.mkdir(target)
        for name, entry in tuple(node.entries.items()):
            _copy(p, entry, f"{target}/{name}")
    elif isinstance(node, Executable):
        place = p.fs.open(target)
        place.directory.entries[place.name] = node
    else:
        p.fs.write(target, node.text if isinstance(node, File) else "")
        p.fs.chmod(target, node.mode)


@applet("ln", usage="[-sfnbtv] [-S SUF] TARGET... LINK|DIR")
def ln(p: Process) -> int:
    given = options(p, "sfnbtvTS:")
    if not given.words:
        raise usage(p)
    target = given.words[0]
    name = given.words[1] if len(given.words) > 1 else target.rpartition("/")[2]
    path = _inside(p.fs.is_dir(p.path(name)) and "n" not in given, name, target)
    try:
        if "f" in given and p.fs.node(p.path(path), follow=False) is not None:
            p.fs.remove(p.path(path))
        if "s" in given:
            p.fs.link(p.path(path), target)
        else:
            node = p.fs.find(p.path(target), own=True).node
            if node is None:
                raise FileError(NOT_FOUND)
            place = p.fs.open(p.path(path))
            place.directory.entries[place.name] = node
    except FileError as error:
        return p.fail(f"{path}: {error}")
    return 0


@applet("chmod", usage="[-Rcvf] MODE[,MODE]... FILE...")
def chmod(p: Process) -> int:
    words = [word for word in p.argv[1:] if word not in ("-R", "-v", "-c", "-f")]
    if len(words) < 2:
        raise usage(p)
    status = 0
    for path in words[1:]:
        node = p.fs.node(p.path(path))
        if node is None:
            status = p.fail(f"{path}: {NOT_FOUND}")
            continue
        mode = _mode(words[0], node.mode)
        if mode is None:
            return p.fail(f"invalid mode '{words[0]}'")
        p.fs.chmod(p.path(path), mode)
    return status


def _mode(text: str, old: int) -> int | None:
    """``755``, ``u+x,go-w`` → a mode; None if it is none."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    mode = old
    for clause in text.split(","):
        found = re.fullmatch(r"([ugoa]*)([-+=])([rwxXst]*)", clause)
        if found is None:
            return None
        who = found[1] if found[1] and "a" not in found[1] else "ugo"
        bits = sum({"r": 4, "w": 2, "x": 1, "X": 1}.get(letter, 0) for letter in found[3])
        mask = sum(bits << {"u": 6, "g": 3, "o": 0}[w] for w in dict.fromkeys(who))
        whole = sum(7 << {"u": 6, "g": 3, "o": 0}[w] for w in dict.fromkeys(who))
        mode = mode | mask if found[2] == "+" else mode & ~mask if found[2] == "-" else (mode & ~whole) | mask
    return mode


@applet("chown", "chgrp", usage="[-Rhc] USER[:[GRP]] FILE...")
def chown(p: Process) -> int:
    words = [word for word in p.argv[1:] if not word.startswith("-")]
    if len(words) < 2:
        raise usage(p)
    status = 0
    for path in words[1:]:
        if not p.fs.exists(p.path(path)):
            status = p.fail(f"{path}: {NOT_FOUND}")
    return status


@applet("truncate", usage="[-c] -s SIZE FILE...")
def truncate(p: Process) -> int:
    given = options(p, "cs:")
    if not given.words or not given.get("s", "").isdecimal():
        raise usage(p)
    length = min(int(given["s"][:18]), 1 << 30)
    for path in given.words:
        old = p.fs.read(p.path(path)) if p.fs.exists(p.path(path)) else ""
        p.fs.write(p.path(path), old[:length].ljust(length, "\0"))
    return 0


@applet("mktemp", usage="[-dt] [-p DIR] [TEMPLATE]")
def mktemp(p: Process) -> int:
    given = options(p, "dtqup:")
    template = given.words[0] if given.words else "tmp.XXXXXX"
    if not template.endswith("XXXXXX"):
        return p.fail(f"{template}: Invalid argument")
    base = given.get("p", p.env.get("TMPDIR", "/tmp")) if not given.words or "t" in given or "p" in given else ""  # noqa: S108
    path = (f"{base}/" if base else "") + template[:-6] + p.kernel.random_text(6)
    try:
        if "d" in given:
            p.fs.mkdir(p.path(path))
        else:
            p.fs.write(p.path(path), "")
    except FileError as error:
        return p.fail(f"{path}: {error}")
    p.log(path)
    return 0


@applet("sync")
def sync(p: Process) -> int:
    del p
    return 0


@applet("mount", "umount")
def mount(p: Process) -> int:
    return p.fail(f"{DENIED} (are you root?)")
