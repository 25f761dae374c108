"""What the API serves: one row for each resource. Discovery, OpenAPI and the handlers all read it from here.

pkg/controlplane/instance.go, pkg/registry/*/rest/storage_*.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from selfheal import printers
from selfheal.kinds import KINDS, SHORT_NAMES

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CHANGE = ("get", "patch", "update")
READ = ("get", "list")
ASK = ("create",)
STREAM = ("create", "get")
PROXY = ("create", "delete", "get", "patch", "update")


class Subresource(NamedTuple):
    """Something under an object: ``pods/log``."""

    name: str
    verbs: tuple[str, ...]
    api_version: str = ""
    """Of its kind, where that is not its parent's."""
    kind: str = ""


class Custom(NamedTuple):
    """What a CustomResourceDefinition says of one version of its resource."""

    definition: str
    """Its name."""
    singular: str
    storage: str
    """The apiVersion under which its objects lie in the store."""
    schema: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...]
    status: bool
    """Whether the status is written apart."""
    scale: Mapping[str, str]
    """The paths of the subresource ``scale``."""
    stored: Mapping[str, Any]
    """The schema of the version under which its objects lie in the store."""
    selectable: tuple[str, ...] = ()
    """The paths of fields that a selector may name."""
    webhook: bool = False
    """Whether its definition wants a webhook to be asked what its objects are in another version."""


class Resource(NamedTuple):
    """A resource of a version of a group."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True
    stored: str = ""
    """The kind as which its objects lie in the store; '' if there are none."""
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    custom: Custom | None = None

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    @property
    def named(self) -> str:
        """``deployments.apps``, as errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        return next((s for s in self.subresources if s.name == name), None)


STATUS = Subresource("status", CHANGE)
SCALE = Subresource("scale", CHANGE, "autoscaling/v1", "Scale")

SUBRESOURCES: dict[str, tuple[Subresource, ...]] = {
    "Pod": (
        Subresource("attach", STREAM, "v1", "PodAttachOptions"),
        Subresource("binding", ASK, "v1", "Binding"),
        Subresource("ephemeralcontainers", CHANGE),
        Subresource("eviction", ASK, "policy/v1", "Eviction"),
        Subresource("exec", STREAM, "v1", "PodExecOptions"),
        Subresource("log", ("get",)),
        Subresource("portforward", STREAM, "v1", "PodPortForwardOptions"),
        Subresource("proxy", PROXY, "v1", "PodProxyOptions"),
        Subresource("resize", CHANGE),
        STATUS,
    ),
    "Service": (Subresource("proxy", PROXY, "v1", "ServiceProxyOptions"), STATUS),
    "Node": (Subresource("proxy", PROXY, "v1", "NodeProxyOptions"), STATUS),
    "ServiceAccount": (Subresource("token", ASK, "authentication.k8s.io/v1", "TokenRequest"),),
    "Namespace": (Subresource("finalize", ("update",)), STATUS),
    **dict.fromkeys(("ReplicationController", "Deployment", "ReplicaSet", "StatefulSet"), (SCALE, STATUS)),
    **dict.fromkeys(
        (
            "PersistentVolume",
            "PersistentVolumeClaim",
            "DaemonSet",
            "Job",
            "CronJob",
            "HorizontalPodAutoscaler",
            "PodDisruptionBudget",
            "Ingress",
            "ResourceQuota",
            "ResourceClaim",
            "CustomResourceDefinition",
            "APIService",
            "CertificateSigningRequest",
            "FlowSchema",
            "PriorityLevelConfiguration",
            "ServiceCIDR",
            "ValidatingAdmissionPolicy",
            "VolumeAttachment",
        ),
        (STATUS,),
    ),
}
"""By the parent's kind."""


def order(resource: Resource) -> tuple[str, tuple[bool, int, int, int, str], str]:
    """Where discovery names a resource: by group, the newest stable version first (version/helpers.go)."""
    found = VERSION.fullmatch(resource.version)
    rank = (True, 0, 0, 0, resource.version)
    if found is not None:
        stability = {"": 0, "beta": 1, "alpha": 2}[found[2] or ""]
        rank = (False, stability, -int(found[1]), -int(found[3] or 0), "")
    return resource.group, rank, resource.plural


VERSION = re.compile(r"v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?")


def _stored() -> list[Resource]:
    """The resources whose objects lie in the store under their own kind."""
    shorts: dict[str, tuple[str, ...]] = {}
    for short, kind in SHORT_NAMES.items():
        shorts[kind] = (*shorts.get(kind, ()), short)
    return [
        Resource(
            info.api_version,
            info.plural,
            kind,
            info.namespaced,
            kind,
            tuple(v for v in ALL_VERBS if v != "deletecollection") if kind == "Namespace" else ALL_VERBS,
            SUBRESOURCES.get(kind, ()),
            shorts.get(kind, ()),
            ("all",) if kind in printers.ALL else (),
        )
        for kind, info in KINDS.items()
    ]


RESOURCES: tuple[Resource, ...] = tuple(
    sorted(
        [
            *_stored(),
            Resource("events.k8s.io/v1", "events", "Event", True, "Event", short_names=("ev",)),
            Resource(
                "autoscaling/v1",
                "horizontalpodautoscalers",
                "HorizontalPodAutoscaler",
                stored="HorizontalPodAutoscaler",
                subresources=(STATUS,),
                short_names=("hpa",),
                categories=("all",),
            ),
            Resource("v1", "bindings", "Binding", verbs=ASK),
            Resource("v1", "componentstatuses", "ComponentStatus", False, "ComponentStatus", READ, short_names=("cs",)),
            Resource("authentication.k8s.io/v1", "tokenreviews", "TokenReview", False, verbs=ASK),
            Resource("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", False, verbs=ASK),
            Resource("authorization.k8s.io/v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=ASK),
            Resource(
                "authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=ASK
            ),
            Resource("authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, verbs=ASK),
            Resource("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", False, verbs=ASK),
            Resource("metrics.k8s.io/v1beta1", "nodes", "NodeMetrics", False, verbs=READ),
            Resource("metrics.k8s.io/v1beta1", "pods", "PodMetrics", verbs=READ),
        ],
        key=order,
    )
)

BY_PATH: dict[tuple[str, str], Resource] = {(r.api_version, r.plural): r for r in RESOURCES}


def versions(resources: Iterable[Resource] = RESOURCES) -> dict[str, list[Resource]]:
    """The resources of each version of each group, in the order of discovery."""
    found: dict[str, list[Resource]] = {}
    for resource in resources:
        found.setdefault(resource.api_version, []).append(resource)
    return found
