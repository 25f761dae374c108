"""What chapter 7 says in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from selfheal.widgets.questions import KNOBS
from tests.book.notebooks import output, prose, rows

PAGE = "07-parameters.ipynb"


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


def test_a_slow_app_is_killed_by_the_default_timeout() -> None:
    assert len(numbers(output(PAGE, "incident").splitlines()[0])) >= 2
    assert "context deadline exceeded" in output(PAGE, "incident")
    assert '"timeoutSeconds": 1' in output(PAGE, "stored")


def test_only_a_timeout_longer_than_the_answer_helps() -> None:
    kills = {row[0]: int(row[1]) for row in rows(output(PAGE, "slow-run"))}
    assert [name for name, count in kills.items() if count == 0] == ["timeoutSeconds: 3"]


def test_the_table_s_defaults_are_those_that_are_stored() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", prose(PAGE), re.MULTILINE))
    assert table == {name: str(value) for name, value in KNOBS.items()}


def test_zero_is_not_said_and_a_long_timeout_is_taken() -> None:
    told = dict(rows(output(PAGE, "refused")))
    assert told["periodSeconds: 0"] == "taken, as 10"
    assert told["timeoutSeconds: 30"] == "taken, as 30"
    assert [text.startswith("refused") for text in told.values()] == [False, True, True, True, True, False]


def test_probes_longer_than_the_period_follow_each_other_at_once() -> None:
    told, killed, *_ = output(PAGE, "long-run").splitlines()
    first, second, third = numbers(told)
    assert 8 <= second - first < 8.1
    assert 8 <= third - second < 8.1
    assert 49 <= numbers(killed)[0] < 50


def test_the_way_back_takes_as_long_as_the_formula_says() -> None:
    for threshold, seen, _ in rows(output(PAGE, "success-run")):
        low, high = numbers(seen)
        assert 5 * (int(threshold) - 1) <= low <= high <= 5 * int(threshold) + 0.2


def test_a_probe_s_own_grace_period_shortens_the_stop() -> None:
    pods, own = (numbers(line)[-1] for line in output(PAGE, "grace-run").splitlines())
    assert 30 <= pods < 31
    assert 5 <= own < 6


def test_best_mean_and_worst_are_what_is_seen() -> None:
    for *_, says, seen in rows(output(PAGE, "formulas-run")):
        for said, found in zip(numbers(says), numbers(seen), strict=True):
            assert abs(said - found) < 0.6


def test_an_outage_has_four_parts_and_the_period_shortens_one() -> None:
    told = [[float(cell) for cell in row[1:]] for row in rows(output(PAGE, "whole-run"))]
    assert all(abs(sum(parts) - whole) < 0.11 for *parts, whole in told)
    assert told[1][0] < told[0][0]
    assert abs(told[1][1] - told[0][1]) < 0.5
    assert told[2][1] < 3
    assert told[0][1] == max(told[0][:3])
