"""Pods, and the templates that pods are made from."""

from __future__ import annotations

from selfheal.objects import Object
from selfheal.printers import demand, pods
from selfheal.printers.describe import parts, placement
from selfheal.printers.describe.containers import containers, resources
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.volumes import volumes
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123, since
from selfheal.printers.fields import Fields, at, deleting, find, items, mapping, number, text


def pod(w: Writer, pod: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describePod)"""
    spec, status = mapping(pod, "spec"), mapping(pod, "status")
    parts.head(w, pod)
    if at(spec, "priority") is not None:
        w.field("Priority", number(spec, "priority"))
    for name, field in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if value := text(spec, field):
            w.field(name, value)
    node = text(spec, "nodeName")
    w.field("Node", f"{node}/{text(status, 'hostIP')}" if node else "<none>")
    if at(status, "startTime") is not None:
        w.field("Start Time", rfc1123(at(status, "startTime")))
    parts.labels(w, pod)
    _phase(w, pod, now)
    _addresses(w, status)
    parts.controlled_by(w, pod)
    if nominated := text(status, "nominatedNodeName"):
        w.field("NominatedNodeName", nominated)
    if at(spec, "resources") is not None:
        w.line("Resources:")
        resources(w, mapping(spec, "resources"), level=1)
    for name, field in (
        ("Init Containers", "initContainers"),
        ("Containers", "containers"),
        ("Ephemeral Containers", "ephemeralContainers"),
    ):
        specs = items(spec, field)
        if specs or field == "containers":
            statuses = items(status, field.removesuffix("s") + "Statuses")
            containers(w, name, specs, statuses, pod)
    _conditions(w, pod)
    volumes(w, items(spec, "volumes"))
    w.field("QoS Class", text(status, "qosClass") or demand.qos_class(pod))
    w.labels("Node-Selectors", mapping(spec, "nodeSelector"))
    placement.tolerations(w, "Tolerations", spec)
    placement.spread(w, spec)
    parts.events_table(w, parts.events_of(pod, lister, any_kind=True), now)


def _phase(w: Writer, pod: Object, now: float) -> None:
    """A pod that is being deleted shows how long it has *overstayed*: its deletionTimestamp lies in the future."""
    if deleting(pod) and at(pod, "status.phase") not in pods.TERMINAL:
        w.field("Status", f"Terminating (lasts {since(at(pod, 'metadata.deletionTimestamp'), now)})")
        w.field("Termination Grace Period", f"{number(pod, 'metadata.deletionGracePeriodSeconds')}s")
    else:
        w.field("Status", text(pod, "status.phase"))
    for field in ("reason", "message"):
        if value := text(pod, f"status.{field}"):
            w.field(field.capitalize(), value)
    profile = at(pod, "spec.securityContext.seccompProfile")
    if profile is not None:
        w.field("SeccompProfile", text(profile, "type"))
        if text(profile, "type") == "Localhost":
            w.field("LocalhostProfile", text(profile, "localhostProfile"))


def _addresses(w: Writer, status: Fields) -> None:
    w.field("IP", text(status, "podIP"))
    addresses = items(status, "podIPs")
    if not addresses:
        w.field("IPs", "<none>")
        return
    w.line("IPs:")
    for address in addresses:
        w.field("IP", text(address, "ip"), level=1)


def _conditions(w: Writer, pod: Object) -> None:
    """Readiness gates and conditions; the blanks behind the cells are kubectl's."""
    gates, conditions = items(pod, "spec.readinessGates"), items(pod, "status.conditions")
    if gates:
        w.line("Readiness Gates:")
        w.row("Type", "Status")
    for gate in gates:
        kind = text(gate, "conditionType")
        w.row(f"{kind} ", text(find(pod, "status.conditions", kind), "status", "<none>") + " ")
    if conditions:
        w.line("Conditions:")
        w.row("Type", "Status")
    for condition in conditions:
        w.row(text(condition, "type") + " ", text(condition, "status") + " ")


def template(w: Writer, template: Fields | None) -> None:
    """(describe.go DescribePodTemplate)"""
    w.line("Pod Template:")
    if template is None:
        w.write("  <unset>")
        return
    w.labels("  Labels", mapping(template, "metadata.labels"))
    if annotations := mapping(template, "metadata.annotations"):
        w.annotations("  Annotations", annotations)
    spec = mapping(template, "spec")
    if account := text(spec, "serviceAccountName"):
        w.field("Service Account", account, level=1)
    if inits := items(spec, "initContainers"):
        containers(w, "Init Containers", inits, [], None, "  ")
    containers(w, "Containers", items(spec, "containers"), [], None, "  ")
    volumes(w, items(spec, "volumes"), "  ")
    placement.spread(w, spec, "  ")
    if priority := text(spec, "priorityClassName"):
        w.field("Priority Class Name", priority, level=1)
    w.labels("  Node-Selectors", mapping(spec, "nodeSelector"))
    placement.tolerations(w, "  Tolerations", spec)
