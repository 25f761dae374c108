"""Validation of Services and of the other objects that make no pods.

pkg/apis/core/validation/validation.go. Objects are decoded and defaulted.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Any

from selfheal import quantities
from selfheal.manifests import containers, metadata, names
from selfheal.manifests.fields import Errors
from selfheal.manifests.pods import EFFECTS
from selfheal.objects import Object

Wire = Mapping[str, Any]

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
MAX_SIZE = 1024 * 1024
"""Bytes of a ConfigMap or Secret (MaxSecretSize)."""


def service(errors: Errors, obj: Object) -> None:
    """ValidateService"""
    spec = obj["spec"]
    ports, kind = spec.get("ports") or (), spec.get("type", "")
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and kind != "ExternalName":
        errors.required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        errors.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        name = spec.get("externalName", "").removesuffix(".")
        if spec.get("clusterIP"):
            errors.forbidden("spec.clusterIPs", "may not be set for ExternalName services")
        if name:
            errors.each("spec.externalName", name, names.dns_subdomain(name))
        else:
            errors.required("spec.externalName")
    seen: list[str] = []
    for i, port in enumerate(ports):
        _service_port(errors, port, f"spec.ports[{i}]", len(ports) > 1, seen)
    metadata.labels(errors, spec.get("selector"), "spec.selector")
    errors.one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    timeout = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if timeout is not None and not 0 < timeout <= 86400:
        where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        errors.invalid(where, timeout, "must be greater than 0 and less than 86400")
    address = spec.get("clusterIP")
    if address and not headless and not _is_address(address):
        errors.invalid("spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    for i, address in enumerate(spec.get("externalIPs") or ()):
        if not _is_address(address):
            text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            errors.invalid(f"spec.externalIPs[{i}]", address, text)
    errors.one_of("spec.type", kind, TYPES)
    node_ports: list[tuple[str, int]] = []
    service_ports: list[tuple[str, int]] = []
    for i, port in enumerate(ports):
        at, protocol, node_port = f"spec.ports[{i}]", port.get("protocol", ""), port.get("nodePort", 0)
        if node_port and kind == "ClusterIP":
            errors.forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'")
        if node_port and (protocol, node_port) in node_ports:
            errors.duplicate(f"{at}.nodePort", node_port)
        node_ports.append((protocol, node_port))
        if (protocol, port.get("port", 0)) in service_ports:
            key = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": port.get("port", 0)}
            errors.duplicate(at, {**key, "TargetPort": 0, "NodePort": 0})
        service_ports.append((protocol, port.get("port", 0)))
    for policy in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if policy in spec and spec[policy] not in ("Cluster", "Local"):
            errors.unsupported(f"spec.{policy}", spec[policy], ("Cluster", "Local"))
    if spec.get("externalTrafficPolicy") and kind == "ClusterIP" and not spec.get("externalIPs"):
        text = "may only be set for externally-accessible services"
        errors.invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], text)


def _service_port(errors: Errors, port: Wire, at: str, named: bool, seen: list[str]) -> None:
    """validateServicePort"""
    name = port.get("name", "")
    if name:
        errors.each(f"{at}.name", name, names.dns_label(name))
        if name in seen:
            errors.duplicate(f"{at}.name", name)
        seen.append(name)
    elif named:
        errors.required(f"{at}.name")
    errors.each(f"{at}.port", port.get("port", 0), names.port_number(port.get("port", 0)))
    errors.one_of(f"{at}.protocol", port.get("protocol"), containers.PROTOCOLS)
    containers.port_or_name(errors, port.get("targetPort", 0), f"{at}.targetPort")
    if "appProtocol" in port:
        errors.each(f"{at}.appProtocol", port["appProtocol"], names.qualified(port["appProtocol"]))


def service_update(errors: Errors, obj: Object, old: Object) -> None:
    """validateUpgradeDowngradeClusterIPs: an address is kept for life."""
    new, before = obj["spec"].get("clusterIP"), old["spec"].get("clusterIP")
    if "ExternalName" in (obj["spec"].get("type"), old["spec"].get("type")):
        return
    if before and new and new != before:
        errors.invalid("spec.clusterIPs[0]", [new], "may not change once set")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def node(errors: Errors, obj: Object) -> None:
    """ValidateNode"""
    seen: list[tuple[str, str]] = []
    for i, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        at = f"spec.taints[{i}]"
        key, value, effect = taint.get("key", ""), taint.get("value", ""), taint.get("effect", "")
        errors.each(f"{at}.key", key, names.qualified(key))
        wrong = names.label_value(value)
        if wrong:
            errors.invalid(f"{at}.value", value, ";".join(wrong))
        errors.one_of(f"{at}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            errors.duplicate(at, taint, "taints must be unique by key and effect pair")
        seen.append((key, effect))
    status = obj.get("status") or {}
    for kind in ("capacity", "allocatable"):
        for resource, amount in sorted((status.get(kind) or {}).items()):
            if quantities.parse(amount) < 0:
                errors.invalid(f"status.{kind}[{resource}]", amount, "must be greater than or equal to 0")


def config_map(errors: Errors, obj: Object) -> None:
    """ValidateConfigMap"""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in sorted(data):
        errors.each(f"data[{key}]", key, names.config_key(key))
        if key in binary:
            errors.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in sorted(binary):
        errors.each(f"binaryData[{key}]", key, names.config_key(key))
    if sum(len(v.encode()) for v in data.values()) + sum(len(base64.b64decode(v)) for v in binary.values()) > MAX_SIZE:
        errors.too_long("", MAX_SIZE)


def secret(errors: Errors, obj: Object) -> None:
    """ValidateSecret"""
    data = obj.get("data") or {}
    for key in sorted(data):
        errors.each(f"data[{key}]", key, names.config_key(key))
    if sum(len(base64.b64decode(v)) for v in data.values()) > MAX_SIZE:
        errors.too_long("data", MAX_SIZE)


def data_update(errors: Errors, obj: Object, old: Object) -> None:
    """A ConfigMap or Secret that says ``immutable`` stays what it was."""
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        errors.forbidden("immutable", "field is immutable when `immutable` is set")
    for key in ("data", "binaryData"):
        if obj.get(key) != old.get(key):
            errors.forbidden(key, "field is immutable when `immutable` is set")
