"""Lab 10: a container that needs 96 MiB for a moment."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container
from selfheal.objects import Object
from selfheal.quantities import parse
from selfheal.timeline import Timeline

PASSED = "It gets what it needs, cannot get more than it was promised, and the scheduler reckons with it."
COMMAND = "dd if=/dev/zero of=/dev/null bs=96M count=1"
NEEDS, MOST = "96Mi", "200Mi"


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    found = container(manifests)
    if COMMAND not in " ".join(found.get("command") or ()):
        yield "The command is another one. The report needs what it needs."
        return
    resources = found.get("resources") or {}
    limit = (resources.get("limits") or {}).get("memory")
    request = (resources.get("requests") or {}).get("memory", limit)
    if any(c["reason"] == "OOMKilled" for r in timeline.select(kind="Pod") for c in r["containers"]):
        yield f"It was OOMKilled again: a limit of {limit} is not enough for it."
    if limit is None:
        yield "There is no limit any more. If it leaked, it would take the node's memory, and others would be killed."
    elif parse(limit) > parse(MOST):
        yield f"A limit of {limit} is more than {MOST}."
    if request is None or parse(request) < parse(NEEDS):
        yield f"The scheduler reckons with {request or 'nothing'}, and the report takes {NEEDS}: what is requested?"
