"""Chapter 10: a container waits for its neighbour to end before it is started again."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial

STUCK = 30
"""Second at which the exporter is stuck."""
LIMIT = 8
"""Seconds within which the web server must run again after a crash."""
NOTICED = 60
"""Seconds within which a stuck exporter must be started again."""
WORK = 15
"""Seconds that the web server needs to end well."""

MANIFEST = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 30
  containers:
  - name: web
    image: selfheal/patient:1
    args: [--term, "{WORK}"]
  - name: exporter
    image: selfheal/patient:1
    args: [--port, "9000", --term, ignore]
    livenessProbe:
      httpGet: {{path: /healthz, port: 9000}}
      periodSeconds: 5
      failureThreshold: 3
"""

EXPORTER = "spec.containers[1]"


def examine(trial: Trial) -> Iterator[Finding]:
    cluster = trial.cluster(until=STUCK)
    cluster.http("web", "/switch?healthz=hang", port=9000, method="POST")
    cluster.run(until=STUCK + NOTICED)
    kills = cluster.timeline.kills("web", "exporter")
    back = [t for t in cluster.timeline.restarts("web", "exporter") if t > STUCK]
    yield _noticed(back)
    if kills:
        yield _crash(trial, kills[0] + 1)
    yield _ends_well(trial)


def _noticed(back: list[float]) -> Finding:
    if back:
        return Finding(True, f"An exporter that is stuck is started again, {back[0] - STUCK:.0f} s after it began.")
    return Finding(False, f"The exporter was stuck at {STUCK} s, and {NOTICED} s later it had not been started again.")


def _crash(trial: Trial, at: float) -> Finding:
    """The web server crashes while its neighbour is being stopped."""
    cluster = trial.cluster(until=STUCK)
    cluster.http("web", "/switch?healthz=hang", port=9000, method="POST")
    cluster.run(until=at)
    cluster.kill("web", container="web")
    cluster.run(until=at + 120)
    again = [t for t in cluster.timeline.restarts("web", "web") if t > at]
    waited = again[0] - at if again else 120.0
    if waited <= LIMIT:
        return Finding(True, f"The web server runs again {waited:.1f} s after a crash in the middle of that.")
    return Finding(
        False,
        f"The web server crashed at {at:.0f} s and was without its container for {waited:.0f} s. In that time the "
        "pod's one worker was waiting for the exporter, which had been told to stop and did not listen: a sync ends "
        "before the next begins.",
    )


def _ends_well(trial: Trial) -> Finding:
    cluster: Cluster = trial.cluster(until=20)
    web = cluster.container("web", "web")
    cluster.delete("pod/web")
    cluster.run(until=80)
    if web.exit_code == 0:
        return Finding(True, f"When the pod is deleted, the web server gets the {WORK} s that it needs.")
    return Finding(
        False,
        f"When the pod is deleted, the web server needs {WORK} s to finish and was killed before (code "
        f"{web.exit_code}). The pod's grace period is for all of its containers. Who is it that should get less "
        "time, and when?",
    )


held_up = Exercise(
    name="Held up by a neighbour",
    symptom="A web server and an exporter share a pod. The web server crashes now and then and is back within a "
    "second. Some days it takes half a minute; on those days the exporter was stuck.",
    task=f"The web server must be back within {LIMIT} s, also while the exporter is being restarted. A stuck exporter "
    f"must still be restarted within {NOTICED} s, and a deleted web server still needs its {WORK} s.",
    manifest=MANIFEST,
    allowed=(f"{EXPORTER}.livenessProbe", "spec.terminationGracePeriodSeconds"),
    keep={
        f"{EXPORTER}.livenessProbe": "There is no livenessProbe any more, so nobody waits for the exporter. Nobody "
        "notices when it is stuck, either."
    },
    examine=examine,
    hints=(
        "What is the worker waiting for in those seconds? How long may that take, and who says so?",
        "A probe can bring a grace period of its own: livenessProbe.terminationGracePeriodSeconds.",
    ),
    solution=MANIFEST.replace("failureThreshold: 3", "failureThreshold: 3\n      terminationGracePeriodSeconds: 3"),
)
