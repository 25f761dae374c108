"""The EndpointSlice controller: which pods a Service stands for, and which of them may get traffic.

Every pod that matches the Service's selector and has an address is listed, ready or not; readiness
only decides its flags. A pod that is being deleted is no longer ready, but may still be serving.

Follows pkg/controller/endpointslice/endpointslice_controller.go and staging/src/k8s.io/endpointslice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods
from selfheal.errors import ApiError
from selfheal.informers import Backoff, Informers, WorkQueue
from selfheal.objects import (
    Key,
    Object,
    condition,
    controller_of,
    key,
    labels,
    matches_map,
    name,
    namespace,
    owner_reference,
    terminating,
    uid,
)
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"

MAX_ENDPOINTS = 100
"""Endpoints of one slice."""

RETRIES = 15
FIRST_BACKOFF = 1 * SECOND
LONGEST_BACKOFF = 1000 * SECOND

SLICE = rule("endpointslice.reconcile", "staging/src/k8s.io/endpointslice/reconciler.go", "Reconcile")

Ports = tuple[tuple[str, int, str], ...]
"""(name, number, protocol) of each port, as one pod resolves them."""


class StaleCache(ApiError):
    """The cache has not seen our own last write yet: later."""


@dataclass(slots=True)
class Plan:
    """What must be written for one set of ports."""

    create: list[list[Object]]
    update: list[tuple[Object, list[Object]]]
    delete: list[Object]


class EndpointSliceController:
    """Keeps the EndpointSlices of Services. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._services = informers["Service"]
        self._pods = informers["Pod"]
        self._nodes = informers["Node"]
        self._slices = informers["EndpointSlice"]
        self._slices.index("service", lambda s: f"{namespace(s)}/{labels(s).get(SERVICE_LABEL, '')}")
        self._written: dict[Key, dict[str, int]] = {}
        self._triggered: dict[Key, str] = {}
        backoff = Backoff(FIRST_BACKOFF, LONGEST_BACKOFF)
        self._queue = WorkQueue(clock, chance, "EndpointSlice", self._sync, retries=RETRIES, backoff=backoff)
        self._services.handle(lambda event: self._queue.add(event.key, event.cause))
        self._pods.handle(self._pod_changed)
        self._slices.handle(self._slice_changed)

    # ---- what may need work

    def _pod_changed(self, event: WatchEvent) -> None:
        pod, old = event.object, event.old
        if event.type == "MODIFIED" and old is not None and _seen_by_services(old) == _seen_by_services(pod):
            return
        both = (labels(pod), labels(old) if old is not None else labels(pod))
        for service in self._services.list(namespace(pod)):
            if any(matches_map(service["spec"].get("selector"), on) for on in both):
                self._queue.add(key(service), event.cause)

    def _slice_changed(self, event: WatchEvent) -> None:
        """Somebody else's change to one of our slices is put right."""
        obj = event.object
        service = labels(obj).get(SERVICE_LABEL)
        if service is None or labels(obj).get(MANAGED_BY) != CONTROLLER:
            return
        written = self._written.get((namespace(obj), service), {})
        if event.type == "DELETED":
            ours = written.pop(uid(obj), None) is None
        else:
            ours = obj["metadata"]["generation"] <= written.get(uid(obj), 0)
        if not ours:
            self._queue.add((namespace(obj), service), event.cause)

    # ---- the sync

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncService"""
        service = self._services.get(*where)
        if service is None:
            self._written.pop(where, None)
            self._triggered.pop(where, None)
            return
        spec = service["spec"]
        if spec.get("type") == "ExternalName" or not spec.get("selector"):
            return
        slices = [s for s in self._slices.by("service", "/".join(where)) if labels(s).get(MANAGED_BY) == CONTROLLER]
        self._check_fresh(where, slices)
        members = [p for p in self._pods.list(where[0]) if matches_map(spec["selector"], labels(p))]
        wanted: dict[Ports, list[Object]] = {}
        for pod in members:
            if _belongs(pod):
                wanted.setdefault(resolved_ports(service, pod), []).append(self._endpoint(service, pod))
        endpoints = [e for es in wanted.values() for e in es]
        ready = sum(1 for e in endpoints if e["conditions"]["ready"])
        why = Cause(SLICE, cause, service=name(service), endpoints=len(endpoints), ready=ready)
        self._write(service, slices, wanted, self._trigger_time(service, members), why)

    def _check_fresh(self, where: Key, slices: Iterable[Object]) -> None:
        """Work on what we know to be old would undo our own last write (EndpointSliceTracker.StaleSlices)."""
        written = self._written.setdefault(where, {})
        there = {uid(s): s["metadata"]["generation"] for s in slices if not terminating(s)}
        if any(there.get(u, 0) < generation for u, generation in written.items()):
            raise StaleCache("EndpointSlice informer cache is out of date")

    def _endpoint(self, service: Object, pod: Object) -> Object:
        """podToEndpoint"""
        serving = pods.ready(pod)
        leaving = terminating(pod)
        anyway = bool(service["spec"].get("publishNotReadyAddresses"))
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": anyway or (serving and not leaving), "serving": serving, "terminating": leaving},
            "nodeName": pod["spec"].get("nodeName"),
            "targetRef": {"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)},
        }
        node = self._nodes.get("", pod["spec"].get("nodeName") or "")
        zone = labels(node).get("topology.kubernetes.io/zone") if node is not None else None
        if zone:
            endpoint["zone"] = zone
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == name(service):
            endpoint["hostname"] = pod["spec"]["hostname"]
        return endpoint

    def _trigger_time(self, service: Object, members: Iterable[Object]) -> str | None:
        """When the latest change happened that this sync is about; None if that is known already."""
        times = [service["metadata"]["creationTimestamp"]]
        for pod in members:
            found = condition(pod, "Ready")
            times.append(found["lastTransitionTime"] if found else pod["metadata"]["creationTimestamp"])
        latest, known = max(times), self._triggered.get(key(service), "")
        self._triggered[key(service)] = max(latest, known)
        return latest if latest > known else None

    def _write(
        self,
        service: Object,
        slices: Sequence[Object],
        wanted: dict[Ports, list[Object]],
        trigger: str | None,
        cause: Cause,
    ) -> None:
        """Bring the slices to what is wanted, with as few writes as possible (reconciler.go reconcileByAddressType)."""
        groups: dict[Ports, list[Object]] = {ports: [] for ports in wanted}
        spare = []
        for found in slices:
            if controller_of(found) is None or controller_of(found)["uid"] != uid(service):  # type: ignore[index]
                spare.append(found)
            elif _ports_of(found) in groups:
                groups[_ports_of(found)].append(found)
            else:
                spare.append(found)
        create: list[tuple[Ports, list[Object]]] = []
        update: list[tuple[Object, Ports, list[Object]]] = []
        for ports, existing in groups.items():
            plan = _plan(existing, wanted[ports])
            create += [(ports, endpoints) for endpoints in plan.create]
            update += [(found, ports, endpoints) for found, endpoints in plan.update]
            spare += plan.delete
        if not create and not update and len(spare) == len(slices):
            create.append(((), []))  # a Service without pods has one empty slice
        while create and spare:
            # A slice that would be deleted gets the contents of one that would be made (finalize).
            ports, endpoints = create.pop(0)
            update.append((spare.pop(0), ports, endpoints))
        for ports, endpoints in create:
            self._note(service, self._store.create(_slice(service, ports, endpoints, trigger), cause=cause))
        for found, ports, endpoints in update:
            new = _slice(service, ports, endpoints, trigger, found)
            if not _same(new, found):
                self._note(service, self._store.update(new, cause=cause))
        for found in spare:
            self._written[key(service)].pop(uid(found), None)
            self._store.delete("EndpointSlice", *key(found), cause=cause)

    def _note(self, service: Object, written: Object) -> None:
        self._written[key(service)][uid(written)] = written["metadata"]["generation"]


def _seen_by_services(pod: Object) -> tuple[object, ...]:
    """All that a Service sees of a pod (podChanged)."""
    status = pod.get("status") or {}
    spec = pod["spec"]
    return (
        labels(pod),
        terminating(pod),
        pods.finished(pod),
        pods.ready(pod),
        status.get("podIP"),
        spec.get("nodeName"),
        spec.get("hostname"),
        spec.get("subdomain"),
    )


def _belongs(pod: Object) -> bool:
    """Whether a pod is an endpoint at all: it has an address and has not ended (ShouldPodBeInEndpoints)."""
    return bool(pod["status"].get("podIP")) and not pods.finished(pod)


def resolved_ports(service: Object, pod: Object) -> Ports:
    """The Service's ports as numbers; a name is looked up in the pod, and left out if the pod does not have it."""
    found = []
    for port in service["spec"].get("ports") or ():
        protocol = port.get("protocol", "TCP")
        number = _port_number(port.get("targetPort", port["port"]), protocol, pod)
        if number:
            found.append((port.get("name", ""), number, protocol))
    return tuple(found)


