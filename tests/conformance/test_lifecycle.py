"""Pods from image to end: mounts, gates, init containers and sidecars, restart rules, deadlines.

Cases C73, C91, C94 to C107, C109, C114, C121 and C123 to C128, with their times.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from selfheal import Cluster, latencies
from selfheal.network import Request, Response, Server
from selfheal.objects import Object, condition
from selfheal.scenario import Action
from tests.conformance.pods import command, container, events, messages, play, pod, restarts

SEEDS = range(3)
ENDS_AT_ONCE = "trap 'exit 0' TERM; while true; do sleep 0.1; done"
"""Obeys SIGTERM within a tenth of a second."""


def sidecar(name: str, line: str = ENDS_AT_ONCE, **fields: Any) -> dict[str, Any]:
    return container(name, command=line, restartPolicy="Always", **fields)


def stops_in(seconds: float, code: int = 0) -> str:
    """A line that runs on and, asked to end, needs a while for it."""
    return f"trap 'sleep {seconds}; exit {code}' TERM; sleep 3600 & wait"


def status(cluster: Cluster, name: str = "pod") -> dict[str, Any]:
    return dict(cluster.get("Pod", name)["status"])


def statuses(cluster: Cluster, name: str = "pod") -> dict[str, dict[str, Any]]:
    """Container → status, init containers too."""
    found = status(cluster, name)
    return {s["name"]: s for s in (*(found.get("initContainerStatuses") or ()), *found["containerStatuses"])}


def conditions(cluster: Cluster, name: str = "pod") -> dict[str, str]:
    return {c["type"]: c["status"] for c in status(cluster, name)["conditions"]}


def instances(cluster: Cluster, name: str = "pod") -> dict[str, Any]:
    """Container → its newest instance, as the runtime knows it."""
    obj = cluster.get("Pod", name)
    node = cluster.node(obj["spec"]["nodeName"])
    found = sorted(node.runtime.containers_of(obj["metadata"]["uid"]), key=lambda c: c.attempt)
    return {c.name: c for c in found}


def times(cluster: Cluster, fact: str) -> dict[str, float]:
    """Container → when its newest instance began or ended (``started_at``, ``finished_at``), in seconds."""
    found = {name: getattr(c, fact) for name, c in instances(cluster).items()}
    return {name: at / 1e6 for name, at in found.items() if at is not None}


def exits(cluster: Cluster) -> dict[str, int | None]:
    """Container → exit code of its newest instance, from the last record of the pod."""
    last = cluster.timeline.select(kind="Pod", object="Pod/pod")[-1]
    return {c["name"]: c.get("exitCode") for c in (*last.get("initContainers", ()), *last["containers"])}


# ---- what a status may never say


@pytest.mark.parametrize("seed", SEEDS)
def test_C73_a_status_never_tells_of_a_success_that_was_none(seed: int) -> None:
    chance = random.Random(seed)
    cluster = Cluster(seed=seed)
    objs = [pod(container(command="sleep 1; exit 1"), name=f"pod-{n}", restartPolicy="Never") for n in range(20)]
    cluster.apply(objs)
    for at, name in sorted((chance.uniform(0, 8), f"pod-{n}") for n in range(20)):
        cluster.run(until=at)
        cluster.delete(f"pod/{name}")
    cluster.run(until=80)
    for n in range(20):
        records = cluster.timeline.select(kind="Pod", object=f"Pod/pod-{n}")
        phases = [r["phase"] for r in records]
        assert "Succeeded" not in phases
        assert all(c.get("exitCode") != 0 for r in records for c in r["containers"])
        assert not any((a, b) == ("Running", "Pending") for a, b in pairwise(phases))
        last = records[-1]
        assert last["deleted"]
        assert all(c["state"] == "terminated" for c in last["containers"]) or phases == ["Pending"] * len(phases)


# ---- images


def test_C91_an_absent_image_that_is_never_pulled() -> None:
    app = container(image="registry.example:5000/absent:1", imagePullPolicy="Never")
    cluster = play(pod(app), until=1200)
    waits = [r["t"] for r in cluster.timeline.select(kind="Pod") if r["containers"][0]["reason"] == "ErrImageNeverPull"]
    tried = events(cluster, "ErrImageNeverPull")
    assert 0 <= waits[0] - tried[0] <= 1.5
    # The first 25 events of both reasons together pass; afterwards one in five minutes.
    free = tried[: (25 - 1) // 2]
    assert free[1] - free[0] <= 1.2
    assert all(10 <= after - before <= 16.2 for before, after in pairwise(free[1:]))
    assert set(messages(cluster, "Failed")) == {"Error: ErrImageNeverPull"}
    warnings = [r for r in cluster.timeline.select(kind="Event", type="Warning") if r["t"] < 200]
    assert len(warnings) <= 25 + 1
    assert not events(cluster, "BackOff")


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("Nginx:::bad", "invalid reference format: repository name (library/Nginx) must be lowercase"),
        ("nginx:::bad", "invalid reference format"),
        ("registry.example:5000/App/web:1", "invalid reference format: repository name (App/web) must be lowercase"),
        ("busybox@sha256:12", "invalid reference format"),
    ],
)
def test_a_name_that_no_image_can_have_is_not_even_pulled(image: str, why: str) -> None:
    cluster = play(pod(container(image=image)), until=5)
    text = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'
    assert set(messages(cluster, "InspectFailed")) == {text}
    assert set(messages(cluster, "Failed")) == {"Error: InvalidImageName"}
    assert not events(cluster, "Pulling")
    assert statuses(cluster)["app"]["state"] == {"waiting": {"reason": "InvalidImageName", "message": text}}
    assert status(cluster)["phase"] == "Pending"


@pytest.mark.parametrize("image", ["localhost/app", "reg.example:5000/a/b-c__d:V_1.2", "a@sha256:" + "0" * 64])
def test_a_name_that_an_image_can_have(image: str) -> None:
    cluster = play(pod(container(image=image)), until=5)
    assert not events(cluster, "InspectFailed")


# ---- readiness gates


def test_C94_two_readiness_gates() -> None:
    gates = {"readinessGates": [{"conditionType": "g1"}, {"conditionType": "g2"}]}
    cluster = play(pod(container(command="sleep 600"), **gates), until=20)

    def ready_after(gate: str, value: str) -> str:
        cluster.act(Action(cluster.now, "condition", {"pod": "pod", "type": gate, "status": value}))
        cluster.run(for_=3)
        return conditions(cluster)["Ready"]

    assert conditions(cluster)["ContainersReady"] == "True"
    assert ready_after("g1", "True") == "False"
    cluster.run(for_=10)
    assert conditions(cluster)["Ready"] == "False"
    assert ready_after("g2", "True") == "True"
    assert ready_after("g1", "False") == "False"
    found = condition(cluster.get("Pod", "pod"), "Ready")
    assert found is not None
    assert (found["reason"], found["message"]) == (
        "ReadinessGatesNotReady",
        'the status of pod readiness gate "g1" is not "True", but False',
    )


# ---- mounts

MISSING = {"volumes": [{"name": "v", "configMap": {"name": "absent"}}]}


def test_C95_a_volume_from_a_missing_config_map() -> None:
    cluster = play(pod(container(command="sleep 600"), **MISSING), until=30)
    found = conditions(cluster)
    assert {k: found[k] for k in ("PodScheduled", "Initialized", "PodReadyToStartContainers", "Ready")} == {
        "PodScheduled": "True",
        "Initialized": "True",
        "PodReadyToStartContainers": "False",
        "Ready": "False",
    }
    assert status(cluster)["phase"] == "Pending"
    text = 'MountVolume.SetUp failed for volume "v" : configmap "absent" not found'
    assert messages(cluster, "FailedMount")[0] == text


def test_C96_a_volume_from_a_missing_config_map_with_init_containers() -> None:
    inits = [container("init", command="true")]
    cluster = play(pod(container(command="sleep 600"), initContainers=inits, **MISSING), until=30)
    found = conditions(cluster)
    assert found["PodScheduled"] == "True"
    assert [found[k] for k in ("Initialized", "PodReadyToStartContainers", "Ready")] == ["False"] * 3
    assert status(cluster)["phase"] == "Pending"


def test_a_volume_is_mounted_once_its_config_map_exists() -> None:
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/etc/v"}]}
    cluster = play(pod(container(command="cat /etc/v/greeting; sleep 600", **mount), **MISSING), until=30)
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent"}, "data": {"greeting": "hello\n"}}
    cluster.apply(config)
    cluster.run(for_=40)
    assert conditions(cluster)["Ready"] == "True"
    assert cluster.logs("pod") == "hello\n"


def test_a_volume_that_cannot_be_mounted_for_two_minutes_is_told_of() -> None:
    cluster = play(pod(container(command="sleep 600"), **MISSING), until=120)
    told = [r for r in cluster.timeline.select(kind="Event", reason="FailedMount") if "MountVolume" in r["message"]]
    # 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5 s: each wait is twice the one before
    assert told[-1]["count"] == 8
    cluster.run(until=130)
    text = "unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]: context deadline exceeded"
    assert messages(cluster, "FailedMount")[-1] == f"Unable to attach or mount volumes: {text}"
    assert not events(cluster, "Started")


# ---- init containers and sidecars


def test_C97_two_init_containers() -> None:
    inits = [container("init1", command="true"), container("init2", command="true")]
    cluster = play(pod(container("run1", command="sleep 600"), initContainers=inits), until=30)
    assert status(cluster)["phase"] == "Running"
    assert conditions(cluster)["Initialized"] == "True"


@pytest.mark.parametrize("seed", SEEDS)
def test_C98_a_failing_init_container_keeps_everything_waiting(seed: int) -> None:
    inits = [container("init1", command="/bin/false"), container("init2", command="true")]
    cluster = play(pod(container("run1", command="sleep 600"), initContainers=inits), until=180, seed=seed)
    assert status(cluster)["phase"] == "Pending"
    found = statuses(cluster)
    assert found["init1"]["restartCount"] >= 3
    assert [found[n]["state"]["waiting"]["reason"] for n in ("init2", "run1")] == ["PodInitializing"] * 2
    initialized = condition(cluster.get("Pod", "pod"), "Initialized")
    assert initialized is not None
    assert [initialized[k] for k in ("status", "reason", "message")] == [
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [init1 init2]",
    ]


def test_C99_an_init_container_whose_image_cannot_be_pulled() -> None:
    inits = [container("init1", image="registry.example:5000/no:1"), container("init2", command="true")]
    cluster = play(pod(container("run1", command="sleep 600"), initContainers=inits), until=10)
    seen = set()
    for _ in range(20):
        cluster.run(for_=5)
        assert status(cluster)["phase"] == "Pending"
        seen.add(str(cluster.get("pods")).split()[7])
    assert seen <= {"Init:ImagePullBackOff", "Init:ErrImagePull"}
    assert not events(cluster, "Started")


@pytest.mark.parametrize("seed", SEEDS)
def test_C100_the_order_of_starts(seed: int) -> None:
    inits = [
        container("init1", command="sleep 2"),
        sidecar("sidecar1"),
        container("init2", command="sleep 2"),
        sidecar("sidecar2"),
    ]
    cluster = play(pod(container("regular1", command="sleep 600"), initContainers=inits), until=30, seed=seed)
    begin, end = times(cluster, "started_at"), times(cluster, "finished_at")
    in_order = [
        end["init1"],
        begin["sidecar1"],
        begin["init2"],
        end["init2"],
        begin["sidecar2"],
        begin["regular1"],
    ]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) == len(in_order)


def stopped(regular: dict[str, Any], *inits: dict[str, Any], until: float = 120, **spec: Any) -> Cluster:
    """A pod with sidecars, deleted at 30 s."""
    cluster = play(pod(regular, initContainers=list(inits), **spec), until=30)
    cluster.ended = instances(cluster)  # type: ignore[attr-defined]
    cluster.delete("pod/pod")
    return cluster.run(until=until)


def test_C101_sidecars_wait_their_turn_in_whole_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the upstream test, the runtime needs no time of its own to stop a container."""
    monkeypatch.setitem(latencies.LATENCIES, "stop", (0, 0, 0))
    cluster = stopped(
        container("regular", command=stops_in(1.25)), *(sidecar(f"s{n}", stops_in(1.25)) for n in (1, 2, 3))
    )
    waits = {name: int(c.finished_at / 1e6 - 30 - 1.25) for name, c in cluster.ended.items()}  # type: ignore[attr-defined]
    assert waits == {"regular": 0, "s3": 1, "s2": 2, "s1": 3}
    assert set(exits(cluster).values()) == {0}


