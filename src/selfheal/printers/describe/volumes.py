"""Volumes: what each is, in kubectl's words, and its few facts.

Kinds of volume that only a cloud or a storage system can bring are shown as ``<unknown>``.
"""

from __future__ import annotations

from selfheal.printers import amounts
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import Fields, at, items, mapping, number, text, written

# The source's field → (its type in words, (name shown, field, shown when missing) …).
_KINDS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "hostPath": (
        "HostPath (bare host directory volume)",
        (("Path", "path", ""), ("HostPathType", "type", "<none>")),
    ),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        (("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName", "secretName", ""), ("Optional", "optional", "false")),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name", "name", ""), ("Optional", "optional", "false")),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", "false")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName", ""), ("ReadOnly", "readOnly", "false")),
    ),
    "image": (
        "Image (a container image or OCI artifact)",
        (("Reference", "reference", ""), ("PullPolicy", "pullPolicy", "")),
    ),
}


def volumes(w: Writer, found: list[Fields], indent: str = "") -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describeVolumes)"""
    if not found:
        w.line(f"{indent}Volumes:\t<none>")
        return
    w.line(f"{indent}Volumes:")
    for volume in found:
        w.line(f"{indent[:1]}{text(volume, 'name')}:", level=1)
        kind = next((kind for kind in _KINDS if at(volume, kind) is not None), None)
        if kind is not None:
            _plain(w, kind, mapping(volume, kind))
        elif at(volume, "downwardAPI") is not None:
            _downward(w, mapping(volume, "downwardAPI"))
        elif at(volume, "projected") is not None:
            _projected(w, mapping(volume, "projected"))
        else:
            w.line("<unknown>", level=1)


def _plain(w: Writer, kind: str, source: Fields) -> None:
    words, shown = _KINDS[kind]
    w.field("Type", words, level=2)
    for name, field, missing in shown:
        value = at(source, field, missing)
        w.field(name, amounts.canonical(value) if field == "sizeLimit" else value, level=2)


def _downward(w: Writer, source: Fields) -> None:
    w.field("Type", "DownwardAPI (a volume populated by information about the pod)", level=2)
    w.line("Items:", level=2)
    for item in items(source, "items"):
        for ref in ("fieldRef.fieldPath", "resourceFieldRef.resource"):
            if at(item, ref) is not None:
                w.line(f"{text(item, ref)} -> {text(item, 'path')}", level=3)


def _projected(w: Writer, source: Fields) -> None:
    """(describe.go printProjectedVolumeSource)"""
    w.field("Type", "Projected (a volume that contains injected data from multiple sources)", level=2)
    for part in items(source, "sources"):
        for field, name in (("secret", "SecretName"), ("downwardAPI", "DownwardAPI"), ("configMap", "ConfigMapName")):
            if at(part, field) is None:
                continue
            if field == "downwardAPI":
                w.field(name, "true", level=2)
            else:
                w.field(name, text(part, f"{field}.name"), level=2)
                w.field("Optional", written(at(part, f"{field}.optional", False)), level=2)
            break
        else:
            if at(part, "serviceAccountToken") is not None:
                seconds = number(part, "serviceAccountToken.expirationSeconds")
                w.field("TokenExpirationSeconds", seconds, level=2)
