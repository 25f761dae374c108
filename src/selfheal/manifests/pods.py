"""Validation of pods, alone and as templates.

pkg/apis/core/validation/validation.go; each function names the one it follows. Objects are decoded and defaulted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from selfheal import quantities
from selfheal.manifests import containers, metadata, names
from selfheal.manifests.fields import Errors
from selfheal.objects import Object

Wire = Mapping[str, Any]

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
MAX_INT32 = 2**31 - 1


def pod(errors: Errors, obj: Object) -> None:
    """validatePodMetadataAndSpec, without the metadata"""
    spec = obj.get("spec") or {}
    pod_spec(errors, spec, "spec")
    for key in ("containers", "initContainers"):
        for i, c in enumerate(spec.get(key) or ()):
            if c.get("image", "") != c.get("image", "").strip():
                text = "must not have leading or trailing whitespace"
                errors.invalid(f"spec.{key}[{i}].image", c["image"], text)


def template(errors: Errors, found: Wire, path: str, claims: Sequence[str] = ()) -> None:
    """ValidatePodTemplateSpec. ``claims`` are volumes that a StatefulSet adds."""
    meta = found.get("metadata") or {}
    metadata.labels(errors, meta.get("labels"), f"{path}.labels")
    metadata.annotation_map(errors, meta.get("annotations"), f"{path}.annotations")
    spec = found.get("spec") or {}
    pod_spec(errors, spec, f"{path}.spec", claims)
    if spec.get("ephemeralContainers"):
        errors.forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def pod_spec(errors: Errors, spec: Wire, path: str, claims: Sequence[str] = ()) -> None:
    """ValidatePodSpec"""
    volumes = [*claims, *_volumes(errors, spec.get("volumes") or (), f"{path}.volumes")]
    containers.regular(errors, spec.get("containers") or (), f"{path}.containers", spec, volumes)
    containers.init(errors, spec.get("initContainers") or (), f"{path}.initContainers", spec, volumes)
    if spec.get("resources"):
        containers.resources(errors, spec["resources"], f"{path}.resources")
    errors.one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "OnFailure", "Never"))
    policies = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
    errors.one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), policies)
    metadata.labels(errors, spec.get("nodeSelector"), f"{path}.nodeSelector")
    _affinity(errors, spec.get("affinity") or {}, f"{path}.affinity")
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        if "dnsConfig" in spec:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.required(f"{path}.dnsConfig.nameservers", text)
        else:
            errors.required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        errors.each(f"{path}.readinessGates[{i}].conditionType", kind, names.qualified(kind))
    _scheduling_gates(errors, spec.get("schedulingGates") or (), f"{path}.schedulingGates")
    _spread(errors, spec.get("topologySpreadConstraints") or (), f"{path}.topologySpreadConstraints")
    for key in ("serviceAccountName", "nodeName", "priorityClassName"):
        if spec.get(key):
            errors.each(f"{path}.{key}", spec[key], names.dns_subdomain(spec[key]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        errors.invalid(f"{path}.activeDeadlineSeconds", deadline, names.between(1, MAX_INT32))
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            errors.each(f"{path}.{key}", spec[key], names.dns_label(spec[key]))
    tolerations(errors, spec.get("tolerations") or (), f"{path}.tolerations")
    if spec.get("priorityClassName"):
        errors.each(
            f"{path}.priorityClassName", spec["priorityClassName"], names.dns_subdomain(spec["priorityClassName"])
        )
    if "preemptionPolicy" in spec:
        errors.one_of(f"{path}.preemptionPolicy", spec["preemptionPolicy"], ("PreemptLowerPriority", "Never"))


# ---- parts of a pod's spec


_VOLUME_NEEDS = {
    "configMap": "name",
    "hostPath": "path",
    "nfs": "server",
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
}
"""The one field that must be there, by source."""


def _volumes(errors: Errors, found: Sequence[Wire], path: str) -> list[str]:
    """ValidateVolumes; returns the names of those that are in order."""
    good: list[str] = []
    for i, volume in enumerate(found):
        at = f"{path}[{i}]"
        trial = Errors()
        sources = [key for key in volume if key != "name"]
        for source in sources[1:]:
            trial.forbidden(f"{at}.{source}", "may not specify more than 1 volume type")
        for source in sources[:1]:
            need = _VOLUME_NEEDS.get(source)
            if need and not volume[source].get(need):
                trial.required(f"{at}.{source}.{need}")
            size = volume[source].get("sizeLimit")
            if source == "emptyDir" and size is not None and quantities.parse(size) < 0:
                trial.forbidden(f"{at}.emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity")
        name = volume.get("name", "")
        if not name:
            trial.required(f"{at}.name")
        else:
            trial.each(f"{at}.name", name, names.dns_label(name))
        if name in good:
            trial.duplicate(f"{at}.name", name)
        if not trial.found:
            good.append(name)
        errors.found += trial.found
    return good


def tolerations(errors: Errors, found: Sequence[Wire], path: str) -> None:
    """ValidateTolerations"""
    for i, toleration in enumerate(found):
        at = f"{path}[{i}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        value, effect = toleration.get("value", ""), toleration.get("effect", "")
        if key:
            errors.each(f"{at}.key", key, names.qualified(key))
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.invalid(f"{at}.operator", operator, text)
        if "tolerationSeconds" in toleration and effect != "NoExecute":
            errors.invalid(f"{at}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator in ("", "Equal"):
            wrong = names.label_value(value)
            if wrong:
                errors.invalid(f"{at}.operator", value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                errors.invalid(f"{at}.operator", value, "value must be empty when `operator` is 'Exists'")
        else:
            errors.unsupported(f"{at}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in EFFECTS:
            errors.unsupported(f"{at}.effect", effect, EFFECTS)


def _scheduling_gates(errors: Errors, found: Sequence[Wire], path: str) -> None:
    seen: list[str] = []
    for i, gate in enumerate(found):
        name = gate.get("name", "")
        errors.each(f"{path}[{i}]", name, names.qualified(name))
        if name in seen:
            errors.duplicate(f"{path}[{i}]", name)
        seen.append(name)


def _spread(errors: Errors, found: Sequence[Wire], path: str) -> None:
    """validateTopologySpreadConstraints"""
    for i, constraint in enumerate(found):
        at = f"{path}[{i}]"
        if constraint.get("maxSkew", 0) <= 0:
            errors.invalid(f"{at}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero")
        if not constraint.get("topologyKey"):
            errors.required(f"{at}.topologyKey", "can not be empty")
        if constraint.get("whenUnsatisfiable") not in ("DoNotSchedule", "ScheduleAnyway"):
            known = ("DoNotSchedule", "ScheduleAnyway")
            errors.unsupported(f"{at}.whenUnsatisfiable", constraint.get("whenUnsatisfiable", ""), known)
        if constraint.get("labelSelector"):
            metadata.selector(errors, constraint["labelSelector"], f"{at}.labelSelector")


def _affinity(errors: Errors, affinity: Wire, path: str) -> None:
    """validateAffinity"""
    node = affinity.get("nodeAffinity") or {}
    at = f"{path}.nodeAffinity"
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is not None:
        terms = f"{at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
        if not required.get("nodeSelectorTerms"):
            errors.required(terms, "must have at least one node selector term")
        for i, term in enumerate(required.get("nodeSelectorTerms") or ()):
            _node_term(errors, term, f"{terms}[{i}]")
    for i, preferred in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        where = f"{at}.preferredDuringSchedulingIgnoredDuringExecution[{i}]"
        _weight(errors, preferred, where)
        _node_term(errors, preferred.get("preference") or {}, f"{where}.preference")
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(kind) or {}
        for i, term in enumerate(pods.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            _pod_term(errors, term, f"{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{i}]")
        for i, weighted in enumerate(pods.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            where = f"{path}.{kind}.preferredDuringSchedulingIgnoredDuringExecution[{i}]"
            _weight(errors, weighted, where)
            _pod_term(errors, weighted.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm")


def _weight(errors: Errors, weighted: Wire, path: str) -> None:
    if not 1 <= weighted.get("weight", 0) <= 100:
        errors.invalid(f"{path}.weight", weighted.get("weight", 0), "must be in the range 1-100")


def _node_term(errors: Errors, term: Wire, path: str) -> None:
    """ValidateNodeSelectorTerm"""
    for i, requirement in enumerate(term.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{i}]"
        operator, values = requirement.get("operator", ""), requirement.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                errors.required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                errors.forbidden(f"{at}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                errors.required(f"{at}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        else:
            errors.invalid(f"{at}.operator", operator, "not a valid selector operator")
        errors.each(f"{at}.key", requirement.get("key", ""), names.qualified(requirement.get("key", "")))
    for i, requirement in enumerate(term.get("matchFields") or ()):
        at = f"{path}.matchFields[{i}]"
        if requirement.get("operator") not in ("In", "NotIn"):
            errors.invalid(f"{at}.operator", requirement.get("operator", ""), "not a valid selector operator")
        elif len(requirement.get("values") or ()) != 1:
            text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            errors.required(f"{at}.values", text)
        if requirement.get("key") != "metadata.name":
            errors.invalid(f"{at}.key", requirement.get("key", ""), "not a valid field selector key")


def _pod_term(errors: Errors, term: Wire, path: str) -> None:
    """validatePodAffinityTerm"""
    if term.get("labelSelector"):
        metadata.selector(errors, term["labelSelector"], f"{path}.labelSelector")
    if not term.get("topologyKey"):
        errors.required(f"{path}.topologyKey", "can not be empty")
    else:
        errors.each(f"{path}.topologyKey", term["topologyKey"], names.qualified(term["topologyKey"]))


# ---- updates


UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def pod_update(errors: Errors, obj: Object, old: Object) -> None:
    """ValidatePodUpdate, what it adds to :func:`pod`"""
    new_spec, old_spec = obj.get("spec") or {}, old.get("spec") or {}
    for key in ("containers", "initContainers"):
        if len(new_spec.get(key) or ()) != len(old_spec.get(key) or ()):
            errors.forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
    new, before = new_spec.get("activeDeadlineSeconds"), old_spec.get("activeDeadlineSeconds")
    if new is None and before is not None:
        errors.invalid("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
    elif new is not None and before is not None and new > before:
        errors.invalid("spec.activeDeadlineSeconds", new, "must be less than or equal to previous value")
    tolerated = [_without_seconds(t) for t in new_spec.get("tolerations") or ()]
    if any(_without_seconds(t) not in tolerated for t in old_spec.get("tolerations") or ()):
        text = "existing toleration can not be modified except its tolerationSeconds"
        errors.forbidden("spec.tolerations", text)
    gates = [g.get("name") for g in old_spec.get("schedulingGates") or ()]
    for i, gate in enumerate(new_spec.get("schedulingGates") or ()):
        if gate.get("name") not in gates:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            errors.forbidden(f"spec.schedulingGates[{i}].name", text)
    changed = [f"-{a}\n+{b}" for a, b in _differences(_fixed(old_spec), _fixed(new_spec), "spec")]
    if changed:
        text = f"pod updates may not change fields other than {','.join(UPDATABLE)}"
        errors.forbidden("spec", "\n".join([text, *changed]))


def _without_seconds(toleration: Wire) -> dict[str, Any]:
    return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}


def _fixed(spec: Wire) -> dict[str, Any]:
    """What of a pod's spec can never change."""
    out = {k: v for k, v in spec.items() if k not in ("activeDeadlineSeconds", "tolerations", "schedulingGates")}
    for key in ("containers", "initContainers"):
        if key in out:
            out[key] = [{k: v for k, v in c.items() if k != "image"} for c in out[key]]
    return out


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    """The leaves that differ, each as it was and as it is."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(*pair, f"{path}[{i}]")
    elif old != new:
        yield f" {path}: {old}", f" {path}: {new}"