def test_C102_hanging_hooks_of_three_sidecars_end_together() -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "600"]}}}}
    cluster = stopped(
        container("regular", command=ENDS_AT_ONCE), *(sidecar(f"s{n}", "sleep 600", **hook) for n in (1, 2, 3))
    )
    ended = {name: c.finished_at / 1e6 - 30 for name, c in cluster.ended.items()}  # type: ignore[attr-defined]
    ends = [ended[f"s{n}"] for n in (1, 2, 3)]
    assert all(31.5 <= end <= 33 for end in ends)
    assert max(ends) - min(ends) < 0.1
    assert {k: v for k, v in exits(cluster).items() if k != "regular"} == {"s1": 137, "s2": 137, "s3": 137}


def test_C103_how_a_sidecar_ends_does_not_matter() -> None:
    main = container("regular", command="sleep 5")
    cluster = play(pod(main, initContainers=[sidecar("s1", stops_in(0, 1))], restartPolicy="Never"), until=60)
    assert status(cluster)["phase"] == "Succeeded"
    assert statuses(cluster)["s1"]["state"]["terminated"]["exitCode"] == 1


def test_C104_a_grace_period_that_is_too_short() -> None:
    cluster = stopped(
        container("regular", command=stops_in(20)),
        sidecar("short", stops_in(1)),
        sidecar("long", stops_in(3)),
        terminationGracePeriodSeconds=5,
    )
    assert exits(cluster) == {"regular": 137, "short": 0, "long": 137}
    assert cluster.timeline.select(kind="Pod")[-1]["phase"] == "Failed"


