"""Cluster time beside real time: the same order, and inputs that begin at the moment they come."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.clock import SECOND, Clock, RealTime
from tests.conformance.pods import container, http, pod


class Jumping(selectors.SelectSelector):
    """Where an event loop would sleep, time jumps."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.now += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop in which no time passes but what is waited for."""

    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


def play(clock: Clock, until: float, *inputs: tuple[float, Callable[[], object]], speed: float = 1.0) -> None:
    """Drive a clock until ``until`` (real seconds), with inputs at set real times."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = runner.get_loop()
        driver = RealTime(clock, speed, monotonic=loop.time)

        async def person() -> None:
            began = loop.time()
            for at, call in inputs:
                await asyncio.sleep(began + at - loop.time())
                driver.call(call)
            await asyncio.sleep(began + until - loop.time())
            driver.stop()

        async def both() -> None:
            await asyncio.gather(driver.run(), person())

        runner.run(both())


def test_an_input_between_two_events_starts_a_timer_of_five_seconds_that_fires_five_seconds_later() -> None:
    clock, fired = Clock(), []
    for second in (0, 10, 20):
        clock.at(second * SECOND, lambda: fired.append(("tick", clock.now)))

    def touch() -> None:
        clock.after(5 * SECOND, lambda: fired.append(("timer", clock.now)))

    play(clock, 12, (3.2, touch))
    assert fired == [("tick", 0), ("timer", 8_200_000), ("tick", 10 * SECOND)]


def test_an_input_wakes_a_driver_that_waits_for_nothing_at_all() -> None:
    clock, fired = Clock(), []
    play(clock, 9, (2.5, lambda: clock.after(5 * SECOND, lambda: fired.append(round(clock.seconds, 3)))))
    assert fired == [7.5]


def test_an_input_sees_all_that_was_due_before_it() -> None:
    clock, seen = Clock(), []
    clock.at(SECOND, lambda: seen.append("event"))
    play(clock, 4, (2, lambda: seen.append("input")))
    assert seen == ["event", "input"]


@pytest.mark.parametrize("speed", [1, 30])
def test_real_time_gives_the_timeline_of_simulated_time(speed: float) -> None:
    app = container(
        image="selfheal/patient",
        ports=[{"containerPort": 8080}],
        livenessProbe=http("/healthz", 8080, period=5, F=2),
        readinessProbe=http("/readyz", 8080, period=3, F=1),
    )
    switches = ((12.3, "healthz"), (47.125, "readyz"))

    def begin() -> Cluster:
        cluster = Cluster(seed=3)
        cluster.apply([pod(app, terminationGracePeriodSeconds=5)])
        return cluster

    simulated, real = begin(), begin()
    for at, what in switches:
        simulated.run(until=at)
        simulated.http("pod", f"/switch?{what}=500", method="POST")
    simulated.run(until=90)

    def switch(what: str) -> Callable[[], object]:
        return lambda: real.http("pod", f"/switch?{what}=500", method="POST")

    play(real.clock, 90 / speed, *[(at / speed, switch(what)) for at, what in switches], speed=speed)
    real.run(until=90)
    drop = {"t", "id"}  # an input of real time comes to the microsecond, not to the decimal
    assert [{k: v for k, v in r.items() if k not in drop} for r in real.timeline] == [
        {k: v for k, v in r.items() if k not in drop} for r in simulated.timeline
    ]
    assert all(abs(a["t"] - b["t"]) <= 0.002 for a, b in zip(real.timeline, simulated.timeline, strict=True))


def test_what_an_input_raises_reaches_the_caller_and_the_driver_goes_on() -> None:
    clock, fired = Clock(), []
    driver = RealTime(clock, monotonic=lambda: 0.0)
    clock.at(0, lambda: fired.append(1))
    with pytest.raises(ZeroDivisionError):
        driver.call(lambda: 1 / 0)
    assert fired == [1]


def test_a_component_that_fails_is_told_of_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    clock, fired = Clock(), []
    clock.at(1 * SECOND, lambda: 1 / 0)
    clock.at(2 * SECOND, lambda: fired.append(clock.seconds))
    play(clock, 3)
    assert fired == [2]
    assert "ZeroDivisionError" in caplog.text


def test_faster_time_shortens_the_waiting() -> None:
    clock, fired = Clock(), []
    for minute in (9, 10, 11):
        clock.at(minute * 60 * SECOND, lambda: fired.append(clock.seconds))
    play(clock, 10.5, speed=60)
    assert fired == [540, 600]


@pytest.mark.parametrize("speed", [-1, math.nan, math.inf])
def test_time_only_goes_forward(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must not be less than 0"):
        RealTime(Clock(), speed)


def test_the_machines_own_clock_drives_it_too() -> None:
    """A tenth of a second of real time is ten seconds of cluster time."""
    clock, fired = Clock(), []
    clock.at(5 * SECOND, lambda: fired.append(clock.seconds))

    async def main() -> None:
        driver = RealTime(clock, speed=100)
        task = asyncio.create_task(driver.run())
        await asyncio.sleep(0.1)
        driver.stop()
        await task

    asyncio.run(main())
    assert fired == [5]


class TestHold:
    def test_no_time_passes_but_what_the_clock_is_run(self) -> None:
        real = 0.0
        clock = Clock()
        driver = RealTime(clock, speed=10, monotonic=lambda: real)
        real = 1.0
        with driver.hold():
            assert clock.now == 10 * SECOND
            real = 5.0
            assert driver.cluster_now() == 10 * SECOND
            clock.run(12 * SECOND)
        assert driver.cluster_now() == 12 * SECOND
        real = 6.0
        driver.catch_up()
        assert clock.now == 22 * SECOND


class TestTooMuchToDo:
    def test_time_goes_slower_than_asked_for_instead_of_never_giving_way(self) -> None:
        ticks = 0.0

        def monotonic() -> float:
            nonlocal ticks
            ticks += 0.001
            return ticks

        clock = Clock()

        def again() -> None:
            clock.after(1, again)

        again()
        driver = RealTime(clock, speed=1000, monotonic=monotonic)
        ticks = 1.0
        assert not driver.catch_up(0.02)
        assert clock.now < 1000
        assert driver.cluster_now() < clock.now + 10 * SECOND
