"""What judges ask of a run and of its manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfheal.objects import Object
from selfheal.timeline import Timeline


def container(manifests: Iterable[Object], name: str = "") -> dict[str, Any]:
    """The first container that the manifests describe, or that of a name; empty if there is none."""
    for manifest in manifests:
        spec = manifest.get("spec") or {}
        for found in (spec.get("template", {}).get("spec") or spec).get("containers") or ():
            if name in ("", found["name"]):
                return dict(found)
    return {}


def newest_failure(timeline: Timeline, pod: str, probe: str = "") -> str:
    """What the newest failed probe of a pod says; of all its probes, or of its ``Liveness`` probe.

    A probe that could not be run while its container was stopped has not failed.
    """
    found = timeline.select(kind="Event", object=f"Pod/{pod}", reason="Unhealthy")
    said = [str(e["message"]) for e in found if e["message"].startswith(probe) and " failed: " in e["message"]]
    return said[-1].splitlines()[0].rstrip(": ") if said else ""


def slowest(probe: dict[str, Any]) -> int:
    """Seconds until an app that fails from now on has failed often enough, at worst."""
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


def pods(timeline: Timeline) -> list[str]:
    """The names of the pods that are there at the end and not about to go."""
    last = {pod: timeline.select(kind="Pod", object=pod)[-1] for pod in timeline.objects("Pod")}
    return [pod.partition("/")[2] for pod, r in last.items() if not (r.get("deleted") or r.get("terminating"))]
