"""The chapters' small tools, held to the simulator itself."""

from __future__ import annotations

import re

import pytest

from selfheal import Cluster
from selfheal.lessons import beside, events, quiz, silo, silos, table
from selfheal.lessons.arithmetic import forgives, free_restarts, kills_of_a_hopeless_probe, verdict_after
from selfheal.lessons.silo import samples

POD = """
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    livenessProbe: {httpGet: {path: PATH, port: 8080}, periodSeconds: PERIOD, failureThreshold: THRESHOLD}
"""


def cluster_with(period: int, threshold: int, seed: int = 0, path: str = "/healthz") -> Cluster:
    cluster = Cluster(seed=seed)
    text = POD.replace("PATH", path).replace("PERIOD", str(period)).replace("THRESHOLD", str(threshold))
    cluster.apply(text)
    return cluster


@pytest.mark.parametrize(("period", "threshold"), [(10, 3), (5, 1), (1, 4), (7, 2)])
@pytest.mark.parametrize("answer", ["500", "hang"])
def test_the_formula_holds_for_faults_at_any_moment(period: int, threshold: int, answer: str) -> None:
    window = verdict_after(period, threshold, 1 if answer == "hang" else 0)
    for n in range(8):
        moment = 2 * period + 1 + n * period / 8
        cluster = cluster_with(period, threshold, seed=n)
        cluster.run(until=moment)
        cluster.http("shop", f"/switch?healthz={answer}", method="POST")
        cluster.run(for_=window.last + 1)
        after = cluster.timeline.kills("shop")[0] - moment
        assert window.first <= after <= window.last + 0.2


@pytest.mark.parametrize(("period", "threshold"), [(10, 3), (5, 2), (2, 6)])
def test_what_is_forgiven_is_forgiven_whenever_it_begins(period: int, threshold: int) -> None:
    for n in range(8):
        cluster = cluster_with(period, threshold, seed=n)
        cluster.run(until=2 * period + 1 + n * period / 8)
        cluster.http("shop", "/switch?healthz=500", method="POST")
        cluster.run(for_=forgives(period, threshold) - 0.1)
        cluster.http("shop", "/switch?healthz=200", method="POST")
        cluster.run(for_=3 * period)
        assert cluster.timeline.kills("shop") == []


@pytest.mark.parametrize(("period", "threshold", "count"), [(10, 3, 5), (5, 2, 3), (20, 3, 5)])
def test_a_hopeless_probe_kills_when_the_formula_says(period: int, threshold: int, count: int) -> None:
    cluster = cluster_with(period, threshold, path="/nowhere")
    predicted = kills_of_a_hopeless_probe(period, threshold, count)
    cluster.run(until=predicted[-1] + 5)
    for seen, said in zip(cluster.timeline.kills("shop"), predicted, strict=True):
        assert 0.3 <= seen - said < 1


@pytest.mark.parametrize(("period", "threshold"), [(3, 2), (6, 2), (10, 3), (15, 3), (30, 3)])
def test_as_many_restarts_are_free_as_the_formula_counts(period: int, threshold: int) -> None:
    free = free_restarts(period * threshold)
    assert free is not None
    cluster = cluster_with(period, threshold, path="/nowhere")
    cluster.run(until=period * threshold * (free + 1) + 5)
    pairs = zip(cluster.timeline.kills("shop"), cluster.timeline.restarts("shop"), strict=False)
    assert sum(restart - kill < 2 for kill, restart in pairs) == free


@pytest.mark.parametrize(("life", "free"), [(5, 2), (10, 3), (19, 3), (20, 4), (40, 5), (80, 6), (160, 7), (300, None)])
def test_free_restarts_grow_with_the_length_of_a_life(life: float, free: int | None) -> None:
    assert free_restarts(life) == free


@pytest.mark.parametrize("sick", [((11, 19),), ((28, 32),), ((23, 60),), ((12, 25), (38, 44))])
@pytest.mark.parametrize(("period", "threshold"), [(10, 3), (5, 2), (10, 1)])
def test_a_silo_shows_what_a_probe_in_the_simulator_sees(
    sick: tuple[tuple[float, float], ...], period: int, threshold: int
) -> None:
    cluster = cluster_with(period, threshold)
    for begin, end in sick:
        cluster.run(until=begin + 0.4)  # a pod's ticks come a third of a second after its creation
        cluster.http("shop", "/switch?healthz=500", method="POST")
        cluster.run(until=min(end, 60) + 0.4)
        if cluster.timeline.kills("shop"):
            break
        cluster.http("shop", "/switch?healthz=200", method="POST")
    cluster.run(until=60.9)
    told: list[bool] = []
    for record in cluster.timeline.select(kind="Probe", result="success") + cluster.timeline.select(
        kind="Probe", result="failure"
    ):
        told += [record["result"] == "failure"] * record["times"]
    expected = samples(sick, period=period, threshold=threshold)
    before_verdict = [s.sick for s in expected]
    assert sum(before_verdict) == sum(told) or expected[-1].verdict
    kills = cluster.timeline.kills("shop")
    assert bool(kills) == expected[-1].verdict
    if kills:
        assert kills[0] == pytest.approx(expected[-1].t, abs=0.6)


def test_a_silo_says_what_it_shows() -> None:
    assert "0 bad samples: nobody knows" in repr(silo((11, 19)))
    assert "no verdict, it takes 3 in a row" in repr(silo((28, 32)))
    assert "verdict 27 s after it began" in repr(silo((23, 60)))


def test_a_silo_refuses_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="from an earlier to a later second"):
        silo((20, 10))
    with pytest.raises(ValueError, match="above 0"):
        silo((1, 2), period=0)


def test_silos_on_one_page_share_no_names() -> None:
    text = silos(silo((11, 19)), silo((28, 32)))._repr_html_()
    names = re.findall(r'id="([^"]+)"', text)
    assert len(names) == len(set(names)) == 2
    assert text == silos(silo((11, 19)), silo((28, 32)))._repr_html_()


def test_a_quiz_needs_no_script_and_can_be_opened_by_keyboard() -> None:
    text = quiz("alive")._repr_html_()
    assert "<script" not in text
    assert "onclick" not in text
    assert text.count("<details") == text.count("<summary") == 9
    assert text.count("✓ Yes.") == 3


def test_a_question_in_a_terminal_does_not_give_the_answer_away() -> None:
    assert "✓" not in repr(quiz("alive"))


def test_a_table_shows_the_same_in_html_and_in_a_terminal() -> None:
    made = table(["", "a"], [["first", 1.25], ["second", 30.0]], caption="c")
    assert str(made) == "c\n         a\nfirst    1.2\nsecond   30"
    assert "<caption>c</caption>" in made._repr_html_()
    assert "<td></td>" in made._repr_html_()


def test_the_events_of_describe_become_a_table() -> None:
    cluster = cluster_with(5, 1, path="/nowhere")
    cluster.run(until=12)
    told = events(cluster.describe("pod/shop"))
    reasons = [row[0] for row in told.rows]
    assert "Unhealthy" in reasons
    assert "Killing" in reasons
    assert all(row[3] for row in told.rows)
    both = beside(("left", "a < b"), ("right", told))
    assert "a &lt; b" in both._repr_html_()
    assert "── left ──" in repr(both)
