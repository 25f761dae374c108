"""How often a well node says that it is well: each 5 min, to whoever looks (pkg/kubelet/kubelet_node_status.go)."""

from __future__ import annotations

import pytest

from selfheal import Cluster
from selfheal.clock import SECOND, parse_rfc3339

EVERY = 306
"""Seconds: the first look, each 10.2 s, at which 5 min are over."""


def heartbeats(cluster: Cluster, node: str = "node-1") -> set[int]:
    conditions = cluster.get("Node", node)["status"]["conditions"]
    return {(parse_rfc3339(c["lastHeartbeatTime"]) - cluster.clock.unix(0)) // SECOND for c in conditions}


def changes(cluster: Cluster, until: int) -> list[int]:
    """The heartbeats that somebody sees who looks each second."""
    found = list[int]()
    while cluster.now < until:
        cluster.run(for_=1)
        [seen] = heartbeats(cluster)
        if seen not in found[-1:]:
            found.append(seen)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_status_that_does_not_change_is_reported_each_five_minutes(seed: int) -> None:
    """After a change, the first time 2.5 to 7.5 min later, so that nodes that began together part."""
    registered, first, *later = changes(Cluster(seed=seed), 1500)
    assert 150 <= first - registered <= 450 + 11
    assert [b - a for a, b in zip([first, *later], later, strict=False)] == [EVERY] * len(later)
    assert len(later) >= 2


def test_a_silent_node_keeps_its_last_heartbeat() -> None:
    cluster = Cluster(nodes=2, seed=4)
    cluster.run(until=1000)
    before = heartbeats(cluster)
    cluster.fault("loseHeartbeats", "node/node-1", for_=1000)
    cluster.run(until=1600)
    assert {c["status"] for c in cluster.get("Node", "node-1")["status"]["conditions"]} == {"Unknown"}
    assert heartbeats(cluster) == before
    cluster.run(until=2020)
    [back] = heartbeats(cluster)
    assert 2000 <= back <= 2011


def test_who_looks_changes_nothing() -> None:
    """Neither what happens, nor what it costs."""
    looked, left = Cluster(nodes=2, seed=5), Cluster(nodes=2, seed=5)
    for _ in range(20):
        looked.run(for_=60)
        looked.get("nodes")
        looked.describe("node/node-1")
    left.run(until=1200)
    node, other = looked.store.get("Node", "", "node-1"), left.store.get("Node", "", "node-1")
    assert node == other
    for cluster in (looked, left):
        cluster.node("node-1").stop()
        cluster.run(until=2000)
    assert list(looked.timeline) == list(left.timeline)
