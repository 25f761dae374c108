"""On which nodes a pod may run at all.

Each filter looks at one node and says why not; a node is out at its first refusal. The texts are
those of the event ``FailedScheduling``. Follows pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal import nodeaffinity
from selfheal.objects import Object, labels, matches, namespace, terminating
from selfheal.scheduler.nodes import NodeInfo, demand
from selfheal.spec import PodSpec, Taint, pod_spec, untolerated

HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node cannot take a pod."""

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool = True
    """Whether it could if pods were removed from it (``Unschedulable``, else ``UnschedulableAndUnresolvable``)."""


ELSEWHERE = Refusal("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",), resolvable=False)
"""Of each node that the pod's affinity does not name."""

Nodes = Mapping[str, NodeInfo]
Filter = Callable[[Object, PodSpec, NodeInfo, Nodes], Refusal | None]


def refusals(pod: Object, nodes: Nodes, *, only: str | None = None) -> dict[str, Refusal]:
    """By name, the nodes that cannot take the pod, each with its first refusal; ``only`` one of them is looked at."""
    spec = pod_spec(pod)
    checks = [check for check in FILTERS.values() if _concerned(check, spec, nodes)]
    named = _named_nodes(spec)
    found = {}
    for called, node in nodes.items() if only is None else ((only, nodes[only]),):
        if named is not None and called not in named:
            found[called] = ELSEWHERE
            continue
        for check in checks:
            refused = check(pod, spec, node, nodes)
            if refused is not None:
                found[called] = refused
                break
    return found


def histogram(reasons: Sequence[str]) -> str:
    """``2 Insufficient cpu, 1 …``, sorted as text."""
    return ", ".join(sorted(f"{reasons.count(reason)} {reason}" for reason in set(reasons)))


