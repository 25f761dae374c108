"""What an API server puts into its storage when it first starts.

The namespaces and priorities that all clusters have, and itself.

A recorder comes later, so none of it is in a timeline; nor are the addresses of the API server (:func:`publish`).
"""

from __future__ import annotations

from selfheal.manifests import priorities
from selfheal.manifests.defaults import PREEMPTS
from selfheal.objects import Object
from selfheal.store import Store

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""pkg/controlplane/controller/systemnamespaces/system_namespaces_controller.go, and ``default``"""

KUBERNETES: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
    },
}
"""The API server as pods address it (pkg/controlplane/controller/kubernetesservice/controller.go)."""


PRIORITIES = {
    "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
    "system-cluster-critical": (
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
    ),
}
"""pkg/apis/scheduling/v1/helpers.go, pkg/registry/scheduling/rest/storage_scheduling.go"""


def furnish(store: Store) -> None:
    """Create what is there before anybody asks."""
    for called in NAMESPACES:
        meta = {"name": called, "labels": {"kubernetes.io/metadata.name": called}}
        store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    for called, why in PRIORITIES.items():
        fixed = {"value": priorities.SYSTEM[called], "description": why, "preemptionPolicy": PREEMPTS}
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
        store.create({**kind, "metadata": {"name": called}, **fixed})
    store.create(KUBERNETES)


ADDRESS = "10.88.0.254"
"""Where the machine of the control plane stands in the cluster's network."""


def publish(store: Store) -> None:
    """Make known where the API server listens: it does so when it begins to serve clients outside.

    pkg/controlplane/reconcilers/endpointsadapter.go
    """
    if store.get("Endpoints", "default", "kubernetes") is not None:
        return
    port = {"name": "https", "port": 6443, "protocol": "TCP"}
    meta = {"name": "kubernetes", "namespace": "default"}
    skip = {**meta, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}
    named = {**meta, "labels": {"kubernetes.io/service-name": "kubernetes"}}
    subset = {"addresses": [{"ip": ADDRESS}], "ports": [port]}
    store.create({"apiVersion": "v1", "kind": "Endpoints", "metadata": skip, "subsets": [subset]})
    store.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": named,
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
            "ports": [port],
        }
    )
