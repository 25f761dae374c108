"""The clock: whole microseconds, a time of day, timers that can be called off."""

from __future__ import annotations

import simpy
from hypothesis import given
from hypothesis import strategies as st

from selfheal.clock import EPOCH, SECOND, Clock, micros, parse_rfc3339, rfc3339


def test_a_clock_stands_at_the_time_it_was_run_to_even_if_nothing_happened() -> None:
    clock = Clock()
    clock.run(90 * SECOND)
    assert (clock.now, clock.seconds, clock.peek(), clock.steps) == (90 * SECOND, 90.0, None, 0)


def test_what_is_due_at_the_end_still_happens() -> None:
    clock, seen = Clock(), []
    clock.at(SECOND, lambda: seen.append(clock.now))
    clock.at(SECOND + 1, lambda: seen.append(clock.now))
    clock.run(SECOND)
    assert seen == [SECOND]
    assert clock.peek() == SECOND + 1


def test_a_condition_stops_the_run_at_the_event_that_made_it_true() -> None:
    clock, seen = Clock(), []
    for n in range(5):
        clock.at(n * SECOND, lambda n=n: seen.append(n))
    clock.run(10 * SECOND, stop=lambda: len(seen) == 3)
    assert clock.now == 2 * SECOND


def test_things_of_one_moment_happen_in_the_order_in_which_they_were_asked_for() -> None:
    clock, seen = Clock(), []
    for n in range(20):
        clock.at(SECOND, lambda n=n: seen.append(n))
    clock.run(SECOND)
    assert seen == list(range(20))


def test_a_timer_that_was_called_off_does_nothing() -> None:
    clock, seen = Clock(), []
    timer = clock.after(SECOND, lambda: seen.append(1))
    assert timer.when == SECOND
    timer.cancel()
    timer.cancel()
    clock.run(2 * SECOND)
    assert not seen


def test_a_timer_may_be_called_off_after_it_has_fired() -> None:
    clock = Clock()
    timer = clock.after(0, lambda: None)
    clock.run(0)
    timer.cancel()


def test_what_should_have_happened_already_happens_now() -> None:
    clock, seen = Clock(), []
    clock.run(5 * SECOND)
    clock.at(SECOND, lambda: seen.append(clock.now))
    clock.run(5 * SECOND)
    assert seen == [5 * SECOND]


def test_a_process_sleeps_in_whole_microseconds() -> None:
    clock, seen = Clock(), []

    def walk():  # type: ignore[no-untyped-def]
        for _ in range(10):
            yield clock.sleep(micros(0.1))
        seen.append(clock.now)

    clock.process(walk())
    clock.run(SECOND)
    assert seen == [SECOND]  # ten floats of 0.1 would be 0.9999999999999999


def test_the_time_of_day_is_truncated_as_kubernetes_truncates_it() -> None:
    clock = Clock(second=40, phase=250_000)
    clock.run(1_700_000)
    assert clock.timestamp() == "2026-01-01T08:00:41Z"
    assert clock.micro_timestamp() == "2026-01-01T08:00:41.950000Z"
    assert clock.unix_seconds() == EPOCH // SECOND + 41
    assert clock.timestamp(2 * SECOND) == "2026-01-01T08:00:42Z"
    assert clock.at_timestamp("2026-01-01T08:00:40Z") == -250_000


def test_a_clock_may_begin_before_second_0() -> None:
    clock = Clock(start=-5 * SECOND)
    assert clock.now == -5 * SECOND
    clock.run(0)
    assert clock.now == 0


@given(st.integers(0, 4_000_000_000))
def test_stamps_can_be_read_back(seconds: int) -> None:
    assert parse_rfc3339(rfc3339(seconds)) == seconds * SECOND


def test_stamps_with_a_fraction_and_a_zone() -> None:
    assert parse_rfc3339("1970-01-01T00:00:01.000002Z") == SECOND + 2
    assert parse_rfc3339("1970-01-01T01:00:00+01:00") == 0


def test_bare_events_are_simpys() -> None:
    clock = Clock()
    event = clock.event()
    assert isinstance(event, simpy.Event)
    event.succeed("x")
    clock.step()
    assert event.value == "x"
    assert clock.steps == 1
