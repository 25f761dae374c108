"""The bank holds the answers that a page must give by itself, small and the same each time."""

from __future__ import annotations

import base64
import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from selfheal.widgets import Monitor, bank
from selfheal.widgets.answers import answer
from selfheal.widgets.questions import (
    Deed,
    Flip,
    agreed_seconds,
    canonical,
    compose,
    flipped,
    language_of,
    preset_of,
    setting_of,
)
from selfheal.words import speaking
from tests.widgets.shop import full, packed, shop, three, ward, well


@pytest.mark.parametrize("shown", [full(), three()], ids=["one pod", "three pods"])
def test_a_bank_keeps_to_its_limits(shown: Monitor) -> None:
    content = packed(canonical(shown.data))
    assert len(content) <= bank.LIMIT
    assert 20 < len(bank.unpack(content)) <= bank.MOST


def test_what_comes_out_is_what_went_in() -> None:
    pairs = list(islice(bank.questions(full().data), 40))
    out = bank.unpack(bank.pack(pairs, {}))
    for question, told in pairs:
        assert json.dumps(out[bank.key(question)]) == json.dumps(told)


def test_stored_answers_are_those_of_the_engine() -> None:
    data = full().data
    out = bank.unpack(packed(canonical(data)))
    for question, _ in islice(bank.questions(data), 0, 60, 20):
        assert out[bank.key(question)] == answer(question)


def test_it_holds_the_presets_each_single_flip_and_off_then_on() -> None:
    data = well().data
    out = bank.unpack(packed(canonical(data)))
    given = setting_of(data)
    assert bank.key(compose(data, given)) in out
    for at in (3, 8, 13, 58):
        for value in ("500", "hang"):
            assert bank.key(compose(data, flipped(given, Flip(at, "healthz", value)))) in out
    for later in (13, 18, 23, 28):
        pair = flipped(given, Flip(8, "healthz", "500"), Flip(later, "healthz", "200"))
        assert bank.key(compose(data, pair)) in out
    other = full().data
    out = bank.unpack(packed(canonical(other)))
    for preset in other["presets"]:
        for belief in (None, "restart-is-instant"):
            assert bank.key(compose(other, preset_of(other, preset), belief)) in out


def test_it_holds_one_use_of_each_fault_at_some_seconds() -> None:
    data = ward().data
    promised = len(list(bank.promised(data)))
    asked = [canonical(question) for question, _ in islice(bank.questions(data), promised + 40)]
    given = setting_of(data)
    start = bank.first_breath(data, answer(compose(data, given)))
    assert 0 < start < 5
    for at in (start, 10, 90):
        assert canonical(compose(data, flipped(given, Deed(at, "kill")))) in asked


def test_nothing_is_switched_while_nobody_is_there() -> None:
    data = shop().data
    told = answer(compose(data, setting_of(data)))
    assert not bank.runs(data, told, 0)
    assert bank.runs(data, told, 20)
    assert bank.stands(data, told, data["switches"][0], 31) == "200"
    assert bank.stands(data, told, data["switches"][0], 40) == "500"


def _books() -> list[Any]:
    notebooks = sorted(Path("book").rglob("*.ipynb"))
    found = {name: (notebook, data) for notebook in notebooks for name, data in bank.monitors(notebook)}
    return [pytest.param(name, data, id=f"{where.stem}-{name}") for name, (where, data) in found.items()]


@pytest.mark.parametrize(("name", "data"), _books())
def test_each_bank_of_the_book_keeps_what_is_promised_within_its_limits(
    banks: Path, name: str, data: dict[str, Any]
) -> None:
    written = (banks / f"{name}.js").read_text()
    content = base64.b64decode(json.loads(written.rpartition("] = ")[2].removesuffix(";\n")))
    answers = bank.unpack(content)
    with speaking(language_of(data)):
        promised = {bank.key(question) for question in bank.promised(data)}
    print(f"{len(answers)} answers, {len(promised)} of them promised, {len(content) / 1000:.1f} kB")
    assert promised <= set(answers)
    assert len(answers) <= bank.MOST
    assert len(gzip.compress(written.encode())) <= 60_000


def test_a_bank_carries_the_seconds_at_which_its_switches_turn() -> None:
    for data in (well().data, three().data):
        turns = json.loads(gzip.decompress(packed(canonical(data))))["ticks"]
        asked = [canonical(question) for question in bank.promised(data)]
        for switch in data["switches"]:
            assert turns[switch["name"]] == list(agreed_seconds(setting_of(data), switch, data["base"]["until"]))
            last = turns[switch["name"]][-1]
            flip = compose(data, flipped(setting_of(data), Flip(last, switch["name"], "hang")))
            assert canonical(flip) in asked


def test_two_builds_give_the_same_bytes() -> None:
    data = well().data
    assert bank.build(data)[0] == packed(canonical(data))


def test_a_books_banks_are_made_once_and_again_when_out_of_date(tmp_path: Path) -> None:
    shown = well()
    cell = {"cell_type": "code", "outputs": [{"data": {"text/html": shown.html().splitlines(keepends=True)}}]}
    (tmp_path / "chapter.ipynb").write_text(json.dumps({"cells": [cell]}))
    into = tmp_path / "_static" / "banks"
    [(name, count, _size, _seconds)] = bank.write(tmp_path, into)
    assert name == bank.name_of(shown.data)
    assert count > 20
    assert bank.write(tmp_path, into) == []
    made = (into / f"{name}.js").read_text()
    (into / f"{name}.js").write_text(made.replace("// ", "// older ", 1))
    (into / "gone.js").write_text("// nobody asks for this one any more\n")
    assert len(bank.write(tmp_path, into)) == 1
    assert [path.name for path in into.iterdir()] == [f"{name}.js"]
    assert (into / f"{name}.js").read_text() == made
