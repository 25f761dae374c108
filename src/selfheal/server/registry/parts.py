"""Subresources through which one part of an object may be changed, and nothing else: containers for debugging, sizes.

pkg/registry/core/pod/strategy.go podEphemeralContainersStrategy, podResizeStrategy
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal.errors import FieldError, Invalid
from selfheal.objects import Object, name, replace

EPHEMERAL = "spec.ephemeralContainers"
GROUPS = ("initContainers", "containers")


def _refused(pod: Object, *wrong: FieldError) -> Invalid:
    told = str(wrong[0]) if len(wrong) == 1 else f"[{', '.join(map(str, wrong))}]"
    return Invalid(f'Pod "{name(pod)}" is invalid: {told}', wrong)


def ephemeral_containers(new: Object, pod: Object) -> Object:
    """The pod with more containers for debugging; those that it has stay as they are. Raises Invalid."""
    wanted = new["spec"].get("ephemeralContainers") or []
    had = pod["spec"].get("ephemeralContainers") or []
    taken = [c["name"] for group in GROUPS for c in pod["spec"].get(group) or ()]
    wrong = []
    for i, c in enumerate(wanted):
        at, called = f"{EPHEMERAL}[{i}]", c.get("name", "")
        if not called:
            wrong.append(FieldError(f"{at}.name", "FieldValueRequired", "Required value"))
        elif called in taken or called in [w.get("name") for w in wanted[:i]]:
            wrong.append(FieldError(f"{at}.name", "FieldValueDuplicate", f'Duplicate value: "{called}"'))
        if not c.get("image"):
            wrong.append(FieldError(f"{at}.image", "FieldValueRequired", "Required value"))
        for probe in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports", "resources"):
            if c.get(probe):
                text = "Forbidden: cannot be set for an Ephemeral Container"
                wrong.append(FieldError(f"{at}.{probe}", "FieldValueForbidden", text))
    for old in had:
        found = next((c for c in wanted if c.get("name") == old["name"]), None)
        if found is None:
            text = f'Forbidden: existing ephemeral containers "{old["name"]}" may not be removed\n'
            wrong.append(FieldError(EPHEMERAL, "FieldValueForbidden", text))
        elif found != old:
            text = f'Forbidden: existing ephemeral containers "{old["name"]}" may not be changed\n'
            wrong.append(FieldError(EPHEMERAL, "FieldValueForbidden", text))
    if wrong:
        raise _refused(pod, *wrong)
    return _narrowed(new, replace(pod, EPHEMERAL, wanted or None))


def resize(new: Object, pod: Object) -> Object:
    """The pod with other sizes of its containers. Raises Invalid if anything else is different."""
    spec: dict[str, Any] = dict(pod["spec"])
    for group in GROUPS:
        if group in spec:
            sizes = {c.get("name"): c.get("resources") for c in new["spec"].get(group) or ()}
            spec[group] = [{**c, "resources": sizes.get(c["name"]) or {}} for c in spec[group]]
    if any(new["spec"].get(group) != spec.get(group) for group in GROUPS):
        text = "Forbidden: only cpu and memory resources are mutable"
        raise _refused(pod, FieldError("spec", "FieldValueForbidden", text))
    return _narrowed(new, {**pod, "spec": spec})


def _narrowed(new: Object, changed: Object) -> Object:
    """With the version that the client names, if it names one."""
    meta = {k: v for k, v in changed["metadata"].items() if k != "resourceVersion"}
    given = new["metadata"].get("resourceVersion")
    return {**changed, "metadata": {**meta, "resourceVersion": given} if given else meta}


PARTS: dict[str, Callable[[Object, Object], Object]] = {
    "ephemeralcontainers": ephemeral_containers,
    "resize": resize,
}
"""By subresource: (what a client wants, what is there) → what shall be."""
