"""`selfheal.up` for those who test operators, and `--state`: what was acknowledged outlives the process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

import selfheal
from selfheal.cli import main
from selfheal.errors import ApiError
from selfheal.server import Emulator
from selfheal.server.remote import Remote
from selfheal.server.running import Running
from tests.server.api import DEPLOYMENTS, PODS, deployment, pod
from tests.server.test_extensions import DEFINITIONS, PATH, crontab, definition

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def test_twenty_minutes_of_a_crash_loop_in_a_moment() -> None:
    crashing = pod("crashing")
    crashing["spec"]["containers"][0]["command"] = ["false"]
    with selfheal.up(speed=0, seed=3) as cluster:
        assert cluster.apply(crashing) == "pod/crashing created"
        assert cluster.advance(1200) == pytest.approx(cluster.now)
        backoffs = cluster.timeline.select(kind="Event", object="Pod/crashing", reason="BackOff")
        assert backoffs
        with pytest.raises(ApiError, match="must be a number"):
            cluster.advance(-1)


def test_faults_and_conditions() -> None:
    with selfheal.up(nodes=2, speed=0) as cluster:
        remote = Remote(cluster.config)
        assert "deployment.apps/web created" in cluster.apply(deployment())

        def ready(count: int) -> bool:
            return bool(remote.ask("GET", f"{DEPLOYMENTS}/web")["status"].get("readyReplicas", 0) == count)

        began = cluster.wait(lambda: ready(2), limit=60)
        cluster.act("stopNode", "node-1")
        lost = cluster.wait(lambda: not ready(2), limit=120)
        assert lost - began > 30  # nobody notices before the node's lease is too old
        with pytest.raises(TimeoutError, match="within 5 s"):
            cluster.wait(lambda: ready(9), limit=5)


def test_a_definition_and_its_objects_are_applied_together() -> None:
    with selfheal.up(speed=0) as cluster:
        assert cluster.apply([crontab("mine"), pod(), definition()]).splitlines() == [
            "customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created",
            "pod/app created",
            "crontab.stable.example.com/mine created",
        ]
        assert cluster.ask("GET", f"{PATH}/mine")["spec"]["cronSpec"] == "* * * * *"
        assert cluster.apply(crontab("mine")) == "crontab.stable.example.com/mine unchanged"
        assert cluster.apply(crontab("mine", replicas=2)) == "crontab.stable.example.com/mine configured"
        with pytest.raises(ApiError, match=r'no matches for kind "CronTap" in version "stable\.example\.com/v1"'):
            cluster.apply({**crontab(), "kind": "CronTap"})
        with pytest.raises(ApiError, match=r"spec\.cronSpec"):
            cluster.apply({**crontab(), "spec": {"cronSpec": 5}})
        with pytest.raises(ApiError, match='no matches for kind "Pot"'):
            cluster.apply({**pod(), "kind": "Pot"})


def test_an_operator_of_the_python_client(tmp_path: Path) -> None:
    """It keeps a ConfigMap beside each CronTab; the deletion of one is mended as long as the other is there."""
    client = pytest.importorskip("kubernetes")
    with selfheal.up(speed=20, kubeconfig=tmp_path / "kubeconfig") as cluster:
        api = client.config.new_client_from_config(cluster.kubeconfig)
        custom, core = client.client.CustomObjectsApi(api), client.client.CoreV1Api(api)
        client.client.ApiextensionsV1Api(api).create_custom_resource_definition(definition())
        watch, seen = client.watch.Watch(), threading.Event()

        def operate() -> None:
            stream = watch.stream(
                custom.list_namespaced_custom_object,
                "stable.example.com",
                "v1",
                "default",
                "crontabs",
                timeout_seconds=20,
            )
            for event in stream:
                name = event["object"]["metadata"]["name"]
                if event["type"] == "ADDED":
                    core.create_namespaced_config_map("default", {"metadata": {"name": name}})
                    status = {"status": {"active": 1}}
                    custom.patch_namespaced_custom_object_status(
                        "stable.example.com", "v1", "default", "crontabs", name, status
                    )
                    seen.set()
                    watch.stop()

        operator = threading.Thread(target=operate)
        operator.start()
        custom.create_namespaced_custom_object("stable.example.com", "v1", "default", "crontabs", crontab("mine"))
        assert seen.wait(20)
        operator.join(20)
        assert core.read_namespaced_config_map("mine", "default").metadata.name == "mine"
        found = custom.get_namespaced_custom_object("stable.example.com", "v1", "default", "crontabs", "mine")
        assert found["status"] == {"active": 1}
        api.close()


def test_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["selfheal.testing"]\n')
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n"
        "def test_plain(selfheal_cluster):\n    assert selfheal_cluster.advance(60) >= 60\n\n"
        "@pytest.mark.selfheal(nodes=3)\n"
        "def test_marked(selfheal_cluster):\n    selfheal_cluster.act('cordon', 'node-3')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_manifests_to_begin_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump(deployment()))
    with Emulator(speed=0, manifests=[path], kubeconfig=tmp_path / "kubeconfig").running() as running:
        assert Remote(running.content).ask("GET", f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 2
    path.write_text("kind: Deployment\n")
    assert main(["up", "-f", str(path), "--quiet"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_definitions_and_their_objects_to_begin_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, obj in (("1-mine.yaml", crontab("mine")), ("2-pod.yaml", pod()), ("3-crd.yaml", definition())):
        (tmp_path / name).write_text(yaml.safe_dump(obj))
    with selfheal.up(speed=0, manifests=[tmp_path / "1-mine.yaml", tmp_path]) as cluster:
        assert cluster.ask("GET", f"{PATH}/mine")["spec"]["mode"] == "fast"
        assert cluster.ask("GET", f"{PODS}/app")["metadata"]["creationTimestamp"]
        assert cluster.now == 0
        said = cluster.apply(tmp_path).splitlines()
    assert [line.rpartition(" ")[2] for line in said] == ["unchanged"] * 3
    for name, wrong, told in (
        ("1-mine.yaml", crontab("mine", replicas=11), "spec.replicas in body should be less than or equal to 10"),
        ("1-mine.yaml", {**crontab(), "kind": "CronTap"}, 'no matches for kind "CronTap" in version "stable.example'),
        ("1-mine.yaml", {**crontab(), "metadata": {}}, "resource name may not be empty"),
        ("3-crd.yaml", definition(scope="Everywhere"), 'spec.scope: Unsupported value: "Everywhere"'),
    ):
        right = (tmp_path / name).read_text()
        (tmp_path / name).write_text(yaml.safe_dump(wrong))
        state = tmp_path / "state"
        assert main(["up", "-f", str(tmp_path), "--quiet", "--state", str(state)]) == 2
        assert told in capsys.readouterr().err
        (tmp_path / name).write_text(right)


def test_a_definition_made_in_the_simulation_is_served_by_the_emulator() -> None:
    cluster = selfheal.Cluster(1)
    cluster.apply(definition())
    with Emulator(speed=0, cluster=cluster).running() as running:
        found = Running(running)
        found.advance(1)
        found.apply(crontab("mine"))
        assert found.ask("GET", f"{PATH}/mine")["spec"]["mode"] == "fast"


# ---- --state


def up(folder: Path) -> tuple[subprocess.Popen[str], Remote]:
    """An emulator of its own process, at twenty times the speed of a clock."""
    kubeconfig = folder / "kubeconfig"
    command = [sys.executable, "-m", "selfheal.cli", "up", "--quiet", "--speed", "20", "--nodes", "2"]
    command += ["--state", str(folder / "state"), "--kubeconfig", str(kubeconfig)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process, Remote(yaml.safe_load(kubeconfig.read_text()))


def kill_and_compare(folder: Path, rounds: int, dice: random.Random) -> None:
    """Write until the end comes without a warning; what was acknowledged must be there, and no version comes again."""
    acknowledged: dict[str, str] = {}
    version, number = 0, 0
    for _ in range(rounds):
        process, remote = up(folder)
        found = {
            c["metadata"]["name"]: c["data"]["n"] for c in remote.ask("GET", CONFIGMAPS)["items"] if "n" in c["data"]
        }
        assert {name: found.get(name) for name in acknowledged} == acknowledged
        assert int(remote.ask("GET", PODS)["metadata"]["resourceVersion"]) > version
        timer = threading.Timer(dice.uniform(0.05, 0.6), lambda p=process: os.kill(p.pid, signal.SIGKILL))
        timer.start()
        try:
            while True:
                number += 1
                body = {"metadata": {"name": f"c-{number}"}, "data": {"n": "1"}}
                made = remote.ask("POST", CONFIGMAPS, body)
                acknowledged[f"c-{number}"] = "1"
                made["data"]["n"] = "2"
                changed = remote.ask("PUT", f"{CONFIGMAPS}/c-{number}", made)
                acknowledged[f"c-{number}"] = "2"
                version = int(changed["metadata"]["resourceVersion"])
                if number % 3 == 0:
                    name = dice.choice(sorted(acknowledged))
                    sure = acknowledged.pop(name)
                    remote.ask("DELETE", f"{CONFIGMAPS}/{name}")
                    assert sure
        except (ApiError, OSError):
            pass
        process.communicate(timeout=20)
        # what was under way may have been done or not
        acknowledged = {name: n for name, n in acknowledged.items() if name != f"c-{number}"}


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    kill_and_compare(tmp_path, rounds=3, dice=random.Random(1))


@pytest.mark.nightly
def test_what_was_acknowledged_survives_many_kills(tmp_path: Path) -> None:
    kill_and_compare(tmp_path, rounds=25, dice=random.Random(2))


def test_a_cluster_goes_on_where_it_was(tmp_path: Path) -> None:
    state, kubeconfig = tmp_path / "state", tmp_path / "kubeconfig"
    with Emulator(nodes=2, speed=0, state=state, kubeconfig=kubeconfig).running() as running:
        remote = Remote(running.content)
        remote.ask("POST", DEFINITIONS, definition())
        remote.ask("POST", PATH, crontab())
        remote.ask("POST", DEPLOYMENTS, deployment())
        remote.ask("POST", "/selfheal/clock", {"advance": 30})
        before = {p["metadata"]["uid"] for p in remote.ask("GET", PODS)["items"]}
        time = remote.ask("GET", "/selfheal/clock")["time"]
    with Emulator(nodes=5, speed=0, state=state, kubeconfig=kubeconfig).running() as running:
        remote = Remote(running.content)
        assert remote.ask("GET", "/selfheal/clock")["time"] > time
        assert remote.ask("GET", f"{PATH}/a")["spec"]["cronSpec"] == "* * * * *"
        assert len(remote.ask("GET", "/api/v1/nodes")["items"]) == 2
        remote.ask("POST", "/selfheal/clock", {"advance": 60})
        pods = remote.ask("GET", PODS)["items"]
        assert {p["metadata"]["uid"] for p in pods} == before
        assert all(p["status"]["containerStatuses"][0]["ready"] for p in pods)
        remote.ask("DELETE", f"{PODS}/{pods[0]['metadata']['name']}")
        remote.ask("POST", "/selfheal/clock", {"advance": 60})
        after = {p["metadata"]["uid"] for p in remote.ask("GET", PODS)["items"]}
        assert len(after) == 2
        assert len(after - before) == 1


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A state file with a cluster in it."""
    path = tmp_path / "state"
    with Emulator(state=path, kubeconfig=tmp_path / "kubeconfig").running():
        pass
    return path


