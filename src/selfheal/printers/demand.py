"""What pods ask of a node, and the quality-of-service class that follows from it."""

from __future__ import annotations

from selfheal.printers import amounts
from selfheal.printers.amounts import Amount
from selfheal.printers.fields import Fields, at, items, mapping

Amounts = dict[str, Amount]


def qos_class(pod: Fields) -> str:
    """Guaranteed, Burstable or BestEffort (staging/src/k8s.io/kubectl/pkg/util/qos ComputePodQOS)."""
    if at(pod, "spec.resources") is not None:
        return _class(mapping(pod, "spec.resources"))
    found = {
        _class(mapping(container, "resources"))
        for container in items(pod, "spec.initContainers") + items(pod, "spec.containers")
    }
    return found.pop() if len(found) == 1 else "Burstable" if found else "BestEffort"


def _class(resources: Fields) -> str:
    requests, limits = (amounts.read(mapping(resources, which)) for which in ("requests", "limits"))
    shapes = set()
    for name in ("cpu", "memory"):
        request, limit = requests.get(name, Amount()).value, limits.get(name, Amount()).value
        shapes.add("Burstable" if request != limit else "Guaranteed" if request else "BestEffort")
    return shapes.pop() if len(shapes) == 1 else "Burstable"


def of_pod(pod: Fields, which: str) -> Amounts:
    """What a pod asks for (``requests``) or may use (``limits``) in all.

    Regular containers and sidecars run together; an ordinary init container runs before them, beside
    the sidecars above it, so the pod needs the larger of the two
    (staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests).
    """
    total: Amounts = {}
    for container in items(pod, "spec.containers"):
        add(total, _of(container, which))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in items(pod, "spec.initContainers"):
        asked = _of(container, which)
        if at(container, "restartPolicy") == "Always":
            add(total, asked)
            add(sidecars, asked)
            asked = sidecars
        else:
            asked = dict(asked)
            add(asked, sidecars)
        _raise(starting, asked)
    _raise(total, starting)
    total |= _of(mapping(pod, "spec"), which)
    overhead = amounts.read(mapping(pod, "spec.overhead"))
    add(total, {k: v for k, v in overhead.items() if which == "requests" or k in total})
    return total


def _of(container: Fields, which: str) -> Amounts:
    return amounts.read(mapping(container, f"resources.{which}"))


def add(to: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        to[name] = to.get(name, Amount()) + amount


def _raise(to: Amounts, at_least: Amounts) -> None:
    for name, amount in at_least.items():
        if name not in to or to[name].value < amount.value:
            to[name] = amount
