"""metrics.k8s.io: what pods and nodes use, for ``kubectl top`` (the metrics-server's part)."""

from __future__ import annotations

from selfheal.errors import NotFound
from selfheal.objects import Object, labels, name, namespace
from selfheal.server.context import Context
from selfheal.server.http import Response, as_json
from selfheal.server.selectors import matcher

WINDOW = "15s"
NODE_CPU, NODE_MEMORY = 60_000_000, 600 * 1024
"""What a node uses beside its pods: nano-cores, KiB."""


def serve(context: Context) -> Response:
    """GET of one or of all."""
    info, store = context.info, context.store
    context.cluster.settle()
    match = matcher(context.request, info.resource)
    nodes = info.resource.plural == "nodes"
    found = store.list("Node") if nodes else store.list("Pod", info.namespace or None)
    if info.name:
        found = [o for o in found if name(o) == info.name]
    measured = [
        m for o in found if match is None or match(o) if (m := _node(context, o) if nodes else _pod(context, o))
    ]
    if info.name:
        if not measured:
            raise NotFound(f'{info.resource.named} "{info.name}" not found')
        return as_json(measured[0])
    meta = {"resourceVersion": str(store.version)}
    body = {"kind": f"{info.resource.kind}List", "apiVersion": info.resource.api_version, "metadata": meta}
    return as_json({**body, "items": measured})


def _meta(context: Context, obj: Object) -> Object:
    clock = context.cluster.clock
    meta = {"name": name(obj), "creationTimestamp": clock.timestamp(), "labels": labels(obj)}
    if namespace(obj):
        meta["namespace"] = namespace(obj)
    return {"metadata": meta, "timestamp": clock.timestamp(), "window": WINDOW}


def _usage(cpu: int, memory: int) -> Object:
    return {"cpu": f"{cpu}n", "memory": f"{memory}Ki"}


def _pod(context: Context, pod: Object) -> Object | None:
    usage = context.store.usage
    cpu, memory = (usage(pod, "cpu"), usage(pod, "memory")) if usage is not None else (None, None)
    if cpu is None or memory is None:
        return None
    names = [c["name"] for c in pod["spec"]["containers"]]
    share = len(names)
    used = _usage(cpu * 1_000_000 // share, memory // 1000 // 1024 // share)
    containers = [{"name": n, "usage": used} for n in names]
    return {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        **_meta(context, pod),
        "containers": containers,
    }


def _node(context: Context, node: Object) -> Object | None:
    if not context.cluster.node(name(node)).powered:
        return None
    cpu, memory, usage = NODE_CPU, NODE_MEMORY, context.store.usage
    for pod in context.store.pods_on(name(node)):
        if usage is not None:
            cpu += (usage(pod, "cpu") or 0) * 1_000_000
            memory += (usage(pod, "memory") or 0) // 1000 // 1024
    used = _usage(cpu, memory)
    return {"kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1", **_meta(context, node), "usage": used}
