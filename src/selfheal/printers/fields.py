"""Reading objects that may lack anything: a printer prints what is there and never complains.

A path names its fields with dots (``"status.phase"``). A missing field, a null and a value of
the wrong type all read as the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]
"""An object or a part of one, in wire form."""


def at(obj: Any, path: str, default: Any = None) -> Any:
    """The value at ``path``, or ``default`` if it is missing or null."""
    for field in path.split("."):
        if not isinstance(obj, Mapping):
            return default
        obj = obj.get(field)
    return default if obj is None else obj


def text(obj: Any, path: str, default: str = "") -> str:
    """The value at ``path`` as text; ``true`` and ``false`` are written as Kubernetes writes them."""
    return written(at(obj, path, default))


def number(obj: Any, path: str, default: int = 0) -> int:
    value = at(obj, path, default)
    return value if isinstance(value, int) else default


def true(obj: Any, path: str) -> bool:
    return at(obj, path) is True


def mapping(obj: Any, path: str) -> Fields:
    value = at(obj, path)
    return value if isinstance(value, Mapping) else {}


def items(obj: Any, path: str) -> list[Fields]:
    """The list of mappings at ``path``."""
    value = at(obj, path)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def strings(obj: Any, path: str) -> list[str]:
    """The list at ``path``, each item as text."""
    value = at(obj, path)
    return [written(item) for item in value] if isinstance(value, (list, tuple)) else []


def find(obj: Any, path: str, kind: str) -> Fields | None:
    """The item of ``type: kind`` in the list at ``path`` (conditions, addresses)."""
    return next((item for item in items(obj, path) if item.get("type") == kind), None)


def condition_true(obj: Any, kind: str) -> bool:
    found = find(obj, "status.conditions", kind)
    return found is not None and found.get("status") == "True"


def controller(obj: Any) -> Fields | None:
    """The owner that says ``controller: true``."""
    return next((owner for owner in items(obj, "metadata.ownerReferences") if owner.get("controller") is True), None)


def deleting(obj: Any) -> bool:
    return at(obj, "metadata.deletionTimestamp") is not None


def written(value: Any) -> str:
    """A value as Go's ``%v`` writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    return str(value)


def title_bool(value: bool) -> str:
    """``True`` or ``False`` (staging/src/k8s.io/kubectl/pkg/describe/describe.go printBool)."""
    return "True" if value else "False"
