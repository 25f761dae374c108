"""Each lab's notebook has the same form, as labs/README.md says it, and runs on any cluster."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal.scenario import Scenario

LABS = Path(__file__).parents[2] / "labs"
NOTEBOOKS = sorted(path.name for path in LABS.glob("[0-9]*.ipynb"))
EXPERIMENTS = [name for name in NOTEBOOKS if not name.startswith("00-")]
"""All but the set-up."""
FRAME = ["Predict", "Run", "Look", "Compare", "Explain", "Your turn", "Clean up"]
ROWS = ["Needs", "Takes", "Costs the laptop", "Makes, and removes", "Chapter"]
IGNORED = "nbval-ignore-output"
IMAGES = re.compile(r"registry\.k8s\.io/e2e-test-images/agnhost:2\.63\.0|busybox:1\.36|selfheal/patient:1")
"""Those that the recorded cluster had, and our own."""
MEASURED = re.compile(r"\.(kubectl|why|plot|clean|run|sweep)\(|Lab\(")
"""What prints times, names or addresses that are others on each cluster."""


@cache
def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((LABS / name).read_text("utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def of(name: str, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in cells(name) if cell["cell_type"] == kind]


def prose(name: str) -> str:
    return "\n\n".join(map(source, of(name, "markdown")))


def code(name: str) -> str:
    return "\n\n".join(map(source, of(name, "code")))


def printed(cell: dict[str, Any]) -> str:
    return "".join("".join(one.get("text", "")) for one in cell["outputs"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_opens_with_what_it_needs_and_takes(name: str) -> None:
    opening = source(cells(name)[0])
    assert opening.startswith(f"# Lab {int(name[:2])} · ")
    assert re.findall(r"^\| \*\*(.+?)\*\* \|", opening, re.MULTILINE) == ROWS
    assert not re.search(r"^\| \|", prose(name), re.MULTILINE), "a column without a head cannot be read aloud"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_predicts_before_it_runs_and_cleans_up_at_the_end(name: str) -> None:
    parts = re.findall(r"^## (.+)$", prose(name), re.MULTILINE)
    kinds = [part.partition(":")[0] for part in parts]
    assert [kind for kind in dict.fromkeys(kinds) if kind in FRAME] == FRAME
    assert kinds[-1] in ("Clean up", "What a real cluster did")
    text = code(name)
    run = re.search(r"\blab\.(run|recording)\(", text)
    assert run
    assert text.index("lab.predict()") < run.start()
    lab = next(source(cell) for cell in of(name, "code") if "Lab(" in source(cell))
    assert re.search(rf'Lab\("{name[3:-6]}"', lab), "a lab is called what its file is called"
    made = set(re.findall(r"^(\w+) = Lab\(", text, re.MULTILINE))
    (clean,) = [source(cell) for cell in of(name, "code") if cell["id"] == "clean-up"]
    assert made <= set(re.findall(r"^(\w+)\.clean\(\)", clean, re.MULTILINE)), "something is left over"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_differs_from_cluster_to_cluster_is_not_compared(name: str) -> None:
    for cell in of(name, "code"):
        tagged = IGNORED in cell["metadata"].get("tags", ())
        assert tagged or not cell["outputs"] or not re.search(r"https?://127\.|lab-[a-z-]+-\w{5}\b", printed(cell))
        last = source(cell).splitlines()[-1]
        if not tagged and MEASURED.search(last):
            pytest.fail(f"{cell['id']} shows what is another on each cluster: tag it {IGNORED}\n{last}")
    assert name.startswith("00-") or any(
        "as predicted" in printed(cell) for cell in of(name, "code") if IGNORED not in cell["metadata"].get("tags", ())
    ), "no verdict is compared"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_plain_and_complete(name: str) -> None:
    ids = [cell["id"] for cell in cells(name)]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z][a-z0-9-]+", id)] == []
    for cell in of(name, "code"):
        assert cell["execution_count"] is not None, cell["id"]
        assert [one for one in cell["outputs"] if one["output_type"] == "error"] == []
    for cell in cells(name):
        assert not re.search(r"^\s*[%!]|^:::|^```\{", source(cell), re.MULTILINE), f"{cell['id']}: magic or directive"
        assert "execution" not in cell["metadata"], "times of day"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", prose(name)):
        assert (LABS / target).is_file(), target


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_only_images_that_each_cluster_has(name: str) -> None:
    texts = [code(name), *(path.read_text("utf-8") for path in manifests_of(name))]
    for image in re.findall(r"image: ?\"?([^\s\",}]+)", "\n".join(texts)):
        assert IMAGES.fullmatch(image), image


@pytest.mark.parametrize("path", sorted((LABS / "manifests").glob("*.yaml")), ids=lambda path: str(path.stem))
def test_a_manifest_says_what_it_is_and_names_no_namespace(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# ")
    found = [doc for doc in yaml.safe_load_all(text) if isinstance(doc, dict)]
    if found:
        Scenario.load(path)
    assert [doc["metadata"]["name"] for doc in found if "namespace" in doc["metadata"]] == []


def manifests_of(name: str) -> list[Path]:
    return [LABS / path for path in re.findall(r"\"(manifests/[\w.-]+\.yaml)\"", code(name))]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_manifests_are_there(name: str) -> None:
    assert [path.name for path in manifests_of(name) if not path.is_file()] == []
