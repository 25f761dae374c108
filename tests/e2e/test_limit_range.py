"""[sig-scheduling] LimitRange"""

from __future__ import annotations

from typing import Any

from tests.e2e.api import PAUSE, Client, Object, refused

NAMES = ("cpu", "memory", "ephemeral-storage")


def amounts(*values: str) -> dict[str, str]:
    return {name: value for name, value in zip(NAMES, values, strict=True) if value}


def limit_range(name: str, labels: dict[str, str]) -> Object:
    item = {
        "type": "Container",
        "min": amounts("50m", "100Mi", "100Gi"),
        "max": amounts("500m", "500Mi", "500Gi"),
        "default": amounts("500m", "500Mi", "500Gi"),
        "defaultRequest": amounts("100m", "200Mi", "200Gi"),
    }
    return {"kind": "LimitRange", "metadata": {"name": name, "labels": labels}, "spec": {"limits": [item]}}


def pod(name: str, **resources: Any) -> Object:
    container = {"name": "pause", "image": PAUSE, "resources": resources}
    return {"kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def test_pods_have_the_defaults_of_a_limit_range(e2e: Client) -> None:
    version = e2e.ask("GET", e2e.path("LimitRange"))["metadata"]["resourceVersion"]
    with e2e.watch("LimitRange", "time=now", version) as watch:
        made = e2e.create(limit_range("limit-range", {"time": "now"}))
        assert watch.next()["type"] == "ADDED"
    asked = {"requests": amounts("100m", "200Mi", "200Gi"), "limits": amounts("500m", "500Mi", "500Gi")}
    assert made["spec"]["limits"][0]["defaultRequest"] == asked["requests"]
    e2e.create(pod("pod-no-resources"))
    assert e2e.get("Pod", "pod-no-resources")["spec"]["containers"][0]["resources"] == asked
    e2e.create(pod("pod-partial-resources", requests=amounts("", "150Mi", "150Gi"), limits=amounts("300m", "", "")))
    assert e2e.get("Pod", "pod-partial-resources")["spec"]["containers"][0]["resources"] == {
        "requests": amounts("300m", "150Mi", "150Gi"),
        "limits": amounts("300m", "500Mi", "500Gi"),
    }
    little, much = amounts("10m", "50Mi", "50Gi"), amounts("600m", "600Mi", "600Gi")
    with refused("Forbidden") as found:
        e2e.create(pod("pfpod", requests=little))
    assert "minimum cpu usage per Container is 50m, but request is 10m" in str(found.value)
    with refused("Invalid"):
        e2e.create(pod("pfpod", requests=much))
    with refused("Forbidden") as found:
        e2e.create(pod("pfpod", requests=much, limits=much))
    assert "maximum cpu usage per Container is 500m, but limit is 600m" in str(found.value)
    made["spec"]["limits"][0]["min"] = amounts("9m", "49Mi", "49Gi")
    e2e.update(made)
    e2e.create(pod("pfpod", requests=little))
    e2e.delete("LimitRange", "limit-range", gracePeriodSeconds=30)
    assert e2e.list("LimitRange") == []
    e2e.create(pod("pfpod2", requests=much))


def test_limit_ranges_are_listed_patched_and_deleted_as_a_collection(e2e: Client, other: Client) -> None:
    made = e2e.create(limit_range("e2e-range", {"e2e-test": "range", "range": "created"}))
    other.create(limit_range("e2e-range", {"e2e-test": "range", "range": "created"}))
    assert len(e2e.list("LimitRange", "e2e-test=range", everywhere=True)) == 2
    least = amounts("9m", "49Mi", "49Gi")
    limits = [{**made["spec"]["limits"][0], "min": least}]
    patch = {"metadata": {"labels": {"range": "patched"}}, "spec": {"limits": limits}}
    patched = e2e.patch("LimitRange", "e2e-range", patch)
    assert patched["metadata"]["labels"]["range"] == "patched"
    assert patched["spec"]["limits"][0]["min"] == least
    e2e.delete_collection("LimitRange", "range=patched")
    assert e2e.list("LimitRange", "range=patched") == []
    assert len(e2e.list("LimitRange", "e2e-test=range", everywhere=True)) == 1
