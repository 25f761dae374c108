"""Probes end to end: cases C1 to C20, C47, C49 to C52 and the derived ones C217 to C222, with their times."""

from __future__ import annotations

import random
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.network import Request, Response, Server
from selfheal.objects import condition
from selfheal.probes.result import port_number
from tests.conformance.pods import (
    AGNHOST,
    command,
    container,
    events,
    http,
    messages,
    play,
    pod,
    ready_at,
    restarts,
    started,
)

SEEDS = range(4)
LIVENESS = {"image": AGNHOST, "args": ["liveness"]}


@pytest.mark.parametrize("seed", SEEDS)
def test_C1_readiness_waits_for_the_initial_delay(seed: int) -> None:
    app = container(image="nginx", readinessProbe=http(delay=15))
    cluster = play(pod(app), until=60, seed=seed)
    ready = ready_at(cluster)
    assert ready is not None
    assert 14 <= ready - started(cluster) <= 27
    assert restarts(cluster) == 0


def test_C2_readiness_on_a_dead_port_is_never_ready() -> None:
    cluster = play(pod(container(image="nginx", readinessProbe=http(port=81))), until=65)
    assert ready_at(cluster) is None
    assert restarts(cluster) == 0
    assert any("connection refused" in m for m in messages(cluster, "Unhealthy"))


def test_C3_exec_liveness_while_the_file_stays() -> None:
    app = container(
        command="echo ok >/tmp/health; sleep 600",
        livenessProbe=command("cat", "/tmp/health", delay=15, timeout=5, F=1),
    )
    assert restarts(play(pod(app), until=240)) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_C4_http_liveness_turns_500(seed: int) -> None:
    cluster = play(pod(container(**LIVENESS, livenessProbe=http("/healthz", 8080, delay=15, F=1))), until=60, seed=seed)
    assert 14 <= events(cluster, "Killing")[0] - started(cluster) <= 26
    assert messages(cluster, "Unhealthy")[0] == "Liveness probe failed: HTTP probe failed with statuscode: 500"
    assert restarts(cluster) >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_C5_restarts_keep_coming_and_never_fall(seed: int) -> None:
    cluster = play(
        pod(container(**LIVENESS, livenessProbe=http("/healthz", 8080, delay=5, F=1))), until=14 * 60, seed=seed
    )
    counts = [r["containers"][0]["restartCount"] for r in cluster.timeline.select(kind="Pod")]
    assert counts == sorted(counts)
    assert counts[-1] >= 5
    first_hold = events(cluster, "BackOff")[0]
    free = [t for t in cluster.timeline.restarts("pod") if t < first_hold]
    assert len(free) in (3, 4)


def test_C6_patient_http_liveness() -> None:
    assert restarts(play(pod(container(image="nginx", livenessProbe=http(delay=15, timeout=5, F=5))), until=240)) == 0


def test_C7_exec_readiness_over_its_timeout_counts_as_failure() -> None:
    app = container(command="sleep 600", readinessProbe=command("sleep", "10", delay=15, timeout=1, F=1))
    cluster = play(pod(app), until=65)
    assert ready_at(cluster) is None
    assert restarts(cluster) == 0
    assert 'command timed out: "sleep 10" timed out after 1s' in messages(cluster, "Unhealthy")[0]


def test_C8_exec_liveness_with_a_child_in_the_background() -> None:
    app = container(
        command="sleep 600", livenessProbe=command("sh", "-c", "sleep 10 & exit 1", delay=15, timeout=1, F=1)
    )
    assert restarts(play(pod(app), until=240)) >= 1


