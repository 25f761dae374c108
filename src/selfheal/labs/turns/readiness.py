"""Lab 3: a tired server is to get no requests, and not to be restarted; one that hangs is."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container, newest_failure
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "It rested without requests, came back, and was never killed. Two questions, two probes."


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    app = container(manifests)
    readiness, liveness = app.get("readinessProbe"), app.get("livenessProbe")
    if timeline.kills("web"):
        yield (
            f"It was killed for being tired: “{newest_failure(timeline, 'web', 'Liveness')}”. "
            "Does a tired server need a new container? Let liveness ask something that only a broken one fails."
        )
    elif len(timeline.ready_intervals("web")) < 2:
        yield "It got requests all the time while it was tired: nothing made it unready."
    if readiness is None:
        yield "Without a readiness probe it counts as ready as long as it runs."
    if liveness is None:
        yield "Without a liveness probe nobody restarts a server that hangs."
    elif "tired" in str(liveness.get("exec")):
        if not timeline.kills("web"):
            yield "This time it was forgiven, since the rest was short. The next one may be longer: ask something else."
    elif "exec" in liveness:
        yield "That command runs beside the server. It can succeed while the server hangs: ask the server itself."
