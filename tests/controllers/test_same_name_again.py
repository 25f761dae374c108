"""A ReplicaSet that is deleted under its Deployment comes back under the same name."""

from __future__ import annotations

import pytest

from selfheal import Cluster
from tests.conformance.pods import container, pod


@pytest.mark.parametrize("seed", range(12))
def test_a_deployment_whose_replicaset_is_deleted_has_all_its_pods_again(seed: int) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod(container(image="nginx"))["spec"]}
    cluster = Cluster(nodes=2, seed=seed)
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 4, "selector": {"matchLabels": labels}, "template": template},
        }
    )
    cluster.run(until=20)
    cluster.delete(f"replicaset/{cluster.get('rs')[0]['metadata']['name']}")
    cluster.run(until=60)
    assert cluster.get("deployment", "web")["status"]["readyReplicas"] == 4


def test_a_deleted_pod_that_waits_for_its_controller_is_bound_no_more() -> None:
    """A Job's pod has a finalizer: deleted before it is scheduled it is still there, and must not be bound."""
    cluster = Cluster(seed=1)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container(command="exit 0")]}}},
    }
    for _ in range(20):
        cluster.apply(job)
        cluster.run(for_=0.01)
        for found in cluster.get("pods"):
            cluster.delete(f"pod/{found['metadata']['name']}")
        cluster.run(for_=0.5)
        cluster.delete("job/job")
        cluster.run(for_=5)
