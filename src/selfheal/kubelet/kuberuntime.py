"""Makes the runtime do what a pod's spec asks for (pkg/kubelet/kuberuntime).

``PodActions`` has decided, from a snapshot; ``sync_pod`` acts: kill, create the
sandbox, start containers one after another. Follows kuberuntime_manager.go and
kuberuntime_container.go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from selfheal import latencies
from selfheal.chance import Chance, Stream
from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.kubelet import backoff
from selfheal.kubelet.backoff import Backoff
from selfheal.kubelet.fieldpath import ConfigError
from selfheal.kubelet.hooks import Hooks
from selfheal.kubelet.images import ImageManager, ImagePullError
from selfheal.kubelet.mounts import Mounts
from selfheal.kubelet.pleg import PodSnapshot
from selfheal.kubelet.pod_actions import PodActions
from selfheal.kubelet.prober.manager import ProberManager
from selfheal.kubelet.restart_policy import restarts_all
from selfheal.objects import Object, name, namespace, uid
from selfheal.programs import images, users
from selfheal.rules import Cause, Rules, rule
from selfheal.runtime import Container as RuntimeContainer
from selfheal.runtime import Runtime, Sandbox, StartError
from selfheal.spec import Container, PodSpec

HANDLERS = ("", "runc")
"""What the nodes can run pods with (RuntimeClass.handler)."""
MINIMUM_GRACE = 2
"""Seconds that a container gets at least (kuberuntime_container.go minimumGracePeriodInSeconds)."""

SOURCE = "pkg/kubelet/kuberuntime/kuberuntime_manager.go"
KILL = rule("kill.probe", SOURCE, "computePodActions")
KILL_POD = rule("kill.pod", SOURCE, "killPodWithSyncResult")
STOPPING = rule("kill.container", "pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainer")
START = rule("start.container", SOURCE, "SyncPod")
RESTART_NOW = rule("backoff.start", SOURCE, "doBackOff")
HELD_BACK = rule("backoff.held", SOURCE, "doBackOff")
RESET = rule("kill.all", SOURCE, "computePodActions")

Steps = Generator[simpy.Event, Any, Any]


@dataclass(slots=True)
class Result:
    """How a sync of the runtime ended (PodSyncResult)."""

    acted: bool = False
    """Something was done: relist this pod at once."""
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Container → (reason, message) of a start that failed; goes to the reason cache."""
    started: list[str] = field(default_factory=list)
    backoff_until: int | None = None
    """The earliest time at which a held-back container may start (µs)."""
    error: bool = False
    reset: bool = False
    """All containers were removed, to begin anew."""
    why: Cause | None = None
    """What the next try goes back to, where something failed or was held back."""

    def fail(self, container: str, reason: str, message: str) -> bool:
        """A start failed, and is to be tried again: False, as no start."""
        self.failed[container] = (reason, message)
        self.error = True
        return False


