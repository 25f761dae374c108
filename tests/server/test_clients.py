"""The clients that people use: kubectl and the Python client, against a running emulator."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli import main
from selfheal.clock import SECOND
from selfheal.server import Emulator
from tests.server import kubectls
from tests.server.api import deployment, pod

KUBECTL = shutil.which(os.environ.get("KUBECTL", "kubectl"))
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="no kubectl on the PATH")

MANIFEST = Path(__file__).parents[1] / "kubectl" / "manifest.yaml"


class Kubectl:
    """A kubectl with an emulator behind it; called, it gives what was printed."""

    def __init__(self, kubeconfig: Path, folder: Path, program: str | None = KUBECTL) -> None:
        self._program = program
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(folder), "TMPDIR": str(folder)}
        self.code = 0

    def start(self, *words: str) -> subprocess.Popen[str]:
        assert self._program is not None
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [self._program, *words], env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def __call__(self, line: str, stdin: str = "") -> str:
        process = self.start(*line.split(" "))
        out, err = process.communicate(stdin, timeout=60)
        self.code = process.returncode
        return out + err.removeprefix("Warning: ") if out else err


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(nodes=3, speed=10, kubeconfig=tmp_path / "kubeconfig").running() as running:
        yield running


@pytest.fixture
def kubectl(emulator: Emulator, tmp_path: Path) -> Kubectl:
    return Kubectl(emulator.kubeconfig, tmp_path)


@pytest.fixture
def kubernetes(emulator: Emulator) -> Iterator[Any]:
    """The Python client, which leaves its sockets to the garbage collector."""
    package = pytest.importorskip("kubernetes")
    package.config.load_kube_config(str(emulator.kubeconfig))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield package
        for thread in threading.enumerate():
            if thread.name.startswith("Kubernetes port forward proxy"):
                thread.join(10)
        gc.collect()


@needs_kubectl
def test_a_session_with_kubectl(kubectl: Kubectl) -> None:
    session(kubectl)


@pytest.mark.nightly
@pytest.mark.parametrize("version", kubectls.VERSIONS)
def test_a_session_with_kubectl_of_other_versions(version: str, emulator: Emulator, tmp_path: Path) -> None:
    session(Kubectl(emulator.kubeconfig, tmp_path, kubectls.kubectl(version)))


def session(kubectl: Kubectl) -> None:
    assert kubectl("create namespace demo") == "namespace/demo created\n"
    assert kubectl("config set-context --current --namespace=demo") == 'Context "selfheal" modified.\n'
    created = kubectl(f"apply -f {MANIFEST}")
    assert created.splitlines()[:3] == ["pod/liveness-exec created", "pod/crash created", "deployment.apps/web created"]
    assert kubectl("wait --for=condition=Ready pod/liveness-exec --timeout=30s") == "pod/liveness-exec condition met\n"
    assert set(kubectl(f"apply -f {MANIFEST}").split()[1::2]) == {"unchanged"}
    assert kubectl("rollout status deployment/api").endswith('deployment "api" successfully rolled out\n')
    nodes = kubectl("get nodes").splitlines()
    assert [line.split()[:2] for line in nodes[1:]] == [[f"node-{n}", "Ready"] for n in (1, 2, 3)]
    assert kubectl("run box --image=busybox:1.36 -- sleep 1000000") == "pod/box created\n"
    kubectl("wait --for=condition=Ready pod/box --timeout=30s")
    assert kubectl("exec box -- hostname") == "box\n"
    assert "command terminated with exit code 1" in kubectl("exec box -- cat /nope")
    assert kubectl("exec -i box -- cat", "typed\n") == "typed\n"
    assert kubectl("exec -i box -- sh", "echo one\nread x\nhello\necho got $x\n") == "one\ngot hello\n"
    assert kubectl("logs crash") == "boom\n"
    typed = kubectl("run typed -i --rm --image=busybox:1.36 --restart=Never -- sh", "read x\nabc\necho got $x\n")
    assert "got abc\n" in typed
    assert "one\n" in kubectl("debug box -i --image=busybox:1.36 -- sh", "echo one\nexit\n")
    assert kubectl("scale deploy/api --replicas=3") == "deployment.apps/api scaled\n"
    assert kubectl("label pod crash a=b") == "pod/crash labeled\n"
    assert kubectl('patch deploy api -p {"spec":{"minReadySeconds":1}}') == "deployment.apps/api patched\n"
    described = kubectl("describe pod liveness-exec")
    assert "Liveness:" in described
    assert "Successfully assigned demo/liveness-exec" in described
    assert kubectl("auth can-i delete pods") == "yes\n"
    assert "GRPC specifies a GRPC HealthCheckRequest." in kubectl("explain pod.spec.containers.livenessProbe.grpc")
    assert kubectl("cordon node-1") == "node/node-1 cordoned\n"
    drained = kubectl("drain node-3 --ignore-daemonsets --delete-emptydir-data --force --timeout=30s")
    assert "node/node-3 drained\n" in drained
    assert kubectl("delete deployment web").startswith('deployment.apps "web" deleted')
    assert kubectl("get pod nope") == 'Error from server (NotFound): pods "nope" not found\n'
    assert kubectl.code == 1


def test_the_python_client(kubernetes: Any) -> None:
    core, apps = kubernetes.client.CoreV1Api(), kubernetes.client.AppsV1Api()
    assert kubernetes.client.VersionApi().get_code().git_version == "v1.36.2"
    apps.create_namespaced_deployment("default", deployment())
    core.create_namespaced_pod("default", pod())
    watch, ready = kubernetes.watch.Watch(), set()
    for event in watch.stream(core.list_namespaced_pod, "default", timeout_seconds=30):
        conditions = {c.type: c.status for c in event["object"].status.conditions or ()}
        if conditions.get("Ready") == "True":
            ready.add(event["object"].metadata.name)
        if len(ready) == 3:
            watch.stop()
    assert [n.metadata.name for n in core.list_node().items] == ["node-1", "node-2", "node-3"]
    apps.patch_namespaced_deployment("web", "default", {"spec": {"replicas": 3}})
    assert apps.read_namespaced_deployment_scale("web", "default").spec.replicas == 3
    stream = kubernetes.stream.stream
    assert stream(core.connect_get_namespaced_pod_exec, "app", "default", command=["echo", "hi"], stdout=True) == "hi\n"
    typing = stream(
        core.connect_get_namespaced_pod_exec,
        "app",
        "default",
        command=["sh"],
        stdin=True,
        stdout=True,
        tty=True,
        _preload_content=False,
    )
    for keys in ("cd /tmp\r", "echo a\x7fb\r", "sleep 1000\r", "\x03", "exit 3\r"):
        typing.write_stdin(keys)
    typing.run_forever(timeout=20)
    assert typing.returncode == 3
    said = typing.read_stdout()
    assert said.startswith("/ # cd /tmp\r\n/tmp # echo a\b \bb\r\nb\r\n/tmp # sleep 1000\r\n^C\r\n/tmp # ")
    with pytest.raises(kubernetes.client.ApiException) as caught:
        core.read_namespaced_pod("nope", "default")
    assert caught.value.status == 404
    assert core.delete_namespaced_pod("app", "default", grace_period_seconds=0).metadata.name == "app"


@needs_kubectl
def test_a_forwarded_port_reaches_a_simulated_program(kubectl: Kubectl) -> None:
    kubectl("create deployment web --image=nginx:1.27 --port=80")
    kubectl("wait --for=condition=Available deploy/web --timeout=30s")
    process = kubectl.start("port-forward", "deploy/web", ":80", ":81")
    assert process.stdout is not None
    open_port, closed_port = (
        int(line.split(" ->")[0].rpartition(":")[2])
        for line in (process.stdout.readline() for _ in range(4))
        if "127.0.0.1" in line
    )
    connection = HTTPConnection("127.0.0.1", open_port, timeout=20)
    for path, status in (("/", 200), ("/nope", 404)):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Server"]) == (status, "nginx")
        answer.read()
    connection.close()
    connection = HTTPConnection("127.0.0.1", closed_port, timeout=20)
    connection.request("GET", "/")
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        connection.getresponse()
    connection.close()
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert "dial tcp4 127.0.0.1:81: connect: connection refused" in err


def test_a_forwarded_port_of_the_python_client(kubernetes: Any) -> None:
    core = kubernetes.client.CoreV1Api()
    made = {"name": "web", "image": "nginx:1.27"}
    core.create_namespaced_pod("default", {**pod("web"), "spec": {"containers": [made]}})
    for _ in range(100):
        if core.read_namespaced_pod("web", "default").status.phase == "Running":
            break
        time.sleep(0.1)
    forward = kubernetes.stream.portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports="80")
    socket = forward.socket(80)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    found = b""
    while chunk := socket.recv(4096):
        found += chunk
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert forward.error(80) is None
    forward.close()


def test_up_prints_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "selfheal.cli", "up", "--quiet", "--kubeconfig", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"export KUBECONFIG={path}\n"
    assert path.exists()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not path.exists()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with Emulator(kubeconfig=tmp_path / "kubeconfig").running() as running:
        port = int(running.address.rpartition(":")[2])
        other = Emulator(port=port, kubeconfig=tmp_path / "other")
        with pytest.raises(OSError, match="address already in use"), other.running():
            pass
    assert not list(tmp_path.iterdir())


def test_only_loopback() -> None:
    with pytest.raises(ValueError, match="not on this machine alone"):
        Emulator(host="0.0.0.0")


def test_time_goes_at_the_speed_asked_for(tmp_path: Path) -> None:
    with Emulator(speed=50, kubeconfig=tmp_path / "kubeconfig").running() as running:
        begin, real = running.time.cluster_now(), time.monotonic()
        time.sleep(0.4)
        passed, took = (running.time.cluster_now() - begin) / SECOND, time.monotonic() - real
    assert 0 < passed <= took * 50 + 1


def test_a_running_cluster_is_advanced_asked_and_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = ["--kubeconfig", str(tmp_path / "kubeconfig")]
    with Emulator(nodes=2, speed=0, kubeconfig=tmp_path / "kubeconfig").running() as running:
        before = running.time.cluster_now()
        assert main(["advance", "1h30m", *named]) == 0
        assert running.time.cluster_now() - before == 5400 * SECOND
        assert main(["status", *named]) == 0
        assert "nodes: 2 of 2 ready; pods: 0 of 0 ready" in capsys.readouterr().out
        assert main(["down", *named]) == 0
        while (tmp_path / "kubeconfig").exists():
            time.sleep(0.01)
    assert main(["status", *named]) == 2
    assert main(["down"]) == 2
    with pytest.raises(SystemExit):
        main(["advance", "soon", *named])
