"""Each belief differs from the truth where it says it does, in the way it says, and nowhere else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import ApiError, TooManyRequests
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


@pytest.mark.parametrize("seed", SEEDS)
def test_restarts_need_the_api(seed: int) -> None:
    """The API server is away from 20 to 80; the container ends at 30."""
    seen = []
    for belief in (None, "restarts-need-the-api"):
        cluster = Cluster(seed=seed, belief=belief)
        cluster.apply([pod(container(command="touch /tmp/x; sleep 30; exit 1"))])
        cluster.run(until=20)
        cluster.fault("apiDown", for_=60)
        cluster.run(until=70)
        seen.append(
            cluster.node("node-1").runtime.containers_of(cluster.get("pod", "pod")["metadata"]["uid"])[-1].attempt
        )
        cluster.run(until=110)
        assert restarts(cluster) >= 1, "in the end"
    assert seen == [1, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_policy_asks_after_a_kill(seed: int) -> None:
    """It obeys SIGTERM, so it ends with code 0."""
    obj = pod(patient(livenessProbe=LIVE), restartPolicy="OnFailure")
    truth, belief = both("policy-asks-after-a-kill", obj, seed, switch=(20, "healthz=500"))
    assert restarts(truth) == 1
    assert restarts(belief) == 0
    assert belief.get("pod", "pod")["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_exit_is_no_crash(seed: int) -> None:
    truth, belief = both("clean-exit-is-no-crash", pod(container(command="sleep 5; exit 0")), seed, until=90)
    assert restarts(truth) <= 4
    assert restarts(belief) >= 10, "one each 6 s or so"
    assert events(truth, "BackOff")
    assert not events(belief, "BackOff")


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_back_off_like_crashes(seed: int) -> None:
    obj = pod(patient(livenessProbe=http("/nowhere", 8080, period=10, F=3)))
    truth, belief = both("kills-back-off-like-crashes", obj, seed, until=160)
    waits = [[r - k for k, r in zip(kills(c), c.timeline.restarts("pod"), strict=False)] for c in (truth, belief)]
    assert max(waits[0][:4]) < 2, "four are free"
    assert waits[1][0] < 2
    assert 10 <= waits[1][1] <= 17


def two_apps() -> Object:
    """The app runs out of memory at about 20; beside it runs another."""
    hungry = patient("--leak", "5", resources={"limits": {"memory": "100Mi"}})
    return pod(hungry, container("beside", command="sleep 1000"), terminationGracePeriodSeconds=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_out_of_memory_ends_the_pod(seed: int) -> None:
    truth, belief = both("out-of-memory-ends-the-pod", two_apps(), seed, until=50)
    for cluster, others in ((truth, 0), (belief, 1)):
        assert len(cluster.timeline.restarts("pod", "app")) >= 1
        assert len(cluster.timeline.restarts("pod", "beside")) >= others
        assert bool(cluster.timeline.restarts("pod", "beside")) == bool(others)


def deleted(obj: Object, belief: str | None, seed: int) -> Cluster:
    """A pod behind a Service, deleted at 20."""
    cluster = Cluster(seed=seed, belief=belief)
    ports = {"selector": {"app": "pod"}, "ports": [{"port": 80, "targetPort": 8080}]}
    cluster.apply([obj, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": ports}])
    cluster.run(until=20)
    cluster.delete("pod/pod")
    return cluster.run(until=80)


def gone(cluster: Cluster) -> float:
    return float(next(r["t"] for r in cluster.timeline.select(kind="Pod") if r.get("deleted")))


@pytest.mark.parametrize("seed", SEEDS)
def test_prestop_has_its_own_time(seed: int) -> None:
    """preStop takes 8 of 10 s, and the app does not listen to SIGTERM."""
    app = patient("--term", "ignore", lifecycle={"preStop": {"sleep": {"seconds": 8}}})
    obj = pod(app, terminationGracePeriodSeconds=10)
    truth, belief = (gone(deleted(obj, name, seed)) - 20 for name in (None, "prestop-has-its-own-time"))
    assert 10 <= truth <= 12
    assert 18 <= belief <= 20


def test_traffic_stops_first() -> None:
    """Signal and endpoint race; as believed, the endpoint is always out when the signal comes."""
    ahead: dict[str | None, list[bool]] = {}
    for belief in (None, "traffic-stops-first"):
        for seed in range(6):
            cluster = deleted(pod(patient()), belief, seed)
            slices = cluster.timeline.select(kind="EndpointSlice", since=20)
            out = next(r["t"] for r in slices if not any(e["ready"] for e in r["endpoints"]))
            ahead.setdefault(belief, []).append(kills(cluster)[0] < out)
            assert kills(cluster)[0] - out < 1
    assert any(ahead[None])
    assert not any(ahead["traffic-stops-first"])


def lost_node(kind: str, belief: str | None, seed: int) -> Cluster:
    """Two replicas; the node of one loses its power at 30."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [patient()]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    cluster = Cluster(nodes=3, seed=seed, belief=belief)
    cluster.apply([{"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}])
    cluster.run(until=30)
    cluster.node(cluster.get("pods")[0]["spec"]["nodeName"]).stop()
    return cluster.run(until=420)


def replaced_after(cluster: Cluster) -> float | None:
    """Seconds from the loss of the node until a new pod is Ready."""
    ready = [
        r["t"]
        for r in cluster.timeline.select(kind="Pod", since=31)
        if r["conditions"].get("Ready") == "True" and not r.get("terminating") and not r.get("deleted")
    ]
    return ready[0] - 30 if ready else None


@pytest.mark.parametrize("seed", SEEDS)
def test_dead_nodes_evict_at_once(seed: int) -> None:
    truth = replaced_after(lost_node("Deployment", None, seed))
    belief = replaced_after(lost_node("Deployment", "dead-nodes-evict-at-once", seed))
    assert truth is not None
    assert 340 <= truth <= 360
    assert belief is not None
    assert 40 <= belief <= 60


@pytest.mark.parametrize("seed", SEEDS)
def test_stateful_pods_move_too(seed: int) -> None:
    assert replaced_after(lost_node("StatefulSet", None, seed)) is None
    belief = replaced_after(lost_node("StatefulSet", "stateful-pods-move-too", seed))
    assert belief is not None
    assert 340 <= belief <= 360


@pytest.mark.parametrize("seed", SEEDS)
def test_startup_asks_once(seed: int) -> None:
    startup = http("/readyz", 8080, period=2, F=30)
    truth, belief = both("startup-asks-once", pod(patient("--start", "20", startupProbe=startup)), seed, until=60)
    assert kills(truth) == []
    assert kills(belief)[0] < 5, "at the first failure"


@pytest.mark.parametrize("seed", SEEDS)
def test_first_probe_at_delay(seed: int) -> None:
    """A delay of 12 s and a period of 10: the first probe is at the tick at 20."""
    obj = pod(patient(livenessProbe=http("/healthz", 8080, delay=12, period=10)))
    truth, belief = both("first-probe-at-delay", obj, seed, until=60)
    firsts = [asked(cluster, "liveness") for cluster in (truth, belief)]
    assert firsts[0] == pytest.approx(20.4, abs=0.1)
    assert 11 <= firsts[1] - events(belief, "Started")[0] <= 12.1


@pytest.mark.parametrize("seed", SEEDS)
def test_short_delay_ignored(seed: int) -> None:
    obj = pod(patient(readinessProbe=http("/readyz", 8080, delay=5, period=10)))
    truth, belief = both("short-delay-ignored", obj, seed, until=60)
    ready = [cluster.timeline.ready_intervals("pod")[0][0] for cluster in (truth, belief)]
    up = events(truth, "Started")[0]
    assert ready[0] - up > 5
    assert ready[1] - up < 1.5


@pytest.mark.parametrize("seed", SEEDS)
def test_errors_fail(seed: int) -> None:
    """A command that the image does not have."""
    obj = pod(container(command="sleep 1000", livenessProbe=command("/no/such", period=5)))
    truth, belief = both("errors-fail", obj, seed)
    assert kills(truth) == []
    assert events(truth, "Unhealthy"), "it is told, and not counted"
    assert kills(belief)[0] == pytest.approx(15.3, abs=0.6)


@pytest.mark.parametrize("seed", SEEDS)
def test_tcp_knows_the_app(seed: int) -> None:
    obj = pod(patient(livenessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 5}))
    truth, belief = both("tcp-knows-the-app", obj, seed, switch=(20, "work=500"))
    assert kills(truth) == []
    assert 30 <= kills(belief)[0] <= 36


@pytest.mark.parametrize("seed", SEEDS)
def test_any_grpc_answer_passes(seed: int) -> None:
    probe = {"grpc": {"port": 5000, "service": "liveness"}, "periodSeconds": 5}
    truth, belief = both(
        "any-grpc-answer-passes",
        pod(patient("--grpc-port", "5000", livenessProbe=probe)),
        seed,
        switch=(20, "healthz=500"),
    )
    assert 30 <= kills(truth)[0] <= 36
    assert kills(belief) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_timeout_is_harmless(seed: int) -> None:
    """A command that takes 3 s, and the default timeout of 1 s."""
    obj = pod(container(command="sleep 1000", livenessProbe=command("sh", "-c", "sleep 3", period=5)))
    truth, belief = both("timeout-is-harmless", obj, seed)
    assert 15 <= kills(truth)[0] <= 18
    assert kills(belief) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_restart_needs_liveness(seed: int) -> None:
    truth, belief = both("restart-needs-liveness", pod(container(command="sleep 5; exit 1")), seed, until=60)
    assert restarts(truth) >= 1
    assert restarts(belief) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_no_probe_is_unready(seed: int) -> None:
    truth, belief = both("no-probe-is-unready", pod(container(command="sleep 1000")), seed, until=60)
    assert truth.timeline.ready_intervals("pod")
    assert not belief.timeline.ready_intervals("pod")


@pytest.mark.parametrize("seed", SEEDS)
def test_count_starts_anew(seed: int) -> None:
    """Two failures, then a crash; the next instance fails its first probe."""
    obj = pod(patient("--healthz-after", "0=500", "--exit-after", "12=1", livenessProbe=LIVE))
    truth, belief = both("count-starts-anew", obj, seed, until=60)
    assert kills(truth)[0] == pytest.approx(15.4, abs=0.6), "the third failure in a row, the first of this life"
    assert truth.timeline.restarts("pod")[0] < kills(truth)[0]
    assert kills(belief)[0] == pytest.approx(25.4, abs=0.6), "the third of this life"


def asked(cluster: Cluster, probe: str) -> float:
    """When a probe was answered for the first time."""
    answered = [r["t"] for r in cluster.timeline.select(kind="Probe", probe=probe) if r["result"] != "skipped"]
    return float(answered[0])


# ---- of controllers

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  progressDeadlineSeconds: 30
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: selfheal/patient:1
        args: [--start, "1"]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 5}
        livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5}
