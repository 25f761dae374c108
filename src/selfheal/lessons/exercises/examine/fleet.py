"""Chapter 20: a liveness probe that asks the database."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import labels, name
from selfheal.spec import ExecAction
from selfheal.traffic import onward, total

AWAY, LIMIT = 180, 60
"""Seconds for which the database is away, and within which a deadlock must lead to a restart."""
BEGIN = 60

DATABASE = """\
apiVersion: v1
kind: Pod
metadata:
  name: stock
  labels: {app: stock}
spec:
  containers:
  - name: stock
    image: selfheal/patient:1
---
apiVersion: v1
kind: Service
metadata:
  name: stock
spec:
  selector: {app: stock}
  ports:
  - port: 80
    targetPort: 8080
"""


def examine(trial: Trial) -> Iterator[Finding]:
    for check in (_database, _deadlock):
        found = check(trial)
        yield found
        if not found.ok:
            return


def _cluster(trial: Trial) -> Cluster:
    cluster = Cluster(seed=trial.seed, nodes=3)
    cluster.apply(DATABASE)
    cluster.apply(list(trial.objects))
    cluster.run(until=30)
    cluster.traffic("shop", 20)
    return cluster.run(until=BEGIN)


def _database(trial: Trial) -> Finding:
    cluster = _cluster(trial)
    cluster.http("stock", "/switch?work=503", method="POST")
    cluster.run(for_=AWAY)
    cluster.http("stock", "/switch?work=200", method="POST")
    cluster.run(for_=240)
    kills = [r["t"] for r in cluster.timeline.select(reason="Killing")]
    lost = total(onward(cluster.timeline.select(kind="Traffic"), BEGIN))[2]
    if kills:
        soon = [t for t in kills if t < kills[0] + 1]
        return Finding(
            False,
            f"The database was away for {AWAY} s, and {len(kills)} containers were killed for it, {len(soon)} of them "
            f"within a second of {kills[0]:.0f} s; {lost} requests were lost, although no page needs the database. "
            "Would a restart have helped?",
        )
    if lost:
        return Finding(
            False,
            f"The database was away for {AWAY} s. Nobody was killed, but {lost} requests were lost: all pods called "
            "themselves not ready at once, and so nobody was left to serve from the cache.",
        )
    return Finding(True, f"While the database is away for {AWAY} s nobody is killed and no request is lost.")


def _deadlock(trial: Trial) -> Finding:
    cluster = _cluster(trial)
    victim = next(name(pod) for pod in cluster.get("pods") if labels(pod).get("app") == "shop")
    cluster.http(victim, "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
    cluster.run(for_=LIMIT)
    restarts = cluster.timeline.restarts(victim)
    if restarts:
        return Finding(
            True, f"A deadlock leads to a restart, {restarts[0] - BEGIN:.1f} s after it began; {LIMIT} s are allowed."
        )
    probe = trial.container.liveness
    why = "What the probe asks for does not notice that the app answers nobody."
    if probe is not None and isinstance(probe.handler, ExecAction) and "http://stock/" in probe.handler.command:
        why = "The probe is very patient now, and it still asks the database: of the app itself it knows nothing."
    elif probe is not None and probe.failure_threshold * probe.period_seconds >= LIMIT:
        why = f"{probe.failure_threshold} × {probe.period_seconds} s are too much."
    return Finding(False, f"A deadlock had led to no restart {LIMIT} s later. {why}")
