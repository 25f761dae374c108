"""[sig-network] Services"""

from __future__ import annotations

from tests.e2e.api import Client, Object
from tests.e2e.test_endpoints import service


def test_status_changes_of_a_service(e2e: Client) -> None:
    made = service("test-service")
    made["metadata"]["labels"] = {"test-service-static": "true"}
    made["spec"] |= {"type": "LoadBalancer"}
    version = e2e.ask("GET", e2e.path("Service"))["metadata"]["resourceVersion"]
    with e2e.watch("Service", "test-service-static=true", version) as watch:
        e2e.create(made)
        watch.until(lambda event: event["type"] == "ADDED")
        assert e2e.get("Service", "test-service", "status")["status"] == {"loadBalancer": {}}
        patch = {
            "metadata": {"annotations": {"patchedstatus": "true"}},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}},
        }
        patched = e2e.patch("Service", "test-service", patch, "merge", "status")
        assert patched["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.1"
        assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
        watch.until(lambda event: (event["object"]["status"]["loadBalancer"]).get("ingress"))
        condition = {
            "type": "StatusUpdate",
            "status": "True",
            "reason": "E2E",
            "message": "Set from e2e test",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }

        def update(obj: Object) -> None:
            obj["status"]["conditions"] = [condition]

        updated = e2e.retry("Service", "test-service", update, "status")
        assert updated["status"]["conditions"] == [condition]
        watch.until(lambda event: event["object"]["status"].get("conditions"))
        e2e.patch("Service", "test-service", {"metadata": {"labels": {"test-service": "patched"}}})
        watch.until(lambda event: event["object"]["metadata"]["labels"].get("test-service") == "patched")
        e2e.delete("Service", "test-service")
        watch.until(lambda event: event["type"] == "DELETED")


def test_a_collection_of_services_is_deleted(e2e: Client) -> None:
    for number, mark in enumerate(("keep", "delete", "delete")):
        made = service(f"e2e-svc-{number}", ports=[{"name": "http", "port": 8001, "protocol": "TCP"}])
        made["metadata"]["labels"] = {"e2e-test": mark}
        e2e.create(made)
    assert len(e2e.list("Service")) == 3
    e2e.delete_collection("Service", "e2e-test=delete")
    assert [s["metadata"]["name"] for s in e2e.list("Service")] == ["e2e-svc-0"]


def test_a_service_is_found_in_all_namespaces(e2e: Client) -> None:
    found = e2e.list("Service", everywhere=True)
    assert ("default", "kubernetes") in {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in found}
