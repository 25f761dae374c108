"""The EndpointSlice mirroring controller: Endpoints that somebody keeps by hand, as EndpointSlices.

It takes the Endpoints of Services without a selector; those of the others have slices of their own
(:mod:`selfheal.controllers.endpointslice`). One slice mirrors the addresses of one set of ports.

Follows pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go and reconciler.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers.endpointslice import HEADLESS, MANAGED_BY, RETRIES, SERVICE_LABEL
from selfheal.informers import Backoff, Informers, WorkQueue
from selfheal.objects import Key, Object, key, labels, name, namespace, owner_reference
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

MAX_ENDPOINTS = 1000
"""Addresses of one subset that are mirrored."""

MIRROR = rule(
    "endpointslicemirroring.sync",
    "pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go",
    "syncEndpoints",
)


class EndpointSliceMirroringController:
    """Mirrors Endpoints. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._services = informers["Service"]
        self._endpoints = informers["Endpoints"]
        backoff = Backoff(1 * SECOND, 100 * SECOND)
        self._queue = WorkQueue(clock, chance, "EndpointSliceMirroring", self._sync, retries=RETRIES, backoff=backoff)
        self._services.handle(self._service_changed)
        self._endpoints.handle(self._endpoints_changed)
        informers["EndpointSlice"].handle(self._slice_changed)

    def _service_changed(self, event: WatchEvent) -> None:
        if self._endpoints.get(*event.key) is not None:
            self._queue.add(event.key, event.cause)

    def _endpoints_changed(self, event: WatchEvent) -> None:
        if _mirrored(event.object) or (event.old is not None and _mirrored(event.old)):
            self._queue.add(event.key, event.cause)

    def _slice_changed(self, event: WatchEvent) -> None:
        obj = event.object
        if labels(obj).get(MANAGED_BY) == CONTROLLER and SERVICE_LABEL in labels(obj):
            self._queue.add((namespace(obj), labels(obj)[SERVICE_LABEL]), event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncEndpoints"""
        service, endpoints = self._services.get(*where), self._endpoints.get(*where)
        slices = [s for s in self._store.list("EndpointSlice", where[0]) if _is_mirror(s, where[1])]
        wanted: list[Object] = []
        if (
            endpoints is not None
            and service is not None
            and _mirrored(endpoints)
            and not service["spec"].get("selector")
        ):
            wanted = list(_slices(endpoints))
        why = Cause(MIRROR, cause, service=where[1])
        for found in slices:
            same = next((w for w in wanted if (w["addressType"], w["ports"]) == _kind_of(found)), None)
            if same is None:
                self._store.delete("EndpointSlice", *key(found), cause=why)
                continue
            wanted.remove(same)
            if any(found.get(k) != v for k, v in same.items() if k != "metadata"):
                self._store.update({**found, **same, "metadata": found["metadata"]}, cause=why)
        for new in wanted:
            self._store.create(new, cause=why)


def _mirrored(endpoints: Object) -> bool:
    """Whether Endpoints are to be mirrored at all (shouldMirror)."""
    notes = endpoints["metadata"].get("annotations") or {}
    return labels(endpoints).get(SKIP) != "true" and LEADER not in notes


def _is_mirror(found: Object, service: str) -> bool:
    return labels(found).get(SERVICE_LABEL) == service and labels(found).get(MANAGED_BY) == CONTROLLER


def _kind_of(found: Object) -> tuple[str, list[Object]]:
    return found["addressType"], found.get("ports") or []


def _slices(endpoints: Object) -> Iterator[Object]:
    """What mirrors the subsets of Endpoints: those with the same ports together."""
    groups: dict[tuple[str, tuple[tuple[str, int, str], ...]], list[Object]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = tuple((p.get("name", ""), p["port"], p.get("protocol", "TCP")) for p in subset.get("ports") or ())
        for ready, which in ((True, "addresses"), (False, "notReadyAddresses")):
            for address in (subset.get(which) or ())[:MAX_ENDPOINTS]:
                family = "IPv6" if ":" in address["ip"] else "IPv4"
                groups.setdefault((family, ports), []).append(_endpoint(address, ready=ready))
    own = {k: v for k, v in labels(endpoints).items() if k != HEADLESS}
    notes = {k: v for k, v in (endpoints["metadata"].get("annotations") or {}).items() if k != LAST_APPLIED}
    meta: Object = {
        "generateName": f"{name(endpoints)}-",
        "namespace": namespace(endpoints),
        "labels": {**own, SERVICE_LABEL: name(endpoints), MANAGED_BY: CONTROLLER},
        "ownerReferences": [owner_reference(endpoints)],
    }
    if notes:
        meta["annotations"] = notes
    for (family, ports), found in groups.items():
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": meta,
            "addressType": family,
            "endpoints": found,
            "ports": [{"name": n, "port": port, "protocol": protocol} for n, port, protocol in ports],
        }


def _endpoint(address: Object, *, ready: bool) -> Object:
    """addressToEndpoint"""
    out: Object = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    return out | {k: address[k] for k in ("hostname", "nodeName", "targetRef") if address.get(k)}
