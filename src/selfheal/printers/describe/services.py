"""Services and who stands behind them: Endpoints and EndpointSlices."""

from __future__ import annotations

from selfheal.objects import Object
from selfheal.printers import selectors
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import Fields, at, items, mapping, number, strings, text
from selfheal.printers.network import SHOWN, host_port

SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which an EndpointSlice names its Service."""


def service(w: Writer, service: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describeService)"""
    spec = mapping(service, "spec")
    parts.head(w, service)
    parts.labels(w, service)
    w.field("Selector", selectors.labels(mapping(spec, "selector")))
    w.field("Type", text(spec, "type"))
    if at(spec, "ipFamilyPolicy") is not None:
        w.field("IP Family Policy", text(spec, "ipFamilyPolicy"))
    w.field("IP Families", ",".join(strings(spec, "ipFamilies")) or "<none>")
    w.field("IP", text(spec, "clusterIP"))
    w.field("IPs", ",".join(strings(spec, "clusterIPs")) or "<none>")
    for name, value in (
        ("External IPs", ",".join(strings(spec, "externalIPs"))),
        ("Desired LoadBalancer IP", text(spec, "loadBalancerIP")),
        ("External Name", text(spec, "externalName")),
        ("LoadBalancer Ingress", ", ".join(map(_ingress, items(service, "status.loadBalancer.ingress")))),
    ):
        if value:
            w.field(name, value)
    slices = _slices(service, lister)
    for port in items(spec, "ports"):
        _port(w, port, slices)
    w.field("Session Affinity", text(spec, "sessionAffinity"))
    for name, value in (
        ("External Traffic Policy", text(spec, "externalTrafficPolicy")),
        ("Internal Traffic Policy", text(spec, "internalTrafficPolicy")),
        ("HealthCheck NodePort", text(spec, "healthCheckNodePort").lstrip("0")),
        ("LoadBalancer Source Ranges", ",".join(strings(spec, "loadBalancerSourceRanges"))),
        ("Traffic Distribution", text(spec, "trafficDistribution")),
    ):
        if value:
            w.field(name, value)
    parts.events_table(w, parts.events_of(service, lister), now)


def _port(w: Writer, port: Fields, slices: list[Object]) -> None:
    name, protocol = text(port, "name") or "<unset>", text(port, "protocol")
    w.field("Port", f"{name}\t{number(port, 'port')}/{protocol}")
    w.field("TargetPort", f"{text(port, 'targetPort', '0')}/{protocol}")
    if at(port, "appProtocol") is not None:
        w.field("AppProtocol", text(port, "appProtocol"))
    if node_port := number(port, "nodePort"):
        w.field("NodePort", f"{name}\t{node_port}/{protocol}")
    w.field("Endpoints", ready_endpoints(slices, text(port, "name")))


def _ingress(of: Fields) -> str:
    address, mode = text(of, "ip"), text(of, "ipMode")
    return (f"{address} ({mode})" if mode else address) if address else text(of, "hostname")


def _slices(service: Object, lister: Lister) -> list[Object]:
    name, namespace = text(service, "metadata.name"), text(service, "metadata.namespace")
    found = lister.list("EndpointSlice", namespace)
    return [eps for eps in found if mapping(eps, "metadata.labels").get(SERVICE_NAME) == name]


def ready_endpoints(slices: list[Object], port_name: str) -> str:
    """``10.0.0.1:8080,10.0.0.2:8080``: up to three ready addresses behind one port (formatEndpointSlices).

    kubectl notices that there may be more when it comes to *any* fourth endpoint, ready or not, so
    the text can end in ``+ 0 more...``.
    """
    if not slices:
        return "<none>"
    found: list[str] = []
    more = False
    for eps in slices:
        endpoints, ports = items(eps, "endpoints"), items(eps, "ports")
        # A headless Service may have no ports: then the addresses stand alone.
        for port in [p for p in ports if text(p, "name") == port_name] if ports else [None]:
            for endpoint in endpoints:
                more = more or len(found) >= SHOWN
                if at(endpoint, "conditions.ready") is False:
                    continue
                address = next(iter(strings(endpoint, "addresses")), "")
                found.append(address if port is None else host_port(address, number(port, "port")))
    shown = ",".join(found[:SHOWN])
    return f"{shown} + {len(found) - SHOWN} more..." if more else shown


def endpoints(w: Writer, endpoints: Object, lister: Lister, now: float) -> None:
    """(describe.go describeEndpoints)"""
    parts.head(w, endpoints)
    parts.labels(w, endpoints)
    w.line("Subsets:")
    for subset in items(endpoints, "subsets"):
        for name, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            w.field(name, ",".join(text(a, "ip") for a in items(subset, field)) or "<none>", level=1)
        ports = items(subset, "ports")
        if ports:
            w.line("Ports:", level=1)
            w.row("Name", "Port", "Protocol", level=2)
            w.row("----", "----", "--------", level=2)
        for port in ports:
            w.row(text(port, "name") or "<unset>", number(port, "port"), text(port, "protocol"), level=2)
        w.line("")
    parts.events_table(w, parts.events_of(endpoints, lister), now)


def endpoint_slice(w: Writer, eps: Object, lister: Lister, now: float) -> None:
    """(describe.go describeEndpointSliceV1)"""
    parts.head(w, eps)
    parts.labels(w, eps)
    w.field("AddressType", text(eps, "addressType"))
    ports = items(eps, "ports")
    if ports:
        w.line("Ports:")
        w.header("Name", "Port", "Protocol")
        for port in ports:
            w.row(text(port, "name") or "<unset>", text(port, "port", "<unset>"), text(port, "protocol"))
    else:
        w.line("Ports: <unset>")
    found = items(eps, "endpoints")
    w.line("Endpoints:" if found else "Endpoints: <none>")
    for endpoint in found:
        w.field("- Addresses", ", ".join(strings(endpoint, "addresses")) or "<none>", level=1)
        w.line("Conditions:", level=2)
        w.field("Ready", text(endpoint, "conditions.ready", "<unset>"), level=3)
        w.field("Hostname", text(endpoint, "hostname", "<unset>"), level=2)
        target = at(endpoint, "targetRef")
        if target is not None:
            w.field("TargetRef", f"{text(target, 'kind')}/{text(target, 'name')}", level=2)
        w.field("NodeName", text(endpoint, "nodeName", "<unset>"), level=2)
        w.field("Zone", text(endpoint, "zone", "<unset>"), level=2)
    parts.events_table(w, parts.events_of(eps, lister), now)
