"""What kube-proxy makes of Services: which pods get the traffic of which address.

Ready endpoints share it. If a Service has none at all, those that are still serving while they
terminate get it, so that the last pod of a Service can finish its work.

Follows pkg/proxy/topology.go CategorizeEndpoints and pkg/proxy/iptables/proxier.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from selfheal.chance import Chance
from selfheal.network import Network, Unreachable
from selfheal.objects import Key, Object, key, labels, namespace
from selfheal.store import Store
from selfheal.watches import WatchEvent

SERVICE_LABEL = "kubernetes.io/service-name"

DOMAIN = ".svc.cluster.local"


class Backend(NamedTuple):
    """Somewhere a connection to a Service may go."""

    pod: str
    ip: str
    port: int


def backends(slices: Iterable[Object], port_name: str | None = None) -> list[Backend]:
    """Who gets the traffic of a Service's port (its first one, if not said), sorted by pod."""
    ready: dict[Backend, None] = {}
    leaving: dict[Backend, None] = {}
    for found in slices:
        ports = [p for p in found.get("ports") or () if port_name is None or p.get("name", "") == port_name]
        if not ports:
            continue
        for endpoint in found.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            pod = (endpoint.get("targetRef") or {}).get("name", "")
            backend = Backend(pod, endpoint["addresses"][0], ports[0]["port"])
            if conditions.get("ready", True):
                ready[backend] = None
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving[backend] = None
    return sorted(ready or leaving)


class ServiceProxy:
    """kube-proxy and the cluster's DNS for one network. Begins to work when it is made."""

    def __init__(self, store: Store, network: Network, chance: Chance) -> None:
        self._chance = chance
        self._services: dict[str, Object] = {}
        """By clusterIP."""
        self._slices: dict[Key, dict[Key, Object]] = {}
        """By Service."""
        self._store = store
        store.watch("Service", self._service_changed)
        store.watch("EndpointSlice", self._slice_changed)
        network.forward = self.forward
        network.lookup = self.lookup

    def _service_changed(self, event: WatchEvent) -> None:
        for obj in (event.old, event.object):
            if obj is not None:
                self._services.pop(obj["spec"].get("clusterIP", ""), None)
        address = event.object["spec"].get("clusterIP")
        if event.type != "DELETED" and address and address != "None":
            self._services[address] = event.object

    def _slice_changed(self, event: WatchEvent) -> None:
        obj = event.object
        of = self._slices.setdefault((namespace(obj), labels(obj).get(SERVICE_LABEL, "")), {})
        if event.type == "DELETED":
            of.pop(key(obj), None)
        else:
            of[key(obj)] = obj

    def forward(self, source: str, ip: str, port: int) -> tuple[str, int] | Unreachable | None:
        """Where a connection to a Service's address goes; None if no Service has it. Without backends it is refused."""
        service = self._services.get(ip)
        if service is None:
            return None
        asked = [p for p in service["spec"].get("ports") or () if p["port"] == port]
        if not asked:
            return "timeout"
        able = backends(self._slices.get(key(service), {}).values(), asked[0].get("name", ""))
        if not able:
            return "refused"
        stream = self._chance.stream("proxy", source, *key(service))
        chosen = stream.choice(stream.next(), able)
        return chosen.ip, chosen.port

    def lookup(self, host: str, space: str = "default") -> str | None:
        """The address of ``web``, ``web.default``, ``web.default.svc`` …, for a pod of namespace ``space``."""
        parts = host.rstrip(".").removesuffix(DOMAIN).removesuffix(".svc").split(".")
        if len(parts) > 2:
            return None
        space = parts[1] if len(parts) == 2 else space
        found = next((s for s in self._services.values() if key(s) == (space, parts[0])), None)
        return str(found["spec"]["clusterIP"]) if found is not None else None
