"""What goes wrong in a lab, told in one line with the way out."""

from __future__ import annotations

from selfheal.errors import ApiError


class LabError(ApiError):
    """A lab cannot go on."""


class Unsafe(LabError):
    """The cluster is none that a lab may touch. Nothing was sent to it."""


class Refused(LabError):
    """The API server said no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.status = code


class Unreachable(LabError):
    """The API server does not answer."""
