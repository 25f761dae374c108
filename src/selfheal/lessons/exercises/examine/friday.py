"""Chapter 17: a Deployment that lets a good version out unnoticed and a bad one not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfheal.cluster import Cluster
from selfheal.lessons.arithmetic import verdict_after
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import replace
from selfheal.traffic import onward, total

LOADS, WELL = 10, 20
"""Seconds for which the good version loads, and for which the sick one is well."""
REPORTED = 180
"""Seconds within which a stuck rollout must be reported."""
OUT, WATCHED = 60, 300
"""When the new version goes out, and for how long it is watched."""


def examine(trial: Trial) -> Iterator[Finding]:
    for check in (_good, _never, _sick):
        found = check(trial)
        yield found
        if not found.ok:
            return


def _roll_out(trial: Trial, *args: str) -> Cluster:
    """The next version, with these arguments, under the eyes of users."""
    cluster = trial.cluster(nodes=3, until=OUT - 20)
    cluster.traffic("shop", 20)
    cluster.run(until=OUT)
    container = {**trial.workload["spec"]["template"]["spec"]["containers"][0], "image": "selfheal/patient:2"}
    container["args"] = list(args)
    cluster.apply([replace(trial.workload, "spec.template.spec.containers", [container])])
    return cluster.run(until=OUT + WATCHED)


def _lost(cluster: Cluster, since: float = OUT) -> int:
    return total(onward(cluster.timeline.select(kind="Traffic"), since))[2]


def _versions(cluster: Cluster) -> tuple[int, int]:
    pods = cluster.get("pods")
    images = [pod["spec"]["containers"][0]["image"] for pod in pods]
    return images.count("selfheal/patient:1"), images.count("selfheal/patient:2")


def _strategy(trial: Trial) -> dict[str, Any]:
    found: dict[str, Any] = trial.workload["spec"].get("strategy") or {}
    return found


def _good(trial: Trial) -> Finding:
    cluster = _roll_out(trial, "--start", str(LOADS))
    lost, versions = _lost(cluster), _versions(cluster)
    what = f"A good version, which takes {LOADS} s to load"
    if lost:
        why = (
            "Recreate ends all old pods before it makes a new one."
            if _strategy(trial).get("type") == "Recreate"
            else "Without a readiness probe a pod counts as ready, and gets users, the moment it runs."
            if trial.container.readiness is None
            else "Too many old pods went before new ones were ready: look at maxUnavailable."
        )
        if trial.workload["spec"].get("minReadySeconds") and trial.container.readiness is None:
            why += " minReadySeconds lets the rollout wait; it does not keep users away."
        return Finding(False, f"{what}, cost {lost} requests. {why}")
    if versions != (0, 4):
        return Finding(
            False, f"{what}, is not out after {WATCHED} s: {versions[0]} old pods, {versions[1]} new ones. Too slow."
        )
    return Finding(True, f"{what}, goes out and costs no request.")


def _never(trial: Trial) -> Finding:
    cluster = _roll_out(trial, "--readyz-after", "0=503")
    lost = _lost(cluster)
    if lost:
        return Finding(
            False,
            f"A version that answers 503 to everybody, on /readyz as well, cost {lost} requests; "
            f"{_versions(cluster)[0]} old pods are left. What lets new pods count, and how many old ones may go?",
        )
    told = next((t for t, progressing in _progress(cluster) if progressing == "False"), None)
    if told is None or told - OUT > REPORTED:
        return Finding(
            False,
            f"A version that never gets ready harms nobody, and nobody hears of it: {REPORTED} s later the condition "
            "Progressing is still True. Look at progressDeadlineSeconds.",
        )
    return Finding(
        True, f"A version that never gets ready stops, costs no request, and is reported after {told - OUT:.0f} s."
    )


def _progress(cluster: Cluster) -> list[tuple[float, str | None]]:
    records = cluster.timeline.select(kind="Deployment", since=OUT)
    return [(record["t"], record["conditions"].get("Progressing")) for record in records]


def _sick(trial: Trial) -> Finding:
    cluster = _roll_out(trial, "--readyz-after", f"{WELL}=503")
    old, _ = _versions(cluster)
    lost = _lost(cluster, OUT + WATCHED - 60)
    if lost or old < 2:
        seconds, probe = trial.workload["spec"].get("minReadySeconds", 0), trial.container.readiness
        if seconds > WELL and probe is not None:
            window = verdict_after(probe.period_seconds, probe.failure_threshold)
            return Finding(
                False,
                f"A version that is well for {WELL} s went out all the same: its pods were Ready for longer than that, "
                f"since the readiness probe takes {window} to notice. minReadySeconds: {seconds} is too short.",
            )
        return Finding(
            False,
            f"A version that is well for {WELL} s and then answers 503 went out all the same: {old} old pods are "
            f"left, and {lost} requests were lost in the last minute. For how long must a pod be Ready to count?",
        )
    return Finding(True, f"A version that falls sick after {WELL} s is stopped; {old} old pods serve everybody.")
