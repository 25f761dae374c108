"""What a Service stands for, as its EndpointSlices say."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.latencies import LATENCIES
from selfheal.objects import Object, controller_of, labels, name, uid
from tests.controllers.worlds import World, bare_pod, service


@pytest.fixture
def world() -> World:
    return World()


def slices(world: World, of: str = "web") -> list[Object]:
    return [s for s in world.store.list("EndpointSlice") if labels(s)["kubernetes.io/service-name"] == of]


def shown(world: World) -> dict[str, tuple[bool, bool, bool]]:
    """(ready, serving, terminating) of each endpoint of the one slice."""
    (only,) = slices(world)
    return {
        e["targetRef"]["name"]: tuple(e["conditions"][k] for k in ("ready", "serving", "terminating"))
        for e in only["endpoints"]
    }


READY, UNREADY, LEAVING = (True, True, False), (False, False, False), (False, True, True)


def web(world: World, called: str, *, ready: bool | None = True, **options: Any) -> None:
    """A pod of the Service that runs and is Ready or not; with None it has no address yet."""
    world.store.create({**bare_pod(called, app="web"), **options})
    world.wait(0.5)
    if ready is not None:
        world.ready(called, ready)
    world.wait(0.5)


def test_C197_a_service_without_pods_has_one_empty_slice_that_goes_with_it(world: World) -> None:
    made = world.store.create(service())
    world.wait(1)
    (empty,) = slices(world)
    assert (empty["endpoints"], empty["ports"], empty["addressType"]) == ([], [], "IPv4")
    assert name(empty).startswith("web-")
    assert len(name(empty)) == len("web-") + 5
    assert labels(empty) == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    owner = controller_of(empty)
    assert owner is not None
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Service", "web", uid(made))
    world.store.delete("Service", "default", "web")
    world.wait(1)
    assert slices(world) == []


def test_C198_the_flags_follow_readiness_and_the_pod_stays_listed(world: World) -> None:
    world.store.create(service())
    web(world, "a")
    assert shown(world) == {"a": READY}
    world.ready("a", ready=False)
    world.wait(0.5)
    assert shown(world) == {"a": UNREADY}


def test_C199_a_service_may_publish_pods_that_are_not_ready(world: World) -> None:
    world.store.create(service(publishNotReadyAddresses=True))
    web(world, "a", ready=False)
    assert shown(world) == {"a": (True, False, False)}


def test_a_pod_is_listed_once_it_has_an_address_sorted_by_name(world: World) -> None:
    world.store.create(service())
    web(world, "b")
    web(world, "a", ready=False)
    web(world, "c", ready=None)
    assert list(shown(world).items()) == [("a", UNREADY), ("b", READY)]
    (only,) = slices(world)
    assert only["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    first = only["endpoints"][0]
    assert first["addresses"] == [world.get("Pod", "a")["status"]["podIP"]]
    assert first["nodeName"] == world.get("Pod", "a")["spec"]["nodeName"]
    assert first["targetRef"] == {
        "kind": "Pod",
        "namespace": "default",
        "name": "a",
        "uid": uid(world.get("Pod", "a")),
    }


def test_the_slice_keeps_its_name_from_empty_to_full_and_back(world: World) -> None:
    world.store.create(service())
    world.wait(1)
    before = name(slices(world)[0])
    web(world, "a")
    assert name(slices(world)[0]) == before
    world.gone("a")
    world.wait(1.5)
    assert [name(s) for s in slices(world)] == [before]
    assert shown(world) == {}


def test_a_deleted_pod_goes_on_serving_until_it_has_ended(world: World) -> None:
    world.store.create(service())
    web(world, "a")
    world.store.delete("Pod", "default", "a")
    world.wait(0.1)
    assert shown(world) == {"a": LEAVING}
    world.ready("a", ready=False)
    world.wait(1.2)
    assert shown(world) == {"a": (False, False, True)}
    world.status("a", phase="Succeeded")
    world.wait(1.2)
    assert shown(world) == {}, "it leaves with its end, not with the end of the object"


def test_a_pod_that_loses_its_label_leaves_at_once(world: World) -> None:
    world.store.create(service())
    web(world, "a")
    world.set("Pod", "a", "metadata.labels", {})
    world.wait(0.5)
    assert shown(world) == {}


def test_pods_of_other_namespaces_and_labels_do_not_count(world: World) -> None:
    world.store.create(service())
    world.store.create(bare_pod("other", app="db"))
    elsewhere = bare_pod("elsewhere", app="web")
    elsewhere["metadata"]["namespace"] = "other"
    world.store.create(elsewhere)
    world.wait(0.5)
    world.ready("other")
    world.store.patch(
        "Pod", "other", "elsewhere", lambda p: {**p, "status": {**p["status"], "podIP": "1.2.3.4"}}, status=True
    )
    world.wait(0.5)
    assert shown(world) == {}


@pytest.mark.parametrize("spec", [{"selector": None}, {"type": "ExternalName", "externalName": "example.com"}])
def test_services_without_a_selector_have_no_slices(world: World, spec: dict[str, Any]) -> None:
    world.store.create(service(**spec))
    web(world, "a")
    assert slices(world) == []


def test_named_ports_are_looked_up_in_each_pod_and_pods_that_differ_get_slices_of_their_own(world: World) -> None:
    world.store.create(service(ports=[{"name": "http", "port": 80, "targetPort": "web"}]))
    for called, port in (("a", 8080), ("b", 9090), ("c", 8080)):
        container = {"name": "app", "image": "v1", "ports": [{"name": "web", "containerPort": port}]}
        web(world, called, spec={"containers": [container]})
    found = {s["ports"][0]["port"]: [e["targetRef"]["name"] for e in s["endpoints"]] for s in slices(world)}
    assert found == {8080: ["a", "c"], 9090: ["b"]}
    assert slices(world)[0]["ports"][0]["name"] == "http"


def test_a_headless_service_is_marked_and_its_labels_are_passed_on(world: World) -> None:
    made = service(clusterIP="None")
    made["metadata"]["labels"] = {"team": "a"}
    world.store.create(made)
    world.wait(0.5)
    (only,) = slices(world)
    assert labels(only)["service.kubernetes.io/headless"] == ""
    assert labels(only)["team"] == "a"


def test_a_slice_has_a_hundred_endpoints_at_most(world: World) -> None:
    world.store.create(service())
    for n in range(230):
        world.store.create(bare_pod(f"p{n:03}", app="web"))
    world.wait(1)
    for pod in world.pods():
        world.ready(pod)
    world.wait(3)
    sizes = sorted(len(s["endpoints"]) for s in slices(world))
    assert sum(sizes) == 230
    assert max(sizes) <= 100
    listed = [e["targetRef"]["name"] for s in slices(world) for e in s["endpoints"]]
    assert len(set(listed)) == 230


def test_what_somebody_else_does_to_a_slice_is_put_right(world: World) -> None:
    world.store.create(service())
    web(world, "a")
    (only,) = slices(world)
    world.set("EndpointSlice", name(only), "endpoints", [])
    world.wait(2)
    assert shown(world) == {"a": READY}
    world.store.delete("EndpointSlice", "default", name(slices(world)[0]))
    world.wait(2)
    assert shown(world) == {"a": READY}


def test_two_changes_in_quick_succession_may_cost_a_second_but_both_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """While its cache has not seen its own last write, a sync gives up and comes back after 1 s."""
    monkeypatch.setitem(LATENCIES, "controller", (0.0, 0.0, 0.0))
    waits = []
    for seed in range(8):
        world = World(seed=seed)
        world.store.create(service())
        web(world, "a")
        web(world, "b")
        world.ready("a", ready=False)
        world.wait(0.005)
        world.ready("b", ready=False)
        began = world.clock.seconds
        while shown(world) != {"a": UNREADY, "b": UNREADY}:
            world.wait(0.001)
            assert world.clock.seconds - began < 1.2
        waits.append(world.clock.seconds - began)
    assert min(waits) < 0.05
    assert 0.9 < max(waits) < 1.1


def test_what_no_service_sees_of_a_pod_changes_no_slice(world: World) -> None:
    world.store.create(service())
    web(world, "a")
    world.wait(1)
    world.history.clear()
    world.status("a", note="something that no Service sees")
    world.wait(3600)
    assert [e for _, e in world.history if e.object["kind"] == "EndpointSlice"] == []
