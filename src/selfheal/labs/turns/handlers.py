"""Lab 5: a gRPC probe that asks for the service that the server knows."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.labs.turns.asked import container, newest_failure
from selfheal.objects import Object
from selfheal.timeline import Timeline

PASSED = "Asked for the service by its name. The same port could answer for many more."
SERVER = ["grpc-health-checking", "--service=shop-readiness"]


def problems(timeline: Timeline, manifests: tuple[Object, ...]) -> Iterator[str]:
    app = container(manifests)
    probe = app.get("readinessProbe")
    if app.get("args") != SERVER:
        yield "The server is another one. Leave it as it is, and ask it what it knows."
    if probe is None:
        yield "Without a readiness probe it is ready as long as it runs, serving or not."
    elif "grpc" not in probe:
        yield "That probe does not speak gRPC: it passes while the server says NOT_SERVING."
    elif not timeline.ready_intervals("shop"):
        yield (
            f"It is never ready: “{newest_failure(timeline, 'shop')}”. "
            "A health service answers for the names that it knows. Which one is in its arguments?"
        )
