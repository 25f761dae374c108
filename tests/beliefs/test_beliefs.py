"""Each belief differs from the truth where it says it does, in the way it says, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import ApiError
from selfheal.rules import BELIEFS
from tests.conformance.pods import command, container, events, http, pod, restarts

Object = dict[str, Any]
SEEDS = range(3)


def play(
    obj: Object, belief: str | None, seed: int, until: float = 120, switch: tuple[float, str] | None = None
) -> Cluster:
    """A pod in a cluster that runs on a belief, or on the truth; its app may be switched at a time."""
    cluster = Cluster(seed=seed, belief=belief)
    cluster.apply([obj])
    if switch is not None:
        at, what = switch
        cluster.run(until=at)
        cluster.http("pod", f"/switch?{what}", method="POST")
    return cluster.run(until=until)


def both(belief: str, obj: Object, seed: int, **more: Any) -> tuple[Cluster, Cluster]:
    """(as it is, as it is believed to be)"""
    return play(obj, None, seed, **more), play(obj, belief, seed, **more)


def patient(*args: str, **probes: Any) -> Object:
    return container(image="selfheal/patient", args=list(args), ports=[{"containerPort": 8080}], **probes)


def kills(cluster: Cluster) -> list[float]:
    return cluster.timeline.kills("pod")


LIVE, READY = http("/healthz", 8080, period=5, F=3), http("/readyz", 8080, period=5, F=3)


@pytest.mark.parametrize("seed", SEEDS)
def test_readiness_restarts(seed: int) -> None:
    obj = pod(patient(livenessProbe=LIVE, readinessProbe=READY))
    truth, belief = both("readiness-restarts", obj, seed, switch=(20, "readyz=500"))
    assert restarts(truth) == 0
    assert truth.timeline.ready_intervals("pod")[0][1] < 40, "traffic is taken away"
    [killed] = kills(belief)
    assert 30 <= killed <= 36, "at the third failure"
    assert restarts(belief) == 1, "and then it is well"
    assert "failed readiness probe, will be restarted" in belief.timeline.select(reason="Killing")[0]["message"]


@pytest.mark.parametrize("seed", SEEDS)
def test_liveness_waits_for_readiness(seed: int) -> None:
    """An app that never becomes ready and is not alive either."""
    obj = pod(patient("--readyz-after", "0=500", "--healthz-after", "0=500", livenessProbe=LIVE, readinessProbe=READY))
    truth, belief = both("liveness-waits-for-readiness", obj, seed)
    assert kills(truth)[0] < 20
    assert restarts(belief) == 0, "nobody asks whether it is alive"
    assert not belief.timeline.select(kind="Probe", probe="liveness", result="failure")
    assert belief.timeline.select(kind="Probe", probe="liveness", why="not ready")


@pytest.mark.parametrize("seed", SEEDS)
def test_restart_is_instant(seed: int) -> None:
    """The documentation's example: its shell ignores SIGTERM, so that the restart takes 30 s more."""
    script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
    obj = pod(container(command=script, livenessProbe=command("cat", "/tmp/healthy", delay=5, period=5)))
    truth, belief = both("restart-is-instant", obj, seed)
    assert kills(truth)[0] == pytest.approx(kills(belief)[0], abs=0.1)
    waits = [cluster.timeline.restarts("pod")[0] - kills(cluster)[0] for cluster in (truth, belief)]
    assert 30 <= waits[0] <= 31.5
    assert waits[1] <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_first_restart_waits_after_a_crash(seed: int) -> None:
    truth, belief = both("first-restart-waits", pod(container(command="sleep 5; exit 1")), seed, until=60)
    ends = [events(cluster, "Started")[0] + 5 for cluster in (truth, belief)]
    waits = [c.timeline.restarts("pod")[0] - end for c, end in zip((truth, belief), ends, strict=True)]
    assert waits[0] <= 2
    assert 10 <= waits[1] <= 17
    assert not [t for t in events(truth, "BackOff") if t < ends[0] + 5]
    assert [t for t in events(belief, "BackOff") if t < ends[1] + 5]


@pytest.mark.parametrize("seed", SEEDS)
def test_first_restart_waits_after_a_kill(seed: int) -> None:
    obj = pod(patient(livenessProbe=LIVE))
    truth, belief = both("first-restart-waits", obj, seed, switch=(20, "healthz=500"))
    waits = [cluster.timeline.restarts("pod")[0] - kills(cluster)[0] for cluster in (truth, belief)]
    assert waits[0] <= 2
    assert 10 <= waits[1] <= 17


@pytest.mark.parametrize("seed", SEEDS)
def test_threshold_plus_one(seed: int) -> None:
    obj = pod(patient(livenessProbe=LIVE))
    truth, belief = both("threshold-plus-one", obj, seed, switch=(20, "healthz=500"))
    assert kills(belief)[0] - kills(truth)[0] == pytest.approx(5, abs=0.2), "one period later"
    failures = [len(c.timeline.select(kind="Probe", result="failure", until=kills(c)[0])) for c in (truth, belief)]
    assert failures == [3, 4]


