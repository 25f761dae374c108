"""What a sync decides from one look at the runtime: cases C66 to C72.

As in pkg/kubelet/kuberuntime/kuberuntime_manager_test.go TestComputePodActions.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from selfheal import spec
from selfheal.kubelet.pleg import ContainerSnapshot, PodSnapshot
from selfheal.kubelet.pod_actions import Actions, PodActions
from selfheal.kubelet.prober.results import FAILURE
from selfheal.rules import Rules
from tests.conformance.pods import container, pod

NAMES = ("foo1", "foo2", "foo3")
RUNNING: dict[str, Any] = {"state": "running"}


def done(code: int) -> dict[str, Any]:
    return {"state": "exited", "exit_code": code, "finished_at": 2}


def instance(name: str, **facts: Any) -> ContainerSnapshot:
    usual = {"state": "running", "finished_at": None, "exit_code": None, "image": "busybox:1.36"}
    facts = {**usual, **facts}
    return ContainerSnapshot(
        id=name, name=name, attempt=0, created_at=0, started_at=1, reason="", message="", cause=None, **facts
    )


def decide(
    policy: str,
    *facts: dict[str, Any],
    ready: bool = True,
    ip: str = "10.88.1.2",
    failed: tuple[str, str] | None = None,
) -> Actions:
    """What a sync of a pod of three containers does; ``failed``: (probe, container) with the result Failure."""
    wire = pod(*(container(n) for n in NAMES), restartPolicy=policy)["spec"]
    results: dict[str, dict[str, str]] = {"liveness": {}, "readiness": {}, "startup": {}}
    if failed is not None:
        results[failed[0]] = {f"containerd://{failed[1]}": FAILURE}
    prober: Any = SimpleNamespace(results=results, workers={})
    snapshot = PodSnapshot(
        "sandbox", ready, ip, tuple(instance(n, **f) for n, f in zip(NAMES, facts or (RUNNING,) * 3, strict=True))
    )
    return PodActions(prober, Rules()).compute(spec.pod_spec({"metadata": {}, "spec": wire}), snapshot)


def starts(actions: Actions) -> list[str]:
    return [c.name for c in actions.to_start]


def kills(actions: Actions) -> list[tuple[str, str]]:
    return [(c.name, message) for c, _, message, _ in actions.to_kill]


def test_nothing_is_done_to_a_pod_that_runs() -> None:
    assert decide("Always") == Actions()


@pytest.mark.parametrize("policy", ["OnFailure", "Never"])
def test_C66_created_but_never_started(policy: str) -> None:
    actions = decide(policy, RUNNING, {"state": "created"}, RUNNING)
    assert (starts(actions), kills(actions), actions.kill_pod) == (["foo2"], [], False)


def test_C67_a_dead_sandbox_on_failure_with_a_success() -> None:
    actions = decide("OnFailure", done(1), done(0), done(1), ready=False)
    assert (actions.kill_pod, actions.create_sandbox) == (True, True)
    assert starts(actions) == ["foo1", "foo3"]


def test_C68_a_dead_sandbox_never_and_all_have_ended() -> None:
    actions = decide("Never", done(0), done(0), done(0), ready=False)
    assert (actions.kill_pod, actions.create_sandbox, starts(actions)) == (True, False, [])


def test_C69_a_sandbox_without_an_address() -> None:
    actions = decide("Always", ip="")
    assert (actions.kill_pod, actions.create_sandbox, starts(actions)) == (True, True, list(NAMES))


def test_C70_a_changed_container_alone_is_restarted() -> None:
    actions = decide("Always", RUNNING, {"image": "busybox:1.35"}, RUNNING)
    assert kills(actions) == [("foo2", "Container foo2 definition changed, will be restarted")]
    assert (starts(actions), actions.kill_pod) == (["foo2"], False)


def test_C71_a_failed_startup_probe_restarts_its_container_alone() -> None:
    actions = decide("Always", failed=("startup", "foo2"))
    assert kills(actions) == [("foo2", "Container foo2 failed startup probe, will be restarted")]
    assert (starts(actions), actions.kill_pod) == (["foo2"], False)


def test_C72_a_container_in_an_unknown_state_is_killed_before_it_is_started() -> None:
    actions = decide("Never", RUNNING, {"state": "unknown"}, RUNNING)
    assert kills(actions) == [("foo2", 'Container is in "unknown" state, try killing it before restart')]
    assert (starts(actions), actions.kill_pod) == (["foo2"], False)
