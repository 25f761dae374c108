"""PriorityClasses: which may be written (pkg/apis/scheduling/validation/validation.go)."""

from __future__ import annotations

from selfheal.manifests.fields import Errors
from selfheal.objects import Object

HIGHEST = 1_000_000_000
"""What a class that is not the system's may have at most (HighestUserDefinablePriority)."""

SYSTEM = {"system-cluster-critical": 2 * HIGHEST, "system-node-critical": 2 * HIGHEST + 1000}
"""Classes that every cluster has (pkg/apis/scheduling/v1/helpers.go)."""

PREFIX = "system-"


def priority_class(errors: Errors, obj: Object) -> None:
    """ValidatePriorityClass"""
    called, value = obj["metadata"].get("name") or "", obj["value"]
    if called.startswith(PREFIX):
        why = _no_system_class(called, value, bool(obj.get("globalDefault")))
        if why:
            reserved = f"priority class names with '{PREFIX}' prefix are reserved for system use only. error: {why}"
            errors.forbidden("metadata.name", reserved)
    elif value > HIGHEST:
        errors.forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")
    errors.one_of("preemptionPolicy", obj["preemptionPolicy"], ("PreemptLowerPriority", "Never"))


def _no_system_class(called: str, value: int, default: bool) -> str:
    """IsKnownSystemPriorityClass"""
    if called not in SYSTEM:
        return f"{called} is not a known system priority class"
    if value != SYSTEM[called]:
        return f"value of {called} PriorityClass must be {SYSTEM[called]}"
    return f"globalDefault of {called} PriorityClass must be false" if default else ""


def priority_class_update(errors: Errors, obj: Object, old: Object) -> None:
    """ValidatePriorityClassUpdate: only who gets it by default, and texts, may change."""
    if obj["value"] != old["value"]:
        errors.forbidden("value", "may not be changed in an update.")
    errors.immutable("preemptionPolicy", obj["preemptionPolicy"], old["preemptionPolicy"])
