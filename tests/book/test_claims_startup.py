"""What chapter 4 says in words holds for the numbers that stand beside the words."""

from __future__ import annotations

from selfheal.lessons.arithmetic import first_probe_after
from tests.book.notebooks import output, prose, rows

PAGE = "04-startup.ipynb"


def seconds(text: str) -> list[float]:
    return [float(word) for word in text.split() if word.replace(".", "").isdigit()]


def test_a_loading_app_is_killed_each_half_minute_and_its_log_says_nothing() -> None:
    kills = seconds(output(PAGE, "incident").splitlines()[0])
    assert [round(t / 30) for t in kills] == [1, 2, 3, 4]
    log = output(PAGE, "incident-log").partition("── kubectl describe")[0]
    assert log.strip().splitlines()[1:] == ["loading for 90 s"]


def test_a_delay_of_a_minute_kills_it_about_a_second_before_it_is_up() -> None:
    up, first, *_ = seconds(output(PAGE, "delay-run").partition("Timeline")[0])
    assert 0 < up - first < 2


def test_a_delay_long_enough_for_the_slow_day_is_blind_on_the_quick_one() -> None:
    told = rows(output(PAGE, "delay-price"))
    assert [int(row[1]) > 0 for row in told] == [True, True, False, False]
    assert [float(row[2]) > 90 for row in told] == [False, False, True, True]
    assert "slow day: 0 kills" in output(PAGE, "both-days")
    assert seconds(output(PAGE, "both-days"))[-1] < 31


def test_the_startup_probe_asks_until_it_succeeds() -> None:
    assert output(PAGE, "startup-count") == "{'startup': 19, 'liveness': 6}"
    assert "skipped 9 times: not started" in output(PAGE, "explain-gate")


def test_a_delay_counts_from_the_start_of_the_container() -> None:
    started, truth, believed = seconds(output(PAGE, "gate-run").partition("Timeline")[0])
    assert 0 < truth - started <= 10
    assert 30 <= believed - started <= 40


def test_what_was_measured_lies_where_the_rule_allows() -> None:
    for delay, period, measured, allowed in rows(output(PAGE, "first-probe-seen")):
        low, high = (float(t) for t in measured.removesuffix(" s").split(" … "))
        window = first_probe_after(float(delay[:-2]), float(period[:-2]))
        assert allowed == str(window)
        assert window.first - 0.1 <= low <= high <= window.last + 0.1
    assert "the row 10, 10" in prose(PAGE)


def test_a_short_delay_shows_with_a_readiness_probe() -> None:
    truth, believed = (seconds(line)[-1] for line in output(PAGE, "short-delay").splitlines())
    assert truth > 3
    assert believed < 1.5


def test_a_release_that_never_starts_is_given_up_at_the_end_of_the_budget() -> None:
    first, *_ = seconds(output(PAGE, "never-run").splitlines()[0])
    assert 120.3 <= first < 120.5
    assert "failed startup probe" in output(PAGE, "never-run")
