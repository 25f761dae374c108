"""Validation of containers: probes, hooks, ports, environment, mounts, resources.

pkg/apis/core/validation/validation.go; each function names the one it follows. Objects are decoded and defaulted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfheal import quantities
from selfheal.manifests import names
from selfheal.manifests.fields import Errors

Wire = Mapping[str, Any]

PROTOCOLS = ("SCTP", "TCP", "UDP")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"


def regular(errors: Errors, found: Sequence[Wire], path: str, pod: Wire, volumes: Sequence[str]) -> None:
    """validateContainers"""
    if not found:
        errors.required(path)
    seen: list[str] = []
    for i, c in enumerate(found):
        at = f"{path}[{i}]"
        _common(errors, c, at, pod, volumes)
        _unique(errors, c.get("name", ""), f"{at}.name", seen)
        _probes_and_hooks(errors, c, at, pod)
        _restart_policy(errors, c, at)
    _host_ports(errors, found, path)


def init(errors: Errors, found: Sequence[Wire], path: str, pod: Wire, volumes: Sequence[str]) -> None:
    """validateInitContainers"""
    seen = [c.get("name", "") for c in pod.get("containers") or ()]
    for i, c in enumerate(found):
        at = f"{path}[{i}]"
        _common(errors, c, at, pod, volumes)
        _restart_policy(errors, c, at)
        if c.get("name"):
            _unique(errors, c["name"], f"{at}.name", seen)
        _host_ports(errors, [c], path)
        if c.get("restartPolicy") == "Always":
            _probes_and_hooks(errors, c, at, pod)
        else:
            for key in ("lifecycle", *PROBES):
                if key in c:
                    errors.forbidden(f"{at}.{key}", NOT_FOR_INIT)


def _common(errors: Errors, c: Wire, at: str, pod: Wire, volumes: Sequence[str]) -> None:
    """validateContainerCommon"""
    if not c.get("name"):
        errors.required(f"{at}.name")
    else:
        errors.each(f"{at}.name", c["name"], names.dns_label(c["name"]))
    if not c.get("image"):
        errors.required(f"{at}.image")
    errors.one_of(
        f"{at}.terminationMessagePolicy", c.get("terminationMessagePolicy"), ("File", "FallbackToLogsOnError")
    )
    _ports(errors, c.get("ports") or (), f"{at}.ports")
    _env(errors, c.get("env") or (), f"{at}.env")
    _env_from(errors, c.get("envFrom") or (), f"{at}.envFrom")
    _mounts(errors, c.get("volumeMounts") or (), f"{at}.volumeMounts", volumes)
    errors.one_of(f"{at}.imagePullPolicy", c.get("imagePullPolicy"), ("Always", "IfNotPresent", "Never"))
    resources(errors, c.get("resources") or {}, f"{at}.resources")
    if pod.get("hostNetwork"):
        for i, port in enumerate(c.get("ports") or ()):
            if port.get("hostPort", 0) not in (0, port.get("containerPort", 0)):
                text = "must match `containerPort` when `hostNetwork` is true"
                errors.invalid(f"{at}.ports[{i}].hostPort", port["hostPort"], text)


def _unique(errors: Errors, name: str, path: str, seen: list[str]) -> None:
    if name in seen:
        errors.duplicate(path, name)
    else:
        seen.append(name)


# ---- probes and hooks


def _probes_and_hooks(errors: Errors, c: Wire, at: str, pod: Wire) -> None:
    grace = pod.get("terminationGracePeriodSeconds", 30)
    lifecycle = c.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if hook in lifecycle:
            _handler(errors, lifecycle[hook], f"{at}.lifecycle.{hook}", grace)
    if "stopSignal" in lifecycle and not (pod.get("os") or {}).get("name"):
        errors.forbidden(f"{at}.lifecycle.stopSignal", "may not be set for containers with empty `spec.os.name`")
    for name in PROBES:
        if name in c:
            _probe(errors, c[name], f"{at}.{name}", name, grace)


def _probe(errors: Errors, probe: Wire, at: str, name: str, grace: int) -> None:
    """validateProbe, validateLivenessProbe, validateReadinessProbe, validateStartupProbe"""
    _handler(errors, {k: v for k, v in probe.items() if k != "sleep"}, at, grace)
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        errors.not_negative(f"{at}.{key}", probe.get(key))
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        errors.invalid(f"{at}.terminationGracePeriodSeconds", own_grace, "must be greater than 0")
    if name == "readinessProbe":
        if own_grace is not None:
            errors.invalid(f"{at}.terminationGracePeriodSeconds", own_grace, "must not be set for readinessProbes")
    elif probe.get("successThreshold") != 1:
        errors.invalid(f"{at}.successThreshold", probe.get("successThreshold"), "must be 1")


def _handler(errors: Errors, wire: Wire, at: str, grace: int) -> None:
    """validateHandler: exactly one action."""
    first = True
    for kind in HANDLERS:
        if kind not in wire:
            continue
        if first:
            _action(errors, kind, wire[kind], f"{at}.{kind}", grace)
            first = False
        else:
            errors.forbidden(f"{at}.{kind}", "may not specify more than 1 handler type")
    if first:
        errors.required(at, "must specify a handler type")


def _action(errors: Errors, kind: str, action: Wire, at: str, grace: int) -> None:
    if kind == "exec":
        if not action.get("command"):
            errors.required(f"{at}.command")
    elif kind == "httpGet":
        if not action.get("path"):
            errors.required(f"{at}.path")
        port_or_name(errors, action.get("port", 0), f"{at}.port")
        if action.get("scheme") not in ("HTTP", "HTTPS"):
            errors.unsupported(f"{at}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS"))
        for header in action.get("httpHeaders") or ():
            errors.each(f"{at}.httpHeaders", header.get("name", ""), names.header(header.get("name", "")))
    elif kind == "sleep":
        seconds = action.get("seconds", 0)
        if not 0 <= seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            errors.invalid(at, seconds, text)
    else:
        port_or_name(errors, action.get("port", 0), f"{at}.port")


def port_or_name(errors: Errors, port: int | str, path: str) -> None:
    """ValidatePortNumOrName"""
    errors.each(path, port, names.port_number(port) if isinstance(port, int) else names.port_name(port))


def _restart_policy(errors: Errors, c: Wire, at: str) -> None:
    """validateContainerRestartPolicy"""
    policy, rules = c.get("restartPolicy"), c.get("restartPolicyRules") or ()
    if policy is None:
        if rules:
            errors.required(f"{at}.restartPolicy", "must specify restartPolicy when restart rules are used")
    elif policy not in ("Always", "Never", "OnFailure"):
        errors.unsupported(f"{at}.restartPolicy", policy, ("Always", "Never", "OnFailure"))
    if len(rules) > 20:
        errors.too_many(f"{at}.restartPolicyRules", len(rules), 20)
    for i, rule in enumerate(rules):
        where = f"{at}.restartPolicyRules[{i}]"
        actions = ("Restart", "RestartAllContainers")
        if rule.get("action") not in actions:
            errors.unsupported(f"{where}.action", rule.get("action", ""), actions)
        codes = rule.get("exitCodes")
        if codes is None:
            errors.required(f"{where}.exitCodes", "must be specified")
            continue
        if codes.get("operator") not in ("In", "NotIn"):
            errors.unsupported(f"{where}.exitCodes.operator", codes.get("operator", ""), ("In", "NotIn"))
        if len(codes.get("values") or ()) > 255:
            errors.too_many(f"{where}.exitCodes.values", len(codes["values"]), 255)


# ---- ports, environment, mounts


def _ports(errors: Errors, ports: Sequence[Wire], path: str) -> None:
    """validateContainerPorts"""
    seen: list[str] = []
    for i, port in enumerate(ports):
        at = f"{path}[{i}]"
        if port.get("name"):
            wrong = names.port_name(port["name"])
            errors.each(f"{at}.name", port["name"], wrong)
            if not wrong:
                _unique(errors, port["name"], f"{at}.name", seen)
        if not port.get("containerPort"):
            errors.required(f"{at}.containerPort")
        else:
            errors.each(f"{at}.containerPort", port["containerPort"], names.port_number(port["containerPort"]))
        if port.get("hostPort"):
            errors.each(f"{at}.hostPort", port["hostPort"], names.port_number(port["hostPort"]))
        errors.one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)


def _host_ports(errors: Errors, found: Sequence[Wire], path: str) -> None:
    """checkHostPortConflicts"""
    seen: list[str] = []
    for i, c in enumerate(found):
        for j, port in enumerate(c.get("ports") or ()):
            if port.get("hostPort"):
                where = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                _unique(errors, where, f"{path}[{i}].ports[{j}].hostPort", seen)


_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_RESOURCES = tuple(f"{a}.{b}" for a in ("limits", "requests") for b in ("cpu", "ephemeral-storage", "memory"))
_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def _env(errors: Errors, env: Sequence[Wire], path: str) -> None:
    """ValidateEnv, validateEnvVarValueFrom"""
    for i, variable in enumerate(env):
        at = f"{path}[{i}]"
        if not variable.get("name"):
            errors.required(f"{at}.name")
        else:
            errors.each(f"{at}.name", variable["name"], names.env_name(variable["name"]))
        source = variable.get("valueFrom")
        if source is None:
            continue
        at = f"{at}.valueFrom"
        used = [key for key in _ENV_SOURCES if key in source]
        for key in used:
            _env_source(errors, key, source[key], f"{at}.{key}")
        if not used:
            text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            errors.invalid(at, "", text)
        elif variable.get("value"):
            errors.invalid(at, "", "may not be specified when `value` is not empty")
        elif len(used) > 1:
            errors.invalid(at, "", "may not have more than one field specified at a time")


def _env_source(errors: Errors, kind: str, source: Wire, at: str) -> None:
    if kind == "fieldRef":
        field = source.get("fieldPath", "")
        base, bracket, rest = field.partition("[")
        if not field:
            errors.required(f"{at}.fieldPath")
        elif bracket and base in ("metadata.labels", "metadata.annotations"):
            errors.each(at, rest.strip("'\"]"), names.qualified(rest.strip("'\"]")))
        elif field not in _FIELDS:
            text = f"error converting fieldPath: field label not supported: {field}"
            errors.invalid(f"{at}.fieldPath", field, text)
    elif kind == "resourceFieldRef":
        resource = source.get("resource", "")
        if not resource:
            errors.required(f"{at}.resource")
        elif resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
            errors.unsupported(f"{at}.resource", resource, _RESOURCES)
    elif kind in ("configMapKeyRef", "secretKeyRef"):
        errors.each(f"{at}.name", source.get("name", ""), names.dns_subdomain(source.get("name", "")))
        if not source.get("key"):
            errors.required(f"{at}.key")
        else:
            errors.each(f"{at}.key", source["key"], names.config_key(source["key"]))


def _env_from(errors: Errors, sources: Sequence[Wire], path: str) -> None:
    """ValidateEnvFrom"""
    for i, source in enumerate(sources):
        at = f"{path}[{i}]"
        if source.get("prefix"):
            errors.each(f"{at}.prefix", source["prefix"], names.env_name(source["prefix"]))
        used = [key for key in ("configMapRef", "secretRef") if key in source]
        for key in used:
            if not source[key].get("name"):
                errors.required(f"{at}.{key}.name")
            else:
                errors.each(f"{at}.{key}.name", source[key]["name"], names.dns_subdomain(source[key]["name"]))
        if not used:
            errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(used) > 1:
            errors.invalid(path, "", "may not have more than one field specified at a time")


def _mounts(errors: Errors, mounts: Sequence[Wire], path: str, volumes: Sequence[str]) -> None:
    """ValidateVolumeMounts"""
    seen: list[str] = []
    for i, mount in enumerate(mounts):
        at = f"{path}[{i}]"
        name, where = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.required(f"{at}.name")
        if name not in volumes:
            errors.not_found(f"{at}.name", name)
        if not where:
            errors.required(f"{at}.mountPath")
        if where in seen:
            errors.invalid(f"{at}.mountPath", where, "must be unique")
        seen.append(where)
        if mount.get("subPath"):
            if mount["subPath"].startswith("/"):
                errors.invalid(f"{path}.subPath", mount["subPath"], "must be a relative path")
            if ".." in mount["subPath"].split("/"):
                errors.invalid(f"{path}.subPath", mount["subPath"], "must not contain '..'")


# ---- resources


_STANDARD = ("cpu", "memory", "ephemeral-storage")


def resources(errors: Errors, found: Wire, path: str) -> None:
    """validateResourceRequirements"""
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    for name in sorted(limits):
        _amount(errors, name, limits[name], f"{path}.limits[{name}]")
    for name in sorted(requests):
        _amount(errors, name, requests[name], f"{path}.requests[{name}]")
        overcommit = "/" not in name and not name.startswith("hugepages-")
        if name in limits:
            asked, allowed = quantities.parse(requests[name]), quantities.parse(limits[name])
            if not overcommit and asked != allowed:
                text = f"must be equal to {name} limit of {limits[name]}"
                errors.invalid(f"{path}.requests", requests[name], text)
            elif asked > allowed:
                text = f"must be less than or equal to {name} limit of {limits[name]}"
                errors.invalid(f"{path}.requests", requests[name], text)
        elif not overcommit:
            errors.required(f"{path}.limits", "Limit must be set for non overcommitable resources")


def _amount(errors: Errors, name: str, amount: str, path: str) -> None:
    """validateContainerResourceName, ValidateResourceQuantityValue"""
    errors.each(path, name, names.qualified(name))
    if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        errors.invalid(path, name, "must be a standard resource type or fully qualified")
        errors.invalid(path, name, "must be a standard resource for containers")
    value = quantities.parse(amount)
    if value < 0:
        errors.invalid(path, amount, "must be greater than or equal to 0")
    if name not in _STANDARD and value != value.to_integral_value():
        errors.invalid(path, amount, "must be an integer")
