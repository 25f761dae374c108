"""On which nodes a daemon pod belongs, and what makes its pods stay there.

All functions here are pure. Follows pkg/controller/daemon/daemon_controller.go NodeShouldRunDaemonPod and
pkg/controller/daemon/util/daemonset_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from selfheal import nodeaffinity
from selfheal.admission import TEMPLATE_GENERATION
from selfheal.controllers.revisions import HASH
from selfheal.objects import Object, name, replace
from selfheal.spec import Toleration, pod_spec, taints, untolerated

GENERATION = "pod-template-generation"
"""Label of a pod: the template generation of the DaemonSet when it was made."""

TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
"""What every daemon pod bears, for ever: it runs on cordoned nodes, and no taint of a lost node evicts it."""

ON_HOST_NETWORK = (("node.kubernetes.io/network-unavailable", "NoSchedule"),)


class Fit(NamedTuple):
    """Whether a node gets a daemon pod."""

    run: bool
    """A pod that is not there should be created."""
    stay: bool
    """A pod that is there may remain."""


def fit(owner: Object, node: Object) -> Fit:
    """NodeShouldRunDaemonPod: a taint NoSchedule keeps new pods away, and lets the old one be."""
    spec = pod_spec(owner["spec"]["template"])
    if spec.node_name not in ("", name(node)) or not nodeaffinity.required(spec, node):
        return Fit(False, False)
    marks = taints(node)
    if not marks:
        return Fit(True, True)
    tolerations = (*spec.tolerations, *_tolerations(spec.host_network))
    if untolerated(marks, tolerations, ("NoSchedule", "NoExecute")) is None:
        return Fit(True, True)
    return Fit(False, untolerated(marks, tolerations, ("NoExecute",)) is None)


def _tolerations(host_network: bool) -> Iterable[Toleration]:
    return (Toleration(taint, "Exists", "", effect, None) for taint, effect in _tolerated(host_network))


def _tolerated(host_network: bool) -> tuple[tuple[str, str], ...]:
    return (*TOLERATED, *ON_HOST_NETWORK) if host_network else TOLERATED


def pod_template(owner: Object, digest: str) -> Object:
    """The template with the labels and tolerations of this revision's pods (CreatePodTemplate)."""
    template: Object = owner["spec"]["template"]
    meta, spec = template.get("metadata") or {}, template["spec"]
    generation = (owner["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
    own = {GENERATION: generation, HASH: digest}
    tolerations = list(spec.get("tolerations") or ())
    for taint, effect in _tolerated(bool(spec.get("hostNetwork"))):
        wanted = {"key": taint, "operator": "Exists", "effect": effect}
        tolerations = [t for t in tolerations if (t.get("key"), t.get("effect")) != (taint, effect)] + [wanted]
    return {
        **template,
        "metadata": {**meta, "labels": {**(meta.get("labels") or {}), **own}},
        "spec": {**spec, "tolerations": tolerations},
    }


def on_node(template: Object, node: str) -> Object:
    """The template for a pod that only this node may take (ReplaceDaemonSetPodNodeNameNodeAffinity)."""
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]
    at = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    return replace(template, at, terms)


def target(pod: Object) -> str | None:
    """The node of a daemon pod, also before it is bound (GetTargetNodeName)."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if (field["key"], field["operator"], len(field["values"])) == ("metadata.name", "In", 1):
                return str(field["values"][0])
    return None
