"""ResourceQuotas: what an object uses of them, and whether there is room for it.

An object is charged to each quota of its namespace that means it, before it is stored; what is set free again its
controller finds out (:mod:`selfheal.controllers.resourcequota`).

pkg/quota/v1/evaluator/core, staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from selfheal import quantities
from selfheal.errors import Forbidden
from selfheal.objects import Object

Amounts = dict[str, str]
"""By the name under which a quota speaks of it."""

ALIASES = ("resourcequotas", "replicationcontrollers", "secrets", "configmaps", "services", "pods")
"""Resources that a quota also counts by their plain names, as before ``count/…`` was there."""

COMPUTE = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "ephemeral-storage"}

CHARGED_ANEW = ("Pod", "Service", "PersistentVolumeClaim", "ResourceClaim")
"""Kinds whose use may grow, or concern another quota, when they are changed."""


def usage(obj: Object, resource: str) -> Amounts:
    """What one object uses. ``resource`` as errors name it: ``replicasets.apps``."""
    kind = obj["kind"]
    used = {f"count/{resource}": "1"}
    if resource in ALIASES and not (kind == "Pod" and _over(obj)):
        used[resource] = "1"
    more = USES.get(kind)
    if more is not None:
        used |= more(obj)
    return used


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _pod(pod: Object) -> Amounts:
    """evaluator/core/pods.go podComputeUsageHelper; init containers run one after the other."""
    if _over(pod):
        return {}
    spec, used = pod["spec"], Amounts()
    for what in ("requests", "limits"):
        amounts = Amounts()
        for container in spec.get("containers") or ():
            for name, amount in ((container.get("resources") or {}).get(what) or {}).items():
                amounts[name] = quantities.add(amounts.get(name, "0"), amount)
        for container in spec.get("initContainers") or ():
            for name, amount in ((container.get("resources") or {}).get(what) or {}).items():
                amounts[name] = max(amounts.get(name, "0"), amount, key=quantities.parse)
        for name, amount in (spec.get("overhead") or {}).items():
            if what == "requests" or name in amounts:
                amounts[name] = quantities.add(amounts.get(name, "0"), amount)
        for name, amount in amounts.items():
            if what == "requests" or name in COMPUTE:
                used[f"{what}.{name}"] = amount
            if what == "requests" and (name in COMPUTE or name.startswith("hugepages-")):
                used[name] = amount
    return used


def _service(service: Object) -> Amounts:
    """evaluator/core/services.go Usage"""
    spec = service["spec"]
    kind, ports = spec.get("type"), spec.get("ports") or ()
    numbered = len(ports)
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        numbered = sum(bool(p.get("nodePort")) for p in ports)
    return {
        "services.nodeports": str(numbered if kind in ("NodePort", "LoadBalancer") else 0),
        "services.loadbalancers": str(int(kind == "LoadBalancer")),
    }


def _claim(claim: Object) -> Amounts:
    """evaluator/core/persistent_volume_claims.go Usage"""
    spec = claim["spec"]
    used = {"persistentvolumeclaims": "1"}
    amount = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if amount is not None:
        used["requests.storage"] = amount
    of = (claim["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    of = of or spec.get("storageClassName")
    if of:
        used |= {f"{of}.storageclass.storage.k8s.io/{name}": amount for name, amount in used.items()}
    return used


def _devices(claim: Object) -> Amounts:
    """evaluator/core/resource_claims.go Usage"""
    used = Amounts()
    for request in ((claim["spec"].get("devices") or {}).get("requests")) or ():
        exactly = request.get("exactly") or {}
        if exactly.get("deviceClassName"):
            name = f"{exactly['deviceClassName']}.deviceclass.resource.k8s.io/devices"
            used[name] = quantities.add(used.get(name, "0"), str(exactly.get("count") or 1))
    return used


USES: dict[str, Callable[[Object], Amounts]] = {
    "Pod": _pod,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "ResourceClaim": _devices,
}


# ---- which objects a quota means


def means(quota: Object, obj: Object) -> bool:
    """Whether an object lies in all of a quota's scopes."""
    spec = quota["spec"]
    wanted = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    wanted += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_in_scope(scope, obj) for scope in wanted)


def _in_scope(scope: Object, obj: Object) -> bool:
    name, kind, spec = scope["scopeName"], obj["kind"], obj.get("spec") or {}
    if name == "VolumeAttributesClass":
        return kind == "PersistentVolumeClaim" and _fits(scope, _attributes_classes(obj))
    if kind != "Pod":
        return False
    if name == "PriorityClass":
        called = spec.get("priorityClassName")
        return _fits(scope, [called] if called else [])
    if name == "CrossNamespacePodAffinity":
        return _across_namespaces(spec)
    has: dict[str, bool] = {
        "Terminating": spec.get("activeDeadlineSeconds") is not None,
        "NotTerminating": spec.get("activeDeadlineSeconds") is None,
        "BestEffort": _best_effort(spec),
        "NotBestEffort": not _best_effort(spec),
    }
    return has.get(name, False)


