"""``kubectl describe``: everything about one object that a person may want to know, as text.

Each kind has a function ``(writer, object, lister, now)`` in a module of its room; all follow
staging/src/k8s.io/kubectl/pkg/describe/describe.go of Kubernetes 1.36, down to the blanks.
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal.objects import Object
from selfheal.printers.describe import config, controllers, generic, jobs, node, pod, policy, services
from selfheal.printers.describe.lister import Lister, NoObjects
from selfheal.printers.describe.writer import Writer

__all__ = ["Lister", "describe"]

_KINDS: dict[str, Callable[[Writer, Object, Lister, float], None]] = {
    "Pod": pod.pod,
    "ReplicaSet": controllers.replica_set,
    "ReplicationController": controllers.replica_set,
    "Deployment": controllers.deployment,
    "StatefulSet": controllers.stateful_set,
    "DaemonSet": controllers.daemon_set,
    "Job": jobs.job,
    "CronJob": jobs.cron_job,
    "Service": services.service,
    "Endpoints": services.endpoints,
    "EndpointSlice": services.endpoint_slice,
    "Node": node.node,
    "PodDisruptionBudget": policy.disruption_budget,
    "PriorityClass": policy.priority_class,
    "HorizontalPodAutoscaler": policy.autoscaler,
    "ConfigMap": config.config_map,
    "Secret": config.secret,
    "ServiceAccount": config.service_account,
    "Namespace": config.namespace,
}


def describe(obj: Object, lister: Lister | None, now: float) -> str:
    """What ``kubectl describe`` prints about ``obj`` at Unix time ``now`` (seconds, fractions count).

    ``lister`` finds what belongs to it: events, pods, ReplicaSets, endpoints, the node's lease. A
    field that is missing is printed as kubectl prints it, and never raises. The text ends in a
    newline.
    """
    w = Writer()
    _KINDS.get(str(obj.get("kind")), generic.other)(w, obj, NoObjects() if lister is None else lister, now)
    return w.text()
