"""Which container of a pod a request means, and where its node keeps it (pkg/registry/core/pod/strategy.go)."""

from __future__ import annotations

from selfheal.errors import ApiError, BadRequest
from selfheal.objects import Object, name, uid
from selfheal.runtime import Container, Runtime
from selfheal.server.context import Context

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def container_name(context: Context, pod: Object) -> str:
    """The container that a request names, or the only one. Raises BadRequest."""
    spec, wanted = pod["spec"], context.request.get("container")
    regular = [c["name"] for c in spec["containers"]]
    groups = (spec.get("initContainers") or (), spec["containers"], spec.get("ephemeralContainers") or ())
    every = [c["name"] for group in groups for c in group]
    if wanted:
        if wanted not in every:
            raise BadRequest(f"container {wanted} is not valid for pod {name(pod)}")
        return wanted
    if len(regular) > 1:
        if context.info.subresource != "log":
            return str((pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER) or regular[0])
        names = " ".join(every)
        raise BadRequest(f"a container name must be specified for pod {name(pod)}, choose one of: [{names}]")
    return str(regular[0])


def runtime_of(context: Context, pod: Object) -> Runtime:
    """The container runtime of the pod's node. Raises BadRequest, ApiError."""
    node = pod["spec"].get("nodeName")
    if not node:
        raise BadRequest(f"pod {name(pod)} does not have a host assigned")
    machine = context.cluster.node(node)
    if not machine.powered:
        where = f"https://{machine.runtime.node_ip}:10250"
        raise ApiError(
            f"Internal error occurred: error dialing backend: dial tcp {where[8:]}: connect: no route to host"
        )
    return machine.runtime


def instances(runtime: Runtime, pod: Object, wanted: str) -> list[Container]:
    """All instances of a container that its node still has, oldest first."""
    found = [c for c in runtime.containers_of(uid(pod)) if c.name == wanted]
    return sorted(found, key=lambda c: c.attempt)


def running(context: Context, pod: Object, wanted: str) -> Container:
    """The instance that runs. Raises ApiError."""
    found = [c for c in instances(runtime_of(context, pod), pod, wanted) if c.running]
    if not found:
        raise ApiError(f'Internal error occurred: unable to upgrade connection: container not found ("{wanted}")')
    return found[-1]
