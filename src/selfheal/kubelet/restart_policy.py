"""Whether a container that has ended is started again (pkg/api/v1/pod/util.go ContainerShouldRestart)."""

from __future__ import annotations

from selfheal.spec import Container, PodSpec, RestartRule


def policy_of(container: Container, spec: PodSpec) -> str:
    """The container's own restart policy, or the pod's."""
    return container.restart_policy or spec.restart_policy


def matching_rule(container: Container, exit_code: int) -> RestartRule | None:
    """The first of the container's own rules that speaks of this exit code (FindMatchingContainerRestartRule)."""
    return next((r for r in container.restart_rules if container.restart_policy and r.matches(exit_code)), None)


def restarts_all(container: Container, exit_code: int) -> bool:
    """Whether the pod begins anew, in place, when this container ends so (action RestartAllContainers)."""
    found = matching_rule(container, exit_code)
    return found is not None and found.action == "RestartAllContainers"


def should_restart(container: Container, spec: PodSpec, exit_code: int) -> bool:
    """After an exit by itself: the container's rules first, then its policy, then the pod's."""
    if matching_rule(container, exit_code) is not None:
        return True
    policy = policy_of(container, spec)
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def restarts_after_probe_kill(container: Container, spec: PodSpec) -> bool:
    """After a kill by a probe the exit code is not asked (kuberuntime_manager.go computePodActions)."""
    return policy_of(container, spec) != "Never"


def may_restart(container: Container, spec: PodSpec) -> bool:
    """Whether there is any end after which it is started again (IsContainerRestartable)."""
    own = container.restart_rules if container.restart_policy else ()
    return policy_of(container, spec) != "Never" or any(r.action == "Restart" for r in own)


def could_restart_all(spec: PodSpec) -> bool:
    """Whether any container has such a rule (AllContainersCouldRestart)."""
    containers = (*spec.containers, *spec.init_containers)
    return any(r.action == "RestartAllContainers" for c in containers for r in c.restart_rules)