def _port_number(target: int | str, protocol: str, pod: Object) -> int:
    """pkg/api/v1/pod/util.go FindPort; 0 if there is no such port."""
    if isinstance(target, int):
        return target
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return 0


def _ports_of(found: Object) -> Ports:
    return tuple((p.get("name", ""), p["port"], p.get("protocol", "TCP")) for p in found.get("ports") or ())


def _pod_of(endpoint: Object) -> str:
    return str((endpoint.get("targetRef") or {}).get("name", ""))


def _plan(existing: Sequence[Object], wanted: Sequence[Object]) -> Plan:
    """Which slices of one set of ports change (reconcileByPortMapping).

    Endpoints stay in the slice they are in. New ones go first where something changes anyway, then into
    the fullest slice that has room for all of them, then into new slices of a hundred.
    """
    plan = Plan([], [], [])
    left = {_pod_of(e): e for e in sorted(wanted, key=_pod_of)}
    unchanged: list[tuple[Object, list[Object]]] = []
    for found in existing:
        before = found.get("endpoints") or []
        after = [left.pop(_pod_of(e)) for e in before if _pod_of(e) in left]
        if after == before:
            unchanged.append((found, after))
        elif after:
            plan.update.append((found, after))
        else:
            plan.delete.append(found)
    for _, endpoints in sorted(plan.update, key=lambda pair: -len(pair[1])):
        _fill(endpoints, left)
    while left:
        room = [pair for pair in unchanged if len(pair[1]) + len(left) <= MAX_ENDPOINTS]
        if room:
            fullest = max(room, key=lambda pair: len(pair[1]))
            _fill(fullest[1], left)
            plan.update.append(fullest)
        else:
            plan.create.append(_fill([], left))
    for endpoints in (*plan.create, *(endpoints for _, endpoints in plan.update)):
        endpoints.sort(key=_pod_of)
    return plan


