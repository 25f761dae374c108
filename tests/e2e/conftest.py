"""What the end-to-end suite makes before each spec, and takes away after it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count

import pytest

from selfheal.server.emulator import Emulator
from tests.e2e.api import Client

NUMBERS = count(1)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """A cluster of three nodes whose clock moves only when a test says so; all specs of a worker share it."""
    with Emulator(nodes=3, speed=0).running() as emulator:
        yield emulator


@contextlib.contextmanager
def namespace(emulator: Emulator) -> Iterator[Client]:
    """A client in a new namespace, whose service account and CA certificate are there."""
    client = Client(emulator, f"e2e-{next(NUMBERS)}")
    client.create({"kind": "Namespace", "metadata": {"name": client.namespace}})
    client.wait(lambda: client.there("ServiceAccount", "default") and client.there("ConfigMap", "kube-root-ca.crt"))
    yield client
    client.delete("Namespace", client.namespace)
    client.close()


@pytest.fixture
def e2e(emulator: Emulator) -> Iterator[Client]:
    with namespace(emulator) as client:
        yield client


@pytest.fixture
def other(emulator: Emulator) -> Iterator[Client]:
    """A second namespace."""
    with namespace(emulator) as client:
        yield client
