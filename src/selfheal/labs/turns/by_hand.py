"""Lab 12: from version 1 to version 2 by hand, with never fewer than three ready servers nor more than four pods."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "Three servers of version 2, and on the way never fewer than three that were ready, nor a fifth pod."
READY, MOST = 3, 4


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    first = {m["metadata"]["name"]: m["spec"].get("replicas", 1) for m in manifests if m["kind"] == "ReplicaSet"}
    if first != {"web-1": READY, "web-2": 0}:
        yield "The ReplicaSets do not begin as they should: three of version 1, none of version 2."
        return
    steps = [r["t"] for r in timeline.select(kind="Action")]
    if not steps:
        yield "There are no steps yet."
        return
    refused = next((r["result"] for r in timeline.select(kind="Action") if "scaled" not in r["result"]), None)
    if refused is not None:
        yield f"A step did not do what it should: {refused}"
    slices = timeline.select(kind="EndpointSlice")
    had = any(_ready(r) >= READY for r in slices if r["t"] < steps[0])
    if not had:
        yield "Your first step came before version 1 was ready. Begin later."
    elif any(_ready(r) < READY for r in slices if r["t"] >= steps[0]):
        yield "For a time fewer than three servers were ready. What must be there before you take one away?"
    if _most(timeline) > MOST:
        yield "For a time there were more than four pods. One more at a time is enough."
    ends = {r["object"].removeprefix("ReplicaSet/"): r for r in timeline.select(kind="ReplicaSet")}
    if (ends["web-1"]["replicas"], ends["web-2"]["ready"]) != (0, READY):
        yield "In the end there should be three ready servers of version 2, and none of version 1."


def _ready(record: Object) -> int:
    return sum(bool(e["ready"]) for e in record["endpoints"])


def _most(timeline: Timeline) -> int:
    """The most pods that there were at a time, without those on their way out."""
    there: dict[str, bool] = {}
    most = 0
    for record in timeline.select(kind="Pod"):
        there[record["object"]] = not (record.get("terminating") or record.get("deleted"))
        most = max(most, sum(there.values()))
    return most