def test_C9_a_redirect_to_another_host_is_a_warning() -> None:
    probe = http("/redirect?loc=http://0.0.0.0/", 8080, delay=15, F=1)
    cluster = play(pod(container(**LIVENESS, livenessProbe=probe)), until=240)
    assert restarts(cluster) == 0
    assert messages(cluster, "ProbeWarning")[0].startswith(
        'Liveness probe warning: Probe terminated redirects, Response body: <a href="http://0.0.0.0/">Found</a>.'
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_C10_a_failing_startup_probe_restarts(seed: int) -> None:
    app = container(
        name="c",
        command="sleep 600",
        startupProbe=command("/bin/false", delay=15),
        livenessProbe=command("/bin/true", delay=15, F=1),
    )
    cluster = play(pod(app, terminationGracePeriodSeconds=2), until=60, seed=seed)
    assert 34 <= events(cluster, "Killing")[0] - started(cluster) <= 47
    assert messages(cluster, "Killing")[0] == "Container c failed startup probe, will be restarted"


def test_C11_liveness_works_after_startup() -> None:
    app = container(
        command="sleep 10; touch /tmp/startup; sleep 600",
        startupProbe=command("cat", "/tmp/startup", delay=15, F=60),
        livenessProbe=command("/bin/false", delay=15, F=1),
    )
    assert restarts(play(pod(app), until=240)) >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_C12_ready_soon_after_startup_despite_a_long_readiness_period(seed: int) -> None:
    app = container(
        command="echo ok >/tmp/health; sleep 32; echo ok >/tmp/startup; sleep 600",
        startupProbe=command("cat", "/tmp/startup", period=5, F=120),
        readinessProbe=command("cat", "/tmp/health", period=30),
    )
    cluster = play(pod(app), until=90, seed=seed)
    ready = ready_at(cluster)
    assert ready is not None
    assert 32 <= ready - started(cluster) <= 32 + 5 + 2


@pytest.mark.parametrize("seed", SEEDS)
def test_C13_a_startup_probe_with_its_own_grace_period(seed: int) -> None:
    probe = http("/healthz", 8080, delay=10, F=1, grace=5)
    app = container(command="sleep 1000", startupProbe=probe)
    cluster = play(pod(app, terminationGracePeriodSeconds=500), until=60, seed=seed)
    killing, restarted = events(cluster, "Killing")[0], events(cluster, "Started")[1]
    assert 9.5 <= killing - started(cluster) <= 21
    assert 4.9 <= restarted - killing <= 6.5


def test_C14_grpc_liveness_while_serving() -> None:
    probe = {"grpc": {"port": 5000}, "initialDelaySeconds": 15, "timeoutSeconds": 5, "failureThreshold": 1}
    app = container(image=AGNHOST, args=["grpc-health-checking"], livenessProbe=probe)
    cluster = play(pod(app), until=240)
    assert restarts(cluster) == 0
    assert not events(cluster, "Unhealthy")
    assert cluster.timeline.select(kind="Probe", result="success")


def test_C15_readiness_is_probed_while_terminating() -> None:
    app = container(
        command="trap 'rm /tmp/ready; sleep 60' TERM; touch /tmp/ready; while true; do sleep 1; done",
        readinessProbe=command("cat", "/tmp/ready", delay=5, period=2, F=1),
    )
    cluster = play(pod(app), until=30)
    cluster.delete("pod/pod")
    cluster.run(until=40)
    unready = [
        r["t"]
        for r in cluster.timeline.select(kind="Pod")
        if r.get("terminating") and r["conditions"]["Ready"] == "False" and r["containers"][0]["state"] == "running"
    ]
    assert unready
    assert unready[0] <= 30 + 2 * 2 + 1 + 1


def test_C16_liveness_is_not_acted_on_while_terminating() -> None:
    app = container(
        command="trap 'rm /tmp/live; sleep 60' TERM; touch /tmp/live; while true; do sleep 1; done",
        livenessProbe=command("cat", "/tmp/live", period=1, F=1),
    )
    cluster = play(pod(app), until=20)
    cluster.delete("pod/pod")
    cluster.run(until=80)
    assert messages(cluster, "Killing") == ["Stopping container app"]
    assert cluster.store.get("Pod", "default", "pod") is None


class Stalls(Server):
    """Sends its headers at once and never the end of its body."""

    def http(self, request: Request) -> Response:
        return Response(200, stall_body=True)


def test_C47_a_body_that_stalls_never_kills() -> None:
    cluster = play(pod(container(command="sleep 600", livenessProbe=http("/", 8080, delay=5, F=1))), until=3)
    cluster.network.listen(cluster.get("Pod", "pod")["status"]["podIP"], 8080, Stalls())
    cluster.run(until=180)
    assert restarts(cluster) == 0
    assert not events(cluster, "Killing")
    (text,) = set(messages(cluster, "Unhealthy"))
    assert text.startswith("Liveness probe errored and resulted in failure state: ")


# ---- sidecars: init containers with restartPolicy Always


def with_sidecar(**fields: Any) -> dict[str, Any]:
    side = container(**{"name": "sidecar", "restartPolicy": "Always", **fields})
    return pod(container("main", command="sleep 600"), initContainers=[side])


def counts(cluster: Cluster) -> tuple[int, int]:
    """Restarts of the sidecar and of the regular container."""
    status = cluster.get("Pod", "pod")["status"]
    return tuple(status[k][0]["restartCount"] for k in ("initContainerStatuses", "containerStatuses"))


@pytest.mark.parametrize("seed", SEEDS)
def test_C17_exec_liveness_of_a_sidecar_restarts_only_the_sidecar(seed: int) -> None:
    line = "echo ok >/tmp/health; sleep 10; rm -f /tmp/health; sleep 600"
    obj = with_sidecar(command=line, livenessProbe=command("cat", "/tmp/health", delay=15, timeout=5, F=1))
    sidecar, main = counts(play(obj, until=240, seed=seed))
    assert sidecar >= 1
    assert main == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_C18_http_liveness_of_a_sidecar(seed: int) -> None:
    obj = with_sidecar(**LIVENESS, livenessProbe=http("/healthz", 8080, delay=15, F=1))
    sidecar, main = counts(play(obj, until=240, seed=seed))
    assert sidecar >= 1
    assert main == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_C19_the_startup_probe_of_a_sidecar_holds_the_regular_container_back(seed: int) -> None:
    line = "sleep 32; touch /tmp/startup; sleep 600"
    obj = with_sidecar(command=line, startupProbe=command("cat", "/tmp/startup", period=5, F=60))
    cluster = play(obj, until=60, seed=seed)
    sidecar, main = events(cluster, "Started")
    assert 32 <= main - sidecar <= 32 + 5 + 2
    before = [r for r in cluster.timeline.select(kind="Pod") if r["containers"][0]["state"] == "waiting"]
    assert {r["phase"] for r in before} == {"Pending"}
    assert {r["conditions"].get("Initialized", "False") for r in before if r["t"] < sidecar + 32} == {"False"}
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Running"


def test_C20_the_readiness_of_a_sidecar_counts_for_the_pod() -> None:
    obj = with_sidecar(command="sleep 600", readinessProbe=command("/bin/false"))
    cluster = play(obj, until=65)
    assert ready_at(cluster) is None
    assert str(cluster.get("pods")).split()[6] == "1/2"
    ready = condition(cluster.get("Pod", "pod"), "Ready")
    assert ready is not None
    assert ready["message"] == "containers with unready status: [sidecar]"


def test_C49_an_unknown_port_name_never_kills() -> None:
    cluster = play(pod(container(image="nginx", livenessProbe=http(port="nope", F=1))), until=120)
    assert restarts(cluster) == 0
    assert messages(cluster, "Unhealthy")[0] == (
        'Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "nope": invalid syntax'
    )


def test_C50_a_port_given_as_a_number_in_letters() -> None:
    """The API refuses such a port; the prober would take it as the number."""
    assert port_number("118", ()) == 118


def test_C52_a_missing_binary_is_an_error_and_never_kills() -> None:
    cluster = play(pod(container(command="sleep 600", livenessProbe=command("/no/such", F=1))), until=120)
    assert restarts(cluster) == 0
    assert all(
        m.startswith("Liveness probe errored and resulted in unknown state") for m in messages(cluster, "Unhealthy")[:9]
    )
    assert not events(cluster, "Killing")


def hang(seed: int, **numbers: int) -> float:
    """Seconds from the moment at which the server begins to hang, drawn from the seed, to the kill."""
    app = container(image="selfheal/patient:1", livenessProbe=http("/healthz", 8080, **numbers))
    cluster = play(pod(app), until=30 + 10 * random.Random(seed).random(), seed=seed)
    fault = cluster.now
    cluster.http("pod", "/switch?healthz=hang", method="POST")
    cluster.run(lambda: bool(cluster.timeline.kills("pod")), limit=120)
    return events(cluster, "Killing")[0] - fault


HANGS = {
    "C217": ({"period": 10, "timeout": 3, "F": 3}, (23, 33), 28),
    "C218": ({"period": 5, "timeout": 20, "F": 2}, (40, 45), 42.5),
}


def judge_hangs(case: str, seeds: int) -> None:
    numbers, (low, high), mean = HANGS[case]
    times = [hang(seed, **numbers) for seed in range(seeds)]
    # A probe begins up to 0.025 s after its tick, and a kill a few hundredths after the verdict.
    assert all(low <= round(t, 1) <= high + 0.1 for t in times), (min(times), max(times))
    assert abs(sum(times) / seeds - mean) <= (high - low) / seeds**0.5


@pytest.mark.parametrize("case", HANGS)
def test_C217_C218_a_hang_is_found_within_the_formula(case: str) -> None:
    """C217: two more periods and a timeout after up to one period; C218: two timeouts, back to back."""
    judge_hangs(case, 12)


@pytest.mark.nightly
@pytest.mark.parametrize("case", HANGS)
def test_C217_C218_a_hang_is_found_within_the_formula_by_a_thousand_seeds(case: str) -> None:
    judge_hangs(case, 1000)


@pytest.mark.parametrize(("opens", "killed"), [(299, False), (10_000, True)])
def test_C219_the_startup_budget(opens: int, killed: bool) -> None:
    """With seed 3 the container starts early enough for the probe 300 s after the worker began to find the port."""
    app = container(
        image="selfheal/patient:1", args=["--start", str(opens)], startupProbe=http("/healthz", 8080, period=10, F=30)
    )
    cluster = play(pod(app), until=330, seed=3)
    if killed:
        assert 289 <= events(cluster, "Killing")[0] - started(cluster) <= 301
    else:
        assert not events(cluster, "Killing")
        ready = ready_at(cluster)
        assert ready is not None
        assert 299 <= ready - started(cluster) <= 310


@pytest.mark.parametrize("seed", SEEDS)
def test_C220_a_delay_too_short_without_a_startup_probe(seed: int) -> None:
    app = container(
        image="selfheal/patient:1",
        args=["--start", "60"],
        livenessProbe=http("/healthz", 8080, delay=10, period=10, F=3),
    )
    cluster = play(pod(app), until=600, seed=seed)
    starts, kills = events(cluster, "Started"), cluster.timeline.kills("pod")
    lives = [kill - start for start, kill in zip(starts, kills, strict=False)]
    assert all(20 <= life <= 41 for life in lives)
    assert not cluster.timeline.select(kind="Probe", result="success")
    free = [t for t in cluster.timeline.restarts("pod") if t < events(cluster, "BackOff")[0]]
    assert len(free) in (4, 5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_C221_a_probe_of_a_dependency_hits_all_replicas(probe: str, seed: int) -> None:
    backend = container(image="selfheal/patient:1", livenessProbe=http("/", 8080, F=1000))
    cluster = play(pod(backend, name="backend"), until=10, seed=seed, nodes=2)
    address = cluster.get("Pod", "backend")["status"]["podIP"]
    asks = command("wget", "-q", "-T", "1", "-O", "/dev/null", f"http://{address}:8080/healthz", period=10, F=3)
    app = container(command="trap 'exit 0' TERM; sleep 3600 & wait", **{probe: asks})
    cluster.apply([pod(app, name=f"web-{n}") for n in range(3)])
    cluster.run(until=60)
    cluster.http("backend", "/switch?healthz=500", method="POST")
    cluster.run(until=120)
    cluster.http("backend", "/switch?healthz=200", method="POST")
    cluster.run(until=180)
    kills = [t - 60 for n in range(3) for t in cluster.timeline.kills(f"web-{n}")]
    if probe == "readinessProbe":
        assert kills == []
        assert all(restarts(cluster, f"web-{n}") == 0 for n in range(3))
        assert all(cluster.timeline.at(100)[f"Pod/web-{n}"]["conditions"]["Ready"] == "False" for n in range(3))
    else:
        assert len(kills) >= 3
        assert [20 <= cluster.timeline.kills(f"web-{n}")[0] - 60 <= 30.3 for n in range(3)] == [True] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_C222_started_is_carried_over_a_liveness_kill(seed: int) -> None:
    app = container(
        command="sleep 30; touch /tmp/up; sleep 30; touch /tmp/ill; sleep 600",
        startupProbe=command("cat", "/tmp/up", period=20, F=30),
        livenessProbe=command("sh", "-c", "! test -f /tmp/ill", period=5, F=2),
    )
    cluster = play(pod(app, terminationGracePeriodSeconds=2), until=160, seed=seed)
    second = [r for r in cluster.timeline.select(kind="Pod") if r["containers"][0]["restartCount"] == 1]
    assert [second[0]["containers"][0][k] for k in ("started", "ready")] == [True, True]
    off = next(r for r in second if r["containers"][0]["started"] is False)
    assert off["t"] - second[0]["t"] <= 20.5
    assert any(r["containers"][0]["started"] for r in second if r["t"] > off["t"])


def test_a_cluster_with_the_same_seed_leaves_the_same_bytes() -> None:
    def run() -> str:
        cluster = play(pod(container(**LIVENESS, livenessProbe=http("/healthz", 8080, period=3))), until=200, seed=5)
        return cluster.timeline.to_jsonl(record_all=True)

    assert run() == run()
