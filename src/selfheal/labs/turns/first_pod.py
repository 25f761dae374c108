"""Lab 1: a pod that is deleted is to be replaced."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import pods
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "One pod was deleted, and somebody made another: replaced, not restarted. Look at its name, it is a new one."


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    result = next((str(a["result"]) for a in timeline.select(kind="Action")), "")
    if "deleted" not in result:
        yield f"Nothing was deleted: “{result}”. Do the template's labels say app: hello?"
    elif not pods(timeline):
        yield (
            "The pod was deleted, and nobody made another. "
            f"You applied a {manifests[0]['kind']}: nobody who counts pods and wants that many."
        )
    elif not any(timeline.ready_intervals(name)[-1:] for name in pods(timeline)):
        yield "There is a new pod, but it is not ready: describe it."
