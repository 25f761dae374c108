"""How often a probe is tried, and what it costs (pkg/kubelet/prober/prober.go runProbeWithRetries)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from selfheal.probes import Outcome

ATTEMPTS = 3


async def tried(attempt: Callable[[], Awaitable[Outcome]]) -> tuple[Outcome, int]:
    """The first outcome without an error, or that of the last attempt; and how many there were."""
    began = time.monotonic()
    count, outcome = 1, await attempt()
    while outcome.error is not None and count < ATTEMPTS:
        count, outcome = count + 1, await attempt()
    return replace(outcome, duration=round((time.monotonic() - began) * 1_000_000)), count
