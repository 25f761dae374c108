"""Whether an object may be stored, by kind."""

from __future__ import annotations

from collections.abc import Callable

from selfheal.kinds import kind_info
from selfheal.manifests import metadata, pods, priorities, services, workloads
from selfheal.manifests.fields import Errors
from selfheal.objects import Object

Check = Callable[[Errors, Object], None]
CheckUpdate = Callable[[Errors, Object, Object], None]

_KINDS: dict[str, Check] = {
    "ConfigMap": services.config_map,
    "CronJob": workloads.cron_job,
    "DaemonSet": workloads.daemon_set,
    "Deployment": workloads.deployment,
    "HorizontalPodAutoscaler": workloads.horizontal_pod_autoscaler,
    "Job": workloads.job,
    "Node": services.node,
    "Pod": pods.pod,
    "PodDisruptionBudget": workloads.pod_disruption_budget,
    "PriorityClass": priorities.priority_class,
    "ReplicaSet": workloads.replica_set,
    "ReplicationController": workloads.replication_controller,
    "Secret": services.secret,
    "Service": services.service,
    "StatefulSet": workloads.stateful_set,
}

_UPDATES: dict[str, CheckUpdate] = {
    "ConfigMap": services.data_update,
    "DaemonSet": workloads.selector_update,
    "Deployment": workloads.selector_update,
    "Job": workloads.job_update,
    "Pod": pods.pod_update,
    "PriorityClass": priorities.priority_class_update,
    "ReplicaSet": workloads.selector_update,
    "Secret": services.data_update,
    "Service": services.service_update,
    "StatefulSet": workloads.stateful_set_update,
}


def validate(obj: Object, old: Object | None = None) -> None:
    """Raise Invalid, with everything that is wrong, if the object may not be stored.

    With ``old`` it is to replace that one: some fields may then not change. Objects are decoded and defaulted.
    """
    errors = Errors()
    metadata.metadata(errors, obj, namespaced=kind_info(obj["kind"], obj["apiVersion"]).namespaced)
    if old is not None:
        metadata.metadata_update(errors, obj, old)
    check = _KINDS.get(obj["kind"])
    if check is not None:
        check(errors, obj)
    update = _UPDATES.get(obj["kind"])
    if old is not None and update is not None:
        update(errors, obj, old)
    errors.refuse(obj)
