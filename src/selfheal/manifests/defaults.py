"""What the API server writes into an object where the manifest is silent.

pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go,
pkg/apis/autoscaling/v2/defaults.go; each function names the one it follows. Nothing is changed in place: what needs
no default is shared with the old object. Addresses, tolerations for lost nodes, first statuses and the like come
later, with the object's admission into the store.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from selfheal.objects import Object, replace

MODE = 0o644
"""Of files in volumes, 420 in decimal."""

PREEMPTS = "PreemptLowerPriority"
"""The default of both a pod and a PriorityClass (core/v1 PreemptLowerPriority)."""


WITH_SPEC = (
    *("Ingress", "Lease", "LimitRange", "NetworkPolicy", "Node", "PersistentVolume", "PersistentVolumeClaim"),
    *("PodDisruptionBudget", "ResourceClaim", "ResourceQuota"),
)
"""Kinds that may be written without a spec; they have an empty one then, as a Go struct is never absent."""


def default(obj: Object) -> Object:
    """The object with the defaults of its kind. A kind without defaults comes back as it is."""
    if obj["kind"] in WITH_SPEC and not obj.get("spec"):
        obj = {**obj, "spec": {}}
    change = _KINDS.get(obj["kind"])
    return change(obj) if change is not None else obj


# ---- pods


def pod(obj: Object) -> Object:
    """SetDefaults_Pod, on top of those of its spec"""
    return {**obj, "spec": pod_only(pod_spec(obj.get("spec") or {}))}


def pod_only(spec: Object) -> Object:
    """The defaults that a pod gets and a pod template does not: a spec with them comes back as it is.

    Limits without requests are requests, too; in the network of the node each port is a port of the node.
    """
    out = {**spec, "enableServiceLinks": spec.get("enableServiceLinks", True)}
    for key in ("containers", "initContainers"):
        if key in out:
            out[key] = [_pod_container(c, host_network=bool(spec.get("hostNetwork"))) for c in out[key]]
    return spec if out == spec else out


def _pod_container(container: Object, *, host_network: bool) -> Object:
    resources = container.get("resources") or {}
    missing = {k: v for k, v in (resources.get("limits") or {}).items() if k not in (resources.get("requests") or {})}
    if missing:
        requests = {**(resources.get("requests") or {}), **missing}
        container = {**container, "resources": {**resources, "requests": requests}}
    if host_network and container.get("ports"):
        ports = [p if p.get("hostPort") else {**p, "hostPort": p.get("containerPort", 0)} for p in container["ports"]]
        container = {**container, "ports": ports}
    return container


def template(found: Object | None) -> Object:
    """A pod template."""
    found = found or {}
    return {**found, "metadata": found.get("metadata") or {}, "spec": pod_spec(found.get("spec") or {})}


def pod_spec(spec: Object) -> Object:
    """SetDefaults_PodSpec, and those of its parts"""
    out = {
        **spec,
        "restartPolicy": spec.get("restartPolicy") or "Always",
        "dnsPolicy": spec.get("dnsPolicy") or "ClusterFirst",
        "schedulerName": spec.get("schedulerName") or "default-scheduler",
        "securityContext": spec.get("securityContext") or {},
    }
    # A negative grace period is taken, and read as 1 (pkg/registry/core/pod/strategy.go).
    out["terminationGracePeriodSeconds"] = _at_least(spec.get("terminationGracePeriodSeconds", 30), 1, below=0)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        out["serviceAccountName"] = out["serviceAccount"] = account
    for key in ("containers", "initContainers", "ephemeralContainers"):
        if key in spec:
            out[key] = [_container(c) for c in spec[key]]
    if "volumes" in spec:
        out["volumes"] = [_volume(v) for v in spec["volumes"]]
    return out


def _at_least(value: int, floor: int, *, below: int) -> int:
    return floor if value < below else value


def _container(container: Object) -> Object:
    """SetDefaults_Container"""
    out = {
        **container,
        "imagePullPolicy": container.get("imagePullPolicy") or _pull_policy(container.get("image", "")),
        "resources": container.get("resources") or {},
        "terminationMessagePath": container.get("terminationMessagePath") or "/dev/termination-log",
        "terminationMessagePolicy": container.get("terminationMessagePolicy") or "File",
    }
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if key in container:
            out[key] = _probe(container[key])
    if "lifecycle" in container:
        hooks = container["lifecycle"]
        out["lifecycle"] = {k: _handler(v) if k in ("postStart", "preStop") else v for k, v in hooks.items()}
    if "ports" in container:
        out["ports"] = [{**p, "protocol": p.get("protocol") or "TCP"} for p in container["ports"]]
    if "env" in container:
        out["env"] = [_env(v) for v in container["env"]]
    return out


def _pull_policy(image: str) -> str:
    """Always for ``latest``, said or unsaid; a digest is none of that."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2] or "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _probe(probe: Object) -> Object:
    """SetDefaults_Probe: 0 is the same as nothing said. A delay of 0 is not written at all (omitempty)."""
    out = _handler({k: v for k, v in probe.items() if (k, v) != ("initialDelaySeconds", 0)})
    for key, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        out[key] = probe.get(key) or value
    return out


