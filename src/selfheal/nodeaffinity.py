"""Which nodes a pod wants: its node selector and its node affinity.

Follows staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.objects import Object, labels, matches, name
from selfheal.spec import PodSpec


def required(spec: PodSpec, node: Object) -> bool:
    """Whether a node has all that the pod insists on (GetRequiredNodeAffinity)."""
    here = labels(node)
    if any(here.get(k) != v for k, v in spec.node_selector.items()):
        return False
    wanted = (spec.affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return wanted is None or any(term(t, node) for t in wanted.get("nodeSelectorTerms") or ())


def term(wanted: Mapping[str, Any], node: Object) -> bool:
    """Whether a nodeSelectorTerm matches; an empty one matches nothing."""
    expressions, fields = wanted.get("matchExpressions") or (), wanted.get("matchFields") or ()
    if not expressions and not fields:
        return False
    here = labels(node)
    return all(_expression(e, here) for e in expressions) and all(
        _expression(e, {"metadata.name": name(node)}) for e in fields
    )


def _expression(expression: Mapping[str, Any], on: Mapping[str, str]) -> bool:
    operator = expression["operator"]
    if operator not in ("Gt", "Lt"):
        return matches({"matchExpressions": [expression]}, on)
    try:
        value, bound = int(on[expression["key"]]), int(expression["values"][0])
    except (KeyError, ValueError):
        return False
    return value > bound if operator == "Gt" else value < bound
