"""What a PriorityClass gives to the pods that name it (plugin/pkg/admission/priority/admission.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal.errors import Forbidden
from selfheal.manifests.defaults import PREEMPTS
from selfheal.objects import Object, name


def admit(pod: Object, classes: Callable[[str], list[Object]]) -> Object:
    """A new pod with the priority of its class. Raises Forbidden.

    ``classes("PriorityClass")`` lists those that there are. A pod that names none gets the default one's, if there is
    one: of several the lowest.
    """
    spec, there = pod["spec"], {name(c): c for c in classes("PriorityClass")}
    found: Object
    called = spec.get("priorityClassName")

    def refused(why: str) -> Forbidden:
        return Forbidden(f'pods "{pod["metadata"]["name"]}" is forbidden: {why}')

    if not called:
        defaults = [c for c in there.values() if c.get("globalDefault")]
        found = min(defaults, key=lambda c: int(c["value"]), default={"value": 0, "metadata": {}})
        called = found["metadata"].get("name")
    elif called in there:
        found = there[called]
    else:
        raise refused(f"no PriorityClass with name {called} was found")
    given: dict[str, Any] = {
        "priority": int(found["value"]),
        "preemptionPolicy": found.get("preemptionPolicy", PREEMPTS),
    }
    for field, what in (
        ("priority", "integer value of priority"),
        ("preemptionPolicy", "string value of PreemptionPolicy"),
    ):
        if spec.get(field) not in (None, given[field]):
            raise refused(
                f"the {what} ({spec[field]}) must not be provided in pod spec; priority admission controller computed "
                f"{given[field]} from the given PriorityClass name"
            )
    if not called:
        return pod  # 0 and PreemptLowerPriority are what all the others have
    return {**pod, "spec": {**spec, **given, "priorityClassName": called}}


def check_default(new: Object, classes: Callable[[str], list[Object]]) -> None:
    """Raises Forbidden if another PriorityClass is the default one already (validatePriorityClass)."""
    others = [name(c) for c in classes("PriorityClass") if c.get("globalDefault") and name(c) != name(new)]
    if new.get("globalDefault") and others:
        raise Forbidden(
            f'priorityclasses.scheduling.k8s.io "{name(new)}" is forbidden: '
            f"PriorityClass {others[0]} is already marked as default. Only one default can exist"
        )
