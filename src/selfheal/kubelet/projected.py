"""What stands in the files of a volume that shows objects: a ConfigMap, a Secret, the pod itself, its account's token.

pkg/volume/util/atomic_writer.go (FileProjection), pkg/volume/projected/projected.go collectData,
pkg/volume/volume_linux.go SetVolumeOwnership
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from selfheal.objects import Object
from selfheal.programs.filesystem import Directory, File, tree

Payload = dict[str, tuple[str, int | None]]
"""Path of a file → (its text, its mode if it has one of its own)."""

DEFAULT_MODE = 0o644
PRIVATE = 0o600
"""A token that belongs to one user or group."""
READABLE = 0o440
"""What the group of a volume may, beyond what its files say."""


def texts(obj: Object) -> dict[str, str]:
    """The texts of a ConfigMap, or of a Secret as its containers see them."""
    data = obj.get("data") or {}
    if obj["kind"] == "ConfigMap":
        return {**data, **_decoded(obj.get("binaryData") or {})}
    return _decoded(data)


def _decoded(data: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


def payload(wanted: Mapping[str, Any], obj: Object | None) -> Payload:
    """What a volume shows of an object: all of it, or the ``items`` that it names."""
    data = {} if obj is None else texts(obj)
    if items := wanted.get("items"):
        return {item["path"]: (data[item["key"]], item.get("mode")) for item in items if item["key"] in data}
    return {key: (text, None) for key, text in sorted(data.items())}


def merged(parts: list[Callable[[], Payload]]) -> Callable[[], Payload]:
    """What several sources show in one directory."""
    return lambda: {path: file for part in parts for path, file in part().items()}


def directory(volume: Mapping[str, Any], spec: Object, found: Callable[[], Payload]) -> Directory:
    """The directory of a volume. Its files are made when somebody looks: most never are."""
    mode = volume.get("defaultMode", DEFAULT_MODE)
    group = (spec.get("securityContext") or {}).get("fsGroup")

    def files() -> Mapping[str, Any]:
        out: dict[str, Any] = {}
        for path, (text, own) in found().items():
            rights = mode if own is None else own
            out["/" + path] = File(text, rights if group is None else rights | READABLE)
        return tree(out).entries

    return Directory(files)


def token_mode(spec: Object) -> int | None:
    """The mode of a token's file; None: that of the volume."""
    own = spec.get("securityContext") or {}
    return PRIVATE if own.get("fsGroup") is not None or _one_user(spec) is not None else None


def _one_user(spec: Object) -> int | None:
    """As whom all containers of a pod run, if it is one (pkg/securitycontext/util.go FsUserFrom)."""
    users = {
        (c.get("securityContext") or {}).get("runAsUser", (spec.get("securityContext") or {}).get("runAsUser"))
        for c in _containers(spec)
    }
    return next(iter(users)) if len(users) == 1 else None


def _containers(spec: Object) -> Iterable[Mapping[str, Any]]:
    for group in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(group) or ()
