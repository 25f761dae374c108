"""Starts and stops probe workers, and tells what their results mean (pkg/kubelet/prober/prober_manager.go)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import simpy

from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.kubelet.prober.results import SUCCESS, ResultsManager
from selfheal.kubelet.prober.ticker import TRIGGER, Ticker
from selfheal.kubelet.prober.worker import Worker
from selfheal.network import Network
from selfheal.objects import Object, namespace, ref, uid
from selfheal.probes import exec as exec_probe
from selfheal.probes import grpc, http, tcp
from selfheal.probes.result import Outcome, told
from selfheal.rules import Cause, Rules, rule
from selfheal.runtime import Container as RuntimeContainer
from selfheal.runtime import Runtime
from selfheal.spec import Container, ExecAction, GRPCAction, HTTPGetAction, PodSpec, TCPSocketAction

TYPES = ("startup", "readiness", "liveness")
"""In the order in which AddPod makes workers."""

RESTART_GRACE = 10 * SECOND
"""A container that started so long before its kubelet is one that a kubelet before it had started."""

SINCE_START = rule("answer.since-start", "", "")
BY_ITSELF = rule("answer.by-itself", "", "")

Recorder = Callable[[dict[str, Any], Cause | None], dict[str, Any]]
"""Puts a record into the timeline and returns the record that is kept there."""


class ProberManager:
    """All probe workers of one node."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        network: Network,
        runtime: Runtime,
        events: EventRecorder,
        rules: Rules,
        node: str,
        *,
        on_result: Callable[[str, str, str, str, Cause | None], None],
        will_restart: Callable[[str, Container, dict[str, Any]], bool],
        record: Recorder,
        parking: bool = True,
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.rules = rules
        self.parking = parking
        self.will_restart = will_restart
        self.record = record
        self._network = network
        self._runtime = runtime
        self._events = events
        self._node = node
        self.workers: dict[tuple[str, str, str], Worker] = {}
        self.parked: dict[Ticker, None] = {}
        self._begun = clock.now
        self.pods: dict[str, Object] = {}
        """The pod objects that the workers were made with."""
        self.statuses: dict[str, dict[str, Any]] = {}
        """The status manager's cache: what workers see of their pod."""
        self.started_at: dict[str, int] = {}
        """Container ID → when its startup probe succeeded (µs); only a belief asks for it."""

        def updates(probe_type: str) -> ResultsManager:
            def updated(pod_uid: str, container_id: str, result: str, cause: Cause | None) -> None:
                if probe_type == "startup" and result == SUCCESS:
                    self.started_at[container_id] = self.clock.now
                on_result(pod_uid, container_id, probe_type, result, cause)

            return ResultsManager(updated)

        self.results = {t: updates(t) for t in TYPES}
        self._asked: dict[Worker, str] = {}
        """The container that each worker has been told to ask when its delay is over; for a belief only."""

    # ---- pods come and go

    def add_pod(self, pod: Object, spec: PodSpec, cause: Cause | None = None) -> None:
        """Make the workers that a pod still lacks (AddPod; called in every sync)."""
        pod_uid = uid(pod)
        sidecars = [c for c in spec.init_containers if c.restartable_init]
        for container in (*spec.containers, *sidecars):
            for probe_type in TYPES:
                probe = container.probe(probe_type)
                if probe is None:
                    continue
                key = (pod_uid, container.name, probe_type)
                if key in self.workers:
                    return  # as upstream: the first worker that exists ends the search
                self.pods.setdefault(pod_uid, pod)
                self.workers[key] = Worker(self, pod_uid, container, probe_type, probe, cause)

    def stop_liveness_and_startup(self, pod: Object, spec: PodSpec) -> None:
        """The pod is being stopped: nothing of its regular containers shall be killed any more."""
        for container in spec.containers:
            for probe_type in ("liveness", "startup"):
                worker = self.workers.get((uid(pod), container.name, probe_type))
                if worker is not None:
                    worker.stop()

    def remove_pod(self, pod_uid: str) -> None:
        """Nothing of the pod runs any more."""
        for worker in [w for w in self.workers.values() if w.pod_uid == pod_uid]:
            worker.stop()
        self.pods.pop(pod_uid, None)

    def forget(self, worker: Worker) -> None:
        """A worker has ended."""
        self.workers.pop((worker.pod_uid, worker.container.name, worker.type), None)

    # ---- what the kubelet asks

    def update_pod_status(self, pod_uid: str, status: dict[str, Any], spec: PodSpec, cause: Cause | None) -> None:
        """Fill in ``started`` and ``ready`` of a freshly made status (UpdatePodStatus).

        A container that runs and is not ready gets its readiness worker triggered.
        ``status`` is still private to the caller, so it is filled in place.
        """
        for found in status.get("containerStatuses") or ():
            self._fill(pod_uid, found, status, spec, cause)
        sidecars = {c.name for c in spec.init_containers if c.restartable_init}
        for found in status.get("initContainerStatuses") or ():
            if found["name"] in sidecars:
                self._fill(pod_uid, found, status, spec, cause)
            else:
                terminated = found["state"].get("terminated")
                found["ready"] = terminated is not None and terminated["exitCode"] == 0
                found["started"] = "running" in found["state"]

    def _fill(
        self, pod_uid: str, found: dict[str, Any], status: dict[str, Any], spec: PodSpec, cause: Cause | None
    ) -> None:
        found["started"] = started = self._is_started(pod_uid, found)
        found["ready"] = False
        if self.rules.first_probe_at_delay and "running" in found["state"]:
            self._ask_at_delay(pod_uid, found)
        if not started:
            return
        container_id = found.get("containerID", "")
        worker = self.workers.get((pod_uid, found["name"], "readiness"))
        stored = self.results["readiness"].get(container_id)
        if stored == SUCCESS:
            found["ready"] = True
            return
        if self.found_running(found) and stored is None and spec.container(found["name"]).readiness is not None:
            # not yet probed by this kubelet: the pod stays what it was (setReadyStateOnKubeletRestart)
            ready = [c["status"] for c in status.get("conditions") or () if c["type"] == "Ready"]
            found["ready"] = ready == ["True"]
        else:
            found["ready"] = worker is None and not self.rules.no_probe_is_unready
        if worker is not None:
            worker.trigger(Cause(TRIGGER, cause, at=self.clock.now, container=found["name"]))

    def _ask_at_delay(self, pod_uid: str, found: dict[str, Any]) -> None:
        """For a belief only: each worker asks a new container when its delay is over, and ticks from there."""
        since = self.clock.at_timestamp(found["state"]["running"]["startedAt"])
        for worker in [self.workers.get((pod_uid, found["name"], probe_type)) for probe_type in TYPES]:
            if worker is None or self._asked.get(worker) == found["containerID"]:
                continue
            self._asked[worker] = found["containerID"]
            at = since + worker.probe.initial_delay_seconds * SECOND
            # a status is stored a moment after it was made
            self.clock.after(max(at - self.clock.now, 10 * MILLISECOND), partial(self._ask, worker))

    def _ask(self, worker: Worker) -> None:
        if worker in self.workers.values():
            worker.unpark()
            worker.ask()

    def found_running(self, found: dict[str, Any]) -> bool:
        """Whether a container ran before this kubelet did (prober_manager.go kubeletRestartGracePeriod)."""
        since = found["state"].get("running", {}).get("startedAt")
        return since is not None and self.clock.at_timestamp(since) < self._begun - RESTART_GRACE

    def _is_started(self, pod_uid: str, found: dict[str, Any]) -> bool:
        """prober_manager.go isContainerStarted."""
        if "running" not in found["state"]:
            return False
        stored = self.results["startup"].get(found.get("containerID", ""))
        if stored is not None:
            return stored == SUCCESS
        if found.get("started"):
            return True  # carried over from the status before, even to a new instance
        return (pod_uid, found["name"], "startup") not in self.workers

    def status_changed(self, pod_uid: str, status: dict[str, Any] | None) -> None:
        """The status manager holds a new status: parked workers look again."""
        if status is None:
            self.statuses.pop(pod_uid, None)
        else:
            self.statuses[pod_uid] = status
        if self.parked:
            for worker in [w for w in self.parked if w.pod_uid == pod_uid]:
                worker.unpark()

    def settle(self) -> None:
        """Count the passes of all parked workers up to now (before somebody reads the timeline)."""
        for worker in self.parked:
            worker.settle()

    def wake(self) -> None:
        """Something outside pods and containers has changed (the network): look again."""
        for worker in list(self.parked):
            worker.unpark()

    # ---- what workers ask (pkg/kubelet/prober/prober.go)

    def find_container(self, container_id: str) -> RuntimeContainer | None:
        return self._runtime.container(container_id.removeprefix("containerd://"))

    def run_probe(self, worker: Worker) -> Outcome | simpy.Event:
        """Run a worker's handler once (runProbe)."""
        probe, container = worker.probe, worker.container
        handler, timeout = probe.handler, probe.timeout_seconds * SECOND
        timeout = max(timeout, self.rules.least_timeout * SECOND)
        if isinstance(handler, ExecAction):
            running = self.find_container(worker.container_id)
            if running is None:
                return Outcome("unknown", "", "container not found", 0, True)
            return exec_probe.probe(
                self._runtime, running, exec_probe.expand_static(handler.command, container.env), timeout
            )
        pod_ip = self.statuses[worker.pod_uid].get("podIP", "")
        if isinstance(handler, HTTPGetAction):
            return http.probe(self._network, self._node, handler, container.ports, pod_ip, timeout)
        if isinstance(handler, TCPSocketAction):
            outcome = tcp.probe(self._network, self._node, handler, container.ports, pod_ip, timeout)
            if not self.rules.tcp_knows_the_app or outcome.result != "success":
                return outcome
            asked = HTTPGetAction("/", handler.port, handler.host, "HTTP", ())
            return http.probe(self._network, self._node, asked, container.ports, pod_ip, timeout)
        assert isinstance(handler, GRPCAction)
        found = grpc.probe(self._network, self._node, handler, pod_ip, timeout)
        if self.rules.any_grpc_answer_passes and isinstance(found, Outcome) and "responded with" in found.output:
            return Outcome("success", found.output)
        return found

    def why_answer(self, worker: Worker, since: int | None, tick: Cause) -> Cause | None:
        """What made the container answer as it does.

        Its last change that somebody caused or its app told of, if that was after the answer before (at ``since``, µs);
        else a change of its own. None if it has given no answer before: then it has answered so from its start.
        """
        running, container = self.find_container(worker.container_id), worker.container.name
        if running is None:
            return tick
        if running.changed_by is not None and (since is None or running.changed_at >= since):
            return running.changed_by
        if since is None:
            started = 0 if running.started_at is None else running.started_at
            return Cause(SINCE_START, tick, container=container, started=f"{started / SECOND:.1f}")
        return Cause(BY_ITSELF, at=running.altered_at, container=container, what=running.altered_by)

    def why_ended(self, worker: Worker) -> Cause | None:
        """Why a worker's container has ended."""
        ended = self.find_container(worker.container_id)
        return None if ended is None else ended.cause

    def record_of(self, worker: Worker) -> dict[str, Any]:
        pod = self.pods[worker.pod_uid]
        return {
            "namespace": namespace(pod),
            "object": ref(pod),
            "container": worker.container.name,
            "probe": worker.type,
        }

    def probe_event(self, worker: Worker, outcome: Outcome, cause: Cause, pod: Object | None = None) -> None:
        """The event that a failed, errored or warning probe leaves (prober.go probe).

        ``pod`` is given by a probe that outlived its worker.
        """
        pod = pod or self.pods[worker.pod_uid]
        event = told(outcome, worker.type)
        if event is not None:
            field = worker.container.field_path
            self._events.event(pod, "Warning", *event, field=field, cause=cause)