def _fits(scope: Object, values: list[str]) -> bool:
    wanted = scope.get("values") or ()
    found: dict[str, bool] = {
        "In": any(v in wanted for v in values),
        "NotIn": not any(v in wanted for v in values),
        "Exists": bool(values),
        "DoesNotExist": not values,
    }
    return found.get(scope["operator"], False)


def _attributes_classes(claim: Object) -> list[str]:
    """What a claim wants, has, and is being given."""
    status = claim.get("status") or {}
    classes = (
        claim["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return [c for c in classes if c]


def _best_effort(spec: Object) -> bool:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asked = [(c.get("resources") or {}).get(what) or {} for c in containers for what in ("requests", "limits")]
    return not any(name in ("cpu", "memory") for amounts in asked for name in amounts)


def _across_namespaces(spec: Object) -> bool:
    affinity = spec.get("affinity") or {}
    terms: list[Any] = []
    for which in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(which) or {}
        terms += rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [p.get("podAffinityTerm") or {} for p in preferred]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


# ---- what is used


def taken(quota: Object, obj: Object, resource: str) -> Amounts:
    """What an object takes of a quota."""
    return usage(obj, resource) if means(quota, obj) else {}


def used(quota: Object, objs: Iterable[tuple[Object, str]]) -> Amounts:
    """What objects use together of what a quota limits; each comes with its resource."""
    out = dict.fromkeys(quota["spec"].get("hard") or {}, "0")
    for obj, resource in objs:
        for name, amount in taken(quota, obj, resource).items():
            if name in out:
                out[name] = quantities.add(out[name], amount)
    return out


def charged(quotas: Iterable[Object], obj: Object, old: Object | None, resource: str) -> list[Object]:
    """Those quotas that change when an object is stored, as they are then. Raises Forbidden if there is no room."""
    out = []
    for quota in quotas:
        if not means(quota, obj):
            continue
        status, hard = quota.get("status") or {}, quota["spec"].get("hard") or {}
        limited = {n: v for n, v in (status.get("hard") or {}).items() if n in hard}
        asked = usage(obj, resource)
        if old is not None and means(quota, old):
            asked = {n: quantities.add(v, f"-{usage(old, resource).get(n, '0')}") for n, v in asked.items()}
        asked = {n: v for n, v in asked.items() if n in hard and quantities.parse(v)}
        start = f'{resource} "{obj["metadata"]["name"]}" is forbidden:'
        if obj["kind"] == "Pod" and old is None:
            _require_amounts(obj, hard, f"{start} failed quota: {quota['metadata']['name']}: must specify")
        if not asked:
            continue
        now = status.get("used") or {}
        unknown = sorted(n for n in asked if n not in limited or n not in now)
        if unknown:
            raise Forbidden(
                f"{start} status unknown for quota: {quota['metadata']['name']}, resources: {','.join(unknown)}"
            )
        total = {n: quantities.add(now[n], v) for n, v in asked.items()}
        over = sorted(
            n
            for n in total
            if quantities.parse(asked[n]) > 0 and quantities.parse(total[n]) > quantities.parse(limited[n])
        )
        if over:
            told = (
                f"{word}: {','.join(f'{n}={values[n]}' for n in over)}"
                for word, values in (("requested", asked), ("used", now), ("limited", limited))
            )
            raise Forbidden(f"{start} exceeded quota: {quota['metadata']['name']}, {', '.join(told)}")
        out.append({**quota, "status": {**status, "used": {**now, **total}}})
    return out


def _require_amounts(pod: Object, hard: Amounts, start: str) -> None:
    """Where a quota limits CPU or memory, each container must say how much it wants (PodEvaluator.Constraints)."""
    missing: dict[str, list[str]] = {}
    containers = [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]
    for name in hard:
        what, _, plain = name.rpartition(".") if name.startswith(("requests.", "limits.")) else ("requests", "", name)
        if plain in ("cpu", "memory"):
            for container in containers:
                if plain not in ((container.get("resources") or {}).get(what) or {}):
                    missing.setdefault(name, []).append(container["name"])
    if missing:
        told = (f"{name} for: {','.join(names)}" for name, names in sorted(missing.items()))
        raise Forbidden(f"{start} {'; '.join(told)}")
