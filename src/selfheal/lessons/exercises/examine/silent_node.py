"""Chapter 15: a node dies, and for minutes half of the shop is missing."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import Object, name

AT = 30
"""Second at which the node is lost."""
LIMIT = 100
"""Seconds within which both copies must be Ready again."""
GLITCH = 65
"""Seconds for which a node is only cut off; nobody should move for that."""


def examine(trial: Trial) -> Iterator[Finding]:
    yield _dead(trial)
    yield _cut_off(trial)


def _begun(trial: Trial) -> tuple[Cluster, str]:
    """A cluster of three nodes, and the node of the first pod."""
    cluster = trial.cluster(nodes=3, until=AT)
    return cluster, str(cluster.get("pods")[0]["spec"]["nodeName"])


def _dead(trial: Trial) -> Finding:
    cluster, node = _begun(trial)
    cluster.node(node).stop()
    cluster.run(until=AT + LIMIT)
    ready = [pod for pod in cluster.get("pods") if _ready(pod)]
    if len(ready) >= 2:
        since = max(start for pod in ready for start, _ in cluster.timeline.ready_intervals(name(pod)))
        return Finding(True, f"A node died at {AT} s, and both copies were Ready again {since - AT:.0f} s later.")
    told = f"A node died at {AT} s, and {LIMIT} s later there was {len(ready)} Ready copy of 2. "
    probes = trial.container
    if probes.liveness is None or probes.liveness.period_seconds < 10:
        told += "No probe can help: the one who probes has died with the node. "
    seconds = _patience(cluster)
    if seconds is None:
        told += "Your pods tolerate a node that cannot be reached for ever: a toleration without tolerationSeconds."
    else:
        told += (
            f"The control plane gives up on a silent node after about 50 s, and then these pods tolerate the taint "
            f"node.kubernetes.io/unreachable for {seconds} s."
        )
    return Finding(False, told)


def _cut_off(trial: Trial) -> Finding:
    cluster, node = _begun(trial)
    before = sorted(name(pod) for pod in cluster.get("pods"))
    cluster.fault("partition", f"node/{node}", for_=GLITCH)
    cluster.run(until=AT + GLITCH + 60)
    if sorted(name(pod) for pod in cluster.get("pods")) == before:
        return Finding(True, f"A node that is only cut off for {GLITCH} s keeps its pods.")
    return Finding(
        False,
        f"A node was only cut off for {GLITCH} s, its app well all the while, and its pod was replaced. If each short "
        "break of a cable moves pods, a switch that restarts moves a whole rack. Tolerate a little more.",
    )


def _patience(cluster: Cluster) -> int | None:
    """How long the pods tolerate a node that cannot be reached, in seconds; None: for ever."""
    for toleration in cluster.get("pods")[0]["spec"].get("tolerations") or ():
        if toleration.get("key") in (None, "node.kubernetes.io/unreachable"):
            found: int | None = toleration.get("tolerationSeconds")
            return found
    return 0


def _ready(pod: Object) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions") or ()}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]
