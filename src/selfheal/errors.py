"""What the API server answers when it refuses something.

The texts are Kubernetes' own (staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go),
so that what a reader sees here is what they will search for one day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong in an object: ``spec.containers[0].name: Required value``."""

    field: str
    reason: str
    """FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueNotSupported, FieldValueDuplicate …"""
    message: str
    """The text after the field."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ApiError(Exception):
    """A refusal by the API server. ``str()`` of it is the message that kubectl prints."""

    code = 500
    reason = "InternalError"

    def __init__(self, message: str, causes: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.causes = causes

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it (IPython): one line, since the reader's input is to blame and not our code."""
        return [f"{type(self).__name__}: {self}"]


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    code, reason = 404, "NotFound"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    code, reason = 409, "Conflict"


class Gone(ApiError):
    code, reason = 410, "Expired"


class Invalid(ApiError):
    code, reason = 422, "Invalid"


class Unavailable(ApiError):
    """No answer at all. ``wait(call)`` calls ``call()`` once there is one again."""

    code, reason = 503, "ServiceUnavailable"

    def __init__(self, message: str, wait: Callable[[Callable[[], object]], object]) -> None:
        super().__init__(message)
        self.wait = wait


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"
