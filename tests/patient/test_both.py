"""The simulated patient and the real one: one table of requests, one of flags, and what both answer, say and do."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from selfheal import grpchealth
from selfheal.network import Response, Server
from selfheal.programs import health
from selfheal.programs.filesystem import Directory
from tests.patient.real import App, free_ports
from tests.programs.box import Box

REQUESTS = [
    ("GET", "/healthz"),
    ("GET", "/readyz?verbose=1"),
    ("GET", "/"),
    ("GET", "/nothing"),
    ("GET", "/switch?healthz=500"),
    ("POST", "/switch?healthz=500&nonsense=1"),
    ("POST", "/switch?healthz=99"),
    ("POST", "/switch?term=maybe"),
    ("POST", "/switch?work="),
    ("POST", "/switch?leak=much"),
    ("POST", "/switch?exit=256"),
    ("POST", "/switch?tcp=open"),
    ("POST", "/switch"),
    ("POST", "/switch?healthz=500"),
    ("GET", "/healthz"),
    ("GET", "/"),
    ("POST", "/switch?healthz=200&readyz=503"),
    ("GET", "/readyz"),
    ("GET", "/"),
    ("POST", "/switch?readyz=hang"),
    ("GET", "/readyz"),
    ("GET", "/"),
    ("GET", "/healthz"),
    ("POST", "/switch?work=204"),
    ("GET", "/"),
    ("POST", "/switch?work=599"),
    ("GET", "/"),
    ("POST", "/switch?readyz=200&work=auto"),
    ("GET", "/"),
    ("POST", "/switch?healthz=302"),
    ("GET", "/healthz"),
    ("POST", "/switch?healthz=200&term=ignore"),
    ("POST", "/switch?leak=1"),
    ("POST", "/switch?leak=0"),
    ("POST", "/switch?exit=7"),
]


def simulated(box: Box, method: str, path: str) -> tuple[int | str, str]:
    answer = box.http(path, box.wire["ports"][0]["containerPort"], method)
    assert isinstance(answer, Response)
    return ("hang", "") if answer.delay is None else (answer.status, "" if answer.status == 204 else answer.body)


def box(*flags: str, port: int, **fields: dict[str, Directory]) -> Box:
    args = ["--port", str(port), *flags]
    return Box(image="selfheal/patient:1", args=args, ports=[{"containerPort": port}], **fields)  # type: ignore[arg-type]


def test_every_request_is_answered_alike_and_every_line_is_the_same() -> None:
    with App() as app:
        twin = box(port=app.port).run(1)
        app.until(f"listening on port {app.port}")
        for method, path in REQUESTS:
            wanted = simulated(twin, method, path)
            assert app.ask(method, path, patience=0.4 if wanted[0] == "hang" else 10) == wanted, (method, path)
        assert app.end() == 7
        twin.run(2)
        assert twin.end is not None
        assert twin.end[1] == 7
        assert app.log == twin.log


@pytest.mark.parametrize(
    "flags",
    [
        ["--nonsense"],
        ["--port", "x"],
        ["--start", "-1"],
        ["--term=maybe"],
        ["--leak=-1"],
        ["--exit-after=5"],
        ["--healthz-after=5=1000"],
        ["extra"],
        ["--start"],
        ["check"],
        ["check", "pulse"],
        ["--help"],
    ],
)
def test_what_is_wrong_with_a_flag_is_said_alike(flags: list[str]) -> None:
    twin = Box(image="selfheal/patient:1", args=flags).run(1)
    with App() as app:
        app.process.kill()
    app.command[3:] = flags
    with app:
        assert app.end() == (twin.end or (0, None))[1]
        assert app.log == twin.log


def test_flags_act_in_time_and_alike() -> None:
    flags = ["--start=0.2", "--healthz-after", "0.8=500", "--readyz-after=0.6=503", "--exit-after=1.2=9"]
    with App(*flags) as app:
        twin = box(*flags, port=app.port).run(3)
        assert app.end() == 9
        assert app.log == twin.log
        assert twin.end == (1.2, 9, "Error")


@pytest.mark.parametrize(("term", "lines"), [("obey", []), ("3", ["TERM: ending in 3 s", "readyz answers 503"])])
def test_term_ends_it_with_0_at_once_or_after_a_time(term: str, lines: list[str]) -> None:
    with App("--term", term) as app:
        twin = box("--term", term, port=app.port).run(1)
        app.until(f"listening on port {app.port}")
        app.process.send_signal(signal.SIGTERM)
        twin.stop()
        if lines:
            app.until(lines[-1])
            assert app.ask("GET", "/readyz") == simulated(twin, "GET", "/readyz") == (503, "Service Unavailable\n")
            assert app.ask("GET", "/healthz")[0] == 200
        assert app.end() == 0
        twin.run(5)
        assert twin.end == (4 if lines else 1, 0, "Completed")
        assert app.log == twin.log == [f"listening on port {app.port}", *lines]


def test_term_that_is_ignored_needs_a_kill() -> None:
    with App("--term=ignore") as app:
        app.until(f"listening on port {app.port}")
        app.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert app.ask("GET", "/healthz")[0] == 200
        app.process.kill()
        assert app.end() == -signal.SIGKILL


def test_work_cut_off_is_done_again_before_it_is_ready(tmp_path: Path) -> None:
    with App("--unfinished-work=3", "--work-dir", str(tmp_path)) as app:
        port = app.port
        app.until(f"listening on port {port}")
        assert app.ask("GET", "/readyz")[0] == 200
    twin = box("--unfinished-work=3", port=port, mounts={"/work": Directory()}).run(1)
    twin.kill()
    twin.again().run(1.5)
    with App("--unfinished-work=3", "--work-dir", str(tmp_path), port=port) as app:
        app.until("the last instance left work unfinished: 3 s to do")
        assert app.ask("GET", "/readyz") == simulated(twin, "GET", "/readyz") == (503, "Service Unavailable\n")
        app.until("readyz answers 200")
        assert app.log == twin.run(5).log
        app.process.send_signal(signal.SIGTERM)
        assert app.end() == 0
    assert not any(tmp_path.iterdir())


def test_check_asks_the_app_beside_it() -> None:
    with App() as app:
        port = str(app.port)
        twin = box(port=app.port).run(1)
        app.until(f"listening on port {port}")
        for path in ("/switch", "/switch?readyz=503"):
            assert app.ask("POST", path) == simulated(twin, "POST", path)
            for words in (["--port", port], ["readyz", "--port", port], ["work", "--port", port]):
                run = twin.exec("/patient", "check", *words)
                assert app.check(*words) == (run.exit_code, run.output)
        assert app.check("readyz", "--port", port) == (1, "readyz 503\n")
        assert app.check("healthz", "--port", port) == (0, "healthz 200\n")
    run = twin.exec("/patient", "check", "--port", "1")
    assert app.check("--port", "1") == (run.exit_code, run.output) == (1, "patient: nobody listens on port 1\n")
    simulated(twin, "POST", "/switch?healthz=hang")
    assert not twin.exec("/patient", "check", "--port", port).done
    outcome = twin.probe({"exec": {"command": ["/patient", "check", "--port", port]}})
    assert outcome.output == f'command timed out: "/patient check --port {port}" timed out after 1s'


def test_the_tcp_port_opens_and_closes() -> None:
    tcp = free_ports(1)[0]
    with App("--tcp-port", str(tcp)) as app:
        twin = box("--tcp-port", str(tcp), port=app.port).run(1)
        app.until(f"listening on port {app.port}")
        for value in ("closed", "open", "closed"):
            assert app.ask("POST", f"/switch?tcp={value}") == simulated(twin, "POST", f"/switch?tcp={value}")
            met = twin.network.connect("node-1", "10.88.1.2", tcp)
            assert isinstance(met, Server) == (value == "open")
            time.sleep(0.1)
            with socket.socket() as client:
                client.settimeout(5)
                assert (client.connect_ex(("127.0.0.1", tcp)) == 0) == (value == "open")
        assert app.log == twin.log


def test_a_port_that_somebody_has_is_the_end() -> None:
    with App() as first:
        first.until(f"listening on port {first.port}")
        with App(port=first.port) as second:
            assert second.end() == 1
            assert second.log == [f"patient: port {first.port} is already in use"]


def test_grpc_health_is_that_of_http() -> None:
    grpc = pytest.importorskip("grpc")
    port = free_ports(1)[0]
    with App("--grpc-port", str(port)) as app:
        twin = box("--grpc-port", str(port), port=app.port).run(1)
        app.until(f"listening on port {app.port}")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(20)
            check = channel.unary_unary(f"/{grpchealth.SERVICE}/Check", grpchealth.request, grpchealth.status)
            watch = channel.unary_stream(f"/{grpchealth.SERVICE}/Watch", grpchealth.request, grpchealth.status)

            def told(service: str, patience: float = 20) -> str:
                try:
                    return str(check(service, timeout=patience))
                except grpc.RpcError as error:
                    return f"{error.code().name} {error.details()}"

            def foretold(service: str) -> str:
                action = {"grpc": {"port": port, "service": service}}
                return twin.probe(action).output

            for path in ("/switch", "/switch?readyz=503", "/switch?healthz=404&readyz=200"):
                assert app.ask("POST", path) == simulated(twin, "POST", path)
                for service in health.SERVICES:
                    answer = told(service)
                    expected = "service healthy" if answer == "SERVING" else f'(responded with "{answer}")'
                    assert foretold(service).endswith(expected), (path, service)
            assert (told("pulse"), foretold("pulse")) == (
                "NOT_FOUND unknown service",
                "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
            )
            unknown, watched = watch("pulse", timeout=20), watch("liveness", timeout=20)
            assert next(unknown) == "SERVICE_UNKNOWN"
            assert next(watched) == "NOT_SERVING"
            app.ask("POST", "/switch?healthz=200")
            assert next(watched) == "SERVING"
            app.ask("POST", "/switch?healthz=hang")
            simulated(twin, "POST", "/switch?healthz=hang")
            assert told("liveness", 0.5).startswith("DEADLINE_EXCEEDED")
            assert foretold("liveness") == "timeout: health rpc did not complete within 1s"
            unknown.cancel()
            watched.cancel()


def test_a_leak_takes_memory_until_its_limit_kills_it() -> None:
    twin = Box(image="selfheal/patient:1", args=["--leak", "10"], resources={"limits": {"memory": "64Mi"}}).run(20)
    assert twin.end is not None
    assert (twin.end[0], twin.end[2]) == (7, "OOMKilled")
    with App("--leak=30") as app:
        app.until("leaking 30 MiB a second")

        def held() -> int:
            status = Path(f"/proc/{app.process.pid}/status")
            if not status.exists():
                pytest.skip("no /proc here")
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
            return int(line.split()[1]) // 1024

        before = held()
        end = time.monotonic() + 20
        while held() - before < 55:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert held() - before <= 100
        app.ask("POST", "/switch?leak=0")


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    with App() as app:
        app.until(f"listening on port {app.port}")
        listening = Path("/proc/net/tcp")
        if not listening.exists():
            pytest.skip("no /proc here")
        where = [line.split()[1] for line in listening.read_text().splitlines() if f":{app.port:04X} 0" in line]
        assert where == [f"0100007F:{app.port:04X}"]
    assert "no probe could reach it" in Box(image="selfheal/patient", args=["--host", "127.0.0.1"]).log[0]


def test_whoever_hangs_up_or_speaks_nonsense_harms_nobody() -> None:
    with App() as app:
        app.until(f"listening on port {app.port}")
        for sent in (
            b"",
            b"\x16\x03\x01 nonsense\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"x" * 200_000,
        ):
            with socket.create_connection(("127.0.0.1", app.port), 5) as client:
                try:
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    client.recv(10)
                except OSError:
                    pass
        assert app.ask("GET", "/healthz") == (200, "OK\n")
        assert app.log == [f"listening on port {app.port}"]


def test_requests_without_an_answer_do_not_hold_up_its_end() -> None:
    with App() as app:
        app.until(f"listening on port {app.port}")
        app.ask("POST", "/switch?healthz=hang")
        with socket.create_connection(("127.0.0.1", app.port), 5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            time.sleep(0.2)
            app.process.send_signal(signal.SIGTERM)
            assert app.end() == 0
        assert app.log == [f"listening on port {app.port}", "healthz answers hang"]


def test_an_image_says_where_to_listen_before_all_else() -> None:
    with App("--host", "127.0.0.1") as app:
        app.until(f"listening on port {app.port}")
        app.command[3:] = ["--host", "0.0.0.0"]
        assert app.check("--port", str(app.port)) == (0, "healthz 200\n")


def test_its_image_holds_all_that_it_imports(tmp_path: Path) -> None:
    """The Dockerfile's COPY lines, done by hand: the program starts with nothing else of the package."""
    import re
    import shutil
    import subprocess
    import sys

    source = Path(health.__file__).parents[2]
    text = (source / "selfheal/patient/Dockerfile").read_text()
    for line in re.findall(r"^COPY (?:--\S+ )?(.+)$", text, re.MULTILINE):
        *files, target = line.split()
        if target.endswith("/"):
            folder = tmp_path / target.strip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for pattern in files:
                for file in source.glob(pattern):
                    shutil.copy(file, folder)
    env = {"PYTHONPATH": str(tmp_path / "app")}
    command = [sys.executable, "-m", "selfheal.patient", "--grpc-port", "1", "--exit-after=0.1=5", "--start=60"]
    where = [sys.executable, "-c", "import selfheal; print(selfheal.__file__)"]
    assert subprocess.run(where, check=False, env=env, capture_output=True, text=True).stdout.startswith(str(tmp_path))
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (5, "ending with exit code 5"), done.stderr
    assert "\nUSER 65532" in text
