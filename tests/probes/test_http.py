"""The httpGet probe: verdicts and texts."""

from __future__ import annotations

import pytest
import simpy

from selfheal import spec
from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.network import Network, Request, Response, Server
from selfheal.probes import Outcome, http
from selfheal.spec import ContainerPort

IP = "10.88.1.2"


class App(Server):
    """Answers from a table of paths; ``seen`` are the requests."""

    def __init__(self, answers: dict[str, Response | simpy.Event]) -> None:
        self.answers = answers
        self.seen: list[Request] = []

    def http(self, request: Request) -> Response | simpy.Event:
        self.seen.append(request)
        return self.answers.get(request.path, Response(404))


class World:
    def __init__(self, *, port: int = 8080, tls: bool = False, **answers: Response | simpy.Event) -> None:
        self.clock = Clock()
        self.network = Network(self.clock)
        self.network.attach(IP, "node-1")
        self.app = App({f"/{name}".replace("_root", ""): answer for name, answer in answers.items()})
        self.app.tls = tls
        self.network.listen(IP, port, self.app)

    def probe(
        self,
        path: str = "/",
        port: int | str = 8080,
        *,
        host: str = "",
        scheme: str = "HTTP",
        headers: tuple[tuple[str, str], ...] = (),
        ports: tuple[ContainerPort, ...] = (),
        timeout: int = SECOND,
    ) -> Outcome:
        action = spec.HTTPGetAction(path, port, host, scheme, headers)
        found = http.probe(self.network, "node-1", action, ports, IP, timeout)
        if isinstance(found, simpy.Event):
            self.clock.run(self.clock.now + 10 * SECOND)
            found = found.value
        assert isinstance(found, Outcome)
        return found


@pytest.mark.parametrize(
    ("status", "result"),
    [(s, "success") for s in (200, 201, 204, 299)]
    + [(s, "warning") for s in (300, 301, 304, 305, 399)]
    + [(s, "failure") for s in (100, 400, 401, 404, 500, 503)],
)
def test_C42_the_status_decides(status: int, result: str) -> None:
    outcome = World(_root=Response(status, "body")).probe()
    assert (outcome.result, outcome.error) == (result, None)
    assert (
        outcome.output
        == {
            "success": "body",
            "warning": "Probe terminated redirects, Response body: body",
            "failure": f"HTTP probe failed with statuscode: {status}",
        }[result]
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ((), ["Host: 10.88.1.2:8080", "User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"]),
        (
            (("user-agent", "foo/1.0"),),
            ["Host: 10.88.1.2:8080", "User-Agent: foo/1.0", "Accept: */*", "Connection: close"],
        ),
        ((("User-Agent", ""), ("Accept", "")), ["Host: 10.88.1.2:8080", "Connection: close"]),
        (
            (("X-Probe", "one"), ("accept", "text/html"), ("x-probe", "two")),
            [
                "Host: 10.88.1.2:8080",
                "User-Agent: kube-probe/1.36",
                "Accept: text/html",
                "X-Probe: one",
                "X-Probe: two",
                "Connection: close",
            ],
        ),
    ],
)
def test_C43_headers(given: tuple[tuple[str, str], ...], sent: list[str]) -> None:
    world = World(_root=Response(200))
    world.probe(headers=given)
    assert [f"{name}: {value}" for name, value in world.app.seen[0].headers] == sent


def test_C44_a_host_header_changes_the_name_not_the_way() -> None:
    world = World(_root=Response(200))
    assert world.probe(headers=(("Host", "muffins.cupcakes.org"),)).result == "success"
    assert world.app.seen[0].header("Host") == "muffins.cupcakes.org"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("end", "result"), [(200, "success"), (500, "failure")])
def test_C45_a_redirect_on_the_same_host_is_followed(code: int, end: int, result: str) -> None:
    world = World(_root=Response(code, headers={"Location": "/new"}), new=Response(end))
    assert world.probe().result == result
    assert [request.path for request in world.app.seen] == ["/", "/new"]
    assert world.app.seen[1].header("Referer") == "http://10.88.1.2:8080/"


def test_C46_ten_redirects_are_too_many() -> None:
    world = World(_root=Response(302, headers={"Location": "/"}))
    outcome = world.probe()
    assert (outcome.result, outcome.error) == ("failure", None)
    assert outcome.output == 'Get "/": stopped after 10 redirects'
    assert len(world.app.seen) == 10


def test_C47_a_body_that_stalls_is_an_error() -> None:
    outcome = World(_root=Response(200, stall_body=True)).probe()
    assert outcome.result == "failure"
    assert outcome.error == ("context deadline exceeded (Client.Timeout or context cancellation while reading body)")
    assert outcome.duration == SECOND


def test_C48_a_certificate_is_not_looked_at() -> None:
    world = World(tls=True, _root=Response(200))
    assert world.probe(scheme="HTTPS").result == "success"
    assert world.probe(scheme="HTTP").output == "HTTP probe failed with statuscode: 400"


