"""What a ReplicaSet does: so many pods, whatever happens to them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.podcontrol import slow_start
from selfheal.errors import ApiError, Invalid
from selfheal.objects import Object, condition, controller_of, name, names, replace, terminating, uid
from selfheal.rules import RULES
from selfheal.store import Store
from tests.controllers.worlds import World, bare_pod, replica_set, template

SLEEPER = {"name": "app", "image": "busybox:1.36", "command": ["sleep", "600"]}


@pytest.fixture
def world() -> World:
    world = World()
    world.store.create(replica_set())
    world.wait(1)
    return world


def active(world: World) -> list[Object]:
    return [p for p in world.pods(app="web") if not terminating(p) and controller_of(p)]


def test_it_makes_its_pods_and_tells_so(world: World) -> None:
    pods = world.pods()
    assert len(pods) == 3
    assert sorted(world.events("SuccessfulCreate")) == sorted(f"Created pod: {n}" for n in names(pods))
    for pod in pods:
        assert pod["metadata"]["generateName"] == "web-"
        assert controller_of(pod) == {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": uid(world.get("ReplicaSet", "web")),
            "controller": True,
            "blockOwnerDeletion": True,
        }


def test_thirty_pods_come_at_once_and_then_twenty_a_second_and_so_they_go() -> None:
    """KubeAPIQPS 20 and KubeAPIBurst 30 of the controller manager."""
    world = World()
    world.store.create(replica_set(replicas=100))
    counts = []
    for _ in range(5):
        world.wait(1)
        counts.append(len(world.pods()))
    assert counts[0] < 30 + 20 + 1
    assert [abs(after - before - 20) <= 10 for before, after in pairwise(counts[:3])] == [True, True]
    assert counts[-1] == 100
    world.wait(5)
    world.store.patch("ReplicaSet", "default", "web", lambda old: replace(old, "spec.replicas", 0))
    world.wait(1)
    assert 50 <= len(active(world)) < 75
    world.wait(5)
    assert not active(world)


def test_pods_of_one_template_share_one_spec_and_spread_over_the_nodes(world: World) -> None:
    by_node: dict[str, list[Object]] = {}
    for pod in world.pods():
        by_node.setdefault(pod["spec"]["nodeName"], []).append(pod["spec"])
    assert sorted(len(specs) for specs in by_node.values()) == [1, 2]
    assert all(spec is specs[0] for specs in by_node.values() for spec in specs)


def test_the_status_follows_the_pods(world: World) -> None:
    for pod in world.pods():
        world.ready(pod)
        world.wait(0.1)
    assert world.changes("ReplicaSet", "replicas", "readyReplicas", "availableReplicas") == [
        (0, 0, 0),
        (3, 0, 0),
        (3, 1, 1),
        (3, 2, 2),
        (3, 3, 3),
    ]
    assert world.get("ReplicaSet", "web")["status"]["observedGeneration"] == 1


def test_a_deleted_pod_is_replaced_when_its_deletion_begins(world: World) -> None:
    for pod in world.pods():
        world.ready(pod)
    world.wait(1)
    world.history.clear()
    victim = world.pods()[0]
    world.store.delete("Pod", "default", name(victim))
    world.wait(1)
    assert len(world.pods()) == 4, "the old one still terminates"
    assert len(active(world)) == 3
    # Counted at the start of each sync: first one pod fewer, although the replacement is made in that very sync.
    assert world.changes("ReplicaSet", "replicas", "readyReplicas", "terminatingReplicas") == [(2, 2, 1), (3, 2, 1)]
    world.gone(victim)
    world.wait(1)
    assert len(world.pods()) == 3


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_replaced_and_stays(world: World, phase: str) -> None:
    world.status(world.pods()[0], phase=phase)
    world.wait(1)
    assert len(world.pods()) == 4
    assert world.get("ReplicaSet", "web")["status"]["replicas"] == 3


def test_a_crashing_or_unready_pod_is_never_replaced(world: World) -> None:
    before = names(world.pods())
    crashing = [{"name": "app", "restartCount": 50, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    world.status(world.pods()[0], phase="Running", containerStatuses=crashing)
    world.ready(world.pods()[1], ready=False)
    world.wait(3600)
    assert names(world.pods()) == before


def test_scaling_down_deletes_in_the_order_of_deletion(world: World) -> None:
    pods = world.pods()
    world.ready(pods[0])
    world.set("ReplicaSet", "web", "spec.replicas", 1)
    world.wait(1)
    assert names(active(world)) == [name(pods[0])]
    assert sorted(world.events("SuccessfulDelete")) == sorted(f"Deleted pod: {n}" for n in names(pods[1:]))


def test_it_never_makes_too_many_although_its_cache_lags() -> None:
    for seed in range(10):
        world = World(seed=seed)
        world.store.create(replica_set(replicas=20))
        for _ in range(30):
            world.wait(0.004)
            # Any change makes it look again while its own pods are still unseen.
            world.set("ReplicaSet", "web", "metadata.labels", {"n": str(world.clock.now)})
        world.wait(5)
        assert len(world.pods()) == 20


def test_min_ready_seconds_make_a_pod_available_later_at_a_whole_second(world: World) -> None:
    world.set("ReplicaSet", "web", "spec.minReadySeconds", 10)
    world.wait(0.5)
    ready_at = world.clock.unix()
    world.ready(world.pods()[0])
    world.wait(20)
    times = [
        at
        for at, e in world.history
        if e.object["kind"] == "ReplicaSet" and (e.object["status"] or {}).get("availableReplicas") == 1
    ]
    # The condition's time is truncated to a second, and so comes availability up to one second early.
    due = (ready_at // SECOND + 10) * SECOND - world.clock.epoch
    assert due / SECOND <= times[0] <= due / SECOND + 0.05


def test_quiet_costs_nothing(world: World) -> None:
    for pod in world.pods():
        world.ready(pod)
    world.wait(10)
    before = world.clock.steps
    world.wait(3600)
    assert world.clock.steps == before


class TestAdoption:
    def test_C157_an_orphan_is_adopted_and_a_pod_that_loses_its_label_is_released_and_replaced(self) -> None:
        world = World()
        world.store.create(bare_pod("orphan", app="web"))
        world.store.create(replica_set(replicas=1))
        world.wait(1)
        assert names(world.pods()) == ["orphan"], "it counts, so nothing needs to be made"
        adopted = controller_of(world.get("Pod", "orphan"))
        assert adopted is not None
        assert (adopted["name"], adopted["controller"], adopted["blockOwnerDeletion"]) == ("web", True, True)

        world.set("Pod", "orphan", "metadata.labels", {"app": "other"})
        world.wait(1)
        assert controller_of(world.get("Pod", "orphan")) is None
        assert len(active(world)) == 1

    def test_an_adopted_pod_too_many_is_deleted(self, world: World) -> None:
        for pod in world.pods():
            world.ready(pod)
        world.store.create(bare_pod("orphan", app="web"))
        world.wait(1)
        assert world.store.get("Pod", "default", "orphan") is None or terminating(world.get("Pod", "orphan"))
        assert "Deleted pod: orphan" in world.events("SuccessfulDelete")

    def test_two_with_the_same_selector_leave_each_others_pods_alone(self) -> None:
        world = World()
        for called in ("one", "two"):
            same = {"selector": {"matchLabels": {"app": "web"}}, "template": template()}
            world.store.create(replica_set(called, replicas=2, **same))
        world.wait(5)
        assert len(world.pods(app="web")) == 4


class Refusing(Store):
    """A store with a quota: no more than ``limit`` pods."""

    limit = 2

    def create(self, obj: Object, **options: Any) -> Object:
        if obj["kind"] == "Pod" and len(self.list("Pod")) >= self.limit:
            raise Invalid("pods is forbidden: exceeded quota")
        return super().create(obj, **options)


def test_C158_what_cannot_be_made_is_a_condition_until_it_need_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.controllers.worlds.Store", Refusing)
    world = World()
    world.store.create(replica_set(replicas=3))
    world.wait(5)
    assert len(world.pods()) == 2
    found = condition(world.get("ReplicaSet", "web"), "ReplicaFailure")
    assert found is not None
    assert (found["status"], found["reason"], found["message"]) == (
        "True",
        "FailedCreate",
        "pods is forbidden: exceeded quota",
    )
    assert "Error creating: pods is forbidden: exceeded quota" in world.events("FailedCreate")
    world.set("ReplicaSet", "web", "spec.replicas", 2)
    world.wait(200)
    assert condition(world.get("ReplicaSet", "web"), "ReplicaFailure") is None


class TestSlowStart:
    def test_batches_of_1_2_4_end_with_the_first_that_fails(self) -> None:
        calls: list[int] = []

        def failing_from(n: int) -> Callable[[], None]:
            def do() -> None:
                calls.append(1)
                if len(calls) > n:
                    raise ApiError("no")

            return do

        done, error = slow_start(100, failing_from(0))
        assert (done, len(calls), str(error)) == (0, 1, "no")
        calls.clear()
        done, error = slow_start(100, failing_from(4))
        assert (done, len(calls)) == (4, 7), "1 + 2 succeeded, then one of four"
        calls.clear()
        assert slow_start(10, failing_from(99)) == (10, None)


class TestExpectations:
    def test_they_are_believed_for_five_minutes(self) -> None:
        clock = Clock()
        waiting = Expectations(clock)
        key = ("default", "web")
        assert waiting.satisfied(key)
        waiting.expect_creations(key, 2)
        waiting.creation_observed(key)
        assert not waiting.satisfied(key)
        clock.run(301 * SECOND)
        assert waiting.satisfied(key)

    def test_a_deletion_counts_once_however_often_it_is_seen(self) -> None:
        waiting = Expectations(Clock())
        key, a, b = ("default", "web"), ("default", "a"), ("default", "b")
        waiting.expect_deletions(key, [a, b])
        waiting.deletion_observed(key, a)
        waiting.deletion_observed(key, a)
        assert not waiting.satisfied(key)
        waiting.deletion_observed(key, b)
        assert waiting.satisfied(key)


def test_every_write_says_why_back_to_the_action(world: World) -> None:
    world.history.clear()
    world.store.delete("Pod", "default", name(world.pods()[0]))
    world.wait(1)
    made = next(e for _, e in world.history if e.type == "ADDED" and e.object["kind"] == "Pod")
    assert made.cause is not None
    assert made.cause.rule == "replicaset.create"
    text = RULES[made.cause.rule].text.format(**made.cause.inputs)
    assert text == "web has 2 active pods and wants 3: 1 more are created."


def test_the_same_seed_gives_the_same_names() -> None:
    def run(seed: int) -> list[str]:
        world = World(seed=seed)
        world.store.create(replica_set())
        world.wait(1)
        return names(world.pods())

    assert run(3) == run(3)
    assert run(3) != run(4)
    assert Chance(3).stream("a").bits(0) == Chance(3).stream("a").bits(0)


def test_a_replication_controller_is_kept_by_the_same_rules() -> None:
    cluster = Cluster(nodes=2, seed=1)
    spec = {"replicas": 2, "template": {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [SLEEPER]}}}
    cluster.apply({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "old"}, "spec": spec})
    cluster.run(until=10)
    found = cluster.get("pods")
    assert [(controller_of(p) or {})["kind"] for p in found] == ["ReplicationController"] * 2
    told = cluster.timeline.select(kind="Event", object="ReplicationController/old")
    assert {(r["reason"], r["from"]) for r in told} == {("SuccessfulCreate", "replication-controller")}
    assert cluster.timeline.select(kind="ReplicationController")[-1]["ready"] == 2
    cluster.delete(f"pod/{name(found[0])}")
    cluster.scale("rc/old", 1)
    cluster.run(until=50)
    assert len(cluster.get("pods")) == 1
    assert "terminatingReplicas" not in cluster.get("rc", "old")["status"]
