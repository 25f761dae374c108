"""What users get from a Service, second by second."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.network import Interface, Network, Request, Response, Server
from selfheal.objects import Object
from selfheal.proxy import ServiceProxy, backends
from selfheal.store import Store
from selfheal.traffic import Traffic, total


class App(Server):
    """Answers what it is told to."""

    def __init__(self, network: Network, ip: str) -> None:
        self.status = 200
        self.delay: int | None = 0
        self.asked = 0
        network.attach(ip, "node-1")
        self.interface = Interface(network, ip)
        self.interface.listen(8080, self)

    def http(self, request: Request) -> Response:
        self.asked += 1
        return Response(self.status, delay=self.delay)

    def set(self, status: int) -> None:
        self.status = status
        self.interface.changed()

    def die(self) -> None:
        self.interface.close(8080)


class World:
    """A Service, its slice, and a user."""

    def __init__(self, rate: float = 10, seed: int = 1) -> None:
        self.clock = Clock()
        self.chance = Chance(seed)
        self.store = Store(self.clock, self.chance)
        self.network = Network(self.clock)
        self.records: list[dict[str, Any]] = []
        self.traffic = Traffic(
            self.clock, self.chance, self.store, self.network, self._record, ("default", "web"), rate
        )

    def _record(self, record: dict[str, Any], cause: object) -> dict[str, Any]:
        self.records.append(record)
        return record

    def endpoints(self, **pods: str) -> None:
        """``a="ready"``, ``b="unready"``, ``c="leaving"``: what the slice says; addresses by name."""
        found = {
            "ready": {"ready": True, "serving": True, "terminating": False},
            "unready": {"ready": False, "serving": False, "terminating": False},
            "leaving": {"ready": False, "serving": True, "terminating": True},
        }
        new: Object = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "web-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": [f"10.0.0.{ord(pod)}"], "conditions": found[how], "targetRef": {"name": pod}}
                for pod, how in sorted(pods.items())
            ],
        }
        if self.store.get("EndpointSlice", "default", "web-1") is None:
            self.store.create(new)
        else:
            self.store.update(new)

    def app(self, pod: str) -> App:
        return App(self.network, f"10.0.0.{ord(pod)}")

    def seconds(self) -> list[tuple[int, int]]:
        """(served, lost) of each second."""
        self.traffic.settle(self.clock.now)
        return [(r["served"], r["lost"]) for r in self.records for _ in range(r["times"])]

    def run(self, until: float) -> None:
        self.clock.run(round(until * SECOND))


def test_a_well_pod_serves_everyone_and_equal_seconds_are_one_record() -> None:
    world = World()
    world.app("a")
    world.endpoints(a="ready")
    world.run(1)
    before = world.clock.steps
    world.run(3600)
    seconds = world.seconds()
    assert len(seconds) == 3600
    assert seconds[1:] == [(10, 0)] * 3599
    assert world.clock.steps - before <= 2, "a quiet hour costs nothing"
    assert [r["t"] for r in world.records] == [0.0, 1.0]
    assert world.records[-1]["every"] == 1


def test_the_first_request_goes_to_the_endpoints_that_are_there() -> None:
    world = World()
    world.app("a")
    world.endpoints(a="ready")
    world.run(1)
    began = Traffic(
        world.clock, world.chance, world.store, world.network, world._record, ("default", "web"), rate=1000, lag=SECOND
    )
    world.run(2)
    began.stop()
    assert total([r for r in world.records if r["sent"] == 1000]) == (1000, 1000, 0)


def test_a_service_without_endpoints_loses_every_request() -> None:
    world = World(rate=4)
    world.run(10)
    assert world.seconds() == [(0, 4)] * 10


def test_a_dead_pod_loses_its_share_until_the_endpoints_change() -> None:
    world = World(rate=100)
    world.app("a")
    ill = world.app("b")
    world.endpoints(a="ready", b="ready")
    world.run(10)
    ill.die()
    world.run(15)
    world.endpoints(a="ready", b="unready")
    world.run(20)
    seconds = world.seconds()
    assert seconds[2:10] == [(100, 0)] * 8
    assert all(30 < lost < 70 for _, lost in seconds[10:15])
    assert seconds[16:] == [(100, 0)] * 4
    assert sum(sum(s) for s in seconds) == 2000


def test_an_answer_of_500_or_none_in_time_is_a_lost_request() -> None:
    world = World()
    app = world.app("a")
    world.endpoints(a="ready")
    world.run(5)
    app.set(500)
    world.run(8)
    app.set(302)
    world.run(10)
    app.delay = None
    app.interface.changed()
    world.run(12)
    assert world.seconds()[1:] == [(10, 0)] * 4 + [(0, 10)] * 3 + [(10, 0)] * 2 + [(0, 10)] * 2


def test_a_change_within_a_second_splits_it() -> None:
    world = World()
    app = world.app("a")
    world.endpoints(a="ready")
    world.run(5.45)
    app.set(500)
    world.run(7)
    assert world.seconds()[5:] == [(5, 5), (0, 10)]


def test_the_record_of_a_change_is_there_when_its_second_is_over() -> None:
    world = World()
    app = world.app("a")
    world.endpoints(a="ready")
    world.run(5.99)
    app.set(500)
    world.run(7)
    assert world.records[-1]["t"] == 6.0
    assert (world.records[-1]["served"], world.records[-1]["lost"]) == (0, 10)


def test_the_last_pod_still_gets_traffic_while_it_terminates() -> None:
    world = World()
    world.app("a")
    world.app("b")
    world.endpoints(a="leaving", b="ready")
    world.run(5)
    slices = world.store.list("EndpointSlice")
    assert [b.pod for b in backends(slices)] == ["b"]
    world.endpoints(a="leaving", b="unready")
    assert [b.pod for b in backends(world.store.list("EndpointSlice"))] == ["a"]
    world.run(10)
    assert world.seconds()[1:] == [(10, 0)] * 9


def test_a_node_without_power_answers_nobody() -> None:
    world = World()
    world.app("a")
    world.endpoints(a="ready")
    world.run(5)
    world.network.power("node-1", on=False)
    world.run(8)
    world.network.power("node-1", on=True)
    world.run(10)
    assert world.seconds()[1:] == [(10, 0)] * 4 + [(0, 10)] * 3 + [(10, 0)] * 2


@pytest.mark.parametrize("rate", [0.5, 1, 3, 2.5, 7, 1000])
def test_requests_are_evenly_spaced_at_any_rate(rate: float) -> None:
    world = World(rate=rate)
    world.run(20)
    seconds = world.seconds()
    assert len(seconds) == 20
    assert sum(lost for _, lost in seconds) == rate * 20


def test_settling_often_or_once_gives_the_same_seconds() -> None:
    results = []
    for often in (False, True):
        world = World(rate=20)
        world.app("a")
        ill = world.app("b")
        world.endpoints(a="ready", b="ready")
        world.run(3.3)
        ill.set(500)
        for tenth in range(34, 100):
            world.run(tenth / 10)
            if often:
                world.traffic.settle(world.clock.now)
        results.append(world.seconds())
    assert results[0] == results[1]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be"):
        World(rate=rate)


def test_after_stop_nothing_is_counted() -> None:
    world = World()
    world.run(3)
    world.traffic.stop()
    world.run(10)
    assert len(world.seconds()) == 3
    assert total(world.records) == (30, 0, 30)


def test_a_connection_to_a_services_address_reaches_a_ready_pod() -> None:
    world = World()
    proxy = ServiceProxy(world.store, world.network, world.chance)
    app = world.app("a")
    world.endpoints(a="ready")
    service = world.store.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    world.run(1)
    address = service["spec"]["clusterIP"]
    assert proxy.lookup("web") == proxy.lookup("web.default.svc.cluster.local") == address
    assert proxy.lookup("web", "shop") is None
    assert proxy.lookup("web.default", "shop") == address
    assert proxy.lookup("nobody") is None
    assert world.network.connect("node-1", address, 80) is app
    assert world.network.connect("node-1", address, 81) == "timeout"
    world.endpoints(a="unready")
    world.run(2)
    assert world.network.connect("node-1", address, 80) == "refused"


def test_users_behind_a_slow_way_in_are_sent_to_a_pod_that_has_gone() -> None:
    """The pod is deleted at 20 and obeys at once; the other one is well."""
    lost = {}
    for lag in (0, 3):
        cluster = Cluster(seed=1)
        app = [{"name": "app", "image": "selfheal/patient", "ports": [{"containerPort": 8080}]}]
        for name in ("a", "b"):
            meta = {"name": name, "labels": {"app": "web"}}
            cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": app}})
        ports = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
        cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": ports})
        cluster.run(until=10)
        cluster.traffic("web", 20, lag=lag)
        cluster.run(until=20)
        cluster.delete("pod/a")
        cluster.run(until=40)
        lost[lag] = total(cluster.timeline.select(kind="Traffic", since=20))[2]
    assert lost[0] <= 2
    assert 20 <= lost[3] <= 40, "half of the requests for three seconds"
