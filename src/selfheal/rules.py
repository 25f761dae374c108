"""Why things happen: the rules, what caused what, and what people believe instead.

A :class:`Cause` stands behind every record of a timeline. It names the rule that was
applied (a function of Kubernetes), the values it was applied to, and the cause before it,
back to the action or fault with which it all began. Causes are made where the rule
runs; they cost one small object, and text is only made when somebody asks.

:class:`Rules` holds the few points at which a *belief*, a common wrong idea of how
Kubernetes works, can be tried out: the same engine then shows what would happen if
the belief were true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfheal.words import words

_NAMES: dict[tuple[str, ...], tuple[str, ...]] = {}


class Cause:
    """One step of a chain of causes."""

    __slots__ = ("_names", "_values", "at", "parent", "rule")

    def __init__(self, rule: str, parent: Cause | None = None, at: int | None = None, **inputs: Any) -> None:
        self.rule = rule
        """Key into :data:`RULES`."""
        self.inputs = inputs
        self.parent = parent
        self.at = at
        """When, in µs of cluster time, if it differs from the record's own time."""

    @property
    def inputs(self) -> dict[str, Any]:
        """The values that the rule looked at."""
        return dict(zip(self._names, self._values, strict=True))

    @inputs.setter
    def inputs(self, given: dict[str, Any]) -> None:
        names = tuple(given)
        self._names = _NAMES.setdefault(names, names)  # there are many causes, and few rules
        self._values = tuple(given.values())

    def __repr__(self) -> str:
        return f"Cause({self.rule!r}, {self.inputs})"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of Kubernetes: where it stands and what it says."""

    key: str
    source: str
    """File in kubernetes/kubernetes, or a page of the documentation."""
    function: str

    @property
    def text(self) -> str:
        """One sentence, in the language that is spoken; ``{name}`` is filled from the cause's inputs."""
        return str(words("rules")[self.key])


RULES: dict[str, Rule] = {}
"""All rules by key. Each module adds its own where it is defined, by :func:`rule`."""


def rule(key: str, source: str, function: str) -> str:
    """Define a rule, whose text stands in :mod:`selfheal.words`; returns its key."""
    RULES[key] = Rule(key, source, function)
    return key


ACTION = rule("action", "", "")
"""Something done from outside: where a chain of causes begins."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The points at which a belief may differ from Kubernetes. The defaults are Kubernetes 1.36."""

    killing_probes: tuple[str, ...] = ("liveness", "startup")
    """Probes whose failure kills the container (kuberuntime_manager.go computePodActions)."""
    liveness_waits_for_readiness: bool = False
    """Whether liveness is probed only once the container has been ready (worker.go doProbe has no such rule)."""
    first_restart_waits: bool = False
    """Whether the first restart waits 10 s too (kuberuntime_manager.go doBackOff: it does not)."""
    stop_is_instant: bool = False
    """Whether a killed container is gone at once (kuberuntime_container.go killContainer: up to the grace period)."""
    extra_failures: int = 0
    """Failures needed beyond failureThreshold (worker.go doProbe: none)."""
    delay_counts_from_started: bool = False
    """Whether initialDelaySeconds of liveness and readiness begins after the startup probe (it does not)."""
    readiness_threshold_kills: bool = False
    """Whether liveness uses the readiness probe's failureThreshold (it uses its own)."""
    restarts_need_the_api: bool = False
    """Whether a kubelet that cannot reach the API server leaves its containers as they are (SyncPod: it acts alone)."""
    policy_asks_after_a_kill: bool = False
    """Whether OnFailure asks for the code after a kill by a probe (computePodActions: only Never stops the restart)."""
    clean_exit_is_no_crash: bool = False
    """Whether an exit with code 0 is never held back (kuberuntime_manager.go doBackOff does not ask for the code)."""
    kill_is_seen_at_once: bool = False
    """Whether the back-off counts from the kill of this very sync (doBackOff: from the end of the one before)."""
    out_of_memory_ends_the_pod: bool = False
    """Whether the other containers are killed too when one is out of memory (computePodActions: each for itself)."""
    prestop_has_its_own_time: bool = False
    """Whether the grace period begins after preStop (kuberuntime_container.go killContainer: before it)."""
    traffic_stops_first: bool = False
    """Whether the kubelet waits for the endpoint to go before it stops a pod (SyncTerminatingPod: it does not)."""
    dead_nodes_evict_at_once: bool = False
    """Whether pods leave a silent node with its taint (taint_eviction.go processPodOnNode: when tolerated no more)."""
    stateful_pods_are_forced_away: bool = False
    """Whether a StatefulSet's pod on a silent node is removed without its kubelet (addConditionAndDeletePod: no)."""
    startup_asks_once: bool = False
    """Whether a startup probe is asked a single time (worker.go doProbe: until its threshold or a success)."""
    first_probe_at_delay: bool = False
    """Whether the first probe comes exactly initialDelaySeconds after the start (worker.go run: at a tick)."""
    short_delay_ignored: bool = False
    """Whether a delay below the period counts as none (worker.go doProbe: it is asked at each tick)."""
    errors_fail: bool = False
    """Whether a probe that could not be run has failed (worker.go doProbe: it is not counted)."""
    tcp_knows_the_app: bool = False
    """Whether a tcp probe notices what the app answers (tcp.go DoTCPProbe: it opens the port and hangs up)."""
    any_grpc_answer_passes: bool = False
    """Whether any status of the health service will do (grpc.go Probe: only SERVING)."""
    least_timeout: int = 0
    """Seconds for which each probe waits at least (prober.go runProbe: timeoutSeconds, no more)."""
    restart_needs_liveness: bool = False
    """Whether a container without a liveness probe stays dead (kuberuntime_manager.go computePodActions: no)."""
    no_probe_is_unready: bool = False
    """Whether a container without a readiness probe is not ready (prober_manager.go UpdatePodStatus: it is)."""
    run_ends_with_container: bool = False
    """Whether each new container starts to count from zero (worker.go doProbe: only after a verdict)."""
    restart_cures: bool = False
    """Whether a container that has been restarted passes its liveness probe from then on (worker.go doProbe asks)."""
    unready_pods_are_replaced: bool = False
    """Whether a ReplicaSet replaces pods that are no longer ready (manageReplicas counts active ones)."""
    stuck_rollouts_are_undone: bool = False
    """Whether a Deployment goes back when progressDeadlineSeconds are over (progress.go only writes a condition)."""
    budgets_guard_deletion: bool = False
    """Whether a PodDisruptionBudget is asked before every deletion (only eviction.go asks)."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A common wrong idea, as a variant of the rules."""

    key: str
    rules: Rules
    source: str

    @property
    def says(self) -> str:
        """The belief in the words of those who hold it."""
        return str(words("beliefs")[self.key]["says"])

    @property
    def truth(self) -> str:
        """What is so instead."""
        return str(words("beliefs")[self.key]["truth"])


