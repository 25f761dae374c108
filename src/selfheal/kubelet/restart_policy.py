"""Whether a container that has ended is started again (pkg/api/v1/pod/util.go ContainerShouldRestart)."""

from __future__ import annotations

from selfheal.spec import Container, PodSpec


def policy_of(container: Container, spec: PodSpec) -> str:
    """The container's own restart policy, or the pod's."""
    return container.restart_policy or spec.restart_policy


def should_restart(container: Container, spec: PodSpec, exit_code: int) -> bool:
    """After an exit by itself: the container's rules first, then its policy, then the pod's."""
    if container.restart_policy:
        for r in container.restart_rules:
            if r.matches(exit_code):
                return True
    policy = policy_of(container, spec)
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def restarts_after_probe_kill(container: Container, spec: PodSpec) -> bool:
    """After a kill by a probe the exit code is not asked (kuberuntime_manager.go computePodActions)."""
    return policy_of(container, spec) != "Never"
