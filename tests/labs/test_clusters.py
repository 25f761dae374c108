"""`selfheal labs up`, `down` and `doctor`: the emulator for real, kind and docker as scripts that write down what they
are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal.cli import main
from selfheal.labs import Lab, clusters, images
from selfheal.labs.api import Api
from selfheal.labs.context import Context, resolve, state
from selfheal.labs.errors import LabError
from tests.labs.test_context import config

KIND = """#!{python}
import json, sys
from pathlib import Path
here, asked = Path({here!r}), sys.argv[1:]
with (here / "asked").open("a") as file:
    file.write(" ".join(asked) + "\\n")
clusters = here / "clusters"
known = clusters.read_text().split() if clusters.exists() else []
if asked[:2] == ["get", "clusters"]:
    print("\\n".join(known))
if asked[:2] == ["create", "cluster"]:
    clusters.write_text("\\n".join([*known, "selfheal"]))
    Path(asked[asked.index("--kubeconfig") + 1]).write_text((here / "kubeconfig").read_text())
if asked[:2] == ["delete", "cluster"]:
    clusters.write_text("\\n".join(name for name in known if name != "selfheal"))
"""
DOCKER = """#!{python}
import sys
from pathlib import Path
with (Path({here!r}) / "asked").open("a") as file:
    file.write("docker " + " ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "version":
    print("28.0.1")
if sys.argv[1] == "info":
    print(8 * 2**30)
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kind and a docker, first on the PATH; the cluster that this kind makes answers nobody."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("kind", KIND), ("docker", DOCKER)):
        (folder / name).write_text(text.format(python=sys.executable, here=str(folder)))
        (folder / name).chmod(0o755)
    (folder / "kubeconfig").write_text(json.dumps(config("kind-selfheal", "https://127.0.0.1:1")))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def asked(tools: Path) -> list[str]:
    found = tools / "asked"
    lines = found.read_text().splitlines() if found.exists() else []
    return [" ".join(line.split()[:3]) for line in lines if line != "get clusters"]


@pytest.mark.slow
def test_the_emulator_is_made_found_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labs", "down"]) == 0
    assert capsys.readouterr().out == "There is nothing that `selfheal labs up` has made.\n"
    try:
        assert main(["labs", "up", "--emulator", "--speed", "20"]) == 0
        assert capsys.readouterr().out.startswith("The emulator is ready.\n")
        server = resolve().server
        assert main(["labs", "up", "--emulator"]) == 0
        assert "runs already" in capsys.readouterr().out
        assert resolve().server == server
        assert main(["labs", "up"]) == 2
        assert "The emulator runs already; `selfheal labs down` removes it" in capsys.readouterr().err
        with Lab("there") as lab:
            assert lab.kubectl("get nodes -o name").split() == ["node/node-1", "node/node-2", "node/node-3"]
            assert lab.api.ask("GET", "/selfheal/clock")["speed"] == 20
        assert main(["labs", "doctor"]) == 0
        assert "3 of 3 nodes ready" in capsys.readouterr().out
    finally:
        assert main(["labs", "down"]) == 0
    assert capsys.readouterr().out == "The emulator is removed.\n"
    assert list(state().iterdir()) == []
    assert main(["labs", "down"]) == 0


@pytest.mark.slow
def test_an_emulator_that_was_killed_is_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        clusters.up(emulator=True)
        process = json.loads((state() / "cluster.json").read_text())["process"]
        os.kill(process, 9)
        os.waitpid(process, 0)
        assert "is ready" in clusters.up(emulator=True)
    finally:
        clusters.down()
    assert list(state().iterdir()) == []


def test_kind_is_asked_for_three_nodes_and_to_remove_what_it_made(tools: Path) -> None:
    assert "The kind cluster selfheal is ready." in clusters.up(emulator=False)
    assert asked(tools) == ["create cluster --config"]
    assert resolve().name == "kind-selfheal"
    with pytest.raises(LabError, match="does not answer"):
        clusters.up(emulator=False)
    assert clusters.down() == "The kind cluster selfheal is removed."
    assert asked(tools)[1:] == ["delete cluster --name"]
    assert list(state().iterdir()) == []
    clusters.down()
    assert len(asked(tools)) == 2


def test_a_cluster_that_somebody_else_made_is_left_alone(tools: Path) -> None:
    (tools / "clusters").write_text("selfheal")
    with pytest.raises(LabError, match="has not made"):
        clusters.up(emulator=False)
    clusters.down()
    assert asked(tools) == []
    state().mkdir(parents=True, exist_ok=True)
    (state() / "kubeconfig").write_text("{}")
    with pytest.raises(LabError, match="was not made by"):
        clusters.up(emulator=False)
    assert (state() / "kubeconfig").read_text() == "{}"


def test_the_clusters_file_pins_its_image() -> None:
    found = yaml.safe_load(clusters.config_file().read_text())
    assert found["name"] == clusters.CLUSTER
    assert [node["role"] for node in found["nodes"]] == ["control-plane", "worker", "worker"]
    [image] = {node["image"] for node in found["nodes"]}
    assert image.startswith("kindest/node:v1.36.")
    assert len(image.partition("@sha256:")[2]) == 64


def test_the_doctor_says_what_is_missing_and_how_to_mend_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["labs", "doctor"]) == 1
    told = capsys.readouterr().out
    assert told.count("✕") == 4
    for line in ("docker   not installed", "kind     not installed", "context  no cluster"):
        assert f"✕ {line}" in told
    assert told.count("→ ") == 4
    assert told.count("selfheal labs up --emulator") == 3


