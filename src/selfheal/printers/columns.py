"""Which columns each kind has (pkg/printers/internalversion/printers.go AddHandlers), and who fills its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from selfheal.objects import Object
from selfheal.printers import events, network, nodes, pods, small, workloads
from selfheal.printers.table import Column, Row, Table

Cells = Callable[[Object, float], list[Any]]
"""The cells of an object at Unix time ``now`` (seconds)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How objects of a kind are listed."""

    columns: tuple[Column, ...]
    cells: Cells
    namespaced: bool = True


def _columns(names: str) -> tuple[Column, ...]:
    """Columns from a line such as ``Name, Desired#, Age, Selector*``: # counts, * is for ``-o wide``."""
    out = []
    for name in names.split(", "):
        plain = name.rstrip("#*")
        out.append(
            Column(
                plain,
                type="integer" if "#" in name else "string",
                format="name" if plain == "Name" else "",
                priority=1 if "*" in name else 0,
            )
        )
    return tuple(out)


_REPLICAS = _columns("Name, Desired#, Current#, Ready#, Age, Containers*, Images*, Selector*")

_CREATED_AT = _columns("Name, Created At")
"""Of kinds without a table of their own (staging/src/k8s.io/apiserver/pkg/registry/rest/table.go)."""
_BINDING = _columns("Name, Role, Age, Users*, Groups*, ServiceAccounts*")

KINDS: dict[str, Kind] = {
    "Pod": Kind(
        _columns("Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*"), pods.cells
    ),
    "ReplicationController": Kind(_REPLICAS, workloads.replication_controller),
    "ReplicaSet": Kind(_REPLICAS, workloads.replica_set),
    "Deployment": Kind(
        _columns("Name, Ready, Up-to-date#, Available#, Age, Containers*, Images*, Selector*"), workloads.deployment
    ),
    "StatefulSet": Kind(_columns("Name, Ready, Age, Containers*, Images*"), workloads.stateful_set),
    "DaemonSet": Kind(
        _columns(
            "Name, Desired#, Current#, Ready#, Up-to-date#, Available#, Node Selector, Age, "
            "Containers*, Images*, Selector*"
        ),
        workloads.daemon_set,
    ),
    "Job": Kind(_columns("Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*"), workloads.job),
    "CronJob": Kind(
        _columns("Name, Schedule, Timezone, Suspend, Active#, Last Schedule, Age, Containers*, Images*, Selector*"),
        workloads.cron_job,
    ),
    "ControllerRevision": Kind(_columns("Name, Controller, Revision#, Age"), workloads.controller_revision),
    "HorizontalPodAutoscaler": Kind(
        _columns("Name, Reference, Targets, MinPods, MaxPods#, Replicas#, Age"), workloads.autoscaler
    ),
    "PodDisruptionBudget": Kind(
        _columns("Name, Min Available, Max Unavailable, Allowed Disruptions#, Age"), workloads.disruption_budget
    ),
    "Service": Kind(
        _columns("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*"),
        network.service,
    ),
    "Endpoints": Kind(_columns("Name, Endpoints, Age"), network.endpoints),
    "EndpointSlice": Kind(_columns("Name, AddressType, Ports, Endpoints, Age"), network.endpoint_slice),
    "Node": Kind(
        _columns(
            "Name, Status, Roles, Age, Version, "
            "Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*"
        ),
        nodes.cells,
        namespaced=False,
    ),
    "Event": Kind(
        _columns("Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count#*, Name*"),
        events.cells,
    ),
    "Namespace": Kind(_columns("Name, Status, Age"), small.namespace, namespaced=False),
    "ConfigMap": Kind(_columns("Name, Data#, Age"), small.config_map),
    "Secret": Kind(_columns("Name, Type, Data#, Age"), small.secret),
    "ServiceAccount": Kind(_columns("Name, Age"), small.plain),
    "Lease": Kind(_columns("Name, Holder, Age"), small.lease),
    "PriorityClass": Kind(
        _columns("Name, Value#, Global-Default, Age, PreemptionPolicy*"), small.priority_class, namespaced=False
    ),
    "Role": Kind(_CREATED_AT, small.created_at),
    "ClusterRole": Kind(_CREATED_AT, small.created_at, namespaced=False),
    "LimitRange": Kind(_CREATED_AT, small.created_at),
    "CustomResourceDefinition": Kind(_CREATED_AT, small.created_at, namespaced=False),
    "RoleBinding": Kind(_BINDING, small.role_binding),
    "ClusterRoleBinding": Kind(_BINDING, small.role_binding, namespaced=False),
    "NetworkPolicy": Kind(_columns("Name, Pod-Selector, Age"), small.network_policy),
    "RuntimeClass": Kind(_columns("Name, Handler, Age"), small.runtime_class, namespaced=False),
}

OTHER = Kind(_columns("Name, Age"), small.plain)
"""What kubectl falls back to for a kind it is told nothing about."""


def table(kind: str, objects: Iterable[Object], now: float) -> Table:
    """The table of ``objects``, all of one ``kind``, at Unix time ``now`` in seconds."""
    how = KINDS.get(kind, OTHER)
    return Table(how.columns, tuple(Row(tuple(how.cells(obj, now)), obj) for obj in objects), how.namespaced)
