"""What goes wrong, and what the cluster makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import ApiError, BadRequest
from selfheal.network import Response
from selfheal.objects import condition, name, terminating, uid
from tests.conformance.pods import AGNHOST, container, events, http, messages, pod, restarts

WEB = {"httpGet": {"path": "/healthz", "port": 8080}}


def patient(called: str = "pod", **probes: Any) -> dict[str, Any]:
    return pod(container(image="selfheal/patient", ports=[{"containerPort": 8080}], **probes), name=called)


def up(*objs: dict[str, Any], nodes: int = 1, seed: int = 1, **options: Any) -> Cluster:
    cluster = Cluster(nodes=nodes, seed=seed, **options)
    cluster.apply(list(objs))
    return cluster.run(until=20)


def ready(cluster: Cluster, called: str = "pod") -> str:
    return str(condition(cluster.get("Pod", called), "Ready")["status"])


def test_a_crash_is_a_restart() -> None:
    cluster = up(patient())
    cluster.fault("crash", "pod/pod")
    cluster.run(for_=5)
    last = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (restarts(cluster), last["exitCode"], last["reason"]) == (1, 1, "Error")
    cluster.run(for_=60)
    assert restarts(cluster) == 1


def test_an_app_that_crashes_for_a_while_is_held_back_and_heals() -> None:
    cluster = up(patient())
    cluster.fault("crash", "pod/pod", for_=30)
    cluster.run(for_=28)
    assert restarts(cluster) >= 2
    cluster.run(for_=400)
    assert ready(cluster) == "True"


def test_an_app_that_hangs_is_killed_by_its_liveness_probe() -> None:
    cluster = up(patient(livenessProbe=http("/healthz", 8080, period=5, F=3)))
    cluster.fault("hang", "pod/pod")
    cluster.run(for_=20)
    assert "context deadline exceeded" in messages(cluster, "Unhealthy")[0]
    cluster.run(for_=60)
    assert restarts(cluster) == 1


def test_an_app_that_hangs_for_a_while_goes_on_where_it_was() -> None:
    cluster = up(patient(readinessProbe=http("/readyz", 8080, period=2, F=1)))
    cluster.fault("hang", "pod/pod", for_=10)
    cluster.run(for_=8)
    assert ready(cluster) == "False"
    cluster.run(for_=8)
    assert (ready(cluster), restarts(cluster)) == ("True", 0)


def test_a_slow_app_misses_its_timeout() -> None:
    cluster = up(patient(readinessProbe=http("/readyz", 8080, period=5, F=1)))
    fault = cluster.fault("slow", "pod/pod")
    cluster.run(for_=10)
    assert ready(cluster) == "False"
    fault.heal()
    cluster.run(for_=10)
    assert ready(cluster) == "True"


def test_a_leak_ends_at_the_memory_limit() -> None:
    cluster = up(patient(resources={"limits": {"memory": "64Mi"}}))
    cluster.fault("leak", "pod/pod")
    cluster.run(for_=25)
    last = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)


def test_a_leak_without_a_limit_is_refused() -> None:
    with pytest.raises(BadRequest, match="no memory limit"):
        up(patient()).fault("leak", "pod/pod")


def service() -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "pod"}, "ports": ports},
    }


def test_a_pod_that_only_its_kubelet_reaches_is_ready_and_serves_nobody() -> None:
    cluster = up(patient(readinessProbe=http("/readyz", 8080, period=2, F=1)), service())
    cluster.traffic("web", 10)
    cluster.run(for_=5)
    cluster.fault("partition", "pod/pod", for_=20)
    cluster.run(for_=10)
    assert ready(cluster) == "True"
    assert cluster.http("pod") == "timeout"
    cluster.run(for_=20)
    assert cluster.http("pod").status == 200
    rows = list(cluster.timeline.select(kind="Traffic"))
    assert any(r["lost"] == 10 for r in rows)
    assert rows[-1]["lost"] == 0


def states(cluster: Cluster, node: str = "node-1") -> list[str]:
    """How the node's Ready went on."""
    out: list[str] = []
    for r in cluster.timeline.select(kind="Node", object=f"Node/{node}"):
        if not out or out[-1] != r["conditions"]["Ready"]:
            out.append(r["conditions"]["Ready"])
    return out


