"""Ways out of a command, other than its status."""

from __future__ import annotations

INTERRUPTED = object()
"""What a wait gives that a signal has cut short."""


DEATHS = {
    "HUP": "Hangup",
    "QUIT": "Quit",
    "ILL": "Illegal instruction",
    "ABRT": "Aborted",
    "BUS": "Bus error",
    "FPE": "Floating point exception",
    "KILL": "Killed",
    "USR1": "User defined signal 1",
    "SEGV": "Segmentation fault",
    "USR2": "User defined signal 2",
    "ALRM": "Alarm clock",
    "TERM": "Terminated",
}
"""What the shell says of a child that a signal has ended."""


class Break(Exception):
    """``break``, ``continue``: out of so many loops."""

    def __init__(self, levels: int, again: bool) -> None:
        super().__init__(levels, again)
        self.levels = levels
        self.again = again


class Return(Exception):
    """``return`` from a function or a sourced file."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BuiltinProblem(Exception):
    """A builtin cannot do what it is asked; a special builtin ends the shell with it."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
