"""What a RuntimeClass adds to the pods that ask for it (plugin/pkg/admission/runtimeclass/admission.go)."""

from __future__ import annotations

from collections.abc import Callable

from selfheal.errors import Forbidden
from selfheal.objects import Object


def admit(pod: Object, classes: Callable[[str], list[Object]]) -> Object:
    """A new pod with its class's overhead, node selector and tolerations. Raises Forbidden.

    ``classes("RuntimeClass")`` lists those that there are.
    """
    spec = pod["spec"]
    wanted = spec.get("runtimeClassName")
    if not wanted:
        return pod

    def refused(why: str) -> Forbidden:
        return Forbidden(f'pods "{pod["metadata"]["name"]}" is forbidden: {why}')

    found = next((c for c in classes("RuntimeClass") if c["metadata"]["name"] == wanted), None)
    if found is None:
        raise refused(f'pod rejected: RuntimeClass "{wanted}" not found')
    spec = dict(spec)
    overhead = (found.get("overhead") or {}).get("podFixed") or {}
    if spec.get("overhead") and spec["overhead"] != overhead:
        raise refused("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    if overhead:
        spec["overhead"] = overhead
    scheduling = found.get("scheduling") or {}
    selector = spec.get("nodeSelector") or {}
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.get(key, value) != value:
            class_says = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            raise refused(f"conflict: {class_says}; pod.spec.nodeSelector[{key}] = {selector[key]}")
    if scheduling.get("nodeSelector"):
        spec["nodeSelector"] = {**selector, **scheduling["nodeSelector"]}
    if scheduling.get("tolerations"):
        own = list(spec.get("tolerations") or ())
        spec["tolerations"] = [*own, *(t for t in scheduling["tolerations"] if t not in own)]
    return {**pod, "spec": spec}
