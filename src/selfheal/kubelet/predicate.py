"""Whether a node takes a pod that it was given: the kubelet looks once more.

The scheduler has looked already; this is for pods that came another way, with a ``nodeName`` of their own. A pod
that is refused has failed, and stays as it is until somebody deletes it.

Follows pkg/kubelet/lifecycle/predicate.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal import nodeaffinity, quantities
from selfheal.objects import Object, condition
from selfheal.spec import PodSpec, host_ports, pod_spec, taints, untolerated

Rejection = tuple[str, str]
"""Reason and message."""


def was_scheduled(pod: Object) -> bool:
    """Whether a scheduler gave the pod its node."""
    return condition(pod, "PodScheduled") is not None


def rejection(pod: Object, node: Object, others: Iterable[Object]) -> Rejection | None:
    """Why the node refuses a pod beside the ``others`` that it has; None if it takes it (Admit)."""
    spec, beside = pod_spec(pod), [pod_spec(other) for other in others]
    return _too_much(spec, node, beside) or _misplaced(spec, node) or _ports_taken(spec, beside)


def _too_much(spec: PodSpec, node: Object, others: list[PodSpec]) -> Rejection | None:
    """The first resource of which too little is left (InsufficientResourceError)."""
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    for resource, requested in {"pods": 1, **spec.requests}.items():
        if resource not in allocatable or not requested:
            continue
        capacity = quantities.count(resource, allocatable[resource])
        used = len(others) if resource == "pods" else sum(other.requests.get(resource, 0) for other in others)
        if used + requested > capacity:
            return f"OutOf{resource}", (
                f"Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, "
                f"capacity: {capacity}"
            )
    return None


def _misplaced(spec: PodSpec, node: Object) -> Rejection | None:
    """The pod asks for another node, or does not tolerate this one (PredicateFailureError)."""
    if (spec.node_selector or spec.affinity) and not nodeaffinity.required(spec, node):
        return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    if untolerated(taints(node), spec.tolerations, ("NoExecute",)):
        return "TaintToleration", "Predicate TaintToleration failed: node(s) had untolerated taint(s)"
    return None


def _ports_taken(spec: PodSpec, others: list[PodSpec]) -> Rejection | None:
    """Another pod has a port of the node that this one wants (PredicateFailureError)."""
    wanted = host_ports(spec)
    if wanted and any(wanted & host_ports(other) for other in others):
        text = "node(s) didn't have free ports for the requested pod ports"
        return "NodePorts", f"Predicate NodePorts failed: {text}"
    return None
