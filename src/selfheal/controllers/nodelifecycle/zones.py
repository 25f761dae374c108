"""How fast the nodes of a zone may lose their pods: one node each ten seconds, and none at all in a disaster.

If most of a zone, or of the whole cluster, seems to be gone, then it is probably the network that is gone.
Evicting all pods would make that worse. Follows pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go and
node_lifecycle_controller.go ComputeZoneState, setLimiterInZone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from selfheal.clock import MILLISECOND, SECOND, Clock, Timer
from selfheal.objects import Object, labels

INITIAL, NORMAL, PARTIAL, FULL = "Initial", "Normal", "PartialDisruption", "FullDisruption"
"""States of a zone."""

EVICTION = 10 * SECOND
"""One node each 10 s, in µs (nodeEvictionRate 0.1)."""
SLOW_EVICTION = 100 * SECOND
"""In a partly disrupted zone of more than 50 nodes (secondaryNodeEvictionRate 0.01)."""
LARGE = 50
"""A larger zone is slowed down by a partial disruption, a smaller one stopped (largeClusterSizeThreshold)."""
UNHEALTHY = 0.55
"""From this share of nodes that are not ready on, a zone is partly disrupted (unhealthyZoneThreshold)."""
LOOK = 100 * MILLISECOND
"""How often the queue is looked at (scheduler.NodeEvictionPeriod)."""

NEVER = 0


def zone_of(node: Object) -> str:
    """The failure domain of a node (component-helpers/node/topology GetZoneKey)."""
    on = labels(node)
    region = on.get("topology.kubernetes.io/region", on.get("failure-domain.beta.kubernetes.io/region", ""))
    zone = on.get("topology.kubernetes.io/zone", on.get("failure-domain.beta.kubernetes.io/zone", ""))
    return f"{region}:{zone}" if region or zone else ""


def state_of(ready: Iterable[bool]) -> str:
    """What a zone with these nodes is in (ComputeZoneState)."""
    states = list(ready)
    away = states.count(False)
    if away == len(states) and away:
        return FULL
    if away > 2 and away / len(states) >= UNHEALTHY:
        return PARTIAL
    return NORMAL


def pace(state: str, size: int) -> int:
    """µs between two nodes of a zone in a state; 0: none at all (ReducedQPSFunc, HealthyQPSFunc)."""
    if state == PARTIAL:
        return SLOW_EVICTION if size > LARGE else NEVER
    return EVICTION


class ZoneQueue:
    """Nodes of one zone that are to get their NoExecute taint (RateLimitedTimedQueue).

    ``taint(node)`` says whether it is done with the node; if not, the node is tried again.
    """

    def __init__(self, clock: Clock, phase: int, taint: Callable[[str], bool]) -> None:
        self._clock = clock
        self._phase = phase
        self._taint = taint
        self._pace = EVICTION
        self._free = clock.now
        """When the limiter lets the next one pass."""
        self._waiting: list[str] = []
        self._known: dict[str, None] = {}
        """Those that wait and those that had their turn: they do not queue again until :meth:`remove`."""
        self._timer: Timer | None = None

    def knows(self, node: str) -> bool:
        """Whether a node waits, or had its turn."""
        return node in self._known

    def add(self, node: str) -> None:
        if node not in self._known:
            self._known[node] = None
            self._waiting.append(node)
            self._plan()

    def remove(self, node: str) -> None:
        self._known.pop(node, None)
        if node in self._waiting:
            self._waiting.remove(node)

    def set_pace(self, new: int) -> None:
        """Another limiter; it is empty at first if the one before it was (SwapLimiter)."""
        if new == self._pace:
            return
        now = self._clock.now
        full = self._pace != NEVER and self._free <= now
        self._pace, self._free = new, now if full else now + new
        self._plan()

    def _plan(self) -> None:
        """Look again when the limiter lets somebody pass."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self._pace != NEVER:
            at = max(self._free, self._clock.now)
            at += -(at - self._phase) % LOOK
            self._timer = self._clock.at(at, self._try)

    def _try(self) -> None:
        """Try"""
        self._timer = None
        node = self._waiting[0] if self._waiting else None
        if node is not None:
            self._free = self._clock.now + self._pace
            if self._taint(node) and node in self._waiting:
                self._waiting.remove(node)
        self._plan()
