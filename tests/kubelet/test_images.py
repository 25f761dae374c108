"""Images: what a node pulls, in which order, and names that are none."""

from __future__ import annotations

import itertools
import re

import pytest

from selfheal import Cluster
from selfheal.kubelet.images import misnamed
from tests.conformance.pods import container, pod


def messages(cluster: Cluster, reason: str) -> list[str]:
    return [r["message"] for r in cluster.timeline.select(kind="Event") if r["reason"] == reason]


def test_a_name_that_is_none_is_not_even_pulled() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.apply(pod(container(image="BusyBox:1.36")))
    cluster.run(until=60)
    why = (
        'Failed to apply default image tag "BusyBox:1.36": couldn\'t parse image name "BusyBox:1.36": '
        "invalid reference format: repository name (library/BusyBox) must be lowercase"
    )
    waiting = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting == {"reason": "InvalidImageName", "message": why}
    assert set(messages(cluster, "InspectFailed")) == {why}
    assert set(messages(cluster, "Failed")) == {"Error: InvalidImageName"}
    assert messages(cluster, "Pulling") == messages(cluster, "BackOff") == []
    tries = [r["t"] for r in cluster.timeline.select(kind="Event") if r["reason"] == "InspectFailed"][1:]
    assert all(10 <= b - a <= 16.1 for a, b in itertools.pairwise(tries)), "no back-off grows"


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "nginx:1.29",
        "registry.k8s.io/pause:3.10",
        "localhost:5000/a/b_c/d--e:V1.0-x",
        "registry.k8s.io/e2e-test-images/agnhost@sha256:" + "0" * 64,
    ],
)
def test_names_of_images(image: str) -> None:
    assert misnamed(image) == ""


@pytest.mark.parametrize(
    "image", ["nginx:", "nginx:a b", "a//b", "-nginx", "nginx:1:2", "http://nginx", "a/b@sha256:1"]
)
def test_what_is_no_name(image: str) -> None:
    assert misnamed(image) == "invalid reference format"


def test_an_upper_case_host_is_a_host() -> None:
    assert misnamed("Shop/web") == ""
    assert misnamed("shop.example/Web") == "invalid reference format: repository name (Web) must be lowercase"


def test_a_node_pulls_one_image_at_a_time() -> None:
    cluster = Cluster(nodes=1, seed=1)
    cluster.fault("slowPull", "slow.test.org", for_=60)
    cluster.apply([pod(container(image="slow.test.org/a:1"), name="a")])
    cluster.run(until=2)
    cluster.apply([pod(container(image="quick.test.org/b:1"), name="b")])
    cluster.run(until=120)
    first, second = (
        tuple(float(x) for x in re.findall(r"([0-9.]+)s", m)) for m in messages(cluster, "Pulled") if "Success" in m
    )
    assert first[0] == first[1] > 10
    assert 1 <= second[0] <= 4
    assert second[1] > first[1] - 2
