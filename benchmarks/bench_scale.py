"""What a large cluster costs: ``make bench``, or ``python benchmarks/bench_scale.py 300`` for a tenth of its pods.

Seconds are those of the processor, so that a busy machine does not count. Nothing here passes or fails.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from selfheal import Cluster

PER_NODE = 30
KIB = 1024

Object = dict[str, Any]


def deployment(called: str, replicas: int, image: str = "nginx") -> Object:
    """Replicas with all three probes."""
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}
    container = {
        "name": "app",
        "image": image,
        "ports": [{"containerPort": 80}],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "startupProbe": probe,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": called},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": called}},
            "template": {"metadata": {"labels": {"app": called}}, "spec": {"containers": [container]}},
        },
    }


def node(number: int, pods: int) -> Object:
    room = {"cpu": "64", "memory": "256Gi", "pods": str(pods)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": {"kubernetes.io/hostname": f"node-{number}"}},
        "spec": {"podCIDR": f"10.{100 + number}.0.0/16"},
        "status": {"capacity": room, "allocatable": room},
    }


def complete(cluster: Cluster) -> bool:
    """Whether every Deployment is what it should be, and nothing else is there."""
    for found in cluster.store.list("Deployment"):
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = [status.get(f, 0) for f in ("replicas", "updatedReplicas", "availableReplicas")]
        if counts != [wanted] * 3 or status.get("observedGeneration") != found["metadata"]["generation"]:
            return False
    return True


def settled(cluster: Cluster) -> Cluster:
    """Run, second by second, until all is complete."""
    while not complete(cluster):
        cluster.run(for_=1)
        assert cluster.now < 3600
    return cluster


def started(nodes: int, pods: int, each: int = PER_NODE) -> Cluster:
    """A cluster with Deployments of ``each`` replicas, all available."""
    cluster = Cluster(nodes=nodes, seed=1)
    cluster.apply([deployment(f"d{n}", each) for n in range(pods // each)])
    return settled(cluster)


def cost(what: str, run: Callable[[], Cluster], aim: str = "") -> Cluster:
    """Print what a part costs: seconds, simulation steps, simulated time."""
    begun = time.process_time()
    cluster = run()
    print(f"{what:<58} {time.process_time() - begun:>11.2f} s   {aim:<10} until {cluster.now:,.0f} s simulated")
    return cluster


def hour(cluster: Cluster) -> Cluster:
    steps = cluster.clock.steps
    cluster.run(for_=3600)
    list(cluster.timeline)
    print(f"  its simulation steps {cluster.clock.steps - steps:>48,}")
    return cluster


def rolled(cluster: Cluster) -> Cluster:
    """Every Deployment gets another template."""
    for found in cluster.store.list("Deployment"):
        cluster.apply(deployment(found["metadata"]["name"], found["spec"]["replicas"], "httpd"))
    return settled(cluster)


def full_node(pods: int) -> Cluster:
    """Two nodes; all pods are on the first."""
    cluster = Cluster(nodes=[node(1, pods + 10), node(2, pods + 10)], seed=1)
    cluster.cordon("node-2")
    cluster.run(for_=1)
    cluster.apply(deployment("web", pods))
    settled(cluster)
    cluster.cordon("node-2", on=False)
    return cluster.run(for_=1)


def lost(cluster: Cluster) -> Cluster:
    """The node loses its power; after five minutes its pods are replaced."""
    cluster.node("node-1").stop()
    cluster.run(for_=60)
    return settled(cluster)


def memory(pods: int, nodes: int = 10) -> tuple[int, int, int]:
    """Bytes of a cluster that has rested for a while: (without its timeline, of its timeline), and its records."""
    gc.collect()
    tracemalloc.start()
    cluster = started(nodes, pods)
    cluster.run(for_=120)
    records = len(cluster.timeline.records)
    gc.collect()
    whole, _ = tracemalloc.get_traced_memory()
    cluster._recorder.stop()  # noqa: SLF001
    del cluster._recorder  # noqa: SLF001
    cluster.timeline.__dict__.clear()
    gc.collect()
    rest, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return rest, whole - rest, records


def main(pods: int = 3000) -> None:
    nodes = pods // PER_NODE
    cluster = cost(f"start of {pods} pods with three probes on {nodes} nodes", lambda: started(nodes, pods), "aim 10 s")
    cost("the hour after all are Ready", lambda: hour(cluster), "aim 0.5 s")
    many = max(PER_NODE, pods // 3)
    one = started(nodes, many, many)
    cost(f"a rollout of {many} pods", lambda: rolled(one))
    few = max(PER_NODE, pods // 10)
    two = full_node(few)
    cost(f"the loss of a node with {few} pods, until all are replaced", lambda: lost(two))
    small, large = memory(PER_NODE * 10), memory(PER_NODE * 20)
    a_pod = (large[0] - small[0]) / (PER_NODE * 10) / KIB
    a_record = (large[1] - small[1]) / (large[2] - small[2]) / KIB
    print(f"{'memory of a pod, without its timeline':<58} {a_pod:>11.1f} KiB aim 20 KiB")
    print(f"{'memory of a record':<58} {a_record:>11.2f} KiB aim 0.5 KiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
