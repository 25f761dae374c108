"""What keeps pods running: ReplicaSets, Deployments, StatefulSets, DaemonSets."""

from __future__ import annotations

from typing import Any

from selfheal.objects import Object
from selfheal.printers import amounts, selectors
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.pod import template
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123
from selfheal.printers.fields import Fields, at, controller, items, mapping, number, strings, text, written

HASH_LABEL = "pod-template-hash"


def _template(w: Writer, obj: Object) -> None:
    template(w, mapping(obj, "spec.template") if at(obj, "spec.template") is not None else None)


def replica_set(w: Writer, rs: Object, lister: Lister, now: float) -> None:
    """ReplicaSets and ReplicationControllers (describe.go describeReplicaSet, describeReplicationController)."""
    plain = rs.get("kind") == "ReplicationController"
    parts.head(w, rs)
    selector = at(rs, "spec.selector")
    w.field(
        "Selector", selectors.labels(mapping(rs, "spec.selector")) if plain else selectors.selector_or_none(selector)
    )
    parts.labels(w, rs)
    if not plain:
        parts.controlled_by(w, rs)
    w.field("Replicas", f"{number(rs, 'status.replicas')} current / {number(rs, 'spec.replicas')} desired")
    w.field("Pods Status", parts.pods_of(rs, lister))
    _template(w, rs)
    parts.conditions(w, rs)
    parts.events_table(w, parts.events_of(rs, lister), now)


def deployment(w: Writer, deployment: Object, lister: Lister, now: float) -> None:
    """(describe.go describeDeployment)"""
    parts.head(w, deployment)
    w.field("CreationTimestamp", rfc1123(at(deployment, "metadata.creationTimestamp")))
    parts.labels(w, deployment)
    w.field("Selector", selectors.selector(at(deployment, "spec.selector")))
    status = mapping(deployment, "status")
    w.field(
        "Replicas",
        f"{number(deployment, 'spec.replicas')} desired | {number(status, 'updatedReplicas')} updated | "
        f"{number(status, 'replicas')} total | {number(status, 'availableReplicas')} available | "
        f"{number(status, 'unavailableReplicas')} unavailable",
    )
    w.field("StrategyType", text(deployment, "spec.strategy.type"))
    w.field("MinReadySeconds", number(deployment, "spec.minReadySeconds"))
    rolling = at(deployment, "spec.strategy.rollingUpdate")
    if rolling is not None:
        unavailable, surge = text(rolling, "maxUnavailable", "<nil>"), text(rolling, "maxSurge", "<nil>")
        w.field("RollingUpdateStrategy", f"{unavailable} max unavailable, {surge} max surge")
    _template(w, deployment)
    parts.conditions(w, deployment)
    new, old = replica_sets_of(deployment, lister)
    if new or old:
        w.field("OldReplicaSets", _created(old))
        w.field("NewReplicaSet", _created(new))
    parts.events_table(w, parts.events_of(deployment, lister), now)


def replica_sets_of(deployment: Object, lister: Lister) -> tuple[list[Object], list[Object]]:
    """The ReplicaSet of the present template (one or none), and the others, oldest first.

    (staging/src/k8s.io/kubectl/pkg/util/deployment/deployment.go GetAllReplicaSets)
    """
    uid, selector = text(deployment, "metadata.uid"), mapping(deployment, "spec.selector")
    owned = [
        rs
        for rs in lister.list("ReplicaSet", text(deployment, "metadata.namespace"))
        if selectors.selects(selector, mapping(rs, "metadata.labels")) and text(controller(rs), "uid") == uid
    ]
    owned.sort(key=lambda rs: (text(rs, "metadata.creationTimestamp"), text(rs, "metadata.name")))
    wanted = at(deployment, "spec.template")
    new = next((rs for rs in owned if _same(_without_hash(at(rs, "spec.template")), wanted)), None)
    return [] if new is None else [new], [rs for rs in owned if rs is not new]


def _without_hash(template: Any) -> Any:
    labels = {k: v for k, v in mapping(template, "metadata.labels").items() if k != HASH_LABEL}
    return {**(template or {}), "metadata": {**mapping(template, "metadata"), "labels": labels}}


def _same(one: Any, other: Any) -> bool:
    """Equal, where a field that is missing and one that is empty are the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_same(one.get(field), other.get(field)) for field in one.keys() | other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) or (not one and not other)


def _created(replica_sets: list[Object]) -> str:
    """``api-76d9cc56c6 (2/2 replicas created)``"""
    found = [
        f"{text(rs, 'metadata.name')} ({number(rs, 'status.replicas')}/{number(rs, 'spec.replicas')} replicas created)"
        for rs in replica_sets
    ]
    return ", ".join(found) or "<none>"


def stateful_set(w: Writer, sts: Object, lister: Lister, now: float) -> None:
    """(describe.go describeStatefulSet)"""
    parts.head(w, sts)
    w.field("CreationTimestamp", rfc1123(at(sts, "metadata.creationTimestamp")))
    w.field("Selector", selectors.selector(at(sts, "spec.selector")))
    parts.labels(w, sts)
    w.field("Replicas", f"{number(sts, 'spec.replicas')} desired | {number(sts, 'status.replicas')} total")
    w.field("Update Strategy", text(sts, "spec.updateStrategy.type"))
    rolling = mapping(sts, "spec.updateStrategy.rollingUpdate")
    if "partition" in rolling:
        w.field("Partition", number(rolling, "partition"), level=1)
        if at(rolling, "maxUnavailable") is not None:
            w.field("MaxUnavailable", text(rolling, "maxUnavailable"), level=1)
    w.field("Pods Status", parts.pods_of(sts, lister))
    _template(w, sts)
    _claims(w, items(sts, "spec.volumeClaimTemplates"))
    parts.events_table(w, parts.events_of(sts, lister), now)


def _claims(w: Writer, templates: list[Fields]) -> None:
    """(describe.go describeVolumeClaimTemplates)"""
    if not templates:
        w.field("Volume Claims", "<none>")
        return
    w.line("Volume Claims:")
    for claim in templates:
        w.field("Name", text(claim, "metadata.name"), level=1)
        w.field("StorageClass", text(claim, "spec.storageClassName"), level=1)
        w.labels("Labels", mapping(claim, "metadata.labels"), "  ")
        w.labels("Annotations", mapping(claim, "metadata.annotations"), "  ")
        w.field("Capacity", amounts.at(claim, "spec.resources.requests.storage", "<default>"), level=1)
        w.field("Access Modes", f"[{' '.join(strings(claim, 'spec.accessModes'))}]", level=1)


def daemon_set(w: Writer, ds: Object, lister: Lister, now: float) -> None:
    """(describe.go describeDaemonSet)"""
    parts.head(w, ds)
    w.field("Selector", selectors.selector(at(ds, "spec.selector")))
    w.field("Node-Selector", selectors.labels(mapping(ds, "spec.template.spec.nodeSelector")))
    parts.labels(w, ds)
    for words, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        w.line(f"{words}: {written(number(ds, f'status.{field}'))}")
    w.field("Pods Status", parts.pods_of(ds, lister))
    _template(w, ds)
    parts.events_table(w, parts.events_of(ds, lister), now)
