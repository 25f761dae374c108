"""Typed, frozen readings of what the simulator acts on: probes, containers, pod specs, taints.

Objects stay plain dicts (see :mod:`selfheal.objects`); this module reads the parts of a *defaulted*
spec that somebody acts on into dataclasses, once per spec. Replicas share one spec dict, so a
hundred pods of a ReplicaSet cost one reading. Times are whole seconds, as in the manifest.
The names are Kubernetes' own (staging/src/k8s.io/api/core/v1/types.go) in Python's spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from selfheal import quantities
from selfheal.objects import Object

ProbeName = Literal["liveness", "readiness", "startup"]

PROBES: tuple[ProbeName, ...] = ("startup", "readiness", "liveness")
"""The three probes, in the order in which the kubelet starts their workers (prober_manager.go AddPod)."""


@dataclass(frozen=True, slots=True)
class ExecAction:
    """Run a command in the container; no shell."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HTTPGetAction:
    """GET a path of the pod."""

    path: str
    port: int | str
    """A number, or the name of a port of the same container."""
    host: str
    """Empty: the pod's own address."""
    scheme: str
    http_headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TCPSocketAction:
    """Open a connection to a port of the pod."""

    port: int | str
    host: str


@dataclass(frozen=True, slots=True)
class GRPCAction:
    """Ask the gRPC health service of the pod."""

    port: int
    service: str


@dataclass(frozen=True, slots=True)
class SleepAction:
    """Wait; only in lifecycle hooks."""

    seconds: int


Handler = ExecAction | HTTPGetAction | TCPSocketAction | GRPCAction | SleepAction


@dataclass(frozen=True, slots=True)
class Probe:
    """A question put to a container again and again."""

    handler: Handler
    initial_delay_seconds: int
    timeout_seconds: int
    period_seconds: int
    success_threshold: int
    failure_threshold: int
    termination_grace_period_seconds: int | None


@dataclass(frozen=True, slots=True)
class EnvVar:
    """A variable of a container's environment; ``value_from`` stays in wire form."""

    name: str
    value: str | None
    value_from: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ContainerPort:
    name: str
    container_port: int
    protocol: str
    host_port: int
    """0: none."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What is to be done after a container's start and before its stop."""

    post_start: Handler | None
    pre_stop: Handler | None
    stop_signal: str | None


@dataclass(frozen=True, slots=True)
class RestartRule:
    """A container's own rule on exit codes (``restartPolicyRules``)."""

    action: str
    """``Restart`` or ``RestartAllContainers``."""
    operator: str
    """``In`` or ``NotIn``."""
    values: tuple[int, ...]

    def matches(self, exit_code: int) -> bool:
        """Whether the rule speaks of this exit code (pkg/kubelet/container/helpers.go)."""
        return (exit_code in self.values) == (self.operator == "In")


@dataclass(frozen=True, slots=True)
class Security:
    """As whom a container's processes run, and what they may do: its own securityContext over that of its pod."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool = False
    groups: tuple[int, ...] = ()
    """Supplemental ones, and that of the volumes (``fsGroup``)."""
    privileged: bool = False
    read_only_root_filesystem: bool = False
    seccomp: str = "Unconfined"
    """``Unconfined``, ``RuntimeDefault`` or ``Localhost``."""


NOBODY_SAYS = Security()


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod: regular, init or ephemeral."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    working_dir: str
    env: tuple[EnvVar, ...]
    ports: tuple[ContainerPort, ...]
    resources: Mapping[str, Any]
    """As in the manifest: ``requests`` and ``limits`` of quantities."""
    volume_mounts: tuple[Mapping[str, Any], ...]
    liveness: Probe | None
    readiness: Probe | None
    startup: Probe | None
    lifecycle: Lifecycle | None
    restart_policy: str | None
    """The container's own policy; None: that of the pod (a regular container), or an ordinary init container."""
    restart_rules: tuple[RestartRule, ...]
    image_pull_policy: str
    termination_message_path: str
    termination_message_policy: str
    index: int
    """Its place in ``containers``, ``initContainers`` or ``ephemeralContainers``."""
    init: bool = False
    ephemeral: bool = False
    stdin: bool = False
    """Whether its process reads what those who attach to it type; else there is nothing to read."""
    stdin_once: bool = False
    """Whether that ends when the first of them goes."""
    security: Security = NOBODY_SAYS

    def probe(self, name: str) -> Probe | None:
        """The liveness, readiness or startup probe, if it has one."""
        if name == "liveness":
            return self.liveness
        if name == "readiness":
            return self.readiness
        if name == "startup":
            return self.startup
        raise ValueError(f"no probe is called {name!r}")

    @property
    def restartable_init(self) -> bool:
        """Whether this is a sidecar: an init container that keeps running (podutil.IsRestartableInitContainer)."""
        return self.init and self.restart_policy == "Always"

    @property
    def field_path(self) -> str:
        """``spec.containers{app}``, as events name a container."""
        group = "initContainers" if self.init else "ephemeralContainers" if self.ephemeral else "containers"
        return f"spec.{group}{{{self.name}}}"

    @property
    def requests(self) -> dict[str, int]:
        """What the scheduler counts: CPU in thousandths of a core, all else in units."""
        return _amounts(self.resources.get("requests"))

    @property
    def limits(self) -> dict[str, int]:
        """As :attr:`requests`, the upper limits."""
        return _amounts(self.resources.get("limits"))


