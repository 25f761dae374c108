"""How long the real thing takes, measured: the one place where such numbers stand.

Rules say *what* happens; these tables say how long the machinery needs for it on a
real three-node cluster of two busy cores (Kubernetes 1.36.2, containerd 2.1, images
present). A latency is given by its 10 %, 50 % and 90 % quantiles in seconds; a draw
lies between the first and the last, so that one run stands for a usual day and a
set of seeds for the spread of a real cluster.
"""

from __future__ import annotations

from selfheal.chance import Stream
from selfheal.clock import SECOND

LATENCIES: dict[str, tuple[float, float, float]] = {
    # API server and watches
    "watch": (0.001, 0.004, 0.010),  # a write until whoever watches has it
    "event": (0.002, 0.006, 0.015),  # an event recorded until it is in the API
    "client": (0.06, 0.15, 0.28),  # the start of a kubectl until its request
    "exec session": (
        0.10,
        0.25,
        0.60,
    ),  # a kubectl exec's request until its process runs; between 0.4 and 0.7 s where it can be told
    # scheduler and kubelet
    "bind": (0.000, 0.004, 0.030),  # a pod seen by the scheduler until its binding is written
    "admit": (0.002, 0.010, 0.150),  # a pod seen by its kubelet until its first sync
    "status patch": (0.001, 0.004, 0.020),  # a status stored in the kubelet until it is in the API
    "sandbox": (0.10, 0.26, 1.10),  # RunPodSandbox
    "create": (0.01, 0.03, 0.17),  # CreateContainer: Pulled until Created
    "start": (0.06, 0.09, 0.30),  # StartContainer: Created until Started
    "on-demand relist": (0.001, 0.004, 0.020),  # end of a sync that acted until the pod is relisted
    "sync": (0.001, 0.002, 0.008),  # a request until the pod worker has begun its sync
    "process": (0.003, 0.010, 0.025),  # StartContainer returns until the process has done its first work
    "reap": (0.03, 0.05, 0.10),  # a process has ended until its runtime says so
    "probe": (0.001, 0.008, 0.025),  # a tick until the handler has answered
    "exec": (0.02, 0.04, 0.10),  # a process started inside a container
    "trigger": (0.002, 0.018, 0.040),  # a manual trigger until the handler has answered
    "stop": (0.02, 0.04, 0.12),  # a process has ended until StopContainer returns
    "stop sandbox": (0.08, 0.12, 0.18),  # StopPodSandbox
    "controller": (0.001, 0.005, 0.020),  # a controller's sync
    "request": (0.003, 0.006, 0.015),  # one request of a sync that makes several, until its answer
}
"""(10 %, median, 90 %) in seconds."""


def draw(name: str, stream: Stream, n: int) -> int:
    """The ``n``-th latency called ``name``, in µs.

    Between the 10 % and the 90 % quantile; linear on both sides of the median.
    """
    low, median, high = LATENCIES[name]
    u = stream.uniform(n)
    value = low + (median - low) * 2 * u if u < 0.5 else median + (high - median) * (2 * u - 1)
    return round(value * SECOND)


CHANCES: dict[str, float] = {
    "trigger before status": 0.03,  # the readiness worker reads the status before the sync has stored it
    "second volume poll": 0.12,  # the token volume is not mounted at the first poll (a busy node)
    "runtime up late": 0.33,  # a kubelet that boots computes its first status before it has asked the runtime
}
"""Probabilities of races that a real cluster decides by chance."""


def happens(name: str, stream: Stream, n: int) -> bool:
    """Whether the race called ``name`` goes the rarer way, the ``n``-th time."""
    return stream.uniform(n + 1_000_000) < CHANCES[name]
