"""The figures of time: what they draw is what the simulator does, and the page draws what the package draws."""

from __future__ import annotations

import math
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.lessons.arithmetic import START, first_probe_after, never_seen, taken_for_a_fault
from selfheal.lessons.silo import samples
from selfheal.lessons.timing import KNOBS, MODELS, calculator, first_probe, sampler, script, svg, words

POD = """
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [--start, "LOADS"]
    livenessProbe: {httpGet: {path: /healthz, port: 8080}, NUMBERS}
"""
STARTUP = "    startupProbe: {httpGet: {path: /healthz, port: 8080}, failureThreshold: 100, periodSeconds: SECONDS}\n"


def shop(seed: int, loads: float = 0, startup: int = 0, **numbers: int) -> Cluster:
    text = POD.replace("LOADS", f"{loads:g}").replace("NUMBERS", ", ".join(f"{k}: {v}" for k, v in numbers.items()))
    cluster = Cluster(seed=seed)
    cluster.apply(text + STARTUP.replace("SECONDS", str(startup)) * bool(startup))
    return cluster


def first_answer(cluster: Cluster) -> float:
    asked = cluster.timeline.select(kind="Probe", probe="liveness")
    return float(next(r["t"] for r in asked if r["result"] != "skipped"))


def started(cluster: Cluster) -> tuple[float, float, float]:
    """(second at which the workers were made, the container's start after it, the part of its second)"""
    arrived = cluster.timeline.select(kind="Probe")[0]["t"]
    event = cluster.timeline.select(kind="Event", reason="Started")[0]["t"]
    running = cluster.get("pod", "shop")["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    fraction = event - cluster.clock.at_timestamp(running) / 1_000_000
    return arrived, event - arrived, fraction


@pytest.mark.parametrize(("delay", "period"), [(0, 10), (3, 10), (8, 10), (10, 10), (12, 10), (15, 5), (1, 1), (30, 7)])
def test_the_first_probe_comes_when_the_figure_and_the_formula_say(delay: int, period: int) -> None:
    window = first_probe_after(delay, period)
    for seed in range(25):
        cluster = shop(seed, initialDelaySeconds=delay, periodSeconds=period)
        cluster.run(until=delay + 2 * period + 5)
        arrived, starts, fraction = started(cluster)
        seen = first_answer(cluster) - arrived
        assert window.first - 0.1 <= seen - starts <= window.last + 0.1
        if abs((fraction - starts) % 1) < 0.03 or abs((fraction - starts) % 1) > 0.97:
            continue  # the knife's edge itself: some milliseconds decide
        drawn = MODELS["first"](
            {
                "delay": delay,
                "period": period,
                "starts": starts,
                "fraction": fraction,
                "loads": 0,
                "startup": 0,
            }
        )
        assert drawn.lanes[-1].flags[0][0] == pytest.approx(seen, abs=0.1)


@pytest.mark.parametrize(("loads", "startup", "delay"), [(20, 5, 0), (33, 9, 15), (7, 3, 30)])
def test_the_figure_knows_the_gate_of_a_startup_probe(loads: int, startup: int, delay: int) -> None:
    for seed in range(10):
        cluster = shop(seed, loads, startup, initialDelaySeconds=delay, periodSeconds=10)
        cluster.run(until=loads + startup + delay + 25)
        arrived, starts, fraction = started(cluster)
        given = {"delay": delay, "period": 10, "starts": starts, "fraction": fraction}
        drawn = MODELS["first"]({**given, "loads": loads, "startup": startup}).lanes[-1].flags[0][0]
        seen = first_answer(cluster) - arrived
        assert seen == pytest.approx(drawn, abs=0.1)


def test_a_container_starts_as_late_as_the_formula_takes_it_to() -> None:
    for seed in range(40):
        cluster = shop(seed, periodSeconds=10)
        cluster.run(until=5)
        assert START.first - 0.05 <= started(cluster)[1] <= START.last + 0.15


def test_two_seconds_below_a_multiple_of_the_period_there_is_no_knife_s_edge() -> None:
    for period in (5, 10, 30):
        window = first_probe_after(2 * period - 2, period)
        assert window.last - window.first <= math.ceil((START.last - START.first) * 10) / 10 + 0.2
        assert first_probe_after(2 * period, period).last - window.last >= period - 2


@pytest.mark.parametrize(
    ("period", "threshold", "timeout", "hangs"), [(10, 3, 1, False), (10, 3, 4, True), (5, 3, 8, True)]
)
def test_a_fault_is_noticed_when_the_calculator_says(period: int, threshold: int, timeout: int, hangs: bool) -> None:
    for n in range(6):
        fault = n * period / 6 + 0.5
        cluster = shop(n, periodSeconds=period, failureThreshold=threshold, timeoutSeconds=timeout)
        cluster.run(until=2)
        arrived = started(cluster)[0]
        moment = arrived + 2 * period + fault
        cluster.run(until=moment)
        cluster.http("shop", f"/switch?healthz={'hang' if hangs else 500}", method="POST")
        cluster.run(for_=threshold * max(period, timeout) + period + timeout + 5)
        drawn = calculator(period, threshold, timeout, fault=fault, hangs=hangs).figure.lanes[1].flags[0][1]
        said = float(drawn.removesuffix(" s"))
        assert cluster.timeline.kills("shop")[0] - moment == pytest.approx(said, abs=0.2)


def test_the_sampler_sees_what_the_silo_sees() -> None:
    for begins, lasts in [(11, 8), (28, 4), (23, 37), (12, 13)]:
        marks = sampler(begins, lasts).figure.lanes[1].marks
        silo = samples([(begins, begins + lasts)], until=max(60, begins + lasts + 20))
        assert [(t, kind == "fail") for t, kind in marks] == [(s.t, s.sick) for s in silo]


@pytest.mark.parametrize("lasts", [3, 8, 15, 25, 40])
def test_the_chances_are_those_of_all_beginnings(lasts: int) -> None:
    every = [samples([(begins / 10, begins / 10 + lasts)], until=200) for begins in range(1001, 1101)]
    blind = sum(not any(s.sick for s in seen) for seen in every) / len(every)
    found = sum(seen[-1].verdict for seen in every) / len(every)
    assert never_seen(lasts, 10) == pytest.approx(blind, abs=0.011)
    assert taken_for_a_fault(lasts, 10, 3) == pytest.approx(found, abs=0.011)


def test_a_figure_says_in_words_what_it_shows() -> None:
    assert "Best 20 s, mean 25 s, worst 30 s" in repr(calculator())
    assert "knife's edge" in repr(first_probe(10, 10))
    assert "knife's edge" not in repr(first_probe(8, 10))
    assert "no probe saw it, no verdict" in repr(sampler(11, 8))
    for figure in (calculator(), first_probe(), sampler()):
        text = figure._repr_html_()
        assert 'role="img" aria-label="' in text
        assert "<form" not in text, "what is stored works without a script"


def test_what_cannot_be_drawn_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="period is a number from 1 to 60, not 0"):
        calculator(period=0)