def _named_nodes(spec: PodSpec) -> set[str] | None:
    """The only nodes that a pod's affinity names, as a daemon pod's does; the others are not even looked at.

    plugins/nodeaffinity/node_affinity.go PreFilter, schedule_one.go findNodesThatFitPod
    """
    required = (spec.affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or ()
    found: set[str] = set()
    for term in terms:
        named = [
            set(f.get("values") or ())
            for f in term.get("matchFields") or ()
            if (f["key"], f["operator"]) == ("metadata.name", "In")
        ]
        if not named:
            return None
        found |= set.intersection(*named)
    return found or None


def _concerned(check: Filter, spec: PodSpec, nodes: Nodes) -> bool:
    """Whether a filter can say anything about the pod at all (PreFilter)."""
    if check is node_unschedulable:
        return any(node.unschedulable for node in nodes.values())
    if check is taint_toleration:
        return any(node.taints for node in nodes.values())
    if check is node_affinity:
        return bool(spec.node_selector or spec.affinity)
    if check is node_ports:
        return bool(demand(spec).ports)
    if check is pod_topology_spread:
        return bool(spec.topology_spread_constraints)
    if check is inter_pod_affinity:
        return bool(spec.affinity) or any(node.choosy for node in nodes.values())
    return True


def node_unschedulable(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:  # noqa: ARG001
    """plugins/nodeunschedulable/node_unschedulable.go Filter"""
    cordon = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
    if node.unschedulable and not any(t.tolerates(cordon) for t in spec.tolerations):
        return Refusal("NodeUnschedulable", ("node(s) were unschedulable",), resolvable=False)
    return None


def taint_toleration(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:  # noqa: ARG001
    """plugins/tainttoleration/taint_toleration.go Filter"""
    if node.taints and untolerated(node.taints, spec.tolerations, ("NoSchedule", "NoExecute")):
        return Refusal("TaintToleration", ("node(s) had untolerated taint(s)",), resolvable=False)
    return None


def node_affinity(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:  # noqa: ARG001
    """plugins/nodeaffinity/node_affinity.go Filter: the node selector and the required node affinity."""
    if nodeaffinity.required(spec, node.node):
        return None
    return Refusal("NodeAffinity", ("node(s) didn't match Pod's node affinity/selector",), resolvable=False)


def node_ports(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:  # noqa: ARG001
    """plugins/nodeports/node_ports.go Filter"""
    wanted = demand(spec).ports
    if wanted and not wanted.isdisjoint(node.used_ports()):
        return Refusal("NodePorts", ("node(s) didn't have free ports for the requested pod ports",))
    return None


def node_resources_fit(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:  # noqa: ARG001
    """plugins/noderesources/fit.go fitsRequest: what is asked for and what is left."""
    reasons = []
    if len(node.pods) + 1 > node.allocatable.get("pods", 0):
        reasons.append("Too many pods")
    hopeless = False
    for resource, amount in demand(spec).requests.items():
        allocatable = node.allocatable.get(resource, 0)
        if amount > allocatable - node.requested.get(resource, 0):
            reasons.append(f"Insufficient {resource}")
            hopeless = hopeless or amount > allocatable
    return Refusal("NodeResourcesFit", tuple(reasons), resolvable=not hopeless) if reasons else None


def pod_topology_spread(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:
    """plugins/podtopologyspread/filtering.go Filter: constraints that say DoNotSchedule."""
    hard = [c for c in spec.topology_spread_constraints if c.get("whenUnsatisfiable") != "ScheduleAnyway"]
    for constraint in hard:
        domain = constraint["topologyKey"]
        if domain not in node.labels:
            reason = "node(s) didn't match pod topology spread constraints (missing required label)"
            return Refusal("PodTopologySpread", (reason,), resolvable=False)
        counts: dict[str, int] = {}
        for other in nodes.values():
            if all(c["topologyKey"] in other.labels for c in hard) and counted(constraint, spec, other):
                here = counts.setdefault(other.labels[domain], 0)
                counts[other.labels[domain]] = here + matching(pod, constraint, other)
        fewest = min(counts.values(), default=0)
        if len(counts) < constraint.get("minDomains", 1):
            fewest = 0
        own = 1 if meant(constraint, pod, pod) else 0
        if counts.get(node.labels[domain], 0) + own - fewest > constraint["maxSkew"]:
            return Refusal("PodTopologySpread", ("node(s) didn't match pod topology spread constraints",))
    return None


def counted(constraint: Mapping[str, Any], spec: PodSpec, node: NodeInfo) -> bool:
    """Whether a node is one of those that pods are spread over (matchNodeInclusionPolicies).

    By default nodes count that the pod's node selector allows, tainted or not.
    """
    honored = constraint.get("nodeAffinityPolicy", "Honor") == "Honor"
    if honored and (spec.node_selector or spec.affinity) and not nodeaffinity.required(spec, node.node):
        return False
    honored = constraint.get("nodeTaintsPolicy", "Ignore") == "Honor"
    return not (honored and untolerated(node.taints, spec.tolerations, ("NoSchedule", "NoExecute")))


def matching(pod: Object, constraint: Mapping[str, Any], node: NodeInfo) -> int:
    """Pods on a node, in the pod's namespace and not being deleted, that a constraint of the pod selects."""
    space = namespace(pod)
    return sum(
        1
        for guest in node.pods.values()
        if namespace(guest.pod) == space and not terminating(guest.pod) and meant(constraint, pod, guest.pod)
    )


def meant(term: Mapping[str, Any], whose: Object, other: Object) -> bool:
    """Whether the selector of a constraint or an affinity term of ``whose`` matches the labels of ``other``.

    ``matchLabelKeys`` and ``mismatchLabelKeys`` name labels of which ``other`` must have the same value as
    ``whose``, or another (the API server makes expressions of them: pkg/registry/core/pod/strategy.go
    applyLabelKeysToLabelSelector).
    """
    there, own = labels(other), labels(whose)
    if not matches(term.get("labelSelector"), there):
        return False
    if any(k in own and there.get(k) != own[k] for k in term.get("matchLabelKeys") or ()):
        return False
    return all(k not in own or there.get(k) != own[k] for k in term.get("mismatchLabelKeys") or ())


def inter_pod_affinity(pod: Object, spec: PodSpec, node: NodeInfo, nodes: Nodes) -> Refusal | None:
    """plugins/interpodaffinity/filtering.go Filter: the pod's own affinity, and that of the pods there."""
    if not _together(pod, required_terms(spec, "podAffinity"), node, nodes):
        return Refusal("InterPodAffinity", ("node(s) didn't match pod affinity rules",), resolvable=False)
    for term in required_terms(spec, "podAntiAffinity"):
        for other_node in domain_of(term, node, nodes.values()):
            if any(means(term, pod, guest.pod) for guest in other_node.pods.values()):
                return Refusal("InterPodAffinity", ("node(s) didn't match pod anti-affinity rules",))
    for other_node in nodes.values():
        for guest in other_node.choosy.values():
            for term in required_terms(pod_spec(guest.pod), "podAntiAffinity"):
                if means(term, guest.pod, pod) and other_node in domain_of(term, node, nodes.values()):
                    reason = "node(s) didn't satisfy existing pods anti-affinity rules"
                    return Refusal("InterPodAffinity", (reason,))
    return None


def _together(pod: Object, terms: Sequence[Mapping[str, Any]], node: NodeInfo, nodes: Nodes) -> bool:
    """Whether the pods that a pod wants to be with are near the node (satisfyPodAffinity).

    Only such pods count that all its terms are about; each term then asks for one of them in the node's domain.
    """
    if any(term["topologyKey"] not in node.labels for term in terms):
        return False
    friends = {
        called: other
        for called, other in (nodes.items() if terms else ())
        if any(all(means(t, pod, guest.pod) for t in terms) for guest in other.pods.values())
    }
    if all(domain_of(term, node, friends.values()) for term in terms):
        return True
    # The first of a group that wants to be together may go anywhere.
    located = any(term["topologyKey"] in other.labels for other in friends.values() for term in terms)
    return not located and all(means(term, pod, pod) for term in terms)


def required_terms(spec: PodSpec, which: str) -> tuple[Mapping[str, Any], ...]:
    if not spec.affinity:
        return ()
    return tuple((spec.affinity.get(which) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def domain_of(term: Mapping[str, Any], node: NodeInfo, nodes: Iterable[NodeInfo]) -> list[NodeInfo]:
    """Those of ``nodes`` that are of the same rack, zone, … as ``node``; none if it lacks the label."""
    label = term["topologyKey"]
    if label not in node.labels:
        return []
    return [n for n in nodes if n.labels.get(label) == node.labels[label]]


def means(term: Mapping[str, Any], whose: Object, other: Object) -> bool:
    """Whether an affinity term of ``whose`` is about ``other``: its namespace and its labels (AffinityTerm.Matches)."""
    spaces, selector = term.get("namespaces") or (), term.get("namespaceSelector")
    if selector is not None:
        # Of the labels of a namespace only the one that all have is known here.
        there = namespace(other) in spaces or matches(selector, {"kubernetes.io/metadata.name": namespace(other)})
    else:
        there = namespace(other) in (spaces or (namespace(whose),))
    return there and meant(term, whose, other)


FILTERS: dict[str, Filter] = {
    "NodeUnschedulable": node_unschedulable,
    "TaintToleration": taint_toleration,
    "NodeAffinity": node_affinity,
    "NodePorts": node_ports,
    "NodeResourcesFit": node_resources_fit,
    "PodTopologySpread": pod_topology_spread,
    "InterPodAffinity": inter_pod_affinity,
}
"""In the order of pkg/scheduler/apis/config/v1/default_plugins.go."""
