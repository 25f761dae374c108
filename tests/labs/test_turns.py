"""What a reader may try in a lab gets the answer that helps: the start, typical wrong ways, a cheat, a solution."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal.cluster import Cluster
from selfheal.labs.turns import grade
from selfheal.scenario import Scenario
from selfheal.timeline import Timeline

LABS = Path(__file__).parents[2] / "labs"
TABLES = sorted((Path(__file__).parent / "turns").glob("*.yaml"))
CASES = [
    pytest.param(path.stem, table["until"], {"actions": table.get("actions"), **answer}, id=f"{path.stem}-{number}")
    for path in TABLES
    for table in [yaml.safe_load(path.read_text("utf-8"))]
    for number, answer in enumerate(table["answers"])
]


@dataclass
class Attempt:
    """As if it had been run on a cluster."""

    scenario: Scenario
    timeline: Timeline | None = None


def start(lab: str) -> list[dict[str, Any]]:
    """What stands in the notebook's cell."""
    (path,) = LABS.glob(f"[0-9]*-{lab}.ipynb")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    (answer,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "turn-answer"]
    found = re.search(r'mine = """\n(.*?)"""', answer, re.DOTALL)
    assert found
    return list(yaml.safe_load_all(found[1]))


def laid_over(old: Any, new: Any) -> Any:
    """A merge as JSON merge patches do it."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    merged = {key: laid_over(old.get(key), value) for key, value in new.items()}
    return {key: value for key, value in {**old, **merged}.items() if value is not None}


def changed(manifests: list[dict[str, Any]], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The first manifest with its spec (``spec``), pod (``pod``) and container (``change``) changed; or all anew."""
    if "manifest" in answer:
        return list(yaml.safe_load_all(answer["manifest"]))
    first = manifests[0]["spec"] = laid_over(manifests[0]["spec"], answer.get("spec") or {})
    spec = first.get("template", {}).get("spec", first)
    spec.update(laid_over(spec, answer.get("pod") or {}))
    spec["containers"][0] = laid_over(spec["containers"][0], answer.get("change") or {})
    return manifests


@pytest.mark.parametrize(("lab", "until", "answer"), CASES)
def test_an_answer_gets_what_helps(lab: str, until: float, answer: dict[str, Any]) -> None:
    manifests = changed(start(lab), answer)
    actions = answer.get("actions")
    actions = LABS / "manifests" / actions if isinstance(actions, str) else actions
    scenario = Scenario.load(manifests, actions, until=until, nodes=3)
    timeline = Cluster.of(scenario).play(scenario).timeline
    said = grade(lab, Attempt(scenario, timeline))
    assert answer["says"] in " ".join(str(said).split())
    assert bool(said) == answer["says"].startswith("✓")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: str(path.stem))
def test_the_start_fails_and_a_solution_passes(path: Path) -> None:
    answers = yaml.safe_load(path.read_text("utf-8"))["answers"]
    assert "change" not in answers[0]
    assert not answers[0]["says"].startswith("✓")
    assert answers[-1]["says"].startswith("✓")


def test_an_attempt_that_was_not_run_is_told_so() -> None:
    assert "run() comes first" in str(grade("wrong-endpoint", Attempt(Scenario())))
