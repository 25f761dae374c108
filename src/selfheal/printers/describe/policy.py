"""What bounds or steers workloads: PodDisruptionBudgets, PriorityClasses and HorizontalPodAutoscalers."""

from __future__ import annotations

from selfheal.objects import Object
from selfheal.printers import amounts, selectors
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123
from selfheal.printers.fields import Fields, at, items, mapping, number, text, true
from selfheal.printers.workloads import METRIC_SOURCES


def disruption_budget(w: Writer, pdb: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describePodDisruptionBudgetV1)"""
    parts.head(w, pdb)
    if at(pdb, "spec.minAvailable") is not None:
        w.field("Min available", text(pdb, "spec.minAvailable"))
    elif at(pdb, "spec.maxUnavailable") is not None:
        w.field("Max unavailable", text(pdb, "spec.maxUnavailable"))
    selector = at(pdb, "spec.selector")
    w.field("Selector", "<unset>" if selector is None else selectors.selector_or_none(selector))
    w.line("Status:")
    for name, field in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        w.field(name, number(pdb, f"status.{field}"), level=2)
    parts.events_table(w, parts.events_of(pdb, lister), now)


def priority_class(w: Writer, pc: Object, lister: Lister, now: float) -> None:
    """(describe.go describePriorityClass)"""
    w.field("Name", text(pc, "metadata.name"))
    w.field("Value", number(pc, "value"))
    w.field("GlobalDefault", true(pc, "globalDefault"))
    w.field("PreemptionPolicy", text(pc, "preemptionPolicy"))
    w.field("Description", text(pc, "description"))
    w.field("Annotations", selectors.labels(mapping(pc, "metadata.annotations")))
    parts.events_table(w, parts.events_of(pc, lister), now)


def autoscaler(w: Writer, hpa: Object, lister: Lister, now: float) -> None:
    """(describe.go describeHorizontalPodAutoscalerV2)"""
    parts.head(w, hpa)
    parts.labels(w, hpa)
    w.field("CreationTimestamp", rfc1123(at(hpa, "metadata.creationTimestamp")))
    target = text(hpa, "spec.scaleTargetRef.kind")
    w.field("Reference", f"{target}/{text(hpa, 'spec.scaleTargetRef.name')}")
    w.field("Metrics", "( current / target )")
    current = items(hpa, "status.currentMetrics")
    for i, metric in enumerate(items(hpa, "spec.metrics")):
        w.line(_metric(metric, current[i] if i < len(current) else None), level=1)
    w.field("Min replicas", text(hpa, "spec.minReplicas", "<unset>"))
    w.field("Max replicas", number(hpa, "spec.maxReplicas"))
    if at(hpa, "spec.behavior") is not None:
        w.line("Behavior:")
        for title, field in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
            _direction(w, title, at(hpa, f"spec.behavior.{field}"))
    replicas, desired = number(hpa, "status.currentReplicas"), number(hpa, "status.desiredReplicas")
    w.field(f"{target} pods", f"{replicas} current / {desired} desired")
    conditions = items(hpa, "status.conditions")
    if conditions:
        w.line("Conditions:")
        w.header("Type", "Status", "Reason", "Message")
    for condition in conditions:
        w.row(*(text(condition, field) for field in ("type", "status", "reason", "message")))
    parts.events_table(w, parts.events_of(hpa, lister), now)


def _metric(metric: Fields, status: Fields | None) -> str:
    """``resource cpu on pods  (as a percentage of request):  12% (60m) / 80%``"""
    kind = text(metric, "type")
    source = METRIC_SOURCES.get(kind)
    if source is None:
        return f'<unknown metric type "{kind}">'
    wanted, now = at(metric, f"{source}.target"), at(status, f"{source}.current")
    average = at(wanted, "averageValue") is not None
    name = text(metric, f"{source}.name") or text(metric, f"{source}.metric.name")
    if kind in ("Resource", "ContainerResource"):
        of = f' of container "{text(metric, f"{source}.container")}"' if kind == "ContainerResource" else ""
        title = f"resource {name}{of} on pods"
        if not average:
            used, percent = at(now, "averageUtilization"), at(wanted, "averageUtilization")
            shown = "<unknown>" if used is None else f"{used}% ({amounts.at(now, 'averageValue', '0')})"
            target = "<auto>" if percent is None else f"{percent}%"
            return f"{title}  (as a percentage of request):\t{shown} / {target}"
        return f"{title}:\t{amounts.at(now, 'averageValue')} / {amounts.at(wanted, 'averageValue')}"
    field, title = ("averageValue", "(target average value)") if average else ("value", "(target value)")
    if kind == "Pods":
        field, title = "averageValue", "on pods"
    if kind == "Object":
        described = f"{text(metric, 'object.describedObject.kind')}/{text(metric, 'object.describedObject.name')}"
        title = f"on {described} {title}"
    return f'"{name}" {title}:\t{amounts.at(now, field)} / {amounts.at(wanted, field)}'


def _direction(w: Writer, title: str, rules: Fields | None) -> None:
    """(describe.go printDirectionBehavior)"""
    if rules is None:
        return
    w.line(f"{title}:", level=1)
    if at(rules, "stabilizationWindowSeconds") is not None:
        w.line(f"Stabilization Window: {number(rules, 'stabilizationWindowSeconds')} seconds", level=2)
    policies = items(rules, "policies")
    if policies:
        w.line(f"Select Policy: {text(rules, 'selectPolicy', 'Max')}", level=2)
        w.line("Policies:", level=2)
    for policy in policies:
        value, period = number(policy, "value"), number(policy, "periodSeconds")
        w.line(f"- Type: {text(policy, 'type')}\tValue: {value}\tPeriod: {period} seconds", level=3)
