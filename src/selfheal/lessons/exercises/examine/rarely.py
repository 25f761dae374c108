"""Chapter 12: a job that relies on being restarted, and is done more and more rarely."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.clock import SECOND
from selfheal.cluster import Cluster
from selfheal.kubelet.backoff import MAXIMUM
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import uid

LONG = 1800
"""Seconds for which it is watched."""
LIMIT = 30
"""Seconds within which the next delivery must come."""
CAP = MAXIMUM // SECOND
LOOK = 5
"""How often the log is read, in seconds."""


def examine(trial: Trial) -> Iterator[Finding]:
    cluster = trial.cluster()
    yield _often(_deliveries(cluster), cluster)


def _deliveries(cluster: Cluster) -> list[float]:
    """The seconds in which it wrote ``delivered``, over all instances. A long log loses its beginning: look often."""
    found: list[int] = []
    runtime = cluster.node("node-1").runtime
    while cluster.now < LONG:
        seen = cluster.clock.now
        cluster.run(for_=LOOK)
        for container in (c for pod in cluster.get("pods") for c in runtime.containers_of(uid(pod))):
            for at, line in reversed(container.log):
                if at <= seen:
                    break
                found += [at] if line.strip() == "delivered" else []
    return [at / SECOND for at in sorted(found)]


def _often(times: list[float], cluster: Cluster) -> Finding:
    pairs = list(zip([0.0, *times], [*times, float(LONG)], strict=True))
    begin, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    if end - begin <= LIMIT:
        return Finding(True, f"{len(times)} deliveries in {LONG // 60} minutes, never more than {LIMIT} s apart.")
    counted = f"{len(times)} {'delivery' if len(times) == 1 else 'deliveries'}"
    told = f"{counted} in {LONG // 60} minutes; after {begin:.0f} s there was none for {end - begin:.0f} s. "
    held = cluster.timeline.select(kind="Event", reason="BackOff")
    restarts = sum(len(cluster.timeline.restarts(name)) for name in cluster.timeline.objects("Pod"))
    if held:
        told += (
            f"The process ended, and its restart was held back for the first time at {held[0]['t']:.0f} s (event "
            "BackOff). Each of its ends counts, whatever the code, and each wait is twice the one before, up to "
            f"{CAP} s."
        )
    elif restarts:
        told += (
            "Nothing was held back: so long a life lets the kubelet forget the ones before. But only a restart makes "
            "the next delivery, and it comes no sooner."
        )
    else:
        told += "The process goes on, so there is no restart any more, and nothing else that would deliver again."
    return Finding(False, told)
