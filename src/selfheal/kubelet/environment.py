"""A container's variables (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables).

First where the namespace's Services are, then what ``envFrom`` brings, then ``env`` in order; each value may use
``$(NAME)`` of those of ``env`` before it. What is missing and not optional keeps the container from being made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfheal.kubelet import fieldpath
from selfheal.kubelet.fieldpath import ConfigError
from selfheal.kubelet.projected import texts
from selfheal.objects import Object, name, namespace
from selfheal.probes.exec import expand
from selfheal.spec import Container
from selfheal.store import Store

SOURCES = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
KEYS = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}


def environment(store: Store, pod: Object, c: Container, own: dict[str, str], fields: dict[str, str]) -> dict[str, str]:
    """``own`` is what the node gives, ``fields`` what it knows of the pod; raises :class:`ConfigError`."""
    env: dict[str, str] = {}
    brought: dict[str, str] = {}
    groups = ("initContainers", "containers", "ephemeralContainers")
    containers = [x for group in groups for x in pod["spec"].get(group) or ()]
    for source in next(x for x in containers if x["name"] == c.name).get("envFrom") or ():
        for key, kind in SOURCES.items():
            if key in source:
                held = _texts(store, pod, kind, source[key])
                brought.update({f"{source.get('prefix', '')}{k}": v for k, v in (held or {}).items()})
    if pod["spec"].get("enableServiceLinks", True):
        own = {**links(store.list("Service", namespace(pod))), **own}
    services = {k: v for k, v in own.items() if k != "HOSTNAME"}
    for variable in c.env:
        if variable.value is not None:
            env[variable.name] = expand(variable.value, {**services, **env})
            continue
        for key, at in (variable.value_from or {}).items():
            if key == "fieldRef":
                path = at.get("fieldPath", "")
                env[variable.name] = fields[path] if path in fields else fieldpath.value(pod, path)
            elif key == "resourceFieldRef":
                env[variable.name] = fieldpath.resource(pod, at, fields, c.name)
            elif key in KEYS:
                held = _texts(store, pod, KEYS[key], at)
                if held is not None and at["key"] in held:
                    env[variable.name] = held[at["key"]]
                elif held is not None and not at.get("optional"):
                    where = f"{namespace(pod)}/{at['name']}"
                    raise ConfigError(f"couldn't find key {at['key']} in {KEYS[key]} {where}")
    return {**own, **brought, **env}


def links(services: Iterable[Object]) -> dict[str, str]:
    """Where the Services of the pod's namespace are, as they are when it starts (pkg/kubelet/envvars/envvars.go)."""
    env: dict[str, str] = {}
    for service in services:
        ip, ports = service["spec"].get("clusterIP"), service["spec"].get("ports")
        if ip in (None, "", "None") or not ports:
            continue
        prefix = _variable(name(service))
        url = f"[{ip}]" if ":" in ip else ip
        env |= {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
        env |= {f"{prefix}_SERVICE_PORT_{_variable(p['name'])}": str(p["port"]) for p in ports if p.get("name")}
        for n, port in enumerate(ports):
            protocol = port.get("protocol", "TCP")
            called, where = f"{prefix}_PORT_{port['port']}_{protocol}", f"{protocol.lower()}://{url}:{port['port']}"
            if n == 0:
                env[f"{prefix}_PORT"] = where
            env |= {called: where, f"{called}_PROTO": protocol.lower(), f"{called}_PORT": str(port["port"])}
            env[f"{called}_ADDR"] = ip
    return env


def _variable(text: str) -> str:
    return text.upper().replace("-", "_")


def _texts(store: Store, pod: Object, kind: str, at: dict[str, Any]) -> dict[str, str] | None:
    """What a ConfigMap or Secret holds; None if there is none and it need not be."""
    obj = store.get(kind, namespace(pod), at["name"])
    if obj is None and not at.get("optional"):
        raise ConfigError(f'{kind.lower()} "{at["name"]}" not found')
    return None if obj is None else texts(obj)
