"""Ages (staging/src/k8s.io/apimachinery/pkg/util/duration) and times of day."""

from __future__ import annotations

import pytest

from selfheal.printers import duration

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR + MINUTE, "8h"),
        (48 * HOUR - 1, "47h"),
        (48 * HOUR, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR + DAY, "8y"),
    ],
)
def test_the_longer_ago_the_coarser(seconds: int, shown: str) -> None:
    assert duration.human(seconds) == shown


def test_an_age_is_cut_to_whole_seconds_towards_zero() -> None:
    stamp = "1970-01-01T00:01:40Z"
    assert duration.since(stamp, 102.999) == "2s"
    assert duration.since(stamp, 99.5) == "0s"
    assert duration.since(stamp, 98.5) == "0s"
    assert duration.since(stamp, 98.0) == "<invalid>"
    assert duration.since("1970-01-01T00:01:40.600000Z", 102.5) == "1s"


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 5, {}])
def test_no_time_is_an_unknown_age(stamp: object) -> None:
    assert duration.since(stamp, 5) == "<unknown>"
    assert duration.rfc1123(stamp) == "Mon, 01 Jan 0001 00:00:00 +0000"
    assert duration.between(stamp, stamp) == ""


def test_times_of_day_are_in_english() -> None:
    assert duration.rfc1123("2026-11-03T09:32:57Z") == "Tue, 03 Nov 2026 09:32:57 +0000"
    assert duration.rfc1123("2026-11-03T09:32:57.9+01:00") == "Tue, 03 Nov 2026 08:32:57 +0000"
