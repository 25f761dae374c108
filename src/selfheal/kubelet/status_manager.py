"""The kubelet's latest word on each pod, and its way into the API (pkg/kubelet/status/status_manager.go).

The sync of a pod stores a status here; a single writer sends what has changed. Probe
workers read this store, not the API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.kubelet.generate import conditions_of_readiness, finished, with_condition
from selfheal.kubelet.restart_policy import could_restart_all, should_restart
from selfheal.objects import Object, key, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.spec import PodSpec, pod_spec
from selfheal.store import Store

OWNED = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
    "AllContainersRestarting",
)
"""Conditions that the kubelet writes (pkg/kubelet/types/pod_status.go); all others belong to others."""

RECONCILED = rule("status.reconcile", "pkg/kubelet/status/status_manager.go", "needsReconcile")

SYNC = 10 * SECOND
"""How often all statuses are compared with what the API has, in µs (syncPeriod)."""

Status = dict[str, Any]


def _revives(old: Status, new: Status, spec: PodSpec) -> bool:
    """Whether a container would come back to life that must not: such a status is dropped whole.

    It happens to init containers that have succeeded and run anew in another sandbox, unless the pod's policy is
    Always (checkContainerStateTransition).
    """
    if spec.restart_policy == "Always" or could_restart_all(spec):
        return False
    for group in ("containerStatuses", "initContainerStatuses"):
        alive = {s["name"] for s in new.get(group) or () if "terminated" not in s["state"]}
        for found in old.get(group) or ():
            ended = found["state"].get("terminated")
            if ended is not None and found["name"] in alive:
                container = spec.container(found["name"])
                if not should_restart(container, spec, ended["exitCode"]):
                    return True
    return False


class StatusManager:
    """Statuses of one node's pods."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        node: str,
        *,
        on_change: Callable[[str, Status | None], None],
        may_be_running: Callable[[str], bool],
    ) -> None:
        self._clock = clock
        self._store = store
        self._on_change = on_change
        self._may_be_running = may_be_running
        self._stream = chance.stream("node", node, "status patch")
        self._phase = chance.stream("node", node, "status sync").between(0, 0, SYNC)
        self._statuses: dict[str, Status] = {}
        self._pods: dict[str, Object] = {}
        self._causes: dict[str, Cause | None] = {}
        self._queue: dict[str, None] = {}
        self._writing = False
        self.reachable = True
        """Whether the API server answers this node."""
        self.finished: dict[str, None] = {}
        """Pods whose last sync (SyncTerminatedPod) is done; kept by the kubelet."""

    def get(self, pod_uid: str) -> Status | None:
        """The latest status, whether or not the API has it yet."""
        return self._statuses.get(pod_uid)

    def set(self, pod: Object, status: Status, cause: Cause | None) -> None:
        """Store a status; it is sent if it differs (SetPodStatus)."""
        pod_uid = uid(pod)
        self._pods[pod_uid] = pod
        if _revives(self._statuses.get(pod_uid, {}), status, pod_spec(pod)):
            return
        if self._statuses.get(pod_uid) == status:
            if terminating(pod) and not self._may_be_running(pod_uid):
                self._enqueue(pod_uid, cause)
            return
        self._statuses[pod_uid] = status
        self._on_change(pod_uid, status)
        self._enqueue(pod_uid, cause)

    def set_container_readiness(self, pod_uid: str, container_id: str, ready: bool, cause: Cause | None) -> None:
        """A readiness result has changed: the container's ``ready`` and the pod's Ready (SetContainerReadiness)."""
        self._set_container(pod_uid, container_id, "ready", ready, cause)

    def set_container_startup(self, pod_uid: str, container_id: str, started: bool, cause: Cause | None) -> None:
        """A startup result has changed (SetContainerStartup)."""
        self._set_container(pod_uid, container_id, "started", started, cause)

    def _set_container(self, pod_uid: str, container_id: str, field: str, value: bool, cause: Cause | None) -> None:
        status, pod = self._statuses.get(pod_uid), self._pods.get(pod_uid)
        if status is None or pod is None:
            return
        for group in ("containerStatuses", "initContainerStatuses"):
            for index, found in enumerate(status.get(group) or ()):
                if found.get("containerID") == container_id and found.get(field) != value:
                    statuses = list(status[group])
                    statuses[index] = {**found, field: value}
                    changed = {**status, group: statuses}
                    if field == "ready":
                        changed = conditions_of_readiness(changed, pod_spec(pod), self._clock.timestamp())
                    self.set(pod, changed, cause)
                    return

    def set_condition(self, pod_uid: str, kind: str, value: str, cause: Cause | None) -> None:
        """One condition by itself, beside the syncs (used when the sandbox is up)."""
        status, pod = self._statuses.get(pod_uid), self._pods.get(pod_uid)
        if status is not None and pod is not None:
            self.set(pod, with_condition(status, kind, value, self._clock.timestamp()), cause)

    def terminate(self, pod: Object, cause: Cause | None) -> None:
        """All is over: finish the status, send it and, if the pod is being deleted, remove it (TerminatePod)."""
        status = self._statuses.get(uid(pod))
        if status is not None:
            self.set(pod, finished(status, pod_spec(pod)), cause)
        self._pods[uid(pod)] = pod
        self._enqueue(uid(pod), cause)

    def forget(self, pod_uid: str) -> None:
        for book in (self._statuses, self._pods, self._causes, self._queue):
            book.pop(pod_uid, None)
        self._on_change(pod_uid, None)

    def resend(self, cause: Cause | None = None) -> None:
        """The API can be reached again: with the next comparison all goes out; what is the same changes nothing."""

        def send() -> None:
            for pod_uid in list(self._statuses):
                self._enqueue(pod_uid, cause)

        self._clock.at(self._next_sync(), send)

    def check(self, pod: Object, cause: Cause | None) -> None:
        """Somebody else may have changed what the kubelet says of a pod; the next comparison puts it right."""
        pod_uid, live = uid(pod), self._store.get("Pod", *key(pod))
        if live is not None and pod_uid not in self._queue and self._outdated(live):
            self._clock.at(self._next_sync(), lambda: self._compare(pod_uid, cause))

    def _next_sync(self) -> int:
        return self._clock.now + (self._phase - self._clock.now - 1) % SYNC + 1

    def _compare(self, pod_uid: str, cause: Cause | None) -> None:
        """syncBatch: a status goes out again if the API has another one."""
        pod = self._pods.get(pod_uid)
        live = self._store.get("Pod", *key(pod)) if pod is not None else None
        if live is not None and self._outdated(live):
            self._enqueue(pod_uid, Cause(RECONCILED, cause, pod=live["metadata"]["name"]))

    def _outdated(self, live: Object) -> bool:
        """Whether the API has other conditions than the kubelet's own (needsReconcile)."""
        status = self._statuses.get(uid(live))
        if status is None:
            return False
        found = {c["type"]: c for c in (live.get("status") or {}).get("conditions") or ()}
        return any(
            found.get(c["type"], {}).get(k) != c.get(k)
            for c in status.get("conditions") or ()
            if c["type"] in OWNED
            for k in ("status", "reason", "message")
        )

    # ---- the writer

    def _enqueue(self, pod_uid: str, cause: Cause | None) -> None:
        self._causes[pod_uid] = cause
        self._queue[pod_uid] = None
        self._write_next()

    def _write_next(self) -> None:
        if self._writing or not self._queue or not self.reachable:
            return
        self._writing = True
        pause = latencies.draw("status patch", self._stream, self._stream.next())
        self._clock.after(pause, self._write)

    def _write(self) -> None:
        self._writing = False
        if self._queue and self.reachable:
            pod_uid = next(iter(self._queue))
            del self._queue[pod_uid]
            self._sync_pod(pod_uid, self._causes.pop(pod_uid, None))
        self._write_next()

    def _sync_pod(self, pod_uid: str, cause: Cause | None) -> None:
        """Patch the status subresource from the live object (syncPod)."""
        status, pod = self._statuses.get(pod_uid), self._pods.get(pod_uid)
        if status is None or pod is None:
            return
        namespace, name = key(pod)
        live = self._store.get("Pod", namespace, name)
        if live is None or uid(live) != pod_uid:
            return
        over = not self._may_be_running(pod_uid)

        def merge(found: Object) -> Object:
            return {**found, "status": self._merge(found.get("status") or {}, status, over)}

        live = self._store.patch("Pod", namespace, name, merge, status=True, cause=cause)
        if (
            over
            and terminating(live)
            and live["status"].get("phase") in ("Succeeded", "Failed")
            and pod_uid in self.finished
        ):
            self._store.delete("Pod", namespace, name, grace=0, uid=pod_uid, cause=cause)

    @staticmethod
    def _merge(old: Status, new: Status, over: bool) -> Status:
        """What the API gets (mergePodStatus)."""
        others = [c for c in old.get("conditions") or () if c["type"] not in OWNED]
        ours = [c for c in new.get("conditions") or () if c["type"] in OWNED]
        merged = {**old, **new, "conditions": [*others, *ours]}
        if not over and new.get("phase") in ("Succeeded", "Failed") and old.get("phase") not in ("Succeeded", "Failed"):
            # a terminal phase is not shown while containers may still run
            merged["phase"] = old.get("phase", "Pending")
            for key in ("reason", "message"):
                merged.pop(key, None)
                if key in old:
                    merged[key] = old[key]
        return merged
