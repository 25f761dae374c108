"""The row of a node: Ready or not, roles, versions."""

from __future__ import annotations

from typing import Any

from selfheal.printers.duration import since
from selfheal.printers.fields import Fields, at, find, mapping, text, true, written

ROLE_PREFIX, ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


def cells(node: Fields, now: float) -> list[Any]:
    """(pkg/printers/internalversion/printers.go printNode)"""
    kernel = text(node, "status.nodeInfo.kernelVersion") or "<unknown>"
    if architecture := text(node, "status.nodeInfo.architecture"):
        kernel += f" ({architecture})"
    return [
        text(node, "metadata.name"),
        status(node),
        roles(node) or "<none>",
        since(at(node, "metadata.creationTimestamp"), now),
        text(node, "status.nodeInfo.kubeletVersion"),
        text(find(node, "status.addresses", "InternalIP"), "address", "<none>"),
        text(find(node, "status.addresses", "ExternalIP"), "address", "<none>"),
        text(node, "status.nodeInfo.osImage") or "<unknown>",
        kernel,
        text(node, "status.nodeInfo.containerRuntimeVersion") or "<unknown>",
    ]


def status(node: Fields) -> str:
    """``Ready``, ``NotReady`` (for False and for Unknown), and whether pods may be scheduled on it."""
    ready = find(node, "status.conditions", "Ready")
    if ready is None:
        word = "Unknown"
    else:
        word = "Ready" if ready.get("status") == "True" else "NotReady"
    return word + (",SchedulingDisabled" if true(node, "spec.unschedulable") else "")


def roles(node: Fields) -> str:
    """The roles that its labels give a node, sorted (printers.go findNodeRoles)."""
    found = set()
    for label, value in mapping(node, "metadata.labels").items():
        if label.startswith(ROLE_PREFIX):
            found.add(label.removeprefix(ROLE_PREFIX))
        elif label == ROLE_LABEL:
            found.add(written(value))
    return ",".join(sorted(found - {""}))
