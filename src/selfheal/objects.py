"""Kubernetes objects as plain dicts in wire form, and what everyone needs to read them.

An object is what ``kubectl get -o json`` prints: a ``dict`` of ``apiVersion``, ``kind``,
``metadata``, ``spec`` and ``status``. Objects are never changed in place. To change one,
make a new dict that shares what did not change (:func:`replace`); then whoever holds
the old one still holds the truth of its moment, and nothing is ever copied deeply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object in wire form. Read-only by agreement."""

Key = tuple[str, str]
"""(namespace, name); the namespace of a cluster-wide object is ''."""


def name(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"]["name"])


def namespace(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"].get("namespace", ""))


def uid(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"].get("uid", ""))


def key(obj: Mapping[str, Any]) -> Key:
    return namespace(obj), name(obj)


def ref(obj: Mapping[str, Any]) -> str:
    """``Pod/web-0``, the way timelines name an object: in many records, so each such text is kept once."""
    return intern(f"{obj['kind']}/{name(obj)}")


def labels(obj: Mapping[str, Any]) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def terminating(obj: Mapping[str, Any]) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in obj["metadata"]


def replace(obj: Mapping[str, Any], path: str, value: Any) -> Object:
    """A new object in which ``path`` (``"status.phase"``) is ``value``; None removes it.

    Everything off the path is shared with the old object.
    """
    head, _, rest = path.partition(".")
    out = dict(obj)
    if rest:
        out[head] = replace(obj.get(head) or {}, rest, value)
    elif value is None:
        out.pop(head, None)
    else:
        out[head] = value
    return out


def controller_of(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The owner reference that says ``controller: true``, if any."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference  # type: ignore[no-any-return]
    return None


def owner_reference(owner: Mapping[str, Any]) -> Object:
    """A controller reference to ``owner`` (metav1.NewControllerRef)."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name(owner),
        "uid": uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """The condition of type ``kind`` in the object's status."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found["type"] == kind:
            return found  # type: ignore[no-any-return]
    return None


def condition_true(obj: Mapping[str, Any], kind: str) -> bool:
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def matches(selector: Mapping[str, Any] | None, on: Mapping[str, str]) -> bool:
    """Whether labels ``on`` match a ``LabelSelector`` (matchLabels and matchExpressions).

    None matches nothing, an empty selector everything
    (staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector).
    """
    if selector is None:
        return False
    for label, value in (selector.get("matchLabels") or {}).items():
        if on.get(label) != value:
            return False
    return all(_matches_expression(e, on) for e in selector.get("matchExpressions") or ())


def _matches_expression(expression: Mapping[str, Any], on: Mapping[str, str]) -> bool:
    label, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator == "In":
        return on.get(label) in values
    if operator == "NotIn":
        return on.get(label) not in values
    if operator == "Exists":
        return label in on
    if operator == "DoesNotExist":
        return label not in on
    raise ValueError(f"unknown operator {operator!r}")


def matches_map(selector: Mapping[str, str] | None, on: Mapping[str, str]) -> bool:
    """Whether labels match a plain map selector (Services, ReplicationControllers); an empty one matches nothing."""
    return bool(selector) and all(on.get(k) == v for k, v in (selector or {}).items())


def names(objs: Iterable[Mapping[str, Any]]) -> list[str]:
    return [name(o) for o in objs]
