"""Which cluster a lab takes: one of its own, or one that was named; and not one request to any other."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfheal.labs import Lab
from selfheal.labs.context import PIN, on_loopback, resolve
from selfheal.labs.errors import LabError, Unsafe

MANIFEST = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "app"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}


class Counting:
    """A server that counts: requests, and connections too, since a handshake tells already."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[str] = []
        counting = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                counting.connections += 1
                super().setup()

            def handle_one_request(self) -> None:
                super().handle_one_request()
                counting.requests.append(getattr(self, "path", "?"))

            def do_GET(self) -> None:
                self.send_error(500)

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def fake() -> Iterator[Counting]:
    server = Counting()
    yield server
    server.server.shutdown()
    server.server.server_close()


def config(current: str, server: str, **cluster: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": current, "context": {"cluster": "c", "user": "u"}}],
    }


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def use(*configs: dict[str, Any]) -> list[Path]:
        paths = [tmp_path / f"config-{i}" for i in range(len(configs))]
        for path, content in zip(paths, configs, strict=True):
            path.write_text(json.dumps(content))
        monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, paths)))
        return paths

    return use


@pytest.mark.parametrize(
    "name", ["prod", "arn:aws:eks:eu-west-1:1:cluster/kind-x", "minikube", "docker-desktop", "kin"]
)
def test_a_current_context_of_another_kind_gets_no_request(use: Any, fake: Counting, name: str) -> None:
    use(config(name, fake.url))
    with pytest.raises(Unsafe, match="No request was made"):
        Lab("liveness", MANIFEST).run()
    assert (fake.connections, fake.requests) == (0, [])


@pytest.mark.parametrize("name", ["kind-x", "selfheal"])
@pytest.mark.parametrize("host", ["10.0.0.7", "example.com", "localhost.example.com", "0.0.0.0", "127.0.0.1.nip.io"])
def test_a_name_is_not_enough(use: Any, fake: Counting, name: str, host: str) -> None:
    use(config(name, f"http://{host}:{fake.port}"))
    with pytest.raises(Unsafe, match="No request was made"):
        Lab("liveness", MANIFEST).run()
    assert fake.connections == 0


def test_a_proxy_may_lead_anywhere(use: Any, fake: Counting) -> None:
    use(config("kind-x", "https://127.0.0.1:6443", **{"proxy-url": fake.url}))
    with pytest.raises(Unsafe, match="behind a proxy"):
        Lab("liveness", MANIFEST).run()
    assert fake.connections == 0


def test_a_named_context_is_asked(use: Any, fake: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    use(config("prod", fake.url))
    monkeypatch.setenv("LAB_CONTEXT", "prod")
    lab = Lab("liveness", MANIFEST)
    assert lab.context.sort == "named"
    with pytest.raises(LabError):
        lab.run()
    assert fake.connections > 0


def test_a_context_that_is_not_there(use: Any, fake: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    use(config("kind-x", fake.url))
    monkeypatch.setenv("LAB_CONTEXT", "kind-y")
    with pytest.raises(LabError, match=r'no context "kind-y".*there are: kind-x'):
        Lab("liveness", MANIFEST)
    assert fake.connections == 0


def test_the_choice_holds_for_the_process_and_its_children(use: Any, fake: Counting) -> None:
    [path] = use(config("kind-x", fake.url))
    lab = Lab("liveness", MANIFEST)
    assert (lab.context.name, lab.context.sort) == ("kind-x", "kind")
    private = Path(os.environ["KUBECONFIG"])
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    path.write_text(json.dumps(config("prod", "https://prod.example")))  # somebody moves on
    assert Lab("readiness", MANIFEST).context == lab.context
    ask = "from selfheal.labs.context import resolve; print(resolve().server)"
    child = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == fake.url
    PIN.release()
    assert not private.exists()
    assert os.environ["KUBECONFIG"] == str(path)


def test_files_are_read_as_kubectl_reads_them(use: Any, tmp_path: Path) -> None:
    first = config("kind-a", "https://127.0.0.1:1", **{"certificate-authority": "ca.pem"})
    use(first, config("prod", "https://prod.example"))
    context = resolve()
    assert context.name == "kind-a"
    assert context.config["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.pem")
    assert "prod" not in json.dumps(context.config)


@pytest.mark.parametrize("content", ["- a list", "{", "current-context: kind-x", ""])
def test_what_is_no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "config").write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(LabError):
        resolve()


def test_no_kubeconfig_at_all() -> None:
    with pytest.raises(LabError, match="selfheal labs up"):
        resolve()


def test_a_notebook_shows_one_line_and_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("from selfheal.labs.errors import Unsafe")
    told: list[str] = []
    shell._showtraceback = lambda _kind, _error, text: told.extend(text)
    shell.run_cell("raise Unsafe('No request was made.')")
    assert told == ["Unsafe: No request was made."]


def test_addresses_of_this_machine() -> None:
    yes = ["https://127.0.0.1:6443", "https://127.8.0.1", "https://[::1]:6443", "https://localhost:1"]
    no = ["https://localhost.example", "https://[::]:1", "https://128.0.0.1", "127.0.0.1:6443", "https://[::1", ""]
    assert all(map(on_loopback, yes))
    assert not any(map(on_loopback, no))