@pytest.mark.parametrize("seed", SEEDS)
def test_C105_a_sidecar_restarts_under_never(seed: int) -> None:
    main = container("regular", command="sleep 60")
    cluster = play(
        pod(main, initContainers=[sidecar("s1", "sleep 5; exit 1")], restartPolicy="Never"), until=55, seed=seed
    )
    assert statuses(cluster)["s1"]["restartCount"] > 0
    assert events(cluster, "BackOff")
    cluster.run(until=120)
    assert statuses(cluster)["regular"]["restartCount"] == 0
    assert status(cluster)["phase"] == "Succeeded"


@pytest.mark.parametrize("seed", SEEDS)
def test_C106_a_sidecar_is_stopped_when_the_work_is_done(seed: int) -> None:
    main = container("regular", command="sleep 5")
    cluster = play(pod(main, initContainers=[sidecar("s1")], restartPolicy="Never"), until=60, seed=seed)
    end = times(cluster, "finished_at")
    assert 0 <= end["s1"] - end["regular"] <= 2.5
    assert status(cluster)["phase"] == "Succeeded"
    done = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r["phase"] == "Succeeded")
    assert done - end["regular"] <= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_C107_a_new_image_restarts_even_under_never(seed: int) -> None:
    app = container(command=ENDS_AT_ONCE, image="busybox:1.36")
    cluster = play(pod(app, restartPolicy="Never"), until=20, seed=seed)
    cluster.apply(pod({**app, "image": "busybox:1.37"}, restartPolicy="Never"))
    cluster.run(until=40)
    assert messages(cluster, "Killing") == ["Container app definition changed, will be restarted"]
    assert restarts(cluster) == 1
    assert status(cluster)["phase"] == "Running"


