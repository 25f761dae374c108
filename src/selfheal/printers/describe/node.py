"""Nodes: their heartbeat, their conditions, and what their pods ask of them."""

from __future__ import annotations

from selfheal.objects import Object
from selfheal.printers import amounts, demand, nodes
from selfheal.printers.amounts import Amount
from selfheal.printers.describe import parts, placement
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123, since
from selfheal.printers.fields import Fields, at, items, mapping, strings, text, true
from selfheal.printers.pods import TERMINAL

LEASE_NAMESPACE = "kube-node-lease"

_SYSTEM_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


def node(w: Writer, node: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describeNode)"""
    w.field("Name", text(node, "metadata.name"))
    w.field("Roles", nodes.roles(node) or "<none>")
    parts.labels(w, node)
    w.field("CreationTimestamp", rfc1123(at(node, "metadata.creationTimestamp")))
    placement.taints(w, node)
    w.field("Unschedulable", true(node, "spec.unschedulable"))
    _lease(w, text(node, "metadata.name"), lister)
    _conditions(w, items(node, "status.conditions"))
    w.line("Addresses:")
    for address in items(node, "status.addresses"):
        w.field(text(address, "type"), text(address, "address"), level=1)
    for title in ("Capacity", "Allocatable"):
        listed = mapping(node, f"status.{title.lower()}")
        if listed:
            w.line(f"{title}:")
        for name in sorted(listed):
            w.field(name, amounts.canonical(listed[name]), level=1)
    w.line("System Info:")
    for name, field in _SYSTEM_INFO:
        w.field(name, text(node, f"status.nodeInfo.{field}"), level=1)
    for name, value in (
        ("PodCIDR", text(node, "spec.podCIDR")),
        ("PodCIDRs", ",".join(strings(node, "spec.podCIDRs"))),
        ("ProviderID", text(node, "spec.providerID")),
    ):
        if value:
            w.field(name, value)
    _pods(w, node, lister, now)
    parts.events_table(w, parts.events_of_node(node, lister), now)


def _lease(w: Writer, name: str, lister: Lister) -> None:
    """The heartbeat that costs little: a Lease that the kubelet renews each 10 s (describe.go describeNodeLease)."""
    lease = lister.get("Lease", LEASE_NAMESPACE, name)
    if lease is None:
        w.field("Lease", f'Failed to get lease: leases.coordination.k8s.io "{name}" not found')
        return
    w.line("Lease:")
    w.field("HolderIdentity", text(lease, "spec.holderIdentity", "<unset>"), level=1)
    for title, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        stamp = at(lease, f"spec.{field}")
        w.field(title, "<unset>" if stamp is None else rfc1123(stamp), level=1)


def _conditions(w: Writer, conditions: list[Fields]) -> None:
    if not conditions:
        return
    w.line("Conditions:")
    w.header("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
    for condition in conditions:
        w.row(
            text(condition, "type") + " ",
            text(condition, "status") + " ",
            rfc1123(at(condition, "lastHeartbeatTime")) + " ",
            rfc1123(at(condition, "lastTransitionTime")) + " ",
            text(condition, "reason") + " ",
            text(condition, "message"),
        )


def _pods(w: Writer, node: Object, lister: Lister, now: float) -> None:
    """Each pod's requests and limits as a share of the node, and their sums (describe.go describeNodeResource)."""
    name = text(node, "metadata.name")
    found = [
        pod
        for pod in lister.list("Pod", None)
        if text(pod, "spec.nodeName") == name and text(pod, "status.phase") not in TERMINAL
    ]
    whole = amounts.read(mapping(node, "status.allocatable") or mapping(node, "status.capacity"))
    w.field("Non-terminated Pods", f"({len(found)} in total)")
    w.row("Namespace", "Name\t", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    w.row("---------", "----\t", "------------", "----------", "---------------", "-------------", "---")
    requests: demand.Amounts = {}
    limits: demand.Amounts = {}
    for pod in found:
        asked, capped = demand.of_pod(pod, "requests"), demand.of_pod(pod, "limits")
        demand.add(requests, asked)
        demand.add(limits, capped)
        w.row(
            text(pod, "metadata.namespace"),
            text(pod, "metadata.name") + "\t",
            *(_share(of, resource, whole) for resource in ("cpu", "memory") for of in (asked, capped)),
            since(at(pod, "metadata.creationTimestamp"), now),
        )
    w.line("Allocated resources:")
    w.line("(Total limits may be over 100 percent, i.e., overcommitted.)", level=1)
    w.header("Resource", "Requests", "Limits")
    known = ("cpu", "memory", "ephemeral-storage")
    huge = sorted(resource for resource in whole if resource.startswith("hugepages-"))
    for resource in (*known, *huge):
        w.row(resource, _share(requests, resource, whole), _share(limits, resource, whole))
    for resource in sorted(set(whole) - {*known, *huge, "pods"}):
        w.row(resource, requests.get(resource, Amount()), limits.get(resource, Amount()))


def _share(of: demand.Amounts, resource: str, whole: demand.Amounts) -> str:
    """``250m (12%)``"""
    amount = of.get(resource, Amount())
    return f"{amount} ({amount.of(whole.get(resource, Amount()))}%)"
