"""Schedules of CronJobs: five fields, read as robfig/cron's ``ParseStandard`` does."""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: i + 1 for i, name in enumerate(_MONTHS)}),
    (0, 6, {name: i for i, name in enumerate(_DAYS)}),
)
"""Minute, hour, day of the month, month, day of the week: lowest, highest, words."""
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def problem(schedule: str) -> str | None:
    """What is wrong with a schedule; None if it is fine."""
    if schedule.startswith("@"):
        if schedule in NICKNAMES or re.fullmatch(r"@every ([0-9.]+(ns|us|µs|ms|s|m|h))+", schedule):
            return None
        return f"unrecognized descriptor: {schedule}"
    if "TZ=" in schedule:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    parts = schedule.split()
    if len(parts) != 5:
        return f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    for part, (low, high, words) in zip(parts, FIELDS, strict=True):
        for item in part.split(","):
            wrong = _item_problem(item, low, high, words)
            if wrong:
                return wrong
    return None


def _item_problem(item: str, low: int, high: int, words: dict[str, int]) -> str | None:
    """cron/parser.go getRange"""
    span, slash, step = item.partition("/")
    first, hyphen, last = span.partition("-")
    if "/" in step:
        return f"too many slashes: {item}"
    if "-" in last:
        return f"too many hyphens: {item}"
    numbers = []
    given = [] if first in ("*", "?") and not hyphen else ([first, last] if hyphen else [first])
    for text in given:
        value = words.get(text.lower())
        if value is None:
            if not re.fullmatch("[0-9]{1,9}", text, re.ASCII):
                return f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
            value = int(text)
        numbers.append(value)
    if slash and not re.fullmatch("[0-9]{1,9}", step, re.ASCII):
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    begin, end = (numbers[0], numbers[-1]) if numbers else (low, high)
    if begin < low:
        return f"beginning of range ({begin}) below minimum ({low}): {item}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {item}"
    if begin > end:
        return f"beginning of range ({begin}) beyond end of range ({end}): {item}"
    if slash and int(step) == 0:
        return f"step of range should be a positive number: {item}"
    return None
