"""Nodes that fall silent: who notices, and what was asked meanwhile changes nothing."""

from __future__ import annotations

import pytest

from selfheal import Cluster


@pytest.mark.parametrize("asked", [False, True])
def test_a_node_falls_silent_also_if_somebody_has_just_read_its_lease(asked: bool) -> None:
    cluster = Cluster(nodes=2, seed=1)
    cluster.run(until=14)
    if asked:
        cluster.get("leases", namespace=None)
    cluster.node("node-1").stop()
    cluster.run(until=70)
    assert [t["key"] for t in cluster.get("Node", "node-1")["spec"]["taints"]] == ["node.kubernetes.io/unreachable"] * 2
