"""The controllers: loops that compare what is with what should be, and do the next thing about it.

Each watches objects through a cache, queues the names of those that may need work, and syncs
them one by one. They never call each other or the kubelet: they meet in the store.
"""

from __future__ import annotations

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.controllers.deployment import DeploymentController
from selfheal.controllers.endpointslice import EndpointSliceController
from selfheal.controllers.garbagecollector import GarbageCollector
from selfheal.controllers.replicaset import ReplicaSetController
from selfheal.informers import Informers
from selfheal.store import Store


class ControllerManager:
    """All controllers of a cluster (cmd/kube-controller-manager). They begin to work when it is made."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self.deployments = DeploymentController(store, informers, clock, chance)
        self.replica_sets = ReplicaSetController(store, informers, clock, chance)
        self.endpoint_slices = EndpointSliceController(store, informers, clock, chance)
        self.garbage_collector = GarbageCollector(store, clock, chance)
