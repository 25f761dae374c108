"""The ResourceQuota controller: counts what is used of each quota.

It does so for a new quota, for one whose limits have changed, when something goes or needs less, and for all of them
each five minutes. What comes is charged before it is stored (:mod:`selfheal.admission.resourcequota`).

Follows pkg/controller/resourcequota/resource_quota_controller.go and resource_quota_monitor.go.
"""

from __future__ import annotations

from selfheal.admission import resourcequota
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, key, namespace
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

RESYNC = 300 * SECOND
"""--resource-quota-sync-period, in µs"""

IGNORED = ("Event",)

COUNT = rule(
    "resourcequota.sync",
    "pkg/controller/resourcequota/resource_quota_controller.go",
    "syncResourceQuota",
)


class ResourceQuotaController:
    """Keeps the status of quotas. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._quotas = informers["ResourceQuota"]
        self._queue = WorkQueue(clock, chance, "ResourceQuota", self._sync)
        self._quotas.handle(self._quota_changed)
        store.watch(None, self._changed, immediate=True)

    def _quota_changed(self, event: WatchEvent) -> None:
        if event.type != "DELETED" and (event.old is None or event.old["spec"] != event.object["spec"]):
            self._queue.add(event.key, event.cause)

    def _changed(self, event: WatchEvent) -> None:
        """Something else may have been set free: it is gone, or it needs less than before."""
        obj = event.object
        if event.type == "ADDED" or obj["kind"] in IGNORED or not self._quotas.list(namespace(obj)):
            return
        resource, old = self._store.resource(obj["kind"]), event.old
        for quota in self._quotas.list(namespace(obj)):
            before = None if event.type == "DELETED" or old is None else resourcequota.taken(quota, old, resource)
            if before is None or before != resourcequota.taken(quota, obj, resource):
                self._queue.add(key(quota), event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncResourceQuota"""
        quota = self._store.get("ResourceQuota", *where)
        if quota is None:
            return
        self._queue.add_after(where, RESYNC)
        hard = quota["spec"].get("hard") or {}
        used = resourcequota.used(quota, self._all(where[0]))
        status = {"hard": hard, "used": used}
        if quota.get("status") != status:
            why = Cause(COUNT, cause, quota=where[1])
            self._store.update_status({**quota, "status": status}, cause=why)

    def _all(self, space: str) -> list[tuple[Object, str]]:
        return [
            (obj, self._store.resource(kind))
            for kind in self._store.kinds()
            if kind not in IGNORED
            for obj in self._store.list(kind, space)
        ]
