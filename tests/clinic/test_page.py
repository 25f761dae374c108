"""The page on one's own manifests shows what the commands say today, and names what there is."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from selfheal.cli import main
from selfheal.clinic import BATTERY, App
from selfheal.clinic.cases import RACE
from selfheal.clinic.grid import SLOWER, TOLERANCE
from selfheal.clinic.trial import RATE

PAGE = (Path(__file__).parents[2] / "book" / "diagnose.md").read_text("utf-8")
SHOWN = re.findall(r"```console\n\$ (selfheal \w+ storefront\.yaml .*)\n((?:.*\n)+?)```", PAGE)
"""Commands with what they print."""


def rows(head: str) -> list[list[str]]:
    """The body of the table that begins with a head."""
    table = PAGE[PAGE.index(head) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in table]


@pytest.mark.nightly
@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[shlex.split(c)[1] for c, _ in SHOWN])
def test_the_page_shows_what_the_command_prints(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [manifest] = re.findall(r"```yaml\n(apiVersion(?:.*\n)+?)```", PAGE)
    (tmp_path / "storefront.yaml").write_text(manifest, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:]) == (1 if "diagnose" in command else 0)
    assert capsys.readouterr().out == output


def test_both_commands_are_shown() -> None:
    assert [shlex.split(command)[1] for command, _ in SHOWN] == ["diagnose", "sweep"]


def test_the_page_names_the_cases_in_the_order_in_which_they_are_tried() -> None:
    assert [row[0].strip("`") for row in rows("| case | what is done")] == list(BATTERY)
    assert "lets ten things go wrong" in PAGE
    assert "Ten requests a second" in PAGE
    assert "hardly a request is lost (five at most)" in PAGE
    assert (len(BATTERY), RATE, RACE) == (10, 10, 5)


def test_the_page_says_what_is_assumed() -> None:
    table = {row[0].split()[0].strip("`-"): row[2].strip("`") for row in rows("| flag | what it says")}
    assert sorted(table) == sorted(field.name for field in fields(App))
    app = App()
    assert [table[name] for name in ("starts", "slow", "pause", "term")] == ["5", "2", "3", "obey"]
    assert (app.starts, app.slow, app.pause, app.term) == (5, 2, 3, "obey")


def test_the_page_says_what_as_good_means() -> None:
    assert "at most a tenth more requests are lost" in PAGE
    assert "at most a\nfifth longer" in PAGE
    assert (TOLERANCE, SLOWER) == (0.1, 0.2)
