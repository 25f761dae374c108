"""What chapter 6 says in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from tests.book.notebooks import output, prose, rows

PAGE = "06-grpc.ipynb"


def test_a_busy_ledger_is_killed_if_both_probes_ask_the_whole_server() -> None:
    kills = [float(t) for t in re.findall(r"[\d.]+", output(PAGE, "incident").splitlines()[0])]
    assert kills
    assert 33 < kills[0] < 93
    assert 'responded with "NOT_SERVING"' in output(PAGE, "incident")
    assert output(PAGE, "names-run").startswith("0 kills")


def test_the_bytes_are_those_that_the_text_explains() -> None:
    told = {row[0]: row[1] for row in rows(output(PAGE, "messages-table"))}
    assert told["Check, the whole server"] == told["UNKNOWN"] == "00 00 00 00 00"
    assert told["SERVING"].endswith("08 01")
    assert told["NOT_SERVING"].endswith("08 02")
    assert told["Check “liveness”"].split()[5:7] == ["0a", "08"]
    assert len(told["SERVING"].split()) == 7
    assert "seven bytes" in prose(PAGE)


def test_check_and_watch_differ_about_a_name_that_nobody_knows() -> None:
    assert "Check 'typo'               NOT_FOUND: unknown service" in output(PAGE, "implement-check")
    told = [line.rpartition(": ")[2] for line in output(PAGE, "implement-watch-run").splitlines()]
    assert told == ["SERVICE_UNKNOWN", "…", "SERVING", "NOT_SERVING"]


def test_only_serving_passes_and_what_cannot_be_reached_costs_the_timeout() -> None:
    told = rows(output(PAGE, "answers-run"))
    assert [row[1] for row in told] == ["success"] + ["failure"] * 5
    assert [row[2] for row in told] == ["at once"] * 3 + ["the whole timeout"] * 3
    assert output(PAGE, "belief-run").startswith("1 kill, 0 as believed")


def test_a_port_by_name_is_refused() -> None:
    assert "port" in output(PAGE, "limits-port")
