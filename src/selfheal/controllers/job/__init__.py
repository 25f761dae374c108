"""The Job controller: pods that come to an end, until enough of them have succeeded.

It does not hurry: changes of pods are gathered for a second. A failed pod is replaced after a wait that doubles each
time; when too many have failed, the Job has failed, and that is final.

Follows pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import Clock, Process
from selfheal.controllers.expectations import Expectations
from selfheal.controllers.job import counting
from selfheal.controllers.job.backoff import Record
from selfheal.controllers.job.removals import Removals
from selfheal.controllers.job.state import BATCH, Tools
from selfheal.controllers.job.sync import Sync
from selfheal.controllers.job.ttl import TTLAfterFinishedController
from selfheal.controllers.ownership import Owners, claim, orphan_of, selected
from selfheal.controllers.podcontrol import PodControl
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, controller_of, key, name, namespace, replace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

UNTRACK = rule("job.untrack-orphan", "pkg/controller/job/job_controller.go", "syncOrphanPod")


class JobController:
    """Keeps Jobs. Begins to work when it is made."""

    KIND = "Job"
    NAME = "kubernetes.io/job-controller"
    """As ``managedBy`` calls it; Jobs of others it leaves alone."""

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._jobs = informers[self.KIND]
        self._pods = informers["Pod"]
        self._pods.index("controller", controller_uid)
        self._pods.index("orphan", orphan_of)
        self._pods.index("tracked", _tracked_in)
        self._owners = Owners(self._jobs)
        self._expectations = Expectations(clock)
        self._removals = Removals()
        self._records: dict[Key, Record] = {}
        self._queue = WorkQueue(clock, chance, self.KIND, self._sync)
        self._orphans = WorkQueue(clock, chance, "job orphans", self._sync_orphan)
        self._requests = chance.stream("request", self.KIND)
        recorder = EventRecorder(store, clock, chance, "job-controller")
        self._tools = Tools(
            store,
            recorder,
            PodControl(store, recorder, clock),
            self._expectations,
            self._removals,
            clock,
            self._queue.add_after,
            self._request,
        )
        self._jobs.handle(self._job_changed)
        self._pods.handle(self._pod_changed)

    # ---- what may need work

    def _job_changed(self, event: WatchEvent) -> None:
        """addJob, updateJob, deleteJob: at once for what the user asks, in a second for the rest."""
        job, old = event.object, event.old
        where = key(job)
        if event.type == "DELETED":
            self._queue.add(where, event.cause)
            self._release(job, event.cause)
        elif counting.finished(job) and old is not None:
            self._release(job, event.cause)
        elif old is None or old["metadata"].get("generation") != job["metadata"].get("generation"):
            self._queue.add(where, event.cause)
        else:
            self._queue.add_after(where, BATCH, event.cause)

    def _pod_changed(self, event: WatchEvent) -> None:
        """addPod, updatePod, deletePod"""
        pod = event.object
        job = self._owners.of(pod)
        gone = event.type == "DELETED"
        if job is not None:
            if gone or terminating(pod):
                self._expectations.deletion_observed(key(job), key(pod))
            elif event.type == "ADDED":
                self._expectations.creation_observed(key(job))
            if gone or not counting.tracked(pod):
                self._removals.observed(key(job), uid(pod))
        if not gone and counting.tracked(pod) and self._nobody_counts(pod, job):
            self._orphans.add(key(pod), event.cause)
        for concerned in self._owners.concerned(event):
            if not counting.finished(concerned):
                self._queue.add_after(key(concerned), BATCH, event.cause)

    def _nobody_counts(self, pod: Object, job: Object | None) -> bool:
        """Whether no Job will take off the pod's finalizer."""
        owner = controller_of(pod)
        if owner is not None and owner["kind"] != self.KIND:
            return False
        return job is None or counting.finished(job)

    def _release(self, job: Object, cause: Cause | None) -> None:
        """The Job counts no more: the finalizers of its pods go (enqueueLabelSelector)."""
        select = selected(job["spec"].get("selector"))
        for pod in self._pods.by("tracked", namespace(job)):
            if select(pod):
                self._orphans.add(key(pod), cause)

    # ---- syncs

    def _sync(self, where: Key, cause: Cause | None) -> Process | None:
        """syncJob"""
        job = self._jobs.get(*where)
        if job is None:
            self._expectations.forget(where)
            self._removals.forget(where)
            self._records.pop(where, None)
            return None
        if counting.finished(job):
            self._records.pop(where, None)
            return None
        if job["spec"].get("managedBy", self.NAME) != self.NAME:
            return None
        return self._rest(job, cause)

    def _rest(self, job: Object, cause: Cause | None) -> Process:
        sync = Sync(self._tools, job, self._pods_of(job, cause), self._records.get(key(job), Record()), cause)
        try:
            yield from sync.run()
        finally:
            if sync.recorded:
                self._records[key(job)] = sync.record

    def _pods_of(self, job: Object, cause: Cause | None) -> list[Object]:
        """getPodsForJob"""
        own, orphans = self._pods.by("controller", uid(job)), self._pods.by("orphan", namespace(job))
        select = selected(job["spec"].get("selector"))
        adopted = claim(self._store, job, orphans, select, cause)
        return [*claim(self._store, job, own, select, cause), *(self._track(p, cause) for p in adopted)]

    def _track(self, pod: Object, cause: Cause | None) -> Object:
        """A pod that was adopted is to be counted, too."""

        def change(current: Object) -> Object:
            others = [f for f in current["metadata"].get("finalizers") or () if f != counting.FINALIZER]
            return replace(current, "metadata.finalizers", [*others, counting.FINALIZER])

        return self._store.patch("Pod", *key(pod), change, cause=cause)

    def _sync_orphan(self, where: Key, cause: Cause | None) -> None:
        """syncOrphanPod"""
        pod = self._pods.get(*where)
        if pod is None or not counting.tracked(pod) or not self._nobody_counts(pod, self._owners.of(pod)):
            return
        there = self._store.get("Pod", *where)
        if there is None or uid(there) != uid(pod):
            return

        def change(current: Object) -> Object:
            kept = [f for f in current["metadata"].get("finalizers") or () if f != counting.FINALIZER]
            return replace(current, "metadata.finalizers", kept)

        self._store.patch("Pod", *where, change, cause=Cause(UNTRACK, cause, object=name(pod)))

    def _request(self) -> simpy.Event:
        return self._clock.sleep(latencies.draw("request", self._requests, self._requests.next()))


def _tracked_in(pod: Object) -> str | None:
    """The namespace of a pod that has not been counted; an index."""
    return namespace(pod) if counting.tracked(pod) else None


__all__ = ["JobController", "TTLAfterFinishedController"]
