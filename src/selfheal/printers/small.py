"""The rows of kinds that say little: a name, a word or a count, an age."""

from __future__ import annotations

from typing import Any

from selfheal.printers import selectors
from selfheal.printers.duration import since
from selfheal.printers.fields import Fields, at, mapping, number, text, true


def plain(obj: Fields, now: float) -> list[Any]:
    return [text(obj, "metadata.name"), since(at(obj, "metadata.creationTimestamp"), now)]


def _with(obj: Fields, now: float, *between: Any) -> list[Any]:
    name, age = plain(obj, now)
    return [name, *between, age]


def namespace(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, text(obj, "status.phase"))


def config_map(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, len(mapping(obj, "data")) + len(mapping(obj, "binaryData")))


def secret(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, text(obj, "type"), len(mapping(obj, "data")))


def lease(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, text(obj, "spec.holderIdentity"))


def priority_class(obj: Fields, now: float) -> list[Any]:
    row = _with(obj, now, number(obj, "value"), true(obj, "globalDefault"))
    return [*row, text(obj, "preemptionPolicy")]


def created_at(obj: Fields, _: float) -> list[Any]:
    return [text(obj, "metadata.name"), text(obj, "metadata.creationTimestamp")]


def role_binding(obj: Fields, now: float) -> list[Any]:
    role = f"{text(obj, 'roleRef.kind')}/{text(obj, 'roleRef.name')}"
    subjects = [s for s in at(obj, "subjects") or () if isinstance(s, dict)]
    users, groups = (
        ", ".join(text(s, "name") for s in subjects if s.get("kind") == kind) for kind in ("User", "Group")
    )
    accounts = ", ".join(
        f"{text(s, 'namespace')}/{text(s, 'name')}" for s in subjects if s.get("kind") == "ServiceAccount"
    )
    return [*_with(obj, now, role), users, groups, accounts]


def network_policy(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, selectors.selector_or_none(at(obj, "spec.podSelector")))


def runtime_class(obj: Fields, now: float) -> list[Any]:
    return _with(obj, now, text(obj, "handler"))