def _handler(handler: Object) -> Object:
    """SetDefaults_HTTPGetAction and the service of a gRPC probe"""
    out = dict(handler)
    if "httpGet" in handler:
        get = handler["httpGet"]
        out["httpGet"] = {**get, "path": get.get("path") or "/", "scheme": get.get("scheme") or "HTTP"}
    if "grpc" in handler:
        out["grpc"] = {**handler["grpc"], "service": handler["grpc"].get("service", "")}
    return out


def _env(variable: Object) -> Object:
    """SetDefaults_ObjectFieldSelector"""
    source = variable.get("valueFrom") or {}
    if "fieldRef" in source:
        field = {**source["fieldRef"], "apiVersion": source["fieldRef"].get("apiVersion") or "v1"}
        return {**variable, "valueFrom": {**source, "fieldRef": field}}
    if "resourceFieldRef" in source:
        resource = {**source["resourceFieldRef"], "divisor": source["resourceFieldRef"].get("divisor", "0")}
        return {**variable, "valueFrom": {**source, "resourceFieldRef": resource}}
    return variable


def _volume(volume: Object) -> Object:
    """SetDefaults_Volume and those of the sources"""
    if not volume.keys() - {"name"}:
        return {**volume, "emptyDir": {}}
    out = dict(volume)
    for key in ("secret", "configMap", "downwardAPI", "projected"):
        if key in volume:
            out[key] = {**volume[key], "defaultMode": volume[key].get("defaultMode", MODE)}
    if "hostPath" in volume:
        out["hostPath"] = {**volume["hostPath"], "type": volume["hostPath"].get("type", "")}
    return out


# ---- workloads


def _with(spec: Object, **defaults: Any) -> Object:
    """The spec with defaults for what it does not say."""
    return {**spec, **{k: v for k, v in defaults.items() if k not in spec}}


def _replicas(obj: Object) -> Object:
    """SetDefaults_ReplicaSet"""
    spec = obj.get("spec") or {}
    return {**obj, "spec": _with({**spec, "template": template(spec.get("template"))}, replicas=1)}


def _replication_controller(obj: Object) -> Object:
    """SetDefaults_ReplicationController: labels and selector come from the template."""
    spec = _with(obj.get("spec") or {}, replicas=1)
    if "template" in spec:
        spec = {**spec, "template": template(spec["template"])}
        labels = spec["template"]["metadata"].get("labels")
        if labels and not spec.get("selector"):
            spec["selector"] = labels
        if labels and not obj["metadata"].get("labels"):
            obj = replace(obj, "metadata.labels", labels)
    return {**obj, "spec": spec}