@pytest.mark.parametrize("seed", SEEDS)
def test_raise_readiness_threshold(seed: int) -> None:
    """The app is ill at 20; somebody has raised the readiness threshold to 8 so that it lives longer."""
    obj = pod(patient(livenessProbe=LIVE, readinessProbe={**READY, "failureThreshold": 8}))
    truth, belief = both("raise-readiness-threshold", obj, seed, switch=(20, "healthz=500"))
    low = play(pod(patient(livenessProbe=LIVE, readinessProbe=READY)), None, seed, switch=(20, "healthz=500"))
    assert kills(truth)[0] == pytest.approx(kills(low)[0], abs=0.1), "it helps nothing"
    assert kills(belief)[0] - kills(truth)[0] == pytest.approx(25, abs=0.2), "five periods later"


@pytest.mark.parametrize("seed", SEEDS)
def test_delay_after_startup(seed: int) -> None:
    """Up after 20 s, ill from the first; liveness has a delay of 15 s."""
    startup = http("/readyz", 8080, period=2, F=30)
    late = http("/healthz", 8080, delay=15, period=2, F=1)
    obj = pod(patient("--start", "20", "--healthz-after", "21=500", startupProbe=startup, livenessProbe=late))
    truth, belief = both("delay-after-startup", obj, seed, until=60)
    up = next(r["t"] for r in truth.timeline.select(kind="Pod") if r["containers"][0]["started"])
    assert 0 <= kills(truth)[0] - up <= 4, "its delay was over long before"
    assert 14.5 <= kills(belief)[0] - up <= 18.5


# ---- and nowhere else

CONCERNS = {
    "readiness-restarts": {"readiness fails", "liveness fails before ready"},
    "liveness-waits-for-readiness": {"liveness fails before ready"},
    "restart-is-instant": {"liveness fails", "both fail", "startup fails", "liveness fails before ready"},
    "first-restart-waits": {
        "crash",
        "clean end",
        "liveness fails",
        "both fail",
        "startup fails",
        "liveness fails before ready",
    },
    "threshold-plus-one": {
        "liveness fails",
        "both fail",
        "readiness fails",
        "startup fails",
        "liveness fails before ready",
    },
    "raise-readiness-threshold": set(),
    "delay-after-startup": set(),
}
"""Belief → the scenarios below in which it must show. (Thresholds are equal there, and there are no delays.)"""


def scenarios() -> dict[str, tuple[Object, tuple[float, str] | None]]:
    well = pod(patient(livenessProbe=LIVE, readinessProbe=READY))
    startup = {"startupProbe": http("/healthz", 8080, period=2, F=10)}
    return {
        "well": (well, None),
        "bare": (pod(container(command="sleep 1000")), None),
        "readiness fails": (well, (30, "readyz=500")),
        "liveness fails": (well, (30, "healthz=500")),
        "both fail": (well, (30, "healthz=500&readyz=500")),
        "startup well": (pod(patient(livenessProbe=LIVE, readinessProbe=READY, **startup)), None),
        "startup fails": (pod(patient("--healthz-after", "0=500", livenessProbe=LIVE, **startup)), None),
        "liveness fails before ready": (
            pod(
                patient("--readyz-after", "0=500", "--healthz-after", "8=500", livenessProbe=LIVE, readinessProbe=READY)
            ),
            None,
        ),
        "crash": (pod(container(command="sleep 20; exit 1")), None),
        "clean end": (pod(container(command="sleep 20; exit 0")), None),
        "job": (pod(container(command="sleep 20; exit 0"), restartPolicy="Never"), None),
    }


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("name", scenarios())
def test_a_belief_changes_only_what_it_is_about(belief: str, name: str) -> None:
    obj, switch = scenarios()[name]
    truth, believed = both(belief, obj, 1, until=90, switch=switch)
    same = truth.timeline.to_jsonl(record_all=True) == believed.timeline.to_jsonl(record_all=True)
    assert same != (name in CONCERNS[belief])


def test_each_belief_has_its_words_its_truth_and_its_source() -> None:
    for key, belief in BELIEFS.items():
        assert belief.key == key
        assert belief.says.endswith(".")
        assert belief.truth.endswith(".")
        assert belief.says != belief.truth
        assert belief.source.startswith("pkg/kubelet/")
        assert belief.rules != BELIEFS["threshold-plus-one"].rules or key == "threshold-plus-one"
    assert len({str(belief.rules) for belief in BELIEFS.values()}) == len(BELIEFS)


def test_an_unknown_belief_is_refused_in_words() -> None:
    with pytest.raises(ApiError, match='no belief "pods-are-cattle"; there are readiness-restarts, '):
        Cluster(belief="pods-are-cattle")
