"""The node's own object: registration, lease and status (pkg/kubelet/kubelet_node_status.go).

The kubelet renews its lease each 10 s and computes its status as often. Neither changes
anything while the node is well, so neither is executed: the times of renewals follow from
the node's phase and are worked out when somebody asks.
"""

from __future__ import annotations

from typing import Any

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.objects import Object, name, replace
from selfheal.rules import Cause
from selfheal.store import Store

RENEW = 10 * SECOND
"""leaseDurationSeconds 40 × 0.25 (staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go)."""
REPORT = 300 * SECOND
"""Status of a node at rest is reported this often (config nodeStatusReportFrequency)."""

HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


class NodeStatus:
    """What a node tells of itself."""

    def __init__(
        self, clock: Clock, chance: Chance, store: Store, events: EventRecorder, node: Object, address: str
    ) -> None:
        self._clock = clock
        self._store = store
        self._events = events
        self.node = name(node)
        stream = chance.stream("node", self.node, "lease")
        self._phase = int(stream.uniform(0) * RENEW)
        # renewals come each 10 s × [1, 1.04); one value for the node keeps them a formula
        self._period = RENEW + int(stream.uniform(1) * 0.02 * RENEW)
        self._boot_id = stream.uid(2)
        self._register(node, address)

    def _register(self, node: Object, address: str) -> None:
        """Make the Node and its Lease (tryRegisterWithAPIServer)."""
        now = self._clock.timestamp(-3600 * SECOND)
        status = dict(node.get("status") or {})
        status.setdefault("capacity", {"cpu": "2", "memory": "24Gi", "pods": "110"})
        status.setdefault("allocatable", status["capacity"])
        status["addresses"] = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": self.node}]
        status["conditions"] = [
            {
                "type": kind,
                "status": value,
                "lastHeartbeatTime": self._clock.timestamp(),
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            for kind, value, reason, message in HEALTHY
        ]
        status["nodeInfo"] = {
            "architecture": "amd64",
            "bootID": self._boot_id,
            "containerRuntimeVersion": "containerd://2.1.9",
            "kernelVersion": "6.1.0",
            "kubeletVersion": "v1.36.2",
            "kubeProxyVersion": "",
            "machineID": self._boot_id.replace("-", ""),
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "systemUUID": self._boot_id,
        }
        created = self._store.create(replace(node, "status", status))
        self._store.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {
                    "name": self.node,
                    "namespace": "kube-node-lease",
                    "ownerReferences": [
                        {"apiVersion": "v1", "kind": "Node", "name": self.node, "uid": created["metadata"]["uid"]}
                    ],
                },
                "spec": {
                    "holderIdentity": self.node,
                    "leaseDurationSeconds": 40,
                    "renewTime": self._clock.micro_timestamp(),
                },
            }
        )

    def last_renewal(self, at: int | None = None) -> int:
        """When the lease was last renewed, as of ``at`` (µs; default: now)."""
        now = self._clock.now if at is None else at
        return self._phase + (now - self._phase) // self._period * self._period

    def settle(self, cause: Cause | None = None) -> None:
        """Write the renewal and the heartbeat of this moment into the store, for somebody who reads them."""
        lease = self._store.get("Lease", "kube-node-lease", self.node)
        if lease is None:
            return
        renewed = self._clock.micro_timestamp(self.last_renewal())
        self._store.patch(
            "Lease", "kube-node-lease", self.node, lambda o: replace(o, "spec.renewTime", renewed), cause=cause
        )

    def heartbeat(self) -> Any:
        """The lease's age in seconds."""
        return (self._clock.now - self.last_renewal()) / SECOND
