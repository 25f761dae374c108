"""Short ways to write the pods of the conformance cases."""

from __future__ import annotations

from typing import Any

from selfheal import Cluster

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
BUSYBOX = "busybox:1.36"


def container(name: str = "app", image: str = BUSYBOX, command: str | None = None, **fields: Any) -> dict[str, Any]:
    """A container; ``command`` is a line for ``sh -c``."""
    out: dict[str, Any] = {"name": name, "image": image, **fields}
    if command is not None:
        out["command"] = ["sh", "-c", command]
    return out


def pod(*containers: dict[str, Any], name: str = "pod", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": list(containers), **spec},
    }


def http(path: str = "/", port: int | str = 80, **numbers: Any) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, **_numbers(numbers)}


def command(*argv: str, **numbers: Any) -> dict[str, Any]:
    return {"exec": {"command": list(argv)}, **_numbers(numbers)}


def _numbers(short: dict[str, Any]) -> dict[str, Any]:
    names = {
        "delay": "initialDelaySeconds",
        "period": "periodSeconds",
        "timeout": "timeoutSeconds",
        "S": "successThreshold",
        "F": "failureThreshold",
        "grace": "terminationGracePeriodSeconds",
    }
    return {names[k]: v for k, v in short.items()}


def play(*objs: dict[str, Any], until: float = 300, seed: int = 1, nodes: int = 1, **options: Any) -> Cluster:
    """A cluster on which the objects were applied at 0, run until ``until`` seconds."""
    cluster = Cluster(nodes=nodes, seed=seed, **options)
    cluster.apply(list(objs))
    return cluster.run(until=until)


def started(cluster: Cluster, name: str = "pod") -> float:
    """When the pod's first container began to run, in seconds (its event)."""
    return events(cluster, "Started", name)[0]


def events(cluster: Cluster, reason: str, name: str = "pod") -> list[float]:
    return [r["t"] for r in cluster.timeline.select(kind="Event", object=f"Pod/{name}", reason=reason)]


def messages(cluster: Cluster, reason: str, name: str = "pod") -> list[str]:
    return [r["message"] for r in cluster.timeline.select(kind="Event", object=f"Pod/{name}", reason=reason)]


def restarts(cluster: Cluster, name: str = "pod", container: int = 0) -> int:
    return int(cluster.get("Pod", name)["status"]["containerStatuses"][container]["restartCount"])


def ready_at(cluster: Cluster, name: str = "pod") -> float | None:
    intervals = cluster.timeline.ready_intervals(name)
    return intervals[0][0] if intervals else None
