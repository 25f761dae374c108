"""The Endpoints controller: the old way to say which pods a Service stands for, kept up for those who still read it.

One object a Service: ready addresses in one list, the others in a second; pods that are being deleted are in
neither. Deprecated since 1.33; EndpointSlices say more (:mod:`selfheal.controllers.endpointslice`).

Follows pkg/controller/endpoint/endpoints_controller.go and pkg/api/v1/endpoints/util.go RepackSubsets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.controllers import pods
from selfheal.controllers.endpointslice import HEADLESS, RETRIES, TRIGGER_TIME, Ports, resolved_ports
from selfheal.errors import NotFound
from selfheal.informers import Informers, WorkQueue
from selfheal.objects import Key, Object, condition, key, labels, matches_map, name, namespace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
CONTROLLER = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"

READY = {True: "addresses", False: "notReadyAddresses"}

CAPACITY = 1000
"""Addresses of one object; the rest is left out, those that are not ready first (maxCapacity)."""

MIRROR = rule("endpoints.mirror", "pkg/controller/endpoint/endpoints_controller.go", "syncService")


class Entry(NamedTuple):
    """What one pod adds to the Endpoints of one Service."""

    ports: Ports
    ready: bool
    address: Object
    changed: str
    """When its readiness last changed, as its condition says."""


class EndpointsController:
    """Keeps the Endpoints of Services. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._services = informers["Service"]
        self._pods = informers["Pod"]
        self._entries: dict[Key, dict[str, Entry]] = {}
        """By Service, by the pod's uid; kept up to date with each change of a pod, so that nobody has to count anew."""
        self._queue = WorkQueue(clock, chance, "Endpoints", self._sync, retries=RETRIES)
        self._services.handle(self._service_changed)
        self._pods.handle(self._pod_changed)

    def _service_changed(self, event: WatchEvent) -> None:
        service, old = event.object, event.old
        if event.type == "DELETED":
            self._entries.pop(key(service), None)
        elif old is None or old["spec"] != service["spec"]:
            entries = self._entries[key(service)] = {}
            for pod in self._pods.list(namespace(service)):
                entry = _entry(service, pod)
                if entry is not None:
                    entries[uid(pod)] = entry
        self._queue.add(key(service), event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, old = event.object, event.old
        if event.type == "MODIFIED" and old is not None and _seen(old) == _seen(pod):
            return
        both = (labels(pod), labels(old) if old is not None else labels(pod))
        for service in self._services.list(namespace(pod)):
            if any(matches_map(service["spec"].get("selector"), on) for on in both):
                entries = self._entries.setdefault(key(service), {})
                entry = _entry(service, pod) if event.type != "DELETED" else None
                if entry is None:
                    entries.pop(uid(pod), None)
                else:
                    entries[uid(pod)] = entry
                self._queue.add(key(service), event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncService"""
        service = self._services.get(*where)
        if service is None:
            try:
                self._store.delete("Endpoints", *where, cause=cause)
            except NotFound:
                return
            return
        spec = service["spec"]
        if spec.get("type") == "ExternalName" or not spec.get("selector"):
            return
        entries = self._entries.get(where, {}).values()
        subsets, left_out = _truncated(_subsets(entries))
        current = self._store.get("Endpoints", *where)
        marks = {**labels(service), MANAGED_BY: CONTROLLER}
        if spec.get("clusterIP") in (None, "", "None"):
            marks[HEADLESS] = ""
        if current is not None and (current.get("subsets") or []) == subsets and labels(current) == marks:
            return
        notes = {TRIGGER_TIME: max([service["metadata"]["creationTimestamp"], *(e.changed for e in entries)])}
        if left_out:
            notes[OVER_CAPACITY] = "truncated"
        meta = {**(current["metadata"] if current else {}), "name": where[1], "namespace": where[0]}
        new = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {**meta, "labels": marks, "annotations": notes},
            **({"subsets": subsets} if subsets else {}),
        }
        ready = sum(len(s.get("addresses") or ()) for s in subsets)
        why = Cause(MIRROR, cause, service=name(service), ready=ready)
        if current is None:
            self._store.create(new, cause=why)
        else:
            self._store.update(new, cause=why)


def _entry(service: Object, pod: Object) -> Entry | None:
    """A pod as an address of a Service; None if it is none."""
    spec, status = service["spec"], pod["status"]
    anyway = bool(spec.get("publishNotReadyAddresses"))
    if not matches_map(spec.get("selector"), labels(pod)) or not status.get("podIP"):
        return None
    ports = resolved_ports(service, pod)
    if pods.finished(pod) or (terminating(pod) and not anyway) or (spec.get("ports") and not ports):
        return None
    address: Object = {
        "ip": status["podIP"],
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {"kind": "Pod", "name": name(pod), "namespace": namespace(pod), "uid": uid(pod)},
    }
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == name(service):
        address["hostname"] = pod["spec"]["hostname"]
    found = condition(pod, "Ready")
    return Entry(ports, anyway or pods.ready(pod), address, found["lastTransitionTime"] if found else "")


def _subsets(entries: Iterable[Entry]) -> list[Object]:
    """Addresses with the same ports together, by address (RepackSubsets)."""
    groups: dict[Ports, dict[bool, list[Object]]] = {}
    for entry in sorted(entries, key=lambda e: (e.address["ip"], e.address["targetRef"]["uid"])):
        groups.setdefault(entry.ports, {}).setdefault(entry.ready, []).append(entry.address)
    out = []
    for ports, group in sorted(groups.items()):
        subset: Object = {which: group[ready] for ready, which in READY.items() if ready in group}
        if ports:
            subset["ports"] = [{**({"name": n} if n else {}), "port": port, "protocol": p} for n, port, p in ports]
        out.append(subset)
    return out


def _truncated(subsets: list[Object]) -> tuple[list[Object], bool]:
    """At most a thousand addresses (truncateEndpoints); whether some were left out."""
    room, left_out = CAPACITY, False
    for which in READY.values():
        for subset in subsets:
            found = subset.get(which) or []
            left_out |= len(found) > room
            if found:
                subset[which] = found[:room]
            room -= min(room, len(found))
    return subsets, left_out


def _seen(pod: Object) -> tuple[object, ...]:
    status = pod.get("status") or {}
    spec = pod["spec"]
    place = (spec.get("nodeName"), spec.get("hostname"), spec.get("subdomain"))
    return (labels(pod), terminating(pod), pods.finished(pod), pods.ready(pod), status.get("podIP"), *place)
