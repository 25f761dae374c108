"""The PersistentVolume controller: claims and volumes find each other.

A claim is bound to the volume that it names, or that names it, or to the smallest that suits it. Nobody makes
volumes here: a claim that none suits waits.

Follows pkg/controller/volume/persistentvolume/pv_controller.go.
"""

from __future__ import annotations

from selfheal import quantities
from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, key, labels, matches, name, namespace, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

BOUND, BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"

BIND = rule("persistentvolume.bind", "pkg/controller/volume/persistentvolume/pv_controller.go", "bind")
RELEASE = rule("persistentvolume.release", "pkg/controller/volume/persistentvolume/pv_controller.go", "syncVolume")


class PersistentVolumeController:
    """Binds claims to volumes. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._claims = WorkQueue(clock, chance, "PersistentVolumeClaim", self._sync_claim)
        self._volumes = WorkQueue(clock, chance, "PersistentVolume", self._sync_volume)
        informers["PersistentVolumeClaim"].handle(self._claim_changed)
        informers["PersistentVolume"].handle(self._volume_changed)

    def _claim_changed(self, event: WatchEvent) -> None:
        volume = event.object["spec"].get("volumeName")
        if event.type != "DELETED":
            self._claims.add(event.key, event.cause)
        elif volume:
            self._volumes.add(("", volume), event.cause)

    def _volume_changed(self, event: WatchEvent) -> None:
        if event.type != "DELETED":
            self._volumes.add(event.key, event.cause)

    def _sync_claim(self, where: Key, cause: Cause | None) -> None:
        """syncUnboundClaim"""
        claim = self._store.get("PersistentVolumeClaim", *where)
        if claim is None or (claim.get("status") or {}).get("phase") == "Bound":
            return
        volume = self._for(claim)
        if volume is not None:
            self._bind(claim, volume, Cause(BIND, cause, claim=where[1], volume=name(volume)))

    def _sync_volume(self, where: Key, cause: Cause | None) -> None:
        """syncVolume"""
        volume = self._store.get("PersistentVolume", *where)
        if volume is None:
            return
        wanted = volume["spec"].get("claimRef")
        if not wanted:
            self._phase(volume, "Available", cause)
            for waiting in self._store.list("PersistentVolumeClaim"):
                self._claims.add(key(waiting), cause)
            return
        claim = self._store.get("PersistentVolumeClaim", wanted["namespace"], wanted["name"])
        if claim is not None and wanted.get("uid", uid(claim)) == uid(claim):
            self._claims.add(key(claim), cause)
        elif wanted.get("uid"):
            kept = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain") == "Retain"
            self._phase(volume, "Released" if kept else "Failed", Cause(RELEASE, cause, volume=where[1]))
        else:
            self._phase(volume, "Available", cause)

    def _for(self, claim: Object) -> Object | None:
        """The volume of a claim that has none yet (findBestMatchForClaim)."""
        there = [v for v in self._store.list("PersistentVolume") if _meant(v, claim) is not False]
        named = claim["spec"].get("volumeName")
        if named:
            return next((v for v in there if name(v) == named), None)
        fitting = [v for v in there if _meant(v, claim) or _suits(v, claim)]
        return min(fitting, key=lambda v: (not _meant(v, claim), _size(v["spec"].get("capacity"))), default=None)

    def _bind(self, claim: Object, volume: Object, cause: Cause) -> None:
        """bindVolumeToClaim, bindClaimToVolume: each names the other, then both are Bound."""
        own = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace(claim), "name": name(claim)}
        own |= {"uid": uid(claim), "resourceVersion": claim["metadata"]["resourceVersion"]}
        if (volume["spec"].get("claimRef") or {}).get("uid") != uid(claim):
            notes = {} if volume["spec"].get("claimRef") else {BY_CONTROLLER: "yes"}
            volume = self._store.update(
                _with({**volume, "spec": {**volume["spec"], "claimRef": own}}, notes), cause=cause
            )
        self._phase(volume, "Bound", cause)
        notes = {BOUND: "yes"} if claim["spec"].get("volumeName") else {BOUND: "yes", BY_CONTROLLER: "yes"}
        claim = self._store.update(
            _with({**claim, "spec": {**claim["spec"], "volumeName": name(volume)}}, notes), cause=cause
        )
        status = {"phase": "Bound", "accessModes": volume["spec"].get("accessModes") or []}
        status["capacity"] = volume["spec"].get("capacity") or {}
        if volume["spec"].get("volumeAttributesClassName"):
            status["currentVolumeAttributesClassName"] = volume["spec"]["volumeAttributesClassName"]
        self._store.update_status({**claim, "status": status}, cause=cause)

    def _phase(self, volume: Object, phase: str, cause: Cause | None) -> None:
        if (volume.get("status") or {}).get("phase") != phase:
            self._store.update_status({**volume, "status": {"phase": phase}}, cause=cause)


def _with(obj: Object, notes: dict[str, str]) -> Object:
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **notes}}} if notes else obj


def _meant(volume: Object, claim: Object) -> bool | None:
    """Whether a volume is kept for a claim; None if it is kept for nobody (isVolumeBoundToClaim)."""
    wanted = volume["spec"].get("claimRef")
    if not wanted:
        return None
    same = (wanted.get("namespace"), wanted.get("name")) == key(claim)
    return same and wanted.get("uid", uid(claim)) == uid(claim)


def _size(amounts: Object | None) -> int:
    return quantities.value((amounts or {}).get("storage", "0"))


def _suits(volume: Object, claim: Object) -> bool:
    """FindMatchingVolume"""
    has, wants = volume["spec"], claim["spec"]
    modes = set(has.get("accessModes") or ())
    fits = set(wants.get("accessModes") or ()) <= modes
    same = all(has.get(k, d) == wants.get(k, d) for k, d in (("storageClassName", ""), ("volumeMode", "Filesystem")))
    big = _size(has.get("capacity")) >= _size((wants.get("resources") or {}).get("requests"))
    return fits and same and big and matches(wants.get("selector") or {}, labels(volume))
