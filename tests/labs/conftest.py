"""An emulator to run labs on, in this process, and nothing pinned from one test to the next."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal.labs.api import Api
from selfheal.labs.context import PIN, resolve
from selfheal.server import Emulator


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No cluster of the machine's own; the client leaves its sockets to the garbage collector."""
    for name in ("KUBECONFIG", "LAB_CONTEXT", "LAB_NODE_FAULT", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    PIN.release()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        PIN.release()


SPEED = 10


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A running emulator, which is the current context."""
    with Emulator(nodes=3, speed=SPEED, kubeconfig=tmp_path / "kubeconfig").running() as running:
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig))
        yield running


@pytest.fixture
def api(emulator: Emulator) -> Iterator[Api]:
    api = Api(resolve())
    yield api
    api.close()
    gc.collect()
