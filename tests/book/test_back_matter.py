"""Cheat sheet, glossary, limits, sources and the page for teachers: their numbers and links hold."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from selfheal import Cluster
from selfheal.kubelet.backoff import INITIAL, MAXIMUM
from selfheal.kubelet.images import PULL_SECONDS
from selfheal.lessons.answers import answers
from selfheal.lessons.arithmetic import free_restarts
from selfheal.manifests.unsimulated import KINDS
from selfheal.widgets.questions import KNOBS
from tests.book.chapters import all_exercises

BOOK = Path(__file__).parents[2] / "book"
PAGES = ["cheat-sheet", "glossary", "limits", "sources", "for-teachers"]


def text(page: str) -> str:
    return (BOOK / f"{page}.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_in_the_contents_and_its_links_lead_somewhere(page: str) -> None:
    assert f"- file: book/{page}\n" in (BOOK.parent / "_toc.yml").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text(page)):
        assert target.startswith("https://") or (BOOK / target).exists(), target


def test_the_defaults_on_the_cheat_sheet_are_the_package_s() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text("cheat-sheet"), re.MULTILINE))
    assert {knob: int(told[knob]) for knob in KNOBS} == KNOBS
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
    }
    cluster = Cluster()
    (made,) = cluster.apply(pod)
    assert made["spec"]["terminationGracePeriodSeconds"] == int(told["terminationGracePeriodSeconds"])


def test_the_waits_on_the_cheat_sheet_are_the_kubelet_s() -> None:
    waits, wait = [], INITIAL
    while wait < MAXIMUM:
        waits.append(wait // 1_000_000)
        wait = min(2 * wait, MAXIMUM)
    assert f"waits of {', '.join(map(str, [*waits, MAXIMUM // 1_000_000]))} s" in text("cheat-sheet")
    assert free_restarts(30) == 4
    assert "four with lives of 30 s" in text("cheat-sheet")


def test_the_glossary_is_in_order_and_points_to_chapters() -> None:
    terms = re.findall(r"^(\S.*)\n: ", text("glossary"), re.MULTILINE)
    assert terms == sorted(set(terms), key=str.lower), "each once"
    assert len(terms) >= 30
    for number, target in re.findall(r"\[(\d+)\]\((\d+)-", text("glossary")):
        assert int(number) == int(target)


def test_what_is_not_simulated_is_told_and_warned_of() -> None:
    limits = text("limits")
    assert {"MutatingWebhookConfiguration", "NetworkPolicy"} <= set(KINDS)
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    spec = {"containers": [{"name": "c", "image": "busybox:1.36"}], "volumes": [claim]}
    cluster = Cluster()
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert cluster.warnings
    assert cluster.warnings[0].startswith(re.findall(r"`(not simulated: [^`]+)`", limits)[0])


def test_what_was_not_measured_is_told() -> None:
    low, high = PULL_SECONDS
    assert f"Pulls were not measured: one takes {low:g} to {high:g} s" in text("limits")


def test_handed_in_work_is_graded_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from selfheal.lessons.exercises import friday

    (code,) = re.findall(r"```python\n(.*?)```", text("for-teachers"), re.DOTALL)
    (tmp_path / "handed-in").mkdir()
    (tmp_path / "handed-in" / "ann.yaml").write_text(friday.solution, "utf-8")
    (tmp_path / "handed-in" / "bob.yaml").write_text(friday.manifest, "utf-8")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == ["ann solved", "bob 0 checks passed"]


def test_the_lessons_of_a_plan_are_as_long_as_the_plan() -> None:
    minutes = [(int(a), int(b)) for a, b in re.findall(r"^\| (\d+) … (\d+) \|", text("for-teachers"), re.MULTILINE)]
    assert minutes[0][0] == 0
    assert minutes[-1][1] == 90
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(minutes))


def test_the_answers_are_those_of_the_chapters_and_all_solve_their_exercise() -> None:
    shown = answers()
    assert [one.exercise.name for one in shown.solved] == [chapter.exercise.name for chapter in all_exercises()]
    assert [one.number for one in shown.solved] == [int(chapter.page[:2]) for chapter in all_exercises()]
    assert all(one.report.passed for one in shown.solved)
    assert shown._repr_html_().count("<details>") == len(shown.solved)
    assert "-      failureThreshold: 1\n+      periodSeconds: 5\n+      failureThreshold: 3" in repr(shown)
    (cell,) = json.loads((BOOK / "answers.ipynb").read_text("utf-8"))["cells"][1:]
    assert "".join(cell["outputs"][0]["data"]["text/plain"]) == repr(shown)
