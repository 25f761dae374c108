"""When is it time? Schedules in cron syntax: ``*/5 8-18 * * mon-fri``, ``@hourly``, ``@every 90m``.

Times are whole seconds of Unix time. Follows github.com/robfig/cron/v3 (parser.go, spec.go, constantdelay.go), which
Kubernetes uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from selfheal.manifests.cron import FIELDS, NICKNAMES, problem

YEARS = 5
"""A schedule without a match in so many years has none."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class BadSchedule(ValueError):
    """A schedule that says nothing."""


@dataclass(frozen=True, slots=True)
class Field:
    """The values of one of the five fields."""

    values: frozenset[int]
    every: bool
    """Whether it is ``*``, and so says nothing."""


class Schedule:
    """The moments at which a CronJob is due."""

    def next(self, after: int) -> int | None:
        """The first one later than ``after``; None if there is none."""
        raise NotImplementedError


class Every(Schedule):
    """``@every 90m``: always so long after the last."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, int(seconds))

    def next(self, after: int) -> int | None:
        return after + self.seconds


class Calendar(Schedule):
    """Five fields, in a time zone."""

    def __init__(self, minute: Field, hour: Field, day: Field, month: Field, weekday: Field, zone: tzinfo) -> None:
        self._minute = minute
        self._hour = hour
        self._day = day
        self._month = month
        self._weekday = weekday
        self._zone = zone

    def next(self, after: int) -> int | None:
        """From the largest unit to the smallest: what does not match is left behind whole."""
        at = after + 1
        last = self._local(after).year + YEARS
        while True:
            local = self._local(at)
            if local.year > last:
                return None
            if local.month not in self._month.values:
                month = local.year * 12 + local.month
                at = self._unix(datetime(month // 12, month % 12 + 1, 1, tzinfo=self._zone))
            elif not self._day_matches(local):
                tomorrow = local.date() + timedelta(days=1)
                at = self._unix(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self._zone))
            elif local.hour not in self._hour.values:
                at += 3600 - local.minute * 60 - local.second
            elif local.minute not in self._minute.values or local.second:
                at += 60 - local.second
            else:
                return at

    def _day_matches(self, local: datetime) -> bool:
        """Where both the day and the weekday are given, one of them is enough."""
        day = local.day in self._day.values
        weekday = local.isoweekday() % 7 in self._weekday.values
        return day and weekday if self._day.every or self._weekday.every else day or weekday

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, self._zone)

    def _unix(self, local: datetime) -> int:
        return int(local.timestamp())


def parse(text: str, zone: str | None = None) -> Schedule:
    """A schedule. Raises BadSchedule, or UnknownZone for a time zone that nobody knows."""
    wrong = problem(text)
    if wrong is not None:
        raise BadSchedule(wrong)
    if text.startswith("@every "):
        parts = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text.removeprefix("@every "))
        return Every(sum(float(number) * _UNITS[unit] for number, unit in parts))
    fields = (_field(part, *bounds) for part, bounds in zip(NICKNAMES.get(text, text).split(), FIELDS, strict=True))
    minute, hour, day, month, weekday = fields
    return Calendar(minute, hour, day, month, weekday, UTC if zone is None else time_zone(zone))


class UnknownZone(ValueError):
    """A time zone that nobody knows."""


def time_zone(called: str) -> tzinfo:
    """A time zone by name. Raises UnknownZone."""
    if called == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # slow to import, and few schedules name a zone

    try:
        return ZoneInfo(called)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"unknown time zone {called}") from error


def _field(text: str, low: int, high: int, words: dict[str, int]) -> Field:
    values: set[int] = set()
    every = False
    for item in text.split(","):
        span, slash, step = item.partition("/")
        first, hyphen, last = span.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
            every = every or step in ("", "1")
        else:
            begin = _value(first, words)
            # 5/10 is every tenth from the fifth on.
            end = _value(last, words) if hyphen else high if slash else begin
        values.update(range(begin, end + 1, int(step or 1)))
    return Field(frozenset(values), every)


def _value(text: str, words: dict[str, int]) -> int:
    word = words.get(text.lower())
    return int(text) if word is None else word


# ---- which time is due


def most_recent(schedule: Schedule, earliest: int, now: int) -> tuple[int | None, int]:
    """(the last time after ``earliest`` that has come, how many have); raises BadSchedule.

    The number is an estimate from the distance of the first two (mostRecentScheduleTime).
    """
    first = schedule.next(earliest)
    second = schedule.next(first) if first is not None else None
    if first is None or second is None:
        raise BadSchedule("time difference between two schedules is less than 1 second")
    if now < first:
        return None, 0
    if now < second:
        return first, 1
    apart = second - first
    missed = (now - first) // apart + 1
    found = None
    at = schedule.next(first + (missed - 2) * apart)
    while at is not None and at <= now:
        found = at
        at = schedule.next(at)
    return found, missed
