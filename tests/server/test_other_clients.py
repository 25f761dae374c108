"""Clients beside kubectl and the official one: kr8s, lightkube, and an operator of kopf."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import kopf
import kr8s
import lightkube
import pytest
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Node, Pod

import selfheal
from selfheal.server.running import Running
from tests.server.api import deployment
from tests.server.test_extensions import PATH, crontab, definition

GROUP = ("stable.example.com", "v1", "crontabs")


@pytest.fixture
def cluster() -> Iterator[Running]:
    with selfheal.up(nodes=2, speed=20) as running, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # kr8s warns of each Kubernetes newer than itself; both leave sockets to Python
        yield running
        gc.collect()


def test_kr8s(cluster: Running) -> None:
    cluster.apply(deployment())
    api = kr8s.api(kubeconfig=cluster.kubeconfig)
    assert api.version()["gitVersion"] == "v1.36.2"
    web = kr8s.objects.Deployment.get("web", api=api)
    web.wait("condition=Available", timeout=30)
    web.scale(3)
    web.wait("jsonpath='{.status.readyReplicas}'=3", timeout=30)
    pods = list(kr8s.get("pods", label_selector={"app": "web"}, api=api))
    assert [pod.ready() for pod in pods] == [True] * 3
    assert pods[0].exec(["hostname"]).stdout.decode() == f"{pods[0].name}\n"
    pods[0].label({"seen": "yes"})
    assert [pod.name for pod in kr8s.get("pods", label_selector="seen=yes", api=api)] == [pods[0].name]
    pods[0].delete()
    pods[0].wait("delete", timeout=60)
    with pytest.raises(kr8s.NotFoundError):
        pods[0].refresh()
    told = [event for event in kr8s.get("events", api=api) if event.raw["reason"] == "Killing"]
    assert told[0].raw["message"] == "Stopping container web"
    assert [resource["kind"] for resource in api.api_resources() if resource["name"] == "leases"] == ["Lease"]


def test_lightkube(cluster: Running) -> None:
    client = lightkube.Client(config=lightkube.KubeConfig.from_file(cluster.kubeconfig))
    assert [node.metadata.name for node in client.list(Node)] == ["node-1", "node-2"]
    seen = []
    spec = PodSpec(containers=[Container("app", image="busybox:1.36", command=["sh", "-c", "echo hi; sleep 1000"])])
    client.create(Pod(metadata=ObjectMeta(name="box", namespace="default"), spec=spec))
    for what, pod in client.watch(Pod, server_timeout=30):
        seen.append((what, pod.status.phase))
        if pod.status.phase == "Running":
            break
    assert seen[0][0] == "ADDED"
    assert seen[-1][1] == "Running"
    assert list(client.log("box")) == ["hi\n"]
    assert client.wait(Pod, "box", for_conditions=["Ready"]).metadata.name == "box"
    config = ConfigMap(metadata=ObjectMeta(name="notes", namespace="default"), data={"a": "b"})
    client.apply(config, field_manager="one")
    config.data = {"a": "c"}
    with pytest.raises(ApiError) as conflict:
        client.apply(config, field_manager="two")
    assert conflict.value.status.code == 409
    assert client.apply(config, field_manager="two", force=True).data == {"a": "c"}
    cluster.apply(deployment())
    client.patch(Deployment, "web", {"spec": {"replicas": 1}})
    assert client.get(Deployment.Scale, "web").spec.replicas == 1
    client.delete(ConfigMap, "notes")
    with pytest.raises(ApiError) as gone:
        client.get(ConfigMap, "notes")
    assert gone.value.status.reason == "NotFound"


def test_an_operator_of_kopf(cluster: Running) -> None:
    """It marks what it watches and says so, counts its looks in the status, and its finalizer keeps the object until it
    has said goodbye.
    """
    registry, farewells = kopf.OperatorRegistry(), list[str]()

    @kopf.on.login(registry=registry)
    def login(**more: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_kubeconfig(**more)

    @kopf.on.create(*GROUP, registry=registry)
    def made(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
        kopf.info(body, reason="Watched", message="It is being looked after.")
        patch.metadata.annotations["stable.example.com/watched"] = "yes"

    @kopf.timer(*GROUP, interval=0.1, registry=registry)
    def look(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
        patch.status["active"] = status.get("active", 0) + 1

    @kopf.on.delete(*GROUP, registry=registry)
    def gone(name: str, **_: Any) -> None:
        farewells.append(name)

    stop, ready = threading.Event(), threading.Event()

    def operate() -> None:
        settings = kopf.OperatorSettings()
        settings.posting.enabled = True
        asyncio.run(
            kopf.operator(
                registry=registry,
                settings=settings,
                standalone=True,
                namespace="default",
                ready_flag=ready,
                stop_flag=stop,
            )
        )

    cluster.apply(definition())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", cluster.kubeconfig)
        operator = threading.Thread(target=operate)
        operator.start()
        try:
            assert ready.wait(20)
            assert cluster.apply(crontab("mine")) == "crontab.stable.example.com/mine created"
            cluster.eventually(lambda: cluster.ask("GET", f"{PATH}/mine").get("status", {}).get("active", 0) > 2)
            found = cluster.ask("GET", f"{PATH}/mine")
            assert found["metadata"]["annotations"]["stable.example.com/watched"] == "yes"
            assert found["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
            assert {entry["manager"] for entry in found["metadata"]["managedFields"]} >= {"kopf"}
            assert farewells == []
            cluster.ask("DELETE", f"{PATH}/mine")
            cluster.eventually(lambda: cluster.ask("GET", PATH)["items"] == [])
            assert farewells == ["mine"]
            cluster.eventually(
                lambda: bool(cluster.timeline.select(kind="Event", object="CronTab/mine", reason="Watched"))
            )
        finally:
            stop.set()
            operator.join(20)