def test_a_node_behind_a_partition_goes_on_and_nobody_knows() -> None:
    cluster = up(patient(livenessProbe=http("/healthz", 8080, period=5, F=1)), nodes=2, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("partition", f"node/{node}", for_=120)
    cluster.run(for_=80)
    assert states(cluster, node) == ["True", "Unknown"]
    assert ready(cluster) == "False"
    cluster.fault("crash", "pod/pod")
    cluster.run(for_=20)
    assert restarts(cluster) == 0  # as far as the API knows
    assert cluster.container("pod").attempt == 1
    cluster.run(for_=40)
    assert states(cluster, node) == ["True", "Unknown", "True"]
    assert (ready(cluster), restarts(cluster)) == ("True", 1)
    assert len(events(cluster, "Started")) == 2
    assert not cluster.get("Node", node)["spec"].get("taints")


def test_a_pod_evicted_behind_a_partition_ends_when_its_kubelet_hears_of_it() -> None:
    cluster = up(patient(), nodes=2)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("partition", f"node/{node}", for_=400)
    cluster.run(for_=390)
    assert terminating(cluster.get("Pod", "pod"))
    assert cluster.container("pod").running
    cluster.run(for_=30)
    assert cluster.get("pods") == []


def test_lost_heartbeats_take_the_pods_out_and_their_kubelet_puts_them_back() -> None:
    cluster = up(patient(), nodes=2, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("loseHeartbeats", f"node/{node}", for_=100)
    cluster.run(for_=95)
    assert states(cluster, node) == ["True", "Unknown"]
    assert ready(cluster) == "True"
    was = [r["conditions"].get("Ready") for r in cluster.timeline.select(kind="Pod", object="Pod/pod")]
    assert was[-2:] == ["False", "True"]
    cluster.run(for_=30)
    assert states(cluster, node) == ["True", "Unknown", "True"]


def test_a_node_that_boots_behind_a_partition_reports_when_it_is_over() -> None:
    cluster = up(patient(), nodes=2, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("partition", f"node/{node}", for_=100)
    cluster.node(node).stop()
    cluster.run(for_=30)
    cluster.node(node).start()
    cluster.run(for_=60)
    assert states(cluster, node) == ["True", "Unknown"]
    cluster.run(for_=40)
    assert states(cluster, node) == ["True", "Unknown", "True"]
    assert (ready(cluster), restarts(cluster)) == ("True", 1)


def test_a_kubelet_that_boots_behind_a_partition_knows_of_no_pods_until_it_is_over() -> None:
    cluster = up(patient(), nodes=2)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("partition", f"node/{node}", for_=60)
    cluster.node(node).stop()
    cluster.node(node).start()
    cluster.run(for_=50)
    assert not any(c.running for c in cluster.node(node).runtime.containers_of(uid(cluster.get("Pod", "pod"))))
    cluster.run(for_=30)
    assert (ready(cluster), restarts(cluster)) == ("True", 1)


@pytest.mark.parametrize("after", [0.7, 0.8, 0.9, 1.0, 1.1])
def test_a_boot_is_reported_though_a_partition_ends_right_after_it(after: float) -> None:
    cluster = up(patient(), nodes=2)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    boot = cluster.get("Node", node)["status"]["nodeInfo"]["bootID"]
    cluster.fault("partition", f"node/{node}", for_=after)
    cluster.node(node).stop()
    cluster.node(node).start()
    cluster.run(for_=30)
    assert cluster.get("Node", node)["status"]["nodeInfo"]["bootID"] != boot
    assert len(list(cluster.timeline.select(kind="Event", object=f"Node/{node}", reason="Rebooted"))) == 1


@pytest.mark.parametrize("parking", [True, False])
def test_heartbeats_that_are_lost_twice_come_back_once(parking: bool) -> None:
    cluster = up(patient(), nodes=2, parking=parking, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    for _ in range(3):  # each ends before the next renewal is due
        cluster.fault("loseHeartbeats", f"node/{node}", for_=0.5)
        cluster.run(for_=1)
    cluster.run(for_=20)
    cluster.fault("loseHeartbeats", f"node/{node}", for_=100)
    cluster.run(for_=60)
    assert states(cluster, node) == ["True", "Unknown"]
    cluster.run(for_=60)
    assert states(cluster, node) == ["True", "Unknown", "True"]


def test_of_two_faults_of_a_kind_the_last_ends_it() -> None:
    cluster = up(patient(), nodes=2, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("loseHeartbeats", f"node/{node}", for_=100)
    for kind, target in (("partition", f"node/{node}"), ("apiDown", ""), ("partition", "pod/pod"), ("hang", "pod/pod")):
        cluster.fault(kind, target, for_=1)
    cluster.fault("hang", "pod/pod", for_=50)
    cluster.run(for_=30)
    assert cluster.http("pod") == Response(0, delay=None)
    cluster.run(for_=50)
    assert states(cluster, node) == ["True", "Unknown"]
    assert cluster.http("pod").status == 200
    cluster.run(for_=40)
    assert states(cluster, node) == ["True", "Unknown", "True"]


def test_lost_heartbeats_outlast_a_restart_of_the_kubelet() -> None:
    cluster = up(patient(), nodes=2, nodes_in_timeline=True)
    node = cluster.get("Pod", "pod")["spec"]["nodeName"]
    cluster.fault("loseHeartbeats", f"node/{node}", for_=100)
    cluster.node(node).restart_kubelet()
    cluster.run(for_=90)
    assert states(cluster, node) == ["True", "Unknown"]
    cluster.run(for_=30)
    assert states(cluster, node) == ["True", "Unknown", "True"]


def deployment(replicas: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container(image=AGNHOST, args=["netexec"])]},
            },
        },
    }


@pytest.mark.parametrize("seed", range(4))
def test_without_an_api_server_all_runs_on_and_nothing_changes(seed: int) -> None:
    cluster = up(deployment(), nodes=2, seed=seed, nodes_in_timeline=True)
    first = name(cluster.get("pods")[0])
    cluster.fault("apiDown", for_=200)
    with pytest.raises(ApiError, match=r"The connection to the server .* was refused"):
        cluster.scale("deployment/web", 3)
    cluster.kill(first)
    cluster.run(for_=190)
    quiet = [r for r in cluster.timeline if 20.5 < r["t"] < 209 and r["kind"] not in ("Probe", "App")]
    assert quiet == []
    assert cluster.container(first).attempt == 1
    cluster.run(for_=30)
    assert states(cluster) == ["True"]
    assert restarts(cluster, first) == 1
    cluster.scale("deployment/web", 3)
    cluster.run(for_=30)
    assert cluster.get("Deployment", "web")["status"]["readyReplicas"] == 3


def test_what_was_asked_for_just_before_is_done_when_the_api_server_is_back() -> None:
    cluster = up(deployment(), nodes=2)
    cluster.scale("deployment/web", 4)
    cluster.fault("apiDown", for_=60)
    cluster.run(for_=50)
    assert len(cluster.get("pods")) == 2
    cluster.run(for_=40)
    assert cluster.get("Deployment", "web")["status"]["readyReplicas"] == 4


def image(of: str) -> dict[str, Any]:
    return pod(container(image=of))


def test_a_registry_that_refuses() -> None:
    cluster = Cluster(seed=1)
    cluster.fault("refusePull", "registry.local:5000", for_=60)
    cluster.apply(image("registry.local:5000/shop:1"))
    cluster.run(until=50)
    assert "connection refused" in messages(cluster, "Failed")[0]
    cluster.run(until=200)
    assert ready(cluster) == "True"


def test_a_slow_pull_takes_half_a_minute_longer() -> None:
    cluster = Cluster(seed=1)
    cluster.fault("slowPull", "docker.io")
    cluster.apply(image("shop:1"))
    cluster.run(until=60)
    assert 30 < events(cluster, "Pulled")[0] < 36


@pytest.mark.parametrize(
    ("kind", "target", "why"),
    [
        ("partition", "", "needs a target"),
        ("loseHeartbeats", "pod/pod", "needs a target: node/NAME"),
        ("crash", "node/node-1", "needs a target: pod/NAME"),
        ("hang", "pod/other", "not found"),
        ("bend", "", "unknown fault bend"),
    ],
)
def test_what_cannot_be_done_is_refused(kind: str, target: str, why: str) -> None:
    with pytest.raises(ApiError, match=why):
        up(patient()).fault(kind, target)


def test_actions_begin_faults_and_end_them() -> None:
    from selfheal.scenario import Scenario

    scenario = Scenario.load(
        [patient(readinessProbe=http("/readyz", 8080, period=2, F=1))],
        actions=[{"at": 10, "fault": {"kind": "hang", "target": "pod/pod", "for": 8}}],
        seed=3,
        nodes=1,
        until=40,
    )
    cluster = Cluster.of(scenario).play(scenario)
    intervals = cluster.timeline.ready_intervals("pod")
    assert len(intervals) == 2
    assert 10 < intervals[0][1] < 15
    assert 18 < intervals[1][0] < 23


def test_a_node_that_is_given_up_in_the_moment_it_is_back_is_well_soon() -> None:
    """The status of that moment found nothing to put right; the next one does (tryUpdateNodeStatus, each 10 s)."""
    cluster = Cluster(nodes=2, seed=4, nodes_in_timeline=True).run(until=5)
    cluster.fault("loseHeartbeats", "node/node-1", for_=40)
    cluster.run(for_=100)
    assert states(cluster) == ["True", "Unknown", "True"]
    assert not cluster.get("Node", "node-1")["spec"].get("taints")
