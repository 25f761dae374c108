"""The kubelet of one node: who asks for a sync, and what a sync does (pkg/kubelet/kubelet.go).

The kubelet meets the rest of the cluster only in the store. It watches the pods of its
node, gives each a worker, and lets five things ask that worker for a sync: a change of
the pod in the API, an event of the PLEG, a probe's verdict, an entry of the work queue that is
due, and the end of the sync before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.kubelet import active_deadline, generate, localstorage
from selfheal.kubelet.environment import environment
from selfheal.kubelet.hooks import CANCELED, Hooks
from selfheal.kubelet.images import ImageManager
from selfheal.kubelet.kuberuntime import RuntimeManager
from selfheal.kubelet.mounts import Mounts
from selfheal.kubelet.nodestatus import NodeStatus
from selfheal.kubelet.pleg import PLEG, PodSnapshot
from selfheal.kubelet.pod_actions import containers_to_reset
from selfheal.kubelet.pod_workers import FINISHED, SYNCING, TERMINATED, TERMINATING, PodWorker, WorkQueue
from selfheal.kubelet.predicate import rejection, was_scheduled
from selfheal.kubelet.prober.manager import ProberManager
from selfheal.kubelet.prober.results import FAILURE, SUCCESS
from selfheal.kubelet.restart_policy import could_restart_all, should_restart
from selfheal.kubelet.status_manager import OWNED, StatusManager
from selfheal.kubelet.volumes import VolumeManager
from selfheal.network import Network
from selfheal.objects import Object, name, namespace, terminating, uid
from selfheal.rules import Cause, Rules, rule
from selfheal.runtime import Runtime
from selfheal.spec import Container, PodSpec, pod_spec
from selfheal.store import Store, WatchEvent

SOURCE = "pkg/kubelet/kubelet.go"
ADDED = rule("kubelet.added", SOURCE, "HandlePodAdditions")
FOUND = rule("kubelet.found", SOURCE, "HandlePodAdditions")
REJECTED = rule("kubelet.rejected", SOURCE, "rejectPod")
UPDATED = rule("kubelet.updated", SOURCE, "HandlePodUpdates")
DELETED = rule("kubelet.deleted", SOURCE, "HandlePodUpdates")
REMOVED = rule("kubelet.removed", SOURCE, "HandlePodRemoves")
ENDED = rule("kubelet.phase", SOURCE, "SyncPod")
STATUS = rule("kubelet.status", "pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus")
VERDICT_SYNC = rule("kubelet.verdict", SOURCE, "syncLoopIteration")

Steps = Generator[simpy.Event, Any, Any]


class Kubelet:
    """One node's agent."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        network: Network,
        runtime: Runtime,
        node: Object,
        rules: Rules,
        record: Callable[[dict[str, Any], Cause | None], dict[str, Any]],
        *,
        address: str,
        parking: bool = True,
        boots: int = 0,
        cause: Cause | None = None,
        rebooted: bool = True,
    ) -> None:
        self.clock, self.chance, self.store, self.runtime = clock, chance, store, runtime
        self.rules = rules
        self.node = name(node)
        self.address = address
        self._host = {"hostIP": address, "hostIPs": [{"ip": address}]}
        self._network = network
        self._begun_by = cause
        self._parking = parking
        self.events = EventRecorder(store, clock, chance, "kubelet", self.node)
        self.workers: dict[str, PodWorker] = {}
        self.pleg = PLEG(clock, chance, runtime, self.node, self._on_pleg_event)
        self._queue = WorkQueue(clock, chance, self.node)
        self.prober = ProberManager(
            clock,
            chance,
            network,
            runtime,
            self.events,
            rules,
            self.node,
            on_result=self._on_probe_result,
            will_restart=self._will_restart,
            record=record,
            parking=parking,
        )
        self.statuses = StatusManager(
            clock, chance, store, self.node, on_change=self.prober.status_changed, may_be_running=self._may_be_running
        )
        self._mounts = Mounts(runtime.host)
        self._volumes = VolumeManager(clock, chance, store, self.events, self._mounts, self._fields)
        self.images = ImageManager(clock, chance, runtime, self.events)
        self.manager = RuntimeManager(
            clock,
            chance,
            runtime,
            self.events,
            self.prober,
            self.images,
            Hooks(clock, chance, network, runtime, self.events, self.node),
            rules,
            environment=self._environment,
            handler=self._handler,
            mounts=self._mounts,
            on_sandbox_ready=self._on_sandbox_ready,
        )
        self.node_status = NodeStatus(
            clock,
            chance,
            store,
            self.events,
            node,
            address,
            boots=boots,
            cause=cause,
            rebooted=rebooted,
            parking=parking,
        )
        known = [uid(pod) for pod in store.pods_on(self.node)]
        for pod_uid in [u for u in runtime.sandboxes if u not in known]:
            self.manager.forget(pod_uid)  # deleted while this node was off (HandlePodCleanups)
        self._watch = store.watch("Pod", self._on_pod, node=self.node)

    def halt(self, cause: Cause | None = None) -> None:
        """Power cut: the kubelet is gone in the middle of whatever it did. The API knows nothing of it yet."""
        self._watch.stop()
        self.events.silent = True
        self.statuses.reachable = False
        for worker in list(self.workers.values()):
            worker.halt()
        for pod_uid in list(self.workers):
            self.prober.remove_pod(pod_uid)
        self.workers.clear()
        self.pleg.halt()
        self.node_status.halt(cause)

    def disconnect(self) -> None:
        """The API server cannot be reached. The pods go on, probed and restarted; nobody hears of it.

        Of the node's own lease and status see :meth:`NodeStatus.disconnect`.
        """
        self._watch.hold()
        self.events.cut_off = True
        self.statuses.reachable = False

    def reconnect(self, cause: Cause | None = None) -> None:
        """The API server can be reached again: first it is heard, then what happened is told."""
        if self.events.silent:
            return
        self.events.cut_off = False
        self.statuses.reachable = True
        self.statuses.resend(cause)
        self._watch.release()

    # ---- requests: the sync loop (syncLoopIteration)

    def _on_pod(self, event: WatchEvent) -> None:
        """The API has something new about a pod of this node."""
        pod, pod_uid = event.object, uid(event.object)
        worker = self.workers.get(pod_uid)
        if event.type == "DELETED":
            over = (FINISHED, TERMINATED) if pod_uid in self.statuses.finished else (FINISHED,)
            if worker is None or worker.state in over:
                self._forget(pod_uid)
            else:
                worker.pod = pod
                worker.terminate(Cause(REMOVED, event.cause, at=self.clock.now), grace=0)
            return
        if worker is None:
            if pod["status"].get("phase") in ("Succeeded", "Failed") and not terminating(pod):
                return
            if not self._reject(pod, event.cause):
                self._add(pod, event.cause)
            return
        old, worker.pod = worker.pod, pod
        if terminating(pod) and (
            not terminating(old)
            or pod["metadata"].get("deletionGracePeriodSeconds") != old["metadata"].get("deletionGracePeriodSeconds")
        ):
            worker.terminate(Cause(DELETED, event.cause, at=self.clock.now))
        elif pod["spec"] is not old["spec"] or self._gates_differ(pod):
            worker.update(Cause(UPDATED, event.cause, at=self.clock.now))
        self.statuses.check(pod, event.cause)

    def _reject(self, pod: Object, cause: Cause | None) -> bool:
        """Refuse a pod that cannot be here: it has failed, and nothing of it is begun (canAdmitPod, rejectPod)."""
        node = None if was_scheduled(pod) or terminating(pod) else self.store.get("Node", "", self.node)
        if node is None:
            return False
        there = [w.pod for w in self.workers.values() if w.pod["status"].get("phase") not in ("Succeeded", "Failed")]
        found = rejection(pod, node, there)
        if found is None:
            return False
        reason, message = found
        why = Cause(REJECTED, cause, at=self.clock.now, node=self.node, reason=reason)
        if self.statuses.get(uid(pod)) is None:
            status = {
                "observedGeneration": pod["metadata"].get("generation", 1),
                "phase": "Failed",
                "reason": reason,
                "message": f"Pod was rejected: {message}",
                "startTime": self.clock.timestamp(),
            }
            self.events.event(pod, "Warning", reason, message, cause=why)
            self.statuses.set(pod, status, why)
        return True

    def _add(self, pod: Object, cause: Cause | None) -> None:
        worker = PodWorker(
            self.clock,
            self.chance,
            self.pleg,
            self._queue,
            pod,
            sync=self._sync,
            settled=self._settled,
            parking=self._parking,
        )
        self.workers[worker.uid] = worker
        now, pause = self.clock.now, latencies.draw("admit", self.chance.fresh(worker.uid, "admit"), 0)
        if terminating(pod):
            self.clock.after(pause, lambda: worker.terminate(Cause(DELETED, cause or self._begun_by, at=now)))
        else:
            why = Cause(FOUND, self._begun_by, at=now) if cause is None else Cause(ADDED, cause, at=now)
            self.clock.after(pause, lambda: worker.update(why))
        if localstorage.limited(pod_spec(pod)):
            self.clock.after(localstorage.INTERVAL, lambda: self._look_at_storage(worker))

    def _look_at_storage(self, worker: PodWorker) -> None:
        """Evict a pod that has written more than it may."""
        if worker.state != SYNCING:
            return
        spec, volumes = pod_spec(worker.pod), self._mounts.volumes.get(worker.uid, {})
        message = localstorage.exceeded(spec, self.runtime.containers_of(worker.uid), volumes)
        if message is None:
            self.clock.after(localstorage.INTERVAL, lambda: self._look_at_storage(worker))
            return
        why = Cause(localstorage.EVICTED, at=self.clock.now, message=message)
        worker.evicted = {"phase": "Failed", "reason": "Evicted", "message": message}
        self.events.event(worker.pod, "Warning", "Evicted", message, cause=why)
        worker.terminate(why, grace=localstorage.GRACE)

    def _gates_differ(self, pod: Object) -> bool:
        """Somebody set the condition of a readiness gate, and Ready no longer fits (NeedToReconcilePodReadiness)."""
        spec = pod_spec(pod)
        if not spec.readiness_gates:
            return False
        now = self.clock.timestamp()
        new = generate.conditions_of_readiness(pod["status"], spec, now)
        pick = [c["status"] for c in new["conditions"] if c["type"] == "Ready"]
        return pick != [c["status"] for c in pod["status"].get("conditions") or () if c["type"] == "Ready"]

    def _on_pleg_event(self, pod_uid: str, cause: Cause, died: list[str]) -> None:
        """Containers of a pod started or ended (syncLoopIteration); of the dead ones only the newest is kept."""
        worker = self.workers.get(pod_uid)
        for container in died:
            self.manager.clean_up(pod_uid, container)
        if worker is not None:
            worker.update(cause)

    def _on_probe_result(self, pod_uid: str, container_id: str, probe: str, result: str, cause: Cause | None) -> None:
        """A stored probe result is new (kubelet.go handleProbeSync)."""
        worker = self.workers.get(pod_uid)
        if worker is None:
            return
        why = Cause(VERDICT_SYNC, cause, at=self.clock.now, probe=probe, result=result)
        if probe == "liveness" and result != FAILURE:
            return
        if probe == "readiness":
            self.statuses.set_container_readiness(pod_uid, container_id, result == SUCCESS, cause)
        elif probe == "startup":
            self.statuses.set_container_startup(pod_uid, container_id, result == SUCCESS, cause)
        worker.update(why)

    # ---- syncs

    def _sync(self, worker: PodWorker, cause: Cause | None) -> Steps:
        if worker.state == SYNCING:
            return (yield from self.sync_pod(worker, cause))
        if worker.state == TERMINATING:
            return (yield from self.sync_terminating_pod(worker, cause))
        return (yield from self.sync_terminated_pod(worker, cause))

    def sync_pod(self, worker: PodWorker, cause: Cause | None) -> Steps:
        """One sync of a live pod (SyncPod).

        The status is made *before* the actions: what they do shows with the next sync.
        """
        pod, spec = worker.pod, pod_spec(worker.pod)
        snapshot = self.pleg.snapshot(worker.uid)
        status = self._generate(worker, pod, spec, snapshot, cause)
        if status["phase"] in ("Succeeded", "Failed"):
            ended = Cause(ENDED, cause, at=self.clock.now, phase=status["phase"])
            self.statuses.set(pod, status, ended)
            worker.state = TERMINATING
            worker.ending = ended
            worker.cancelled.succeed()
            return "now"
        self.statuses.set(pod, status, Cause(STATUS, cause, at=self.clock.now))
        if spec.active_deadline_seconds is not None:
            self._watch_deadline(worker, status["startTime"], spec.active_deadline_seconds, cause)
        if not worker.mounted:
            mounted = yield from self._volumes.wait(pod, spec, worker.cancelled, cause)
            if worker.cancelled.triggered:
                return "now"
            if mounted is None:
                worker.held_by = cause
                return "error"
            self._mounts.add(worker.uid, mounted)
            worker.mounted = True
        self.prober.add_pod(pod, spec, cause)
        if self.rules.restarts_need_the_api and not self.statuses.reachable:
            worker.held_by = cause
            return "error"
        result = yield from self.manager.sync_pod(pod, spec, snapshot, cause, worker.cancelled)
        for container, reason in result.failed.items():
            worker.reasons[container] = reason
        for container in result.started:
            worker.reasons.pop(container, None)
        if worker.cancelled.triggered:
            return "now"
        if result.error:
            worker.held_by = result.why or cause
            return "error" if result.backoff_until is None else result.backoff_until
        if result.acted:
            self.pleg.request_relist(worker.uid, worker.syncs)
        if result.reset:
            worker.update(cause)
        return None

    def _watch_deadline(self, worker: PodWorker, start_time: str, seconds: int, cause: Cause | None) -> None:
        """Ask for a sync at the first look at the work queue past the deadline (getPodsToSync)."""
        if not worker.deadline_watched:
            worker.deadline_watched = True
            at = self._queue.poll_after(max(self.clock.now, active_deadline.due(self.clock, start_time, seconds)))
            self.clock.at(at, lambda: worker.update(Cause(active_deadline.EXCEEDED, cause, at=at, seconds=seconds)))

    def sync_terminating_pod(self, worker: PodWorker, cause: Cause | None) -> Steps:
        """Stop everything that runs (SyncTerminatingPod)."""
        pod, spec = worker.pod, pod_spec(worker.pod)
        status = self._generate(worker, pod, spec, self.pleg.snapshot(worker.uid), cause)
        self.statuses.set(pod, status, Cause(STATUS, cause, at=self.clock.now))
        self.prober.stop_liveness_and_startup(pod, spec)
        while self.rules.traffic_stops_first and self._gets_traffic(pod):
            yield self.clock.sleep(SECOND // 10)
        yield from self.manager.kill_pod(pod, spec, cause, worker.cancelled, override=worker.grace)
        if worker.cancelled.triggered:
            self._kill_given_up(pod, cause)
            return "error"
        if any(c.state == "running" for c in self.runtime.containers_of(worker.uid)):
            return "error"
        self.prober.remove_pod(worker.uid)
        worker.state = TERMINATED
        pod = worker.pod
        snapshot = self.pleg.look_now(worker.uid)
        status = self._generate(worker, pod, spec, snapshot, cause, terminal=True)
        self.statuses.set(pod, status, Cause(STATUS, cause, at=self.clock.now))
        return "now"

    def _kill_given_up(self, pod: Object, cause: Cause | None) -> None:
        """A grace period got shorter while a pod was stopped: that stop has failed, the next one begins."""
        running = [c.name for c in self.runtime.containers_of(uid(pod)) if c.running]
        failed = [("KillContainer", n) for n in running] + [("KillPodSandbox", uid(pod))]
        texts = [f'failed to "{what}" for "{whom}" with {what}Error: "{CANCELED}"' for what, whom in failed]
        said = f"[{', '.join(texts)}]" if len(texts) > 1 else texts[0]
        self.events.event(pod, "Warning", "FailedKillPod", f"error killing pod: {said}", cause=cause)

    def sync_terminated_pod(self, worker: PodWorker, cause: Cause | None) -> Steps:
        """Clean up; then the object may go (SyncTerminatedPod, TerminatePod)."""
        pod, spec = worker.pod, pod_spec(worker.pod)
        status = self._generate(worker, pod, spec, self.pleg.look_now(worker.uid), cause, terminal=True)
        self.statuses.finished[worker.uid] = None
        self.statuses.set(pod, status, Cause(STATUS, cause, at=self.clock.now))
        self.statuses.terminate(pod, cause)
        live = self.store.get("Pod", namespace(pod), name(pod))
        if live is None or uid(live) != worker.uid:
            self._forget(worker.uid)
        else:
            worker.finish()
        yield from ()  # a sync is a generator, whether or not it waits
        return None

    def _forget(self, pod_uid: str) -> None:
        """The pod's object is gone: so is everything that the kubelet knew of it."""
        worker = self.workers.pop(pod_uid, None)
        if worker is not None:
            worker.finish()
        self.prober.remove_pod(pod_uid)
        self.statuses.forget(pod_uid)
        self.statuses.finished.pop(pod_uid, None)
        self.manager.forget(pod_uid)
        self._volumes.forget(pod_uid)
        self.pleg.forget(pod_uid)

    # ---- status

    def _generate(
        self,
        worker: PodWorker,
        pod: Object,
        spec: PodSpec,
        snapshot: PodSnapshot,
        cause: Cause | None,
        *,
        terminal: bool = False,
    ) -> dict[str, Any]:
        """The pod's status as of a snapshot (generateAPIPodStatus). Offers readiness workers their triggers."""
        clock = self.clock
        old = self.statuses.get(worker.uid) or pod["status"]
        now = clock.timestamp()
        generation = pod["metadata"].get("generation", 1)
        status: dict[str, Any] = {
            "conditions": [
                *(c for c in old.get("conditions") or () if c["type"] in OWNED),
                *(c for c in pod["status"].get("conditions") or () if c["type"] not in OWNED),
            ],
            **self._host,
            "observedGeneration": generation,
            "qosClass": (pod["status"] or {}).get("qosClass", "BestEffort"),
            "startTime": old.get("startTime") or now,
        }
        was_restarting = generate_condition(old, "AllContainersRestarting")
        restarting = bool(containers_to_reset(spec, snapshot)) or (was_restarting and bool(snapshot.containers))
        for field, containers in (
            ("containerStatuses", spec.containers),
            ("initContainerStatuses", spec.init_containers),
            ("ephemeralContainerStatuses", spec.ephemeral_containers),
        ):
            if containers:
                status[field] = generate.container_statuses(
                    pod,
                    containers,
                    snapshot,
                    old.get(field) or [],
                    worker.reasons,
                    spec,
                    clock,
                    has_init=bool(spec.init_containers),
                    restarting=was_restarting and field != "ephemeralContainerStatuses",  # which are never restarted
                )
        inits: list[dict[str, Any]] = status.get("initContainerStatuses", [])
        for group in ("containerStatuses", "ephemeralContainerStatuses"):
            if group in status:  # init containers alone stay in the order of the spec
                status[group].sort(key=lambda s: s["name"])
        status.update(self._addresses(spec, snapshot, old, terminal))
        self.prober.update_pod_status(worker.uid, status, spec, Cause(STATUS, cause, at=self.clock.now))
        status["phase"] = generate.phase(spec, status["containerStatuses"], inits, terminal=terminal)
        status.update(active_deadline.evict(self.clock, self.events, pod, status, cause) or worker.evicted)
        anew = restarting or generate.restarted_in_place([*status["containerStatuses"], *inits])
        if old.get("phase") in ("Succeeded", "Failed") or (anew and not terminal and "reason" not in status):
            status["phase"] = old["phase"]
        for key in ("reason", "message"):
            if old.get(key) and key not in status:
                status[key] = old[key]
        return self._conditions(status, worker.uid, spec, snapshot, old, restarting, terminal)

    def _addresses(self, spec: PodSpec, snapshot: PodSnapshot, old: Object, terminal: bool) -> Object:
        """``podIP`` and ``podIPs``: the sandbox's, or what was known of one that is gone or not yet there."""
        if snapshot.sandbox_ready and snapshot.ip:
            return {"podIP": snapshot.ip, "podIPs": [{"ip": snapshot.ip}]}
        if old.get("podIP") and (terminal or not snapshot.sandbox_id):
            return {"podIP": old["podIP"], "podIPs": old["podIPs"]}
        if spec.host_network:  # it is known before there is a sandbox
            return {"podIP": self.address, "podIPs": [{"ip": self.address}]}
        return {}

    def _conditions(
        self,
        status: dict[str, Any],
        pod_uid: str,
        spec: PodSpec,
        snapshot: PodSnapshot,
        old: Object,
        restarting: bool,
        terminal: bool,
    ) -> dict[str, Any]:
        """The status with the conditions that the kubelet owns (pkg/kubelet/status/generate.go)."""
        now, generation = self.clock.timestamp(), status["observedGeneration"]
        sandbox = "True" if snapshot.sandbox_ready else "False"
        if not terminal and snapshot.sandbox_id is None:
            sandbox = (
                "True"
                if generate_condition(old, "PodReadyToStartContainers") and self._sandbox_up(pod_uid)
                else "False"
            )
        status = generate.with_condition(status, "PodReadyToStartContainers", sandbox, now, generation=generation)
        if could_restart_all(spec):
            value, reason, message = generate.all_restarting(status, restarting)
            status = generate.with_condition(status, "AllContainersRestarting", value, now, reason, message)
        value, reason, message = generate.initialized(
            status, spec, status["containerStatuses"], before=generate_condition(old, "Initialized")
        )
        status = generate.with_condition(status, "Initialized", value, now, reason, message, generation)
        status = generate.conditions_of_readiness(status, spec, now, generation)
        return generate.with_condition(status, "PodScheduled", "True", now, generation=generation)

    def _sandbox_up(self, pod_uid: str) -> bool:
        sandbox = self.runtime.sandboxes.get(pod_uid)
        return sandbox is not None and sandbox.ready

    def _on_sandbox_ready(self, pod: Object, cause: Cause | None) -> None:
        """PodReadyToStartContainers turns True at once, beside the sync (OnPodSandboxReady)."""
        self.statuses.set_condition(uid(pod), "PodReadyToStartContainers", "True", cause)

    # ---- questions of the parts

    def _gets_traffic(self, pod: Object) -> bool:
        """For a belief only: whether a Service still sends users to the pod."""
        slices = self.store.list("EndpointSlice", namespace(pod))
        ends = [e for found in slices for e in found["endpoints"] if e["conditions"]["ready"]]
        return any(e["targetRef"]["uid"] == uid(pod) for e in ends)

    def _may_be_running(self, pod_uid: str) -> bool:
        """Whether containers of the pod may still run (PodCouldHaveRunningContainers)."""
        worker = self.workers.get(pod_uid)
        return worker is not None and worker.state in (SYNCING, TERMINATING)

    def _will_restart(self, pod_uid: str, container: Container, terminated: dict[str, Any]) -> bool:
        worker = self.workers.get(pod_uid)
        return (
            worker is not None
            and worker.state == SYNCING
            and should_restart(container, pod_spec(worker.pod), terminated["exitCode"])
        )

    def _settled(self, worker: PodWorker) -> bool:
        """Whether a regular resync would change nothing: nobody waits for readiness, nothing is held back."""
        status = self.statuses.get(worker.uid)
        if status is None or worker.state != SYNCING or worker.reasons:
            return False
        return all("running" in s["state"] and s["ready"] for s in status["containerStatuses"])

    def _environment(self, pod: Object, c: Container) -> dict[str, str]:
        """The container's environment: its own variables, the node's view of the pod, HOSTNAME."""
        env = {
            "HOSTNAME": pod["spec"].get("hostname") or name(pod),
            "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
        }
        return environment(self.store, pod, c, env, self._fields(pod))

    def _handler(self, pod: Object) -> str:
        """What a pod's RuntimeClass wants it to be run with (pkg/kubelet/runtimeclass/runtimeclass_manager.go)."""
        wanted = pod["spec"].get("runtimeClassName")
        found = self.store.get("RuntimeClass", "", wanted) if wanted else None
        return "" if found is None else str(found["handler"])

    def _fields(self, pod: Object) -> dict[str, str]:
        """What only the node knows of a pod, by field path; and what it has for those who set themselves no limit."""
        sandbox = self.runtime.sandboxes.get(uid(pod))
        ip = "" if sandbox is None else sandbox.ip
        node = self.store.get("Node", "", self.node)
        allocatable = ((node or {}).get("status") or {}).get("allocatable") or {}
        return {
            "spec.nodeName": self.node,
            "status.podIP": ip,
            "status.podIPs": ip,
            "status.hostIP": self.address,
            "status.hostIPs": self.address,
            **{f"limits.{resource}": amount for resource, amount in allocatable.items()},
        }


def generate_condition(status: dict[str, Any], kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in status.get("conditions") or ())


__all__ = ["FINISHED", "SECOND", "Kubelet"]
