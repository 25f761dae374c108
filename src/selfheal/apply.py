"""``kubectl apply`` on an object that exists: three versions make one.

What stood in the manifest applied last and stands there no longer is removed; what the new
manifest says holds; all else in the live object stays, because others wrote it
(staging/src/k8s.io/kubectl/pkg/cmd/apply/patcher.go).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selfheal.objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "readinessGates": ("conditionType",),
}
"""Lists whose items are told apart by a field (``x-kubernetes-patch-merge-key``); all others are replaced whole."""


def annotated(obj: Object) -> Object:
    """The object with the annotation that remembers what was applied."""
    meta = obj.get("metadata") or {}
    plain = {**obj, "metadata": {"annotations": {}, **meta}}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":")) + "\n"
    notes = {**(meta.get("annotations") or {}), LAST_APPLIED: text}
    return {**obj, "metadata": {**meta, "annotations": notes}}


def three_way(live: Object, new: Object) -> Object:
    """The live object as it should be after ``new`` has been applied; status is left alone."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    last = json.loads(text) if text else {}
    return _merge(last, annotated(new), live)  # type: ignore[no-any-return]


def _merge(last: Any, new: Any, live: Any, field: str = "") -> Any:
    if isinstance(new, Mapping) and isinstance(live, Mapping):
        before = last if isinstance(last, Mapping) else {}
        out = {k: v for k, v in live.items() if k in new or k not in before}
        for k, value in new.items():
            if value is None:
                out.pop(k, None)
            else:
                out[k] = _merge(before.get(k), value, live.get(k), k)
        return out
    if isinstance(new, list) and isinstance(live, list) and field in MERGE_KEYS:
        for key in MERGE_KEYS[field]:
            if all(isinstance(item, Mapping) and key in item for item in (*new, *live)):
                return _merge_items(last if isinstance(last, list) else [], new, live, key)
    return new


def _merge_items(last: list[Any], new: list[Any], live: list[Any], key: str) -> list[Any]:
    """Items by their key: those of the manifest in its order, then those that others added."""
    old = {item[key]: item for item in live}
    before = {item[key]: item for item in last if isinstance(item, Mapping) and key in item}
    wanted = {item[key] for item in new}
    merged = [_merge(before.get(item[key]), item, old.get(item[key])) for item in new]
    return merged + [item for item in live if item[key] not in wanted and item[key] not in before]
