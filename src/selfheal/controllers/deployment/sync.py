"""One sync of a Deployment: it looks at everything and does the first thing that applies.

A sync works on the state that the cache had at its beginning. What it writes itself it does not see until
the next one: a second write to an object that it has just written fails with a conflict, and the sync is
repeated. That is how a rollout goes on in steps of some ten milliseconds.

Follows pkg/controller/deployment/sync.go, rolling.go and recreate.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.controllers import pods
from selfheal.controllers.deployment import arithmetic as sums
from selfheal.controllers.deployment import conditions
from selfheal.controllers.deployment.arithmetic import replicas
from selfheal.errors import AlreadyExists, ApiError
from selfheal.events import EventRecorder
from selfheal.objects import (
    Object,
    condition,
    controller_of,
    key,
    name,
    namespace,
    owner_reference,
    replace,
    terminating,
    uid,
)
from selfheal.rules import Cause, Rules, rule
from selfheal.store import Store

NEW = rule("deployment.newReplicaSet", "pkg/controller/deployment/sync.go", "getNewReplicaSet")
REVISION = rule("deployment.revision", "pkg/controller/deployment/sync.go", "getNewReplicaSet")
SCALE = rule("deployment.scale", "pkg/controller/deployment/sync.go", "scale")
SCALE_UP = rule("deployment.scaleUp", "pkg/controller/deployment/rolling.go", "reconcileNewReplicaSet")
SCALE_DOWN = rule("deployment.scaleDown", "pkg/controller/deployment/rolling.go", "reconcileOldReplicaSets")
RECREATE = rule("deployment.recreate", "pkg/controller/deployment/recreate.go", "rolloutRecreate")
STATUS = rule("deployment.status", "pkg/controller/deployment/sync.go", "calculateStatus")
PAUSED = rule("deployment.paused", "pkg/controller/deployment/sync.go", "checkPausedConditions")


class Tools:
    """What every sync needs."""

    def __init__(self, store: Store, recorder: EventRecorder, clock: Clock, rules: Rules) -> None:
        self.store = store
        self.recorder = recorder
        self.clock = clock
        self.rules = rules


class Sync:
    """One pass over one Deployment. ``again_in`` says (µs) when to look again, if not sooner."""

    def __init__(
        self,
        tools: Tools,
        deployment: Object,
        sets: Sequence[Object],
        own_pods: Mapping[str, Sequence[Object]],
        cause: Cause | None,
    ) -> None:
        self.deployment = deployment
        self.again_in: int | None = None
        self._sets = sets
        self._pods = own_pods
        self._cause = cause
        self._store = tools.store
        self._recorder = tools.recorder
        self._clock = tools.clock
        self._rules = tools.rules

    def run(self) -> None:
        """syncDeployment; raises ApiError to be repeated."""
        if terminating(self.deployment):
            self._status_only()
            return
        self._check_paused()
        if self.deployment["spec"].get("paused") or self._is_scaling():
            self._scale()
        elif sums.rolling(self.deployment):
            self._rolling()
        else:
            self._recreate()

    # ---- the ReplicaSets

    def _old_and_new(self, *, create: bool) -> tuple[Object | None, list[Object]]:
        """The ReplicaSet of the present template, and all others (getAllReplicaSetsAndSyncRevision)."""
        found = sums.find_new(self.deployment, self._sets)
        old = [s for s in self._sets if found is None or uid(s) != uid(found)]
        revision = max((sums.revision(s) for s in old), default=0) + 1
        if found is not None:
            return self._keep_new(found, revision), old
        return (self._make_new(old, revision) if create else None), old

    def _keep_new(self, found: Object, revision: int) -> Object:
        """Bring the annotations of a ReplicaSet up to date that has been there before."""
        deployment = self.deployment
        changed = self._annotated(found, revision)
        if deployment["spec"].get("minReadySeconds", 0) != found["spec"].get("minReadySeconds", 0):
            changed = replace(changed, "spec.minReadySeconds", deployment["spec"].get("minReadySeconds", 0))
        if changed != found:
            why = Cause(REVISION, self._cause, owner=name(deployment), set=name(found), revision=revision)
            return self._store.update(changed, cause=why)
        status = deployment["status"]
        if conditions.has_deadline(deployment) and condition(deployment, "Progressing") is None:
            message = f'Found new replica set "{name(found)}"'
            status = self._with_progress("True", "FoundNewReplicaSet", message)
        self._write_status(status, revision=sums.revision(found))
        return found

    def _make_new(self, old: Sequence[Object], revision: int) -> Object:
        deployment = self.deployment
        template = deployment["spec"]["template"]
        digest = sums.template_hash(template, deployment["status"].get("collisionCount"))
        meta = template.get("metadata") or {}
        labels = {**(meta.get("labels") or {}), sums.HASH_LABEL: digest}
        selector = deployment["spec"]["selector"]
        new: Object = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name(deployment)}-{digest}",
                "namespace": namespace(deployment),
                "ownerReferences": [owner_reference(deployment)],
                "labels": labels,
            },
            "spec": {
                "replicas": 0,
                "selector": {
                    **selector,
                    "matchLabels": {**(selector.get("matchLabels") or {}), sums.HASH_LABEL: digest},
                },
                "template": {**template, "metadata": {**meta, "labels": labels}},
            },
        }
        if deployment["spec"].get("minReadySeconds"):
            new["spec"]["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
        size = sums.new_replicas(deployment, [*old, new], new)
        new["spec"]["replicas"] = size
        new = self._with_size_annotations(self._annotated(new, revision))
        why = Cause(NEW, self._cause, owner=name(deployment), set=name(new), size=size)
        try:
            made = self._store.create(new, cause=why)
        except AlreadyExists:
            return self._taken(new)
        except ApiError as error:
            self._cannot_make(new, error)
            raise
        if size:
            message = f"Scaled up replica set {name(made)} from 0 to {size}"
            self._recorder.event(deployment, "Normal", "ScalingReplicaSet", message, cause=why)
        status = deployment["status"]
        if conditions.has_deadline(deployment):
            status = self._with_progress("True", "NewReplicaSetCreated", f'Created new replica set "{name(made)}"')
        self._write_status(status, revision=revision, cause=why)
        return made

    def _taken(self, new: Object) -> Object:
        """The name is taken: by our own work that the cache has not seen yet, or by another template."""
        deployment = self.deployment
        there = self._store.get("ReplicaSet", *key(new))
        owner = controller_of(there) if there is not None else None
        if there is not None and owner is not None and owner["uid"] == uid(deployment):  # noqa: SIM102 - two questions
            if sums.same_template(there["spec"]["template"], deployment["spec"]["template"]):
                return there
        collisions = deployment["status"].get("collisionCount", 0) + 1
        self._write_status({**deployment["status"], "collisionCount": collisions})
        raise AlreadyExists(f'replicasets.apps "{name(new)}" already exists')

    def _cannot_make(self, new: Object, error: ApiError) -> None:
        message = f'Failed to create new replica set "{name(new)}": {error}'
        if conditions.has_deadline(self.deployment):
            self._write_status(self._with_progress("False", "ReplicaSetCreateError", message))
        self._recorder.event(self.deployment, "Warning", "ReplicaSetCreateError", message, cause=self._cause)

    def _annotated(self, replica_set: Object, revision: int) -> Object:
        """With the Deployment's annotations and the revision (SetNewReplicaSetAnnotations)."""
        before = replica_set["metadata"].get("annotations") or {}
        inherited = self.deployment["metadata"].get("annotations") or {}
        notes = {**before, **{k: v for k, v in inherited.items() if k not in sums.NOT_COPIED}}
        had = sums.annotation(replica_set, sums.REVISION)
        if sums.revision(replica_set) < revision:
            notes[sums.REVISION] = str(revision)
            if had is not None:
                history = notes.get(sums.REVISION_HISTORY)
                notes[sums.REVISION_HISTORY] = f"{history},{had}" if history else had
        return replica_set if notes == before else replace(replica_set, "metadata.annotations", notes)

    def _with_size_annotations(self, replica_set: Object) -> Object:
        """With the size that the Deployment has now, for proportional scaling (SetReplicasAnnotations)."""
        wanted = replicas(self.deployment)
        notes = {
            **(replica_set["metadata"].get("annotations") or {}),
            sums.DESIRED: str(wanted),
            sums.MAX: str(wanted + sums.max_surge(self.deployment)),
        }
        return replace(replica_set, "metadata.annotations", notes)

    def _resize(self, replica_set: Object, size: int, why: str, **inputs: Any) -> Object:
        """Write a ReplicaSet's size; an event if it is another one (scaleReplicaSet)."""
        before = replicas(replica_set)
        changed = self._with_size_annotations(replica_set)
        if before != size:
            changed = replace(changed, "spec.replicas", size)
        if changed == replica_set:
            return replica_set
        cause = Cause(why, self._cause, set=name(replica_set), before=before, after=size, **inputs)
        changed = self._store.update(changed, cause=cause)
        if before != size:
            direction = "up" if before < size else "down"
            message = f"Scaled {direction} replica set {name(replica_set)} from {before} to {size}"
            self._recorder.event(self.deployment, "Normal", "ScalingReplicaSet", message, cause=cause)
        return changed

    # ---- scaling

    def _is_scaling(self) -> bool:
        """Whether somebody has changed ``replicas`` since the ReplicaSets were last sized (isScalingEvent)."""
        new, old = self._old_and_new(create=False)
        noted = [sums.annotation(s, sums.DESIRED) for s in sums.active([*old, new])]
        return any(n is not None and n != str(replicas(self.deployment)) for n in noted)

    def _scale(self) -> None:
        """sync: also what a paused Deployment does."""
        new, old = self._old_and_new(create=False)
        self._scale_sets(new, old)
        if self.deployment["spec"].get("paused"):
            self._clean_up(old)
        self._write_status(conditions.calculate(self.deployment, [*old, new], new, self._clock))

    def _scale_sets(self, new: Object | None, old: Sequence[Object]) -> None:
        deployment = self.deployment
        wanted = replicas(deployment)
        inputs = {"owner": name(deployment), "desired": wanted}
        only = sums.active_or_latest(new, old)
        if only is not None:
            if replicas(only) != wanted:
                self._resize(only, wanted, SCALE, **inputs)
        elif sums.saturated(deployment, new):
            for replica_set in sums.active(old):
                self._resize(replica_set, 0, SCALE, **inputs)
        elif sums.rolling(deployment):
            sets = {name(s): s for s in sums.active([*old, new])}
            for called, size in sums.proportional(deployment, list(sets.values())).items():
                self._resize(sets[called], size, SCALE, **inputs)

    # ---- strategies

    def _rolling(self) -> None:
        """rolloutRolling: grow the new ReplicaSet, or else shrink the old ones, or else clean up."""
        new, old = self._old_and_new(create=True)
        assert new is not None
        everything = [*old, new]
        moved = self._grow_new(everything, new) or self._shrink_old(everything, sums.active(old), new)
        if not moved and conditions.complete(self.deployment, self.deployment["status"]):
            self._clean_up(old)
        self._rollout_status(everything, new)

    def _grow_new(self, everything: Sequence[Object], new: Object) -> bool:
        """reconcileNewReplicaSet"""
        deployment = self.deployment
        size = min(sums.new_replicas(deployment, everything, new), replicas(deployment))
        if replicas(new) > replicas(deployment):
            size = replicas(deployment)
        if size == replicas(new):
            return False
        self._resize(
            new,
            size,
            SCALE_UP,
            desired=replicas(deployment),
            surge=sums.max_surge(deployment),
            total=sums.total(everything),
        )
        return True

    def _shrink_old(self, everything: Sequence[Object], old: Sequence[Object], new: Object) -> bool:
        """reconcileOldReplicaSets: unhealthy pods first, then as many as may be missing."""
        deployment = self.deployment
        budget = sums.may_remove(deployment, everything, new)
        if not old or budget <= 0:
            return False
        inputs = {
            "available": sums.counted(everything, "availableReplicas"),
            "least": replicas(deployment) - sums.max_unavailable(deployment),
        }
        left = {name(s): s for s in old}
        cleanup = sums.cleanup_unhealthy(old, budget)
        for called, size in cleanup.items():
            left[called] = self._resize(left[called], size, SCALE_DOWN, **inputs)
        removal = sums.scale_down_old(deployment, [*left.values(), new], list(left.values()))
        for called, size in removal.items():
            self._resize(left[called], size, SCALE_DOWN, **inputs)
        return bool(cleanup or removal)

    def _recreate(self) -> None:
        """rolloutRecreate: nothing new before everything old is gone."""
        new, old = self._old_and_new(create=False)
        waiting = False
        for replica_set in sums.active(old):
            self._resize(replica_set, 0, RECREATE)
            waiting = True
        if not (waiting or self._old_pods_run(new, old)):
            if new is None:
                new, old = self._old_and_new(create=True)
                assert new is not None
            if replicas(new) != replicas(self.deployment):
                self._resize(new, replicas(self.deployment), RECREATE)
            if conditions.complete(self.deployment, self.deployment["status"]):
                self._clean_up(old)
        self._rollout_status([*old, *([new] if new is not None else [])], new)

    def _old_pods_run(self, new: Object | None, old: Sequence[Object]) -> bool:
        """oldPodsRunning: also pods that are being deleted, until they have ended."""
        if sums.counted(old, "replicas"):
            return True
        return any(
            not pods.finished(pod)
            for owner, own in self._pods.items()
            if new is None or owner != uid(new)
            for pod in own
        )

    def _clean_up(self, old: Sequence[Object]) -> None:
        """Delete old, empty ReplicaSets beyond revisionHistoryLimit, lowest revision first (cleanupDeployment)."""
        limit = self.deployment["spec"].get("revisionHistoryLimit", 10)
        if limit == sums.NO_DEADLINE:
            return
        alive = sorted((s for s in old if not terminating(s)), key=lambda s: (sums.revision(s), name(s)))
        for replica_set in alive[: max(0, len(alive) - limit)]:
            observed = replica_set["status"].get("observedGeneration", 0) >= replica_set["metadata"]["generation"]
            if observed and not replicas(replica_set) and not replica_set["status"].get("replicas", 0):
                self._store.delete("ReplicaSet", *key(replica_set), cause=self._cause)

    # ---- the status

    def _check_paused(self) -> None:
        """Note in the condition that somebody has paused or resumed the Deployment (checkPausedConditions)."""
        deployment = self.deployment
        found = condition(deployment, "Progressing")
        if not conditions.has_deadline(deployment) or (found is not None and found["reason"] == conditions.TIMED_OUT):
            return
        paused = bool(deployment["spec"].get("paused"))
        noted = found is not None and found["reason"] == "DeploymentPaused"
        if paused == noted:
            return
        what = "paused" if paused else "resumed"
        status = self._with_progress("Unknown", f"Deployment{what.capitalize()}", f"Deployment is {what}")
        self._store_status(status, Cause(PAUSED, self._cause, owner=name(deployment), what=what))

    def _with_progress(self, status: str, reason: str, message: str) -> Object:
        new = conditions.new_condition(self._clock, "Progressing", status, reason, message)
        return conditions.with_condition(self.deployment["status"], new)

    def _status_only(self) -> None:
        new, old = self._old_and_new(create=False)
        self._write_status(conditions.calculate(self.deployment, [*old, new], new, self._clock))

    def _rollout_status(self, everything: Sequence[Object], new: Object | None) -> None:
        """syncRolloutStatus; if nothing is new, look again when the deadline for progress has passed."""
        status = conditions.rollout_status(self.deployment, everything, new, self._clock)
        if status != self.deployment["status"]:
            self._write_status(status)
            return
        if self._rules.stuck_rollouts_are_undone and conditions.timed_out(self.deployment, self._clock):
            self._go_back()
        due = conditions.deadline(self.deployment, self._clock)
        if due is not None and not conditions.complete(self.deployment, status):
            left = due - self._clock.now
            # A second more, since times are truncated to seconds; if it is close, look again as soon as it has passed.
            self.again_in = left + SECOND if left >= SECOND else max(left, 0) + 5 * MILLISECOND

    def _go_back(self) -> None:
        """What some believe: the template of the revision before, as ``kubectl rollout undo`` puts it back."""
        for before in sorted(self._sets, key=sums.revision)[-2:-1]:
            template = before["spec"]["template"]
            kept = {k: v for k, v in template["metadata"]["labels"].items() if k != sums.HASH_LABEL}
            template = {**template, "metadata": {**template["metadata"], "labels": kept}}
            self._store.update(replace(self.deployment, "spec.template", template), cause=self._cause)

    def _write_status(self, status: Object, *, revision: int | None = None, cause: Cause | None = None) -> None:
        """Write the status, and the revision if that is another one; nothing if nothing is new."""
        deployment = self.deployment
        if revision is not None and sums.annotation(deployment, sums.REVISION) != str(revision):
            notes = {**(deployment["metadata"].get("annotations") or {}), sums.REVISION: str(revision)}
            self.deployment = replace(deployment, "metadata.annotations", notes)
        elif status == deployment["status"]:
            return
        available = status.get("availableReplicas", 0)
        why = Cause(STATUS, self._cause, owner=name(deployment), desired=replicas(deployment), available=available)
        self._store_status(status, cause or why)

    def _store_status(self, status: Object, cause: Cause) -> None:
        """Write it; a conflict ends the sync. The resourceVersion stays that of the beginning."""
        self.deployment = {**self.deployment, "status": status}
        self._store.update_status(self.deployment, cause=cause)