@dataclass(frozen=True, slots=True)
class Taint:
    """A mark on a node that keeps pods away."""

    key: str
    value: str
    effect: str
    """``NoSchedule``, ``PreferNoSchedule`` or ``NoExecute``."""


@dataclass(frozen=True, slots=True)
class Toleration:
    """What a pod says to a taint. Empty ``key`` and ``effect`` match all."""

    key: str
    operator: str
    value: str
    effect: str
    toleration_seconds: int | None
    """For ``NoExecute``: seconds until the eviction; None: for ever."""

    def tolerates(self, taint: Taint) -> bool:
        """staging/src/k8s.io/api/core/v1/toleration.go ToleratesTaint"""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator in ("", "Equal"):
            return self.value == taint.value
        return self.operator == "Exists"


@dataclass(frozen=True, slots=True)
class PodSpec:
    """A pod's spec, as far as the simulator acts on it."""

    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...]
    ephemeral_containers: tuple[Container, ...]
    """Put into a running pod by ``kubectl debug``; they are never restarted."""
    restart_policy: str
    termination_grace_period_seconds: int
    node_name: str
    """Empty: not yet scheduled."""
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]
    affinity: Mapping[str, Any]
    """In wire form; empty without one."""
    volumes: tuple[Mapping[str, Any], ...]
    readiness_gates: tuple[str, ...]
    """Condition types."""
    host_network: bool
    active_deadline_seconds: int | None
    automount_service_account_token: bool
    priority: int
    hostname: str
    scheduling_gates: tuple[str, ...]
    topology_spread_constraints: tuple[Mapping[str, Any], ...]
    overhead: Mapping[str, Any]

    def container(self, name: str) -> Container:
        """The container of that name; KeyError if there is none."""
        for found in (*self.containers, *self.init_containers, *self.ephemeral_containers):
            if found.name == name:
                return found
        raise KeyError(name)

    @property
    def sidecars(self) -> tuple[Container, ...]:
        """The restartable init containers."""
        return tuple(c for c in self.init_containers if c.restartable_init)

    @property
    def requests(self) -> dict[str, int]:
        """What the scheduler reserves for the pod (component-helpers/resource/helpers.go PodRequests).

        Regular containers and sidecars add up; an ordinary init container needs its own amount next
        to the sidecars started before it; the larger of the two counts, plus the overhead.
        """
        total: dict[str, int] = {}
        for c in self.containers:
            _add(total, c.requests)
        sidecars: dict[str, int] = {}
        peak: dict[str, int] = {}
        for c in self.init_containers:
            here = dict(sidecars)
            _add(here, c.requests)
            if c.restartable_init:
                _add(total, c.requests)
                sidecars = here
            for resource, amount in here.items():
                peak[resource] = max(peak.get(resource, 0), amount)
        for resource, amount in peak.items():
            total[resource] = max(total.get(resource, 0), amount)
        _add(total, _amounts(self.overhead))
        return total


_CACHED = 4096
_cache: dict[int, tuple[Object, PodSpec]] = {}


