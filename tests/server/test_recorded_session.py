"""A session with kubectl, against what a real cluster made kubectl print: tests/kubectl, names and ages masked.

With the kubectl of the machine, or the one that KUBECTL names, and with those of other versions; texts that are
kubectl's own are compared if it is a 1.36, as the recorded one was.
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.server import Emulator
from tests.server import kubectls
from tests.server.test_clients import KUBECTL, MANIFEST, Kubectl, needs_kubectl

SAID = Path(__file__).parents[1] / "kubectl"
INVALID = sorted(path.stem for path in (SAID / "invalid").glob("*.yaml"))

MASKS = (
    (r"\d+\.\d+\.\d+\.\d+", "IP"),
    (r"\(\d+[dhms]\d*[dhms]? ago\)", "(AGO)"),
    (r"(?<![\w.-])\d+[dhms](\d+[hms])?(?![\w.-])", "AGE"),
    (r"\b(web|api)-[0-9a-f]{8,10}\b", r"\1-HASH"),
    (r"-HASH-[a-z0-9]{5}\b", "-HASH-NAME"),
    (r"\b(agent|fail|api)-[a-z0-9]{5}\b", r"\1-NAME"),
    (r"pod-template-hash=[0-9a-f]+", "pod-template-hash=HASH"),
    (r"(controller-uid|batch.kubernetes.io/controller-uid)=[-0-9a-f]+", r"\1=UID"),
    (r" +", " "),
)


def masked(text: str) -> list[str]:
    """Lines without what chance decides, sorted: generated names stand in any order."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return sorted(line.rstrip() for line in text.splitlines() if line.strip())


class Session:
    """A kubectl in the namespace of the recording, and a clock that waits for it."""

    def __init__(self, emulator: Emulator, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self._emulator = emulator
        trust = ssl.create_default_context(cadata=_authority(emulator))
        self._open = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust)).open
        self.version = json.loads(kubectl("version --client -o json"))["clientVersion"]["minor"]

    def clock(self, **wanted: float) -> Any:
        headers = {"Authorization": f"Bearer {self._emulator.token}", "Content-Type": "application/json"}
        url = f"{self._emulator.address}/selfheal/clock"
        request = urllib.request.Request(url, json.dumps(wanted).encode(), headers)
        with self._open(request) as answer:
            return json.load(answer)

    def compare(self, name: str) -> None:
        """Do what a transcript begins with, and compare what comes."""
        command, _, said = (SAID / f"{name}.txt").read_text().partition("\n")
        line = command.removeprefix("$ kubectl ").replace("trans.yaml", str(MANIFEST))
        process = self.kubectl.start(*line.split(" "))
        out, err = process.communicate(timeout=60)
        err = "".join(line + "\n" for line in err.splitlines() if not line.startswith("WARNING: version difference"))
        assert masked(out + err) == masked(said), name


def _authority(emulator: Emulator) -> str:
    import base64

    data = emulator.content["clusters"][0]["cluster"]["certificate-authority-data"]
    return base64.b64decode(data).decode()


@pytest.fixture(params=[pytest.param("here", marks=needs_kubectl), *kubectls.VERSIONS])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    program = KUBECTL if request.param == "here" else kubectls.kubectl(request.param)
    with Emulator(nodes=3, speed=10, kubeconfig=tmp_path / "kubeconfig").running() as emulator:
        yield Session(emulator, Kubectl(emulator.kubeconfig, tmp_path, program))


AT_REST = (
    "get-nodes",
    "get-deploy-wide",
    "get-svc-wide",
    "get-endpoints",
    "get-endpointslices",
    "get-rs-wide",
    "get-sts-wide",
    "get-leases",
    "get-missing",
    "get-badkind",
    "logs-crash",
    "exec-fail",
    "rollout-history",
    "auth-can-i",
    "explain-probe",
    "label",
    "annotate",
    "wait-timeout",
)
"""What was asked of the cluster as it had come to rest."""

CHANGES = (
    "rollout-status-api",
    "scale",
    "wait-ready",
    "rollout-restart",
    "set-image",
    "patch",
    "cordon",
    "uncordon",
    "uncordon3",
)
"""What was then done to it."""


@pytest.mark.nightly
def test_kubectl_prints_what_it_printed_on_a_real_cluster(session: Session) -> None:
    session.kubectl("create namespace demo")
    session.kubectl(f"-n demo apply -f {MANIFEST}")
    session.clock(speed=0, advance=86)
    for name in AT_REST:
        if name == "wait-timeout":
            session.clock(speed=10)
        session.compare(name)
    state = "-n demo get pod crash -o jsonpath={.status.containerStatuses[0].state}"
    while "CrashLoopBackOff" not in session.kubectl(state):  # only then the instance before is still there for sure
        session.clock(speed=0, advance=2)
    session.compare("logs-previous")
    session.clock(speed=10)
    session.kubectl("cordon node-3")
    for name in CHANGES:
        session.compare(name)
    if session.version == "36":
        session.compare("rollout-undo")
        session.compare("delete-pod")


@pytest.mark.nightly
def test_kubectl_refuses_what_it_refused_on_a_real_cluster(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAID / "invalid")
    different = []
    for name in INVALID:
        _, _, said = (SAID / "invalid" / f"{name}.txt").read_text().partition("\n")
        said = re.sub(r"^exit \d+$", "", said, flags=re.MULTILINE).strip()
        found = session.kubectl(f"apply -f {name}.yaml").strip()
        if found != said:
            different.append((name, found, said))
    assert different == []
