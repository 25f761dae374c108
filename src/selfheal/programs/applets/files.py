"""touch, rm, mkdir, ls, mv, cp and their like."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from selfheal.clock import SECOND
from selfheal.programs.applets.registry import applet, options, usage
from selfheal.programs.filesystem import (
    DENIED,
    NOT_FOUND,
    Directory,
    Executable,
    File,
    FileError,
    Link,
    Node,
    normal,
)
from selfheal.programs.process import Exit, Process

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


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
        try:
            p.fs.rmdir(p.path(path))
        except FileError as error:
            status = p.fail(f"'{path}': {error}")
    return status


def _target(p: Process, words: list[str]) -> tuple[list[str], str, bool]:
    """(sources, destination, whether that is a directory)"""
    if len(words) < 2:
        raise usage(p)
    *sources, destination = words
    directory = p.fs.is_dir(p.path(destination))
    if len(sources) > 1 and not directory:
        p.complain(f"can't stat '{destination}': {NOT_FOUND}")
        raise Exit(1)
    return sources, destination, directory


def _inside(directory: bool, destination: str, source: str) -> str:
    if not directory:
        return destination
    return destination.rstrip("/") + "/" + source.rstrip("/").rpartition("/")[2]


@applet("mv", usage="[-finT] SOURCE DEST")
def mv(p: Process) -> int:
    given = options(p, "finTt:")
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
            node = p.fs.find(p.path(target)).node
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


@applet("ls", usage="[-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]...")
def ls(p: Process) -> int:
    given = options(p, "1AaCxdLHRFplinshrSXvctukZw:T:")
    status = 0
    singles: list[str] = []
    directories: list[str] = []
    for path in sorted(given.words) or ["."]:
        node = p.fs.node(p.path(path), follow="l" not in given) or p.fs.node(p.path(path), follow=False)
        if node is None:
            status = p.fail(f"{path}: {NOT_FOUND}")
        elif isinstance(node, Directory) and "d" not in given:
            directories.append(path)
        else:
            singles.append(path)
    for path in singles:
        node = p.fs.node(p.path(path), follow=False)
        assert node is not None
        p.log(_entry(path, node, "l" in given))
    many = len(directories) + len(singles) > 1 or status
    for i, path in enumerate(directories):
        if "R" in given:
            _list_all(p, path, given, bool(i or singles))
            continue
        if many:
            p.write(("\n" if i or singles else "") + f"{path}:\n")
        _list(p, path, given)
    return status


def _list_all(p: Process, path: str, given: dict[str, str], gap: bool) -> None:
    p.write(("\n" if gap else "") + f"{path}:\n")
    for name in _list(p, path, given):
        if isinstance(p.fs.node(p.path(f"{path}/{name}"), follow=False), Directory) and name not in (".", ".."):
            _list_all(p, f"{path}/{name}", given, gap=True)


def _list(p: Process, path: str, given: dict[str, str]) -> list[str]:
    directory = p.fs.directory(p.path(path))
    names = sorted(name for name in directory.entries if "a" in given or "A" in given or not name.startswith("."))
    if "a" in given:
        names = [".", "..", *names]
    if "t" in given:
        names.sort(key=lambda name: -(directory.entries.get(name) or directory).mtime)
    if "r" in given:
        names.reverse()
    long = "l" in given
    if long:
        p.log(f"total {4 * len(names)}")
    for name in names:
        node = directory if name in (".", "..") else directory.entries[name]
        p.log(_entry(name, node, long))
    return names


def _entry(name: str, node: Node, long: bool) -> str:
    if not long:
        return name
    link = f" -> {node.target}" if isinstance(node, Link) else ""
    count = 2 if isinstance(node, Directory) else 1
    when = stamp(node.mtime)
    return f"{node.kind}{bits(node.mode)} {count:>4} root     root     {size(node):>9} {when} {name}{link}"


def bits(mode: int) -> str:
    """``rwxr-xr-x``"""
    return "".join(letter if mode >> (8 - i) & 1 else "-" for i, letter in enumerate("rwxrwxrwx"))


def size(node: Node) -> int:
    """Bytes, as ``ls -l`` shows them."""
    if isinstance(node, File):
        return node.size
    if isinstance(node, Link):
        return len(node.target)
    return 4096 if isinstance(node, Directory) else 1131168 if isinstance(node, Executable) else 0


def stamp(mtime: int) -> str:
    """``Jan  1 08:00``"""
    when = datetime.fromtimestamp(mtime // SECOND, UTC)
    return f"{MONTHS[when.month - 1]} {when.day:>2} {when:%H:%M}"


@applet("readlink", usage="[-fnv] FILE")
def readlink(p: Process) -> int:
    given = options(p, "fnve")
    if len(given.words) != 1:
        raise usage(p)
    node = p.fs.node(p.path(given.words[0]), follow=False)
    if "f" in given:
        p.log(normal(p.path(node.target if isinstance(node, Link) else given.words[0])))
        return 0
    if not isinstance(node, Link):
        return 1
    p.log(node.target)
    return 0


@applet("realpath", usage="FILE...")
def realpath(p: Process) -> int:
    status = 0
    for path in options(p, "").words:
        if p.fs.exists(p.path(path)):
            p.log(normal(p.path(path)))
        else:
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


@applet("stat", usage="[-ltf] [-c FMT] FILE...")
def stat(p: Process) -> int:
    given = options(p, "ltfLc:")
    if not given.words:
        raise usage(p)
    status = 0
    for path in given.words:
        node = p.fs.node(p.path(path), follow="L" in given)
        if node is None:
            status = p.fail(f"can't stat '{path}': {NOT_FOUND}")
            continue
        kind = {"d": "directory", "l": "symbolic link", "c": "character special file"}.get(node.kind, "regular file")
        if kind == "regular file" and not size(node):
            kind = "regular empty file"
        seconds = node.mtime // SECOND
        values = {
            "a": f"{node.mode & 0o7777:o}",
            "A": f"{node.kind}{bits(node.mode)}",
            "s": str(size(node)),
            "n": path,
            "N": f"'{path}'",
            "F": kind,
            "Y": str(seconds),
            "X": str(seconds),
            "Z": str(seconds),
            "U": "root",
            "G": "root",
            "u": "0",
            "g": "0",
            "h": "1",
            "b": "8",
            "B": "512",
            "o": "4096",
            "i": "1",
            "y": _full_stamp(p, node.mtime),
            "%": "%",
        }
        form = given.get("c")
        if form is None:
            form = (
                "  File: %n\n  Size: %s\tBlocks: %b\tIO Block: %o\t%F\nAccess: (0%a/%A)  Uid: (0/root)  Gid: (0/root)\n"
            )
            form += "Modify: %y"
        p.log("".join(values.get(piece[1:], piece) if piece[:1] == "%" else piece for piece in re.split(r"(%.)", form)))
    return status


def _full_stamp(p: Process, mtime: int) -> str:
    text = p.kernel.clock.micro_timestamp(mtime - p.kernel.clock.epoch)
    return text.replace("T", " ").replace("Z", "000 +0000")


@applet("sync")
def sync(p: Process) -> int:
    del p
    return 0


@applet("du", usage="[-aHLdclsxhmk] [FILE]...")
def du(p: Process) -> int:
    given = options(p, "aHLdclsxhmkb")
    for path in given.words or ["."]:
        node = p.fs.node(p.path(path))
        if node is None:
            return p.fail(f"{path}: {NOT_FOUND}")
        p.log(f"{_blocks(node)}\t{path}")
    return 0


def _blocks(node: Node) -> int:
    if isinstance(node, Directory):
        return 4 + sum(_blocks(entry) for entry in node.entries.values())
    return -(-size(node) // 4096) * 4 if isinstance(node, File) else 0


@applet("mount", "umount")
def mount(p: Process) -> int:
    return p.fail(f"{DENIED} (are you root?)")
