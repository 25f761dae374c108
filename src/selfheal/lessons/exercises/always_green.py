"""Chapter 5: a probe that has never failed, and users who get no answer."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial
from selfheal.spec import ExecAction, TCPSocketAction

QUIET = 300
"""Seconds for which nothing must happen to a shop that is well."""
SICK = 100
"""Second at which it falls sick."""
LIMIT = 60
"""Seconds within which that must lead to a restart."""
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
      tcpSocket: {port: 8080}
      periodSeconds: 5
"""


def examine(trial: Trial) -> Iterator[Finding]:
    quiet = _quiet(trial)
    yield quiet
    if quiet.ok:
        yield _sick(trial)
        yield _database(trial)


def _quiet(trial: Trial) -> Finding:
    cluster = trial.cluster(until=QUIET)
    kills = cluster.timeline.kills("shop")
    if not kills:
        return Finding(True, f"A shop that is well is left alone for {QUIET // 60} minutes.")
    told = [r["message"].strip() for r in cluster.timeline.select(kind="Event", reason="Unhealthy")]
    return Finding(False, f"A shop that is well was told to stop at {kills[0]:.1f} s. The event says why: “{told[0]}”.")


def _sick(trial: Trial) -> Finding:
    slowest = 0.0
    for answer in ("hang", "500"):
        cluster = trial.cluster(until=SICK)
        cluster.http("shop", f"/switch?healthz={answer}&readyz={answer}&work={answer}", method="POST")
        cluster.run(for_=LIMIT)
        restarts = cluster.timeline.restarts("shop")
        if restarts:
            slowest = max(slowest, restarts[0] - SICK)
            continue
        what = "answered nobody" if answer == "hang" else "answered 500 to everybody"
        told = [r["message"] for r in cluster.timeline.select(kind="Event", reason="Unhealthy")]
        return Finding(
            False,
            f"From {SICK} s on the shop {what}, and {LIMIT} s later nothing had come of it. {_why(trial, told)}",
        )
    return Finding(True, f"No answer, and nothing but 500, lead to a restart: {slowest:.1f} s later at most.")


def _why(trial: Trial, told: list[str]) -> str:
    probe = trial.container.liveness
    assert probe is not None, "keep demands it"
    if isinstance(probe.handler, TCPSocketAction):
        return "The port was open all the time, and that is all that a tcpSocket probe looks at."
    if any("errored" in text for text in told):
        return (
            "The events tell of probes that “errored”: the command could not be run, so nothing was counted. Which "
            "commands does this image have? Is there a shell that could look for them?"
        )
    if isinstance(probe.handler, ExecAction):
        return "What the probe runs ends with 0 whatever the app answers. Let it ask the app."
    if told:
        return f"{probe.failure_threshold} failures each {probe.period_seconds} s take longer than that."
    return "The probe asks for something that still answered 200 to 399."


def _database(trial: Trial) -> Finding:
    cluster = trial.cluster(until=SICK)
    cluster.http("shop", "/switch?work=503", method="POST")
    cluster.run(for_=AWAY)
    if not cluster.timeline.kills("shop"):
        return Finding(True, f"While the database is away for {AWAY} s and user pages answer 503, nobody is killed.")
    return Finding(
        False,
        "The database was away: user pages answered 503, /healthz 200, and the container was killed. A restart does "
        "not bring a database back. Ask for the app's own health.",
    )


always_green = Exercise(
    name="Always green",
    symptom="Since this morning no customer of the shop gets an answer. Its pod is 1/1 Running, it has never been "
    "restarted, and there is not one event. It has a liveness probe.",
    task=f"Let a shop that answers nobody, or nothing but 500, be restarted within {LIMIT} s, and one that is well, or "
    "whose database is away, be left alone. The image holds the app and a shell, and no curl.",
    manifest=MANIFEST,
    allowed=("spec.containers[0].livenessProbe",),
    keep={
        "spec.containers[0].livenessProbe": "There is no livenessProbe any more. It was of no use, but without any "
        "the next deadlock lasts as long as this one. Replace its question, not the probe."
    },
    examine=examine,
    hints=(
        "What does the kubelet do with a tcpSocket probe, and who answers that?",
        "Ask the app itself: by http, or by the command /patient check healthz, which comes with it.",
    ),
    solution=MANIFEST.replace("tcpSocket: {port: 8080}", "httpGet: {path: /healthz, port: 8080}"),
)
