"""Files in memory: what the processes of a container see under ``/``.

Text files, directories, symbolic links, devices and the programs of the image. All containers of an image
share its files; of what one of them changes it gets a copy of its own, as with overlayfs. A volume is a
:class:`Directory` that hangs in the trees of several containers at once; whoever mounts it
hears of every change in it. Errors carry Linux's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from selfheal.programs.process import Program

NOT_FOUND = "No such file or directory"
EXISTS = "File exists"
IS_A_DIRECTORY = "Is a directory"
NOT_A_DIRECTORY = "Not a directory"
NOT_EMPTY = "Directory not empty"
DENIED = "Permission denied"
BUSY = "Device or resource busy"
INVALID = "Invalid argument"
TEXT_BUSY = "Text file busy"
LOOP = "Too many levels of symbolic links"
FULL = "No space left on device"

BAD_DESCRIPTOR = "Bad file descriptor"
READ_ONLY = "Read-only file system"

CAPACITY = 64 * 1024 * 1024
"""Characters that one file may hold: a full disk instead of a full computer."""


class FileError(Exception):
    """A refusal by the file system; the text is that of Linux, without the file's name."""


class Node:
    """Anything that has a name in a directory."""

    __slots__ = ("mode", "mtime", "shared")
    kind = "?"

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.mtime = 0
        """Time of the last change, in µs of Unix time."""
        self.shared = False
        """Whether it lies in an image, where many containers see it and nobody changes it."""

    def copy(self) -> Self:
        """The same, for one container alone."""
        made = copy(self)
        made.shared = False
        return made


class File(Node):
    """A text file."""

    __slots__ = ("text",)
    kind = "-"

    def __init__(self, text: str = "", mode: int = 0o644) -> None:
        super().__init__(mode)
        self.text = text

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.text) if self.text.isascii() else len(self.text.encode(errors="replace"))


class Executable(Node):
    """A program of the image, for instance ``/bin/cat``."""

    __slots__ = ("program", "quick")
    kind = "-"

    def __init__(self, program: Program, quick: bool = False) -> None:
        super().__init__(0o755)
        self.program = program
        self.quick = quick
        """Whether it never waits for anything."""


class Device(Node):
    """``null``, ``zero``, ``random``, ``full``, ``log``; of a process ``stdin``, ``stdout``, ``stderr``, ``status``."""

    __slots__ = ("name",)
    kind = "c"

    def __init__(self, name: str) -> None:
        super().__init__(0o666)
        self.name = name


class Link(Node):
    """A symbolic link."""

    __slots__ = ("target",)
    kind = "l"

    def __init__(self, target: str) -> None:
        super().__init__(0o777)
        self.target = target


First = Callable[[], "Mapping[str, Node | str]"]


