"""Whose is it? Adoption and release.

A controller's objects are those that name it in their ownerReferences. An orphan whose labels match its selector
is adopted; an object whose labels no longer match is released, and lives on without an owner.

Follows pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from selfheal.errors import NotFound
from selfheal.objects import Object, controller_of, key, labels, matches, name, owner_reference, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

SOURCE = "pkg/controller/controller_ref_manager.go"

ADOPTED = rule(
    "ownership.adopt",
    SOURCE,
    "ClaimObject",
    "{object} has no owner and labels that match {owner}'s selector: it is adopted.",
)
RELEASED = rule(
    "ownership.release",
    SOURCE,
    "ClaimObject",
    "{object}'s labels no longer match {owner}'s selector: it is released.",
)


def claim(
    store: Store, owner: Object, objects: Iterable[Object], selects: Callable[[Object], bool], cause: Cause | None
) -> list[Object]:
    """Those of ``objects`` that belong to ``owner`` or do so from now on. Raises ApiError."""
    claimed = []
    for obj in objects:
        reference = controller_of(obj)
        if reference is not None:
            if reference["uid"] != uid(owner):
                continue
            if selects(obj):
                claimed.append(obj)
            elif not terminating(owner):
                _release(store, owner, obj, cause)
        elif not terminating(owner) and not terminating(obj) and selects(obj) and _still_there(store, owner):
            adopted = _adopt(store, owner, obj, cause)
            if adopted is not None:
                claimed.append(adopted)
    return claimed


def selected(selector: Object | None) -> Callable[[Object], bool]:
    """Whether an object's labels match a LabelSelector."""
    return lambda obj: matches(selector, labels(obj))


def _still_there(store: Store, owner: Object) -> bool:
    """The cache may be behind: ask the API before adopting anything (RecheckDeletionTimestamp)."""
    fresh = store.get(owner["kind"], *key(owner))
    return fresh is not None and uid(fresh) == uid(owner) and not terminating(fresh)


def _adopt(store: Store, owner: Object, obj: Object, cause: Cause | None) -> Object | None:
    why = Cause(ADOPTED, cause, object=name(obj), owner=name(owner))

    def change(current: Object) -> Object:
        references = [*(current["metadata"].get("ownerReferences") or ()), owner_reference(owner)]
        return {**current, "metadata": {**current["metadata"], "ownerReferences": references}}

    return _patch(store, obj, change, why)


def _release(store: Store, owner: Object, obj: Object, cause: Cause | None) -> None:
    why = Cause(RELEASED, cause, object=name(obj), owner=name(owner))

    def change(current: Object) -> Object:
        references = [r for r in current["metadata"].get("ownerReferences") or () if r["uid"] != uid(owner)]
        return {**current, "metadata": {**current["metadata"], "ownerReferences": references}}

    _patch(store, obj, change, why)


def _patch(store: Store, obj: Object, change: Callable[[Object], Object], cause: Cause) -> Object | None:
    """The patched object; None if it is gone in the meantime."""
    current = store.get(obj["kind"], *key(obj))
    if current is None or uid(current) != uid(obj):
        return None
    try:
        return store.patch(obj["kind"], *key(obj), change, cause=cause)
    except NotFound:
        return None
