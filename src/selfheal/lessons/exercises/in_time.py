"""Chapter 1: choose period and threshold, so that a deadlock is noticed in time and a pause is forgiven."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.lessons.arithmetic import forgives, verdict_after
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.spec import Probe

PAUSE = 8
"""Seconds for which the app answers nothing now and then, and then goes on."""
LIMIT = 25
"""Seconds within which a deadlock must be noticed."""
MOMENTS = 6
"""Moments, spread over one period, at which each fault is tried."""

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: shop
  labels: {app: shop}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    livenessProbe:
      httpGet: {path: /healthz, port: 8080}
      periodSeconds: 10
      failureThreshold: 1
"""


def examine(trial: Trial) -> Iterator[Finding]:
    probe = trial.container.liveness
    assert probe is not None, "keep demands it"
    yield _pauses(trial, probe)
    yield _deadlocks(trial, probe)


def _pauses(trial: Trial, probe: Probe) -> Finding:
    p, f = probe.period_seconds, probe.failure_threshold
    for begin in _moments(p):
        cluster = trial.cluster()
        cluster.run(until=begin)
        cluster.http("shop", "/switch?healthz=hang&work=hang", method="POST")
        cluster.run(for_=PAUSE)
        cluster.http("shop", "/switch?healthz=200&work=200", method="POST")
        cluster.run(for_=p + probe.timeout_seconds)
        kills = cluster.timeline.kills("shop")
        if kills:
            return Finding(
                False,
                f"A pause of {PAUSE} s that began at {begin:.1f} s was taken for a deadlock: the container was told "
                f"to stop at {kills[0]:.1f} s. {PAUSE} s have room for {f} failed {'probe' if f == 1 else 'probes'}, "
                f"{p} s apart, and your threshold asks for no more. Such a pause is always forgiven if "
                f"(failureThreshold − 1) × periodSeconds is at least {PAUSE}; yours is ({f} − 1) × {p} = "
                f"{forgives(p, f):g}.",
            )
    return Finding(True, f"A pause of {PAUSE} s never leads to a kill: tried at {MOMENTS} moments of the period.")


def _deadlocks(trial: Trial, probe: Probe) -> Finding:
    p, f, t = probe.period_seconds, probe.failure_threshold, probe.timeout_seconds
    window = verdict_after(p, f, t)
    slowest = 0.0
    for begin in _moments(p):
        cluster = trial.cluster()
        cluster.run(until=begin)
        cluster.http("shop", "/switch?healthz=hang&work=hang", method="POST")
        cluster.run(for_=LIMIT)
        kills = cluster.timeline.kills("shop")
        if not kills:
            return Finding(
                False,
                f"A deadlock that began at {begin:.1f} s had not been noticed {LIMIT} s later. With your numbers it "
                f"takes ({f} − 1) × {p} + {t} … {f} × {p} + {t} = {window}; the {t} s are the timeout of the last "
                "probe.",
            )
        slowest = max(slowest, kills[0] - begin)
    return Finding(
        True, f"A deadlock is noticed within {LIMIT} s: at worst {slowest:.1f} s here, the formula says {window}."
    )


def _moments(period: int) -> list[float]:
    """Seconds, spread over one period, after the app has been well for two probes (at most a minute)."""
    start = min(2 * period, 60) + 1
    return [start + n * min(period, 60) / MOMENTS for n in range(MOMENTS)]


in_time = Exercise(
    name="In time, and no sooner",
    symptom=f"Now and then the garbage collector of the shop pauses it for up to {PAUSE} s. Most of these pauses "
    "end in a restart. Somebody once set the threshold to 6; then a deadlock went unnoticed for a minute.",
    task=f"Choose the numbers so that a pause of {PAUSE} s is never a reason to kill, and a deadlock is noticed "
    f"within {LIMIT} s, whenever they begin.",
    manifest=MANIFEST,
    allowed=(
        "spec.containers[0].livenessProbe.periodSeconds",
        "spec.containers[0].livenessProbe.failureThreshold",
    ),
    keep={
        "spec.containers[0].livenessProbe": "There is no livenessProbe any more. The pauses no longer hurt, but "
        "nobody notices a deadlock either: this is the incident of this chapter. Keep the probe and choose its "
        "numbers."
    },
    examine=examine,
    hints=(
        "Two conditions, two formulas: one says what is forgiven, the other what is noticed.",
        f"(F − 1) × P must be at least {PAUSE}, and F × P + 1 at most {LIMIT}.",
    ),
    solution=MANIFEST.replace("periodSeconds: 10", "periodSeconds: 5").replace(
        "failureThreshold: 1", "failureThreshold: 3"
    ),
)
