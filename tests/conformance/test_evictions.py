"""PodDisruptionBudgets and evictions: cases C179 to C185."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.errors import ApiError, TooManyRequests
from selfheal.eviction import REFUSED, Eviction
from selfheal.objects import Object, condition, name, terminating
from tests.controllers.worlds import World, replica_set


def budget(called: str = "pdb", app: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": called},
        "spec": {"selector": {"matchLabels": {"app": app}}, **spec},
    }


def up(replicas: int, ready: int, **spec: Any) -> World:
    """A ReplicaSet with some of its pods ready, and a budget."""
    world = World(nodes=1)
    world.store.create(replica_set(replicas=replicas))
    world.store.create(budget(**spec))
    world.wait(1)
    for number, pod in enumerate(world.pods()):
        world.ready(pod, ready=number < ready)
    world.wait(1)
    return world


def evict(world: World, pod: Object | str) -> None:
    """One eviction, to its end. Raises what the API server answers."""
    called = pod if isinstance(pod, str) else name(pod)
    refused: list[ApiError] = []

    def request() -> Any:
        try:
            yield from Eviction(world.store, world.clock, world.chance).evict("default", called)
        except ApiError as error:
            refused.append(error)

    world.clock.process(request())
    world.wait(0.5)
    if refused:
        raise refused[0]


def numbers(world: World) -> tuple[int, int, int, int]:
    """expected, desired, healthy, allowed"""
    status = world.get("PodDisruptionBudget", "pdb")["status"]
    return tuple(status[k] for k in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"))


def test_C179_with_room_a_pod_is_evicted() -> None:
    world = up(3, 3, minAvailable=2)
    assert numbers(world) == (3, 2, 3, 1)
    pod = world.pods()[0]
    evict(world, pod)
    gone = world.get("Pod", name(pod))
    target = condition(gone, "DisruptionTarget")
    assert terminating(gone)
    assert (target["reason"], target["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    assert world.get("PodDisruptionBudget", "pdb")["status"]["disruptionsAllowed"] == 0


def test_C180_a_percentage_of_what_the_owner_is_scaled_to() -> None:
    world = up(10, 10, minAvailable="90%")
    assert numbers(world) == (10, 9, 10, 1)
    evict(world, world.pods()[0])
    with pytest.raises(TooManyRequests) as refused:
        evict(world, next(p for p in world.pods() if not terminating(p) and p["status"].get("podIP")))
    assert str(refused.value) == REFUSED
    assert refused.value.causes[0].message == "The disruption budget pdb needs 9 healthy pods and has 9 currently"


def test_C181_max_unavailable_rounds_up() -> None:
    assert numbers(up(5, 5, maxUnavailable="30%")) == (5, 3, 5, 2)


def test_C182_pending_pods_ignore_budgets() -> None:
    world = up(3, 2, minAvailable=2)
    assert numbers(world)[3] == 0
    pending = world.pods()[2]
    world.status(pending, phase="Pending")
    evict(world, pending)
    assert terminating(world.get("Pod", name(pending)))


def test_C183_a_pod_that_is_not_ready_uses_no_budget_that_is_met() -> None:
    world = up(3, 2, minAvailable=2)
    unready = world.pods()[2]
    assert numbers(world) == (3, 2, 2, 0)
    evict(world, unready)
    assert terminating(world.get("Pod", name(unready)))
    assert "disruptedPods" not in world.get("PodDisruptionBudget", "pdb")["status"]
    with pytest.raises(TooManyRequests):
        evict(world, world.pods()[0])


@pytest.mark.parametrize("policy", ["AlwaysAllow", "IfHealthyBudget"])
def test_C184_always_allow_lets_unready_pods_go(policy: str) -> None:
    world = up(2, 1, minAvailable=2, unhealthyPodEvictionPolicy=policy)
    unready = world.pods()[1]
    if policy == "AlwaysAllow":
        evict(world, unready)
        assert terminating(world.get("Pod", name(unready)))
    else:
        with pytest.raises(TooManyRequests):
            evict(world, unready)


def test_C185_a_delete_asks_no_budget() -> None:
    world = up(2, 2, minAvailable=2)
    pod = world.pods()[0]
    world.store.delete("Pod", "default", name(pod))
    assert terminating(world.get("Pod", name(pod)))


def test_a_budget_that_nobody_has_looked_at_allows_nothing() -> None:
    world = up(3, 3, minAvailable=2)
    world.set("PodDisruptionBudget", "pdb", "spec.minAvailable", 1)
    refused: list[ApiError] = []

    def request() -> Any:
        try:
            yield from Eviction(world.store, world.clock, world.chance).evict("default", name(world.pods()[0]))
        except ApiError as error:
            refused.append(error)

    world.clock.process(request())
    world.wait(0)
    assert str(refused[0]) == REFUSED
    assert refused[0].causes[0].message == "The disruption budget pdb is still being processed by the server."


def test_two_budgets_for_one_pod_are_an_error() -> None:
    world = up(3, 3, minAvailable=2)
    world.store.create(budget("other", minAvailable=1))
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget") as refused:
        evict(world, world.pods()[0])
    assert refused.value.code == 500


def test_two_evictions_at_once_get_into_each_others_way_and_both_come_to_an_end() -> None:
    world = up(4, 4, minAvailable=2)
    first, second = world.pods()[:2]
    for pod in (first, second):
        world.clock.process(Eviction(world.store, world.clock, world.chance).evict("default", name(pod)))
    world.wait(0.1)
    assert sum(terminating(p) for p in world.pods()) == 1
    world.wait(0.6)
    assert sum(terminating(p) for p in world.pods()) == 2


def test_pods_without_a_controller_cannot_be_counted_in_percent() -> None:
    world = up(2, 2, maxUnavailable="50%")
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "labels": {"app": "web"}}}
    world.store.create({**bare, "spec": world.pods()[0]["spec"]})
    world.wait(1)
    assert any("MatchLabels:map[string]string{app: web,}" in text for text in world.events("UnmanagedPods"))


def test_a_daemon_set_has_no_scale_so_its_budget_fails_safe() -> None:
    world = World(nodes=2)
    labelled = {"metadata": {"labels": {"app": "web"}}, "spec": replica_set()["spec"]["template"]["spec"]}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": labelled}
    world.store.create({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "web"}, "spec": spec})
    world.store.create(budget(maxUnavailable=1))
    world.wait(1)
    found = condition(world.get("PodDisruptionBudget", "pdb"), "DisruptionAllowed")
    assert (found["status"], found["reason"]) == ("False", "SyncFailed")
    assert found["message"] == "daemonsets.apps does not implement the scale subresource"


def test_an_eviction_that_never_came_is_forgotten_after_two_minutes() -> None:
    world = up(3, 3, minAvailable=2)
    pod = world.pods()[0]
    budgeted = world.get("PodDisruptionBudget", "pdb")
    status = {**budgeted["status"], "disruptedPods": {name(pod): world.clock.timestamp()}}
    world.store.update_status({**budgeted, "status": status})
    world.wait(1)
    assert numbers(world) == (3, 2, 2, 0)
    world.wait(121)
    assert numbers(world) == (3, 2, 3, 1)
    assert len(world.events("NotDeleted")) == 1
