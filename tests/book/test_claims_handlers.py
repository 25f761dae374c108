"""What chapter 5 says in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from selfheal.lessons.cost import measure
from tests.book.notebooks import output, prose, rows

PAGE = "05-handlers.ipynb"


def test_only_http_notices_the_deadlock() -> None:
    told = dict(re.findall(r"^(shop-\w+)\s+1/1\s+Running\s+(\d)", output(PAGE, "minute-later"), re.MULTILINE))
    assert told == {"shop-exec": "0", "shop-http": "1", "shop-tcp": "0"}


def test_the_statuses_fall_into_the_three_groups_of_the_list() -> None:
    told = {row[0]: row[1] for row in rows(output(PAGE, "statuses"))}
    assert told.pop("hang") == "failure"
    for status, result in told.items():
        expected = "success" if int(status) < 300 else "warning" if int(status) < 400 else "failure"
        assert result == expected
    assert {"204", "304", "429"} <= set(told)
    assert "200 <= answer.status < 300" in output(PAGE, "http-source")


def test_a_redirect_is_followed_at_home_nine_times_and_nowhere_else() -> None:
    results = {row[0]: row[1] for row in rows(output(PAGE, "redirects-run"))}
    assert list(results.values()) == ["success", "failure", "warning", "success", "failure"]
    assert results["itself, nine times"] == "success"
    assert "stopped after 10 redirects" in output(PAGE, "redirects-run")
    assert "nine redirects in a row are followed, and with the tenth it gives up" in prose(PAGE)


def test_an_open_port_is_content_with_500() -> None:
    assert output(PAGE, "tcp-run").startswith("0 kills")


def test_a_missing_command_is_an_error_and_through_a_shell_a_failure() -> None:
    told = [row[1] for row in rows(output(PAGE, "exec-run"))]
    assert told == ["success", "unknown", "failure", "failure", "failure", "failure"]
    assert "18 probes could not be run, 0 kills" in output(PAGE, "errors-explain")
    believed = float(re.findall(r"killed at ([\d.]+)", output(PAGE, "errors-belief"))[0])
    assert believed < 33, "an app that is well"


def test_an_unknown_port_name_is_an_error_and_tls_asked_of_a_plain_port_a_failure() -> None:
    told = {row[0]: row[1:] for row in rows(output(PAGE, "fields-run"))}
    assert [row[0] for row in told.values()] == ["success", "unknown", "failure", "failure"]
    assert 'parsing "wbe": invalid syntax' in told["port: wbe"][1]


def test_an_exec_probe_takes_some_five_times_as_long_as_a_request() -> None:
    (_, *http), (_, *command) = rows(output(PAGE, "cost-table"))
    assert float(command[1].removesuffix(" ms")) > 4 * float(http[1].removesuffix(" ms"))


def test_a_process_costs_more_than_a_request_on_the_machine_at_hand() -> None:
    cost = measure()
    assert cost is not None
    assert cost.ratio > 1
