"""[sig-node] Lease, NodeLease"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from selfheal.clock import SECOND, parse_rfc3339
from tests.e2e.api import Client, Object


def lease(name: str, holder: str, seconds: int, transitions: int, **meta: object) -> Object:
    times = {"acquireTime": "0001-01-01T00:00:02.000000Z", "renewTime": f"0001-01-01T00:00:{seconds}.000000Z"}
    spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "leaseTransitions": transitions, **times}
    return {"kind": "Lease", "metadata": {"name": name, **meta}, "spec": spec}


def test_leases_of_anybody(e2e: Client) -> None:
    first = lease("lease", "holder", 30, 0)
    made = e2e.create(first)
    assert e2e.get("Lease", "lease")["spec"] == first["spec"]
    made["spec"] = lease("lease", "holder2", 30, 1)["spec"]
    e2e.update(made)
    assert e2e.get("Lease", "lease")["spec"] == made["spec"]
    third = lease("lease", "holder3", 55, 2)["spec"]
    e2e.patch("Lease", "lease", {"spec": third})
    assert e2e.get("Lease", "lease")["spec"] == third
    e2e.create(lease("lease2", "holder", 30, 0, labels={"deletecollection": "true"}))
    assert len(e2e.list("Lease")) == 2
    e2e.delete_collection("Lease", "deletecollection=true")
    assert len(e2e.list("Lease")) == 1
    e2e.delete("Lease", "lease")
    assert not e2e.there("Lease", "lease")
    assert e2e.list("Lease", everywhere=True)


# ---- of nodes


@pytest.fixture
def node(e2e: Client) -> Iterator[str]:
    """A node's name, with the client where the nodes' leases are."""
    space, e2e.namespace = e2e.namespace, "kube-node-lease"
    yield "node-1"
    e2e.namespace = space


def renewed(e2e: Client, node: str) -> int:
    """When a node's lease was renewed last, in µs."""
    spec = e2e.get("Lease", node)["spec"]
    assert spec["holderIdentity"] == node
    assert spec["leaseDurationSeconds"] == 40
    return parse_rfc3339(spec["renewTime"])


def test_a_kubelet_renews_its_lease(e2e: Client, node: str) -> None:
    before = renewed(e2e, node)
    e2e.wait(lambda: renewed(e2e, node) > before, 40, 10)


def test_a_node_owns_its_lease(e2e: Client, node: str) -> None:
    leases = e2e.list("Lease")
    assert node in [found["metadata"]["name"] for found in leases]
    for found in leases:
        [owner] = found["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["apiVersion"]) == ("Node", "v1")


def test_a_kubelet_reports_its_status_seldom(e2e: Client, node: str) -> None:
    """Its status does not change for two durations of a lease, or changes come further apart than one."""
    before = renewed(e2e, node)

    def heartbeat() -> int:
        conditions = e2e.get("Node", node)["status"]["conditions"]
        [ready] = [c for c in conditions if c["type"] == "Ready"]
        assert ready["status"] == "True"
        return parse_rfc3339(ready["lastHeartbeatTime"])

    last, unchanged = heartbeat(), 0
    while unchanged <= 80:
        e2e.advance(1)
        unchanged += 1
        if (now := heartbeat()) != last:
            assert now - last >= 40 * SECOND
            break
    assert renewed(e2e, node) > before
