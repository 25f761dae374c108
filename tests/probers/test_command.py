"""``selfheal probe``: what it prints, and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from selfheal.cli import main
from tests.patient.real import free_ports
from tests.probers.servers import says, serve

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["probe", *words])
    found = capsys.readouterr()
    return code, found.out + found.err


def test_a_success_a_warning_a_failure_and_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(says(WELL)) as served:
        code, text = run(capsys, "http", f"127.0.0.1:{served.port}/healthz")
        assert (code, text.splitlines()[1:]) == (0, ["ok"])
        assert text.startswith("success after ")
        assert run(capsys, "tcp", f"127.0.0.1:{served.port}")[0] == 0
    with serve(says(b"HTTP/1.1 304 Not Modified\r\n\r\n")) as served:
        code, text = run(capsys, "http", f"http://127.0.0.1:{served.port}", "--as", "startup")
        assert (code, text.splitlines()[1]) == (
            0,
            "Warning  ProbeWarning  Startup probe warning: Probe terminated redirects, Response body: ",
        )
    with serve(says(b"HTTP/1.1 503 Sorry\r\n\r\n")) as served:
        code, text = run(capsys, "http", f"http://127.0.0.1:{served.port}", "--as", "readiness")
        assert (code, text.splitlines()[1]) == (
            1,
            "Warning  Unhealthy  Readiness probe failed: HTTP probe failed with statuscode: 503",
        )
    with serve(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")) as served:
        code, text = run(capsys, "http", f"http://127.0.0.1:{served.port}", "--json")
        found = json.loads(text)
        assert code == 3
        assert (found["result"], found["counted"], found["attempts"]) == ("failure", False, 3)
        assert len(served.heads) == 3
        told = "Liveness probe errored and resulted in failure state: unexpected EOF"
        assert found["event"] == {"type": "Warning", "reason": "Unhealthy", "message": told}


def test_headers_and_variables_are_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with serve(says(WELL)) as served:
        run(capsys, "http", f"127.0.0.1:{served.port}", "--header", "Host: shop.example", "--header", "User-Agent:")
    assert b"Host: shop.example\r\nAccept: */*\r\n" in served.heads[0]
    code, text = run(
        capsys, "exec", "--json", "--env=A=1", "--workdir", str(tmp_path), "--", "echo", "$(A)", "--x", ";"
    )
    assert (code, json.loads(text)["output"]) == (0, "1 --x ;\n")
    assert run(capsys, "exec", "--", "/no/such")[0] == 3
    assert run(capsys, "exec", "--", "false")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ["http", "ftp://x"],
        ["tcp", "nowhere"],
        ["tcp", "x:99999"],
        ["grpc", "x"],
        ["http", "x:1", "--timeout", "0"],
        ["http", "x:1", "--timeout", "1.5"],
        ["http", "x:1", "--header", "bad name: x"],
        ["exec", "--env", "x", "--", "true"],
        ["exec"],
        ["udp", "x:1"],
        [],
    ],
)
def test_bad_input_probes_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["probe", *words])
    except SystemExit as end:
        code = int(end.code or 0)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1


def test_grpc_needs_its_extra_and_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports(1)[0]
    if "grpc" not in sys.modules:
        pytest.importorskip("grpc")
    assert run(capsys, "grpc", f"127.0.0.1:{port}", "--service", "x")[0] == 1
    monkeypatch.delitem(sys.modules, "selfheal.probers.grpc")
    monkeypatch.delattr("selfheal.probers.grpc")
    monkeypatch.setitem(sys.modules, "grpc", None)
    assert run(capsys, "grpc", f"127.0.0.1:{port}") == (
        2,
        'selfheal: a gRPC probe needs grpcio: pip install "selfheal[probe]"\n',
    )


def test_the_command_loads_no_event_loop_before_it_probes() -> None:
    import subprocess

    code = (
        "import sys; import selfheal.probers.command; print([m for m in ('asyncio', 'grpc', 'h2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
