"""Lab 9: a rollout that none of the users notices."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "All servers were replaced while the users asked, and none of their requests was lost."
COMMAND = "sleep 5; exec /agnhost netexec"
USERS = "Pod/client"


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    if COMMAND not in " ".join(container(manifests, "web").get("command") or ()):
        yield "The server's command is another one. It has to stay: 5 s to start, and an end at SIGTERM."
        return
    users = timeline.select(kind="Pod", object=USERS)
    began = next((r["t"] for r in users if r["phase"] == "Running"), None)
    if began is None:
        yield "The users never came. `describe pod client` says why."
        return
    servers = [pod for pod in timeline.objects("Pod") if pod != USERS]
    first = [pod for pod in servers if timeline.select(kind="Pod", object=pod)[0]["t"] < began]
    left = [pod for pod in first if not timeline.select(kind="Pod", object=pod)[-1].get("deleted")]
    if left or not first:
        yield "Old servers are still there: the rollout did not come to its end."
    if users[-1]["phase"] == "Succeeded":
        return
    if users[-1]["phase"] == "Running":
        yield "The users have not come to an end: one of them still waits for an answer."
        return
    slices = timeline.select(kind="EndpointSlice", since=began)
    if any(not any(e["ready"] or e["serving"] for e in record["endpoints"]) for record in slices):
        yield "For a time the Service had no server at all. Which strategy stops the old pods before the new ones run?"
    elif "readinessProbe" not in container(manifests, "web"):
        yield "New pods got users before they listened: nobody asked them whether they are ready."
    else:
        yield (
            "An old pod was stopped while it had answers to give, or before the last node knew of it. "
            "What makes the kubelet wait before it stops a container?"
        )
