"""What people do to a cluster that runs: drain a node, roll back, restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal import Cluster, headlines
from selfheal.errors import ApiError, TooManyRequests
from selfheal.objects import Object, labels, name, terminating
from selfheal.rollout import RESTARTED
from selfheal.scenario import Scenario
from tests.conformance.pods import AGNHOST, container, pod

LABELS = {"app": "web"}


def deployment(replicas: int = 3, **fields: Any) -> Object:
    fields = {"args": ["netexec"], "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}}, **fields}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    spec = {
        "containers": [container(image=AGNHOST, **fields)],
        "terminationGracePeriodSeconds": 2,
        "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": LABELS}}],
    }
    template = {"metadata": {"labels": LABELS}, "spec": spec}
    wanted = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": wanted}


def budget(**spec: Any) -> Object:
    wanted = {"selector": {"matchLabels": LABELS}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": wanted}


def daemon_set() -> Object:
    on = {"agent": "yes"}
    template = {"metadata": {"labels": on}, "spec": {"containers": [container(image=AGNHOST, args=["pause"])]}}
    spec = {"selector": {"matchLabels": on}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}


def up(*objs: Object, nodes: int = 2, seed: int = 1) -> Cluster:
    cluster = Cluster(nodes=nodes, seed=seed)
    cluster.apply(list(objs))
    return cluster.run(until=30)


def places(cluster: Cluster) -> list[str]:
    return sorted(p["spec"]["nodeName"] for p in cluster.get("pods") if not terminating(p))


def test_a_drain_leaves_only_daemon_pods() -> None:
    said: list[str] = []
    cluster = up(
        deployment(), daemon_set(), pod(container(image=AGNHOST, args=["pause"]), name="bare", nodeName="node-1")
    )
    cluster.drain("node-1", done=said.append)
    cluster.run(for_=60)
    left = [p for p in cluster.get("pods") if p["spec"]["nodeName"] == "node-1"]
    assert [labels(p).get("agent") for p in left] == ["yes"]
    assert cluster.get("Node", "node-1")["spec"]["unschedulable"]
    assert cluster.get("Deployment", "web")["status"]["readyReplicas"] == 3
    lines = said[0].splitlines()
    assert lines[0] == "node/node-1 cordoned"
    assert lines[-2] == "node/node-1 drained"
    warning = f"ignoring DaemonSet-managed Pods: default/{name(left[0])}; "
    assert lines[-1] == f"Warning: {warning}deleting Pods that declare no controller: default/bare"


def test_a_drain_never_takes_more_than_the_budget_allows() -> None:
    cluster = up(deployment(4), budget(minAvailable=3))
    cluster.drain("node-1")
    fewest = 4
    for _ in range(600):
        cluster.run(for_=0.1)
        fewest = min(fewest, cluster.get("Deployment", "web")["status"].get("readyReplicas", 0))
    assert fewest == 3
    assert set(places(cluster)) == {"node-2"}


def test_a_drain_gives_up_after_its_timeout_and_the_node_stays_cordoned() -> None:
    said: list[str] = []
    cluster = up(deployment(2), budget(minAvailable=2))
    cluster.drain("node-1", timeout=12, done=said.append)
    cluster.run(for_=30)
    assert len(places(cluster)) == 2
    assert "node-1" in places(cluster)
    assert cluster.get("Node", "node-1")["spec"]["unschedulable"]
    assert "There are pending nodes to be drained:\n node-1" in said[0]
    assert "global timeout reached: 12s" in said[0]
    assert said[0].count("will retry after 5s") == 3


def test_only_the_chosen_pods_are_drained() -> None:
    cluster = up(deployment(2), pod(container(image=AGNHOST, args=["pause"]), name="bare", nodeName="node-1"))
    cluster.drain("node-1", selector="app=web")
    cluster.run(for_=30)
    assert [name(p) for p in cluster.get("pods") if p["spec"]["nodeName"] == "node-1"] == ["bare"]


def test_an_eviction_that_the_budget_forbids_is_refused() -> None:
    cluster = up(deployment(2), budget(minAvailable=2))
    with pytest.raises(TooManyRequests):
        cluster.evict(name(cluster.get("pods")[0]))
    cluster.delete("pdb/web")
    cluster.evict(name(cluster.get("pods")[0]))


def image_args(cluster: Cluster) -> list[str]:
    return list(cluster.get("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["args"])


def test_undo_goes_back_to_the_revision_before() -> None:
    cluster = up(deployment())
    cluster.apply(deployment(args=["netexec", "--http-port=8080"]))
    cluster.run(for_=30)
    said = cluster.undo("deployment/web")
    assert said.startswith("deployment.apps/web rolled back\nWarning: resource deployments/web was previously managed")
    cluster.run(for_=30)
    assert image_args(cluster) == ["netexec"]
    revisions = sorted(s["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for s in cluster.get("rs"))
    assert revisions == ["2", "3"]
    cluster.undo("deployment/web")
    cluster.run(for_=30)
    assert image_args(cluster) == ["netexec", "--http-port=8080"]


def test_there_must_be_something_to_go_back_to() -> None:
    cluster = up(deployment(), daemon_set())
    with pytest.raises(ApiError, match='no rollout history found for deployment "web"'):
        cluster.undo("deployment/web")
    with pytest.raises(ApiError, match="no last revision to roll back to"):
        cluster.undo("ds/agent")


def test_a_daemon_set_goes_back_too() -> None:
    cluster = up(daemon_set())
    other = daemon_set()
    other["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    cluster.apply(other)
    cluster.run(for_=90)
    assert cluster.undo("ds/agent").splitlines()[0] == "daemonset.apps/agent rolled back"
    assert "env" not in cluster.get("DaemonSet", "agent")["spec"]["template"]["spec"]["containers"][0]


def test_restart_makes_every_pod_anew() -> None:
    cluster = up(deployment())
    before = {name(p) for p in cluster.get("pods")}
    assert cluster.restart("deployment/web") == "deployment.apps/web restarted"
    assert RESTARTED in cluster.get("Deployment", "web")["spec"]["template"]["metadata"]["annotations"]
    cluster.run(for_=60)
    assert len(cluster.get("pods")) == 3
    assert before.isdisjoint(name(p) for p in cluster.get("pods"))


def test_a_paused_deployment_is_neither_rolled_back_nor_restarted() -> None:
    paused = deployment()
    paused["spec"]["paused"] = True
    cluster = up(paused)
    with pytest.raises(ApiError, match="can't restart paused deployment"):
        cluster.restart("deployment/web")
    with pytest.raises(ApiError, match="you cannot rollback a paused deployment"):
        cluster.undo("deployment/web")


def test_actions_say_what_kubectl_says() -> None:
    actions = [
        {"at": 20, "rollout": {"restart": "deployment/web"}},
        {"at": 60, "drain": {"node": "node-1", "podSelector": "app=web", "timeout": 30}},
    ]
    scenario = Scenario.load([deployment()], actions=actions, seed=3, nodes=2, until=120)
    cluster = Cluster.of(scenario).play(scenario)
    restart, drain = cluster.timeline.select(kind="Action")
    assert restart["result"] == "deployment.apps/web restarted"
    assert drain["result"].endswith("node/node-1 drained")


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"apply": ["deployment"]}, "deployment.apps/web unchanged"),
        ({"scale": {"deploy/web": 3}}, "deployment.apps/web scaled"),
        ({"label": {"node": "node-1", "labels": "a=b"}}, "node/node-1 labeled"),
        ({"label": {"pod": {"selector": "app=web", "index": 0}, "labels": "app-"}}, "pod/{} unlabeled"),
        ({"cordon": "node-1"}, "node/node-1 cordoned"),
        ({"uncordon": "node-1"}, "node/node-1 already uncordoned"),
        ({"exec": {"pod": {"selector": "app=web", "index": 0}, "command": "exit 3"}}, "exit 3"),
        ({"delete": "deployment/web"}, 'deployment.apps "web" deleted from default namespace'),
        (
            {"condition": {"pod": {"selector": "app=web", "index": 0}, "type": "a/b", "status": "True"}},
            "pod/{} patched",
        ),
    ],
)
def test_each_verb_says_what_kubectl_says(action: dict[str, Any], said: str, tmp_path: Path) -> None:
    if "apply" in action:
        (tmp_path / "web.yaml").write_text(yaml.safe_dump(deployment()))
        action = {"apply": str(tmp_path / "web.yaml")}
    scenario = Scenario.load([deployment()], actions=[{"at": 20, **action}], seed=3, nodes=2, until=30)
    cluster = Cluster.of(scenario).play(scenario)
    (done,) = cluster.timeline.select(kind="Action")
    pod = done["args"].get("pod", "") if isinstance(done["args"], dict) else ""
    assert done["result"] == said.format(pod)
    assert not headlines.refused(done)
