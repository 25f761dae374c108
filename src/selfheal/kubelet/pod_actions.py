"""What a sync of a pod will kill and start.

Follows ``computePodActions`` in pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from selfheal.kubelet.pleg import ContainerSnapshot, PodSnapshot
from selfheal.kubelet.prober.manager import ProberManager
from selfheal.kubelet.prober.results import FAILURE, SUCCESS
from selfheal.kubelet.restart_policy import restarts_after_probe_kill, restarts_all, should_restart
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
        started_before = any(snapshot.newest(c.name) for c in spec.containers)
        if not self._init_actions(spec, snapshot, actions, started_before):
            return actions  # the init phase is not over
        keep = 0
        for c in spec.containers:
            instance = snapshot.newest(c.name)
            if instance is None or instance.state == "created":
                actions.to_start.append(c)
                continue
            if instance.state == "unknown":  # it may well run: killed first, or there might be two
                text = 'Container is in "unknown" state, try killing it before restart'
                actions.to_kill.append((c, instance, text, None))
                actions.to_start.append(c)
                continue
            if instance.state == "exited":
                if should_restart(c, spec, instance.exit_code or 0):
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
                return f"Container {c.name} failed {probe} probe", probe, restarts_after_probe_kill(c, spec)
        return None, None, False

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
        if (
            snapshot.containers
            and spec.restart_policy == "Never"
            and all(c.restart_policy is None for c in spec.containers)
        ):
            actions.create_sandbox = False
            return actions
        if spec.init_containers:
            actions.init_to_start = [spec.init_containers[0]]
            return actions
        for c in spec.containers:
            instance = snapshot.newest(c.name)
            if (
                instance is not None
                and instance.state == "exited"
                and spec.restart_policy == "OnFailure"
                and instance.exit_code == 0
            ):
                continue
            actions.to_start.append(c)
        if not actions.to_start:
            actions.create_sandbox = False
        return actions

    def _init_actions(self, spec: PodSpec, snapshot: PodSnapshot, actions: Actions, started_before: bool) -> bool:
        """Init containers, one after another; True when regular containers may run (computeInitContainerActions)."""
        for c in spec.init_containers:
            instance = snapshot.newest(c.name)
            if c.restartable_init:
                if instance is None or instance.state != "running":
                    actions.init_to_start.append(c)
                    if not started_before:
                        return False
                    continue
                message, probe, _ = self._kill_reason(c, instance, spec)
                if message is not None:
                    actions.to_kill.append((c, instance, "Init c" + message[1:], probe))
                    actions.init_to_start.append(c)
                elif not started_before and not self._sidecar_started(c, instance):
                    return False
                continue
            if started_before:
                continue  # done for good
            if instance is None or instance.state == "created":
                actions.init_to_start.append(c)
                return False
            if instance.state == "running":
                return False
            if instance.exit_code != 0:
                if should_restart(c, spec, instance.exit_code or 0):
                    actions.init_to_start.append(c)
                else:
                    actions.kill_pod = True
                return False
        return True

    def _sidecar_started(self, c: Container, instance: ContainerSnapshot) -> bool:
        return c.startup is None or self._results["startup"].get(f"containerd://{instance.id}") == SUCCESS
