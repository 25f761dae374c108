"""The Deployment controller: from one version of an app to the next, a few pods at a time.

It makes no pods. It makes one ReplicaSet for each version of the pod template and moves numbers between
them, with an eye on how many pods are available. It never goes back by itself: a rollout
that gets stuck stays stuck, with the old pods serving.

Follows pkg/controller/deployment/deployment_controller.go.
"""

from __future__ import annotations

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.controllers.deployment import arithmetic
from selfheal.controllers.deployment.sync import Sync, Tools
from selfheal.controllers.ownership import claim, selected
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, controller_of, key, labels, namespace, uid
from selfheal.rules import Cause, Rules
from selfheal.store import Store
from selfheal.watches import WatchEvent

RETRIES = 15
"""After as many failures in a row a Deployment is left alone until something changes (maxRetries)."""


class DeploymentController:
    """Keeps Deployments. Begins to work when it is made."""

    def __init__(
        self, store: Store, informers: Informers, clock: Clock, chance: Chance, rules: Rules | None = None
    ) -> None:
        self._store = store
        self._deployments = informers["Deployment"]
        self._sets = informers["ReplicaSet"]
        self._pods = informers["Pod"]
        self._sets.index("controller", controller_uid)
        self._pods.index("controller", controller_uid)
        recorder = EventRecorder(store, clock, chance, "deployment-controller")
        self._tools = Tools(store, recorder, clock, rules or Rules())
        self._queue = WorkQueue(clock, chance, "Deployment", self._sync, retries=RETRIES)
        self._deployments.handle(lambda event: self._queue.add(event.key, event.cause))
        self._sets.handle(self._set_changed)
        self._pods.handle(self._pod_changed)

    def _set_changed(self, event: WatchEvent) -> None:
        """addReplicaSet, updateReplicaSet, deleteReplicaSet"""
        replica_set, old = event.object, event.old
        if old is not None and controller_uid(old) not in (None, controller_uid(replica_set)):
            self._add_owner(old, event.cause)
        if controller_of(replica_set) is not None:
            self._add_owner(replica_set, event.cause)
        elif event.type != "DELETED" and (old is None or labels(old) != labels(replica_set) or controller_of(old)):
            for deployment in self._deployments.list(namespace(replica_set)):
                if selected(deployment["spec"].get("selector"))(replica_set):
                    self._queue.add(key(deployment), event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        """deletePod: a Deployment that recreates waits for the last of its old pods to go."""
        reference = controller_of(event.object)
        if event.type != "DELETED" or reference is None or reference["kind"] != "ReplicaSet":
            return
        replica_set = self._sets.get(namespace(event.object), reference["name"])
        deployment = self._owner_of(replica_set) if replica_set is not None else None
        if deployment is not None and not arithmetic.rolling(deployment) and not self._pods_of(deployment):
            self._queue.add(key(deployment), event.cause)

    def _owner_of(self, replica_set: Object) -> Object | None:
        reference = controller_of(replica_set)
        if reference is None or reference["kind"] != "Deployment":
            return None
        found = self._deployments.get(namespace(replica_set), reference["name"])
        return found if found is not None and uid(found) == reference["uid"] else None

    def _add_owner(self, replica_set: Object, cause: Cause | None) -> None:
        deployment = self._owner_of(replica_set)
        if deployment is not None:
            self._queue.add(key(deployment), cause)

    def _pods_of(self, deployment: Object) -> list[Object]:
        sets = self._sets.by("controller", uid(deployment))
        return [pod for s in sets for pod in self._pods.by("controller", uid(s))]

    def _sync(self, where: Key, cause: Cause | None) -> None:
        """syncDeployment"""
        deployment = self._deployments.get(*where)
        if deployment is None:
            return
        select = selected(deployment["spec"].get("selector"))
        sets = claim(self._store, deployment, self._sets.list(where[0]), select, cause)
        own_pods = {uid(s): self._pods.by("controller", uid(s)) for s in sets}
        sync = Sync(self._tools, deployment, sets, own_pods, cause)
        sync.run()
        if sync.again_in is not None:
            self._queue.add_after(where, sync.again_in, cause)