def test_the_doctor_asks_no_cluster_that_is_not_the_labs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tools: Path
) -> None:
    (tmp_path / "kubeconfig").write_text(json.dumps(config("prod", "https://prod.example")))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert main(["labs", "doctor"]) == 1
    told = capsys.readouterr().out
    assert "✓ docker   Docker 28.0.1" in told
    assert "✓ memory   8.0 GiB for Docker" in told
    assert "No request was made." in told


def test_the_doctor_asks_who_cuts_the_power_of_a_cluster_that_was_named(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfheal.labs.context.EMULATOR", "another")  # so that it counts as named
    monkeypatch.setenv("LAB_CONTEXT", "selfheal")
    assert main(["labs", "doctor"]) == 0
    assert "– faults   nobody cuts a node's power here" in capsys.readouterr().out
    monkeypatch.setenv("LAB_NODE_FAULT", "power --now")
    assert main(["labs", "doctor"]) == 0
    assert "✓ faults   LAB_NODE_FAULT is `power --now`" in capsys.readouterr().out


class Nodes:
    """An API whose nodes hold some images."""

    def __init__(self, sort: str, *held: str) -> None:
        self.context = Context(f"kind-{sort}", "https://127.0.0.1:1", sort, {})
        self._held = held

    def list(self, kind: str) -> dict[str, Any]:
        names = [{"names": [name]} for name in self._held]
        master = {"spec": {"taints": [{"key": "x"}]}, "status": {}}
        return {"items": [master, {"spec": {}, "status": {"images": names}}]}


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        (Nodes("emulator"), images.PATIENT),
        (Nodes("named"), images.AGNHOST),
        (Nodes("named", f"docker.io/{images.PATIENT}"), images.PATIENT),
        (Nodes("kind", f"docker.io/{images.PATIENT}"), images.PATIENT),
        (Nodes("kind"), images.PATIENT),
    ],
)
def test_the_patient_where_it_can_be_had_and_agnhost_elsewhere(nodes: Any, found: str, tools: Path) -> None:
    assert images.image(nodes) == found
    built = ["docker image ls", "docker build --quiet", "load docker-image selfheal/patient:1"]
    assert asked(tools) == (built if nodes.context.sort == "kind" and not nodes._held else [])


def test_without_docker_kind_has_agnhost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    nodes: Any = Nodes("kind")
    assert images.image(nodes) == images.AGNHOST


def test_the_emulator_has_the_patient(api: Api) -> None:
    with Lab("patient") as lab:
        assert lab.image() == images.PATIENT


def test_help_tells_of_the_three() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "selfheal.cli", "labs", "--help"], capture_output=True, text=True, check=True
    )
    assert all(word in shown.stdout for word in ("up", "down", "doctor", "--emulator --speed 10"))
