"""What the API server adds to a new object before it stores it.

Admission plugins and the ``PrepareForCreate`` of each kind: a pod gets its first status and the
tolerations that let it stay for five minutes on a node that is gone; a Service its address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal.admission import limitranger, priority, runtimeclass, serviceaccount
from selfheal.chance import Chance
from selfheal.errors import FieldError, Invalid
from selfheal.manifests import pod_only
from selfheal.objects import Object, key, labels, replace

Lister = Callable[..., list[Object]]
"""The objects of a kind, and if one is named, of a namespace."""

LIMITED = ("Pod", "PersistentVolumeClaim")
"""Kinds that LimitRanges speak of."""

TOLERATION_SECONDS = 300
"""plugin/pkg/admission/defaulttolerationseconds"""

SERVICE_NETWORK = "10.96."
"""The first half of every clusterIP (10.96.0.0/16); 10.96.0.1 is the API server's own."""

NODE_PORTS = range(30000, 32768)

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""Annotation of a DaemonSet: how often its template has changed, plus 1."""


class Admission:
    """The last step before a new object is stored. ``existing(kind, namespace)`` lists what is there."""

    def __init__(self, chance: Chance, existing: Lister) -> None:
        self._chance = chance
        self._existing = existing
        self._specs: dict[tuple[int, bool, int], tuple[Object, Any, Object]] = {}

    def prepare(self, obj: Object) -> Object:
        """The object as it will be stored; what a client says of its status is ignored, as for every kind but nodes."""
        kind = obj["kind"]
        ranges = self._existing("LimitRange", obj["metadata"]["namespace"]) if kind in LIMITED else []
        if kind == "Pod":
            if ranges:
                obj = limitranger.defaulted(obj, ranges)
                limitranger.check(obj, "pods", ranges)
            obj = priority.admit(obj, self._existing)
            obj = runtimeclass.admit(obj, self._existing)
            spec = self._pod_spec(obj["spec"], serviceaccount.of(obj, self._existing))
            return {**obj, "spec": spec, "status": {"phase": "Pending", "qosClass": qos_class(spec)}}
        if ranges:
            limitranger.check(obj, "persistentvolumeclaims", ranges)
        if kind == "PriorityClass":
            priority.check_default(obj, self._existing)
        if kind == "Service":
            return _service(obj, self._chance, self._existing)
        if kind == "Namespace":
            return {**obj, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        if kind in ("Node", "Lease", "EndpointSlice", "CustomResourceDefinition") or "spec" not in obj:
            return obj
        if kind == "Job":
            obj = _with_selector(obj)
        elif kind == "DaemonSet":
            obj = replace(obj, "metadata.annotations", {**_notes(obj), TEMPLATE_GENERATION: "1"})
        status: Object = dict.fromkeys(COUNTS.get(kind, ()), 0)
        return {**obj, "status": {"phase": "Pending"} if kind in VOLUMES else status}

    def _pod_spec(self, spec: Object, account: Object) -> Object:
        """What the admission plugins add to a pod. Pods of one template and service account share one dict."""
        mounts, secrets = serviceaccount.mounts(spec, account), account.get("imagePullSecrets")
        found = self._specs.get((id(spec), mounts, id(secrets)))
        if found is None:
            if len(self._specs) >= 1024:
                self._specs.clear()
            # What has been given is kept with what comes of it, so that nothing else can ever have its id.
            new = _admitted(spec)
            if secrets and not spec.get("imagePullSecrets"):
                new["imagePullSecrets"] = secrets
            stream = self._chance.stream("kube-api-access")
            volume = f"kube-api-access-{stream.letters(stream.next())}"
            if mounts:
                new = serviceaccount.with_token(new, volume)
            found = self._specs[id(spec), mounts, id(secrets)] = spec, secrets, new
        return found[2]


VOLUMES = ("PersistentVolume", "PersistentVolumeClaim")
"""Kinds that wait for each other."""

COUNTS: dict[str, tuple[str, ...]] = {
    "ReplicaSet": ("replicas",),
    "ReplicationController": ("replicas",),
    "StatefulSet": ("replicas",),
    "PodDisruptionBudget": ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
    "HorizontalPodAutoscaler": ("currentReplicas", "desiredReplicas"),
    "DaemonSet": ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"),
}
"""Numbers that a status has from its first moment on."""


def prepare_update(new: Object, old: Object) -> Object:
    """What the API server adds to a change of an object that exists."""
    if new["kind"] == "DaemonSet":
        # pkg/registry/apps/daemonset/strategy.go PrepareForUpdate; whatever the client says of it
        generation = _notes(old).get(TEMPLATE_GENERATION, "1")
        if new["spec"].get("template") != old["spec"].get("template"):
            generation = str(int(generation) + 1)
        if _notes(new).get(TEMPLATE_GENERATION) != generation:
            return replace(new, "metadata.annotations", {**_notes(new), TEMPLATE_GENERATION: generation})
    return new


def admitted_again(new: Object) -> Object:
    """A changed pod: the plugin that lets it stay for five minutes on a node that is gone sees it, too."""
    if new["kind"] != "Pod":
        return new
    tolerations = _with_five_minutes(new["spec"])
    return (
        new
        if len(tolerations) == len(new["spec"].get("tolerations") or ())
        else replace(new, "spec.tolerations", tolerations)
    )


def _notes(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def check_status(obj: Object) -> None:
    """Raises Invalid for a status that the API server refuses: numbers below 0, or more of a sort than there are.

    pkg/apis/batch/validation/validation.go validateJobStatus, pkg/apis/apps/validation/validation.go
    ValidateStatefulSetStatus and the like
    """
    status, kind = obj.get("status") or {}, obj["kind"]
    wrong: list[FieldError] = []

    def refuse(field: str, why: str) -> None:
        text = f"Invalid value: {status[field]}: {why}"
        wrong.append(FieldError(f"status.{field}", "FieldValueInvalid", text))

    if kind == "Job" and status.get("ready", 0) > status.get("active", 0):
        refuse("ready", "cannot set more ready pods than active")
    if kind in WORKLOADS:
        for field in [f for f, value in status.items() if isinstance(value, int) and value < 0]:
            refuse(field, "must be greater than or equal to 0")
        for field in REPLICAS if "replicas" in status else ():
            if status.get(field, 0) > status["replicas"]:
                refuse(field, "cannot be greater than status.replicas")
    if wrong:
        group = "batch" if kind == "Job" else "apps"
        text = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
        raise Invalid(f'{kind}.{group} "{obj["metadata"]["name"]}" is invalid: {text}', tuple(wrong))


WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
REPLICAS = ("readyReplicas", "availableReplicas", "updatedReplicas", "currentReplicas", "fullyLabeledReplicas")
"""Numbers in a status that count some of its ``replicas``."""


def _with_selector(job: Object) -> Object:
    """Labels by which a Job knows its pods again (pkg/registry/batch/job/strategy.go generateSelector)."""
    spec = job["spec"]
    if spec.get("manualSelector"):
        return job
    uid, called = job["metadata"]["uid"], job["metadata"]["name"]
    own = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": called,
        "controller-uid": uid,
        "job-name": called,
    }
    meta = spec["template"].get("metadata") or {}
    given = meta.get("labels") or {}
    if labels(job) == given:
        # The Job's labels are those of its template, by default; the two are one map.
        job = replace(job, "metadata.labels", {**given, **own})
    template = {**spec["template"], "metadata": {**meta, "labels": {**given, **own}}}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    return {**job, "spec": {**spec, "selector": selector, "template": template}}


def _admitted(spec: Object) -> Object:
    tolerations = _with_five_minutes(spec)
    new = {"serviceAccountName": "default", "priority": 0, "preemptionPolicy": "PreemptLowerPriority", **spec}
    new.setdefault("serviceAccount", new["serviceAccountName"])
    new["tolerations"] = tolerations
    return pod_only(new)


def _with_five_minutes(spec: Object) -> list[Object]:
    tolerations = list(spec.get("tolerations") or ())
    for taint in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates_eviction(t, taint) for t in tolerations):
            tolerations.append(
                {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
            )
    return tolerations


def _tolerates_eviction(toleration: dict[str, Any], taint: str) -> bool:
    effect = toleration.get("effect") or "NoExecute"
    return effect == "NoExecute" and toleration.get("key") in (None, "", taint)


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort (pkg/apis/core/v1/helper/qos/qos.go ComputePodQOS)."""
    requested, guaranteed = False, True
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        resources = container.get("resources") or {}
        limits = {k: v for k, v in (resources.get("limits") or {}).items() if k in ("cpu", "memory")}
        requests = {k: v for k, v in (resources.get("requests") or {}).items() if k in ("cpu", "memory")}
        requested = requested or bool(limits or requests)
        guaranteed = guaranteed and len(limits) == 2 and all(limits.get(k) == v for k, v in requests.items())
    if not requested:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _service(service: Object, chance: Chance, existing: Lister) -> Object:
    """Give a Service its address and node ports (pkg/registry/core/service/storage/alloc.go)."""
    spec = dict(service.get("spec") or {})
    kind = spec.setdefault("type", "ClusterIP")
    others = [s["spec"] for s in existing("Service")] if kind != "ExternalName" else []
    if kind != "ExternalName":
        if not spec.get("clusterIP"):
            spec["clusterIP"] = _free_address(chance, key(service), {o.get("clusterIP") for o in others})
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        spec.setdefault("internalTrafficPolicy", "Cluster")
        spec.setdefault("sessionAffinity", "None")
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
        taken = {p.get("nodePort") for o in others for p in o.get("ports") or ()}
        spec["ports"] = [_with_node_port(p, chance, key(service), taken) for p in spec.get("ports") or ()]
    return {**service, "spec": spec, "status": {"loadBalancer": {}}}


def _free_address(chance: Chance, service: tuple[str, str], taken: set[str | None]) -> str:
    stream = chance.stream("clusterIP", *service)
    while True:
        n = stream.next()
        address = f"{SERVICE_NETWORK}{stream.between(n, 16, 256)}.{1 + stream.bits(n) % 254}"
        if address not in taken:
            return address


def _with_node_port(port: Object, chance: Chance, service: tuple[str, str], taken: set[int | None]) -> Object:
    if port.get("nodePort"):
        return port
    stream = chance.stream("nodePort", *service, str(port["port"]))
    while True:
        number = stream.between(stream.next(), NODE_PORTS.start, NODE_PORTS.stop)
        if number not in taken:
            taken.add(number)
            return {**port, "nodePort": number}
