"""Restarts, back-off, phases and endings: cases C56 to C90 and C108 to C122, with their times."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal import Cluster, spec
from selfheal.clock import SECOND
from selfheal.kubelet import generate
from selfheal.kubelet.backoff import Backoff, text
from tests.conformance.pods import AGNHOST, command, container, events, http, messages, play, pod, restarts, started

SEEDS = range(4)
WAITS = (0, 10, 20, 40, 80, 160, 300, 300)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("code", "reason"), [(1, "Error"), (0, "Completed")])
def test_C56_C57_an_instant_exit_backs_off_whatever_its_code(seed: int, code: int, reason: str) -> None:
    cluster = play(pod(container(command=f"exit {code}")), until=1300, seed=seed)
    starts = cluster.timeline.select(kind="Event", reason="Started")
    counts = [r["count"] for r in starts]
    assert counts == sorted(counts)
    created = events(cluster, "Pulled")
    for wait, (before, after) in zip(WAITS, pairwise(created[:6]), strict=False):
        assert wait <= after - before <= 1.5 * wait + 3.5
    last = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]
    ended = last["state"].get("terminated") or last["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == (reason, code)
    assert any(r["containers"][0]["reason"] == "CrashLoopBackOff" for r in cluster.timeline.select(kind="Pod"))


@pytest.mark.wrong_rules  # the validators know the default maximum
@pytest.mark.parametrize("seed", SEEDS)
def test_C58_a_lower_maximum_is_kept(seed: int) -> None:
    cluster = Cluster(seed=seed)
    # crashLoopBackOff.maxContainerRestartPeriod: 30s in the configuration of the node's kubelet
    cluster.node("node-1").kubelet.manager.backoff = Backoff(maximum=30 * SECOND)
    cluster.apply(pod(container(command="exit 1")))
    cluster.run(until=300)
    assert restarts(cluster) <= 13
    for wait, (before, after) in zip((0, 10, 20, 30, 30, 30, 30), pairwise(events(cluster, "Pulled")), strict=False):
        assert wait <= after - before <= 1.5 * wait + 3.5


def test_C58_a_lower_maximum() -> None:
    backoff, now, waits = Backoff(maximum=30 * SECOND), 0, []
    for _ in range(6):
        waits.append(backoff.get("c") // SECOND)
        backoff.next("c", now, now)
        now += backoff.get("c")
    assert waits == [0, 10, 20, 30, 30, 30]


@pytest.mark.parametrize("seed", range(2))
def test_C59_the_back_off_is_capped_at_five_minutes(seed: int) -> None:
    cluster = play(pod(container(command="sleep 5; exit 1")), until=3000, seed=seed)
    gone = [
        (r["t"], r["containers"][0]["restartCount"])
        for r in cluster.timeline.select(kind="Pod")
        if r["containers"][0]["state"] == "terminated"
    ]
    back = dict(zip(range(100), cluster.timeline.starts("pod"), strict=False))
    waits = [back[count + 1] - t for t, count in gone if count + 1 in back and count >= 6]
    assert waits
    assert all(299 <= wait <= 390 for wait in waits)


@pytest.mark.parametrize("seed", SEEDS)
def test_C60_a_new_image_starts_the_back_off_afresh(seed: int) -> None:
    crash = container(image="busybox:1.36", command="sleep 5; exit 1")
    cluster = play(pod(crash), until=100, seed=seed)
    changed = pod({**crash, "image": "busybox:1.37"})
    cluster.apply(changed)
    cluster.run(until=400)
    starts = [t for t in cluster.timeline.starts("pod") if t > 100]
    assert starts[1] - starts[0] <= 5 + 10 * 1.5 + 4


def test_C61_within_the_back_off_a_start_is_held_back() -> None:
    backoff = Backoff()
    backoff.set("c", SECOND, 0)
    assert backoff.is_in_backoff("c", 0, SECOND - 1)
    assert not backoff.is_in_backoff("c", 0, SECOND)


def test_C62_what_a_back_off_belongs_to() -> None:
    from selfheal.kubelet.kuberuntime import RuntimeManager

    def key(**changes: Any) -> str:
        values = {"name": "pod", "namespace": "default", "container": "app", "image": "busybox", "cpu": "1", **changes}
        meta = {"name": values["name"], "namespace": values["namespace"], "uid": "u"}
        c = {"name": values["container"], "image": values["image"], "resources": {"limits": {"cpu": values["cpu"]}}}
        obj = {"metadata": meta, "spec": {"activeDeadlineSeconds": values.get("deadline")}}
        return RuntimeManager._key(obj, spec.container(c))

    assert key() == key(deadline=5)
    for change in ({"image": "nginx"}, {"cpu": "2"}, {"name": "x"}, {"namespace": "x"}, {"container": "x"}):
        assert key() != key(**change)


@pytest.mark.parametrize("seed", SEEDS)
def test_C63_the_first_crash_restarts_at_once(seed: int) -> None:
    script = "test -f /data/ran && sleep 3600; touch /data/ran; sleep 60; exit 1"
    app = container(command=script, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    cluster = play(pod(app, volumes=[{"name": "data", "emptyDir": {}}]), until=120, seed=seed)
    first, second = events(cluster, "Started")
    assert 60 <= second - first <= 60 + 1 + 1
    assert restarts(cluster) == 1
    assert not events(cluster, "BackOff")
    assert cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_C64_kills_by_a_probe_are_free_at_first(seed: int) -> None:
    app = container(image=AGNHOST, args=["netexec"], livenessProbe=http("/", 8081, delay=5, period=10, F=3))
    cluster = play(pod(app), until=400, seed=seed)
    kills, starts = cluster.timeline.kills("pod"), cluster.timeline.starts("pod")
    waits = [start - kill for kill, start in zip(kills, starts[1:], strict=False)]
    assert all(wait < 1.5 for wait in waits[:4])
    assert 39 <= waits[4] <= 62


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (111, "Failed")])
def test_C65_never_restarts_nothing(code: int, phase: str) -> None:
    cluster = play(pod(container(command=f"exit {code}"), restartPolicy="Never"), until=30)
    assert cluster.get("Pod", "pod")["status"]["phase"] == phase
    assert restarts(cluster) == 0


# ---- phase: kubelet_pods_test.go TestPodPhaseWith…

RUNNING: dict[str, Any] = {"state": {"running": {}}}
WAITING: dict[str, Any] = {"state": {"waiting": {}}}


def done(code: int) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code}}}


def crashed_waiting(code: int) -> dict[str, Any]:
    return {"state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": code}}}


@pytest.mark.parametrize(
    ("case", "policy", "init", "a", "b", "terminal", "expected"),
    [
        ("C74", "Always", None, None, None, False, "Pending"),
        ("C75", "Always", None, done(1), done(1), False, "Running"),
        ("C76", "Always", None, done(0), done(0), True, "Succeeded"),
        ("C77", "Always", None, RUNNING, None, False, "Pending"),
        ("C78", "Always", None, RUNNING, WAITING, False, "Pending"),
        ("C79", "OnFailure", None, done(0), done(0), False, "Succeeded"),
        ("C80", "OnFailure", None, done(1), done(1), False, "Running"),
        ("C81", "Never", None, RUNNING, done(0), False, "Running"),
        ("C82", "Always", RUNNING, WAITING, WAITING, False, "Pending"),
        ("C83", "Never", done(1), WAITING, WAITING, False, "Failed"),
        ("C84", "Never", crashed_waiting(1), WAITING, WAITING, False, "Failed"),
    ],
)
def test_C74_to_C84_phase(
    case: str,
    policy: str,
    init: dict[str, Any] | None,
    a: dict[str, Any] | None,
    b: dict[str, Any] | None,
    terminal: bool,
    expected: str,
) -> None:
    def containers(*names: str) -> tuple[spec.Container, ...]:
        return tuple(spec.container({"name": n, "image": "busybox"}) for n in names)

    of = SimpleNamespace(
        containers=containers("A", "B"), init_containers=containers("X") if init else (), restart_policy=policy
    )
    statuses = [{"name": n, **s} for n, s in (("A", a), ("B", b)) if s is not None]
    inits = [{"name": "X", **init}] if init else []
    assert generate.phase(of, statuses, inits, terminal=terminal) == expected, case  # type: ignore[arg-type]


# ---- container runtime facts

COUNTED = "n=$(cat /data/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /data/n; "
DATA = {"volumes": [{"name": "data", "emptyDir": {}}]}
MOUNT = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def test_C85_fails_once_ends_once_then_runs() -> None:
    script = COUNTED + "[ $n -eq 1 ] && exit 1; [ $n -eq 2 ] && exit 0; sleep 3600"
    cluster = play(pod(container(command=script, **MOUNT), **DATA), until=60)
    status = cluster.get("Pod", "pod")["status"]
    assert status["phase"] == "Running"
    assert restarts(cluster) == 2
    assert status["containerStatuses"][0]["ready"]


def test_C86_fails_once_then_ends_on_failure() -> None:
    script = COUNTED + "[ $n -eq 1 ] && exit 1; exit 0"
    cluster = play(pod(container(command=script, **MOUNT), restartPolicy="OnFailure", **DATA), until=60)
    status = cluster.get("Pod", "pod")["status"]
    assert (status["phase"], restarts(cluster), status["containerStatuses"][0]["ready"]) == ("Succeeded", 1, False)


@pytest.mark.parametrize(
    ("case", "script", "fields", "expected"),
    [
        ("C87", "echo -n DONE > /dev/termination-log", {}, "DONE"),
        (
            "C88",
            "echo -n DONE > /dev/termination-custom-log",
            {"terminationMessagePath": "/dev/termination-custom-log"},
            "DONE",
        ),
        ("C89", "echo DONE", {"terminationMessagePolicy": "FallbackToLogsOnError"}, None),
        (
            "C90",
            "echo -n OK > /dev/termination-log; echo DONE",
            {"terminationMessagePolicy": "FallbackToLogsOnError"},
            "OK",
        ),
        ("error", "echo DONE; exit 1", {"terminationMessagePolicy": "FallbackToLogsOnError"}, "DONE\n"),
    ],
)
def test_C87_to_C90_termination_message(case: str, script: str, fields: dict[str, Any], expected: str | None) -> None:
    cluster = play(pod(container(command=script, **fields), restartPolicy="Never"), until=20)
    ended = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended.get("message") == expected, case


# ---- hooks and termination


def test_C108_post_start_blocks_the_next_container() -> None:
    first = container("c1", command="sleep 600", lifecycle={"postStart": {"exec": {"command": ["sleep", "10"]}}})
    cluster = play(pod(first, container("c2", command="sleep 600")), until=40)
    one, two = (
        next(r["t"] for r in cluster.timeline.select(kind="Event", reason="Started") if r["field"].endswith(f"{{{c}}}"))
        for c in ("c1", "c2")
    )
    assert 10 <= two - one <= 12


def test_C110_containers_start_in_order_without_waiting_for_ready() -> None:
    first = container("c1", image="nginx", readinessProbe=http("/", 81))
    cluster = play(pod(first, container("c2", command="sleep 600")), until=20)
    statuses = cluster.get("Pod", "pod")["status"]["containerStatuses"]
    assert [("running" in s["state"], s["ready"]) for s in statuses] == [(True, False), (True, True)]


def deletion(
    obj: dict[str, Any], after: float = 20, *, grace: int | None = None, until: float = 120
) -> tuple[Any, float]:
    """Delete the pod at 20 s; (cluster, seconds until its object was gone)."""
    cluster = play(obj, until=after)
    cluster.delete("pod/pod", grace=grace)
    cluster.run(until=until)
    gone = [r["t"] for r in cluster.timeline.select(kind="Pod") if r.get("deleted")]
    assert gone, "the pod is still there"
    return cluster, gone[0] - after


def last_exit(cluster: Any) -> tuple[int, str]:
    ended = cluster.timeline.select(kind="Pod")[-1]["containers"][0]
    return ended["exitCode"], ended["reason"]


def test_C111_a_pre_stop_sleep_is_cut_by_the_grace_period() -> None:
    hook = {"preStop": {"sleep": {"seconds": 50}}}
    obj = pod(container(image="nginx", lifecycle=hook), terminationGracePeriodSeconds=50)
    cluster = play(obj, until=20)
    cluster.delete("pod/pod", grace=30)
    cluster.run(until=120)
    gone = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r.get("deleted")) - 20
    assert 30 <= gone <= 34.5


def test_C112_pre_stop_does_not_run_in_a_dead_container() -> None:
    hook = {"preStop": {"sleep": {"seconds": 10}}}
    _, gone = deletion(pod(container(command="sleep 3", lifecycle=hook), restartPolicy="Never"))
    assert gone < 10


def test_C113_pre_stop_runs_before_the_signal() -> None:
    script = "trap 'cat /tmp/marker; exit 0' TERM; while true; do sleep 1; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo marked > /tmp/marker"]}}}
    cluster = play(pod(container(command=script, lifecycle=hook)), until=20)
    log = cluster.container("pod").log
    cluster.delete("pod/pod")
    cluster.run(until=60)
    assert [line for _, line in log] == ["marked"]


@pytest.mark.parametrize(("case", "grace", "low", "high"), [("C115", 5, 5, 7), ("C116", 30, 30, 33)])
def test_C115_C116_a_process_that_ignores_the_signal_is_killed_after_the_grace_period(
    case: str, grace: int, low: float, high: float
) -> None:
    app = container(command=None, image="busybox:1.36", args=["sleep", "1000"])
    cluster, gone = deletion(pod(app, terminationGracePeriodSeconds=grace))
    assert low <= gone <= high, case
    assert last_exit(cluster) == (137, "Error")


@pytest.mark.parametrize("seed", SEEDS)
def test_C117_a_forced_deletion_removes_the_object_at_once(seed: int) -> None:
    cluster = play(pod(container(args=["sleep", "1000"])), until=20, seed=seed)
    process = cluster.container("pod")
    cluster.delete("pod/pod", grace=0)
    assert cluster.store.get("Pod", "default", "pod") is None
    cluster.run(until=30)
    assert process.exit_code == 137
    assert process.finished_at is not None
    assert 2 <= process.finished_at / SECOND - 20 <= 2.5  # it ignores the stop signal


def test_C118_a_second_deletion_may_only_shorten() -> None:
    cluster = play(pod(container(args=["sleep", "1000"]), terminationGracePeriodSeconds=60), until=20)
    seen = []
    for at, grace in ((20, None), (25, 10), (26, 100)):
        cluster.run(until=at)
        cluster.delete("pod/pod", grace=grace)
        seen.append(cluster.get("Pod", "pod")["metadata"]["deletionGracePeriodSeconds"])
    assert seen == [60, 10, 10]


def test_C119_a_probes_grace_period_may_be_longer_than_the_pods() -> None:
    probe = command("/bin/false", period=5, F=1, grace=60)
    app = container(args=["sleep", "1000"], livenessProbe=probe)
    cluster = play(pod(app, terminationGracePeriodSeconds=10), until=100)
    assert 60 <= events(cluster, "Started")[1] - events(cluster, "Killing")[0] <= 61.5


def test_C120_a_probe_kill_under_never_ends_the_pod() -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo stopping > /proc/1/fd/1"]}}}
    app = container(
        name="c", image=AGNHOST, args=["netexec"], livenessProbe=http("/", 8081, period=5, F=1), lifecycle=hook
    )
    cluster = play(pod(app, restartPolicy="Never"), until=60)
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Succeeded"
    assert messages(cluster, "Killing") == ["Stopping container c"]
    other = container(name="other", command="sleep 600")
    cluster = play(pod(app, other, restartPolicy="Never"), until=60)
    assert messages(cluster, "Killing") == ["Container c failed liveness probe"]


def test_C122_an_unscheduled_pod_is_gone_at_once() -> None:
    cluster = play(pod(container(image="nginx"), nodeSelector={"no": "such"}), until=5)
    cluster.delete("pod/pod")
    assert cluster.store.get("Pod", "default", "pod") is None


def test_texts_of_back_offs() -> None:
    assert [text(s * SECOND) for s in (10, 20, 40, 80, 160, 300)] == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"]


def test_started_is_after_created() -> None:
    cluster = play(pod(container(image="nginx")), until=10)
    assert events(cluster, "Created")[0] < started(cluster)