@pytest.mark.parametrize("seed", SEEDS)
def test_C109_a_restart_of_the_kubelet_keeps_ready_and_started(seed: int) -> None:
    app = container(
        command="touch /tmp/ok; sleep 600",
        readinessProbe=command("cat", "/tmp/ok", period=60),
        startupProbe=command("cat", "/tmp/ok", period=1),
    )
    cluster = play(pod(app), until=90, seed=seed)
    before = cluster.get("Pod", "pod")
    address = before["status"]["podIP"]
    cluster.node("node-1").restart_kubelet()
    cluster.run(until=300)
    after = [r for r in cluster.timeline.select(kind="Pod") if r["t"] >= 90]
    assert all(r["conditions"]["Ready"] == "True" for r in after)
    assert all(c["started"] and c["ready"] for r in after for c in r["containers"])
    assert restarts(cluster) == 0
    assert status(cluster)["podIP"] == address
    cluster.exec("pod", "rm /tmp/ok")
    cluster.run(until=600)
    assert conditions(cluster)["Ready"] == "False"  # it is probed again


# ---- hooks and deadlines


class Helper(Server):
    """Notes who asked what, and when."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.seen: list[tuple[float, Request]] = []

    def http(self, request: Request) -> Response:
        self.seen.append((self.cluster.now, request))
        return Response(200)


def test_C114_a_post_start_hook_by_http() -> None:
    cluster = play(pod(container(command="sleep 600"), name="helper"), until=10)
    address = cluster.get("Pod", "helper")["status"]["podIP"]
    helper = Helper(cluster)
    cluster.network.listen(address, 8080, helper)
    hook = {"postStart": {"httpGet": {"host": address, "port": 8080, "path": "/echo?msg=post"}}}
    cluster.apply(pod(container(command="sleep 600", lifecycle=hook)))
    cluster.run(until=20)
    ((at, request),) = helper.seen
    assert (request.method, request.path) == ("GET", "/echo?msg=post")
    assert request.header("User-Agent") == "kube-lifecycle/1.36"
    running = next(
        r["t"]
        for r in cluster.timeline.select(kind="Pod", object="Pod/pod")
        if r["containers"][0]["state"] == "running"
    )
    assert at <= running


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_C121_an_active_deadline(policy: str, seed: int) -> None:
    app = container(command=ENDS_AT_ONCE)
    cluster = play(pod(app, activeDeadlineSeconds=5, restartPolicy=policy), until=60, seed=seed)
    found = status(cluster)
    assert (found["phase"], found["reason"]) == ("Failed", "DeadlineExceeded")
    assert found["message"] == "Pod was active on the node longer than the specified deadline"
    assert 4 <= events(cluster, "DeadlineExceeded")[0] <= 7.1  # counted from startTime, which has whole seconds


# ---- restart policy and rules of a container

RULE = {
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
}
ALL_RULE = {
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}],
}


@pytest.mark.parametrize("seed", SEEDS)
def test_C123_a_rule_restarts_under_never(seed: int) -> None:
    cluster = play(pod(container(command="sleep 1; exit 42", **RULE), restartPolicy="Never"), until=60, seed=seed)
    assert restarts(cluster) > 0
    assert status(cluster)["phase"] == "Running"


def test_C124_no_rule_no_restart() -> None:
    cluster = play(pod(container(command="sleep 1; exit 1", **RULE), restartPolicy="Never"), until=60)
    assert restarts(cluster) == 0
    assert status(cluster)["phase"] == "Failed"


@pytest.mark.parametrize("code", [0, 1])
def test_C125_always_of_a_container_over_never_of_the_pod(code: int) -> None:
    cluster = play(pod(container(command=f"exit {code}", restartPolicy="Always"), restartPolicy="Never"), until=60)
    assert restarts(cluster) > 0


def test_C126_on_failure_of_a_container_over_always_of_the_pod() -> None:
    cluster = play(pod(container(command="exit 0", restartPolicy="OnFailure")), until=60)
    assert restarts(cluster) == 0
    assert status(cluster)["phase"] == "Succeeded"


ONCE = "test -f /data/once && exec sleep 3600; touch /data/once; sleep 5; exit 42"
DATA: Object = {"volumes": [{"name": "data", "emptyDir": {}}]}
MOUNT: Object = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("source", ["regular", "sidecar"])
def test_C127_C128_one_exit_restarts_all_containers(source: str, seed: int) -> None:
    if source == "regular":
        first = container("source", command=ONCE, **ALL_RULE, **MOUNT)
        regular, inits = [first], [container("init", command="true")]
    else:
        first = container("source", command=ONCE, **{**ALL_RULE, "restartPolicy": "Always"}, **MOUNT)
        regular, inits = [], [container("init", command="true"), first]
    others = [container("one", command="sleep 3600"), container("two", command="sleep 3600")]
    cluster = play(pod(*regular, *others, initContainers=inits, restartPolicy="Never", **DATA), until=4, seed=seed)
    before = cluster.get("Pod", "pod")
    cluster.run(until=180)
    after = cluster.get("Pod", "pod")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    found = statuses(cluster)
    assert {name: s["restartCount"] for name, s in found.items()} == dict.fromkeys(found, 1)
    assert all("terminated" in s["lastState"] for s in found.values())
    assert found["one"]["lastState"]["terminated"]["reason"] == "RestartingAllContainers"
    assert found["one"]["lastState"]["terminated"]["exitCode"] == 137
    assert after["status"]["phase"] == "Running"
    records = cluster.timeline.select(kind="Pod")
    told = [r["conditions"].get("AllContainersRestarting") for r in records if "Ready" in r["conditions"]]
    assert told[0] == told[-1] == "False"
    first = [r["conditions"].get("Initialized") for r in records].index("True")
    assert {r["conditions"]["Initialized"] for r in records[first:]} == {"True"}
    marked = [r for r in records if r["conditions"].get("AllContainersRestarting") == "True"]
    assert marked
    assert marked[0]["reasons"]["AllContainersRestarting"] == "RestartAllContainersStarted"


def test_of_containers_restarted_together_only_the_source_is_held_back() -> None:
    """The second time the source waits for its back-off; its init container had no part in it and runs at once."""
    source = container("source", command="sleep 3; exit 42", **ALL_RULE)
    inits = [container("init", command="true")]
    cluster = play(pod(source, container("one", command="sleep 3600"), initContainers=inits, restartPolicy="Never"))
    cluster.run(until=60)
    held = [r["field"] for r in cluster.timeline.select(kind="Event") if r["reason"] == "BackOff"]
    assert set(held) == {"spec.containers{source}"}
