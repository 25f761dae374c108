"""Chapter 14: each deploy loses some orders, though a readiness probe looks after the new pods."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import name, replace
from selfheal.traffic import onward, total

RATE = 30
"""Orders a second."""
LAG = 3
"""Seconds by which the load balancer hears of a change later than the cluster."""
BEGIN = 20
"""Second at which the new version is rolled out."""
LIMIT = 30
"""Seconds within which the old pods must be gone."""
UNTIL = 120


def examine(trial: Trial) -> Iterator[Finding]:
    cluster = trial.cluster(until=BEGIN - 5)
    cluster.traffic("orders", RATE, lag=LAG)
    cluster.run(until=BEGIN)
    old = [name(pod) for pod in cluster.get("pods")]
    new = [replace(o, "spec.template.metadata.annotations", {"version": "2"}) for o in trial.objects[:1]]
    cluster.apply(new)
    cluster.run(until=UNTIL)
    yield _served(trial, cluster)
    yield _quick(cluster, old)


def _served(trial: Trial, cluster: Cluster) -> Finding:
    lost, sent = total(onward(cluster.timeline.select(kind="Traffic"), BEGIN))[2], RATE * (UNTIL - BEGIN)
    if not lost:
        return Finding(True, f"Rolled out, and none of {sent} orders is lost.")
    told = f"{lost} of {sent} orders were lost. "
    container = trial.container
    hook = None if container.lifecycle is None else container.lifecycle.pre_stop
    if container.readiness is None or container.readiness.failure_threshold > 100:
        told += "Without a readiness probe orders are sent to a new pod as soon as it runs, before it listens."
    elif hook is not None:
        told += (
            f"There is a pause before SIGTERM now, but the load balancer still sends orders for {LAG} s, and some time "
            "passes until it hears of it at all."
        )
    else:
        told += (
            "A pod gets SIGTERM in the moment in which it is taken out of the Service, and ends at once; the load "
            f"balancer hears of it {LAG} s later and goes on sending. A longer grace period does not help: it says how "
            "long a pod may take, not how long it waits."
        )
    return Finding(False, told)


def _quick(cluster: Cluster, old: list[str]) -> Finding:
    gone = [r["t"] for pod in old for r in cluster.timeline.select(object=f"Pod/{pod}", kind="Pod") if r.get("deleted")]
    if len(gone) == len(old) and max(gone) - BEGIN <= LIMIT:
        return Finding(True, f"The old pods are gone {max(gone) - BEGIN:.0f} s after the deploy, {LIMIT} are allowed.")
    late = f"gone only after {max(gone) - BEGIN:.0f} s" if len(gone) == len(old) else f"there at {UNTIL} s"
    return Finding(
        False, f"The last old pod was {late}; {LIMIT} s are allowed. A pause should be no longer than it must."
    )