def _fill(endpoints: list[Object], left: dict[str, Object]) -> list[Object]:
    """Move endpoints from ``left`` into a slice until it is full."""
    while left and len(endpoints) < MAX_ENDPOINTS:
        endpoints.append(left.pop(next(iter(left))))
    return endpoints


def _slice(
    service: Object, ports: Ports, endpoints: list[Object], trigger: str | None, found: Object | None = None
) -> Object:
    """A slice as it should be; ``found`` is the one that it replaces."""
    own = {k: v for k, v in labels(service).items() if k not in (SERVICE_LABEL, MANAGED_BY, HEADLESS)}
    if service["spec"].get("clusterIP") == "None":
        own[HEADLESS] = ""
    meta: Object = {
        **(found["metadata"] if found else {"generateName": f"{name(service)}-", "namespace": namespace(service)}),
        "labels": {**own, SERVICE_LABEL: name(service), MANAGED_BY: CONTROLLER},
        "ownerReferences": [owner_reference(service)],
    }
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != TRIGGER_TIME}
    if trigger is not None:
        notes[TRIGGER_TIME] = trigger
    meta["annotations"] = notes
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": n, "port": number, "protocol": protocol} for n, number, protocol in ports],
    }


def _same(new: Object, found: Object) -> bool:
    """Whether an update would change more than the time of the last change."""
    return all(new[k] == found.get(k) for k in ("endpoints", "ports")) and labels(new) == labels(found)
