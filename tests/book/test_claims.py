"""What the chapters say in words holds for the numbers that stand beside the words.

The numbers are taken from the notebooks' stored outputs, and those are held to what the package computes by
``pytest --nbval``.
"""

from __future__ import annotations

import re
from pathlib import Path

from selfheal.kubelet.backoff import INITIAL, MAXIMUM
from selfheal.lessons.arithmetic import free_restarts, kills_of_a_hopeless_probe, verdict_after
from selfheal.lessons.silo import silo
from tests.book.notebooks import output, prose, rows

ONE, TWO, THREE = "01-is-it-alive.ipynb", "02-liveness.ipynb", "03-readiness.ipynb"


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


# -- chapter 1


def test_a_deadlock_is_not_noticed_and_costs_each_request() -> None:
    assert re.search(r"shop\s+1/1\s+Running\s+0 ", output(ONE, "minute-later"))
    sent, lost, restarts = numbers(output(ONE, "lost"))
    assert restarts == 0
    assert 300 <= lost <= 302  # a minute of 5 requests a second, and what came before the endpoint was known
    assert sent == 450
    assert re.search(r"^ *1 .*patient", output(ONE, "process"), re.MULTILINE)


def test_a_crash_is_repaired_within_about_a_second() -> None:
    assert numbers(output(ONE, "crash"))[1] < 2


def test_the_silos_show_what_the_list_below_them_says() -> None:
    missed, alarm, forgiven, found = silo((11, 19)), silo((28, 32), threshold=1), silo((28, 32)), silo((23, 60))
    assert not any(s.sick for s in missed.samples)
    assert alarm.samples[-1].verdict
    assert not any(s.verdict for s in forgiven.samples)
    assert found.samples[-1].t - 23 == 27
    for said in ("8 s of sickness", "a hiccup of 4 s", "27 s after it began"):
        assert said in prose(ONE)


def test_what_the_formula_promises_is_what_forty_runs_show() -> None:
    earliest, latest, mean = numbers(output(ONE, "arithmetic-run"))[:3]
    window = verdict_after(10, 3)
    assert window.first <= earliest < window.first + 1
    assert window.last - 1 < latest <= window.last + 0.1
    assert abs(mean - window.mean) < 0.5
    assert "the defaults 20 … 30 s" in prose(ONE)


def test_the_liar_kills_nobody_and_the_gossip_everybody_in_one_second() -> None:
    assert output(ONE, "liar").startswith("0 kills")
    kills = [float(t) for t in re.findall(r"killed at (\S+) s", output(ONE, "gossip"))]
    assert len(kills) == 3
    assert max(kills) - min(kills) < 1


# -- chapter 2


def test_three_restarts_in_a_hundred_seconds_and_a_log_of_one_line() -> None:
    assert output(TWO, "incident").strip() == "listening on port 8080", "it gives no time away before it is predicted"
    shown, _, events = output(TWO, "log-and-describe").partition("── kubectl describe")
    assert re.search(r"shop\s+1/1\s+Running\s+3 ", shown)
    assert "(x3 over 70s)" in events
    assert "Liveness probe failed: HTTP probe failed with statuscode: 404" in events
    assert "Container shop failed liveness probe, will be restarted" in events
    assert output(TWO, "ask-both") == "/health 404\n/healthz 200"


def test_the_kills_come_at_the_predicted_seconds_and_a_third_of_a_second_later() -> None:
    told = rows(output(TWO, "formula-seen"))
    assert [float(row[1]) for row in told] == kills_of_a_hopeless_probe(10, 3, 3) == [30, 60, 90]
    assert all(0.3 <= float(row[3].removesuffix(" s")) < 0.5 for row in told)


def test_the_container_is_new_and_the_pod_is_not() -> None:
    told = {row[0]: row[-1] for row in rows(output(TWO, "same-pod-compare"))}
    assert told == {"pod's uid": "same", "pod's address": "same", "container's id": "new", "restartCount": "new"}


