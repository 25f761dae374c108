"""The appendix of corrections: each is run, each names its line, and what it prints bears out what it says."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from selfheal.cli import main
from tests.book import notebooks
from tests.book.notebooks import cells, prose, rows, source
from tests.book.test_claims import numbers

PAGE = "where-the-usual-story-differs.ipynb"
FOLDER = Path(__file__).parents[2] / "labs" / "manifests" / "story"
PROSE = prose(PAGE)


def output(page: str, cell: str) -> str:
    """What a cell printed; a picture's words come after that."""
    return notebooks.output(page, cell).partition("\nTimeline of ")[0].rstrip()


def sections() -> list[str]:
    return re.split(r"^## (?=\d+\. )", PROSE, flags=re.MULTILINE)[1:]


def test_there_are_at_least_twelve_each_with_claim_source_truth_and_line() -> None:
    corrections = sections()[:-1]
    assert len(corrections) >= 12
    for text in corrections:
        assert "**Told:**" in text
        assert "**True:**" in text
        assert "**Line:**" in text


def test_each_scenario_is_run_and_each_file_is_used() -> None:
    code = "\n".join(source(cell) for cell in cells(PAGE, "code"))
    used = set(re.findall(r'(?:story|pauses)\("([\w-]+)"', code))
    manifests = {path.stem for path in FOLDER.glob("*.yaml") if not re.search(r"-do$|-2$", path.stem)}
    assert used == manifests


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_scenario_uses_images_that_any_cluster_can_pull(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"image: (\S+)", text)) <= {
        "busybox:1.36",
        "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
    }


def test_the_command_of_the_page_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(FOLDER / "delays.yaml"), "--until", "60", "--quiet"]) == 0
    leaving = [str(FOLDER / "leaving.yaml"), "--do", str(FOLDER / "leaving-do.yaml")]
    assert main(["run", *leaving, "--until", "40", "--quiet"]) == 0
    assert "labs/manifests/story/delays.yaml --until 60 --on kubectl" in PROSE


def test_delays_and_first_probes() -> None:
    assert 20 <= numbers(output(PAGE, "delays-run"))[0] < 22.5, "and not 35"
    first, times = numbers(output(PAGE, "first-probe-run"))
    assert 20 <= first < 21
    assert times == 4


def test_failures_and_kills() -> None:
    count, kill = numbers(output(PAGE, "threshold-run"))
    assert count == 3
    assert 15 <= kill < 16
    assert re.search(r"unready +0/1 +Running +0 ", output(PAGE, "unready-run"))
    assert re.search(r"missing-command +1/1 +Running +0 ", output(PAGE, "missing-command-run"))


@pytest.mark.parametrize("cell", ["first-restart-run", "clean-exit-run"])
def test_after_an_end_only_the_first_restart_is_free(cell: str) -> None:
    pauses = numbers(output(PAGE, cell))
    assert pauses[0] < 2
    assert 10 <= pauses[1] <= 17
    assert 20 <= pauses[2] <= 32


def test_after_kills_four_are_free() -> None:
    pauses = numbers(output(PAGE, "kills-run").splitlines()[0])
    assert max(pauses[:4]) < 2
    assert 40 <= pauses[4] <= 62


def test_who_waits_is_running_and_who_has_failed_is_not_started_again() -> None:
    told, real = output(PAGE, "phase-run").split("a real cluster:")
    assert re.search(r"failed +0/1 +Error +0 ", told)
    assert re.search(r"looping +0/1 +CrashLoopBackOff +2 ", told)
    assert "looping: Failed" not in told
    assert "looping: Running | waiting CrashLoopBackOff" in told
    assert told.rstrip().endswith("failed: Failed | terminated Error")
    assert "crash: Running | waiting CrashLoopBackOff" in real
    assert "Failed" not in real


def test_endpoints_of_the_unready_and_of_the_leaving() -> None:
    told, real = output(PAGE, "slice-run").split("a real cluster:")
    assert re.findall(r"(\w+: \d listed, \d ready)", told) == [
        "slice: 1 listed, 0 ready",
        "slice: 1 listed, 1 ready",
        "anyway: 1 listed, 1 ready",
        "anyway: 1 listed, 1 ready",
    ]
    counts = [numbers(line) for line in real.strip().splitlines()]
    assert {listed for _, listed, _ in counts} == {2}
    assert {ready for *_, ready in counts} == {0, 1, 2}
    leaving = output(PAGE, "leaving-run")
    assert "Ready is True" in leaving
    assert "{'ready': False, 'serving': True, 'terminating': True}" in leaving


def test_what_controllers_do_and_do_not() -> None:
    assert re.search(r"replaced-\w+ +0/1 +Running +0 ", output(PAGE, "replaced-run"))
    assert "2 creations in an hour" in output(PAGE, "replaced-run")
    assert "Progressing False ProgressDeadlineExceeded" in output(PAGE, "no-way-back-run")
    soon, late = (numbers(line)[0] for line in output(PAGE, "two-run").splitlines())
    assert soon < 1
    assert 20 <= late < 22
    assert "allowed: 0 | healthy: 2" in output(PAGE, "budget-run")
    assert "deleted" in output(PAGE, "budget-run")
    table, _, last = output(PAGE, "job-run").partition("the first that differs")
    waits = [numbers(line) for line in table.splitlines()[1:]]
    assert [round(seen, -1) for _, seen, _ in waits] == [10, 20, 40, 80, 160, 320, 600, 600]
    assert [abs(seen - told) < 2 for _, seen, told in waits] == 6 * [True] + 2 * [False]
    assert numbers(last) == [21]


def test_redirects() -> None:
    same, missing, other, nine, ten = output(PAGE, "redirects-run").splitlines()
    assert nine == "nine-in-a-row | 0 kills | no warning"
    assert numbers(ten)[0] > 0
    assert same == "same-host | 0 kills | no warning"
    assert numbers(missing.replace("404", ""))[0] > 0
    assert other == "other-host | 0 kills | warned"


def test_a_startup_probe_is_made_each_second_until_it_succeeds() -> None:
    when, what = output(PAGE, "startup-run").splitlines()
    times = numbers(when)
    assert all(0.8 < b - a < 1.2 for a, b in pairwise(times))
    assert what == f"{len(times) - 1} failures, then success"
    assert len(times) > 15


def test_the_bug_of_1_36_is_named_run_and_told_to_be_fixed() -> None:
    first, off, *_ = output(PAGE, "bug-run").splitlines()
    assert "'started': True, 'ready': True" in first
    assert "'started': False" in off
    assert 0 < numbers(off)[0] - numbers(first)[0] <= 20.5
    (text,) = [part for part in sections() if "A bug of 1.36" in part]
    assert "#141155" in text
    assert "**fixed later**" in text


def test_every_belief_stands_in_the_table() -> None:
    from selfheal.rules import BELIEFS

    table = output(PAGE, "beliefs")
    assert len(rows(table)) == len(BELIEFS)
    assert len(BELIEFS) >= 12


def test_the_page_is_plain() -> None:
    book = json.loads((FOLDER.parents[2] / "book" / PAGE).read_text("utf-8"))
    for cell in book["cells"]:
        for one in cell.get("outputs", ()):
            assert one["output_type"] != "error"
            assert not re.search(r"/(home|root|Users)/|0x[0-9a-f]{6}", str(one))
