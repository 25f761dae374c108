"""Chapter 2: a container is restarted every half minute, and its log shows nothing wrong."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.spec import HTTPGetAction, TCPSocketAction

QUIET = 600
"""Seconds for which nothing must happen to a shop that is well."""
LIMIT = 60
"""Seconds within which a deadlock must lead to a restart."""
AWAY = 120
"""Seconds for which the database is away."""

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
      httpGet: {path: /healthz, port: 80}
      periodSeconds: 5
"""


def examine(trial: Trial) -> Iterator[Finding]:
    quiet = _quiet(trial)
    yield quiet
    if quiet.ok:
        yield _deadlock(trial)
        yield _database(trial)


def _quiet(trial: Trial) -> Finding:
    cluster = trial.cluster()
    cluster.run(until=QUIET)
    kills = cluster.timeline.kills("shop")
    if not kills:
        return Finding(True, f"A shop that is well is left alone for {QUIET // 60} minutes.")
    told = [r["message"].strip() for r in cluster.timeline.select(kind="Event", reason="Unhealthy")]
    return Finding(
        False,
        f"A shop that is well was told to stop {len(kills)} times in {QUIET // 60} minutes, first at {kills[0]:.1f} "
        f"s. The event says why: “{told[0]}”.",
    )


def _deadlock(trial: Trial) -> Finding:
    probe = trial.container.liveness
    cluster = trial.cluster()
    cluster.run(until=100)
    cluster.http("shop", "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
    cluster.run(for_=LIMIT)
    if cluster.timeline.restarts("shop"):
        after = cluster.timeline.restarts("shop")[0] - 100
        return Finding(
            True, f"A deadlock still leads to a restart: {after:.1f} s after it began, {LIMIT} s are allowed."
        )
    why = f"It takes too long: failureThreshold × periodSeconds and the stop must fit into {LIMIT} s."
    if probe is not None and isinstance(probe.handler, TCPSocketAction):
        why = "A tcpSocket probe only asks whether the port is open, and a deadlocked app keeps its port open."
    elif probe is not None and probe.initial_delay_seconds > 100:
        why = (
            f"initialDelaySeconds: {probe.initial_delay_seconds} only puts the first probe off. The question is as "
            "wrong then as it is now, and until then nobody looks."
        )
    elif probe is not None and not isinstance(probe.handler, HTTPGetAction):
        why = "What the probe runs does not notice that the app answers nobody."
    return Finding(False, f"A deadlock at 100 s had led to no restart {LIMIT} s later. {why}")


def _database(trial: Trial) -> Finding:
    cluster = trial.cluster()
    cluster.run(until=100)
    cluster.http("shop", "/switch?work=503", method="POST")
    cluster.run(for_=AWAY)
    if not cluster.timeline.kills("shop"):
        return Finding(
            True, f"While the database is away for {AWAY} s, and only user pages answer 503, nobody is killed."
        )
    return Finding(
        False,
        "The database was away: user pages answered 503, /healthz 200, and the container was killed. A restart does "
        "not bring a database back. Let the probe ask for the app's own health.",
    )


silent = Exercise(
    name="Restarted in silence",
    symptom="Since Tuesday the shop's RESTARTS goes up four times a minute, until the back-off sets in. Its log "
    "shows no error, and users say that it works, when it is there.",
    task=f"Stop the restarts. A deadlock must still lead to a restart within {LIMIT} s.",
    manifest=MANIFEST,
    allowed=("spec.containers[0].livenessProbe",),
    keep={
        "spec.containers[0].livenessProbe": "The restarts are gone, and so is the probe: nobody would notice the "
        "next deadlock. Keep it, and look at what it asks for."
    },
    examine=examine,
    hints=(
        "The log is the app's view. Who else has something to say? Print cluster.describe('pod/shop').",
        "Ask the app yourself, where the probe asks: cluster.http('shop', '/healthz', port=80).",
    ),
    solution=MANIFEST.replace("port: 80}", "port: 8080}"),
)