class RuntimeManager:
    """The kubelet's way to the container runtime of its node."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        runtime: Runtime,
        events: EventRecorder,
        prober: ProberManager,
        puller: ImageManager,
        hooks: Hooks,
        rules: Rules,
        *,
        environment: Callable[[Object, Container], dict[str, str]],
        handler: Callable[[Object], str],
        mounts: Mounts,
        on_sandbox_ready: Callable[[Object, Cause | None], None],
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._runtime = runtime
        self._events = events
        self._prober = prober
        self._images = puller
        self._hooks = hooks
        self._rules = rules
        self._environment = environment
        self._handler = handler
        self._on_sandbox_ready = on_sandbox_ready
        self.backoff = Backoff()
        self._decider = PodActions(prober, rules)
        self._mounts = mounts
        self._removed: dict[tuple[str, str], tuple[int, int | None]] = {}
        """(pod uid, container) → number and end (µs; None: killed) of the instance that a restart of all removed."""

    # ---- acting

    def sync_pod(
        self, pod: Object, spec: PodSpec, snapshot: PodSnapshot, cause: Cause | None, cancelled: simpy.Event
    ) -> Steps:
        """Kill, make the sandbox, start (SyncPod). Returns a :class:`Result`."""
        actions = self._decider.compute(spec, snapshot)
        result = Result()
        pod_uid = uid(pod)
        if actions.kill_pod:
            if snapshot.sandbox_id is not None:
                if actions.create_sandbox:
                    self._events.event(
                        pod,
                        "Normal",
                        "SandboxChanged",
                        "Pod sandbox changed, it will be killed and re-created.",
                        cause=cause,
                    )
                yield from self.kill_pod(pod, spec, cause, cancelled)
                result.acted = True
            if cancelled.triggered or not actions.create_sandbox:
                return result
            self._purge_init_containers(pod_uid, spec)
        else:
            for c, instance, message, probe in actions.to_kill:
                running = self._runtime.container(instance.id)
                if running is not None:  # even if it has just ended by itself: the snapshot does not know
                    kill = cause
                    if probe:
                        kill = Cause(KILL, cause, at=self._clock.now, probe=probe, container=c.name)
                    yield from self.kill_container(pod, spec, c, running, message, kill, cancelled, probe=probe)
                    result.acted = True
                    if cancelled.triggered:
                        return result
        if actions.to_reset:
            yield from self._reset(pod, spec, actions.to_reset, cause, cancelled)
            result.acted = result.reset = True
            return result
        sandbox = self._runtime.sandboxes.get(pod_uid)
        if actions.create_sandbox:
            handler = self._handler(pod)
            if handler not in HANDLERS:
                why = f'failed to get sandbox runtime: no runtime for "{handler}" is configured'
                text = f"Failed to create pod sandbox: rpc error: code = Unknown desc = {why}"
                self._events.event(pod, "Warning", "FailedCreatePodSandBox", text, cause=cause)
                result.error = True
                return result
            stream = self._chance.stream(pod_uid, "sandbox")
            yield self._clock.sleep(latencies.draw("sandbox", stream, stream.next())) | cancelled
            if cancelled.triggered:
                return result
            ip = "" if spec.host_network else self._runtime.addresses.allocate()
            sandbox = self._runtime.run_sandbox(pod_uid, namespace(pod), name(pod), ip, host_network=spec.host_network)
            result.acted = True
            sandbox.cause = cause
            self._on_sandbox_ready(pod, cause)
        self._resize(pod_uid, spec)
        for c in actions.ephemeral_to_start:
            yield from self._start(pod, spec, c, sandbox, snapshot, cause, result, cancelled)
        for c in actions.init_to_start:
            ok = yield from self._start(pod, spec, c, sandbox, snapshot, cause, result, cancelled)
            if not ok and not c.restartable_init:
                return result
        for c in actions.to_start:
            yield from self._start(pod, spec, c, sandbox, snapshot, cause, result, cancelled)
        return result

    def _resize(self, pod_uid: str, spec: PodSpec) -> None:
        """Running containers get the limits that their pod gives them now (doPodResizeAction)."""
        for running in self._runtime.containers_of(pod_uid):
            if running.running and running.spec.resources is not (c := spec.container(running.name)).resources:
                running.spec = c
                running.kernel.memory_limit = c.limits.get("memory")

    def _start(
        self,
        pod: Object,
        spec: PodSpec,
        c: Container,
        sandbox: Sandbox | None,
        snapshot: PodSnapshot,
        cause: Cause | None,
        result: Result,
        cancelled: simpy.Event,
    ) -> Steps:
        """Back-off, image, create, start, postStart (startContainer); True if it runs."""
        held = self._do_backoff(pod, c, snapshot, cause)
        if held is not None:
            message, until, result.why = held
            result.backoff_until = until if result.backoff_until is None else min(result.backoff_until, until)
            return result.fail(c.name, "CrashLoopBackOff", message)
        pod_uid, newest = uid(pod), snapshot.newest(c.name)
        logged = self._removed.get((pod_uid, c.name), (_logged(pod, c), None))[0]
        attempt = (logged if newest is None else newest.attempt) + 1
        if newest is not None and newest.state == "running":  # killed in this very sync: the kill is why
            ended = self._runtime.container(newest.id)
            cause = cause if ended is None else ended.cause
        rule_key = START if newest is None else RESTART_NOW
        start = Cause(rule_key, cause, at=self._clock.now, container=c.name, number=attempt + 1)
        result.why = start
        try:
            yield from self._images.ensure(pod, c, start, cancelled)
        except ImagePullError as error:
            return result.fail(c.name, error.reason, error.message)
        try:
            self._check_user(pod, c)
            environment = self._environment(pod, c)
            mounted = self._mounts.of(pod, c, environment)
        except ConfigError as error:
            self._event(pod, c, "Warning", "Failed", f"Error: {error}", start)
            return result.fail(c.name, "CreateContainerConfigError", str(error))
        stream = self._chance.stream(pod_uid, c.name, "start")
        number = stream.next()
        yield self._clock.sleep(latencies.draw("create", stream, 2 * number))
        if sandbox is None or self._runtime.sandboxes.get(pod_uid) is not sandbox:
            result.error = True
            return False
        container = self._runtime.create_container(
            sandbox,
            c,
            attempt=attempt,
            env=environment,
            mounts=mounted.nodes,
            read_only=mounted.read_only,
            hosts=self._mounts.hosts(pod, sandbox.ip),
        )
        container.started_by = start
        self._event(pod, c, "Normal", "Created", "Container created", start)
        yield self._clock.sleep(latencies.draw("start", stream, 2 * number + 1))
        if container.state != "created":
            result.error = True  # the node went down meanwhile
            return False
        try:
            self._runtime.start_container(container, latencies.draw("process", stream, 2 * number + 1))
        except StartError as error:
            self._event(pod, c, "Warning", "Failed", f"Error: {error}", start)
            return result.fail(c.name, "RunContainerError", str(error))
        self._event(pod, c, "Normal", "Started", "Container started", start)
        if c.lifecycle is not None and c.lifecycle.post_start is not None:
            hook = c.lifecycle.post_start
            error_text = yield from self._hooks.run(pod, c, container, hook, cancelled)
            if error_text is not None:
                self._event(pod, c, "Warning", "FailedPostStartHook", "PostStartHook failed", start)
                yield from self.kill_container(pod, spec, c, container, "FailedPostStartHook", start, cancelled)
                return result.fail(c.name, "PostStartHookError", error_text)
        result.started.append(c.name)
        result.acted = True
        return True

    def clean_up(self, pod_uid: str, container: str) -> None:
        """Keep one dead instance of a container (pkg/kubelet/pod_container_deletor.go)."""
        dead = [c for c in self._runtime.containers_of(pod_uid) if c.name == container and c.state == "exited"]
        for old in sorted(dead, key=lambda c: c.attempt)[:-1]:
            self._runtime.remove_container(old)

    def _purge_init_containers(self, pod_uid: str, spec: PodSpec) -> None:
        """A new sandbox: all init containers run anew, so no record of them stays, only their number in the logs."""
        inits = [c.name for c in spec.init_containers]
        for old in self._runtime.containers_of(pod_uid):
            if old.name in inits and old.state == "exited":
                self._removed[(pod_uid, old.name)] = old.attempt, None
                self._runtime.remove_container(old)

    # ---- back-off

    @staticmethod
    def _key(pod: Object, c: Container) -> str:
        """What a back-off belongs to; a new image or new resources start afresh (helpers.go getBackoffKey)."""
        return "\x00".join((name(pod), namespace(pod), uid(pod), c.name, c.image, repr(c.resources)))

    def _do_backoff(
        self, pod: Object, c: Container, snapshot: PodSnapshot, cause: Cause | None
    ) -> tuple[str, int, Cause] | None:
        """None if the container may start now, else (message, when it may, why) (doBackOff)."""
        at_once = self._rules.first_restart_waits or self._rules.kill_is_seen_at_once
        dead = self._believed_dead(pod, c) if at_once else snapshot.newest_exited(c.name)
        if self._rules.clean_exit_is_no_crash and dead is not None and dead.exit_code == 0:
            return None
        number, finished = self._removed.get((uid(pod), c.name), (0, None))
        if dead is not None:
            number, finished = dead.attempt, dead.finished_at
        if finished is None:
            return None
        key, now = self._key(pod, c), self._clock.now
        self.backoff.collect(now)
        if self._rules.first_restart_waits and not self.backoff.get(key):
            self.backoff.set(key, self.backoff.initial, finished)
        if self.backoff.is_in_backoff(key, finished, now):
            value = self.backoff.get(key)
            waits = backoff.text(value)
            held = Cause(HELD_BACK, cause, at=now, container=c.name, backoff=waits, number=number + 1)
            full = f"{name(pod)}_{namespace(pod)}({uid(pod)})"
            self._event(
                pod, c, "Warning", "BackOff", f"Back-off restarting failed container {c.name} in pod {full}", held
            )
            return f"back-off {waits} restarting failed container={c.name} pod={full}", finished + value, held
        self.backoff.next(key, finished, now)
        return None

    def held_until(self, pod: Object, c: Container) -> int | None:
        """For whoever looks on: until when the restart of an ended container is held back, in µs; None if it is not."""
        found = [x for x in self._runtime.containers_of(uid(pod)) if x.name == c.name]
        newest = max(found, key=lambda x: x.attempt, default=None)
        if newest is None or newest.finished_at is None:
            return None
        key, ended = self._key(pod, c), newest.finished_at
        return ended + self.backoff.get(key) if self.backoff.is_in_backoff(key, ended, self._clock.now) else None

    def _believed_dead(self, pod: Object, c: Container) -> RuntimeContainer | None:
        """For a belief only: the newest instance that has ended, even if no relist has seen it yet."""
        ended = [x for x in self._runtime.containers_of(uid(pod)) if x.name == c.name and x.state == "exited"]
        return max(ended, key=lambda x: x.attempt, default=None)

    # ---- stopping

    def kill_container(
        self,
        pod: Object,
        spec: PodSpec,
        c: Container,
        container: RuntimeContainer,
        message: str,
        cause: Cause | None,
        cancelled: simpy.Event,
        *,
        probe: str | None = None,
        override: int | None = None,
        turn: simpy.Event | None = None,
    ) -> Steps:
        """Event, preStop, its turn, stop signal, grace, SIGKILL (killContainer).

        Given up where it is when ``cancelled``: the pod is being deleted, or shall end sooner, so another sync will
        stop the container.
        """
        clock = self._clock
        grace = self._grace(pod, spec, c, probe) if override is None else override
        signal = f"SIG{self._runtime.stop_signal(container)}"
        seconds = max(grace, MINIMUM_GRACE)
        stopping = Cause(STOPPING, cause, at=clock.now, container=c.name, signal=signal, grace=seconds)
        self._event(pod, c, "Normal", "Killing", message, stopping)
        if self._rules.stop_is_instant:
            self._runtime.kill(container, "KILL", cause=stopping)
            return
        if c.lifecycle is not None and c.lifecycle.pre_stop is not None and grace > 0:
            begun = clock.now
            hook = clock.process(self._hooks.pre_stop(pod, c, container, c.lifecycle.pre_stop, stopping, cancelled))
            if self._rules.prestop_has_its_own_time:
                yield hook
            else:
                yield hook | clock.sleep(grace * SECOND)
                grace -= (clock.now - begun) // SECOND
        if turn is not None and grace > 0:
            begun = clock.now
            yield turn | clock.sleep(grace * SECOND)
            grace -= (clock.now - begun) // SECOND
        if cancelled.triggered:
            return
        grace = max(grace, MINIMUM_GRACE)
        yield self._runtime.stop_container(container, grace * SECOND, stopping, cancelled) | cancelled
        if container.running:
            return
        stream = self._stop_stream(pod)
        yield clock.sleep(latencies.draw("stop", stream, stream.next()))

    def _stop_stream(self, pod: Object) -> Stream:
        return self._chance.stream(uid(pod), "stop")

    @staticmethod
    def _grace(pod: Object, spec: PodSpec, c: Container, probe: str | None) -> int:
        """Seconds: the deletion's, else the failing probe's own, else the pod's."""
        deletion = pod["metadata"].get("deletionGracePeriodSeconds")
        if deletion is not None:
            return int(deletion)
        failed = None if probe is None else c.probe(probe)
        if failed is not None and failed.termination_grace_period_seconds is not None:
            return failed.termination_grace_period_seconds
        return spec.termination_grace_period_seconds

    def kill_pod(
        self, pod: Object, spec: PodSpec, cause: Cause | None, cancelled: simpy.Event, override: int | None = None
    ) -> Steps:
        """All regular containers at once, then the sidecars, last to first; then the sandbox (killPodWithSyncResult).

        preStop hooks of all begin at once; a sidecar gets its signal when those before it have ended, or when
        the grace period is used up (kuberuntime_termination_order.go).
        """
        pod_uid, clock = uid(pod), self._clock
        running = {c.name: c for c in self._runtime.containers_of(pod_uid) if c.state == "running"}
        why = Cause(KILL_POD, cause, at=clock.now)
        kills: list[simpy.Event] = []

        def kill(c: Container, turn: simpy.Event | None) -> None:
            text = f"Stopping container {c.name}"
            of = running[c.name]
            steps = self.kill_container(pod, spec, c, of, text, why, cancelled, override=override, turn=turn)
            kills.append(clock.process(steps))

        sidecars = [c for c in spec.init_containers if c.restartable_init]
        ordinary = (c for c in spec.init_containers if not c.restartable_init)
        for c in (*spec.containers, *ordinary, *spec.ephemeral_containers):
            if c.name in running:
                kill(c, None)
        for c in reversed(sidecars):
            if c.name in running:
                kill(c, clock.env.all_of(list(kills)))
        if kills:
            yield clock.env.all_of(kills)
        if cancelled.triggered:
            return
        sandbox = self._runtime.sandboxes.get(pod_uid)
        if sandbox is not None and sandbox.ready:
            stream = self._stop_stream(pod)
            pause = latencies.draw("stop sandbox", stream, stream.next())
            yield clock.sleep(pause // 2)
            self._runtime.disconnect(sandbox)
            yield clock.sleep(pause - pause // 2)
            self._runtime.stop_sandbox(sandbox)

    def _reset(
        self, pod: Object, spec: PodSpec, names: list[str], cause: Cause | None, cancelled: simpy.Event
    ) -> Steps:
        """RestartAllContainers: kill without a grace period, remove every instance; sandbox and volumes stay."""
        pod_uid = uid(pod)
        why = Cause(RESET, cause, at=self._clock.now)
        killed = [c for c in self._runtime.containers_of(pod_uid) if c.state == "running"]
        kills = []
        for c in sorted(killed, key=lambda c: names.index(c.name)):
            of, text = spec.container(c.name), f"Stopping container {c.name}"
            kills.append(self.kill_container(pod, spec, of, c, text, why, cancelled, override=0))
        yield self._clock.env.all_of([self._clock.process(kill) for kill in kills])
        if cancelled.triggered:
            return
        for c in self._runtime.containers_of(pod_uid):
            # Only the container that began it is held back if it does so again and again.
            source = c not in killed and restarts_all(spec.container(c.name), c.exit_code or 0)
            self._removed[pod_uid, c.name] = (c.attempt, c.finished_at if source else None)
            self._runtime.remove_container(c)

    @staticmethod
    def _check_user(pod: Object, c: Container) -> None:
        """Raises ConfigError for a container that would run as root and must not (verifyRunAsNonRoot)."""
        wrong = users.breaks_non_root(c.security, images.image(c).user)
        if wrong is not None:
            raise ConfigError(f'{wrong} (pod: "{name(pod)}_{namespace(pod)}({uid(pod)})", container: {c.name})')

    def forget(self, pod_uid: str) -> None:
        """The pod is gone: its containers' records and volumes go with it."""
        self._mounts.forget(pod_uid)
        for key in [key for key in self._removed if key[0] == pod_uid]:
            del self._removed[key]
        for container in self._runtime.containers_of(pod_uid):
            self._runtime.remove_container(container)
        self._runtime.remove_sandbox(pod_uid)

    def _event(self, pod: Object, c: Container, kind: str, reason: str, message: str, cause: Cause | None) -> None:
        self._events.event(pod, kind, reason, message, field=c.field_path, cause=cause)


def _logged(pod: Object, c: Container) -> int:
    """The number of the last instance of which the runtime knows no more; -1: there was none.

    A real kubelet finds it by the folders of the logs (kuberuntime_container.go calcRestartCountByLogDir).
    """
    group = "initContainerStatuses" if c.init else "containerStatuses"
    for status in (pod.get("status") or {}).get(group) or ():
        if status["name"] == c.name:
            if status.get("containerID"):
                return int(status["restartCount"])
            if (status.get("lastState") or {}).get("terminated"):  # it has been counted already
                return int(status["restartCount"]) - 1
    return -1
