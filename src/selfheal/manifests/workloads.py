"""Validation of the objects that make pods, and of those that watch over them.

pkg/apis/apps/validation/validation.go, pkg/apis/batch/validation/validation.go,
pkg/apis/policy/validation/validation.go, pkg/apis/autoscaling/validation/validation.go.
Objects are decoded and defaulted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.manifests import cron, metadata, names, pods
from selfheal.manifests.fields import Errors
from selfheal.objects import Object, condition_true, matches, matches_map

Wire = Mapping[str, Any]

MISMATCH = "`selector` does not match template `labels`"


def deployment(errors: Errors, obj: Object) -> None:
    """ValidateDeploymentSpec"""
    spec = obj["spec"]
    errors.not_negative("spec.replicas", spec.get("replicas"))
    _selector_and_template(errors, spec, "deployment", "ReplicaSet")
    _strategy(errors, spec.get("strategy") or {}, "spec.strategy")
    errors.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    errors.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        errors.not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(errors: Errors, obj: Object) -> None:
    """ValidateReplicaSetSpec"""
    spec = obj["spec"]
    errors.not_negative("spec.replicas", spec.get("replicas"))
    errors.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    _selector_and_template(errors, spec, "deployment", "ReplicaSet")


def replication_controller(errors: Errors, obj: Object) -> None:
    """ValidateReplicationControllerSpec"""
    spec = obj["spec"]
    errors.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    if not spec.get("selector"):
        errors.required("spec.selector")
    errors.not_negative("spec.replicas", spec.get("replicas"))
    if "template" not in spec:
        errors.required("spec.template")
        return
    labels = _template_labels(spec)
    if spec.get("selector") and not matches_map(spec["selector"], labels or {}):
        errors.invalid("spec.template.metadata.labels", labels, MISMATCH)
    _template(errors, spec, "ReplicationController")


def stateful_set(errors: Errors, obj: Object) -> None:
    """ValidateStatefulSetSpec.

    The API server does not look at the pods of the template; its controller then fails to create them. Here a
    template that could never make a pod is refused at once.
    """
    spec = obj["spec"]
    policies = ("OrderedReady", "Parallel")
    _must_be(errors, "spec.podManagementPolicy", spec.get("podManagementPolicy"), policies)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        errors.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif strategy["type"] == "OnDelete" and "rollingUpdate" in strategy:
        text = "only allowed for updateStrategy 'RollingUpdate'"
        errors.invalid("spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"], text)
    else:
        partition = (strategy.get("rollingUpdate") or {}).get("partition")
        errors.not_negative("spec.updateStrategy.rollingUpdate.partition", partition)
    errors.not_negative("spec.replicas", spec.get("replicas"))
    errors.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    errors.not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    claims = [c.get("metadata", {}).get("name", "") for c in spec.get("volumeClaimTemplates") or ()]
    _selector_and_template(errors, spec, "statefulset", "StatefulSet", claims)


def daemon_set(errors: Errors, obj: Object) -> None:
    """ValidateDaemonSetSpec"""
    spec = obj["spec"]
    _selector_and_template(errors, spec, "daemonset", "DaemonSet")
    errors.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        errors.unsupported("spec.updateStrategy", strategy, ("RollingUpdate", "OnDelete"))
    elif strategy["type"] == "RollingUpdate":
        at = "spec.updateStrategy.rollingUpdate"
        rolling = strategy.get("rollingUpdate") or {}
        for key in ("maxUnavailable", "maxSurge"):
            _int_or_percent(errors, rolling.get(key, 0), f"{at}.{key}")
        if _share(rolling.get("maxUnavailable", 0)) == 0 and _share(rolling.get("maxSurge", 0)) == 0:
            errors.required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0")
        elif _share(rolling.get("maxUnavailable", 0)) and _share(rolling.get("maxSurge", 0)):
            text = "may not be set when maxUnavailable is non-zero"
            errors.invalid(f"{at}.maxSurge", rolling["maxSurge"], text)
    errors.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def job(errors: Errors, obj: Object) -> None:
    """ValidateJobSpec. Its selector is generated, unless ``manualSelector`` says otherwise."""
    spec = obj["spec"]
    job_spec(errors, spec, "spec")
    if spec.get("manualSelector"):
        if "selector" not in spec:
            errors.required("spec.selector")
        else:
            metadata.selector(errors, spec["selector"], "spec.selector")
            labels = _template_labels(spec)
            if metadata.well_formed(spec["selector"]) and not matches(spec["selector"], labels or {}):
                errors.invalid("spec.template.metadata.labels", labels, MISMATCH)


def job_spec(errors: Errors, spec: Wire, path: str) -> None:
    """validateJobSpec"""
    for key in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        errors.not_negative(f"{path}.{key}", spec.get(key))
    errors.not_negative(f"{path}.backoffLimitPerIndex", spec.get("backoffLimitPerIndex"))
    mode = spec.get("completionMode")
    if mode is not None and mode not in ("NonIndexed", "Indexed"):
        errors.unsupported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if spec.get("completions") is None:
            errors.required(f"{path}.completions", "when completion mode is Indexed")
    else:
        for key in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if spec.get(key) is not None:
                errors.invalid(f"{path}.{key}", spec[key], "requires indexed completion mode")
    if spec.get("backoffLimitPerIndex") is None and spec.get("maxFailedIndexes") is not None:
        errors.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    policy = spec.get("podReplacementPolicy")
    if policy is not None and policy not in ("Failed", "TerminatingOrFailed"):
        errors.unsupported(f"{path}.podReplacementPolicy", policy, ("Failed", "TerminatingOrFailed"))
    template = spec.get("template") or {}
    pods.template(errors, template, f"{path}.template")
    restart = (template.get("spec") or {}).get("restartPolicy", "")
    if restart == "Always":  # the default: it was not said
        errors.required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif restart not in ("OnFailure", "Never"):
        errors.unsupported(f"{path}.template.spec.restartPolicy", restart, ("OnFailure", "Never"))
    if spec.get("podFailurePolicy") is not None and restart != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        errors.invalid(f"{path}.template.spec.restartPolicy", restart, text)


def cron_job(errors: Errors, obj: Object) -> None:
    """ValidateCronJobSpec"""
    name = obj["metadata"].get("name", "")
    if len(name) > 52:
        errors.invalid("metadata.name", name, "must be no more than 52 characters")
    spec = obj["spec"]
    if not spec.get("schedule"):
        errors.required("spec.schedule")
    else:
        problem = cron.problem(spec["schedule"])
        if problem:
            errors.invalid("spec.schedule", spec["schedule"], problem)
    zone = spec.get("timeZone")
    if zone is not None and not _known_zone(zone):
        errors.invalid("spec.timeZone", zone, f"unknown time zone {zone}")
    errors.not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    errors.one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    job_spec(errors, template, "spec.jobTemplate.spec")
    if "selector" in template:
        text = "`selector` will be auto-generated"
        errors.invalid("spec.jobTemplate.spec.selector", template["selector"], text)
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        errors.not_negative(f"spec.{key}", spec.get(key))


def _known_zone(called: str) -> bool:
    """Whether the machine knows a time zone; all are good on one that knows none at all (validateTimeZone)."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # slow to import, and few schedules name a zone

    for name in (called, "Europe/Berlin"):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return name == called
    return True


