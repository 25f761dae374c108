"""Chapter 4: an app that starts quickly, slowly or never, and a deadlock that must not wait for any of them."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.objects import replace

QUICK, SLOW = 20, 150
"""Seconds that the app loads, on a quick day and on a slow one."""
STUCK = 45
"""Second of a deadlock on a quick day."""
LIMIT = 45
"""Seconds within which that deadlock must lead to a restart."""
PATIENCE = 300
"""Seconds after which a release that never starts must have been given up."""
NEVER = 100_000

MANIFEST = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: shop
  labels: {{app: shop}}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [--start, "{QUICK}"]
    livenessProbe:
      httpGet: {{path: /healthz, port: 8080}}
      initialDelaySeconds: 60
"""


def loading(trial: Trial, seconds: int) -> Cluster:
    """A cluster with the answer, whose app loads so long."""
    cluster = Cluster(seed=trial.seed)
    pod = trial.workload
    containers = [{**c, "args": ["--start", str(seconds)]} for c in pod["spec"]["containers"]]
    cluster.apply([replace(pod, "spec.containers", containers)])
    return cluster


def examine(trial: Trial) -> Iterator[Finding]:
    yield _comes_up(trial)
    yield _deadlock(trial)
    yield _given_up(trial)


def _comes_up(trial: Trial) -> Finding:
    for seconds in (QUICK, SLOW):
        cluster = loading(trial, seconds)
        cluster.run(until=seconds + 250)
        kills = cluster.timeline.kills("shop")
        if not kills:
            continue
        told = cluster.timeline.select(kind="Event", reason="Killing")[0]["message"].partition(",")[0]
        text = (
            f"On a day on which it loads for {seconds} s, it was killed at {kills[0]:.1f} s, while it was loading: "
            f"“{told}”."
        )
        startup = trial.container.startup
        if startup is not None and "startup" in told:
            budget = startup.initial_delay_seconds + startup.period_seconds * startup.failure_threshold
            text += (
                f" The startup probe's budget is delay + period × threshold = {startup.initial_delay_seconds} + "
                f"{startup.period_seconds} × {startup.failure_threshold} = {budget} s."
            )
        else:
            text += " The liveness probe judges a container that is still starting. Who could tell it to wait?"
        return Finding(False, text)
    return Finding(True, f"It comes up undisturbed, whether it loads for {QUICK} s or for {SLOW} s.")


def _deadlock(trial: Trial) -> Finding:
    cluster = loading(trial, QUICK)
    cluster.run(until=STUCK)
    cluster.http("shop", "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
    cluster.run(for_=LIMIT)
    restarts = cluster.timeline.restarts("shop")
    if restarts:
        return Finding(
            True,
            f"A deadlock on a quick day leads to a restart: {restarts[0] - STUCK:.1f} s after it began, {LIMIT} s are "
            "allowed.",
        )
    probe = trial.container.liveness
    assert probe is not None, "keep demands it"
    why = f"{probe.failure_threshold} failures each {probe.period_seconds} s take that long."
    if probe.initial_delay_seconds > STUCK:
        why = (
            f"Until {probe.initial_delay_seconds} s after each start nobody looks: a delay that is long enough for the "
            "slow day is a blind time on every other day."
        )
    elif probe.period_seconds * probe.failure_threshold > LIMIT:
        why += " Patience for the start belongs to another probe, or you pay for it all day."
    return Finding(False, f"On a quick day a deadlock at {STUCK} s had led to no restart {LIMIT} s later. {why}")


def _given_up(trial: Trial) -> Finding:
    cluster = loading(trial, NEVER)
    cluster.run(until=PATIENCE)
    kills = cluster.timeline.kills("shop")
    if kills:
        return Finding(True, f"A release that never starts is given up at {kills[0]:.1f} s.")
    return Finding(
        False,
        f"A release that never starts is still loading after {PATIENCE} s: running, not started, and nobody is told. "
        "A budget without an end is no budget.",
    )


slow_start = Exercise(
    name="Slow, slower, never",
    symptom=f"The shop loads its catalogue before it listens: {QUICK} s on most days, up to {SLOW} s after a sale. On "
    "such days it never comes up. Last week a release had a wrong setting and never finished loading at all.",
    task=f"Let it come up on every day, give a release that never starts up within {PATIENCE} s, and have a deadlock "
    f"{STUCK} s after a quick start end in a restart within {LIMIT} s.",
    manifest=MANIFEST,
    allowed=("spec.containers[0].livenessProbe", "spec.containers[0].startupProbe"),
    keep={
        "spec.containers[0].livenessProbe": "There is no livenessProbe any more. Now nobody disturbs the start, and "
        "nobody notices a deadlock either. Keep it, and let somebody else take care of the start."
    },
    examine=examine,
    hints=(
        "Which of the three probes knows the difference between a quick day and a slow one?",
        f"A startup probe whose period × threshold is a little more than {SLOW}; liveness then needs no delay.",
    ),
    solution=MANIFEST.replace("      initialDelaySeconds: 60\n", "")
    + """\
    startupProbe:
      httpGet: {path: /healthz, port: 8080}
      periodSeconds: 5
      failureThreshold: 36
""",
)
