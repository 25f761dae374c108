"""Fixtures for pytest: put ``pytest_plugins = ["selfheal.testing"]`` into your ``conftest.py``.

``selfheal_cluster`` is a cluster whose clock moves only when your test says so; a marker changes its options::

    @pytest.mark.selfheal(nodes=3, speed=50)
    def test_my_operator(selfheal_cluster):
        selfheal_cluster.advance(1200)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from selfheal.server.running import Running, up


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "selfheal(**options): options of selfheal.up for the fixture selfheal_cluster")


@pytest.fixture
def selfheal_cluster(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A cluster of the test's own (:func:`selfheal.up`), with ``speed=0`` unless the marker says otherwise."""
    marker = request.node.get_closest_marker("selfheal")
    with up(**{"speed": 0, **(marker.kwargs if marker else {})}) as cluster:
        yield cluster