BELIEFS: dict[str, Belief] = {
    b.key: b
    for b in (
        Belief(
            "readiness-restarts",
            Rules(killing_probes=("liveness", "startup", "readiness")),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
        ),
        Belief(
            "liveness-waits-for-readiness",
            Rules(liveness_waits_for_readiness=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "restart-is-instant",
            Rules(stop_is_instant=True),
            "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
        ),
        Belief(
            "first-restart-waits",
            Rules(first_restart_waits=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff",
        ),
        Belief(
            "threshold-plus-one",
            Rules(extra_failures=1),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "raise-readiness-threshold",
            Rules(readiness_threshold_kills=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "delay-after-startup",
            Rules(delay_counts_from_started=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "restarts-need-the-api",
            Rules(restarts_need_the_api=True),
            "pkg/kubelet/kubelet.go SyncPod",
        ),
        Belief(
            "policy-asks-after-a-kill",
            Rules(policy_asks_after_a_kill=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
        ),
        Belief(
            "clean-exit-is-no-crash",
            Rules(clean_exit_is_no_crash=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff",
        ),
        Belief(
            "kills-back-off-like-crashes",
            Rules(kill_is_seen_at_once=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff",
        ),
        Belief(
            "out-of-memory-ends-the-pod",
            Rules(out_of_memory_ends_the_pod=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
        ),
        Belief(
            "prestop-has-its-own-time",
            Rules(prestop_has_its_own_time=True),
            "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
        ),
        Belief(
            "traffic-stops-first",
            Rules(traffic_stops_first=True),
            "pkg/kubelet/kubelet.go SyncTerminatingPod",
        ),
        Belief(
            "dead-nodes-evict-at-once",
            Rules(dead_nodes_evict_at_once=True),
            "pkg/controller/tainteviction/taint_eviction.go processPodOnNode",
        ),
        Belief(
            "stateful-pods-move-too",
            Rules(stateful_pods_are_forced_away=True),
            "pkg/controller/tainteviction/taint_eviction.go addConditionAndDeletePod",
        ),
        Belief(
            "startup-asks-once",
            Rules(startup_asks_once=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "first-probe-at-delay",
            Rules(first_probe_at_delay=True),
            "pkg/kubelet/prober/worker.go run",
        ),
        Belief(
            "short-delay-ignored",
            Rules(short_delay_ignored=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "errors-fail",
            Rules(errors_fail=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "tcp-knows-the-app",
            Rules(tcp_knows_the_app=True),
            "pkg/probe/tcp/tcp.go DoTCPProbe",
        ),
        Belief(
            "any-grpc-answer-passes",
            Rules(any_grpc_answer_passes=True),
            "pkg/probe/grpc/grpc.go Probe",
        ),
        Belief(
            "timeout-is-harmless",
            Rules(least_timeout=30),
            "pkg/kubelet/prober/prober.go runProbe",
        ),
        Belief(
            "restart-needs-liveness",
            Rules(restart_needs_liveness=True),
            "pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions",
        ),
        Belief(
            "no-probe-is-unready",
            Rules(no_probe_is_unready=True),
            "pkg/kubelet/prober/prober_manager.go UpdatePodStatus",
        ),
        Belief(
            "count-starts-anew",
            Rules(run_ends_with_container=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "restart-cures",
            Rules(restart_cures=True),
            "pkg/kubelet/prober/worker.go doProbe",
        ),
        Belief(
            "unready-pods-are-replaced",
            Rules(unready_pods_are_replaced=True),
            "pkg/controller/replicaset/replica_set.go manageReplicas",
        ),
        Belief(
            "stuck-rollouts-are-undone",
            Rules(stuck_rollouts_are_undone=True),
            "pkg/controller/deployment/progress.go syncRolloutStatus",
        ),
        Belief(
            "budgets-guard-everything",
            Rules(budgets_guard_deletion=True),
            "pkg/registry/core/pod/storage/eviction.go Create",
        ),
    )
}
"""Beliefs by key; each is a rule variant with a test that it differs from the truth."""