def pod_disruption_budget(errors: Errors, obj: Object) -> None:
    """ValidatePodDisruptionBudgetSpec"""
    spec = obj.get("spec") or {}
    given = [key for key in ("minAvailable", "maxUnavailable") if key in spec]
    if len(given) == 2:
        errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for key in given:
        _int_or_percent(errors, spec[key], f"spec.{key}")
        _at_most_all(errors, spec[key], f"spec.{key}")
    if spec.get("selector"):
        metadata.selector(errors, spec["selector"], "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        errors.unsupported("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))


def horizontal_pod_autoscaler(errors: Errors, obj: Object) -> None:
    """validateHorizontalPodAutoscalerSpec"""
    spec = obj["spec"]
    low, high = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if low is not None and low < 1:
        errors.invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high < 1:
        errors.invalid("spec.maxReplicas", high, "must be greater than 0")
    if low is not None and high < low:
        errors.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if not target.get(key):
            errors.required(f"spec.scaleTargetRef.{key}")


# ---- updates


def selector_update(errors: Errors, obj: Object, old: Object) -> None:
    """The selector of a Deployment, a ReplicaSet or a DaemonSet stays what it was."""
    errors.immutable("spec.selector", obj["spec"].get("selector"), old["spec"].get("selector"))


_STATEFUL_SET_UPDATABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def stateful_set_update(errors: Errors, obj: Object, old: Object) -> None:
    """ValidateStatefulSetUpdate"""
    new, before = ({k: v for k, v in o["spec"].items() if k not in _STATEFUL_SET_UPDATABLE} for o in (obj, old))
    if new != before:
        *first, last = (f"'{key}'" for key in _STATEFUL_SET_UPDATABLE)
        text = f"updates to statefulset spec for fields other than {', '.join(first)} and {last} are forbidden"
        errors.forbidden("spec", text)


