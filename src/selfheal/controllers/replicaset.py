"""The ReplicaSet controller: as many pods as asked for, no more and no fewer.

It knows nothing of health. A pod that crashes again and again counts as one; a pod that is not ready
counts as one; a pod that is being deleted does not, so its replacement comes at that moment.

Follows pkg/controller/replicaset/replica_set.go and replica_set_utils.go.
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.controllers import pods
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.ownership import claim, orphan_of, selected
from selfheal.controllers.podcontrol import PodControl, slow_start
from selfheal.errors import ApiError, Conflict, NotFound
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, controller_of, key, labels, matches_map, name, namespace, terminating, uid
from selfheal.rules import Cause, Rules, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

SOURCE = "pkg/controller/replicaset/replica_set.go"

BURST_REPLICAS = 500
"""Pods created or deleted in one sync."""

CREATE = rule("replicaset.create", SOURCE, "manageReplicas")
DELETE = rule("replicaset.delete", SOURCE, "manageReplicas")
STATUS = rule("replicaset.status", "pkg/controller/replicaset/replica_set_utils.go", "calculateStatus")


class ReplicaSetController:
    """Keeps ReplicaSets. Begins to work when it is made."""

    KIND = "ReplicaSet"
    COMPONENT = "replicaset-controller"

    def __init__(
        self, store: Store, informers: Informers, clock: Clock, chance: Chance, rules: Rules | None = None
    ) -> None:
        self._store = store
        self._rules = rules or Rules()
        self._clock = clock
        self._sets = informers[self.KIND]
        self._pods = informers["Pod"]
        self._pods.index("controller", controller_uid)
        self._pods.index("orphan", orphan_of)
        self._sets.index("controller", controller_uid)
        recorder = EventRecorder(store, clock, chance, self.COMPONENT)
        self._control = PodControl(store, recorder, clock)
        self._expectations = Expectations(clock)
        self._queue = WorkQueue(clock, chance, self.KIND, self._sync)
        self._sets.handle(self._set_changed)
        self._pods.handle(self._pod_changed)

    # ---- what may need work

    def _set_changed(self, event: WatchEvent) -> None:
        """addRS, updateRS, deleteRS: what a set that is gone still expected is no business of the next of its name."""
        if event.type == "DELETED":
            self._expectations.forget(event.key)
        self._queue.add(event.key, event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        """addPod, updatePod, deletePod"""
        pod, old = event.object, event.old
        if event.type == "DELETED" or terminating(pod):
            owner = self._owner_of(pod)
            if owner is not None:
                self._expectations.deletion_observed(key(owner), key(pod))
                self._queue.add(key(owner), event.cause)
            return
        owner = self._owner_of(pod)
        relabelled = old is None or labels(old) != labels(pod)
        if old is not None and controller_uid(old) != controller_uid(pod):
            before = self._owner_of(old)
            if before is not None:
                self._queue.add(key(before), event.cause)
            relabelled = True
        if owner is not None:
            if event.type == "ADDED":
                self._expectations.creation_observed(key(owner))
            self._queue.add(key(owner), event.cause)
        elif controller_of(pod) is None and relabelled:
            for candidate in self._sets.list(namespace(pod)):
                if self._selects(candidate)(pod):
                    self._queue.add(key(candidate), event.cause)

    def _owner_of(self, pod: Object) -> Object | None:
        """The ReplicaSet that controls the pod, if it is one and still the same."""
        reference = controller_of(pod)
        if reference is None or reference["kind"] != self.KIND:
            return None
        found = self._sets.get(namespace(pod), reference["name"])
        return found if found is not None and uid(found) == reference["uid"] else None

    def _selects(self, owner: Object) -> Callable[[Object], bool]:
        return selected(owner["spec"].get("selector"))

    # ---- the sync

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncReplicaSet"""
        owner = self._sets.get(*where)
        if owner is None:
            self._expectations.forget(where)
            return
        may_act = self._expectations.satisfied(where)
        all_pods, orphans = self._pods.by("controller", uid(owner)), self._pods.by("orphan", namespace(owner))
        if orphans:
            all_pods = sorted([*all_pods, *orphans], key=key)
        select = self._selects(owner)
        active = claim(self._store, owner, [p for p in all_pods if pods.active(p)], select, cause)
        leaving = [
            p
            for p in all_pods
            if terminating(p) and not pods.finished(p) and controller_uid(p) == uid(owner) and select(p)
        ]
        if self._rules.unready_pods_are_replaced:
            for pod in [p for p in active if pods.lost_readiness(p)]:
                self._control.delete(pod, owner, cause)
                active.remove(pod)
        error = None
        if may_act and not terminating(owner):
            error = self._manage(owner, active, cause)
        status = self._status(owner, active, leaving, error)
        why = Cause(STATUS, cause, owner=name(owner), active=len(active), ready=status.get("readyReplicas", 0))
        self._update_status(owner, status, why)
        if error is not None:
            raise error
        self._come_back_when_available(owner, active, cause)

    def _manage(self, owner: Object, active: list[Object], cause: Cause | None) -> ApiError | None:
        """manageReplicas: create what is missing, delete what is too many. Returns the first error."""
        where, desired = key(owner), owner["spec"].get("replicas", 1)
        diff = len(active) - desired
        count = self._control.allowed(
            min(abs(diff), BURST_REPLICAS), lambda us: self._queue.add_after(where, us, cause)
        )
        if count == 0:
            return None
        if diff < 0:
            why = Cause(CREATE, cause, owner=name(owner), active=len(active), desired=desired, count=count)
            self._expectations.expect_creations(where, count)
            done, error = slow_start(count, lambda: self._control.create(owner["spec"]["template"], owner, why))
            for _ in range(count - done):
                self._expectations.creation_observed(where)
            return error
        if diff > 0:
            chosen = pods.deletion_order(active, self._related(owner), self._clock)[:count]
            why = Cause(
                DELETE,
                cause,
                owner=name(owner),
                active=len(active),
                desired=desired,
                count=count,
                chosen=", ".join(name(p) for p in chosen[:5]),
            )
            self._expectations.expect_deletions(where, [key(p) for p in chosen])
            return self._delete(owner, chosen, why)
        return None

    def _delete(self, owner: Object, chosen: list[Object], why: Cause) -> ApiError | None:
        first_error: ApiError | None = None
        for pod in chosen:
            try:
                self._control.delete(pod, owner, why)
            except ApiError as error:
                self._expectations.deletion_observed(key(owner), key(pod))
                if not isinstance(error, NotFound):
                    first_error = first_error or error
        return first_error

    def _related(self, owner: Object) -> list[Object]:
        """Pods of all ReplicaSets of the same Deployment (getIndirectlyRelatedPods)."""
        above = controller_uid(owner)
        if above is None:
            return []
        return [p for s in self._sets.by("controller", above) for p in self._pods.by("controller", uid(s))]

    def _come_back_when_available(self, owner: Object, active: list[Object], cause: Cause | None) -> None:
        """With minReadySeconds, sync again when the next ready pod becomes available."""
        seconds = owner["spec"].get("minReadySeconds", 0)
        if not seconds:
            return
        times = [pods.available_at(p, seconds, self._clock) for p in active]
        coming = [t for t in times if t is not None and t > self._clock.now]
        if coming:
            self._queue.add_after(key(owner), min(coming) - self._clock.now, cause)

    # ---- the status

    def _status(self, owner: Object, active: list[Object], leaving: list[Object], error: ApiError | None) -> Object:
        """calculateStatus"""
        wanted = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
        seconds = owner["spec"].get("minReadySeconds", 0)
        ready = [p for p in active if pods.ready(p)]
        available = [p for p in ready if pods.available(p, seconds, self._clock)] if seconds else ready
        counts = {
            "replicas": len(active),
            "fullyLabeledReplicas": sum(1 for p in active if wanted.items() <= labels(p).items()),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
        }
        status: Object = {k: v for k, v in counts.items() if v or k == "replicas"}
        status["terminatingReplicas"] = len(leaving)
        conditions = [c for c in owner["status"].get("conditions") or () if c["type"] != "ReplicaFailure"]
        if error is not None:
            before = next((c for c in owner["status"].get("conditions") or () if c["type"] == "ReplicaFailure"), None)
            too_few = len(active) < owner["spec"].get("replicas", 1)
            failure = {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": self._clock.timestamp(),
                "reason": "FailedCreate" if too_few else "FailedDelete",
                "message": str(error),
            }
            conditions.append(before or failure)
        if conditions:
            status["conditions"] = conditions
        return status

    def _update_status(self, owner: Object, status: Object, cause: Cause) -> None:
        """updateReplicaSetStatus: at most one write; after a conflict once more on the latest version."""
        status["observedGeneration"] = owner["metadata"]["generation"]
        if status == owner["status"]:
            return
        try:
            self._store.update_status({**owner, "status": status}, cause=cause)
        except Conflict:
            latest = self._store.get(self.KIND, *key(owner))
            if latest is None:
                return
            self._store.update_status({**latest, "status": status}, cause=cause)


class ReplicationManager(ReplicaSetController):
    """The same for ReplicationControllers (pkg/controller/replication/replication_controller.go, conversion.go)."""

    KIND = "ReplicationController"
    COMPONENT = "replication-controller"

    def _selects(self, owner: Object) -> Callable[[Object], bool]:
        return lambda obj: matches_map(owner["spec"].get("selector"), labels(obj))

    def _status(self, owner: Object, active: list[Object], leaving: list[Object], error: ApiError | None) -> Object:
        status = super()._status(owner, active, leaving, error)
        del status["terminatingReplicas"]  # its status has no such field
        return status
