"""Real probes and simulated ones: one table of what a server does, and the same verdict in the same words."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
import time
from pathlib import Path

import pytest

from selfheal import grpchealth, spec
from selfheal.clock import SECOND, Clock
from selfheal.network import GRPCError, Network, Response, Server
from selfheal.probers import exec as real_exec
from selfheal.probers import http as real_http
from selfheal.probers import tcp as real_tcp
from selfheal.probes import Outcome, http, tcp
from selfheal.probes import grpc as grpc_rules
from selfheal.probes.exec import expand
from tests.patient.real import free_ports
from tests.probers.servers import Handler, certificate, says, serve
from tests.programs.box import Box

IP = "127.0.0.1"


def told(outcome: Outcome) -> tuple[str, str, str | None]:
    """An outcome without what differs from run to run: ports and durations."""

    def plain(text: str) -> str:
        return re.sub(r"127\.0\.0\.1:\d+", "HERE", text)

    return outcome.result, plain(outcome.output), None if outcome.error is None else plain(outcome.error)


def really(url: str, timeout: int = 20 * SECOND, headers: tuple[tuple[str, str], ...] = ()) -> Outcome:
    return asyncio.run(real_http.probe(real_http.action(url, headers), timeout))


def simulated(answers: dict[str, Response], scheme: str = "HTTP", tls: bool = False) -> Outcome:
    class App(Server):
        def http(self, request: object) -> Response:
            return answers.get(request.path, Response(404))  # type: ignore[attr-defined]

    network = Network(Clock())
    network.attach(IP, "node-1")
    app = App()
    app.tls = tls
    network.listen(IP, 8080, app)
    outcome = http.probe(network, "node-1", spec.HTTPGetAction("/", 8080, IP, scheme, ()), (), IP, SECOND)
    assert isinstance(outcome, Outcome)
    return outcome


def plain(status: int, body: str = "", **headers: str) -> bytes:
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} Text\r\n{length}{told}\r\n{body}".encode()


OK = b"HTTP/1.1 200 OK\r\n"
FIVE = OK + b"Content-Length: 5\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
AWAY = "http://other.example/"
FRAME = (
    'net/http: HTTP/1.x transport connection broken: malformed HTTP response "'
    + 3 * "\\x00"
    + "\\x04"
    + 5 * "\\x00"
    + '"'
)


def body(status: int) -> str:
    return "" if status in (204, 304) else "body"


TABLE: list[tuple[str, Response, Handler]] = [
    *[
        (str(status), Response(status, body(status)), says(plain(status, body(status))))
        for status in (200, 204, 299, 300, 304, 399, 400, 404, 500, 503)
    ],
    ("10 KiB and more", Response(200, "x" * 20_000), says(plain(200, "x" * 20_000))),
    ("a body that does not end", Response(200, "x" * 20_000), says(OK + b"\r\n", then="for ever")),
    ("no length", Response(200, "hi"), says(b"HTTP/1.0 200 OK\r\n\r\nhi")),
    ("chunks", Response(200, "hello"), says(CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")),
    ("no headers in time", Response(200, delay=None), says(b"", then="wait")),
    ("headers that do not end", Response(200, delay=None), says(OK + b"X: y\r\n", then="wait")),
    ("a body that stalls", Response(200, stall_body=True), says(FIVE + b"hi", then="wait")),
    ("a short body", Response(200, "hi", body_cut=True), says(FIVE + b"hi")),
    ("a short chunk", Response(200, "hi", body_cut=True), says(CHUNKED + b"5\r\nhi")),
    ("nothing", Response(0, broken="EOF"), says(b"")),
    ("a frame of HTTP/2", Response(0, broken=FRAME), says(b"\0\0\0\x04\0\0\0\0\0")),
    ("another host", Response(302, "there", {"Location": AWAY}), says(plain(302, "there", Location=AWAY))),
    ("no way", Response(302, "where"), says(plain(302, "where"))),
    ("round and round", Response(301, "", {"Location": "/"}), says(plain(301, "", Location="/"))),
]


@pytest.mark.parametrize(("answer", "handler"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_http(answer: Response, handler: Handler) -> None:
    with serve(handler) as served:
        began = time.monotonic()
        waits = answer.delay is None or answer.stall_body
        outcome = really(f"http://{IP}:{served.port}/", SECOND if waits else 20 * SECOND)
        assert time.monotonic() - began < 15
    assert told(outcome) == told(simulated({"/": answer}))


def test_http_where_nobody_listens() -> None:
    port = free_ports(1)[0]
    network = Network(Clock())
    network.attach(IP, "node-1")
    wanted = http.probe(network, "node-1", spec.HTTPGetAction("/", port, IP, "HTTP", ()), (), IP, SECOND)
    assert isinstance(wanted, Outcome)
    assert told(really(f"http://{IP}:{port}/")) == told(wanted)
    assert told(asyncio.run(real_tcp.probe(IP, port, SECOND))) == told(
        tcp.probe(network, "node-1", spec.TCPSocketAction(port, IP), (), IP, SECOND)
    )
    assert really("http://no.such.host.invalid:80/").output.endswith(
        "dial tcp: lookup no.such.host.invalid: no such host"
    )


def test_tcp_connects_and_says_nothing() -> None:
    with serve(says(b"", then="wait"), read=True) as served:
        assert told(asyncio.run(real_tcp.probe(IP, served.port, SECOND))) == ("success", "", None)
        time.sleep(0.2)
        assert served.heads in ([], [b""])


def test_a_connection_that_nobody_takes_costs_the_timeout() -> None:
    """A queue of connections that is full: what is sent to it is lost, as by a half-open or a far host."""
    with socket.socket() as listener:
        listener.bind((IP, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex((IP, port))
        time.sleep(0.1)
        network = Network(Clock())  # nobody has that address: it leads nowhere
        for outcome, wanted in (
            (
                asyncio.run(real_tcp.probe(IP, port, SECOND)),
                tcp.probe(network, "node-1", spec.TCPSocketAction(port, "10.0.0.9"), (), "10.0.0.9", SECOND),
            ),
            (
                really(f"http://{IP}:{port}/", SECOND),
                http.probe(network, "node-1", spec.HTTPGetAction("/", port, "10.0.0.9", "HTTP", ()), (), IP, SECOND),
            ),
        ):
            assert isinstance(wanted, Outcome)
            assert outcome.output == wanted.output.replace("10.0.0.9", IP)
            assert "timeout" in outcome.output.lower()
        for client in waiting:
            client.close()


def test_a_request_is_that_of_the_kubelet_byte_for_byte() -> None:
    with serve(says(plain(200))) as served:
        really(f"http://{IP}:{served.port}/healthz?a=b", headers=(("x-probe", "1"), ("Accept", "")))
    wanted = f"GET /healthz?a=b HTTP/1.1\r\nHost: {IP}:{served.port}\r\nUser-Agent: kube-probe/1.36\r\n"
    assert served.heads == [f"{wanted}X-Probe: 1\r\nConnection: close\r\n\r\n".encode()]


def test_a_redirect_is_followed_with_a_connection_of_its_own() -> None:
    def handler(client, head: bytes) -> None:  # type: ignore[no-untyped-def]
        client.sendall(plain(302, Location="/new?x=1") if head.startswith(b"GET / ") else plain(200, "there"))

    with serve(handler) as served:
        assert told(really(f"http://{IP}:{served.port}/")) == ("success", "there", None)
    assert served.heads[1].startswith(b"GET /new?x=1 HTTP/1.1\r\n")
    assert f"Referer: http://{IP}:{served.port}/\r\n".encode() in served.heads[1]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", "unexpected EOF"),
        (b"HTTP/1.1 20 OK\r\n\r\n", 'malformed HTTP status code "20"'),
        (b"HTTP/1.1 abc OK\r\n\r\n", 'malformed HTTP status code "abc"'),
        (b"HTTX/1.1 200 OK\r\n\r\n", 'malformed HTTP version "HTTX/1.1"'),
        (b"hello\r\n", 'malformed HTTP response "hello"'),
        (b"\x15\x03\x01\x00\x02\x02F\n", 'malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02F"'),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed MIME header line: no colon"),
        (b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "malformed MIME header initial line:  X: y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 'bad Content-Length "x"'),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 'unsupported transfer encoding: "gzip"'),
    ],
)
def test_http_that_is_none_is_a_failure_in_gos_words(sent: bytes, text: str) -> None:
    with serve(says(sent)) as served:
        outcome = really(f"http://{IP}:{served.port}/")
    broken = f'Get "http://HERE/": net/http: HTTP/1.x transport connection broken: {text}'
    assert told(outcome) == ("failure", broken, None)


def test_an_answer_that_announces_another_is_read_over() -> None:
    with serve(
        says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + plain(200, "hi"))
    ) as served:
        assert told(really(f"http://{IP}:{served.port}/")) == ("success", "hi", None)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"])
def test_a_reset_is_told_with_both_ends(sent: bytes) -> None:
    with serve(says(sent, then="reset")) as served:
        outcome = really(f"http://{IP}:{served.port}/")
    text = "read tcp HERE->HERE: read: connection reset by peer"
    if sent:
        assert told(outcome) == ("failure", "", text)
    else:
        assert told(outcome) == ("failure", f'Get "http://HERE/": {text}', None)


def test_a_body_that_drips_costs_the_timeout_and_no_more() -> None:
    def drips(client, head: bytes) -> None:  # type: ignore[no-untyped-def]
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            client.sendall(b"x")
            time.sleep(0.05)

    with serve(drips) as served:
        began = time.monotonic()
        outcome = really(f"http://{IP}:{served.port}/", SECOND)
        assert 0.9 < time.monotonic() - began < 10
    assert outcome.error is not None
    assert outcome.error.endswith("while reading body)")


def test_tls_with_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    if context is None:
        pytest.skip("no openssl here")
    with serve(says(plain(200, "secret")), tls=context) as served:
        assert told(really(f"https://{IP}:{served.port}/", 20 * SECOND)) == ("success", "secret", None)
    with serve(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), read=False) as served:
        outcome = really(f"https://{IP}:{served.port}/", 20 * SECOND)
        wanted = simulated({}, scheme="HTTPS")
        assert told(outcome) == told(wanted)
    with serve(says(b""), read=False) as served:
        assert really(f"https://{IP}:{served.port}/", 20 * SECOND).result == "failure"
    with serve(says(b"", then="wait"), read=False) as served:
        assert really(f"https://{IP}:{served.port}/", SECOND).output.endswith("while awaiting headers)")


def test_http2_over_tls_where_the_server_wants_it(tmp_path: Path) -> None:
    pytest.importorskip("h2")
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import RequestReceived

    context = certificate(tmp_path)
    if context is None:
        pytest.skip("no openssl here")
    context.set_alpn_protocols(["h2"])
    ways = iter(("well", "well", "goaway", "half"))

    def speaks(client, head: bytes) -> None:  # type: ignore[no-untyped-def]
        way = next(ways)
        own = H2Connection(H2Configuration(client_side=False))
        own.initiate_connection()
        client.sendall(own.data_to_send())
        while data := client.recv(65536):
            for event in own.receive_data(data):
                if isinstance(event, RequestReceived):
                    asked.append(dict(event.headers))
                    if way == "goaway":
                        own.close_connection(1, last_stream_id=0)
                    else:
                        own.send_headers(1, [(":status", "200")])
                        own.send_data(1, b"two", end_stream=way == "well")
                    if way != "well":
                        client.sendall(own.data_to_send())
                        client.settimeout(0.3)  # what is left unread would make of the end a reset
                        with contextlib.suppress(OSError):
                            while client.recv(65536):
                                pass
                        return
            client.sendall(own.data_to_send())

    asked: list[dict[bytes, bytes]] = []
    with serve(speaks, tls=context, read=False) as served:
        url = f"https://{IP}:{served.port}/healthz"
        for _ in range(2):
            assert told(really(url, 20 * SECOND)) == ("success", "two", None)
        assert asked[0][b":path"] == b"/healthz"
        assert asked[0][b"user-agent"] == b"kube-probe/1.36"
        assert "http2: server sent GOAWAY and closed the connection; LastStreamID=0, ErrCode=PROTOCOL_ERROR" in (
            really(url, 20 * SECOND).output
        )
        assert really(url, 20 * SECOND).error == "unexpected EOF"


def test_bad_targets_are_refused() -> None:
    for url in ("ftp://x/", "http://x:0/", "http://x:y/", "http://a@b:80/", "http://::1:80/"):
        with pytest.raises(ValueError, match=r"scheme|HOST"):
            real_http.action(url)
    assert real_http.action("localhost:8080?a=b").path == "/?a=b"
    assert real_http.action("https://[::1]/x").host == "::1"
    assert real_http.action("https://[::1]/x").port == 443


COMMANDS = [
    ["sh", "-c", "exit 0"],
    ["sh", "-c", "echo out; echo err >&2; exit 3"],
    ["sh", "-c", "no-such-command-here 2>/dev/null"],
    ["sh", "-c", "head -c 20000 /dev/zero | tr '\\0' x"],
    ["sh", "-c", "kill -9 $$$$"],
    ["sleep", "5"],
    ["/no/such"],
    ["no-such-command-here"],
    ["/tmp"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(words)[:30] for words in COMMANDS])
def test_exec(command: list[str]) -> None:
    wanted = Box("sleep 100").run(1).probe({"exec": {"command": [expand(word, {}) for word in command]}})
    outcome = asyncio.run(real_exec.probe(command, SECOND if command[0] == "sleep" else 20 * SECOND))
    assert (outcome.result, outcome.output) == (wanted.result, wanted.output)
    if wanted.error is None:
        assert outcome.error is None
    else:  # a runtime says before it what it was about to do
        assert wanted.error.endswith(outcome.error or "-")


def test_a_command_meets_no_shell_and_knows_its_own_variables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "o")
    command = [sys.executable, "-c", "import os, sys; print(*sys.argv[1:], os.environ['OUTSIDE'], os.environ['OWN'])"]
    words = ["$HOME; `id`", "$(OWN)", "$(OUTSIDE)", "$$(OWN)"]
    outcome = asyncio.run(real_exec.probe([*command, *words], 20 * SECOND, {"OWN": "1"}))
    assert told(outcome) == ("success", "$HOME; `id` 1 $(OUTSIDE) $(OWN) o 1\n", None)


def test_a_child_in_the_background_is_not_waited_for() -> None:
    began = time.monotonic()
    outcome = asyncio.run(real_exec.probe(["sh", "-c", "sleep 30 & echo done"], 20 * SECOND))
    assert told(outcome) == ("success", "done\n", None)
    assert time.monotonic() - began < 15


def test_grpc() -> None:
    grpc = pytest.importorskip("grpc")
    from concurrent.futures import ThreadPoolExecutor

    from selfheal.probers import grpc as real_grpc

    answers: dict[str, str | GRPCError] = {
        "": "SERVING",
        "down": "NOT_SERVING",
        "odd": "UNKNOWN",
        "missing": GRPCError("NotFound", "unknown service"),
        "denied": GRPCError("PermissionDenied", "no"),
        "not": GRPCError("Unimplemented", "nope"),
        "slow": GRPCError("DeadlineExceeded", ""),
    }
    agents: list[str] = []

    def check(service: str, context) -> bytes:  # type: ignore[no-untyped-def]
        agents.append(dict(context.invocation_metadata())["user-agent"])
        answer = answers[service]
        if isinstance(answer, str):
            return grpchealth.response(answer)
        if answer.code == "DeadlineExceeded":
            time.sleep(1.5)
        code = next(code for code in grpc.StatusCode if real_grpc.go_code(code.name) == answer.code)
        context.abort(code, answer.message)
        raise AssertionError

    server = grpc.server(ThreadPoolExecutor(4))
    handler = grpc.unary_unary_rpc_method_handler(check, grpchealth.service)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(grpchealth.SERVICE, {"Check": handler})])
    port = server.add_insecure_port(f"{IP}:0")
    server.start()
    try:
        for service, answer in answers.items():
            wanted = grpc_rules.verdict(answer) if isinstance(answer, str) else grpc_rules.failed(answer, SECOND)
            patience = SECOND if service == "slow" else 20 * SECOND
            assert told(asyncio.run(real_grpc.probe(IP, port, service, patience))) == told(wanted), service
        assert agents[0].startswith("kube-probe/1.36 ")
        outcome = really(f"http://{IP}:{port}/", SECOND)
        assert outcome.result == "failure"  # HTTP/2 alone, and no TLS: malformed, or never answered
    finally:
        server.stop(None)
    for handling in (None, says(b"", then="wait"), says(plain(400))):
        wanted = grpc_rules.unconnected(f"{IP}:1", SECOND)
        if handling is None:
            outcome = asyncio.run(real_grpc.probe(IP, free_ports(1)[0], "", SECOND))
        else:
            with serve(handling, read=False) as served:
                outcome = asyncio.run(real_grpc.probe(IP, served.port, "", SECOND))
        assert told(outcome) == told(wanted)


def test_grpc_and_a_server_that_says_goaway() -> None:
    pytest.importorskip("grpc")
    from selfheal.probers import grpc as real_grpc

    settings, goaway = b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x08\x07\0\0\0\0\0" + b"\0\0\0\0" + b"\0\0\0\x00"

    def leaves(client, head: bytes) -> None:  # type: ignore[no-untyped-def]
        client.sendall(settings)
        client.recv(65536)
        client.sendall(goaway)

    with serve(leaves, read=False) as served:
        began = time.monotonic()
        outcome = asyncio.run(real_grpc.probe(IP, served.port, "", SECOND))
        assert time.monotonic() - began < 4
    assert outcome.result == "failure"
    assert re.match(r"timeout: |error: health rpc probe failed: rpc error: code = Unavailable desc = ", outcome.output)
