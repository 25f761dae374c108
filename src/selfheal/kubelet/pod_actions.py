"""What a sync of a pod will kill and start.

Follows ``computePodActions`` in pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from selfheal.kubelet.pleg import ContainerSnapshot, PodSnapshot
from selfheal.kubelet.prober.manager import ProberManager
from selfheal.kubelet.prober.results import FAILURE, SUCCESS
from selfheal.kubelet.restart_policy import (
    may_restart,
    policy_of,
    restarts_after_probe_kill,
    restarts_all,
    should_restart,
)
from selfheal.rules import Rules
from selfheal.spec import Container, PodSpec


@dataclass(slots=True)
class Actions:
    """What a sync will do (podActions)."""

    kill_pod: bool = False
    create_sandbox: bool = False
    attempt: int = 0
    to_kill: list[tuple[Container, ContainerSnapshot, str, str | None]] = field(default_factory=list)
    """(container, instance, message, failed probe)"""
    ephemeral_to_start: list[Container] = field(default_factory=list)
    init_to_start: list[Container] = field(default_factory=list)
    to_start: list[Container] = field(default_factory=list)
    to_reset: list[str] = field(default_factory=list)
    """RestartAllContainers: these are killed and removed; nothing is started before all are gone."""


def containers_to_reset(spec: PodSpec, snapshot: PodSnapshot) -> list[str]:
    """All containers, where one has ended as its rule RestartAllContainers says; else none."""
    of = {c.name: c for c in (*spec.init_containers, *spec.containers)}
    ended = [(of[i.name], i.exit_code) for i in map(snapshot.newest, of) if i is not None and i.state == "exited"]
    sources = [c.name for c, exit_code in ended if restarts_all(c, exit_code or 0)]
    return [*(n for n in of if n not in sources), *sources] if sources else []


class PodActions:
    """Decides from a snapshot, the spec and the stored probe results; changes nothing."""

    def __init__(self, prober: ProberManager, rules: Rules) -> None:
        self._prober = prober
        self._results = prober.results
        self._rules = rules

    def compute(self, spec: PodSpec, snapshot: PodSnapshot) -> Actions:
        """What to kill and what to start (computePodActions)."""
        actions = Actions()
        if not snapshot.sandbox_ready or not snapshot.ip:
            return self._without_sandbox(spec, snapshot)
        actions.to_reset = containers_to_reset(spec, snapshot)
        if actions.to_reset:
            return actions
        actions.ephemeral_to_start = [c for c in spec.ephemeral_containers if snapshot.newest(c.name) is None]
        if not self._init_actions(spec, snapshot, actions):
            return actions  # the init phase is not over
        keep = 0
        for c in spec.containers:
            instance = snapshot.newest(c.name)
            if self._rules.out_of_memory_ends_the_pod and self._dies_with_another(c, instance, spec, snapshot):
                assert instance is not None
                actions.to_kill.append((c, instance, f"Container {c.name} ends with its pod", None))
                actions.to_start.append(c)
                continue
            if instance is None or instance.state == "created":
                actions.to_start.append(c)
                continue
            if instance.state == "unknown":  # it may well run: killed first, or there might be two
                text = 'Container is in "unknown" state, try killing it before restart'
                actions.to_kill.append((c, instance, text, None))
                actions.to_start.append(c)
                continue
            if instance.state == "exited":
                if self._rules.restart_needs_liveness and c.liveness is None:
                    keep += 1  # it stays as it is
                elif should_restart(c, spec, instance.exit_code or 0):
                    actions.to_start.append(c)
                continue
            message, probe, restart = self._kill_reason(c, instance, spec)
            if message is None:
                keep += 1
                continue
            if restart:
                message += ", will be restarted"
                actions.to_start.append(c)
            actions.to_kill.append((c, instance, message, probe))
        if keep == 0 and not actions.to_start:
            actions.kill_pod = True
            actions.init_to_start.clear()
        return actions

    def _kill_reason(
        self, c: Container, instance: ContainerSnapshot, spec: PodSpec
    ) -> tuple[str | None, str | None, bool]:
        """(message, failed probe, whether it is started again) for a running container."""
        if instance.image != c.image:
            return f"Container {c.name} definition changed", None, True
        for probe in self._rules.killing_probes:
            results = self._results[probe]
            if results.get(f"containerd://{instance.id}") == FAILURE and (
                probe != "readiness" or self._readiness_verdict(instance)
            ):
                again = restarts_after_probe_kill(c, spec)
                if self._rules.policy_asks_after_a_kill and policy_of(c, spec) == "OnFailure":
                    again = False  # what it ends with is asked when it has ended
                return f"Container {c.name} failed {probe} probe", probe, again
        return None, None, False

    def _dies_with_another(
        self, c: Container, instance: ContainerSnapshot | None, spec: PodSpec, snapshot: PodSnapshot
    ) -> bool:
        """For a belief only: whether another container has just been ended for want of memory."""
        if instance is None or instance.state != "running" or instance.started_at is None:
            return False
        newest = [snapshot.newest(other.name) for other in spec.containers if other is not c]
        out = [n for n in newest if n is not None and n.state == "exited" and n.reason == "OOMKilled"]
        return any(n.finished_at is not None and n.finished_at > instance.started_at for n in out)

    def _readiness_verdict(self, instance: ContainerSnapshot) -> bool:
        """For a belief only: whether a readiness Failure is a verdict and not the value that it began with."""
        worker = next(
            (
                w
                for w in self._prober.workers.values()
                if w.container_id == f"containerd://{instance.id}" and w.type == "readiness"
            ),
            None,
        )
        return worker is not None and worker.on_hold

    def _without_sandbox(self, spec: PodSpec, snapshot: PodSnapshot) -> Actions:
        """No sandbox that works: make one and start everything, unless nothing is left to run."""
        actions = Actions(kill_pod=True, create_sandbox=True)
        left = [c for c in spec.containers if not self._over(c, spec, snapshot)]
        begun = any(snapshot.newest(c.name) for c in spec.containers)
        if (snapshot.containers and not any(may_restart(c, spec) for c in spec.containers)) or (begun and not left):
            actions.create_sandbox = False
        elif spec.init_containers:
            actions.init_to_start = [spec.init_containers[0]]
        else:
            actions.to_start = left
        return actions

    @staticmethod
    def _over(c: Container, spec: PodSpec, snapshot: PodSnapshot) -> bool:
        """Whether a container has succeeded under OnFailure: it is not run again, whatever becomes of the sandbox."""
        instance = snapshot.newest(c.name)
        succeeded = instance is not None and instance.state == "exited" and instance.exit_code == 0
        return succeeded and policy_of(c, spec) == "OnFailure"

    def _init_actions(self, spec: PodSpec, snapshot: PodSnapshot, actions: Actions) -> bool:
        """What to do for the init containers; True when regular ones may run (computeInitContainerActions).

        Looked at from the last to the first: the last that exists tells how far the pod has come. Those before it
        have had their turn, and only sidecars among them are kept running.
        """
        inits, last = spec.init_containers, len(spec.init_containers) - 1
        regular = [snapshot.newest(c.name) for c in spec.containers]
        # one that has ended tells nothing: it may be of the sandbox before
        done = not inits or any(i is not None and i.state in ("created", "running") for i in regular)
        passed, start = done, actions.init_to_start
        for index in range(last, -1, -1):
            c, instance = inits[index], snapshot.newest(inits[index].name)
            if instance is None:
                if passed and c.restartable_init:
                    start.append(c)
                continue
            if passed and not c.restartable_init:
                continue
            up = False  # whether the next one may start
            if instance.state == "created":
                start.append(c)
            elif instance.state == "unknown":
                text = 'Init container is in "unknown" state, try killing it before restart'
                actions.to_kill.append((c, instance, text, None))
                start.append(c)
            elif instance.state == "exited":
                up = not c.restartable_init and instance.exit_code == 0
                if not up and not should_restart(c, spec, instance.exit_code or 0):
                    actions.kill_pod = True
                    start.clear()
                    return False
                if not up:
                    start.append(c)
            elif c.restartable_init:
                up = self._sidecar_started(c, instance)
            if up and index == last:
                done = True
            elif up and not passed:
                start.append(inits[index + 1])
            if instance.state == "running" and c.restartable_init:
                message, probe, _ = self._kill_reason(c, instance, spec)
                if message is not None and (up or probe == "startup"):
                    actions.to_kill.append((c, instance, "Init c" + message[1:], probe))
                    start.append(c)
            passed = True
        if not passed:
            start.append(inits[0])
        start.reverse()
        return done

    def _sidecar_started(self, c: Container, instance: ContainerSnapshot) -> bool:
        return c.startup is None or self._results["startup"].get(f"containerd://{instance.id}") == SUCCESS
