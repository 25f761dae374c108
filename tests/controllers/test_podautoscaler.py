"""A HorizontalPodAutoscaler over what pods use."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.clock import SECOND
from selfheal.controllers.podautoscaler.behavior import Memory, decide
from selfheal.objects import Object, condition, key, name, replace
from tests.conformance.pods import AGNHOST, container
from tests.controllers.worlds import World, deployment, template


def autoscaler(low: int = 1, high: int = 10, percent: int = 50, **spec: Any) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": low,
            "maxReplicas": high,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
    }


class Load:
    """A world in which every pod uses as much CPU as the test says."""

    def __init__(self, replicas: int = 2, used: int | None = 100, asked: str | None = "200m", **spec: Any) -> None:
        self.world = World(nodes=2)
        self.used: dict[str, int | None] = {}
        self.default = used
        self.world.store.usage = lambda pod, _: self.used.get(name(pod), self.default)
        pods = template()
        if asked:
            pods["spec"]["containers"][0]["resources"] = {"requests": {"cpu": asked}}
        self.world.store.create(deployment(replicas, template=pods))
        self.settle(400)
        self.world.store.create(autoscaler(**spec))

    def settle(self, seconds: float) -> None:
        """Time passes; every new pod is ready after a moment."""
        for _ in range(int(seconds)):
            self.world.wait(1)
            for pod in self.world.pods():
                if condition(pod, "Ready") is None:
                    self.world.ready(pod)
                    self.world.status(pod, startTime=self.world.clock.timestamp())

    @property
    def replicas(self) -> int:
        return int(self.world.get("Deployment", "web")["spec"]["replicas"])

    @property
    def status(self) -> Object:
        return dict(self.world.get("HorizontalPodAutoscaler", "web")["status"])

    def said(self, kind: str) -> str:
        return str(condition(self.world.get("HorizontalPodAutoscaler", "web"), kind)["reason"])


def test_twice_the_load_needs_twice_the_pods() -> None:
    load = Load(used=200)
    load.settle(16)
    assert load.replicas == 4
    assert load.world.events("SuccessfulRescale") == [
        "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    ]
    assert load.status["currentMetrics"][0]["resource"]["current"] == {
        "averageValue": "200m",
        "averageUtilization": 100,
    }


def test_within_ten_percent_nothing_happens() -> None:
    load = Load(used=109)
    load.settle(60)
    assert (load.replicas, load.said("ScalingLimited")) == (2, "DesiredWithinRange")


def test_at_most_double_or_four_at_a_time() -> None:
    load = Load(replicas=3, used=2000, high=50)
    load.settle(16)
    assert (load.replicas, load.said("ScalingLimited")) == (6, "ScaleUpLimit")


def test_no_more_than_the_most() -> None:
    load = Load(used=2000, high=3)
    load.settle(16)
    assert (load.replicas, load.said("ScalingLimited")) == (3, "TooManyReplicas")


def test_down_only_after_five_minutes() -> None:
    load = Load(replicas=6, used=10)
    load.settle(290)
    assert (load.replicas, load.said("AbleToScale")) == (6, "ScaleDownStabilized")
    load.settle(40)
    assert load.replicas == 1
    assert load.world.events("SuccessfulRescale") == ["New size: 1; reason: All metrics below target"]


def test_a_short_lull_costs_nobody_their_place() -> None:
    load = Load(replicas=4, used=100)
    load.settle(60)
    load.default = 1
    load.settle(200)
    load.default = 100
    load.settle(400)
    assert load.replicas == 4


def test_pods_of_which_nothing_is_known_forbid_scaling_down_too_far() -> None:
    load = Load(replicas=4, used=40)
    for pod in load.world.pods()[:2]:
        load.used[name(pod)] = None
    load.settle(340)
    assert load.replicas == 4  # (40 + 40 + 200 + 200) ÷ 4 is above the target, so nothing is done


def test_without_metrics_it_says_so_and_does_nothing() -> None:
    load = Load(used=None)
    load.settle(16)
    assert (load.replicas, load.said("ScalingActive")) == (2, "FailedGetResourceMetric")
    why = "unable to get metrics for resource cpu: no metrics returned from resource metrics API"
    why = f"failed to get cpu utilization: {why}"
    assert load.world.events("FailedGetResourceMetric") == [why]
    assert load.world.events("FailedComputeMetricsReplicas") == [
        f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}"
    ]


def test_without_requests_there_is_no_percentage() -> None:
    load = Load(asked=None)
    load.settle(16)
    assert "missing request for cpu in container app of Pod web-" in load.world.events("FailedGetResourceMetric")[0]


def test_pods_that_are_not_ready_count_as_idle_when_it_looks_as_if_more_were_needed() -> None:
    load = Load(replicas=4, used=150)
    fresh = load.world.pods()[:2]
    for one in fresh:
        load.world.ready(one, False)
        load.world.status(one, startTime=load.world.clock.timestamp())
    load.settle(16)
    assert load.replicas == 4  # (150 + 150 + 0 + 0) ÷ 4 is below the target, so it would turn round
    load.default = 260
    load.settle(15)
    assert load.replicas == 6  # (260 + 260 + 0 + 0) ÷ 4 is 1.3 times the target; six pods of four, rounded up


def test_what_a_pod_on_its_way_out_uses_does_not_count() -> None:
    load = Load(replicas=2, used=100)
    going = load.world.pods()[0]
    load.world.store.patch("Pod", *key(going), lambda p: replace(p, "spec.nodeName", "node-1"))
    load.world.store.delete("Pod", *key(going), grace=600)
    load.used[name(going)] = 4000
    load.settle(30)
    assert load.replicas == 2


def test_the_tolerance_may_be_set_for_each_direction() -> None:
    load = Load(used=140, behavior={"scaleUp": {"tolerance": "500m"}})
    load.settle(31)
    assert load.replicas == 2
    load.default = 160
    load.settle(15)
    assert load.replicas == 4


def test_policies_count_what_was_done_in_their_period() -> None:
    """One pod a minute, whatever is asked for."""
    policies = [{"type": "Pods", "value": 1, "periodSeconds": 60}]
    load = Load(used=2000, behavior={"scaleUp": {"policies": policies}})
    load.settle(17)
    assert (load.replicas, load.said("ScalingLimited")) == (3, "ScaleUpLimit")
    load.settle(40)
    assert load.replicas == 3
    load.settle(21)
    assert load.replicas == 4


def test_a_target_scaled_to_zero_is_left_alone() -> None:
    load = Load()
    load.world.set("Deployment", "web", "spec.replicas", 0)
    load.settle(31)
    assert (load.replicas, load.said("ScalingActive")) == (0, "ScalingDisabled")


def test_too_few_and_too_many_are_put_right_whatever_the_load() -> None:
    load = Load(replicas=2, low=3)
    load.settle(16)
    assert load.replicas == 3
    assert load.world.events("SuccessfulRescale") == [
        "New size: 3; reason: Current number of replicas below Spec.MinReplicas"
    ]


def test_a_target_that_is_not_there() -> None:
    world = World()
    world.store.create(autoscaler())
    world.wait(16)
    assert world.events("FailedGetScale") == ['deployments.apps "web" not found']


@pytest.mark.parametrize(
    ("behavior", "current", "wanted", "expected"),
    [
        ({"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}, 3, 9, 4),
        ({"scaleUp": {"selectPolicy": "Disabled"}}, 3, 9, 3),
        ({"scaleUp": {"selectPolicy": "Min"}}, 3, 9, 6),
        ({"scaleDown": {"stabilizationWindowSeconds": 0}}, 8, 2, 2),
        (
            {
                "scaleDown": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Percent", "value": 25, "periodSeconds": 60}],
                }
            },
            8,
            2,
            6,
        ),
        ({"scaleDown": {}}, 8, 2, 8),
        (None, 8, 2, 8),
        (None, 1, 9, 4),
        (None, 3, 9, 6),
    ],
)
def test_behavior_bounds_the_steps(behavior: Any, current: int, wanted: int, expected: int) -> None:
    memory = Memory(recommendations=[(0, current)])
    assert decide(memory, behavior, current, wanted, 1, 20, 10 * SECOND).replicas == expected


def test_users_make_load_and_more_pods_share_it() -> None:
    cluster = Cluster(nodes=2, seed=1)
    web = container(image=AGNHOST, args=["netexec"], resources={"requests": {"cpu": "100m"}})
    web["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    labels = {"app": "web"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [web]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pods}
    ports = [{"port": 80, "targetPort": 8080}]
    service = {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": "web"},
        "spec": {"selector": labels, "ports": ports},
    }
    cluster.apply([{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": spec}, service])
    cluster.apply(autoscaler())
    cluster.traffic("web", 20)
    cluster.run(until=120)
    assert cluster.get("Deployment", "web")["status"]["readyReplicas"] in (4, 5)