def pod_spec(pod: Mapping[str, Any]) -> PodSpec:
    """The reading of a pod's spec, or of anything else with a ``spec`` of that form (a pod template).

    Read once per spec dict: the cache goes by the dict's identity and holds on to the dict, so
    that no other can take its place; the oldest readings are dropped. KeyError, TypeError and the
    like if the spec was not made by :mod:`selfheal.manifests`.
    """
    spec = pod["spec"]
    held = _cache.get(id(spec))
    if held is not None and held[0] is spec:
        return held[1]
    reading = _pod_spec(spec)
    if len(_cache) >= _CACHED:
        del _cache[next(iter(_cache))]
    _cache[id(spec)] = (spec, reading)
    return reading


def taints(node: Mapping[str, Any]) -> tuple[Taint, ...]:
    """The taints of a Node."""
    return tuple(
        Taint(t.get("key", ""), t.get("value", ""), t.get("effect", ""))
        for t in (node.get("spec") or {}).get("taints") or ()
    )


def untolerated(taints: Iterable[Taint], tolerations: Iterable[Toleration], effects: Iterable[str]) -> Taint | None:
    """The first taint with one of the effects that nothing tolerates (FindMatchingUntoleratedTaint)."""
    effects, tolerations = tuple(effects), tuple(tolerations)
    for taint in taints:
        if taint.effect in effects and not any(t.tolerates(taint) for t in tolerations):
            return taint
    return None


def handler(wire: Mapping[str, Any]) -> Handler:
    """The one action of a probe or lifecycle hook."""
    if (exec_ := wire.get("exec")) is not None:
        return ExecAction(tuple(exec_.get("command") or ()))
    if (get := wire.get("httpGet")) is not None:
        headers = tuple((h.get("name", ""), h.get("value", "")) for h in get.get("httpHeaders") or ())
        path, host, scheme = get.get("path") or "/", get.get("host", ""), get.get("scheme") or "HTTP"
        return HTTPGetAction(path, get.get("port", 0), host, scheme, headers)
    if (tcp := wire.get("tcpSocket")) is not None:
        return TCPSocketAction(tcp.get("port", 0), tcp.get("host", ""))
    if (grpc := wire.get("grpc")) is not None:
        return GRPCAction(grpc.get("port", 0), grpc.get("service") or "")
    if (sleep := wire.get("sleep")) is not None:
        return SleepAction(sleep.get("seconds") or 0)
    raise ValueError("no handler")


def probe(wire: Mapping[str, Any]) -> Probe:
    """A probe; a number that is 0 means its default (pkg/apis/core/v1/defaults.go SetDefaults_Probe)."""
    return Probe(
        handler(wire),
        wire.get("initialDelaySeconds") or 0,
        wire.get("timeoutSeconds") or 1,
        wire.get("periodSeconds") or 10,
        wire.get("successThreshold") or 1,
        wire.get("failureThreshold") or 3,
        wire.get("terminationGracePeriodSeconds"),
    )


def security(own: Mapping[str, Any] | None, pod: Mapping[str, Any] | None) -> Security:
    """What holds for a container (pkg/securitycontext/util.go DetermineEffectiveSecurityContext)."""
    if not own and not pod:
        return NOBODY_SAYS
    pod = pod or {}
    both = {**pod, **(own or {})}
    volumes = () if pod.get("fsGroup") is None else (pod["fsGroup"],)
    return Security(
        both.get("runAsUser"),
        both.get("runAsGroup"),
        bool(both.get("runAsNonRoot")),
        (*(pod.get("supplementalGroups") or ()), *volumes),
        bool(both.get("privileged")),
        bool(both.get("readOnlyRootFilesystem")),
        (both.get("seccompProfile") or {}).get("type", "Unconfined"),
    )


