"""[sig-network] EndpointSlice, EndpointSliceMirroring, Endpoints, EndpointsController"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import AGNHOST, Client, Object, Refused

SERVICE = "kubernetes.io/service-name"


def service(name: str, selector: dict[str, str] | None = None, ports: Any = (), **spec: Any) -> Object:
    spec = {"ports": list(ports) or [{"name": "example", "port": 80, "protocol": "TCP"}], **spec}
    if selector is not None:
        spec["selector"] = selector
    return {"kind": "Service", "metadata": {"name": name}, "spec": spec}


def server(name: str, *ports: int, labels: dict[str, str] | None = None) -> Object:
    """A pod with a server on each of some ports."""
    containers = [
        {
            "name": f"port-{port}",
            "image": AGNHOST,
            "args": ["netexec", "--http-port", str(port), "--udp-port", "-1"],
            "ports": [{"containerPort": port, "protocol": "TCP"}],
        }
        for port in ports
    ]
    return {"kind": "Pod", "metadata": {"name": name, "labels": labels or {}}, "spec": {"containers": containers}}


def client(name: str = "pause-pod-0") -> Object:
    container = {"name": "agnhost-container", "image": AGNHOST, "args": ["pause"]}
    return {"kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def runs(e2e: Client, name: str) -> Object:
    e2e.wait(lambda: e2e.get("Pod", name)["status"].get("phase") == "Running")
    return e2e.get("Pod", name)


def slices(e2e: Client, name: str) -> list[Object]:
    return e2e.list("EndpointSlice", f"{SERVICE}={name}")


def addresses(e2e: Client, name: str) -> list[str]:
    return sorted(a for s in slices(e2e, name) for e in s.get("endpoints") or () for a in e["addresses"])


def answers(e2e: Client, address: str, wanted: str, pod: str = "pause-pod-0") -> None:
    """Whether a pod gets the name of another as the answer of an address."""
    command = f"curl -g -q -s --connect-timeout 2 http://{address}/hostName"

    def told() -> bool:
        try:
            return e2e.run(pod, command) == wanted
        except Refused:
            return False

    e2e.wait(told, limit=120)


def test_a_service_that_matches_no_pod(e2e: Client) -> None:
    e2e.create(service("example-empty-selector", {"does-not-match": "anything"}))
    e2e.wait(lambda: e2e.there("Endpoints", "example-empty-selector"))
    e2e.wait(lambda: slices(e2e, "example-empty-selector"))
    [found] = slices(e2e, "example-empty-selector")
    assert found["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert not found.get("endpoints")
    e2e.delete("Service", "example-empty-selector")
    e2e.wait(lambda: not e2e.there("Endpoints", "example-empty-selector"))
    e2e.wait(lambda: not slices(e2e, "example-empty-selector"), limit=90)


@pytest.mark.parametrize("kind", ["EndpointSlice", "Endpoints"])
def test_pods_that_match_a_service(e2e: Client, kind: str) -> None:
    first = server("pod1", 3000, labels={"pod1": "on", "shared12": "on"})
    second = server("pod2", 3001, 3002, labels={"pod2": "on", "shared12": "on"})
    for pod, names in ((first, ["example-name"]), (second, ["example-name", "other-port"])):
        for container, name in zip(pod["spec"]["containers"], names, strict=True):
            container["ports"][0]["name"] = name
        e2e.create(pod)
    for name, selector, target in (
        ("example-int-port", {"pod1": "on"}, 3000),
        ("example-named-port", {"shared12": "on"}, "example-name"),
        ("example-no-match", {"pod3": "on"}, 8080),
    ):
        port = {"name": "http", "port": 80, "targetPort": target, "protocol": "TCP"}
        e2e.create(service(name, selector, [port], publishNotReadyAddresses=True))
    one, two = (runs(e2e, name)["status"]["podIP"] for name in ("pod1", "pod2"))

    def subsets(name: str) -> list[tuple[str, int]]:
        found = e2e.get("Endpoints", name).get("subsets") or ()
        return sorted((a["ip"], p["port"]) for s in found for a in s["addresses"] for p in s["ports"])

    def sliced(name: str) -> list[tuple[str, int]]:
        return sorted(
            (address, port["port"])
            for found in slices(e2e, name)
            for endpoint in found.get("endpoints") or ()
            for address in endpoint["addresses"]
            for port in found["ports"]
        )

    told = sliced if kind == "EndpointSlice" else subsets
    both = sorted([(one, 3000), (two, 3001)])
    e2e.wait(lambda: told("example-int-port") == [(one, 3000)])
    e2e.wait(lambda: told("example-named-port") == both)
    e2e.wait(lambda: told("example-no-match") == [])
    assert len(slices(e2e, "example-no-match")) == 1
    if kind == "EndpointSlice":
        assert len(slices(e2e, "example-named-port")) == 2
        for found in slices(e2e, "example-named-port"):
            assert found["metadata"]["ownerReferences"][0]["name"] == "example-named-port"
            e2e.delete("EndpointSlice", found["metadata"]["name"])
        e2e.wait(lambda: told("example-named-port") == both)


def test_operations_on_endpoint_slices(e2e: Client) -> None:
    groups = e2e.ask("GET", "/apis")["groups"]
    assert "discovery.k8s.io" in {g["name"] for g in groups}
    assert e2e.ask("GET", "/apis/discovery.k8s.io")["versions"][0]["version"] == "v1"
    assert "endpointslices" in {r["name"] for r in e2e.ask("GET", "/apis/discovery.k8s.io/v1")["resources"]}
    mark = e2e.namespace
    template = {
        "kind": "EndpointSlice",
        "metadata": {"generateName": "e2e-example-ing", "labels": {"special-label": mark}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}, {"addresses": ["2.2.3.4", "6.6.7.8"]}],
    }
    made = [e2e.create(template) for _ in range(3)][-1]
    name = made["metadata"]["name"]
    assert e2e.get("EndpointSlice", name)["metadata"]["uid"] == made["metadata"]["uid"]
    listed = e2e.ask("GET", e2e.path("EndpointSlice"), labelSelector=f"special-label={mark}")
    assert len(listed["items"]) == len(e2e.list("EndpointSlice", f"special-label={mark}", everywhere=True)) == 3
    with e2e.watch("EndpointSlice", f"special-label={mark}", listed["metadata"]["resourceVersion"]) as watch:
        patch = {"metadata": {"annotations": {"patched": "true"}}}
        assert e2e.patch("EndpointSlice", name, patch, "merge")["metadata"]["annotations"]["patched"] == "true"
        updated = e2e.retry("EndpointSlice", name, lambda s: s["metadata"]["annotations"].update(updated="true"))
        assert updated["metadata"]["annotations"]["updated"] == "true"
        event = watch.next()
        assert (event["type"], event["object"]["metadata"]["annotations"]["patched"]) == ("MODIFIED", "true")
    e2e.delete("EndpointSlice", name)
    assert not e2e.there("EndpointSlice", name)
    assert len(e2e.list("EndpointSlice", f"special-label={mark}")) == 2
    e2e.delete_collection("EndpointSlice", f"special-label={mark}")
    assert e2e.list("EndpointSlice", f"special-label={mark}") == []


def own_slice(name: str, of: str, ip: str, port: int, port_name: str = "example") -> Object:
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "labels": {SERVICE: of, "endpointslice.kubernetes.io/managed-by": "e2e-test.k8s.io"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ip]}],
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
    }


def test_a_service_with_addresses_in_several_slices(e2e: Client) -> None:
    e2e.create(service("example-custom-endpoints"))
    address = e2e.get("Service", "example-custom-endpoints")["spec"]["clusterIP"]
    e2e.create(client())
    for name in ("pod1", "pod2"):
        e2e.create(server(name, 80))
    runs(e2e, "pause-pod-0")
    for number, name in enumerate(("pod1", "pod2")):
        ip = runs(e2e, name)["status"]["podIP"]
        e2e.create(own_slice(f"custom-{number}", "example-custom-endpoints", ip, 80))
        e2e.advance(1)
    answers(e2e, f"{address}:80", "pod1")
    answers(e2e, f"{address}:80", "pod2")


def test_a_service_with_ports_in_several_slices(e2e: Client) -> None:
    ports = [{"name": f"port{port}", "port": port, "protocol": "TCP"} for port in (80, 81)]
    e2e.create(service("example-custom-endpoints", ports=ports))
    address = e2e.get("Service", "example-custom-endpoints")["spec"]["clusterIP"]
    e2e.create(client())
    e2e.create(server("pod-handle", 8090, 9090))
    ip = runs(e2e, "pod-handle")["status"]["podIP"]
    runs(e2e, "pause-pod-0")
    for port, target in ((80, 8090), (81, 9090)):
        e2e.create(own_slice(f"custom-{port}", "example-custom-endpoints", ip, target, f"port{port}"))
    for port in (80, 81):
        answers(e2e, f"{address}:{port}", "pod-handle")


def custom_endpoints(*subsets: tuple[str, str, int]) -> Object:
    return {
        "kind": "Endpoints",
        "metadata": {"name": "example-custom-endpoints"},
        "subsets": [
            {"addresses": [{"ip": ip}], "ports": [{"port": port, **({"name": name} if name else {})}]}
            for ip, name, port in subsets
        ],
    }


def test_endpoints_kept_by_hand_are_mirrored(e2e: Client) -> None:
    name = "example-custom-endpoints"
    e2e.create(service(name))
    e2e.create(custom_endpoints(("10.1.2.3", "", 80)))
    e2e.wait(lambda: addresses(e2e, name) == ["10.1.2.3"], limit=12)
    [found] = slices(e2e, name)
    assert [p["port"] for p in found["ports"]] == [80]
    e2e.update(custom_endpoints(("10.2.3.4", "", 80)))
    e2e.wait(lambda: addresses(e2e, name) == ["10.2.3.4"], limit=12)
    [found] = slices(e2e, name)
    assert [p["port"] for p in found["ports"]] == [80]
    e2e.delete("Endpoints", name)
    e2e.wait(lambda: not slices(e2e, name), limit=12)


def test_endpoints_with_several_ports_of_one_address_are_mirrored(e2e: Client) -> None:
    name = "example-custom-endpoints"
    ports = [{"name": f"port{port}", "port": port, "protocol": "TCP"} for port in (80, 81)]
    address = e2e.create(service(name, ports=ports))["spec"]["clusterIP"]
    e2e.create(server("pod-handle", 8090, 9090))
    e2e.create(client())
    ip = runs(e2e, "pod-handle")["status"]["podIP"]
    runs(e2e, "pause-pod-0")
    e2e.create(custom_endpoints((ip, "port80", 8090), (ip, "port81", 9090)))
    e2e.wait(lambda: slices(e2e, name), limit=12)
    for port in (80, 81):
        answers(e2e, f"{address}:{port}", "pod-handle")
    e2e.delete("Endpoints", name)
    e2e.wait(lambda: not slices(e2e, name), limit=12)


def test_a_service_that_matches_no_pod_has_endpoints(e2e: Client) -> None:
    e2e.create(service("empty", {"does-not-match": "anything"}))
    e2e.wait(lambda: e2e.there("Endpoints", "empty"))
    labels = e2e.get("Endpoints", "empty")["metadata"]["labels"]
    assert labels["endpoints.kubernetes.io/managed-by"] == "endpoint-controller"
    e2e.delete("Service", "empty")
    e2e.wait(lambda: not e2e.there("Endpoints", "empty"))


def test_life_of_endpoints(e2e: Client) -> None:
    name, mark = "testservice", f"test-endpoint-static={e2e.namespace}"
    labels = {"test-endpoint-static": e2e.namespace}
    made = custom_endpoints(("10.0.0.24", "http", 80))
    made["metadata"] = {"name": name, "labels": labels}
    made["subsets"][0]["ports"][0]["protocol"] = "TCP"
    version = e2e.ask("GET", e2e.path("Endpoints"))["metadata"]["resourceVersion"]
    with e2e.watch("Endpoints", mark, version) as watch:
        e2e.create(made)
        assert watch.until(lambda event: event["type"] == "ADDED")
        assert [e["metadata"]["name"] for e in e2e.list("Endpoints", mark, everywhere=True)] == [name]
        made["metadata"]["labels"] = {**labels, "test-service": "updated"}
        e2e.update(made)
        watch.until(lambda event: event["object"]["metadata"]["labels"].get("test-service") == "updated")
        assert e2e.get("Endpoints", name)["metadata"]["labels"]["test-service"] == "updated"
        ports = [{"name": "http-test", "port": 8080, "protocol": "TCP"}]
        subsets = [{"addresses": [{"ip": "10.0.0.25"}], "ports": ports}]
        patch = {"metadata": {"labels": {"test-service": "patched"}}, "subsets": subsets}
        e2e.patch("Endpoints", name, patch)
        watch.until(lambda event: event["object"]["metadata"]["labels"].get("test-service") == "patched")
        found = e2e.get("Endpoints", name)
        assert found["subsets"] == subsets
        e2e.delete_collection("Endpoints", mark)
        watch.until(lambda event: event["type"] == "DELETED")
    assert not e2e.there("Endpoints", name)
