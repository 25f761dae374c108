"""Leases that are not written each time, and leases that are: nobody can tell them apart."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from selfheal import Cluster
from tests.conformance.test_nodes import deployment


def lines(seed: int, trouble: str, parking: bool) -> list[str]:
    cluster = Cluster(nodes=3, seed=seed, nodes_in_timeline=True, parking=parking)
    cluster.apply(deployment())
    cluster.run(until=20.5)
    node = cluster.node("node-2")
    if trouble == "stop":
        node.stop()
    elif trouble == "all":
        for each in cluster.nodes:
            each.stop()
    elif trouble == "apiDown":
        cluster.fault("apiDown", for_=90)
    else:
        cluster.fault(trouble, "node/node-2", for_=100)
    cluster.run(until=150)
    for each in cluster.nodes:
        each.start()
    cluster.run(until=260)
    node.stop()
    cluster.run(until=700)
    return list(cluster.timeline.lines(record_all=True))


@pytest.mark.parametrize("trouble", ["stop", "all", "partition", "loseHeartbeats", "apiDown"])
@pytest.mark.parametrize("seed", range(3))
def test_leases_that_renew_themselves_are_leases(seed: int, trouble: str) -> None:
    for mine, theirs in zip_longest(lines(seed, trouble, parking=True), lines(seed, trouble, parking=False)):
        assert mine == theirs