class Directory(Node):
    """Names and what they stand for. As a volume it outlives the containers that mount it.

    What it holds at first is only made when somebody looks: most directories of most containers are never seen.
    """

    __slots__ = ("_entries", "_first", "watchers")
    kind = "d"

    def __init__(self, first: Mapping[str, Node | str] | First | None = None, mode: int = 0o755) -> None:
        super().__init__(mode)
        self._first = first
        self._entries: dict[str, Node] | None = None
        self.watchers: list[Callable[[], None]] | None = None
        """On the root of a tree or volume: called when anything in it changes."""

    @property
    def entries(self) -> dict[str, Node]:
        """Name → what stands there."""
        if self._entries is None:
            first = (self._first() if callable(self._first) else self._first) or {}
            self._entries = {name: File(entry) if isinstance(entry, str) else entry for name, entry in first.items()}
            self._first = None
            if self.shared:
                self.share()
        return self._entries

    def share(self) -> None:
        """It belongs to an image now, and so does all that is in it."""
        self.shared = True
        for entry in (self._entries or {}).values():
            if isinstance(entry, Directory):
                entry.share()
            entry.shared = True

    def copy(self) -> Self:
        made = super().copy()
        made._entries = dict(self.entries)  # noqa: SLF001 - they stay shared
        return made

    def view(self) -> Self:
        """The same directory by another way, of which :meth:`Filesystem.close` can speak by itself."""
        if self.watchers is None:
            self.watchers = []
        made = super().copy()
        made._entries = self.entries  # noqa: SLF001 - one and the same
        return made

    def watch(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever something in this volume changes."""
        if self.watchers is None:
            self.watchers = []
        self.watchers.append(callback)

    def unwatch(self, callback: Callable[[], None]) -> None:
        if self.watchers is not None and callback in self.watchers:
            self.watchers.remove(callback)


class Place:
    """Where a path leads: a directory, a name in it, and what stands there, if anything does."""

    __slots__ = ("directory", "name", "node", "root")

    def __init__(self, root: Directory, directory: Directory, name: str, node: Node | None) -> None:
        self.root = root
        """The volume (or container's own tree) it lies in, which hears of changes."""
        self.directory = directory
        self.name = name
        self.node = node


class Filesystem:
    """The tree of one container. Paths are absolute (see :func:`join`)."""

    def __init__(self, root: Directory, unix: Callable[[], int] = lambda: 0) -> None:
        self.root = root
        self._unix = unix
        if root.watchers is None:
            root.watchers = []
        self._mounts: list[tuple[Directory, str]] = []
        self._files: list[Node] = []
        """Single files that are mounted."""
        self._closed: list[Directory] = []
        """Volumes (or the whole tree) in which this container may change nothing."""

    # ---- finding

    def find(self, path: str, follow: bool = True, own: bool = False) -> Place:
        """Where ``path`` leads. FileError if a directory on the way does not exist, or is none.

        ``own``: something shall be changed there, so what is shared on the way is copied first.
        """
        return self._walk(path, follow, own, 0)

    def _walk(self, path: str, follow: bool, own: bool, depth: int) -> Place:
        if depth > 20:
            raise FileError(LOOP)
        root = directory = self.root
        place = Place(root, root, "", root)
        parts = [part for part in path.split("/") if part and part != "."]
        trail: list[tuple[Directory, Directory]] = []
        last = len(parts) - 1
        for i, part in enumerate(parts):
            if part == "..":
                if trail:
                    root, directory = trail.pop()
                place = Place(root, directory, "", directory)
                continue
            node = directory.entries.get(part)
            if own and node is not None and node.shared:
                node = directory.entries[part] = node.copy()
            if type(node) is Link and (follow or i < last):
                target = node.target if node.target.startswith("/") else "/".join(["", *parts[:i], node.target])
                rest = "/".join([target, *parts[i + 1 :]])
                return self._walk(rest, follow, own, depth + 1)
            place = Place(root, directory, part, node)
            if type(node) is Directory:
                trail.append((root, directory))
                directory = node
                if node.watchers is not None:
                    root = node
            elif i < last:
                raise FileError(NOT_FOUND if node is None else NOT_A_DIRECTORY)
        if path.endswith("/") and place.node is not None and type(place.node) is not Directory:
            raise FileError(NOT_A_DIRECTORY)
        return place

    def node(self, path: str, follow: bool = True) -> Node | None:
        """What stands at ``path``; None if nothing does."""
        try:
            return self.find(path, follow).node
        except FileError:
            return None

    def exists(self, path: str) -> bool:
        return self.node(path) is not None

    def is_dir(self, path: str) -> bool:
        return isinstance(self.node(path), Directory)

    def directory(self, path: str) -> Directory:
        """The directory at ``path``, or FileError."""
        node = self.find(path).node
        if node is None:
            raise FileError(NOT_FOUND)
        if not isinstance(node, Directory):
            raise FileError(NOT_A_DIRECTORY)
        return node

    def list(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        return sorted(self.directory(path).entries)

    # ---- reading and writing

    def read(self, path: str) -> str:
        """A file's text. FileError if there is none."""
        node = self.find(path).node
        if node is None:
            raise FileError(NOT_FOUND)
        if isinstance(node, Directory):
            raise FileError(IS_A_DIRECTORY)
        return node.text if isinstance(node, File) else ""

    def write(self, path: str, text: str, append: bool = False) -> None:
        """Write (or append to) a file, making it if need be."""
        file = self.open(path)
        self.store(file, (file.node.text if append and isinstance(file.node, File) else "") + text)

    def open(self, path: str, truncate: bool = False) -> Place:
        """The place of a file to write to, made empty if it is not there."""
        place = self.find(path, own=True)
        node = place.node
        if isinstance(node, Directory):
            raise FileError(IS_A_DIRECTORY)
        self._check(place)
        if isinstance(node, Executable):
            raise FileError(TEXT_BUSY)
        if node is None:
            if path.endswith("/"):
                raise FileError(IS_A_DIRECTORY)
            self._put(place, File())
        elif truncate and isinstance(node, File):
            self.store(place, "")
        return place

    def store(self, place: Place, text: str) -> None:
        """Give the open file new contents. (A file that was removed meanwhile still takes them, unseen.)"""
        if len(text) > CAPACITY:
            raise FileError(FULL)
        node = place.node
        if isinstance(node, File):
            if node.shared:
                raise FileError(BAD_DESCRIPTOR)  # opened to be read
            node.text = text
            self._changed(place, node)

    def touch(self, path: str) -> None:
        """Make an empty file, or renew a file's time."""
        place = self.find(path, own=True)
        if place.node is None:
            self._put(place, File())
        else:
            self._check(place)
            self._changed(place, place.node)

    def chmod(self, path: str, mode: int) -> None:
        place = self.find(path, own=True)
        if place.node is None:
            raise FileError(NOT_FOUND)
        self._check(place)
        place.node.mode = mode
        self._tell(place.root)

    # ---- names

    def mkdir(self, path: str, parents: bool = False) -> None:
        """Make a directory; with ``parents`` also those above it, and without complaint if it is there."""
        if parents:
            done = ""
            for part in path.split("/"):
                done += "/" + part
                place = self.find(done, own=True)
                if place.node is None:
                    self._put(place, Directory())
                elif not isinstance(place.node, Directory):
                    raise FileError(EXISTS if done == path else NOT_A_DIRECTORY)
            return
        place = self.find(path.rstrip("/") or "/", own=True)
        if place.node is not None:
            raise FileError(EXISTS)
        self._put(place, Directory())

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        place = self.find(path, follow=False, own=True)
        if place.node is not None:
            raise FileError(EXISTS)
        self._put(place, Link(target))

    def remove(self, path: str, recursive: bool = False) -> None:
        """Remove a file, or with ``recursive`` a whole directory."""
        place = self.find(path, follow=False, own=True)
        if place.node is None:
            raise FileError(NOT_FOUND)
        if isinstance(place.node, Directory):
            if not recursive:
                raise FileError(IS_A_DIRECTORY)
            self._free(place.node)
        self._take(place)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        place = self.find(path, follow=False, own=True)
        if place.node is None:
            raise FileError(NOT_FOUND)
        if not isinstance(place.node, Directory):
            raise FileError(NOT_A_DIRECTORY)
        if place.node.watchers is not None:
            raise FileError(BUSY)
        if place.node.entries:
            raise FileError(NOT_EMPTY)
        self._take(place)

    def rename(self, old: str, new: str) -> None:
        """Move a file or directory; an existing file (or empty directory) at ``new`` gives way."""
        source = self.find(old, follow=False, own=True)
        if source.node is None:
            raise FileError(NOT_FOUND)
        target = self.find(new, follow=False, own=True)
        if target.node is source.node:
            return
        moved = source.node
        if isinstance(moved, Directory):
            if moved.watchers is not None:
                raise FileError(BUSY)
            if _holds(moved, target.directory):
                raise FileError(INVALID)
            if target.node is not None and not isinstance(target.node, Directory):
                raise FileError(NOT_A_DIRECTORY)
        if isinstance(target.node, Directory):
            if not isinstance(moved, Directory):
                raise FileError(IS_A_DIRECTORY)
            if target.node.entries:
                raise FileError(NOT_EMPTY)
        mtime = moved.mtime
        self._take(source)
        self._put(target, moved)
        moved.mtime = mtime

    # ---- volumes

    def close(self, directory: Directory) -> None:
        """From now on nothing may be changed in a volume, or in the whole tree but its volumes and devices."""
        self._closed.append(directory)
        if directory is self.root:
            for path in ("/dev", "/proc"):
                self.directory(path).watch(lambda: None)  # file systems of their own

    def _check(self, place: Place) -> None:
        """FileError if nothing may be changed there."""
        if self._closed and place.root in self._closed and place.node not in self._files:
            raise FileError(READ_ONLY)

    def mount(self, path: str, node: Node, changed: Callable[[], None]) -> None:
        """Hang a volume (or a single file of one) into the tree; ``changed`` is called when it changes."""
        parent = path.rstrip("/").rpartition("/")[0]
        if parent:
            self.mkdir(parent, parents=True)
        place = self.find(path.rstrip("/") or "/", follow=False, own=True)
        if isinstance(node, Directory):
            node.watch(changed)
            self._mounts.append((node, path))
        else:
            self._files.append(node)
        place.directory.entries[place.name] = node

    def unmount(self, changed: Callable[[], None]) -> None:
        """Stop listening to all volumes."""
        for directory, _ in self._mounts:
            directory.unwatch(changed)

    # ---- telling

    def _put(self, place: Place, node: Node) -> None:
        if place.name == "":
            raise FileError(EXISTS)
        self._check(place)
        place.directory.entries[place.name] = node
        place.node = node
        node.mtime = place.directory.mtime = self._unix()
        self._tell(place.root)

    def _take(self, place: Place) -> None:
        if place.name == "" or (isinstance(place.node, Directory) and place.node.watchers is not None):
            raise FileError(BUSY)
        self._check(place)
        del place.directory.entries[place.name]
        place.directory.mtime = self._unix()
        self._tell(place.root)

    def _free(self, directory: Directory) -> None:
        """FileError if a volume is mounted in it."""
        if directory.watchers is not None:
            raise FileError(BUSY)
        for entry in directory.entries.values():
            if isinstance(entry, Directory):
                self._free(entry)

    def _changed(self, place: Place, node: Node) -> None:
        node.mtime = self._unix()
        self._tell(place.root)

    @staticmethod
    def _tell(root: Directory) -> None:
        for watcher in tuple(root.watchers or ()):
            watcher()


def used(directory: Directory) -> int:
    """Bytes of the files in a tree that are its own: not those of its image, nor those of volumes in it."""
    total = 0
    for entry in () if directory._entries is None else directory._entries.values():  # noqa: SLF001 - nobody has looked
        if entry.shared:
            continue
        if isinstance(entry, File):
            total += entry.size
        elif isinstance(entry, Directory) and entry.watchers is None:
            total += used(entry)
    return total


def join(base: str, path: str) -> str:
    """``path`` seen from directory ``base``."""
    if path.startswith("/"):
        return path
    return f"{base.rstrip('/')}/{path}"


def normal(path: str) -> str:
    """An absolute path without ``.``, ``..`` and doubled slashes."""
    out: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if out:
                out.pop()
        elif part and part != ".":
            out.append(part)
    return "/" + "/".join(out)


def tree(files: Mapping[str, Node | str], directories: Iterable[str] = ()) -> Directory:
    """A new tree with these files (by absolute path) and empty directories."""
    fs = Filesystem(Directory())
    for path in directories:
        fs.mkdir(path, parents=True)
    for path, node in files.items():
        parent, _, name = path.rpartition("/")
        if parent:
            fs.mkdir(parent, parents=True)
        fs.directory(parent or "/").entries[name] = File(node) if isinstance(node, str) else node
    return fs.root


def _holds(directory: Directory, wanted: Directory) -> bool:
    if directory is wanted:
        return True
    return any(isinstance(entry, Directory) and _holds(entry, wanted) for entry in directory.entries.values())
