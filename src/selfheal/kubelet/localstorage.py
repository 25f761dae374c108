"""Who writes more to its node's disk than it may is evicted (pkg/kubelet/eviction/eviction_manager.go).

Of the reasons for which a kubelet evicts, this is the one that lies with the pod alone: ``ephemeral-storage`` limits of
its containers, and ``sizeLimit`` of an emptyDir. Looked at every 10 s, so it takes that long at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selfheal import quantities
from selfheal.clock import SECOND
from selfheal.programs.filesystem import Directory, Node, used
from selfheal.rules import rule
from selfheal.runtime import Container
from selfheal.spec import PodSpec

INTERVAL = 10 * SECOND
"""pkg/kubelet/kubelet.go evictionMonitoringPeriod"""
GRACE = 1
"""Seconds that the pod gets (immediateEvictionGracePeriodSeconds)."""
STORAGE = "ephemeral-storage"

EVICTED = rule("kubelet.evicted", "pkg/kubelet/eviction/eviction_manager.go", "localStorageEviction")


def limited(spec: PodSpec) -> bool:
    """Whether there is anything to look at."""
    volumes = any((v.get("emptyDir") or {}).get("sizeLimit") for v in spec.volumes)
    return volumes or any(STORAGE in c.limits for c in (*spec.containers, *spec.init_containers))


def exceeded(spec: PodSpec, containers: Iterable[Container], volumes: Mapping[str, Node]) -> str | None:
    """Which limit a pod exceeds, in Kubernetes' words; None: none (localStorageEviction)."""
    held = {v["name"]: used(node) for v in spec.volumes if isinstance(node := volumes.get(v["name"]), Directory)}
    for volume in spec.volumes:
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if limit and held.get(volume["name"], 0) > quantities.count("memory", limit):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    own = {c.name: used(c.fs.root) for c in containers if c.running}
    limits = {c.name: c.limits[STORAGE] for c in spec.containers if STORAGE in c.limits}
    empty = sum(held.get(v["name"], 0) for v in spec.volumes if "emptyDir" in v)
    if len(limits) == len(spec.containers) and sum(own.values()) + empty > sum(limits.values()):
        total = _text(sum(limits.values()))
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {total}. "
    for name, limit in limits.items():
        if own.get(name, 0) > limit:
            return f'Container {name} exceeded its local ephemeral storage limit "{_text(limit)}". '
    return None


def _text(amount: int) -> str:
    return str(amount) if amount % 1024 else quantities.canonical(f"{amount // 1024}Ki")
