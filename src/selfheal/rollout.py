"""``kubectl rollout undo`` and ``kubectl rollout restart``: both only change the pod template.

Undo puts the template of the revision before into the workload; restart adds the time to the template's
annotations. All that follows is the controllers' usual rollout.

Follows staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go and objectrestarter.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from selfheal.controllers.deployment import arithmetic
from selfheal.controllers.revisions import template_of
from selfheal.errors import BadRequest
from selfheal.kinds import kind_info
from selfheal.objects import Object, controller_of, key, labels, name, namespace, replace, uid
from selfheal.rules import Cause
from selfheal.store import Store

RESTARTED = "kubectl.kubernetes.io/restartedAt"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HASH = "pod-template-hash"

KEPT = (
    LAST_APPLIED,
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations of a Deployment that no rollback takes from the ReplicaSet (annotationsToSkip)."""


def shown(obj: Object) -> str:
    """``deployment.apps/web``, as kubectl names what it has changed."""
    info = kind_info(obj["kind"])
    return f"{info.resource.replace(info.plural, obj['kind'].lower(), 1)}/{name(obj)}"


def restart(store: Store, owner: Object, now: str, cause: Cause | None) -> str:
    """Give the workload's template a new annotation; what kubectl prints. Raises ApiError."""
    if owner["spec"].get("paused"):
        raise BadRequest(
            f'{kind_info(owner["kind"]).resource} "{name(owner)}" can\'t restart paused deployment '
            "(run rollout resume first)"
        )

    def change(found: Object) -> Object:
        template = found["spec"]["template"]
        meta = template.get("metadata") or {}
        notes = {**(meta.get("annotations") or {}), RESTARTED: now}
        return replace(found, "spec.template", {**template, "metadata": {**meta, "annotations": notes}})

    store.patch(owner["kind"], *key(owner), change, cause=cause)
    return f"{shown(owner)} restarted"


def undo(store: Store, owner: Object, cause: Cause | None) -> str:
    """Put the revision before this one back; what kubectl prints. Raises ApiError."""
    info = kind_info(owner["kind"])
    change = _undo_deployment(store, owner) if owner["kind"] == "Deployment" else _undo_revision(store, owner)
    if change is None:
        return f"{shown(owner)} skipped rollback (current template already matches revision 0)"
    store.patch(owner["kind"], *key(owner), change, cause=cause)
    warning = ""
    if LAST_APPLIED in (owner["metadata"].get("annotations") or {}):
        warning = (
            f"\nWarning: resource {info.plural}/{name(owner)} was previously managed with 'kubectl apply'. "
            "Rolling back will not update the kubectl.kubernetes.io/last-applied-configuration annotation, which may "
            "cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your "
            "previous configuration file instead."
        )
    return f"{shown(owner)} rolled back{warning}"


Change = Callable[[Object], Object]


def _undo_deployment(store: Store, deployment: Object) -> Change | None:
    """DeploymentRollbacker.Rollback: what the ReplicaSet with the second highest number has."""
    if deployment["spec"].get("paused"):
        raise BadRequest(
            "you cannot rollback a paused deployment; resume it first with "
            f"'kubectl rollout resume deployment/{name(deployment)}' and try again"
        )
    sets = sorted(_owned(store, "ReplicaSet", deployment), key=arithmetic.revision)
    if len(sets) < 2:
        raise BadRequest(f'no rollout history found for deployment "{name(deployment)}"')
    before = sets[-2]
    template = before["spec"]["template"]
    meta = template.get("metadata") or {}
    kept = {k: v for k, v in labels(template).items() if k != HASH} if meta.get("labels") else {}
    template = {**template, "metadata": {**{k: v for k, v in meta.items() if k != "labels"}, "labels": kept}}
    if template == deployment["spec"]["template"]:
        return None
    notes = {k: v for k, v in (deployment["metadata"].get("annotations") or {}).items() if k in KEPT}
    notes.update((k, v) for k, v in (before["metadata"].get("annotations") or {}).items() if k not in KEPT)
    return lambda found: replace(replace(found, "spec.template", template), "metadata.annotations", notes)


def _undo_revision(store: Store, owner: Object) -> Change | None:
    """DaemonSetRollbacker and StatefulSetRollbacker: the template of the second newest ControllerRevision."""
    history: Sequence[Object] = sorted(_owned(store, "ControllerRevision", owner), key=_number)
    if len(history) < 2:
        raise BadRequest("no last revision to roll back to")
    template = template_of(history[-2])
    if template == owner["spec"]["template"]:
        return None
    return lambda found: replace(found, "spec.template", template)


def _owned(store: Store, kind: str, owner: Object) -> list[Object]:
    found = store.list(kind, namespace(owner))
    return [o for o in found if (controller_of(o) or {}).get("uid") == uid(owner)]


def _number(revision: Any) -> int:
    return int(revision["revision"])
