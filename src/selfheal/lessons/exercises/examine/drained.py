"""Chapter 18: a budget that guards users and still lets a node be drained."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import name

LIMIT = 180
"""Seconds that a drain may take."""
FLOOR = 2
"""Pods that must be Ready at each moment of it."""


def examine(trial: Trial) -> Iterator[Finding]:
    for check in (_well, _sick):
        found = check(trial)
        yield found
        if not found.ok:
            return


def _cluster(trial: Trial) -> tuple[Cluster, str]:
    """Two nodes, and the one with more pods."""
    cluster = trial.cluster(nodes=2, until=30)
    nodes = sorted(pod["spec"]["nodeName"] for pod in cluster.get("pods"))
    return cluster, max(nodes, key=nodes.count)


def _drain(cluster: Cluster, node: str) -> tuple[float | None, int]:
    """(seconds that the drain took, or None; the fewest Ready pods meanwhile)"""
    ended: list[str] = []
    begin, fewest = cluster.now, 3
    cluster.drain(node, done=ended.append)
    while not ended and cluster.now < begin + LIMIT:
        cluster.run(for_=0.5)
        fewest = min(fewest, cluster.get("deployment", "shop")["status"].get("readyReplicas", 0))
    return (cluster.now - begin if ended else None), fewest


def _well(trial: Trial) -> Finding:
    cluster, node = _cluster(trial)
    seconds, fewest = _drain(cluster, node)
    if seconds is None:
        budget = cluster.get("pdb", "shop")["status"]
        return Finding(
            False,
            f"All pods are well, and draining {node} is not over after {LIMIT} s: the budget needs "
            f"{budget['desiredHealthy']} healthy pods of {budget['expectedPods']}, so it allows "
            f"{budget['disruptionsAllowed']} evictions, now and always. A budget that can never spare one pod guards "
            "nothing; it only holds up whoever asks politely.",
        )
    if fewest < FLOOR:
        return Finding(
            False,
            f"{node} was drained, and meanwhile {fewest} pods of 3 were Ready: its pods were evicted at the same "
            f"moment. {FLOOR} must be. That is what the budget is for.",
        )
    return Finding(True, f"{node} is drained in {seconds:.0f} s, and {fewest} pods or more are always Ready.")


def _sick(trial: Trial) -> Finding:
    cluster, node = _cluster(trial)
    for pod in cluster.get("pods"):
        cluster.http(name(pod), "/switch?readyz=503", method="POST")
    cluster.run(for_=60)
    seconds, _ = _drain(cluster, node)
    if seconds is None:
        return Finding(
            False,
            f"After a bad version no pod is Ready, and {node} can no longer be drained: fewer are healthy than the "
            "budget needs, so it holds fast even those that serve nobody. There is a field for what is to become of "
            "unhealthy pods.",
        )
    return Finding(True, f"Pods that are not Ready hold up nobody: {node} is drained in {seconds:.0f} s.")