@pytest.mark.parametrize("damage", ["cut", "noise", "middle", "text", "another"])
def test_a_damaged_file_is_told_and_left_as_it_is(kept: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = kept.read_bytes()
    if damage == "another":
        kept.unlink()
        with closing(sqlite3.connect(kept)) as other:
            other.execute("CREATE TABLE mine (x)")
    else:
        noise = random.Random(4).randbytes(9000)
        damaged = {
            "cut": data[: len(data) // 2],
            "noise": noise,
            "middle": data[:4096] + noise + data[13096:],
            "text": b"this is my diary, not a database\n" * 9,
        }
        kept.write_bytes(damaged[damage])
    before = kept.read_bytes()
    assert main(["up", "--quiet", "--state", str(kept)]) == 2
    told = capsys.readouterr().err
    assert "is damaged or none of ours, and is left as it is" in told
    assert told.count("\n") == 1
    assert kept.read_bytes() == before


def test_a_file_that_another_uses_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with (
        Emulator(state=path, kubeconfig=tmp_path / "kubeconfig").running(),
        pytest.raises(ApiError, match="another cluster is using this state file"),
    ):
        Emulator(state=path, kubeconfig=tmp_path / "other")
    with pytest.raises(ApiError, match="cannot be a state file"):
        Emulator(state=tmp_path)


def test_only_known_facts_are_waited_for(kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as other:
        found: Any = other.execute("SELECT name FROM fact ORDER BY name").fetchall()
    assert [name for (name,) in found] == ["seed", "starts", "time", "version"]
