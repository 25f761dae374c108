"""Chapter 11: a job that is Completed every morning, and whose report is missing."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.spec import TCPSocketAction

WORK = 60
"""Seconds that the report takes."""
AT = 30
"""Second at which something happens to it."""
LIMIT = 300
"""Seconds within which the report must be written all the same."""

MANIFEST = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: report
spec:
  restartPolicy: Never
  containers:
  - name: report
    image: selfheal/patient:1
    args: [--exit-after, "{WORK}=0"]
    livenessProbe:
      httpGet: {{path: /healthz, port: 8080}}
      periodSeconds: 5
      failureThreshold: 3
"""


def examine(trial: Trial) -> Iterator[Finding]:
    yield _undisturbed(trial)
    yield _cut_off(trial)
    yield _stuck(trial)


def _undisturbed(trial: Trial) -> Finding:
    cluster = trial.cluster(until=LIMIT)
    phase, restarts = _phase(cluster), cluster.timeline.restarts("report")
    if phase == "Succeeded":
        return Finding(True, "On a good day the report is written once, and the pod is Succeeded.")
    return Finding(
        False,
        f"On a good day the report was done after {WORK} s, and the container was started again, {len(restarts)} times "
        f"in {LIMIT} s; the pod is {phase}. Always is for what should run for ever; work that comes to an end has done "
        "well with code 0.",
    )


def _cut_off(trial: Trial) -> Finding:
    cluster = trial.cluster(until=AT)
    cluster.kill("report")
    cluster.run(until=LIMIT)
    if _finished(cluster):
        return Finding(True, "If its process is cut off (code 137), it is started again and finishes.")
    if _phase(cluster) == "Failed":
        return Finding(
            False,
            f"Its process was cut off at {AT} s, and nobody started it again: the pod has Failed. What does the "
            "restart policy say about an end with a code other than 0?",
        )
    return Finding(False, f"Its process was cut off at {AT} s, and {LIMIT} s later the pod was {_phase(cluster)}.")


def _stuck(trial: Trial) -> Finding:
    cluster = trial.cluster(until=AT)
    cluster.fault("hang", "pod/report")
    cluster.run(until=LIMIT)
    kills = cluster.timeline.kills("report")
    if not kills:
        probe = trial.container.liveness
        why = "failureThreshold × periodSeconds is too long for that."
        if probe is not None and isinstance(probe.handler, TCPSocketAction):
            why = "a tcpSocket probe asks whether the port is open, and the port of a stuck process is."
        return Finding(False, f"It was stuck from {AT} s on, and in {LIMIT - AT} s nobody noticed: {why}")
    if cluster.timeline.restarts("report"):
        again = cluster.timeline.restarts("report")[0]
        return Finding(True, f"If it is stuck, its probe kills it, and it is started again at {again:.0f} s.")
    return Finding(
        False,
        f"It was stuck from {AT} s on; its probe had it killed at {kills[0]:.0f} s, before the report was written. "
        f"Nobody started it again, and the pod is {_phase(cluster)}. With Never even a kill by a probe is the end.",
    )


def _finished(cluster: Cluster) -> bool:
    return _phase(cluster) == "Succeeded" and bool(cluster.timeline.restarts("report"))


def _phase(cluster: Cluster) -> str:
    return str(cluster.get("pod", "report")["status"]["phase"])


unwritten = Exercise(
    name="Completed, and nothing written",
    symptom="Each night a pod writes a report and ends. Some mornings it is Completed or Error, and there is no "
    "report; somebody then creates the pod again by hand.",
    task="The report must be written in the end, even if the process is cut off or stuck on its way. Once it is "
    "written, it must not be written a second time.",
    manifest=MANIFEST,
    allowed=("spec.restartPolicy", "spec.containers[0].livenessProbe"),
    keep={
        "spec.containers[0].livenessProbe": "There is no livenessProbe any more. Now nobody notices a report that is "
        "stuck, and it is never written at all."
    },
    examine=examine,
    hints=(
        "Three days: a good one, one with a crash, one on which it is stuck. After which should it start again?",
        "There are three restart policies. Find yours in the table of this chapter.",
    ),
    solution=MANIFEST.replace("restartPolicy: Never", "restartPolicy: OnFailure"),
)
