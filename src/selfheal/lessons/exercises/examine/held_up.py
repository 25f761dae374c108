"""Chapter 10: a container waits for its neighbour to end before it is started again."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Finding, Trial

STUCK = 30
"""Second at which the exporter is stuck."""
LIMIT = 8
"""Seconds within which the web server must run again after a crash."""
NOTICED = 60
"""Seconds within which a stuck exporter must be started again."""
WORK = 15
"""Seconds that the web server needs to end well."""


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
