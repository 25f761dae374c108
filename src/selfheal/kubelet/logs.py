"""Which instance's log is meant (pkg/kubelet/kubelet_pods.go validateContainerLogStatus)."""

from __future__ import annotations

from selfheal.errors import BadRequest
from selfheal.objects import Object, name
from selfheal.runtime import Container, Runtime

PULLING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


def instance(pod: Object, wanted: str, runtime: Runtime, *, previous: bool = False) -> Container | str:
    """The instance of container ``wanted``, as the pod's status tells of it, or why its log is gone.

    Without ``previous`` a container that waits for its next start shows the one that ended last; with it, the one that
    the status calls ``lastState``: while it waits in CrashLoopBackOff these are the same. Raises BadRequest.
    """
    status = pod.get("status") or {}
    groups = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    every = [s for group in groups for s in status.get(group) or ()]
    found = next((s for s in every if s["name"] == wanted), None)
    here = f'container "{wanted}" in pod "{name(pod)}"'
    if found is None:
        raise BadRequest(f"{here} is not available")
    state, last = found.get("state") or {}, (found.get("lastState") or {}).get("terminated") or {}
    if previous:
        if not last.get("containerID"):
            raise BadRequest(f"previous terminated {here} not found")
        ident = last["containerID"]
    elif "running" in state:
        ident = found.get("containerID", "")
    elif "terminated" in state:
        ident = state["terminated"].get("containerID") or last.get("containerID")
    else:
        ident = last.get("containerID")
    if not ident and "waiting" in state:
        reason = state["waiting"].get("reason", "")
        raise BadRequest(f"{here} is waiting to start: {PULLING.get(reason, reason)}")
    if not ident:
        raise BadRequest(f"{here} is terminated")
    container = runtime.container(str(ident).rpartition("/")[2])
    return container if container is not None else f"unable to retrieve container logs for {ident}"
