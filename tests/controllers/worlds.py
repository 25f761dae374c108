"""A cluster without kubelets: tests say themselves what becomes of the pods."""

from __future__ import annotations

from typing import Any

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.controllers import start_controllers
from selfheal.informers import Informers
from selfheal.objects import Object, condition, name, replace
from selfheal.scheduler import Scheduler
from selfheal.store import Store, WatchEvent


class World:
    """Store, scheduler and controllers; nodes that run nothing by themselves."""

    def __init__(self, nodes: int = 2, seed: int = 7, *, schedule: bool = True) -> None:
        self.clock = Clock(40, 250_000)
        self.chance = Chance(seed)
        self.store = Store(self.clock, self.chance)
        self.informers = Informers(self.store)
        self.history: list[tuple[float, WatchEvent]] = []
        self.store.watch(None, lambda e: self.history.append((self.clock.seconds, e)), immediate=True)
        if schedule:
            Scheduler(self.store, self.informers, self.clock, self.chance)
        start_controllers(self.store, self.informers, self.clock, self.chance)
        for n in range(1, nodes + 1):
            self.store.create(node(f"node-{n}"))
            self.store.kept[f"node-{n}"] = lambda at: at  # as if each had a kubelet that is well
        self.wait(1)

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.now + round(seconds * SECOND))

    # ---- what tests do to pods, as a kubelet would

    def pods(self, **labels: str) -> list[Object]:
        """Pods that have the labels, sorted by name."""
        return [p for p in self.store.list("Pod") if labels.items() <= (p["metadata"].get("labels") or {}).items()]

    def status(self, pod: Object | str, **fields: Any) -> None:
        called = pod if isinstance(pod, str) else name(pod)
        self.store.patch("Pod", "default", called, lambda p: {**p, "status": {**p["status"], **fields}}, status=True)

    def ready(self, pod: Object | str, ready: bool = True, ip: str | None = None) -> None:
        """The pod runs, and is Ready or not."""
        called = pod if isinstance(pod, str) else name(pod)
        current = self.store.get("Pod", "default", called)
        assert current is not None
        others = [c for c in current["status"].get("conditions") or () if c["type"] != "Ready"]
        new = {"type": "Ready", "status": str(ready), "lastTransitionTime": self.clock.timestamp()}
        old = condition(current, "Ready")
        if old is not None and old["status"] == new["status"]:
            new["lastTransitionTime"] = old["lastTransitionTime"]
        address = ip or current["status"].get("podIP") or f"10.88.0.{self.chance.stream('ip').next() + 2}"
        self.status(called, phase="Running", conditions=[*others, new], podIP=address)

    def gone(self, pod: Object | str) -> None:
        """The pod's containers have ended, and the kubelet removes it."""
        self.store.delete("Pod", "default", pod if isinstance(pod, str) else name(pod), grace=0)

    # ---- what tests look at

    def get(self, kind: str, called: str) -> Object:
        found = self.store.get(kind, "default", called)
        assert found is not None, f"{kind} {called} is gone"
        return found

    def set(self, kind: str, called: str, path: str, value: Any) -> Object:
        return self.store.patch(kind, "default", called, lambda o: replace(o, path, value))

    def events(self, reason: str | None = None) -> list[str]:
        """Messages of all events, in the order in which they were written."""
        return [
            e.object["message"]
            for _, e in self.history
            if e.object["kind"] == "Event" and e.type != "DELETED" and reason in (None, e.object["reason"])
        ]

    def changes(self, kind: str, *fields: str) -> list[tuple[Any, ...]]:
        """How some fields of the status of all objects of a kind went on, without repetitions."""
        out: list[tuple[Any, ...]] = []
        for _, event in self.history:
            if event.object["kind"] == kind and event.type != "DELETED":
                status = event.object.get("status") or {}
                row = tuple(status.get(f, 0) for f in fields)
                if not out or out[-1] != row:
                    out.append(row)
        return out


def node(called: str, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": called, "labels": {"kubernetes.io/hostname": called}},
        "spec": spec,
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"}},
    }


def template(image: str = "v1", app: str = "web") -> Object:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "app", "image": image}], "terminationGracePeriodSeconds": 30},
    }


def replica_set(called: str = "web", replicas: int = 3, **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": called},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": called}},
            "template": template(app=called),
            **spec,
        },
    }


def deployment(replicas: int = 3, surge: Any = "25%", unavailable: Any = "25%", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
    }


def service(called: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": called},
        "spec": {"selector": {"app": called}, "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}], **spec},
    }


def bare_pod(called: str, **labels: str) -> Object:
    meta = {"name": called, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template()["spec"]}
