"""Which of the nodes that could take a pod is the best.

Each plugin gives every node 0 to 100 points; the weighted sum decides, chance among equals. What a
reader sees of it: pods go where there is most room, and replicas keep apart.
Follows pkg/scheduler/framework/plugins; ImageLocality is left out (images have no size here).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal import nodeaffinity
from selfheal.objects import Object, controller_of, labels, matches_map
from selfheal.scheduler.filters import HOSTNAME, counted, matching, means, required_terms
from selfheal.scheduler.nodes import Demand, NodeInfo, demand
from selfheal.spec import PodSpec, pod_spec

MOST = 100
"""Points that a plugin can give (MaxNodeScore)."""

ZONE = "topology.kubernetes.io/zone"

WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesFit": 1,
    "NodeResourcesBalancedAllocation": 1,
}
"""pkg/scheduler/apis/config/v1/default_plugins.go"""

SPREAD: tuple[Mapping[str, Any], ...] = ({"topologyKey": HOSTNAME, "maxSkew": 3}, {"topologyKey": ZONE, "maxSkew": 5})
"""For pods of a controller or Service that say nothing themselves (plugins/podtopologyspread/plugin.go)."""


def scores(
    pod: Object, nodes: Sequence[NodeInfo], everywhere: Sequence[NodeInfo], services: Sequence[Object] = ()
) -> list[int]:
    """The points of each of ``nodes``, which could take the pod.

    ``everywhere`` are all nodes, ``services`` those of the pod's namespace.
    """
    spec = pod_spec(pod)
    asked = demand(spec)
    total = [0] * len(nodes)
    for plugin, points in (
        ("TaintToleration", _taints(spec, nodes)),
        ("NodeAffinity", _affinity(spec, nodes)),
        ("PodTopologySpread", _spread(pod, spec, nodes, everywhere, services)),
        ("InterPodAffinity", _near(pod, spec, nodes, everywhere)),
        ("NodeResourcesFit", [_least_allocated(asked, node) for node in nodes]),
        ("NodeResourcesBalancedAllocation", [_balanced(asked.requests, node) for node in nodes]),
    ):
        for i, value in enumerate(points):
            total[i] += WEIGHTS[plugin] * value
    return total


def _taints(spec: PodSpec, nodes: Sequence[NodeInfo]) -> list[int]:
    """plugins/tainttoleration: fewer PreferNoSchedule taints that the pod does not tolerate."""
    against = [
        sum(
            1
            for t in node.taints
            if t.effect == "PreferNoSchedule" and not any(o.tolerates(t) for o in spec.tolerations)
        )
        for node in nodes
    ]
    most = max(against)
    return [MOST - MOST * n // most if most else MOST for n in against]


def _affinity(spec: PodSpec, nodes: Sequence[NodeInfo]) -> list[int]:
    """plugins/nodeaffinity: the weights of the preferred terms that match."""
    preferred = (spec.affinity.get("nodeAffinity") or {}).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    if not preferred:
        return [0] * len(nodes)
    sums = [sum(p["weight"] for p in preferred if nodeaffinity.term(p["preference"], node.node)) for node in nodes]
    most = max(sums)
    return [MOST * n // most if most else 0 for n in sums]


def _spread(
    pod: Object,
    spec: PodSpec,
    nodes: Sequence[NodeInfo],
    everywhere: Sequence[NodeInfo],
    services: Sequence[Object],
) -> list[int]:
    """plugins/podtopologyspread/scoring.go: fewer pods of the same kind in the node's domain.

    To a domain belong also those of its nodes that cannot take the pod.
    """
    owner = controller_of(pod)
    constraints = _constraints(pod, spec, owner, services)
    own = bool(spec.topology_spread_constraints)
    considered = [not own or all(c["topologyKey"] in n.labels for c in constraints) for n in nodes]
    if not constraints:
        return [0] * len(nodes)
    sums = [0.0] * len(nodes)
    labelled = {c["topologyKey"] for c in constraints if any(c["topologyKey"] in node.labels for node in nodes)}
    for constraint in constraints:
        domain = constraint["topologyKey"]
        if domain == HOSTNAME:
            counts, size = [_siblings(pod, constraint, owner, node) for node in nodes], sum(considered)
        else:
            there = {node.labels.get(domain, ""): 0 for node, ok in zip(nodes, considered, strict=True) if ok}
            for node in everywhere if domain in labelled else ():
                if node.labels.get(domain, "") in there and _counted(constraint, constraints, spec, node, own=own):
                    there[node.labels.get(domain, "")] += _siblings(pod, constraint, owner, node)
            counts, size = [there.get(node.labels.get(domain, ""), 0) for node in nodes], len(there)
        weight = math.log(size + 2)
        for i, node in enumerate(nodes):
            if domain in node.labels:
                sums[i] += counts[i] * weight + constraint["maxSkew"] - 1
    rounded = [math.floor(s + 0.5) for s in sums]
    among = [r for r, ok in zip(rounded, considered, strict=True) if ok]
    most, least = max(among, default=0), min(among, default=0)
    return [
        0 if not ok else MOST if most == 0 else MOST * (most + least - r) // most
        for r, ok in zip(rounded, considered, strict=True)
    ]


def _constraints(
    pod: Object, spec: PodSpec, owner: Mapping[str, Any] | None, services: Sequence[Object]
) -> Sequence[Mapping[str, Any]]:
    """The pod's own wishes, or what is usual for those of a controller or a Service (buildDefaultConstraints)."""
    if spec.topology_spread_constraints:
        return [c for c in spec.topology_spread_constraints if c.get("whenUnsatisfiable") == "ScheduleAnyway"]
    if owner is not None and owner["kind"] in ("ReplicaSet", "ReplicationController", "StatefulSet"):
        return SPREAD
    selectors = [s["spec"].get("selector") for s in services]
    meant = {k: v for selector in selectors if matches_map(selector, labels(pod)) for k, v in selector.items()}
    return [{**c, "labelSelector": {"matchLabels": meant}} for c in SPREAD] if meant else ()


