"""LimitRanges of a namespace: what a container asks for if it does not say, and how much it may ask for.

plugin/pkg/admission/limitranger/admission.go
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from selfheal import quantities
from selfheal.errors import Forbidden
from selfheal.manifests import validate
from selfheal.objects import Object

NOTE = "kubernetes.io/limit-ranger"

Amounts = dict[str, str]


def defaulted(pod: Object, ranges: list[Object]) -> Object:
    """The pod with what LimitRanges say where it says nothing. Raises Invalid if that does not fit what it says."""
    limits, requests = Amounts(), Amounts()
    for item in _items(ranges, "Container"):
        requests |= item.get("defaultRequest") or {}
        limits |= item.get("default") or {}
    if not limits and not requests:
        return pod
    spec, told = dict(pod["spec"]), list[str]()
    for group, called in (("containers", "container"), ("initContainers", "init container")):
        changed = []
        for container in spec.get(group) or ():
            resources = container.get("resources") or {}
            new = {**resources}
            for what, defaults in (("limits", limits), ("requests", requests)):
                missing = {k: v for k, v in defaults.items() if k not in (resources.get(what) or {})}
                if missing:
                    new[what] = {**(resources.get(what) or {}), **missing}
                    told.append(f"{', '.join(sorted(missing))} {what[:-1]} for {called} {container['name']}")
            changed.append({**container, "resources": new} if new != resources else container)
        if changed:
            spec[group] = changed
    if not told:
        return pod
    meta = pod["metadata"]
    notes = {**(meta.get("annotations") or {}), NOTE: f"LimitRanger plugin set: {'; '.join(sorted(told))}"}
    out = {**pod, "metadata": {**meta, "annotations": notes}, "spec": spec}
    validate(out)
    return out


def check(obj: Object, resource: str, ranges: list[Object]) -> None:
    """Raises Forbidden if an object asks for more or less than it may."""
    wrong: list[str] = []
    if obj["kind"] == "Pod":
        spec = obj["spec"]
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        for item in _items(ranges, "Container"):
            for container in containers:
                asked = container.get("resources") or {}
                wrong += _wrong(item, asked.get("requests") or {}, asked.get("limits") or {})
        for item in _items(ranges, "Pod"):
            wrong += _wrong(item, _sum(spec, "requests"), _sum(spec, "limits"))
    elif obj["kind"] == "PersistentVolumeClaim":
        asked = (obj["spec"].get("resources") or {}).get("requests") or {}
        for item in _items(ranges, "PersistentVolumeClaim"):
            wrong += _wrong({k: v for k, v in item.items() if k in ("type", "min")}, asked, {})
            wrong += _wrong({"type": item["type"], "max": item.get("max") or {}}, asked, asked)
    if wrong:
        text = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
        raise Forbidden(f'{resource} "{obj["metadata"]["name"]}" is forbidden: {text}')


def _items(ranges: list[Object], of: str) -> Iterator[Object]:
    for found in ranges:
        yield from (item for item in found["spec"].get("limits") or () if item.get("type") == of)


def _sum(spec: Object, what: str) -> Amounts:
    """What all containers of a pod ask for together; of those that run one after the other, the largest counts."""
    out = Amounts()
    for container in spec.get("containers") or ():
        for name, amount in ((container.get("resources") or {}).get(what) or {}).items():
            out[name] = quantities.add(out.get(name, "0"), amount)
    for container in spec.get("initContainers") or ():
        for name, amount in ((container.get("resources") or {}).get(what) or {}).items():
            out[name] = max(out.get(name, "0"), amount, key=quantities.parse)
    return out


def _wrong(item: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    """minConstraint, maxConstraint, limitRequestRatioConstraint"""
    kind = item["type"]
    for name, least in sorted((item.get("min") or {}).items()):
        start = f"minimum {name} usage per {kind} is {least}"
        if name not in requests:
            yield f"{start}.  No request is specified"
        elif _amount(requests[name]) < _amount(least):
            yield f"{start}, but request is {requests[name]}"
        elif name in limits and _amount(limits[name]) < _amount(least):
            yield f"{start}, but limit is {limits[name]}"
    for name, most in sorted((item.get("max") or {}).items()):
        start = f"maximum {name} usage per {kind} is {most}"
        if name not in limits:
            yield f"{start}.  No limit is specified"
        elif _amount(limits[name]) > _amount(most):
            yield f"{start}, but limit is {limits[name]}"
        elif name in requests and _amount(requests[name]) > _amount(most):
            yield f"{start}, but request is {requests[name]}"
    for name, most in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        request, limit = _amount(requests.get(name, "0")), _amount(limits.get(name, "0"))
        start = f"{name} max limit to request ratio per {kind} is {most}"
        if not request:
            yield f"{start}, but no request is specified or request is 0"
        elif not limit:
            yield f"{start}, but no limit is specified or limit is 0"
        elif limit / request > _amount(most):
            yield f"{start}, but provided ratio is {limit / request:f}"


def _amount(text: str) -> Decimal:
    return quantities.parse(text)