def _deployment(obj: Object) -> Object:
    """SetDefaults_Deployment"""
    obj = _replicas(obj)
    spec = _with(obj["spec"], revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.get("strategy") or {}
    strategy = {**strategy, "type": strategy.get("type") or "RollingUpdate"}
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.get("rollingUpdate") or {}
        strategy["rollingUpdate"] = _with(rolling, maxUnavailable="25%", maxSurge="25%")
    return {**obj, "spec": {**spec, "strategy": strategy}}


def _stateful_set(obj: Object) -> Object:
    """SetDefaults_StatefulSet"""
    obj = _replicas(obj)
    spec = _with(obj["spec"], revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    retention = _with(spec.get("persistentVolumeClaimRetentionPolicy") or {}, whenDeleted="Retain", whenScaled="Retain")
    spec["persistentVolumeClaimRetentionPolicy"] = retention
    strategy = spec.get("updateStrategy") or {}
    strategy = {**strategy, "type": strategy.get("type") or "RollingUpdate"}
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _with(strategy.get("rollingUpdate") or {}, partition=0)
    spec["updateStrategy"] = strategy
    if "volumeClaimTemplates" in spec:
        claims = [
            _claim({"apiVersion": "v1", "kind": "PersistentVolumeClaim", **c}) for c in spec["volumeClaimTemplates"]
        ]
        spec["volumeClaimTemplates"] = [replace(c, "status.phase", "Pending") for c in claims]
    return {**obj, "spec": spec}


def _daemon_set(obj: Object) -> Object:
    """SetDefaults_DaemonSet"""
    spec = obj.get("spec") or {}
    spec = _with({**spec, "template": template(spec.get("template"))}, revisionHistoryLimit=10)
    strategy = spec.get("updateStrategy") or {}
    strategy = {**strategy, "type": strategy.get("type") or "RollingUpdate"}
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = _with(strategy.get("rollingUpdate") or {}, maxUnavailable=1, maxSurge=0)
    return {**obj, "spec": {**spec, "updateStrategy": strategy}}


def _job(obj: Object) -> Object:
    """SetDefaults_Job"""
    spec = obj.get("spec") or {}
    if "parallelism" not in spec:
        spec = _with(spec, completions=1)
    spec = _with(
        {**spec, "template": template(spec.get("template"))},
        parallelism=1,
        backoffLimit=2**31 - 1 if "backoffLimitPerIndex" in spec else 6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed",
    )
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj = replace(obj, "metadata.labels", labels)
    return {**obj, "spec": spec}


def _cron_job(obj: Object) -> Object:
    """SetDefaults_CronJob; the Job's own defaults come when the Job is made."""
    spec = _with(
        obj.get("spec") or {},
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    job = spec.get("jobTemplate") or {}
    job_spec = job.get("spec") or {}
    job = {
        **job,
        "metadata": job.get("metadata") or {},
        "spec": {**job_spec, "template": template(job_spec.get("template"))},
    }
    return {**obj, "spec": {**spec, "jobTemplate": job}}


def _horizontal_pod_autoscaler(obj: Object) -> Object:
    """SetDefaults_HorizontalPodAutoscaler"""
    target = {"type": "Utilization", "averageUtilization": 80}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    spec = obj.get("spec") or {}
    return {**obj, "spec": {**_with(spec, minReplicas=1), "metrics": spec.get("metrics") or metrics}}


# ---- the rest


def _service(obj: Object) -> Object:
    """SetDefaults_Service"""
    spec = _with(obj.get("spec") or {}, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        client = _with(config.get("clientIP") or {}, timeoutSeconds=10800)
        spec["sessionAffinityConfig"] = {**config, "clientIP": client}
    if "ports" in spec:
        spec["ports"] = [
            {**p, "protocol": p.get("protocol") or "TCP", "targetPort": p.get("targetPort") or p.get("port", 0)}
            for p in spec["ports"]
        ]
    if spec["type"] in ("NodePort", "LoadBalancer") or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        spec = _with(spec, externalTrafficPolicy="Cluster")
    if spec["type"] != "ExternalName":
        spec = _with(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec = _with(spec, allocateLoadBalancerNodePorts=True)
    return {**obj, "spec": spec}


def _endpoint_slice(obj: Object) -> Object:
    """SetDefaults_EndpointPort"""
    ports = [_with(p, name="", protocol="TCP") for p in obj.get("ports") or ()]
    return {**obj, "ports": ports} if "ports" in obj else obj


def _namespace(obj: Object) -> Object:
    """SetDefaults_Namespace"""
    name = obj["metadata"].get("name")
    labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": name}
    return replace(obj, "metadata.labels", labels) if name else obj


def _node(obj: Object) -> Object:
    """SetDefaults_NodeStatus"""
    status = obj.get("status") or {}
    if "capacity" in status and "allocatable" not in status:
        return replace(obj, "status.allocatable", status["capacity"])
    return obj


def _secret(obj: Object) -> Object:
    """SetDefaults_Secret; what is given as text is kept as bytes."""
    texts = obj.get("stringData") or {}
    out = {k: v for k, v in obj.items() if k != "stringData"}
    if texts:
        encoded = {k: base64.b64encode(v.encode()).decode() for k, v in texts.items()}
        out["data"] = {**(obj.get("data") or {}), **encoded}
    return {**out, "type": obj.get("type") or "Opaque"}


def _claim(obj: Object) -> Object:
    """SetDefaults_PersistentVolumeClaimSpec"""
    return {**obj, "spec": _with(obj.get("spec") or {}, volumeMode="Filesystem")}


def _priority_class(obj: Object) -> Object:
    """SetDefaults_PriorityClass (pkg/apis/scheduling/v1/defaults.go); its numbers are never absent."""
    return {**obj, "value": obj.get("value") or 0, "preemptionPolicy": obj.get("preemptionPolicy") or PREEMPTS}


def _limit_range(obj: Object) -> Object:
    """A container's limit is the most it may have, its request that limit, unless they are given."""
    limits = [
        {**item, **_container_range(item)} if item.get("type") == "Container" else item
        for item in (obj.get("spec") or {}).get("limits") or ()
    ]
    return {**obj, "spec": {**(obj.get("spec") or {}), "limits": limits}}


def _container_range(item: Object) -> Object:
    limit = {**(item.get("max") or {}), **(item.get("default") or {})}
    request = {**(item.get("min") or {}), **limit, **(item.get("defaultRequest") or {})}
    return {key: value for key, value in (("default", limit), ("defaultRequest", request)) if value}


_KINDS: dict[str, Callable[[Object], Object]] = {
    "CronJob": _cron_job,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "EndpointSlice": _endpoint_slice,
    "HorizontalPodAutoscaler": _horizontal_pod_autoscaler,
    "Job": _job,
    "LimitRange": _limit_range,
    "Namespace": _namespace,
    "Node": _node,
    "PersistentVolumeClaim": _claim,
    "Pod": pod,
    "PriorityClass": _priority_class,
    "ReplicaSet": _replicas,
    "ReplicationController": _replication_controller,
    "Secret": _secret,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