def container(
    wire: Mapping[str, Any],
    index: int = 0,
    *,
    init: bool = False,
    ephemeral: bool = False,
    pod: Mapping[str, Any] | None = None,
) -> Container:
    """A container of a pod's ``containers``, (``init``) ``initContainers`` or ``ephemeralContainers``.

    ``pod``: the security context of its pod.
    """
    return Container(
        name=wire["name"],
        image=wire.get("image", ""),
        command=tuple(wire.get("command") or ()),
        args=tuple(wire.get("args") or ()),
        working_dir=wire.get("workingDir", ""),
        env=tuple(
            EnvVar(e["name"], e.get("value"), e.get("valueFrom"))
            if e.get("valueFrom") is not None
            else EnvVar(e["name"], e.get("value") or "", None)
            for e in wire.get("env") or ()
        ),
        ports=tuple(
            ContainerPort(p.get("name", ""), p["containerPort"], p.get("protocol") or "TCP", p.get("hostPort") or 0)
            for p in wire.get("ports") or ()
        ),
        resources=wire.get("resources") or {},
        volume_mounts=tuple(wire.get("volumeMounts") or ()),
        liveness=_maybe(probe, wire.get("livenessProbe")),
        readiness=_maybe(probe, wire.get("readinessProbe")),
        startup=_maybe(probe, wire.get("startupProbe")),
        lifecycle=_maybe(_lifecycle, wire.get("lifecycle")),
        restart_policy="Never" if ephemeral else wire.get("restartPolicy"),
        restart_rules=tuple(
            RestartRule(
                r["action"],
                (r.get("exitCodes") or {}).get("operator", ""),
                tuple((r.get("exitCodes") or {}).get("values") or ()),
            )
            for r in wire.get("restartPolicyRules") or ()
        ),
        image_pull_policy=wire.get("imagePullPolicy") or "IfNotPresent",
        termination_message_path=wire.get("terminationMessagePath") or "/dev/termination-log",
        termination_message_policy=wire.get("terminationMessagePolicy") or "File",
        index=index,
        init=init,
        ephemeral=ephemeral,
        stdin=bool(wire.get("stdin")),
        stdin_once=bool(wire.get("stdinOnce")),
        security=security(wire.get("securityContext"), pod),
    )


def toleration(wire: Mapping[str, Any]) -> Toleration:
    return Toleration(
        wire.get("key", ""),
        wire.get("operator") or "Equal",
        wire.get("value", ""),
        wire.get("effect", ""),
        wire.get("tolerationSeconds"),
    )


def _pod_spec(spec: Mapping[str, Any]) -> PodSpec:
    grace, pod = spec.get("terminationGracePeriodSeconds"), spec.get("securityContext")
    return PodSpec(
        containers=tuple(container(c, i, pod=pod) for i, c in enumerate(spec.get("containers") or ())),
        init_containers=tuple(
            container(c, i, init=True, pod=pod) for i, c in enumerate(spec.get("initContainers") or ())
        ),
        ephemeral_containers=tuple(
            container(c, i, ephemeral=True, pod=pod) for i, c in enumerate(spec.get("ephemeralContainers") or ())
        ),
        restart_policy=spec.get("restartPolicy") or "Always",
        termination_grace_period_seconds=30 if grace is None else grace,
        node_name=spec.get("nodeName", ""),
        node_selector=spec.get("nodeSelector") or {},
        tolerations=tuple(toleration(t) for t in spec.get("tolerations") or ()),
        affinity=spec.get("affinity") or {},
        volumes=tuple(spec.get("volumes") or ()),
        readiness_gates=tuple(g["conditionType"] for g in spec.get("readinessGates") or ()),
        host_network=bool(spec.get("hostNetwork")),
        active_deadline_seconds=spec.get("activeDeadlineSeconds"),
        automount_service_account_token=spec.get("automountServiceAccountToken") is not False,
        priority=spec.get("priority") or 0,
        hostname=spec.get("hostname", ""),
        scheduling_gates=tuple(g["name"] for g in spec.get("schedulingGates") or ()),
        topology_spread_constraints=tuple(spec.get("topologySpreadConstraints") or ()),
        overhead=spec.get("overhead") or {},
    )


def _lifecycle(wire: Mapping[str, Any]) -> Lifecycle:
    return Lifecycle(
        _maybe(handler, wire.get("postStart")),
        _maybe(handler, wire.get("preStop")),
        wire.get("stopSignal"),
    )


def _maybe(read: Any, wire: Any) -> Any:
    """``read(wire)``, or None where the manifest has nothing (or an empty lifecycle)."""
    return None if wire is None else read(wire)


def _amounts(resources: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: quantities.count(name, amount) for name, amount in (resources or {}).items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for resource, amount in more.items():
        total[resource] = total.get(resource, 0) + amount


Port = tuple[str, str, int]
"""Host address, protocol, number."""


def host_ports(spec: PodSpec) -> frozenset[Port]:
    """The ports of its node that a pod takes."""
    return frozenset(
        ("0.0.0.0", port.protocol, port.host_port)  # noqa: S104 - every address of the node
        for container in spec.containers
        for port in container.ports
        if port.host_port
    )
