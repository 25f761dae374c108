"""What of an object is kept but not acted on, and could change how it heals.

A field that Kubernetes knows is never refused. Where leaving it out could make a difference to probes,
restarts, readiness, scheduling or eviction, one warning names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selfheal.objects import Object

KINDS = (
    "Ingress",
    "MutatingWebhookConfiguration",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ValidatingWebhookConfiguration",
)
"""Kinds that nobody in the simulated cluster acts on, though a real one's healing may depend on them."""

VOLUMES = ("name", "emptyDir", "hostPath", "configMap", "secret", "projected", "downwardAPI")
"""Volumes that are mounted, or whose contents nobody here reads."""

POD_FIELDS = (
    "resourceClaims",
    "shareProcessNamespace",
)
CONTAINER_FIELDS = ("resizePolicy", "volumeDevices")


def not_simulated(obj: Object) -> list[str]:
    """The paths of such fields: ``spec.volumes[0].persistentVolumeClaim``; for a whole kind, its name."""
    if obj["kind"] in KINDS:
        return [f"kind {obj['kind']}"]
    return [path for where, spec in _pod_specs(obj.get("spec") or {}, "spec") for path in _of_pod(spec, where)]


def _pod_specs(spec: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The pod specs inside a spec: its own, or that of its template (twice as deep in a CronJob)."""
    if not isinstance(spec, dict):
        return
    if "containers" in spec:
        yield path, spec
    for key in ("template", "jobTemplate"):
        if isinstance(spec.get(key), dict):
            yield from _pod_specs(spec[key].get("spec"), f"{path}.{key}.spec")


def _of_pod(spec: Object, path: str) -> Iterator[str]:
    for key in POD_FIELDS:
        if spec.get(key):
            yield f"{path}.{key}"
    if spec.get("schedulerName", "default-scheduler") != "default-scheduler":
        yield f"{path}.schedulerName"
    for i, volume in enumerate(spec.get("volumes") or ()):
        for key in volume:
            if key not in VOLUMES:
                yield f"{path}.volumes[{i}].{key}"
    for group in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(group) or ()):
            for key in CONTAINER_FIELDS:
                if container.get(key):
                    yield f"{path}.{group}[{i}].{key}"
