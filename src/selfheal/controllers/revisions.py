"""The history of a StatefulSet or DaemonSet: each template that it ever had, as a ControllerRevision.

The revision with the highest number holds the template of today. A template that comes back (a rollback)
gets the next number; it is not stored a second time. Old revisions that no pod uses any more go, the lowest
first, beyond ``revisionHistoryLimit``.

Follows pkg/controller/history/controller_history.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from selfheal.controllers.deployment.arithmetic import template_hash
from selfheal.controllers.ownership import claim, orphan_of, selected
from selfheal.errors import AlreadyExists
from selfheal.informers import Informers, controller_uid
from selfheal.objects import Object, key, labels, name, namespace, owner_reference, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

KIND = "ControllerRevision"

HASH = "controller-revision-hash"
"""Label of a pod: the revision that it was made from."""

SNAPSHOT = rule("revisions.snapshot", "pkg/controller/history/controller_history.go", "CreateControllerRevision")
AGAIN = rule("revisions.again", "pkg/controller/history/controller_history.go", "UpdateControllerRevision")
TRUNCATE = rule("revisions.truncate", "pkg/controller/statefulset/stateful_set_control.go", "truncateHistory")


class History(NamedTuple):
    """The revisions of one owner."""

    current: Object
    """The revision of the owner's template as it is."""
    old: list[Object]
    """All others, by number."""
    collisions: int
    """How often a new revision's name was taken; part of the next name."""


class Revisions:
    """Makes, finds and removes the revisions of one kind of owner."""

    def __init__(self, store: Store, informers: Informers) -> None:
        self._store = store
        self._informer = informers[KIND]
        self._informer.index("controller", controller_uid)
        self._informer.index("orphan", orphan_of)

    def list(self, owner: Object, cause: Cause | None) -> list[Object]:
        """Those that belong to the owner, by number; orphans that its selector matches are adopted."""
        found = [
            *self._informer.by("controller", uid(owner)),
            *self._informer.by("orphan", namespace(owner)),
        ]
        own = claim(self._store, owner, found, selected(owner["spec"].get("selector")), cause)
        return sorted(own, key=lambda r: (r["revision"], r["metadata"]["creationTimestamp"], name(r)))

    def history(self, owner: Object, cause: Cause | None, label: Callable[[str], dict[str, str]]) -> History:
        """All revisions of the owner, after the one of its present template has been made or renumbered.

        ``label`` gives the labels of a new revision from its hash. Raises ApiError.
        (getStatefulSetRevisions; the DaemonSet's constructHistory comes to the same)
        """
        known = self.list(owner, cause)
        collisions = int(owner["status"].get("collisionCount", 0))
        number = known[-1]["revision"] + 1 if known else 1
        data = _data(owner)
        same = [r for r in known if r["data"] == data]
        if not same:
            current, collisions = self._create(owner, data, number, collisions, label, cause)
        elif same[-1] is known[-1]:
            current = same[-1]
        else:
            why = Cause(AGAIN, cause, owner=name(owner), number=number)
            current = self._store.update({**same[-1], "revision": number}, cause=why)
        return History(current, [r for r in known if uid(r) != uid(current)], collisions)

    def _create(
        self,
        owner: Object,
        data: Object,
        number: int,
        collisions: int,
        label: Callable[[str], dict[str, str]],
        cause: Cause | None,
    ) -> tuple[Object, int]:
        why = Cause(SNAPSHOT, cause, owner=name(owner), number=number)
        while True:
            digest = template_hash(data, collisions)
            meta: Object = {
                "name": f"{name(owner)}-{digest}",
                "namespace": namespace(owner),
                "labels": {**_template_labels(owner), **label(digest)},
                "ownerReferences": [owner_reference(owner)],
            }
            notes = owner["metadata"].get("annotations")
            if notes:
                meta["annotations"] = notes
            revision = {"apiVersion": "apps/v1", "kind": KIND, "metadata": meta, "data": data, "revision": number}
            try:
                return self._store.create(revision, cause=why), collisions
            except AlreadyExists:
                there = self._store.get(KIND, meta["namespace"], meta["name"])
                if there is not None and there["data"] == data:
                    return there, collisions
                collisions += 1

    def truncate(self, owner: Object, old: Iterable[Object], used: set[str], cause: Cause | None) -> None:
        """Delete old revisions beyond the limit, lowest number first; ``used`` names those that must stay."""
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        idle = [r for r in old if name(r) not in used]
        for revision in idle[: max(0, len(idle) - limit)]:
            why = Cause(TRUNCATE, cause, owner=name(owner), limit=limit, object=name(revision))
            self._store.delete(KIND, *key(revision), cause=why)


def template_of(revision: Object) -> Object:
    """The pod template that a revision holds."""
    return {k: v for k, v in revision["data"]["spec"]["template"].items() if k != "$patch"}


def _data(owner: Object) -> Object:
    """The patch that would bring the owner's template back (getPatch)."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def _template_labels(owner: Object) -> dict[str, str]:
    return labels({"metadata": owner["spec"]["template"].get("metadata") or {}})
