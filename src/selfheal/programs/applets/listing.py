"""ls, stat, du and their like: what files there are."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from selfheal.clock import SECOND
from selfheal.programs.applets.registry import applet, options, usage
from selfheal.programs.filesystem import (
    NOT_FOUND,
    Directory,
    Executable,
    File,
    Link,
    Node,
    normal,
)
from selfheal.programs.process import Process

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


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