def test_who_does_not_listen_is_waited_for_as_long_as_the_grace_period() -> None:
    assert all(30 <= float(row[3]) < 31 for row in rows(output(TWO, "grace-run")))


def test_four_restarts_are_free_the_fifth_waits_the_sixth_is_free_again() -> None:
    pauses = [float(row[3]) for row in rows(output(TWO, "backoff-run"))]
    assert [pause < 1 for pause in pauses] == [True, True, True, True, False, True]
    assert 40 <= pauses[4] <= 40 * 1.5 + 2
    assert free_restarts(30) == 4
    assert "CrashLoopBackOff" in output(TWO, "backoff-pods")
    assert "phase: Running" in output(TWO, "backoff-pods")
    free, held = numbers(output(TWO, "backoff-sixth"))[2:]
    assert free > 0 < held, "the sixth is a matter of chance, as the text says"
    assert free + held == 20


def test_after_a_crash_only_the_first_restart_is_free() -> None:
    pauses = [float(row[1].removesuffix(" s")) for row in rows(output(TWO, "backoff-crash-run"))]
    assert pauses[0] < 2
    for pause, wait in zip(pauses[1:], (10, 20, 40), strict=True):
        assert wait <= pause <= 1.5 * wait + 2


def test_the_constants_in_the_prose_are_those_of_the_package() -> None:
    waits, wait = [], INITIAL
    while wait < MAXIMUM:
        waits.append(wait // 1_000_000)
        wait = min(2 * wait, MAXIMUM)
    assert waits == [10, 20, 40, 80, 160]
    assert f"{', '.join(map(str, waits))} and then {MAXIMUM // 1_000_000} s" in prose(TWO)


# -- chapter 3


def test_without_a_readiness_probe_a_minute_of_work_costs_half_the_requests() -> None:
    lost = numbers(output(THREE, "ledger"))[0]
    assert 0.4 * 600 < lost < 0.6 * 600
    assert numbers(output(THREE, "with-readiness"))[0] <= 10
    assert "the last instance left work unfinished: 60 s to do" in output(THREE, "log-after")


def test_an_unready_pod_stays_in_its_slice() -> None:
    text = output(THREE, "slice")
    assert "ledger-a {'ready': False, 'serving': False, 'terminating': False}" in text
    assert "ledger-b {'ready': True, 'serving': True, 'terminating': False}" in text


def test_ten_unready_minutes_kill_nobody() -> None:
    text = output(THREE, "unready-run")
    assert text.startswith("0 kills")
    assert re.search(r"ledger-a\s+0/1\s+Running\s+0 ", text)


def test_the_advice_changes_nothing_about_the_kill_and_costs_requests() -> None:
    told = {row[0]: row[1:] for row in rows(output(THREE, "advice-run"))}
    was, advice = told["as it was"], told["the advice: readiness threshold 12"]
    assert was[:3] == advice[:3]
    assert int(was[0]) > 1
    assert was[2] == "never"
    for cure in ("liveness threshold 8", "liveness asks /healthz"):
        assert told[cure][0] == "0"
        assert told[cure][2] != "never"
    assert told["liveness threshold 8"][3] == "70 … 80 s"
    assert "only after 70 … 80 s" in prose(THREE)
    assert told["liveness asks /healthz"][3] == was[3]
    three, twelve = (int(line.split()[-3]) for line in output(THREE, "advice-cost").splitlines())
    assert twelve > 3 * three


# -- the landing page


def test_the_recordings_that_the_landing_page_counts_are_there() -> None:
    folder = Path(__file__).parents[1] / "recordings"
    recorded = [path for path in folder.iterdir() if (path / "timeline.jsonl").exists()]
    assert len(recorded) == 44
    assert "Forty-four such recordings" in prose("index.ipynb")


def test_the_real_cluster_lies_within_a_second_of_the_simulated_runs() -> None:
    told = rows(output("index.ipynb", "witness-table"))
    assert len(told) == 6
    for _, first, second, span in told:
        low, high = numbers(span)
        assert low - 1 <= float(first) <= high + 1
        assert low - 1 <= float(second) <= high + 1
        assert high - low < 2
