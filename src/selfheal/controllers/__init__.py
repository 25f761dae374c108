"""The controllers: loops that compare what is with what should be, and do the next thing about it.

Each watches objects through a cache, queues the names of those that may need work, and syncs
them one by one. They never call each other or the kubelet: they meet in the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.controllers.cronjob import CronJobController
from selfheal.controllers.daemonset import DaemonSetController
from selfheal.controllers.deployment import DeploymentController
from selfheal.controllers.disruption import DisruptionController
from selfheal.controllers.endpoints import EndpointsController
from selfheal.controllers.endpointslice import EndpointSliceController
from selfheal.controllers.endpointslicemirroring import EndpointSliceMirroringController
from selfheal.controllers.garbagecollector import GarbageCollector
from selfheal.controllers.job import JobController, TTLAfterFinishedController
from selfheal.controllers.namespace import NamespaceController
from selfheal.controllers.nodelifecycle import NodeLifecycleController
from selfheal.controllers.persistentvolume import PersistentVolumeController
from selfheal.controllers.podautoscaler import HorizontalController
from selfheal.controllers.podgc import PodGC
from selfheal.controllers.publishers import NamespacePublisher
from selfheal.controllers.replicaset import ReplicaSetController, ReplicationManager
from selfheal.controllers.resourcequota import ResourceQuotaController
from selfheal.controllers.statefulset import StatefulSetController
from selfheal.controllers.tainteviction import TaintEvictionController
from selfheal.informers import Informers
from selfheal.rules import Rules
from selfheal.store import Store


@dataclass(frozen=True, slots=True)
class Controllers:
    """All controllers of a cluster (cmd/kube-controller-manager)."""

    deployments: DeploymentController
    replica_sets: ReplicaSetController
    replication_controllers: ReplicationManager
    stateful_sets: StatefulSetController
    daemon_sets: DaemonSetController
    jobs: JobController
    ttl_after_finished: TTLAfterFinishedController
    cron_jobs: CronJobController
    endpoint_slices: EndpointSliceController
    endpoints: EndpointsController
    garbage_collector: GarbageCollector
    node_lifecycle: NodeLifecycleController
    taint_eviction: TaintEvictionController
    pod_gc: PodGC
    disruption: DisruptionController
    autoscalers: HorizontalController
    namespaces: NamespaceController
    publisher: NamespacePublisher
    quotas: ResourceQuotaController
    mirroring: EndpointSliceMirroringController
    volumes: PersistentVolumeController


def start_controllers(
    store: Store, informers: Informers, clock: Clock, chance: Chance, rules: Rules | None = None
) -> Controllers:
    """Start them all; from now on they do their work by themselves."""
    rules = rules or Rules()
    return Controllers(
        DeploymentController(store, informers, clock, chance, rules),
        ReplicaSetController(store, informers, clock, chance, rules),
        ReplicationManager(store, informers, clock, chance),
        StatefulSetController(store, informers, clock, chance),
        DaemonSetController(store, informers, clock, chance),
        JobController(store, informers, clock, chance),
        TTLAfterFinishedController(store, informers, clock, chance),
        CronJobController(store, informers, clock, chance),
        EndpointSliceController(store, informers, clock, chance),
        EndpointsController(store, informers, clock, chance),
        GarbageCollector(store, clock, chance),
        NodeLifecycleController(store, informers, clock, chance),
        TaintEvictionController(store, informers, clock, chance, rules),
        PodGC(store, informers, clock, chance),
        DisruptionController(store, informers, clock, chance),
        HorizontalController(store, informers, clock, chance),
        NamespaceController(store, informers, clock, chance),
        NamespacePublisher(store, informers),
        ResourceQuotaController(store, informers, clock, chance),
        EndpointSliceMirroringController(store, informers, clock, chance),
        PersistentVolumeController(store, informers, clock, chance),
    )
