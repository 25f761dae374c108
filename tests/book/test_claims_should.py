"""What chapter 8 says in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from tests.book.notebooks import output, rows

PAGE = "08-should-you-probe.ipynb"


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


def test_a_process_that_ends_is_back_in_about_a_second_without_any_probe() -> None:
    assert numbers(output(PAGE, "crash-run"))[0] < 2.5
    assert output(PAGE, "no-probe-belief").splitlines() == [
        "as it is: ready is True",
        "no-probe-is-unready: ready is False",
    ]


def test_each_fault_has_the_probes_that_help() -> None:
    told = {row[0]: [numbers(cell) for cell in row[1:]] for row in rows(output(PAGE, "matrix-run"))}
    ends, deadlock = told["its process ends"], told["deadlock"]
    assert all(lost < 20 and serving == 2 for lost, serving in ends)
    none, live, ready, both = deadlock
    assert none[0] > 5 * max(live[0], ready[0], both[0])
    assert [cell[1] for cell in deadlock] == [1, 2, 1, 2]
    busy = [lost for lost, _ in told["busy for a minute"]]
    assert busy[0] == busy[1] > 2 * max(busy[2:])
    away = [lost for lost, _ in told["(all) database away for a minute"]]
    assert max(away) - min(away) < 20


def test_with_one_replica_readiness_saves_nobody() -> None:
    for _, none, ready in rows(output(PAGE, "single-run")):
        assert numbers(ready)[0] >= 0.9 * numbers(none)[0]


def test_of_two_thresholds_on_one_endpoint_liveness_is_the_one_to_raise() -> None:
    told = {(row[0], row[1]): row[2:] for row in rows(output(PAGE, "share-run"))}
    done = {pair for pair, row in told.items() if row[1] != "never"}
    assert done == {("12", "14"), ("3", "14")}
    assert all(int(row[0]) == 0 for pair, row in told.items() if pair in done)
    assert int(told["3", "3"][0]) == int(told["12", "3"][0]) > 2
    assert int(told["12", "14"][2]) > 2 * int(told["3", "14"][2])


def test_the_chosen_numbers_never_kill_needlessly() -> None:
    text = output(PAGE, "choose-check")
    assert text.splitlines()[-1] == "0 kills in 60 pauses"
    grid = rows(output(PAGE, "choose-grid"))
    assert any("0.0 /" in cell for row in grid for cell in row)
    assert any(numbers(cell)[0] > 0 for row in grid for cell in row[1:])


def test_a_sweep_finds_the_pair_that_the_arithmetic_found() -> None:
    computed = re.findall(r"periodSeconds \d+, failureThreshold \d+", output(PAGE, "choose-check"))[0]
    chosen, good, picture = output(PAGE, "sweep-run").splitlines()[:3]
    assert chosen.startswith(f"chosen: {computed}: ")
    assert " 0 needless restarts" in chosen
    assert len(re.findall(r"\(\d+, \d+\)", good)) > 1
    quickest = picture.partition("Quickest: ")[2]
    assert not re.search(r"\b0 needless", quickest)
    heals, noticed = re.findall(r"heals in ([\d.]+)", chosen), numbers(computed)
    assert float(heals[0]) > noticed[0] * noticed[1]


def test_the_startup_budget_saves_each_start_and_costs_a_period_at_most() -> None:
    alone, budget = output(PAGE, "choose-starts").splitlines()
    assert numbers(alone)[0] > 0
    assert numbers(budget)[0] == 0
    (chosen,) = re.findall(r"periodSeconds (\d+)", output(PAGE, "choose-check"))
    assert numbers(budget)[1] <= float(chosen) + 0.1


def test_dear_checks_are_dear() -> None:
    told = rows(output(PAGE, "cost-table"))
    assert numbers(told[0][2])[0] < 3
    assert numbers(told[2][2])[-1] == 4000
