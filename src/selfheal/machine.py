"""A node of a simulated cluster as a machine: it has power or not, it boots, and a kubelet runs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, Clock, Timer
from selfheal.kubelet import Kubelet
from selfheal.kubelet.nodestatus import CAPACITY
from selfheal.objects import Object
from selfheal.rules import ACTION, Cause
from selfheal.runtime import Runtime
from selfheal.words import words

BOOT = (600 * MILLISECOND, 900 * MILLISECOND)
"""From power-on until the kubelet runs (µs)."""


class Node:
    """A node of a simulated cluster, as somebody standing beside the machine knows it."""

    def __init__(
        self, runtime: Runtime, make: Callable[..., Kubelet], clock: Clock, chance: Chance, boots: int = 0
    ) -> None:
        self.runtime = runtime
        self._make = make
        self._clock = clock
        self._stream = chance.stream("node", runtime.node, "boot")
        self._boots = boots
        """How often it has been powered on since it joined the cluster."""
        self._begin: Timer | None = None
        self.kubelet = make(boots, Cause(ACTION, at=clock.now, what=words("deeds")["join"].format(what=runtime.node)))
        self.name = runtime.node
        self.powered = True

    def stop(self, cause: Cause | None = None) -> None:
        """Power cut: kubelet, runtime and every process of the node end at once; its addresses answer nothing."""
        if self.powered:
            self.powered = False
            if self._begin is not None:
                self._begin.cancel()
            cause = cause or Cause(ACTION, at=self._clock.now, what=words("deeds")["stopNode"].format(what=self.name))
            self.kubelet.halt(cause)
            self.runtime.power_off(cause)

    def start(self, cause: Cause | None = None) -> None:
        """Power on: the node boots, and its kubelet is there 0.6 to 0.9 s later."""
        if not self.powered:
            self.powered = True
            self._boots += 1
            cause = cause or Cause(ACTION, at=self._clock.now, what=words("deeds")["startNode"].format(what=self.name))
            self._begin = self._clock.after(self._stream.between(self._boots, *BOOT), lambda: self._boot(cause))

    def restart_kubelet(self, cause: Cause | None = None) -> None:
        """``systemctl restart kubelet``: the runtime and every container go on."""
        if self.powered:
            self._boots += 1
            cause = cause or Cause(ACTION, at=self._clock.now, what=words("deeds")["kubelet"].format(what=self.name))
            self.kubelet.halt(cause)
            self.kubelet = self._make(self._boots, cause, rebooted=False)

    def _boot(self, cause: Cause | None) -> None:
        self.runtime.power_on()
        self.kubelet = self._make(self._boots, cause)


def node_objects(nodes: int | Iterable[Object]) -> list[Object]:
    """Nodes as they are registered: those that are given, or so many of the usual size."""
    if not isinstance(nodes, int):
        return list(nodes)
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{n}",
                "labels": {
                    "kubernetes.io/hostname": f"node-{n}",
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                },
            },
            "spec": {"podCIDR": f"10.88.{n}.0/24"},
            "status": {
                "capacity": dict(CAPACITY),
                "allocatable": dict(CAPACITY),
            },
        }
        for n in range(1, nodes + 1)
    ]
