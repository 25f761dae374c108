"""What a process reads from and writes to: log, files, pipes, nothing at all.

Writing never waits. Reading may: it is a generator (``text = yield from stream.read()``), since a
pipe can be empty while somebody still holds its other end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from selfheal.programs.filesystem import File, FileError, Filesystem, Place

if TYPE_CHECKING:
    from selfheal.programs.process import Process

Waiting = Generator[Any, Any, str]


class BrokenPipe(Exception):
    """Written to a pipe that nobody will read from."""


class Gate:
    """Something to wait for that happens inside one container: it costs the clock nothing.

    ``yield gate`` waits until :meth:`open`. A gate may be opened again and again.
    """

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: list[Process] = []

    def open(self, value: Any = None) -> None:
        """Let all who wait go on."""
        waiters, self.waiters = self.waiters, []
        for process in waiters:
            process.released(self, value)


class Stream:
    """An open file of a process; this one is ``/dev/null``."""

    def write(self, text: str) -> None:
        """Take ``text``. BrokenPipe or FileError if that is impossible."""
        del text

    def read(self, limit: int | None = None) -> Waiting:
        """All there is until the end, or at most ``limit`` characters; ``''`` at the end."""
        del limit
        yield from ()
        return ""

    def readline(self) -> Waiting:
        """The next line with its newline; ``''`` at the end."""
        yield from ()
        return ""

    @property
    def endless(self) -> bool:
        """Whether reading it to the end would never end (``/dev/zero``)."""
        return False

    def retain(self) -> None:
        """One more process holds this stream."""

    def release(self) -> None:
        """One process fewer holds this stream."""


class Sink(Stream):
    """Passes on each whole line, and at the end what is left, of which ``unfinished()`` is told first."""

    def __init__(self, line: Callable[[str], None], unfinished: Callable[[], None] = lambda: None) -> None:
        self._line = line
        self._unfinished = unfinished
        self._rest = ""

    def write(self, text: str) -> None:
        if text.endswith("\n") and not self._rest and text.count("\n") == 1:
            self._line(text[:-1])
            return
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)

    def flush(self) -> None:
        """No more will come."""
        if self._rest:
            rest, self._rest = self._rest, ""
            self._unfinished()
            self._line(rest)


class Capture(Stream):
    """Keeps what is written, up to ``limit`` characters; ``hold`` is told how much that would be without a limit.

    ``left()`` is called when the last process that held it has let it go.
    """

    def __init__(
        self, limit: int = 1 << 24, hold: Callable[[int], None] | None = None, left: Callable[[], None] | None = None
    ) -> None:
        self._parts: list[str] = []
        self._left = limit
        self._hold = hold
        self._size = 0
        self._on_left = left
        self.holders = 0

    def retain(self) -> None:
        self.holders += 1

    def release(self) -> None:
        self.holders -= 1
        if self.holders == 0 and self._on_left is not None:
            self._on_left()

    def write(self, text: str) -> None:
        self._size += len(text)
        if self._hold is not None:
            self._hold(self._size)
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)


class Text(Stream):
    """Reads a given text: a here-document, the body of a request."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self, limit: int | None = None) -> Waiting:
        end = len(self._text) if limit is None else self._at + limit
        out = self._text[self._at : end]
        self._at += len(out)
        yield from ()
        return out

    def readline(self) -> Waiting:
        end = self._text.find("\n", self._at) + 1 or len(self._text)
        out = self._text[self._at : end]
        self._at = end
        yield from ()
        return out


class OpenFile(Stream):
    """A file of the file system, with a position of its own."""

    def __init__(self, fs: Filesystem, place: Place, append: bool = False) -> None:
        self._fs = fs
        self._place = place
        self._append = append
        self._at = 0

    def _text(self) -> str:
        return self._place.node.text if isinstance(self._place.node, File) else ""

    def write(self, text: str) -> None:
        old = self._text()
        at = len(old) if self._append else self._at
        if at >= len(old):
            new = old.ljust(at, "\0") + text
        else:
            new = old[:at] + text + old[at + len(text) :]
        self._fs.store(self._place, new)
        self._at = at + len(text)

    def read(self, limit: int | None = None) -> Waiting:
        text = self._text()
        end = len(text) if limit is None else self._at + limit
        out = text[self._at : end]
        self._at += len(out)
        yield from ()
        return out

    def readline(self) -> Waiting:
        text = self._text()
        end = text.find("\n", self._at) + 1 or len(text)
        out = text[self._at : end]
        self._at = max(self._at, end)
        yield from ()
        return out


class Endless(Stream):
    """``/dev/zero``, ``/dev/urandom``: as much as one wants."""

    def __init__(self, make: Callable[[int], str]) -> None:
        self._make = make

    def read(self, limit: int | None = None) -> Waiting:
        yield from ()
        return self._make(1 << 16 if limit is None else limit)

    def readline(self) -> Waiting:
        yield from ()
        return self._make(1 << 16)

    @property
    def endless(self) -> bool:
        return True


class Full(Stream):
    """``/dev/full``: takes nothing."""

    def write(self, text: str) -> None:
        del text
        raise FileError("No space left on device")


class Pipe:
    """Two streams: what is written to :attr:`inlet` can be read from :attr:`outlet`."""

    def __init__(self) -> None:
        self.text = ""
        self.writers = 0
        self.readers = 0
        self.fed = Gate()
        """Opened when something was written, or the last writer is gone."""
        self.drained = Gate()
        """Opened when something was read, or the last reader is gone."""
        self.inlet = Inlet(self)
        self.outlet = Outlet(self)

    @property
    def crowded(self) -> bool:
        """Whether a real pipe would be full by now (64 KiB)."""
        return len(self.text) >= 1 << 16 and self.readers > 0


class Inlet(Stream):
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def write(self, text: str) -> None:
        if self.pipe.readers == 0:
            raise BrokenPipe
        self.pipe.text += text
        self.pipe.fed.open()

    def retain(self) -> None:
        self.pipe.writers += 1

    def release(self) -> None:
        self.pipe.writers -= 1
        if self.pipe.writers == 0:
            self.pipe.fed.open()


class Outlet(Stream):
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def read(self, limit: int | None = None) -> Waiting:
        pipe = self.pipe
        while pipe.writers > 0 and (limit is None or not pipe.text):
            if limit is None and pipe.crowded:
                break
            yield pipe.fed
        out = pipe.text if limit is None else pipe.text[:limit]
        pipe.text = pipe.text[len(out) :]
        pipe.drained.open()
        return out

    def readline(self) -> Waiting:
        pipe = self.pipe
        while (end := pipe.text.find("\n") + 1) == 0 and pipe.writers > 0:
            yield pipe.fed
        out = pipe.text[: end or len(pipe.text)]
        pipe.text = pipe.text[len(out) :]
        pipe.drained.open()
        return out

    def retain(self) -> None:
        self.pipe.readers += 1

    def release(self) -> None:
        self.pipe.readers -= 1
        if self.pipe.readers == 0:
            self.pipe.drained.open()


class Keyboard(Outlet):
    """What somebody types: a shell that reads from it takes line by line, and asks for the next with a prompt."""

    def __init__(self, pipe: Pipe, show: Callable[[str], object] = lambda _: None) -> None:
        super().__init__(pipe)
        self._show = show

    def prompt(self, text: str) -> None:
        """Ask for a line, unless one has been typed already."""
        if "\n" not in self.pipe.text:
            self._show(text)


NULL = Stream()
