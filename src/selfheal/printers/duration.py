"""Ages and times of day, as kubectl writes them.

``now`` is Unix time in seconds, with or without a fraction: kubectl compares whole-second time
stamps with a clock that runs on between the seconds, and so do we.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from selfheal.clock import SECOND, parse_rfc3339

ZERO_TIME = "Mon, 01 Jan 0001 00:00:00 +0000"
"""How Go writes a time that was never set."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def human(seconds: int) -> str:
    """A span of whole seconds, coarser as it grows: ``90s``, ``2m5s``, ``11m``, ``3h``, ``2d1h``.

    (staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go HumanDuration)
    """
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * 60:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def unix(timestamp: Any) -> int | None:
    """Unix time in µs of an RFC 3339 stamp; None for anything else."""
    if not isinstance(timestamp, str):
        return None
    try:
        return parse_rfc3339(timestamp)
    except ValueError:
        return None


def between(start: Any, end: Any) -> str:
    """The span between two stamps; empty if one is missing."""
    first, last = unix(start), unix(end)
    return "" if first is None or last is None else human(_whole(last - first))


def since(timestamp: Any, now: float) -> str:
    """The age of a stamp at Unix time ``now``, or ``<unknown>`` (printers.go translateTimestampSince)."""
    then = unix(timestamp)
    return "<unknown>" if then is None else human(_whole(round(now * SECOND) - then))


def _whole(micros: int) -> int:
    """Whole seconds, cut towards zero."""
    return micros // SECOND if micros >= 0 else -(-micros // SECOND)


def rfc1123(timestamp: Any) -> str:
    """``Mon, 23 Nov 2026 09:32:57 +0000`` (Go's RFC1123Z), in English and UTC whatever the machine's."""
    then = unix(timestamp)
    if then is None:
        return ZERO_TIME
    t = datetime.fromtimestamp(then // SECOND, UTC)
    return f"{_DAYS[t.weekday()]}, {t.day:02d} {_MONTHS[t.month - 1]} {t.year:04d} {t:%H:%M:%S} +0000"
