"""What the scheduler knows of each node: its room, its marks, and who is there.

Follows pkg/scheduler/framework/types.go NodeInfo. CPU is counted in thousandths of a core,
memory and storage in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from selfheal import quantities
from selfheal.objects import Key, Object, controller_of, key, labels, name, terminating
from selfheal.spec import PodSpec, Port, Taint, host_ports, pod_spec, taints

DEFAULT_CPU = 100
"""Taken for scoring if a container requests none (pkg/scheduler/util/pod_resources.go)."""

DEFAULT_MEMORY = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Demand:
    """What a pod asks of its node."""

    requests: dict[str, int]
    cpu: int
    """With the default for containers that request none: for scoring only."""
    memory: int
    ports: frozenset[Port]


_demands: dict[int, tuple[PodSpec, Demand]] = {}


def demand(spec: PodSpec) -> Demand:
    """What the pod of that spec asks for; reckoned once per spec."""
    found = _demands.get(id(spec))
    if found is None:
        if len(_demands) >= 4096:
            _demands.clear()
        found = _demands[id(spec)] = (spec, _demand(spec))
    return found[1]


def _demand(spec: PodSpec) -> Demand:
    cpu = memory = 0
    for container in (*spec.containers, *spec.sidecars):
        cpu += container.requests.get("cpu", DEFAULT_CPU)
        memory += container.requests.get("memory", DEFAULT_MEMORY)
    for container in spec.init_containers:
        cpu = max(cpu, container.requests.get("cpu", DEFAULT_CPU))
        memory = max(memory, container.requests.get("memory", DEFAULT_MEMORY))
    return Demand(spec.requests, cpu, memory, host_ports(spec))


@dataclass(frozen=True, slots=True)
class _Guest:
    pod: Object
    demand: Demand
    owner: str


class NodeInfo:
    """One node and the pods that are there or on their way there."""

    def __init__(self, node: Object | None = None) -> None:
        self.pods: dict[Key, _Guest] = {}
        self.requested: dict[str, int] = {}
        self.cpu = 0
        self.memory = 0
        self.choosy: dict[Key, _Guest] = {}
        """Those of the pods that want, or will not have, certain others near them."""
        self.replicas: dict[str, int] = {}
        """Pods that are not being deleted, by the uid of their controller."""
        self.node: Object = {}
        self.name = ""
        self.labels: dict[str, str] = {}
        self.taints: tuple[Taint, ...] = ()
        self.unschedulable = False
        self.allocatable: dict[str, int] = {}
        if node is not None:
            self.set_node(node)

    @property
    def known(self) -> bool:
        """Whether the Node itself is there, and not just pods that name it."""
        return bool(self.node)

    def set_node(self, node: Object) -> None:
        self.node = node
        self.name = name(node)
        self.labels = labels(node)
        self.taints = taints(node)
        self.unschedulable = bool((node.get("spec") or {}).get("unschedulable"))
        amounts: dict[str, Any] = (node.get("status") or {}).get("allocatable") or {}
        self.allocatable = {resource: quantities.count(resource, amount) for resource, amount in amounts.items()}

    def copy(self) -> NodeInfo:
        """The same node with the same pods, to try something out."""
        other = NodeInfo(self.node)
        for guest in self.pods.values():
            other.add(guest.pod)
        return other

    def add(self, pod: Object) -> None:
        """The pod is there, in this version."""
        self.remove(key(pod))
        spec = pod_spec(pod)
        asked = demand(spec)
        owner = controller_of(pod)
        guest = _Guest(pod, asked, str(owner["uid"]) if owner and not terminating(pod) else "")
        self.pods[key(pod)] = guest
        if spec.affinity.get("podAntiAffinity") or spec.affinity.get("podAffinity"):
            self.choosy[key(pod)] = guest
        self._count(guest, 1)

    def remove(self, where: Key) -> bool:
        """The pod is no longer there; False if it was not."""
        guest = self.pods.pop(where, None)
        if guest is None:
            return False
        self.choosy.pop(where, None)
        self._count(guest, -1)
        return True

    def _count(self, guest: _Guest, sign: int) -> None:
        for resource, amount in guest.demand.requests.items():
            self.requested[resource] = self.requested.get(resource, 0) + sign * amount
        self.cpu += sign * guest.demand.cpu
        self.memory += sign * guest.demand.memory
        if guest.owner:
            self.replicas[guest.owner] = self.replicas.get(guest.owner, 0) + sign

    def used_ports(self) -> Iterable[Port]:
        for guest in self.pods.values():
            yield from guest.demand.ports
