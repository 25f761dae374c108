"""The rows of Services and their endpoints."""

from __future__ import annotations

from typing import Any

from selfheal.printers import selectors
from selfheal.printers.duration import since
from selfheal.printers.fields import Fields, at, items, mapping, number, strings, text

SHOWN = 3
"""So many ports or addresses are listed before ``+ N more...``."""


def service(service: Fields, now: float) -> list[Any]:
    """(pkg/printers/internalversion/printers.go printService)"""
    addresses = strings(service, "spec.clusterIPs")
    return [
        text(service, "metadata.name"),
        text(service, "spec.type"),
        (addresses[0] if addresses else text(service, "spec.clusterIP")) or "<none>",
        _external(service),
        ",".join(_service_port(port) for port in items(service, "spec.ports")) or "<none>",
        since(at(service, "metadata.creationTimestamp"), now),
        selectors.labels(mapping(service, "spec.selector")),
    ]


def _service_port(port: Fields) -> str:
    node_port = number(port, "nodePort")
    number_text = f"{number(port, 'port')}:{node_port}" if node_port > 0 else str(number(port, "port"))
    return f"{number_text}/{text(port, 'protocol')}"


def _external(service: Fields) -> str:
    """(printers.go getServiceExternalIP)"""
    kind, external = text(service, "spec.type"), strings(service, "spec.externalIPs")
    if kind == "ExternalName":
        return text(service, "spec.externalName")
    if kind == "LoadBalancer":
        ingress = items(service, "status.loadBalancer.ingress")
        balancers = {text(entry, "ip") or text(entry, "hostname") for entry in ingress}
        return ",".join([*sorted(balancers - {""}), *external]) or "<pending>"
    return (",".join(external) or "<none>") if kind in ("ClusterIP", "NodePort") else "<unknown>"


def endpoints(endpoints: Fields, now: float) -> list[Any]:
    return [
        text(endpoints, "metadata.name"),
        _addresses(items(endpoints, "subsets")),
        since(at(endpoints, "metadata.creationTimestamp"), now),
    ]


def _addresses(subsets: list[Fields]) -> str:
    """``10.0.0.1:80,10.0.0.2:80``: every ready address with every port (printers.go formatEndpoints)."""
    if not subsets:
        return "<none>"
    found = []
    for subset in subsets:
        addresses = [text(address, "ip") for address in items(subset, "addresses")]
        ports = items(subset, "ports")
        found += [host_port(a, number(p, "port")) for p in ports for a in addresses] if ports else addresses
    return _first(found)


def endpoint_slice(eps: Fields, now: float) -> list[Any]:
    """All addresses are listed, ready or not."""
    ports = [text(port, "port") or text(port, "name", "*") for port in items(eps, "ports")]
    addresses = [address for endpoint in items(eps, "endpoints") for address in strings(endpoint, "addresses")]
    return [
        text(eps, "metadata.name"),
        text(eps, "addressType"),
        _first(ports) or "<unset>",
        _first(addresses) or "<unset>",
        since(at(eps, "metadata.creationTimestamp"), now),
    ]


def _first(found: list[str]) -> str:
    shown = ",".join(found[:SHOWN])
    return f"{shown} + {len(found) - SHOWN} more..." if len(found) > SHOWN else shown


def host_port(host: str, port: int | str) -> str:
    """``10.0.0.1:80``, ``[fd00::1]:80`` (net.JoinHostPort)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
