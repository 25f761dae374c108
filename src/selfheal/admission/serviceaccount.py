"""As whom a pod speaks to the API server, and the token by which it is known there.

plugin/pkg/admission/serviceaccount/admission.go
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal.errors import Forbidden
from selfheal.objects import Object, name

DEFAULT = "default"
MIRROR = "kubernetes.io/config.mirror"


def of(pod: Object, existing: Callable[..., list[Object]]) -> Object:
    """The service account of a new pod. Raises Forbidden if there is none.

    A new namespace gets the account ``default`` within a moment, for which the real plugin waits.
    """
    space, wanted = pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName") or DEFAULT
    found = next((a for a in existing("ServiceAccount", space) if name(a) == wanted), None)
    if found is not None:
        return found
    if wanted == DEFAULT or MIRROR in (pod["metadata"].get("annotations") or {}):
        return {}
    why = f'error looking up service account {space}/{wanted}: serviceaccount "{wanted}" not found'
    meta = pod["metadata"]  # before a name is made for it
    raise Forbidden(f'pods "{meta.get("generateName") or meta["name"]}" is forbidden: {why}')


def mounts(spec: Object, account: Object) -> bool:
    """Whether a pod gets a token: what it says itself counts, then what its account says (shouldAutomount)."""
    return next(
        (
            bool(told["automountServiceAccountToken"])
            for told in (spec, account)
            if told.get("automountServiceAccountToken") is not None
        ),
        True,
    )


MOUNTED_AT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a container finds the token of its service account."""


def with_token(spec: Object, volume: str) -> Object:
    """A pod with the volume of its service account's token (mountServiceAccountToken)."""
    mount = {"mountPath": MOUNTED_AT, "name": volume, "readOnly": True}
    out, mounted = dict(spec), False
    for group in ("initContainers", "containers"):
        containers = []
        for container in spec.get(group) or ():
            mounts = container.get("volumeMounts") or []
            if all(m.get("mountPath") != MOUNTED_AT for m in mounts):
                container, mounted = {**container, "volumeMounts": [*mounts, mount]}, True
            containers.append(container)
        if containers:
            out[group] = containers
    if not mounted:
        return spec
    field = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [field]}},
    ]
    token = {"name": volume, "projected": {"defaultMode": 420, "sources": sources}}
    out["volumes"] = [*(spec.get("volumes") or ()), token]
    return out
