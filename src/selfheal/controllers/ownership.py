"""Whose is it? Adoption and release.

A controller's objects are those that name it in their ownerReferences. An orphan whose labels match its selector
is adopted; an object whose labels no longer match is released, and lives on without an owner.

Follows pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from selfheal.errors import NotFound
from selfheal.informers import Informer, controller_uid
from selfheal.objects import (
    Object,
    controller_of,
    key,
    labels,
    matches,
    name,
    namespace,
    owner_reference,
    terminating,
    uid,
)
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

SOURCE = "pkg/controller/controller_ref_manager.go"

ADOPTED = rule("ownership.adopt", SOURCE, "ClaimObject")
RELEASED = rule("ownership.release", SOURCE, "ClaimObject")


def claim(
    store: Store, owner: Object, objects: Iterable[Object], selects: Callable[[Object], bool], cause: Cause | None
) -> list[Object]:
    """Those of ``objects`` that belong to ``owner`` or do so from now on. Raises ApiError."""
    claimed, own, leaving = [], uid(owner), terminating(owner)
    for obj in objects:
        reference = controller_of(obj)
        if reference is not None:
            if reference["uid"] != own:
                continue
            if selects(obj):
                claimed.append(obj)
            elif not leaving:
                _release(store, owner, obj, cause)
        elif not leaving and not terminating(obj) and selects(obj) and _still_there(store, owner):
            adopted = _adopt(store, owner, obj, cause)
            if adopted is not None:
                claimed.append(adopted)
    return claimed


def orphan_of(obj: Object) -> str | None:
    """The namespace of an object that nobody controls; an index."""
    return namespace(obj) if controller_of(obj) is None else None


class Owners:
    """All objects of a kind, as those who own others."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer

    def of(self, obj: Object) -> Object | None:
        """The one that controls ``obj``, if it is of this kind and still the same (resolveControllerRef)."""
        reference = controller_of(obj)
        if reference is None or reference["kind"] != self._informer.kind:
            return None
        found = self._informer.get(namespace(obj), reference["name"])
        return found if found is not None and uid(found) == reference["uid"] else None

    def concerned(self, event: WatchEvent) -> list[Object]:
        """Those for whom a change of a dependent means work (addPod, updatePod, deletePod).

        The owner before and after; of an orphan that is new or has other labels, all whose selector matches.
        """
        obj, old = event.object, event.old
        found = []
        changed_hands = old is not None and controller_uid(old) != controller_uid(obj)
        if old is not None and changed_hands:
            found.append(self.of(old))
        if controller_of(obj) is not None:
            found.append(self.of(obj))
        elif event.type == "DELETED" or terminating(obj):
            pass
        elif old is None or changed_hands or labels(old) != labels(obj):
            found += self.candidates(obj)
        return [owner for owner in found if owner is not None]

    def candidates(self, orphan: Object) -> list[Object]:
        """Those that would adopt it."""
        return [o for o in self._informer.list(namespace(orphan)) if selected(o["spec"].get("selector"))(orphan)]


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
