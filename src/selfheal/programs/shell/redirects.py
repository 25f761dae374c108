"""Redirections: which files a command reads and writes."""

from __future__ import annotations

from selfheal.programs.filesystem import NOT_FOUND
from selfheal.programs.process import Process
from selfheal.programs.streams import Stream


class RedirectProblem(Exception):
    """A file cannot be opened; the message is the shell's."""


class Overlay:
    """The open files of a process while some of them are redirected."""

    __slots__ = ("_held", "_old", "_p", "fds")

    def __init__(self, process: Process) -> None:
        self._p = process
        self._old = process.fds
        self._held: list[Stream] = []
        self.fds = process.fds.copy()

    def set(self, fd: int, stream: Stream) -> None:
        stream.retain()
        self._held.append(stream)
        self.fds[fd] = stream

    def keep(self) -> None:
        """``exec >file``: for good."""
        for stream in self.fds.values():
            stream.retain()
        for stream in self._old.values():
            stream.release()
        self._p.fds = self.fds
        self.release()

    def release(self) -> None:
        for stream in self._held:
            stream.release()

    def __enter__(self) -> None:
        self._p.fds = self.fds

    def __exit__(self, *_: object) -> None:
        if self._p.fds is self.fds:
            self._p.fds = self._old
        self.release()


def open_problem(path: str, mode: str, error: str) -> str:
    """busybox's own words (shell/ash.c open_redirect)."""
    missing = error == NOT_FOUND
    if mode == "r":
        return f"can't open {path}: {'no such file' if missing else error}"
    return f"can't create {path}: {'nonexistent directory' if missing else error}"