"""
BUDGET = """
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop}
spec:
  minAvailable: 3
  selector: {matchLabels: {app: shop}}
"""


def shops(belief: str | None, seed: int, more: str = "") -> Cluster:
    cluster = Cluster(nodes=3, seed=seed, belief=belief)
    cluster.apply(SHOP + more)
    return cluster.run(until=20)


def names(cluster: Cluster) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.get("pods")]


@pytest.mark.parametrize("seed", SEEDS)
def test_restart_cures(seed: int) -> None:
    """What is wrong lies outside, so each new container finds it there again."""
    obj = pod(patient("--healthz-after", "8=500", livenessProbe=LIVE))
    truth, belief = both("restart-cures", obj, seed)
    assert len(kills(truth)) > 3
    assert len(kills(belief)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_unready_pods_are_replaced(seed: int) -> None:
    seen = []
    for belief in (None, "unready-pods-are-replaced"):
        cluster = shops(belief, seed)
        before = names(cluster)
        cluster.http(before[0], "/switch?readyz=503", method="POST")
        cluster.run(until=300)
        seen.append((before[0] in names(cluster), set(before[1:]) <= set(names(cluster))))
        assert len(names(cluster)) == 3
    assert seen == [(True, True), (False, True)]


@pytest.mark.parametrize("seed", SEEDS)
def test_stuck_rollouts_are_undone(seed: int) -> None:
    bad = SHOP.replace('"1"]', '"1", --readyz-after, "0=503"]')
    undone = []
    for belief in (None, "stuck-rollouts-are-undone"):
        cluster = shops(belief, seed)
        cluster.apply(bad)
        cluster.run(until=200)
        sets = {s["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for s in cluster.get("rs")}
        undone.append(sets == {"2", "3"})
        reasons = [c["reason"] for c in cluster.get("deploy", "shop")["status"]["conditions"]]
        assert ("ProgressDeadlineExceeded" in reasons) == (belief is None)
    assert undone == [False, True]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["delete", "power cut"])
def test_budgets_guard_everything(what: str, seed: int) -> None:
    kept = []
    for belief in (None, "budgets-guard-everything"):
        cluster = shops(belief, seed, BUDGET)
        first = cluster.get("pods")[0]
        if what == "power cut":
            cluster.node(first["spec"]["nodeName"]).stop()
        else:
            tried(cluster, first["metadata"]["name"])
        cluster.run(until=500)
        deleted = {p["metadata"]["name"] for p in cluster.get("pods") if "deletionTimestamp" in p["metadata"]}
        kept.append(first["metadata"]["name"] in set(names(cluster)) - deleted)
    assert kept == [False, True]


def tried(cluster: Cluster, pod: str) -> None:
    with suppress(TooManyRequests):
        cluster.delete(f"pod/{pod}")


# ---- and nowhere else

CONCERNS = {
    "readiness-restarts": {"readiness fails", "liveness fails before ready"},
    "liveness-waits-for-readiness": {"liveness fails before ready"},
    "restart-is-instant": {"kills", "liveness fails", "both fail", "startup fails", "liveness fails before ready"},
    "first-restart-waits": {
        "crash",
        "clean end",
        "clean ends",
        "kills",
        "out of memory",
        "liveness fails",
        "both fail",
        "startup fails",
        "liveness fails before ready",
    },
    "threshold-plus-one": {
        "kills",
        "liveness fails",
        "both fail",
        "readiness fails",
        "startup fails",
        "liveness fails before ready",
    },
    "raise-readiness-threshold": set(),
    "delay-after-startup": set(),
    "restarts-need-the-api": set(),
    "policy-asks-after-a-kill": set(),
    "clean-exit-is-no-crash": {"clean end", "clean ends", "kills"},
    "kills-back-off-like-crashes": {"kills", "startup fails", "liveness fails before ready"},
    "out-of-memory-ends-the-pod": {"out of memory"},
    "prestop-has-its-own-time": set(),
    "traffic-stops-first": set(),
    "dead-nodes-evict-at-once": set(),
    "stateful-pods-move-too": set(),
    "startup-asks-once": {"startup fails"},
    "first-probe-at-delay": {
        "kills",
        "well",
        "readiness fails",
        "liveness fails",
        "both fail",
        "startup well",
        "startup fails",
        "liveness fails before ready",
    },
    "short-delay-ignored": set(),
    "errors-fail": set(),
    "tcp-knows-the-app": set(),
    "any-grpc-answer-passes": set(),
    "timeout-is-harmless": set(),
    "restart-needs-liveness": {"crash", "clean end", "clean ends", "out of memory"},
    "no-probe-is-unready": {"bare", "crash", "clean end", "clean ends", "kills", "job", "out of memory"},
    "count-starts-anew": set(),
    "restart-cures": {"liveness fails before ready", "kills"},
    "unready-pods-are-replaced": set(),
    "stuck-rollouts-are-undone": set(),
    "budgets-guard-everything": set(),
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
        "clean ends": (pod(container(command="sleep 5; exit 0")), None),
        "kills": (pod(patient(livenessProbe=http("/nowhere", 8080, period=5, F=2))), None),
        "out of memory": (two_apps(), None),
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
        assert belief.source.startswith("pkg/")
        assert belief.rules != BELIEFS["threshold-plus-one"].rules or key == "threshold-plus-one"
    assert len({str(belief.rules) for belief in BELIEFS.values()}) == len(BELIEFS)


def test_an_unknown_belief_is_refused_in_words() -> None:
    with pytest.raises(ApiError, match='no belief "pods-are-cattle"; there are readiness-restarts, '):
        Cluster(belief="pods-are-cattle")