def test_https_against_plain_http() -> None:
    outcome = World(_root=Response(200)).probe(scheme="HTTPS")
    assert outcome.output == 'Get "https://10.88.1.2:8080/": http: server gave HTTP response to HTTPS client'


def test_a_redirect_to_another_host_is_a_warning_with_its_body() -> None:
    page = '<a href="http://0.0.0.0/">Found</a>.\n\n'
    outcome = World(_root=Response(302, page, {"Location": "http://0.0.0.0/"})).probe()
    assert (outcome.result, outcome.output) == ("warning", f"Probe terminated redirects, Response body: {page}")


def test_a_redirect_to_another_port_of_the_same_host_is_followed() -> None:
    world = World(_root=Response(302, headers={"Location": f"http://{IP}:9090/x"}))
    assert world.probe().output == f'Get "http://{IP}:9090/x": dial tcp {IP}:9090: connect: connection refused'
    other = App({"/x": Response(200)})
    world.network.listen(IP, 9090, other)
    assert world.probe().result == "success"
    assert other.seen[0].header("Host") == f"{IP}:9090"


def test_refused_and_silent() -> None:
    world = World()
    assert world.probe(port=81).output == f'Get "http://{IP}:81/": dial tcp {IP}:81: connect: connection refused'
    world.network.detach(IP)
    outcome = world.probe("/healthz")
    assert outcome.output == (
        f'Get "http://{IP}:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    )
    assert outcome.duration == SECOND


@pytest.mark.parametrize(
    ("delay", "result", "took"),
    [(0, "success", 0), (999, "success", 999), (1000, "failure", 1000), (None, "failure", 1000)],
)
def test_an_answer_must_come_before_the_timeout(delay: int | None, result: str, took: int) -> None:
    answer = Response(200, delay=None if delay is None else delay * MILLISECOND)
    outcome = World(_root=answer).probe()
    assert (outcome.result, outcome.duration) == (result, took * MILLISECOND)


def test_one_timeout_covers_all_redirects() -> None:
    slow = {"delay": 600 * MILLISECOND}
    world = World(
        _root=Response(302, headers={"Location": "/b"}, delay=600 * MILLISECOND), b=Response(200, delay=slow["delay"])
    )
    assert "Client.Timeout exceeded" in world.probe().output
    assert world.probe(timeout=2 * SECOND).result == "success"
    assert world.probe(timeout=2 * SECOND).duration == 1200 * MILLISECOND


def test_an_answer_that_nobody_can_foresee_is_waited_for() -> None:
    world = World()
    event = world.clock.event()
    world.app.answers["/"] = event
    world.clock.after(500 * MILLISECOND, lambda: event.succeed(Response(200, "late")))
    outcome = world.probe()
    assert (outcome.result, outcome.output, outcome.duration) == ("success", "late", 500 * MILLISECOND)
    assert not outcome.steady
    world.app.answers["/"] = world.clock.event()
    assert "Client.Timeout exceeded" in world.probe().output


def test_a_connection_that_breaks_is_a_failure() -> None:
    assert World(_root=Response(0, broken="EOF")).probe().output == f'Get "http://{IP}:8080/": EOF'


def test_only_ten_kibibytes_of_a_body_are_kept() -> None:
    assert len(World(_root=Response(200, "x" * 20_000)).probe().output) == 10 * 1024


def test_named_ports() -> None:
    ports = (ContainerPort("http", 8080, "TCP", 0), ContainerPort("closed", 81, "TCP", 0))
    world = World(_root=Response(200))
    assert world.probe(port="http", ports=ports).result == "success"
    assert world.probe(port="closed", ports=ports).output.endswith("dial tcp 10.88.1.2:81: connect: connection refused")
    assert world.probe(port="8080").result == "success"
    for port, error in (("nope", 'strconv.Atoi: parsing "nope": invalid syntax'), ("0", "invalid port number: 0")):
        outcome = world.probe(port=port, ports=ports)
        assert (outcome.result, outcome.output, outcome.error) == ("unknown", "", error)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("healthz", "/healthz"),
        ("/a?b=c", "/a?b=c"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/%zz", "/%25zz"),
        ("/é", "/%C3%A9"),
    ],
)
def test_paths_are_taken_leniently(path: str, sent: str) -> None:
    world = World()
    world.probe(path)
    assert world.app.seen[0].path == sent


def test_a_host_is_another_place_and_localhost_is_the_node() -> None:
    world = World(_root=Response(200))
    outcome = world.probe(host="127.0.0.1")
    assert outcome.output == 'Get "http://127.0.0.1:8080/": dial tcp 127.0.0.1:8080: connect: connection refused'
    assert not outcome.steady
    assert world.probe(host="shop.example").output == (
        'Get "http://shop.example:8080/": dial tcp: lookup shop.example: no such host'
    )


def test_an_answer_that_may_differ_next_time_is_not_steady() -> None:
    assert World(_root=Response(200)).probe().steady
    assert not World(_root=Response(200, steady=False)).probe().steady
