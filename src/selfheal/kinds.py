"""The kinds of object that the API server knows, and what it must know about each."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What the store must know about a kind."""

    api_version: str
    plural: str
    namespaced: bool = True
    generation: bool = True
    """Whether its objects have ``metadata.generation``."""

    @property
    def resource(self) -> str:
        """``deployments.apps``, as errors name it."""
        group, slash, _ = self.api_version.rpartition("/")
        return f"{self.plural}.{group}" if slash else self.plural


KINDS: dict[str, Kind] = {
    "Pod": Kind("v1", "pods"),
    "Node": Kind("v1", "nodes", namespaced=False, generation=False),
    "Namespace": Kind("v1", "namespaces", namespaced=False, generation=False),
    "Service": Kind("v1", "services", generation=False),
    "Endpoints": Kind("v1", "endpoints", generation=False),
    "Event": Kind("v1", "events", generation=False),
    "ConfigMap": Kind("v1", "configmaps", generation=False),
    "Secret": Kind("v1", "secrets", generation=False),
    "ServiceAccount": Kind("v1", "serviceaccounts", generation=False),
    "PersistentVolume": Kind("v1", "persistentvolumes", namespaced=False, generation=False),
    "PersistentVolumeClaim": Kind("v1", "persistentvolumeclaims", generation=False),
    "ReplicationController": Kind("v1", "replicationcontrollers"),
    "Deployment": Kind("apps/v1", "deployments"),
    "ReplicaSet": Kind("apps/v1", "replicasets"),
    "StatefulSet": Kind("apps/v1", "statefulsets"),
    "DaemonSet": Kind("apps/v1", "daemonsets"),
    "ControllerRevision": Kind("apps/v1", "controllerrevisions", generation=False),
    "Job": Kind("batch/v1", "jobs"),
    "CronJob": Kind("batch/v1", "cronjobs"),
    "HorizontalPodAutoscaler": Kind("autoscaling/v2", "horizontalpodautoscalers", generation=False),
    "PodDisruptionBudget": Kind("policy/v1", "poddisruptionbudgets"),
    "EndpointSlice": Kind("discovery.k8s.io/v1", "endpointslices"),
    "Lease": Kind("coordination.k8s.io/v1", "leases", generation=False),
    "PriorityClass": Kind("scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
    "NetworkPolicy": Kind("networking.k8s.io/v1", "networkpolicies"),
    "Ingress": Kind("networking.k8s.io/v1", "ingresses"),
    # Kept as they are: nobody in the simulated cluster acts on them.
    "LimitRange": Kind("v1", "limitranges", generation=False),
    "ResourceQuota": Kind("v1", "resourcequotas", generation=False),
    "PodTemplate": Kind("v1", "podtemplates"),
    "IngressClass": Kind("networking.k8s.io/v1", "ingressclasses", namespaced=False),
    "Role": Kind("rbac.authorization.k8s.io/v1", "roles", generation=False),
    "RoleBinding": Kind("rbac.authorization.k8s.io/v1", "rolebindings", generation=False),
    "ClusterRole": Kind("rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False, generation=False),
    "ClusterRoleBinding": Kind(
        "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False, generation=False
    ),
    "StorageClass": Kind("storage.k8s.io/v1", "storageclasses", namespaced=False, generation=False),
    "CSIDriver": Kind("storage.k8s.io/v1", "csidrivers", namespaced=False, generation=False),
    "RuntimeClass": Kind("node.k8s.io/v1", "runtimeclasses", namespaced=False, generation=False),
    "CustomResourceDefinition": Kind("apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
    "APIService": Kind("apiregistration.k8s.io/v1", "apiservices", namespaced=False, generation=False),
    "ValidatingWebhookConfiguration": Kind(
        "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", namespaced=False
    ),
    "MutatingWebhookConfiguration": Kind(
        "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", namespaced=False
    ),
    **{
        kind: Kind(f"{group}/v1", plural, namespaced, generation=False)
        for group, kind, plural, namespaced in (
            ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", False),
            (
                "admissionregistration.k8s.io",
                "MutatingAdmissionPolicyBinding",
                "mutatingadmissionpolicybindings",
                False,
            ),
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False),
            (
                "admissionregistration.k8s.io",
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
                False,
            ),
            ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", False),
            ("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", False),
            ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", False),
            ("networking.k8s.io", "IPAddress", "ipaddresses", False),
            ("networking.k8s.io", "ServiceCIDR", "servicecidrs", False),
            ("resource.k8s.io", "DeviceClass", "deviceclasses", False),
            ("resource.k8s.io", "ResourceClaim", "resourceclaims", True),
            ("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates", True),
            ("resource.k8s.io", "ResourceSlice", "resourceslices", False),
            ("storage.k8s.io", "CSINode", "csinodes", False),
            ("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", True),
            ("storage.k8s.io", "VolumeAttachment", "volumeattachments", False),
            ("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", False),
        )
    },
}
"""Kinds by name. A kind that is not here is taken as namespaced, without a generation."""


def kind_info(kind: str, api_version: str = "v1") -> Kind:
    return KINDS.get(kind) or Kind(api_version, kind.lower() + "s", generation=False)


SHORT_NAMES = {
    "po": "Pod",
    "no": "Node",
    "ns": "Namespace",
    "svc": "Service",
    "ep": "Endpoints",
    "ev": "Event",
    "cm": "ConfigMap",
    "sa": "ServiceAccount",
    "pv": "PersistentVolume",
    "pvc": "PersistentVolumeClaim",
    "rc": "ReplicationController",
    "deploy": "Deployment",
    "rs": "ReplicaSet",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "cj": "CronJob",
    "hpa": "HorizontalPodAutoscaler",
    "pdb": "PodDisruptionBudget",
    "pc": "PriorityClass",
    "netpol": "NetworkPolicy",
    "ing": "Ingress",
    "limits": "LimitRange",
    "quota": "ResourceQuota",
    "sc": "StorageClass",
    "crd": "CustomResourceDefinition",
    "crds": "CustomResourceDefinition",
    "csr": "CertificateSigningRequest",
    "ip": "IPAddress",
    "vac": "VolumeAttributesClass",
}
"""As ``kubectl api-resources`` lists them."""


def kind_named(word: str) -> str | None:
    """The kind that kubectl understands by ``po``, ``pod``, ``pods``, ``Pod`` or ``pods.v1``; None if it is none."""
    lower = word.lower().partition(".")[0]
    if lower in SHORT_NAMES:
        return SHORT_NAMES[lower]
    for kind, info in KINDS.items():
        if lower in (kind.lower(), info.plural):
            return kind
    return None
