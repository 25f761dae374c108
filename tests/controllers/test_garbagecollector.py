"""What happens to objects whose owner goes."""

from __future__ import annotations

import pytest

from selfheal.objects import Object, name, owner_reference, terminating, uid
from tests.controllers.worlds import World, deployment, replica_set


def config(called: str, *owners: Object, block: bool = True) -> Object:
    references = [{**owner_reference(o), "controller": False, "blockOwnerDeletion": block} for o in owners]
    meta = {"name": called, "ownerReferences": references}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


@pytest.fixture
def world() -> World:
    world = World(schedule=False)
    world.store.create(deployment())
    world.wait(1)
    return world


def test_C200_background_the_owner_goes_at_once_and_all_below_it_follows(world: World) -> None:
    assert len(world.pods()) == 3
    world.store.delete("Deployment", "default", "web")
    assert world.store.get("Deployment", "default", "web") is None
    assert len(world.pods()) == 3
    world.wait(1)
    assert world.store.list("ReplicaSet") == []
    assert world.pods() == []


def test_C200_running_pods_end_with_their_grace(world: World) -> None:
    world = World()
    world.store.create(deployment())
    world.wait(1)
    world.store.delete("Deployment", "default", "web")
    world.wait(1)
    assert [p["metadata"]["deletionGracePeriodSeconds"] for p in world.pods()] == [30, 30, 30]


def test_C201_foreground_the_owner_waits_for_those_that_block_it() -> None:
    world = World()
    world.store.create(deployment())
    world.wait(1)
    world.store.delete("Deployment", "default", "web", propagation="Foreground")
    world.wait(1)
    owner = world.get("Deployment", "web")
    assert terminating(owner)
    assert owner["metadata"]["finalizers"] == ["foregroundDeletion"]
    (below,) = world.store.list("ReplicaSet")
    assert below["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert all(terminating(p) for p in world.pods())
    for pod in world.pods():
        world.gone(pod)
        assert world.store.get("Deployment", "default", "web") is not None
        world.wait(0.2)
    world.wait(1)
    assert world.store.list("ReplicaSet") == world.store.list("Deployment") == []


def test_orphan_the_dependents_live_on_without_an_owner(world: World) -> None:
    world.store.delete("Deployment", "default", "web", propagation="Orphan")
    world.wait(1)
    assert world.store.list("Deployment") == []
    (below,) = world.store.list("ReplicaSet")
    assert "ownerReferences" not in below["metadata"]
    assert len(world.pods()) == 3


def test_one_owner_that_is_left_keeps_an_object(world: World) -> None:
    a, b = (world.store.create(replica_set(n, replicas=0)) for n in "ab")
    world.store.create(config("c", a, b))
    world.store.delete("ReplicaSet", "default", "a")
    world.wait(1)
    kept = world.get("ConfigMap", "c")
    assert [r["uid"] for r in kept["metadata"]["ownerReferences"]] == [uid(b)]
    world.store.delete("ReplicaSet", "default", "b")
    world.wait(1)
    assert world.store.get("ConfigMap", "default", "c") is None


def test_an_object_made_for_an_owner_that_never_was_goes(world: World) -> None:
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": "no-such"}}
    world.store.create(config("c", ghost))
    world.wait(1)
    assert world.store.get("ConfigMap", "default", "c") is None


def test_a_new_object_of_the_owners_name_is_not_the_owner(world: World) -> None:
    old = world.store.create(replica_set("a", replicas=0))
    world.store.create(config("c", old))
    world.store.delete("ReplicaSet", "default", "a")
    world.store.create(replica_set("a", replicas=0))
    world.wait(1)
    assert world.store.get("ConfigMap", "default", "c") is None


def test_foreground_does_not_wait_for_those_that_do_not_block(world: World) -> None:
    owner = world.store.create(replica_set("a", replicas=0))
    blocked = config("c", owner, block=False)
    blocked["metadata"]["finalizers"] = ["example.com/slow"]
    world.store.create(blocked)
    world.store.delete("ReplicaSet", "default", "a", propagation="Foreground")
    world.wait(1)
    assert world.store.get("ReplicaSet", "default", "a") is None
    assert name(world.get("ConfigMap", "c")) == "c"
