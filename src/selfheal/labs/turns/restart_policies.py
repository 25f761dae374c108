"""Lab 8: work that is to be done once, however often it fails before."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "Two tries failed and were made again; the third was done, and nobody did it once more."
COMMAND = "echo try >> /data/tries; sleep 2; [ $(wc -l < /data/tries) -ge 3 ]"


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    pods = timeline.objects("Pod")
    if not pods:
        yield "No pod was made. Leave its kind as it is."
        return
    if COMMAND not in " ".join(container(manifests).get("command") or ()):
        yield "The command is another one. The database is not there for the first two tries, whatever you write."
        return
    last = timeline.select(kind="Pod", object=pods[0])[-1]
    restarts = sum(c["restartCount"] for c in last["containers"])
    if last["phase"] == "Failed":
        yield "The first try failed and no other was made: the pod is Failed. Which policy tries again?"
    elif last["phase"] != "Succeeded" and restarts > 2:
        yield "The container was started again after it had ended with 0. Which policy stops there?"
    elif last["phase"] != "Succeeded":
        yield "The pod has not come to an end. `describe` says what its container waits for."
