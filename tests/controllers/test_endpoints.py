"""The old Endpoints, beside the slices."""

from __future__ import annotations

from typing import Any

from selfheal.objects import Object
from tests.controllers.worlds import World


def service(**spec: Any) -> Object:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"team": "a"}},
        "spec": {"selector": {"app": "web"}, "ports": ports, **spec},
    }


def web(world: World, called: str, ready: bool | None = True, ip: str = "") -> None:
    meta = {"name": called, "labels": {"app": "web"}}
    spec = {"containers": [{"name": "app", "image": "v1"}], "terminationGracePeriodSeconds": 30}
    world.store.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    world.wait(0.3)
    if ready is not None:
        world.ready(called, ready=ready, ip=ip or None)


def shown(world: World) -> dict[str, list[str]]:
    """ready and not ready: names of pods."""
    out: dict[str, list[str]] = {}
    for subset in world.get("Endpoints", "web").get("subsets") or ():
        for which in ("addresses", "notReadyAddresses"):
            if which in subset:
                out.setdefault(which, []).extend(a["targetRef"]["name"] for a in subset[which])
    return out


def test_ready_and_unready_addresses_stand_apart() -> None:
    world = World()
    world.store.create(service())
    for called, ready in (("a", True), ("b", False), ("c", None)):
        web(world, called, ready)
    world.wait(1)
    assert shown(world) == {"addresses": ["a"], "notReadyAddresses": ["b"]}
    found = world.get("Endpoints", "web")
    assert found["metadata"]["labels"] == {"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert found["subsets"][0]["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_a_pod_that_is_being_deleted_is_in_neither_list() -> None:
    world = World()
    world.store.create(service())
    web(world, "a")
    web(world, "b")
    world.wait(1)
    world.store.delete("Pod", "default", "a")
    world.wait(1)
    assert shown(world) == {"addresses": ["b"]}


def test_who_publishes_unready_addresses_gets_them_among_the_ready_ones() -> None:
    world = World()
    world.store.create(service(publishNotReadyAddresses=True))
    web(world, "a", ready=False)
    world.wait(1)
    assert shown(world) == {"addresses": ["a"]}


def test_the_object_comes_and_goes_with_its_service() -> None:
    world = World()
    world.store.create(service())
    world.wait(1)
    assert "subsets" not in world.get("Endpoints", "web")
    world.store.delete("Service", "default", "web")
    world.wait(1)
    assert world.store.list("Endpoints") == []


def test_addresses_are_sorted() -> None:
    world = World()
    world.store.create(service())
    for called, ip in (("a", "10.0.0.9"), ("b", "10.0.0.10"), ("c", "10.0.0.2")):
        web(world, called, ip=ip)
    world.wait(1)
    assert shown(world)["addresses"] == ["b", "c", "a"]


def test_without_a_selector_others_keep_the_addresses() -> None:
    world = World()
    world.store.create({**service(), "spec": {"ports": [{"port": 80}]}})
    world.wait(1)
    assert world.store.list("Endpoints") == []
