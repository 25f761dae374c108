"""Labs on clusters that are slow, busy, shared with others, or gone in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.labs import Lab, LabError, watches
from selfheal.labs.api import Api
from selfheal.labs.errors import Refused, Unreachable
from selfheal.labs.namespaces import Namespace
from selfheal.labs.verbs import Hands, check
from selfheal.scenario import Scenario
from selfheal.scenario.actions import action
from selfheal.server import Emulator
from selfheal.timeline import Timeline
from tests.labs.test_hands_on import POD
from tests.labs.test_lab import HTTP, SHOP, namespaces


@pytest.mark.slow
def test_two_labs_at_once(api: Api) -> None:
    labs = [Lab("twins", HTTP, until=20, say=lambda _: None) for _ in range(2)]
    threads = [threading.Thread(target=lab.run, args=(False,)) for lab in labs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert labs[0].namespace != labs[1].namespace
    for lab in labs:
        assert lab.timeline is not None
        assert lab.timeline.objects("Pod") == ["Pod/liveness-http"]
        assert lab.timeline.select(kind="Event", reason="Scheduled")[0]["t"] < 1
    labs[0].clean()
    assert namespaces(api) == [labs[1].namespace]
    labs[1].clean()
    assert namespaces(api) == []


@pytest.mark.slow
def test_a_server_that_goes_in_the_middle(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watches, "PATIENCE", 0.3)
    monkeypatch.setattr("selfheal.labs.api.PAUSES", ())
    lab = Lab("cut-off", HTTP, until=60)
    gone = threading.Event()
    send, watch = Api.send, Api.watch

    def sends(self: Api, *args: Any, **more: Any) -> Any:
        if gone.is_set():
            raise Unreachable(f"{self.context} does not answer: connection refused")
        return send(self, *args, **more)

    def watched(self: Api, *args: Any) -> Iterator[Any]:
        for event in watch(self, *args):
            if gone.is_set():
                raise Unreachable("reset by peer")
            yield event

    monkeypatch.setattr(Api, "send", sends)
    monkeypatch.setattr(Api, "watch", watched)
    threading.Timer(1.0, gone.set).start()
    with pytest.raises(LabError, match="does not answer"):
        lab.run(live=False)
    told = capsys.readouterr().out
    assert "The cluster is gone, and namespace lab-cut-off-" in told
    assert "The next lab on this cluster offers to remove it." in told
    gone.clear()
    [left] = namespaces(api)
    with Lab("next", HTTP, until=1) as lab:
        lab.run(live=False)
        assert f"have left {left}; lab.sweep() removes that." in capsys.readouterr().out
        lab.sweep()
    assert namespaces(api) == []


@pytest.mark.slow
def test_slow_watches_lose_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Api.watch

    def slow(self: Api, *args: Any) -> Iterator[Any]:
        for event in watch(self, *args):
            time.sleep(0.05)
            yield event

    monkeypatch.setattr(Api, "watch", slow)
    with Lab("slow", HTTP, until=30) as lab:
        lab.run(live=False)
        lab.predict(12)
        assert lab.compare(), str(lab.compare())


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(emulator: Emulator, api: Api) -> None:
    command = [sys.executable, "-m", "selfheal.cli", "run", str(HTTP), "--on", "kubectl"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # what a shell starts with & is deaf to Ctrl-C, and so are these tests' children then
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout is not None
    process.stdout.readline()  # it runs
    assert len(namespaces(api)) == 1
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Removed: namespace lab-liveness-http-" in told
    assert "Traceback" not in told
    assert namespaces(api) == []


def test_a_conflict_or_a_busy_server_is_asked_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfheal.labs.api.PAUSES", (0, 0, 0))
    answers: list[Exception] = []
    once = Api._exchange
    tried: list[str] = []

    def exchange(self: Api, method: str, *args: Any) -> Any:
        tried.append(method)
        if answers:
            raise answers.pop(0)
        return once(self, method, *args)

    monkeypatch.setattr(Api, "_exchange", exchange)
    made = Namespace.make(api, "busy")
    made.furnished()
    api.create(Scenario.load(POD).manifests[0], made.name)
    label = {"metadata": {"labels": {"a": "b"}}}
    for error in (Refused(409, "the object has been modified"), Refused(503, "busy"), Unreachable("reset")):
        tried.clear()
        answers[:] = [error, error]
        api.patch("Pod", "web", label, made.name)
        assert tried == ["PATCH"] * 3
    for method, error in (("POST", Unreachable("reset")), ("DELETE", Refused(409, "another uid"))):
        tried.clear()
        answers[:] = [error]
        with pytest.raises(type(error)):
            api.exchange(method, "/api/v1/namespaces", {})
        assert tried == [method]
    answers[:] = [Refused(429, "too many requests")] * 2
    assert api.create(Scenario.load(POD).manifests[0] | {"metadata": {"name": "second"}}, made.name)
    answers[:] = [Refused(409, "modified")] * 4
    with pytest.raises(Refused, match="modified"):
        api.patch("Pod", "web", label, made.name)
    made.remove()


# ---- every verb, as it is done by hand


GATED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "gated", "labels": {"app": "gated"}},
    "spec": {
        "readinessGates": [{"conditionType": "example.com/balanced"}],
        "containers": [{"name": "app", "image": "busybox:1.36", "command": ["sleep", "3600"]}],
    },
}


@pytest.mark.slow
def test_every_verb_by_hand(api: Api) -> None:
    first = {"selector": "app=web", "index": 0}
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"
    with Lab("verbs") as lab:
        lab.apply([*SHOP, GATED])
        lab.wait("deployment/web Available")
        lab.wait("pod/gated Running")
        assert lab.do(exec={"pod": "gated", "command": ["sh", "-c", "exit 3"]}) == "exit 3"
        assert lab.do(http={"pod": first, "port": 80, "path": "/"}) == "200"
        assert lab.do(http={"pod": first, "port": 81, "path": "/"}) == "ok"  # nobody listens
        assert lab.do(apply=other) == "configmap/other created"
        balanced = {"pod": "gated", "type": "example.com/balanced", "status": "True"}
        assert lab.do(condition=balanced) == "pod/gated patched"
        lab.wait("pod/gated Ready")
        assert lab.do(label={"pod": "gated", "labels": "app-"}) == "pod/gated unlabeled"
        assert lab.do(kill={"pod": "gated", "signal": "KILL"}) == "ok"
        assert lab.do(fault={"kind": "slow", "target": first, "for": 2}) == "ok"
        assert lab.do(scale={"deployment/web": 3}) == "deployment.apps/web scaled"
        assert lab.do(rollout={"restart": "deployment/web"}) == "deployment.apps/web restarted"
        assert lab.do(rollout={"undo": "deployment/web"}).startswith("deployment.apps/web rolled back")
        lab.wait("deployment/web Available")
        assert lab.do(label={"node": {"pod": first}, "labels": "seen=yes"}).endswith(" labeled")
        node = lab.do(cordon={"pod": first}).split()[0].removeprefix("node/")
        assert lab.do(cordon=node) == f"node/{node} already cordoned"
        drained = {"node": node, "podSelector": "app=web", "timeout": 60}
        assert lab.do(drain=drained).endswith(f"node/{node} drained")
        assert lab.do(uncordon=node) == f"node/{node} uncordoned"
        assert lab.do(stopNode=node) == "ok"
        assert lab.do(startNode=node) == "ok"
        assert lab.do(delete="pod/gated") == 'pod "gated" deleted from default namespace'
        assert lab.do(forceDelete={"pod": first}).splitlines()[0].endswith("force deleted from default namespace")


def test_what_was_done_to_nodes_is_put_right(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab("slips")
    lab.apply(POD)
    lab.wait("pod/web Running")
    lab.do(cordon={"pod": "web"})
    assert any(node["spec"].get("unschedulable") for node in api.list("Node")["items"])
    lab.clean()
    assert "Put right: " in capsys.readouterr().out
    assert not any(node["spec"].get("unschedulable") for node in api.list("Node")["items"])


def test_other_peoples_pods_are_not_drained(api: Api) -> None:
    there = POD.replace("spec:\n", "spec:\n  nodeName: node-2\n", 1)
    api.create(Scenario.load(there).manifests[0], "default")
    with Lab("drains") as lab:
        lab.apply(there)
        lab.wait("pod/web Running")
        with pytest.raises(LabError, match="would evict default/web, which is not the lab's"):
            lab.do(drain={"node": "node-2", "podSelector": "app=web"})
        assert lab.do(drain={"node": "node-1", "podSelector": "app=web"}).endswith("node/node-1 drained")
    assert "deletionTimestamp" not in api.get("Pod", "web", "default")["metadata"]


def test_a_cluster_of_ones_own_has_its_own_switch(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hook = tmp_path / "switch"
    hook.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$4" != node-3 ] || {{ echo no such machine >&2; exit 1; }}\n'
    )
    hook.chmod(0o755)
    monkeypatch.setenv("LAB_NODE_FAULT", f"{hook} --on test")
    object.__setattr__(api.context, "sort", "named")
    made = Namespace.make(api, "switch")
    api.create(Scenario.load(POD).manifests[0], made.name)
    running = {"name": "web", "state": {"running": {}}, "containerID": "containerd://abc123"}

    def got(kind: str, name: str, namespace: str = "") -> Any:
        if kind == "Node":
            return {"metadata": {"name": name}}
        return {
            "spec": {"nodeName": "node-2", "containers": [{"name": "web"}]},
            "status": {"containerStatuses": [running]},
        }

    monkeypatch.setattr(api, "get", got)
    hands = Hands(api, made.name)
    for entry in ({"stopNode": "node-2"}, {"startNode": "node-2"}, {"kill": {"pod": "web", "signal": "TERM"}}):
        wanted = action({"at": 0, **entry}, "action", None)
        check(api, (wanted,))
        assert hands.perform(wanted, wanted.args) == "ok"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["--on test stop node-2", "--on test start node-2", "--on test kill node-2 abc123 TERM"]
    with pytest.raises(LabError, match="stop node-3: no such machine"):
        hands.perform(action({"at": 0, "stopNode": "node-3"}, "action", None), "node-3")


# ---- what a reader sees


def test_prediction_and_reality_as_a_figure(api: Api) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    with Lab("figure", HTTP, until=3) as lab:
        lab.run(live=False)
        assert isinstance(lab.compare("matplotlib").plot(), figure.Figure)
        assert "svg" in lab.compare()._repr_html_()


def test_a_terminal_shows_how_far_it_is(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("selfheal.labs.progress.EVERY", 0.05)
    with Lab("bar", HTTP, until=5) as lab:
        lab.run()
    shown = capsys.readouterr().err
    assert "of 5 s" in shown
    assert "█" in shown
    assert "Started: Container started" in shown
    assert shown.endswith("\r")


def test_a_notebook_shows_a_picture_that_is_drawn_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from selfheal.labs import progress

    drawn: list[Any] = []

    class Handle:
        def update(self, picture: Any) -> None:
            drawn.append(picture)

    def display(picture: Any, display_id: bool) -> Handle:
        drawn.append(picture)
        return Handle()

    monkeypatch.setattr(progress, "EVERY", 0.05)
    monkeypatch.setattr(progress, "_notebook", lambda: progress._Picture(display))
    with Lab("picture", HTTP, until=5) as lab:
        lab.run()
    assert len(drawn) > 2
    assert "liveness-http" in drawn[-1].svg
    assert os.environ["KUBECONFIG"]


def test_all_timelines_can_be_kept(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_TIMELINES", str(tmp_path / "kept"))
    with Lab("kept", HTTP, until=3) as lab:
        lab.run(live=False)
    with Lab("by-hand") as lab, lab.recording():
        lab.apply(POD)
        lab.wait("pod/web Running")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["by-hand.jsonl", "kept.jsonl"]
    assert Timeline.load(tmp_path / "kept" / "by-hand.jsonl").objects("Pod") == ["Pod/web"]
