"""Chapter 3: a service that must first finish what its last instance left half-done."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.objects import name

WORK = 60
"""Seconds of unfinished work."""
CRASH = 33
"""Second at which one of the two pods loses its process."""
UNTIL = 240
LIMIT = 60
"""Seconds within which a deadlock must lead to a restart."""
SEEN = 3
"""Seconds until the kubelet has seen the crash and the endpoint has left the rotation, with some to spare."""

CONTAINER = "spec.template.spec.containers[0]"

MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
spec:
  replicas: 2
  selector:
    matchLabels: {{app: ledger}}
  template:
    metadata:
      labels: {{app: ledger}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: ledger
        image: selfheal/patient:1
        args: [--unfinished-work, "{WORK}", --term, ignore]
        volumeMounts:
        - {{name: work, mountPath: /work}}
        readinessProbe:
          httpGet: {{path: /readyz, port: 8080}}
          periodSeconds: 5
          failureThreshold: 3
        livenessProbe:
          httpGet: {{path: /readyz, port: 8080}}
          periodSeconds: 10
          failureThreshold: 3
      volumes:
      - name: work
        emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata:
  name: ledger
spec:
  selector: {{app: ledger}}
  ports:
  - port: 80
    targetPort: 8080
"""


def examine(trial: Trial) -> Iterator[Finding]:
    cluster = trial.cluster()
    cluster.traffic("ledger", 10)
    cluster.run(until=CRASH)
    victim = name(cluster.get("pods")[0])
    cluster.kill(victim)
    cluster.run(until=UNTIL)
    yield _finishes(trial, cluster, victim)
    yield _users(cluster)
    yield _deadlock(trial)


def _finishes(trial: Trial, cluster: Cluster, victim: str) -> Finding:
    kills = cluster.timeline.kills(victim)
    if not kills:
        ready = cluster.timeline.ready_intervals(victim)[-1][0]
        return Finding(
            True, f"The instance after the crash finishes its work undisturbed and is Ready at {ready:.1f} s."
        )
    text = (
        f"The instance after the crash has {WORK} s of work to finish, and was killed at {kills[0]:.1f} s, before it "
        f"was done; {len(kills)} kills up to {UNTIL} s. Its successor begins all over again."
    )
    readiness = trial.container.readiness
    if readiness is not None and readiness.failure_threshold > 3:
        text += (
            f" You raised the readiness threshold to {readiness.failure_threshold}: that decides when users are sent "
            "elsewhere. The kubelet kills by the verdict of the liveness probe, and that one has its own threshold."
        )
    else:
        text += " Who kills? Read the event Killing: which probe does it name, and what does that probe ask for?"
    return Finding(False, text)


def _users(cluster: Cluster) -> Finding:
    lost = [
        (record["t"], record["lost"] * record["times"])
        for record in cluster.timeline.select(kind="Traffic", object="Service/ledger", since=CRASH + SEEN)
        if record["lost"]
    ]
    if not lost:
        return Finding(True, "From the moment the crash has been seen, no request is lost: users go to the other pod.")
    return Finding(
        False,
        f"{sum(n for _, n in lost)} requests were lost after the crash had been seen, the first at {lost[0][0]:.0f} "
        "s: users were sent to a pod that was not done with its work. Readiness must ask whether it is: /readyz.",
    )


def _deadlock(trial: Trial) -> Finding:
    cluster = trial.cluster()
    cluster.run(until=100)
    victim = name(cluster.get("pods")[0])
    cluster.http(victim, "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
    cluster.run(for_=LIMIT)
    restarts = cluster.timeline.restarts(victim)
    if restarts:
        return Finding(
            True,
            f"A deadlock still leads to a restart: {restarts[0] - 100:.1f} s after it began, {LIMIT} s are allowed.",
        )
    probe = trial.container.liveness
    numbers = "" if probe is None else f" {probe.failure_threshold} × {probe.period_seconds} s are the reason."
    return Finding(
        False,
        f"A deadlock at 100 s had led to no restart {LIMIT} s later.{numbers} A liveness probe that must be patient "
        f"enough for {WORK} s of work is too patient for a deadlock. Do both have to wait for the same answer?",
    )


leftover = Exercise(
    name="Unfinished work",
    symptom="The ledger keeps a journal. If its process is cut off, the next one first has to finish the entries "
    f"that were left half-done: {WORK} s of work. Since last night the container of one of its two pods is restarted "
    "again and again, and the pod is never Ready.",
    task="Let the instance finish its work, send it no users before it is done, and still have a deadlock end in a "
    f"restart within {LIMIT} s.",
    manifest=MANIFEST,
    allowed=(
        f"{CONTAINER}.livenessProbe",
        f"{CONTAINER}.readinessProbe",
        f"{CONTAINER}.startupProbe",
    ),
    keep={
        f"{CONTAINER}.livenessProbe": "There is no livenessProbe any more. Now the work is finished in peace, but "
        "nobody would notice a deadlock.",
        f"{CONTAINER}.readinessProbe": "There is no readinessProbe any more. Without it a container is ready the "
        f"moment it runs, so users are sent to one that has {WORK} s of work to finish first.",
    },
    examine=examine,
    hints=(
        "Two questions: would a restart help? Should users come? Which path answers which?",
        "A ledger at work on its journal is alive, and not ready. Let each probe ask for its own answer.",
    ),
    solution=MANIFEST.replace(
        "livenessProbe:\n          httpGet: {path: /readyz,", "livenessProbe:\n          httpGet: {path: /healthz,"
    ),
)
