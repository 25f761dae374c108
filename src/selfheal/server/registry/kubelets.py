"""``nodes/proxy``: what a kubelet tells about itself and its pods; and ``/metrics``.

pkg/kubelet/server/server.go, pkg/kubelet/prober/prober_manager.go, pkg/kubelet/server/stats
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from selfheal.clock import SECOND
from selfheal.cluster import Cluster
from selfheal.errors import NotFound
from selfheal.objects import Object, name, namespace, ref, uid
from selfheal.server.context import Context
from selfheal.server.http import Response, as_json
from selfheal.server.statuses import MethodNotAllowed, Unreachable

RESULTS = {"success": "successful", "warning": "successful", "failure": "failed", "unknown": "unknown"}
"""What the counters call a probe's result; all others are counted nowhere."""

TEXT = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


def family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    """A metric in Prometheus' text format."""
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{k}="{_escaped(v)}"' for k, v in sorted(labels.items()))
        lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def probes(cluster: Cluster, pods: Iterable[Object]) -> str:
    """How often each probe of some pods has been made, by its result."""
    living = {(namespace(p), ref(p)): p for p in pods}
    since = {k: (cluster.clock.at_timestamp(p["metadata"]["creationTimestamp"])) / SECOND for k, p in living.items()}
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    for record in cluster.timeline.select(kind="Probe"):
        key = record.get("namespace", ""), record["object"]
        if key in living and record["t"] >= since[key] and record["result"] in RESULTS:
            counted[(*key, record["container"], record["probe"], RESULTS[record["result"]])] += record.get("times", 1)
    samples = []
    for (space, of, container, probe, result), times in sorted(counted.items()):
        pod = living[space, of]
        labels = {"container": container, "namespace": space, "pod": name(pod), "pod_uid": uid(pod)}
        samples.append(({**labels, "probe_type": probe.capitalize(), "result": result}, float(times)))
    about = (
        "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result. "
        "Only includes probes that have run."
    )
    return family("prober_probe_total", "counter", about, samples)


def _summary(cluster: Cluster, node: Object, pods: list[Object]) -> Object:
    """stats/summary, as far as anybody counts."""
    usage, now = cluster.store.usage, cluster.clock.timestamp()
    stats = []
    for pod in pods:
        found = {key: usage(pod, key) if usage is not None else None for key in ("cpu", "memory")}
        stats.append(
            {
                "podRef": {"name": name(pod), "namespace": namespace(pod), "uid": uid(pod)},
                "startTime": (pod.get("status") or {}).get("startTime"),
                "cpu": {"time": now, "usageNanoCores": (found["cpu"] or 0) * 1_000_000},
                "memory": {"time": now, "workingSetBytes": (found["memory"] or 0) // 1000},
            }
        )
    since = node["metadata"]["creationTimestamp"]
    return {"node": {"nodeName": name(node), "startTime": since}, "pods": stats}


Answerer = Callable[[Cluster, Object, list[Object]], Any]

PATHS: dict[str, Answerer] = {
    "healthz": lambda *_: "ok",
    "pods": lambda _, __, pods: {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods},
    "metrics/probes": lambda cluster, _, pods: probes(cluster, pods),
    "metrics": lambda _, __, pods: family(
        "kubelet_running_pods", "gauge", "[BETA] Number of pods that have a running pod sandbox", [({}, len(pods))]
    ),
    "stats/summary": _summary,
}
"""What a kubelet is asked: path → answer, a text or something for JSON."""


def serve(context: Context) -> Response:
    """Ask a node's kubelet; ``nodes/NAME:10250/proxy/…`` is the same."""
    info, cluster = context.info, context.cluster
    called, _, port = info.name.partition(":")
    node = context.store.get("Node", "", called)
    if node is None:
        raise NotFound(f'nodes "{called}" not found')
    if not cluster.node(called).powered or port not in ("", "10250"):
        address = cluster.node(called).runtime.node_ip
        raise Unreachable(
            f"error trying to reach service: dial tcp {address}:{port or 10250}: connect: no route to host"
        )
    answer = PATHS.get(info.rest.strip("/"))
    if answer is None:
        return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
    if context.request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("the server does not allow this method on the requested resource")
    cluster.settle()
    found = answer(cluster, node, context.store.pods_on(called))
    return Response(200, found.encode(), TEXT) if isinstance(found, str) else as_json(found)


def metrics(cluster: Cluster, requests: Counter[tuple[str, str, int]]) -> Response:
    """/metrics: the API server's own, and the probers' of all nodes."""
    cluster.settle()
    store = cluster.store
    stored = [({"resource": kind}, float(len(store.list(kind)))) for kind in store.kinds()]
    asked = [
        ({"verb": verb, "resource": resource, "code": str(code)}, float(n))
        for (verb, resource, code), n in sorted(requests.items())
    ]
    text = family(
        "apiserver_request_total",
        "counter",
        "[STABLE] Counter of apiserver requests by verb, resource and code.",
        asked,
    )
    text += family("apiserver_storage_objects", "gauge", "[STABLE] Number of stored objects by kind.", stored)
    return Response(200, (text + probes(cluster, store.list("Pod"))).encode(), TEXT)
