"""A few fixed scenarios, each short to write: what replay and step counts are measured on."""

from __future__ import annotations

from collections.abc import Callable

from selfheal import Cluster
from selfheal.scenario import Scenario
from tests.recordings.simulate import HERE

RECORDED = (
    "crash-loop",
    "liveness-exec",
    "liveness-http",
    "readiness-flip",
    "replicaset-heal",
    "restart-policies",
    "startup-never",
    "startup-slow",
)
"""Scenarios of the recordings; the others are run where they are compared."""

SERVICE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: selfheal/patient
        ports: [{containerPort: 8080}]
        livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5, failureThreshold: 2}
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 2, failureThreshold: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""

QUIET = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: quiet}
spec:
  replicas: 30
  selector: {matchLabels: {app: quiet}}
  template:
    metadata: {labels: {app: quiet}}
    spec:
      containers:
      - name: app
        image: nginx
        ports: [{containerPort: 80}]
        livenessProbe: {httpGet: {path: /, port: 80}}
        readinessProbe: {httpGet: {path: /, port: 80}}
        startupProbe: {httpGet: {path: /, port: 80}}
"""


def recorded(name: str) -> Callable[[int], Cluster]:
    """A scenario of the recordings."""
    folder = HERE / name

    def play(seed: int) -> Cluster:
        manifests = [HERE / "cluster.yaml", folder / "manifest.yaml"]
        scenario = Scenario.load(manifests, actions=folder / "actions.yaml", seed=seed, until=150)
        return Cluster.of(scenario).play(scenario)

    return play


def traffic(seed: int) -> Cluster:
    """Users, a switch, a kill, a deletion."""
    cluster = Cluster(nodes=2, seed=seed)
    cluster.apply(SERVICE)
    cluster.traffic("web", 20)
    cluster.run(until=20)
    first, second, third = (p["metadata"]["name"] for p in cluster.get("pods"))
    cluster.http(first, "/switch?readyz=503", method="POST")
    cluster.run(until=40)
    cluster.http(second, "/switch?healthz=hang", method="POST")
    cluster.run(until=60.5)
    cluster.delete(f"pod/{third}")
    cluster.run(until=70)
    cluster.scale("deployment/web", 1)
    return cluster.run(until=120)


def quiet_hour(seed: int) -> Cluster:
    """Thirty pods with three probes each, to whom nothing happens for an hour."""
    cluster = Cluster(nodes=3, seed=seed)
    cluster.apply(QUIET)
    return cluster.run(until=3600)


ALL: dict[str, Callable[[int], Cluster]] = {
    **{name: recorded(name) for name in RECORDED},
    "traffic": traffic,
    "quiet-hour": quiet_hour,
}
