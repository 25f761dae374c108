"""A lab without a scenario: what one does by hand, waits for, and finds recorded."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from urllib3.exceptions import ProtocolError

from selfheal.labs import Lab, LabError
from selfheal.labs.api import Api
from selfheal.labs.errors import Refused, Unreachable
from tests.labs.test_lab import namespaces

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: web, image: "nginx:1.27"}
"""


@pytest.mark.slow
def test_a_lab_by_hand(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab("by-hand")
    assert namespaces(api) == []
    with lab.recording() as timeline:
        assert lab.apply(POD) == "pod/web created"
        assert lab.apply(POD) == "pod/web unchanged"
        assert lab.wait("pod/web Ready")["status"]["phase"] == "Running"
        assert lab.do(kill={"pod": "web"}) == "ok"
        pods = client.CoreV1Api(lab.client)

        def restarted() -> Any:
            return pods.read_namespaced_pod("web", lab.namespace).status.container_statuses[0].restart_count

        assert lab.wait(restarted) == 1
        lab.wait(5)
        assert lab.kubectl("delete pod web").startswith('pod "web" deleted')
        lab.wait("pod/web deleted")
        lab.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: left}\ndata: {a: b}\n")
    assert repr(lab.kubectl("get configmap left -o name")) == "configmap/left"
    assert lab.timeline is timeline
    assert timeline[0]["t"] == 0
    assert [r["verb"] for r in timeline.select(kind="Action")] == ["kill"]
    assert max(c["restartCount"] for r in timeline.select(kind="Pod") for c in r["containers"]) == 1
    assert timeline.select(kind="Pod")[-1]["deleted"]
    assert timeline.header["until"] >= timeline[-1]["t"] >= 5
    lab.clean()
    assert "and in it ConfigMap/left." in capsys.readouterr().out
    assert namespaces(api) == []


def test_what_others_change_meanwhile_is_not_the_manifests_doing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Api.get

    def changed_after_a_look(self: Api, kind: str, name: str, namespace: str = "") -> Any:
        found = seen(self, kind, name, namespace)
        self.patch(kind, name, {"metadata": {"annotations": {"seen": "by another"}}}, namespace)
        return found

    with Lab("meanwhile") as lab:
        lab.apply(POD)
        monkeypatch.setattr(Api, "get", changed_after_a_look)
        assert lab.apply(POD) == "pod/web unchanged"
        assert lab.apply(POD.replace("app: web", "app: shop")) == "pod/web configured"
        assert lab.apply(POD.replace(", labels: {app: web}", "")) == "pod/web configured", "a field was given up"


def test_what_does_not_come_is_told_with_what_was_last_seen(api: Api) -> None:
    with Lab("waiting") as lab:
        with pytest.raises(LabError, match=r'not within 1 s: pod/web Ready. Last seen: pods "web" not found'):
            lab.wait("pod/web Ready", timeout=1)
        lab.apply(POD)
        with pytest.raises(LabError, match=r"pod/web Failed. Last seen: Pod/web \w+, ./1 ready"):
            lab.wait("pod/web Failed", timeout=3)
        with pytest.raises(LabError, match=r"Last seen: it gave \[\]"):
            lab.wait(list, timeout=1)
        with pytest.raises(LabError, match="is nothing to wait for"):
            lab.wait("web Ready")


def test_who_waits_outlasts_a_server_that_is_gone_for_a_moment(api: Api) -> None:
    troubles: list[Exception] = [Unreachable("it went silent"), Refused(503, "busy"), ProtocolError("reset by peer")]

    def here() -> bool:
        if troubles:
            raise troubles.pop(0)
        return True

    def never() -> bool:
        raise Unreachable("it went silent")

    with Lab("waiting") as lab:
        assert lab.wait(here)
        with pytest.raises(LabError, match=r"not within 1 s: never\. Last seen: it went silent"):
            lab.wait(never, timeout=1)


def test_what_is_not_the_labs_own_is_refused(api: Api) -> None:
    lab = Lab("refusing")
    for source in (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
        POD.replace("name: web,", "name: web, namespace: kube-system,"),
    ):
        with pytest.raises(LabError, match=r"belongs to the whole cluster|a lab has one of its own"):
            lab.apply(source)
    assert namespaces(api) == []
