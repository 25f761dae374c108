"""The bare wheel, as somebody runs it who has nothing of ours: uvx and pipx in a home that nobody has lived in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from selfheal.server.remote import Remote

ROOT = Path(__file__).parents[2]
THINGS_OF_THIS_HOME = ("VIRTUAL_ENV", "PYTHONPATH", "XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "PIPX_HOME")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with uv and pipx in it."""
    folder = tmp_path_factory.mktemp("runners")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv", "pipx"], check=True)
    return folder / "bin"


@pytest.mark.nightly
@pytest.mark.parametrize("words", ["uvx --from {wheel}", "uvx --from {wheel}[server]", "pipx run --spec {wheel}"])
def test_a_cluster_from_the_wheel_alone(words: str, wheel: Path, runners: Path, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    environment = {name: value for name, value in os.environ.items() if name not in THINGS_OF_THIS_HOME}
    environment |= {"HOME": str(tmp_path / "home"), "PATH": f"{runners}{os.pathsep}{os.environ['PATH']}"}
    (tmp_path / "home").mkdir()
    process = subprocess.Popen(
        [*words.format(wheel=wheel).split(), "selfheal", "up", "--quiet", "--kubeconfig", str(kubeconfig)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"export KUBECONFIG={kubeconfig}\n"
    remote = Remote(yaml.safe_load(kubeconfig.read_text()))
    assert remote.ask("GET", "/selfheal/status")["nodesReady"] == 1
    remote.ask("POST", "/selfheal/down")
    process.communicate(timeout=60)
    assert not kubeconfig.exists()
