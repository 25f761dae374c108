"""Each patient is sick as its chart says, and its treatment helps; each cell of the table says what its run did."""

from __future__ import annotations

import re

import pytest

from selfheal.lessons.comparison import PROBES, Comparison, comparison
from selfheal.lessons.ward import ROOMS, Patient, meets, patient, patients, ward
from tests.book.notebooks import output, prose

PAGE = "09-the-ward.ipynb"


def by_key(one: Patient) -> str:
    return one.key


def test_twenty_patients_lie_in_three_rooms() -> None:
    assert len(patients()) == 20
    assert [len(ward(room).patients) for room in ROOMS] == [9, 6, 5]
    assert len({one.key for one in patients()}) == 20
    assert "Twenty patients" in prose(PAGE)


@pytest.mark.parametrize("one", patients(), ids=by_key)
def test_a_patient_is_sick_and_its_treatment_helps(one: Patient) -> None:
    assert meets(one.run().values, one.sick)
    after = one.run(treated=True).values
    assert meets(after, one.cured)
    assert not meets(after, one.sick)


@pytest.mark.parametrize("one", patients(), ids=by_key)
def test_a_patient_has_one_diagnosis_a_source_and_a_rule(one: Patient) -> None:
    assert sum(answer.right for answer in one.question.answers) == 1
    assert len(one.question.answers) >= 3
    assert all(len(answer.reply) > 20 for answer in one.question.answers)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+|.+ https://\S+", one.seen)
    assert re.fullmatch(r"pkg/[\w/]+\.go \w+", one.rule)
    assert not re.search(r"pods? (?:is|are) restarted|restarts? the pod", one.complaint + one.treatment)


def test_the_right_diagnosis_stands_in_different_places() -> None:
    places = {[answer.right for answer in one.question.answers].index(True) for one in patients()}
    assert places == {0, 1, 2}


def test_a_card_works_without_a_script_and_hides_the_treatment() -> None:
    card = patient("deaf")._repr_html_()
    assert "<script" not in card
    assert card.count("<details") == card.count("<summary") == 5
    assert "terminationGracePeriodSeconds" in card
    assert 'href="https://github.com/kubernetes/kubernetes/issues/64715"' in card
    assert "terminationGracePeriodSeconds" not in repr(patient("deaf"))


def test_what_is_expected_is_compared() -> None:
    assert meets({"kills": 3}, {"kills": ">= 3"})
    assert not meets({"kills": 3}, {"kills": "<= 2"})
    assert meets({"kills": 0}, {"kills": "0"})


@pytest.fixture(scope="module")
def compared() -> dict[str, dict[str, str]]:
    """Row → probe → what its run showed."""
    table = comparison()
    assert isinstance(table, Comparison)
    return {what: {p: cell.proof for p, cell in zip(PROBES, cells, strict=True)} for what, cells in table.rows}


def test_each_claim_of_the_comparison_is_what_its_run_showed(compared: dict[str, dict[str, str]]) -> None:
    for probe, word in (("liveness", "failed liveness probe"), ("readiness", "0 kills"), ("startup", "failed startup")):
        assert word in compared["after failureThreshold failures in a row"][probe]
    silent = compared["while a startup probe has not succeeded"]
    assert [int(re.findall(r": (\d+) ", silent[probe])[0]) > 0 for probe in PROBES] == [False, False, True]
    later = compared["once the container has started"]
    assert [int(re.findall(r": (\d+) ", later[probe])[0]) > 0 for probe in PROBES] == [True, True, False]
    before = compared["before its first answer it counts as"]
    assert "started is true, ready is true, 0 kills" in before["liveness"]
    assert "started is true, ready is false" in before["readiness"]
    assert "started is false" in before["startup"]
    without = compared["if there is no such probe"]
    assert "0 kills" in without["liveness"]
    first = compared["its first question after a start"]
    after = {probe: float(re.findall(r"answer ([\d.]+) s", first[probe])[0]) for probe in PROBES}
    assert after["readiness"] < 1 < min(after["liveness"], after["startup"])
    stopping = compared["while the pod is being stopped"]
    assert [int(re.findall(r": (\d+) answers", stopping[probe])[0]) > 0 for probe in PROBES] == [False, True, False]
    assert ["refused" in compared["successThreshold"][probe] for probe in PROBES] == [True, False, True]
    assert ["refused" in compared["a grace period of its own"][probe] for probe in PROBES] == [False, True, False]


def test_a_cell_opens_by_key_and_names_its_rule() -> None:
    text = comparison()._repr_html_()
    assert text.count("<details") == text.count("<summary") == 27
    assert text.count("<code>pkg/") == 27


def test_what_the_chapter_says_of_its_patients_is_so() -> None:
    numbers = {one.key: n for n, one in enumerate(patients(), 1)}
    assert f"(It is number {numbers['old-count']} below.)" in prose(PAGE)
    for key in ("the-advice", "whole-server", "open-port"):
        assert f"Patient {numbers[key]}." in prose(PAGE)
    told = output(PAGE, "count-run")
    kills = [float(t) for t in re.findall(r"[\d.]+", told.splitlines()[0])]
    assert 45 < kills[0] < 52
    assert "0 kills as believed" in told
    words = [row for row in output(PAGE, "incident-events").splitlines() if row[:1] in "ABC" and "probe" in row]
    assert ["404" in words[0], "refused" in words[1], "deadline" in words[2]] == [True, True, True]
