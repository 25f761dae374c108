"""`selfheal run … --on kubectl`: scenarios of the recordings performed on an emulator, recorded by watches, and judged
as a real cluster's recording is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from selfheal.cli import main
from selfheal.cluster import Cluster
from selfheal.server import Emulator
from selfheal.timeline import Timeline
from selfheal.timeline.compare import compare
from tests.recordings.simulate import HERE, SCENARIOS, runs, scenario_of

SPEED = 10


def performed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, speed: float = SPEED) -> Timeline:
    """What a recorder at the API of an emulator sees of a scenario."""
    cluster = Cluster.of(scenario_of(name, seed=1))
    with Emulator(cluster=cluster, speed=speed, kubeconfig=folder / "kubeconfig").running() as emulator:
        monkeypatch.setenv("KUBECONFIG", str(emulator.kubeconfig))
        assert main(["run", str(HERE / name), "--on", "kubectl", "--quiet", "-o", f"{folder / name}/"]) == 0
    return Timeline.load(folder / name / "timeline.jsonl")


UNDRAWN = 3
"""Intervals that may lie outside what the seeds give: at which moment of its time a cluster is met is drawn, too."""


def judge(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object's facts are those of a seed, in their order, and in their time but for what no seed has drawn."""
    result = compare([performed(name, folder, monkeypatch)], runs(name))
    assert [v.object for v in result.verdicts if v.seed is None] == [], result.report()
    assert len(result.problems) <= UNDRAWN, result.report()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two-probes-one-endpoint", "liveness-http"])
def test_a_scenario_through_kubectl_is_judged_as_a_recording(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(name, tmp_path, monkeypatch)
    assert "KILLED BY PROBES" in capsys.readouterr().out
    kept = tmp_path / name
    assert list(yaml.safe_load_all((kept / "manifest.yaml").read_text())) == list(
        yaml.safe_load_all((HERE / name / "manifest.yaml").read_text())
    )
    assert main(["run", str(kept), "--quiet"]) == 0  # and what was kept can be run again
    assert main(["compare", str(kept / "timeline.jsonl"), "--with", str(kept / "timeline.jsonl")]) == 0


@pytest.mark.nightly
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_through_kubectl(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(name, tmp_path, monkeypatch)