def _counted(
    constraint: Mapping[str, Any],
    constraints: Sequence[Mapping[str, Any]],
    spec: PodSpec,
    node: NodeInfo,
    *,
    own: bool,
) -> bool:
    """Whether the pods of a node count (PreScore processAllNode); ``own``: the constraints are the pod's own."""
    if own and any(c["topologyKey"] not in node.labels for c in constraints):
        return False
    return counted(constraint, spec, node)


def _siblings(pod: Object, constraint: Mapping[str, Any], owner: Mapping[str, Any] | None, node: NodeInfo) -> int:
    """Pods of the same kind on a node: those that the constraint selects, or else those of the same controller."""
    if constraint not in SPREAD:
        return matching(pod, constraint, node)
    return node.replicas.get(str(owner["uid"]), 0) if owner else 0


def _near(pod: Object, spec: PodSpec, nodes: Sequence[NodeInfo], everywhere: Sequence[NodeInfo]) -> list[int]:
    """plugins/interpodaffinity/scoring.go: the weights of the preferred terms, the pod's own and the others'.

    A required affinity of a pod that runs counts 1 for those it wants near it.
    """
    own = _preferred(spec)
    points: dict[tuple[str, str], int] = {}

    def count(term: Mapping[str, Any], whose: Object, other: Object, there: NodeInfo, weight: int) -> None:
        label = term["topologyKey"]
        if label in there.labels and means(term, whose, other):
            domain = label, there.labels[label]
            points[domain] = points.get(domain, 0) + weight

    for node in everywhere:
        for guest in (node.pods if own else node.choosy).values():
            for weight, term in own:
                count(term, pod, guest.pod, node, weight)
            theirs = pod_spec(guest.pod)
            for term in required_terms(theirs, "podAffinity"):
                count(term, guest.pod, pod, node, 1)
            for weight, term in _preferred(theirs):
                count(term, guest.pod, pod, node, weight)
    if not points:
        return [0] * len(nodes)
    sums = [sum(n for (label, value), n in points.items() if node.labels.get(label) == value) for node in nodes]
    least, most = min(sums), max(sums)
    return [MOST * (n - least) // (most - least) if most > least else 0 for n in sums]


def _preferred(spec: PodSpec) -> list[tuple[int, Mapping[str, Any]]]:
    """The pod's preferred affinity terms with their weights; those it wants to be away from weigh less than nothing."""
    return [
        (sign * preferred["weight"], preferred["podAffinityTerm"])
        for which, sign in (("podAffinity", 1), ("podAntiAffinity", -1))
        for preferred in (spec.affinity.get(which) or {}).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    ]


def _least_allocated(asked: Demand, node: NodeInfo) -> int:
    """plugins/noderesources/least_allocated.go: the share of CPU and memory that would be left."""
    total = count = 0
    for resource, used in (("cpu", node.cpu + asked.cpu), ("memory", node.memory + asked.memory)):
        capacity = node.allocatable.get(resource, 0)
        if capacity:
            total += (capacity - used) * MOST // capacity if used <= capacity else 0
            count += 1
    return total // count if count else 0


def _balanced(asked: Mapping[str, int], node: NodeInfo) -> int:
    """plugins/noderesources/balanced_allocation.go: CPU and memory used in like measure (without requests: skipped)."""
    if not (asked.get("cpu") or asked.get("memory")):
        return 0
    shares = []
    for resource in ("cpu", "memory"):
        capacity = node.allocatable.get(resource, 0)
        if capacity:
            shares.append(min(1.0, (node.requested.get(resource, 0) + asked.get(resource, 0)) / capacity))
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * MOST)
