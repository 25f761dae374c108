"""Addresses, open ports, and who can reach whom."""

from __future__ import annotations

import pytest

from selfheal.clock import Clock
from selfheal.network import Addresses, Interface, Network, Request, Response, Server


class Hello(Server):
    def http(self, request: Request) -> Response:
        return Response(200, f"hello {request.source}")


@pytest.fixture
def network() -> Network:
    network = Network(Clock())
    network.attach("172.18.0.2", "node-1")
    network.attach("172.18.0.3", "node-2")
    network.attach("10.88.1.2", "node-1")
    network.attach("10.88.2.2", "node-2")
    network.listen("10.88.2.2", 80, Hello())
    return network


def test_an_open_port_answers_a_closed_one_refuses_and_nobody_is_silence(network: Network) -> None:
    assert isinstance(network.connect("node-1", "10.88.2.2", 80), Hello)
    assert network.connect("node-1", "10.88.2.2", 81) == "refused"
    assert network.connect("node-1", "10.88.2.99", 80) == "timeout"


def test_a_port_can_be_open_once(network: Network) -> None:
    assert not network.listen("10.88.2.2", 80, Server())
    network.close("10.88.2.2", 80)
    assert network.listen("10.88.2.2", 80, Server())


def test_an_address_that_goes_takes_its_ports_along(network: Network) -> None:
    network.detach("10.88.2.2")
    assert network.connect("node-1", "10.88.2.2", 80) == "timeout"
    network.attach("10.88.2.2", "node-1")
    assert network.connect("node-1", "10.88.2.2", 80) == "refused"


def test_a_node_without_power_answers_nothing_and_asks_nothing(network: Network) -> None:
    network.power("node-2", on=False)
    assert network.connect("node-1", "10.88.2.2", 80) == "timeout"
    assert network.connect("node-1", "172.18.0.3", 80) == "timeout"
    assert network.connect("node-2", "10.88.1.2", 80) == "timeout"
    assert network.connect("node-1", "10.88.1.2", 80) == "refused"
    network.power("node-2", on=True)
    assert isinstance(network.connect("node-1", "10.88.2.2", 80), Hello)


def test_a_partition_parts_nodes_not_what_is_on_one(network: Network) -> None:
    network.parted = lambda a, b: {a, b} == {"node-1", "node-2"}
    assert network.connect("node-1", "10.88.2.2", 80) == "timeout"
    assert network.connect("10.88.1.2", "10.88.2.2", 80) == "timeout"
    assert isinstance(network.connect("node-2", "10.88.2.2", 80), Hello)


def test_localhost_is_oneself(network: Network) -> None:
    for name in ("localhost", "127.0.0.1", "0.0.0.0"):
        assert isinstance(network.connect("10.88.2.2", name, 80), Hello)
        assert network.connect("10.88.1.2", name, 80) == "refused"
        assert network.connect("node-2", name, 80) == "refused"


def test_names_and_services_are_others_business(network: Network) -> None:
    assert network.request("10.88.1.2", "web", 80, Request()) == "timeout"
    network.lookup = lambda name, _: {"web": "10.96.0.9"}.get(name)
    network.forward = lambda _, ip, port: ("10.88.2.2", port) if ip == "10.96.0.9" else None
    answer = network.request("10.88.1.2", "web", 80, Request())
    assert isinstance(answer, Response)
    assert answer.body == "hello 10.88.1.2"
    network.forward = lambda *_: "refused"
    assert network.request("10.88.1.2", "web", 80, Request()) == "refused"


def test_whoever_watches_an_address_hears_of_its_ports(network: Network) -> None:
    interface = Interface(network, "10.88.1.2")
    heard: list[str] = []
    interface.watchers.append(lambda: heard.append("inside"))
    end = network.observe("10.88.1.2", lambda: heard.append("outside"))
    interface.listen(80, Server())
    interface.close(80)
    assert heard == ["inside", "outside"] * 2
    end()
    interface.listen(80, Server())
    assert heard[4:] == ["inside"]


def test_addresses_count_up_and_come_again_only_after_all_others() -> None:
    addresses = Addresses("10.88.1.0/24")
    assert [addresses.allocate() for _ in range(3)] == ["10.88.1.2", "10.88.1.3", "10.88.1.4"]
    addresses.release("10.88.1.3")
    assert addresses.allocate() == "10.88.1.5"
    rest = [addresses.allocate() for _ in range(253 - 4 + 1)]
    assert rest[-1] == "10.88.1.3"
    assert rest[-2] == "10.88.1.254"
    with pytest.raises(RuntimeError, match="no IP addresses available"):
        addresses.allocate()


def test_a_request_as_text() -> None:
    request = Request("GET", "/a?b=c&d=&b=e", (("Host", "x"), ("X-Probe", "1"), ("X-Probe", "2")))
    assert request.text() == "GET /a?b=c&d=&b=e HTTP/1.1\r\nHost: x\r\nX-Probe: 1\r\nX-Probe: 2\r\n\r\n"
    assert (request.route, request.query()) == ("/a", {"b": "c", "d": ""})
    assert (request.header("x-probe"), request.header("nope")) == ("1", None)
