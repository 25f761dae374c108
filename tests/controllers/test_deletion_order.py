"""Which pod goes first when there are too many (ActivePodsWithRanks)."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.clock import SECOND, Clock
from selfheal.controllers.pods import deletion_order
from selfheal.objects import Object, names

HOUR = 3600


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.run(20 * HOUR * SECOND)
    return clock


def pod(
    clock: Clock,
    called: str,
    node: str = "node-1",
    phase: str = "Running",
    ready: float | None = 10 * HOUR,
    age: float = 10 * HOUR,
    restarts: int = 0,
    sidecar_restarts: int = 0,
    cost: str | None = None,
) -> Object:
    """``ready``: for how many seconds; None: it is not. ``age`` in seconds."""

    def ago(seconds: float) -> str:
        return clock.timestamp(clock.now - round(seconds * SECOND))

    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ago(ready)}] if ready is not None else []
    meta: dict[str, Any] = {"name": called, "uid": called, "creationTimestamp": ago(age)}
    if cost is not None:
        meta["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": cost}
    return {
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": node, "initContainers": [{"name": "side", "restartPolicy": "Always"}]},
        "status": {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": [{"name": "app", "restartCount": restarts}],
            "initContainerStatuses": [{"name": "side", "restartCount": sidecar_restarts}],
        },
    }


def order(clock: Clock, *pods: Object, related: tuple[Object, ...] = ()) -> list[str]:
    """Names, first to go first; the same whatever order they came in."""
    found = names(deletion_order(pods, [*pods, *related], clock))
    assert found == names(deletion_order(pods[::-1], [*pods, *related], clock))
    return found


def test_C151_the_pod_that_is_not_ready_goes_first(clock: Clock) -> None:
    assert order(clock, pod(clock, "ready"), pod(clock, "not", ready=None))[0] == "not"


def test_C152_the_unscheduled_goes_before_the_scheduled_pending(clock: Clock) -> None:
    pending = {"phase": "Pending", "ready": None}
    assert order(clock, pod(clock, "at-node", **pending), pod(clock, "nowhere", node="", **pending))[0] == "nowhere"  # type: ignore[arg-type]


def test_C153_of_five_unscheduled_pending_and_not_ready_go(clock: Clock) -> None:
    found = order(
        clock,
        pod(clock, "ready-1", node="node-1"),
        pod(clock, "ready-2", node="node-2"),
        pod(clock, "not-ready", ready=None),
        pod(clock, "pending", phase="Pending", ready=None),
        pod(clock, "unscheduled", node="", phase="Pending", ready=None),
    )
    assert found[:3] == ["unscheduled", "pending", "not-ready"]


def test_C154_the_one_that_shares_its_node_goes_first(clock: Clock) -> None:
    other = pod(clock, "of-another-version", node="node-2")
    found = order(clock, pod(clock, "a", node="node-1"), pod(clock, "b", node="node-2"), related=(other,))
    assert found[0] == "b"


def test_C155_ready_for_5_or_8_hours_is_the_same_and_the_uid_decides(clock: Clock) -> None:
    assert order(clock, pod(clock, "b", ready=5 * HOUR), pod(clock, "a", ready=8 * HOUR)) == ["a", "b"]
    assert order(clock, pod(clock, "a", ready=5 * HOUR), pod(clock, "b", ready=8 * HOUR)) == ["a", "b"]
    assert order(clock, pod(clock, "b", ready=2 * HOUR), pod(clock, "a", ready=5 * HOUR)) == ["b", "a"]


def test_C156_more_restarts_go_first_then_restarts_of_sidecars(clock: Clock) -> None:
    assert order(clock, pod(clock, "a"), pod(clock, "b", restarts=9001))[0] == "b"
    assert order(clock, pod(clock, "a", restarts=1), pod(clock, "b", restarts=1, sidecar_restarts=2))[0] == "b"


def test_a_lower_deletion_cost_goes_before_everything_that_follows(clock: Clock) -> None:
    cheap = pod(clock, "cheap", cost="-5", ready=15 * HOUR)
    assert order(clock, pod(clock, "a", ready=1), cheap, pod(clock, "dear", cost="7"))[::2] == ["cheap", "dear"]
    assert order(clock, pod(clock, "a"), pod(clock, "b", cost="nonsense", ready=1))[0] == "b"


def test_running_goes_after_unknown_after_pending(clock: Clock) -> None:
    found = order(
        clock,
        pod(clock, "running", ready=None),
        pod(clock, "unknown", phase="Unknown", ready=None),
        pod(clock, "pending", phase="Pending", ready=None),
    )
    assert found == ["pending", "unknown", "running"]


def test_of_pods_that_are_not_ready_the_youngest_goes(clock: Clock) -> None:
    old, young = pod(clock, "a", ready=None, age=9 * HOUR), pod(clock, "b", ready=None, age=60)
    assert order(clock, old, young) == ["b", "a"]
