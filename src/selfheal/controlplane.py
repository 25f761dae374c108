"""What an API server puts into its storage when it first starts: the namespaces that all clusters have, and itself.

A recorder comes later, so none of it is in a timeline.
"""

from __future__ import annotations

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


def furnish(store: Store) -> None:
    """Create what is there before anybody asks."""
    for called in NAMESPACES:
        meta = {"name": called, "labels": {"kubernetes.io/metadata.name": called}}
        store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    store.create(KUBERNETES)