def job_update(errors: Errors, obj: Object, old: Object) -> None:
    """ValidateJobSpecUpdate"""
    new, before = obj["spec"], old["spec"]
    elastic = new.get("completionMode") == "Indexed" and new.get("completions") == new.get("parallelism")
    keys = [
        "selector",
        "template",
        "managedBy",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "successPolicy",
    ]
    if before.get("suspend") and _at_rest(old):
        new = {**new, "template": _reconciled(new.get("template") or {}, before.get("template") or {})}
    for key in keys if elastic else ["completions", *keys]:
        errors.immutable(f"spec.{key}", new.get(key), before.get(key))


def _at_rest(job: Object) -> bool:
    """Whether a Job has not begun, or has come to a halt since (pkg/registry/batch/job/strategy.go)."""
    return "startTime" not in (job.get("status") or {}) or condition_true(job, "Suspended")


SCHEDULING = ("nodeSelector", "affinity", "tolerations", "schedulingGates")


def _reconciled(new: Wire, old: Wire) -> Wire:
    """A template but for what may change while its Job is suspended: where its pods go, and what they ask for."""
    spec, before = dict(new.get("spec") or {}), old.get("spec") or {}
    for key in SCHEDULING:
        spec = {**{k: v for k, v in spec.items() if k != key}, **({key: before[key]} if key in before else {})}
    for group in ("initContainers", "containers"):
        pairs = zip(spec.get(group) or (), before.get(group) or (), strict=False)
        containers = [{**c, "resources": b["resources"]} if "resources" in b else _without(c) for c, b in pairs]
        if len(containers) == len(spec.get(group) or ()) and containers:
            spec[group] = containers
    meta = {**(new.get("metadata") or {})}
    for key in ("labels", "annotations"):
        meta.pop(key, None)
        if key in (old.get("metadata") or {}):
            meta[key] = old["metadata"][key]
    return {**new, "metadata": meta, "spec": spec}


def _without(container: Wire) -> Wire:
    return {k: v for k, v in container.items() if k != "resources"}


# ---- parts


def _selector_and_template(errors: Errors, spec: Wire, kind: str, owner: str, claims: list[str] | None = None) -> None:
    """ValidatePodTemplateSpecForReplicaSet and its sisters"""
    selector = spec.get("selector")
    if selector is None:
        errors.required("spec.selector")
    else:
        metadata.selector(errors, selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    if not metadata.well_formed(selector):
        errors.invalid("spec.selector", selector, "invalid label selector")
        return
    labels = _template_labels(spec)
    if not matches(selector, labels or {}):
        errors.invalid("spec.template.metadata.labels", labels, MISMATCH)
    _template(errors, spec, owner, claims)


def _template_labels(spec: Wire) -> dict[str, str] | None:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels")


def _template(errors: Errors, spec: Wire, owner: str, claims: list[str] | None = None) -> None:
    """A template of pods that are to run for ever."""
    template = spec.get("template") or {}
    pods.template(errors, template, "spec.template", claims or ())
    pod = template.get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        errors.unsupported("spec.template.spec.restartPolicy", pod.get("restartPolicy", ""), ("Always",))
    if "activeDeadlineSeconds" in pod:
        text = f"activeDeadlineSeconds in {owner} is not Supported"
        errors.forbidden("spec.template.spec.activeDeadlineSeconds", text)


def _strategy(errors: Errors, strategy: Wire, path: str) -> None:
    """ValidateDeploymentStrategy"""
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            errors.forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        internal = {"Type": kind, "RollingUpdate": rolling}
        errors.unsupported(path, internal, ("Recreate", "RollingUpdate"))
    else:
        rolling = rolling or {}
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        _int_or_percent(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")
        _int_or_percent(errors, surge, f"{path}.rollingUpdate.maxSurge")
        if _share(unavailable) == 0 and _share(surge) == 0:
            text = "may not be 0 when `maxSurge` is 0"
            errors.invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, text)
        _at_most_all(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")


def _int_or_percent(errors: Errors, value: int | str, path: str) -> None:
    """ValidatePositiveIntOrPercent"""
    if isinstance(value, str):
        errors.each(path, value, names.percent(value))
    else:
        errors.not_negative(path, value)


def _at_most_all(errors: Errors, value: int | str, path: str) -> None:
    """IsNotMoreThan100Percent"""
    if isinstance(value, str) and (_share(value) or 0) > 100:
        errors.invalid(path, value, "must not be greater than 100%")


def _share(value: int | str) -> int | None:
    """The number in ``3`` or ``25%``; None if there is none."""
    if isinstance(value, int):
        return value
    return int(value[:-1][:18]) if not names.percent(value) else None


def _must_be(errors: Errors, path: str, value: str | None, known: tuple[str, str]) -> None:
    if not value:
        errors.required(path)
    elif value not in known:
        errors.invalid(path, value, f"must be '{known[0]}' or '{known[1]}'")
