"""What could help a pod that fits nowhere: each filter says of which changes it wants to hear (queueing hints).

Follows EventsToRegister of the plugins in pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal.objects import Object, namespace
from selfheal.scheduler.filters import FILTERS, means, meant, required_terms
from selfheal.scheduler.nodes import NodeInfo, demand
from selfheal.spec import PodSpec, pod_spec

Hint = Callable[[frozenset[str], Object], bool]
"""Given the filters that refused a pod, and the pod: could a change help it?"""


def node_helps(plugins: frozenset[str], pod: Object, before: NodeInfo | None, after: NodeInfo) -> bool:
    """Whether the node, taken alone, would no longer be refused by one of the plugins."""
    return any(_node_helps(plugin, pod, before, after) for plugin in plugins)


def _node_helps(plugin: str, pod: Object, before: NodeInfo | None, after: NodeInfo) -> bool:
    spec = pod_spec(pod)
    domains = _domains(plugin, spec)
    if domains:
        return any(after.labels.get(d) != (before.labels.get(d) if before else None) for d in domains)
    if FILTERS[plugin](pod, spec, after, {after.name: after}) is not None:
        return False
    if before is None:
        return True
    if plugin == "NodeResourcesFit":
        asked = {**demand(spec).requests, "pods": 1}
        return any(after.allocatable.get(r, 0) > before.allocatable.get(r, 0) for r in asked)
    return FILTERS[plugin](pod, spec, before, {before.name: before}) is not None


def pod_gone_helps(gone: Object, plugins: frozenset[str], pod: Object) -> bool:
    """Whether the end of a pod could make room for another (isSchedulableAfterPodChange of each plugin)."""
    if not plugins.isdisjoint(("NodeResourcesFit", "NodePorts")):
        return True
    spec = pod_spec(pod)
    if "PodTopologySpread" in plugins and _spread_with(spec, pod, gone):
        return True
    return "InterPodAffinity" in plugins and (
        any(means(term, pod, gone) for term in required_terms(spec, "podAntiAffinity"))
        or any(means(term, gone, pod) for term in required_terms(pod_spec(gone), "podAntiAffinity"))
    )


def pod_there_helps(there: Object, plugins: frozenset[str], pod: Object) -> bool:
    """Whether a pod that has its node could open a place for another: it is one to be with, or it evens out a skew."""
    spec = pod_spec(pod)
    if "PodTopologySpread" in plugins and _spread_with(spec, pod, there):
        return True
    terms = required_terms(spec, "podAffinity")
    return "InterPodAffinity" in plugins and bool(terms) and all(means(term, pod, there) for term in terms)


def _spread_with(spec: PodSpec, pod: Object, other: Object) -> bool:
    return namespace(pod) == namespace(other) and any(
        meant(constraint, pod, other) for constraint in spec.topology_spread_constraints
    )


def _domains(plugin: str, spec: PodSpec) -> set[str]:
    """The labels of a node that tell the plugin to which rack, zone, … it belongs."""
    if plugin == "PodTopologySpread":
        return {c["topologyKey"] for c in spec.topology_spread_constraints}
    if plugin == "InterPodAffinity":
        return {t["topologyKey"] for which in ("podAffinity", "podAntiAffinity") for t in required_terms(spec, which)}
    return set()


def could_matter(before: NodeInfo, after: NodeInfo) -> bool:
    """Whether more than a heartbeat has changed in a node."""
    return (before.labels, before.taints, before.unschedulable, before.allocatable) != (
        after.labels,
        after.taints,
        after.unschedulable,
        after.allocatable,
    )
