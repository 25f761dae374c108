"""Lab 11: a Deployment whose new pod is to be Ready within 100 s of a power cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "The silence is noticed after some 50 s, the pod is given up soon after, and a new one is Ready in time."
SOON = 100
"""Seconds."""
NOTICED = 55
"""Seconds after which a silent node is surely found to be so."""
REPLICAS = 2


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    off = next((r["t"] for r in timeline.select(kind="Action") if r["verb"] == "stopNode"), None)
    deployment = next((m for m in manifests if m["kind"] == "Deployment"), None)
    if off is None or deployment is None:
        yield "There was no Deployment, or no power cut."
        return
    if deployment["spec"].get("replicas", 1) != REPLICAS:
        yield "There should be two replicas. A third one would hide the loss, and be lost another time."
    new = [pod for pod in timeline.objects("Pod") if timeline.select(kind="Pod", object=pod)[0]["t"] > off]
    ready = [i[0] for pod in new for i in timeline.ready_intervals(pod.removeprefix("Pod/"))]
    if any(t <= off + SOON for t in ready):
        return
    spec = deployment["spec"]["template"]["spec"]
    fitting = [t for t in spec.get("tolerations") or () if _fits(t)]
    if not fitting:
        yield (
            f"No new pod was Ready within {SOON} s. Each pod has two tolerations that nobody wrote: "
            "`kubectl get pod NAME -o yaml` shows them. Which of them holds it on a node that is silent, and how long?"
        )
    elif any("tolerationSeconds" not in t for t in fitting):
        yield "It tolerates a silent node for ever: a toleration without tolerationSeconds has no end."
    else:
        waits = min(int(t["tolerationSeconds"]) for t in fitting)
        yield (
            f"No new pod was Ready within {SOON} s. Reckon: up to {NOTICED} s until it is noticed, {waits} s "
            "tolerated, and the time that a pod takes to start."
        )


def _fits(toleration: dict[str, Any]) -> bool:
    """Whether it tolerates what keeps a pod from being evicted from a silent node."""
    key = toleration.get("key")
    return key in (None, "", "node.kubernetes.io/unreachable") and toleration.get("effect") in (None, "", "NoExecute")
