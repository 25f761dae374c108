"""Label and field selectors of lists and watches.

staging/src/k8s.io/apimachinery/pkg/fields/selector.go, and each kind's fields: pkg/registry/*/strategy.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal.errors import BadRequest
from selfheal.objects import Object, labels, matches
from selfheal.scenario.selectors import selector as label_selector
from selfheal.server.extensions import custom
from selfheal.server.http import Request
from selfheal.server.resources import Resource

_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Node": ("spec.unschedulable",),
    "ReplicaSet": ("status.replicas",),
    "ReplicationController": ("status.replicas",),
    "Job": ("status.successful",),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "Event": (*(f"involvedObject.{f}" for f in _INVOLVED), "reason", "reportingComponent", "source", "type"),
}
"""By kind; metadata.name and metadata.namespace go for all."""

ELSEWHERE = {"status.successful": "status.succeeded", "source": "source.component"}
"""Fields that lie under another name."""

Matcher = Callable[[Object], bool]


def _value(obj: Object, path: str) -> str:
    value: Any = obj
    for word in ELSEWHERE.get(path, path).split("."):
        value = value.get(word) if isinstance(value, dict) else None
    if path == "source" and not value:
        value = obj.get("reportingComponent")  # events.k8s.io has no source (pkg/registry/core/event/strategy.go)
    if path in ("status.replicas", "status.successful"):
        value = value or 0
    if path in ("spec.unschedulable", "spec.hostNetwork"):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _terms(text: str) -> list[tuple[str, bool, str]]:
    """(field, equal?, value) of each term."""
    found = []
    for part in _split(text):
        for sign in ("!=", "==", "="):
            field, found_sign, value = part.partition(sign)
            if found_sign:
                found.append((field.strip(), sign != "!=", value.replace("\\,", ",").replace("\\=", "=")))
                break
        else:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
    return found


def _split(text: str) -> list[str]:
    parts, rest = [], text
    while rest:
        at = next((i for i, c in enumerate(rest) if c == "," and (i == 0 or rest[i - 1] != "\\")), len(rest))
        if rest[:at].strip():
            parts.append(rest[:at])
        rest = rest[at + 1 :]
    return parts


def matcher(request: Request, resource: Resource, name: str = "") -> Matcher | None:
    """Which objects a list or a watch is about; None: all. Raises BadRequest."""
    wants = label_selector(request.get("labelSelector")) if request.get("labelSelector") else None
    terms = _terms(request.get("fieldSelector"))
    if resource.api_version == "events.k8s.io/v1":
        terms = [(f.replace("regarding.", "involvedObject."), equal, value) for f, equal, value in terms]
    own = resource.custom.selectable if resource.custom else FIELDS.get(resource.stored, ())
    known = ("metadata.name", "metadata.namespace", *(field.removeprefix(".") for field in own))
    for field, _, _ in terms:
        if field not in known:
            raise BadRequest(f"field label not supported: {field}")
    if name:
        terms.append(("metadata.name", True, name))
    if wants is None and not terms:
        return None

    def match(obj: Object) -> bool:
        if terms and resource.custom is not None:
            obj = custom.outward(obj, resource)
        if any((_value(obj, field) == value) != equal for field, equal, value in terms):
            return False
        return wants is None or matches(wants, labels(obj))

    return match
