"""Every timeline that any test makes is held to the validators.

Whatever a test is about, a cluster in it that counts restarts backwards, or starts a container inside its back-off,
fails it. Clusters that run on a belief are wrong on purpose, and so are those of tests marked ``wrong_rules``. Where
the API could not be reached, records tell of things late: validators know of it from the Action, where there is one.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from selfheal.rules import Rules
from selfheal.timeline.validators import validate

AT_ONCE = 32
"""So many clusters are kept until their test has ended; of more, the oldest is judged before."""

_made: list[Any] = []


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the collector of garbage need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _counted_here_alone() -> Iterator[None]:
    """A pytest that a test starts is no worker of the one that counts coverage."""
    counted = os.environ.pop("SLIPCOVER_ENABLED", None)
    yield
    if counted is not None:
        os.environ["SLIPCOVER_ENABLED"] = counted


@pytest.fixture(scope="session", autouse=True)
def _all_clusters() -> Iterator[None]:
    """Remember each cluster that is made."""
    from selfheal.cluster import Cluster

    made, broken = Cluster.__init__, Cluster.fault

    def remembered(self: Cluster, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        if len(_made) >= AT_ONCE:
            _judge([_made.pop(0)])
        _made.append(self)

    def cut_off(self: Cluster, kind: str, target: str = "", **options: Any) -> Any:
        if kind in ("partition", "apiDown") and "cause" not in options and self in _made:
            _made.remove(self)
        return broken(self, kind, target, **options)

    Cluster.__init__, Cluster.fault = remembered, cut_off  # type: ignore[method-assign]
    yield
    Cluster.__init__, Cluster.fault = made, broken  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """After a test, judge the clusters that it made."""
    try:
        yield
        if item.get_closest_marker("wrong_rules") is None:
            _judge(_made)
    finally:
        _made.clear()


def _judge(clusters: list[Any]) -> None:
    problems = [
        f"seed {cluster.seed}: {problem}"
        for cluster in clusters
        if cluster.rules == Rules()
        for problem in validate(cluster.timeline)
    ]
    if problems:
        pytest.fail("a timeline is not valid:\n" + "\n".join(problems[:20]), pytrace=False)
