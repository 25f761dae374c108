"""What containers use: the simulated metrics API (metrics-server)."""

from __future__ import annotations

from collections.abc import Iterable

from selfheal.clock import SECOND
from selfheal.objects import Object, name, namespace
from selfheal.runtime import Runtime
from selfheal.traffic import Traffic

SCRAPE = 15 * SECOND
"""What a container uses is known only after this time (metrics-server, --metric-resolution), in µs."""
IDLE = 1
"""CPU of a container that does nothing, in milli-cores."""
REQUEST_CPU = 10
"""CPU time that a request costs, in ms: 100 requests a second keep a core busy."""


def usage(pod: Object, resource: str, runtime: Runtime, traffic: Iterable[Traffic], now: int) -> int | None:
    """What a pod's containers use, as the node would say: each request that users send costs some CPU."""
    if resource not in ("cpu", "memory"):
        return None
    containers = [c for c in runtime.containers_of(pod["metadata"]["uid"]) if c.running]
    if not containers or min(c.started_at or 0 for c in containers) + SCRAPE > now:
        return None
    if resource == "memory":
        return sum(c.kernel.memory for c in containers) * 1000
    requests = sum(t.share(name(pod)) for t in traffic if t.service[0] == namespace(pod))
    return IDLE * len(containers) + round(requests * REQUEST_CPU)
