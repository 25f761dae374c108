"""Probes end to end: the upstream cases C1 to C16, C47 to C52 and the derived ones, with their times."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("seed", range(8))
def test_C217_a_hang_is_found_within_the_formula(seed: int) -> None:
    app = container(image="selfheal/patient:1", livenessProbe=http("/healthz", 8080, period=10, timeout=3, F=3))
    cluster = play(pod(app), until=30 + seed * 1.3, seed=seed)
    fault = cluster.now
    cluster.http("pod", "/switch?healthz=hang", method="POST")
    cluster.run(for_=60)
    assert 22.9 <= events(cluster, "Killing")[0] - fault <= 33.1


@pytest.mark.parametrize("seed", range(8))
def test_C218_a_timeout_longer_than_the_period(seed: int) -> None:
    app = container(image="selfheal/patient:1", livenessProbe=http("/healthz", 8080, period=5, timeout=20, F=2))
    cluster = play(pod(app), until=30 + seed * 0.7, seed=seed)
    fault = cluster.now
    cluster.http("pod", "/switch?healthz=hang", method="POST")
    cluster.run(for_=90)
    assert 39.9 <= events(cluster, "Killing")[0] - fault <= 45.2


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