def test_every_knob_has_its_words() -> None:
    assert set(words()["labels"]) == set(KNOBS)


def test_a_figure_stores_the_words_that_it_shows_and_no_others() -> None:
    text = calculator()._repr_html_()
    assert words()["calculator"]["slow"] in text
    assert words()["labels"]["fault"] in text
    others = [words()["first"]["title"], words()["sampler"]["title"], words()["labels"]["loads"]]
    assert [told for told in others if told in text] == []


@pytest.mark.browser
def test_the_page_draws_what_the_package_draws(browser: Any) -> None:
    tab = browser.new_page()
    tab.goto("about:blank")
    tab.add_script_tag(content=script())
    shown = [
        first_probe(12, 10),
        first_probe(10, 10, starts=0.5, fraction=0.7),
        first_probe(5, 10, loads=40, startup=7),
        first_probe(120, 1, loads=3),
        calculator(),
        calculator(5, 3, 8, hangs=True, fault=2.5),
        calculator(1, 1, fault=0),
        sampler(),
        sampler(11, 8),
        sampler(7, 60, period=1, threshold=10),
    ]
    for one in shown:
        for width in (320, 640):
            drawn = tab.evaluate(
                """([kind, values, words, name, width]) => {
                    const {models, svg} = globalThis.selfhealTiming;
                    return svg(models[kind](values, words), name, width);
                }""",
                [one.kind, dict(one.values), one.words, one.name, width],
            )
            assert drawn == svg(one.figure, one.name, width)
    tab.close()


@pytest.mark.browser
def test_a_figure_is_moved_by_keyboard_and_scores_a_prediction(browser: Any) -> None:
    for theme, width in (("light", 1000), ("dark", 360)):
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
        wrong: list[str] = []
        tab.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
        tab.set_content(f"<!doctype html><body>{first_probe(12, 10)._repr_html_()}{calculator()._repr_html_()}</body>")
        tab.add_script_tag(content=script())
        first, second = tab.locator(".selfheal-timing").all()
        assert not first.locator(".drawing").is_visible(), "first the reader predicts"
        first.locator("input[name=mine]").focus()
        for _ in range(4):
            tab.keyboard.press("ArrowRight")
        first.get_by_role("button").press("Enter")
        assert "You said 2 s: 18 s off." in first.locator(".says").inner_text()
        assert "comes at 20 s" in first.locator(".says").inner_text()
        second.locator("input[name=period]").focus()
        tab.keyboard.press("ArrowLeft")
        assert "Best 18 s, mean 22.5 s, worst 27 s" in second.locator(".says").inner_text()
        second.locator("input[name=hangs]").press("Space")
        assert "Best 19 s, mean 23.5 s, worst 28 s" in second.locator(".says").inner_text()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert wrong == []
        tab.close()
