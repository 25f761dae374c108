"""How many pods of which version: the sums behind a Deployment's steps.

All functions here are pure; none of them writes. Follows pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from selfheal.chance import SAFE_ALPHABET
from selfheal.errors import ApiError
from selfheal.objects import Object, name, namespace

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
NOT_COPIED = (LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED, MAX, ROLLBACK_TO)
"""Annotations of a Deployment that its ReplicaSets do not inherit."""

HASH_LABEL = "pod-template-hash"

NO_DEADLINE = 2**31 - 1
"""progressDeadlineSeconds and revisionHistoryLimit with this value mean none."""


class Stale(ApiError):
    """The numbers do not fit together: look again later."""


def replicas(obj: Object) -> int:
    """``spec.replicas``."""
    return int(obj["spec"].get("replicas", 1))


def annotation(obj: Object, key: str) -> str | None:
    value = (obj["metadata"].get("annotations") or {}).get(key)
    return None if value is None else str(value)


def revision(replica_set: Object) -> int:
    """The revision of a ReplicaSet; 0 without one."""
    return _whole(annotation(replica_set, REVISION)) or 0


def _whole(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def by_age(sets: Iterable[Object]) -> list[Object]:
    """Oldest first (ReplicaSetsByCreationTimestamp)."""
    return sorted(sets, key=lambda s: (s["metadata"]["creationTimestamp"], name(s)))


def active(sets: Iterable[Object | None]) -> list[Object]:
    """Those that ask for pods (FilterActiveReplicaSets)."""
    return [s for s in sets if s is not None and replicas(s) > 0]


def total(sets: Iterable[Object | None]) -> int:
    """Pods asked for."""
    return sum(replicas(s) for s in sets if s is not None)


def counted(sets: Iterable[Object | None], field: str) -> int:
    """Pods as the statuses of the ReplicaSets have them: ``replicas``, ``readyReplicas`` …"""
    return sum(s["status"].get(field, 0) for s in sets if s is not None)


# ---- surge and unavailability


def scaled(value: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage of ``of`` rounded up or down (intstr.GetScaledValueFromIntOrPercent)."""
    if isinstance(value, str):
        share = int(value.rstrip("%")) * of
        return -(-share // 100) if up else share // 100
    return int(value)


def rolling(deployment: Object) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def _limits(deployment: Object) -> tuple[int, int]:
    """(surge, unavailable); not both 0 (ResolveFenceposts)."""
    update = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled(update.get("maxSurge", "25%"), replicas(deployment), up=True)
    unavailable = scaled(update.get("maxUnavailable", "25%"), replicas(deployment), up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def max_surge(deployment: Object) -> int:
    """How many pods more than ``replicas`` a rollout may have."""
    return _limits(deployment)[0] if rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    """How many pods fewer than ``replicas`` may be available."""
    if not rolling(deployment) or replicas(deployment) == 0:
        return 0
    return min(_limits(deployment)[1], replicas(deployment))


# ---- how large each ReplicaSet should be


def new_replicas(deployment: Object, sets: Iterable[Object | None], new: Object) -> int:
    """How large the new ReplicaSet may be now (NewRSNewReplicas)."""
    if not rolling(deployment):
        return replicas(deployment)
    room = replicas(deployment) + max_surge(deployment) - total(sets)
    if room <= 0:
        return replicas(new)
    return replicas(new) + min(room, replicas(deployment) - replicas(new))


def may_remove(deployment: Object, sets: Iterable[Object | None], new: Object) -> int:
    """How many old pods may go: all that are more than the least that must be available.

    New pods that are not available yet are not counted on (reconcileOldReplicaSets).
    """
    least = replicas(deployment) - max_unavailable(deployment)
    new_unavailable = replicas(new) - counted([new], "availableReplicas")
    return total(sets) - least - new_unavailable


def cleanup_unhealthy(old: Sequence[Object], limit: int) -> dict[str, int]:
    """New sizes by name: old pods that are not available go, oldest ReplicaSet first (cleanupUnhealthyReplicas).

    Raises Stale if a ReplicaSet has more available pods than it asks for: it has just been scaled down, and
    its status does not show it yet. To go on with such numbers would remove too many.
    """
    sizes: dict[str, int] = {}
    removed = 0
    for replica_set in by_age(old):
        size = replicas(replica_set)
        unhealthy = size - replica_set["status"].get("availableReplicas", 0)
        if removed >= limit:
            break
        if size == 0 or unhealthy == 0:
            continue
        count = min(limit - removed, unhealthy)
        if count < 0:
            where = f"{namespace(replica_set)}/{name(replica_set)}"
            raise Stale(
                "when cleaning up unhealthy replicas, got invalid request to scale down "
                f"{where} {size} -> {size - count}"
            )
        sizes[name(replica_set)] = size - count
        removed += count
    return sizes


def scale_down_old(deployment: Object, sets: Iterable[Object | None], old: Sequence[Object]) -> dict[str, int]:
    """New sizes by name: available pods beyond the least go, oldest ReplicaSet first (scaleDownOldReplicaSets…)."""
    least = replicas(deployment) - max_unavailable(deployment)
    count = counted(sets, "availableReplicas") - least
    sizes = {}
    for replica_set in by_age(old):
        if count <= 0:
            break
        if replicas(replica_set) == 0:
            continue
        step = min(replicas(replica_set), count)
        sizes[name(replica_set)] = replicas(replica_set) - step
        count -= step
    return sizes


def active_or_latest(new: Object | None, old: Sequence[Object]) -> Object | None:
    """The only ReplicaSet that has pods, or the newest if none has; None if there are several (FindActiveOrLatest)."""
    if new is None and not old:
        return None
    with_pods = active([*old, new])
    if not with_pods:
        return new if new is not None else by_age(old)[-1]
    return with_pods[0] if len(with_pods) == 1 else None


def saturated(deployment: Object, new: Object | None) -> bool:
    """Whether the new ReplicaSet alone is all that is wanted (IsSaturated)."""
    if new is None:
        return False
    wanted = replicas(deployment)
    desired = _whole(annotation(new, DESIRED))
    return replicas(new) == wanted and desired == wanted and new["status"].get("availableReplicas", 0) == wanted


def proportional(deployment: Object, sets: Sequence[Object]) -> dict[str, int]:
    """New sizes by name when a Deployment is scaled in the middle of a rollout: all grow or shrink in proportion.

    pkg/controller/deployment/sync.go scale
    """
    wanted = replicas(deployment)
    allowed = wanted + max_surge(deployment) if wanted > 0 else 0
    to_add = allowed - total(sets)
    newest_first = by_age(sets)[::-1]
    ordered = sorted(newest_first if to_add > 0 else by_age(sets), key=lambda s: -replicas(s))
    if to_add == 0:
        return {name(s): replicas(s) for s in ordered}
    sizes, added = {}, 0
    for replica_set in ordered:
        share = _share(deployment, replica_set, to_add, added)
        sizes[name(replica_set)] = replicas(replica_set) + share
        added += share
    if ordered:
        biggest = name(ordered[0])
        sizes[biggest] = max(0, sizes[biggest] + to_add - added)
    return sizes


def _share(deployment: Object, replica_set: Object, to_add: int, added: int) -> int:
    """GetReplicaSetProportion"""
    if replicas(replica_set) == 0 or to_add == added:
        return 0
    fraction = _fraction(deployment, replica_set)
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: Object, replica_set: Object) -> int:
    """getReplicaSetFraction: how much the ReplicaSet would grow if all grew alike; rounded half away from zero."""
    own = replicas(replica_set)
    if replicas(deployment) == 0:
        return -own
    now = replicas(deployment) + max_surge(deployment)
    before = _whole(annotation(replica_set, MAX)) or deployment["status"].get("replicas", 0)
    return math.floor(own * now / before + 0.5) - own if before else 0


# ---- which ReplicaSet is whose


def same_template(a: Object, b: Object) -> bool:
    """Whether two pod templates ask for the same, the hash label aside (EqualIgnoreHash)."""
    return _without_hash(a) == _without_hash(b)


def _without_hash(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH_LABEL}
    return {**template, "metadata": {**meta, "labels": labels}}


def find_new(deployment: Object, sets: Iterable[Object]) -> Object | None:
    """The oldest ReplicaSet with the Deployment's own template (FindNewReplicaSet)."""
    template = deployment["spec"]["template"]
    return next((s for s in by_age(sets) if same_template(s["spec"]["template"], template)), None)


def template_hash(template: Object, collisions: int | None) -> str:
    """A stable name for a template: FNV-1a, each decimal digit as a harmless letter (ComputeHash)."""
    text = json.dumps(template, sort_keys=True, ensure_ascii=False)
    digest = 2166136261
    for byte in f"{text}{'' if collisions is None else collisions}".encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in str(digest))
