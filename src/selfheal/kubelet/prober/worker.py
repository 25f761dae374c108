"""One probe of one container (pkg/kubelet/prober/worker.go).

A worker lives as long as its pod, over all restarts of its container. At each of its ticks
(:mod:`~selfheal.kubelet.prober.ticker`) it makes a *pass*: a list of reasons not to probe, then the
probe, then the verdict, in the order of worker.go's ``doProbe``, so that both can be read side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy

from selfheal.clock import SECOND
from selfheal.kubelet.prober.results import FAILURE, SUCCESS, UNKNOWN
from selfheal.kubelet.prober.ticker import TICK, Ticker
from selfheal.objects import Object
from selfheal.probes.result import Outcome, Panic
from selfheal.rules import Cause, rule
from selfheal.spec import Container, Probe

if TYPE_CHECKING:
    from selfheal.kubelet.prober.manager import ProberManager

TERMINAL = ("Succeeded", "Failed")
INITIAL = {"liveness": SUCCESS, "readiness": FAILURE, "startup": UNKNOWN}
"""Result stored for a new container (worker.go newWorker)."""

MAX_PROBE_RETRIES = 3
"""Attempts in one probe while it returns an error (pkg/kubelet/prober/prober.go maxProbeRetries)."""

SOURCE = "pkg/kubelet/prober/worker.go"
FAILED = rule("probe.failed", SOURCE, "doProbe")
PASSED = rule("probe.passed", SOURCE, "doProbe")
ERRORED = rule("probe.errored", "pkg/kubelet/prober/prober.go", "probe")
SKIPPED = rule("probe.skipped", SOURCE, "doProbe")
VERDICT = rule("probe.verdict", SOURCE, "doProbe")
NOT_RUNNING = rule("probe.not-running", SOURCE, "doProbe")
NEW_CONTAINER = rule("probe.new-container", SOURCE, "doProbe")

SKIPS = {
    "no container": "the kubelet has seen no container yet",
    "not running": "the container is not running",
    "initial delay": "initialDelaySeconds are not over",
    "on hold": "the verdict holds until there is a new instance",
    "not started": "the startup probe has not succeeded yet",
    "started": "the startup probe has succeeded",
    "not ready": "the container is not ready, and this is a run in which liveness waits for that",
}
"""Why a probe that was due is not asked, as records say it, and in words."""


class Worker(Ticker):
    """Asks one probe of one container, at its ticks."""

    __slots__ = (
        "_answered_at",
        "_chain",
        "_stretch",
        "_stretch_base",
        "_stretch_tick",
        "_was_ready",
        "last_result",
        "on_hold",
        "result_run",
        "results",
    )

    def __init__(
        self,
        manager: ProberManager,
        pod_uid: str,
        container: Container,
        probe_type: str,
        probe: Probe,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(manager, pod_uid, container, probe_type, probe, cause)
        self.results = manager.results[probe_type]
        # the state that worker.go keeps
        self.container_id = ""
        self.on_hold = False
        self.last_result = SUCCESS
        self.result_run = 0
        self._stretch: dict[str, Any] | None = None
        self._stretch_base = self._stretch_tick = -1
        self._chain: Cause | None = None
        """Cause of the last counted result: the next in a row points to it."""
        self._was_ready = False
        """Whether this instance has been ready; only a belief asks for it."""
        self._answered_at: int | None = None
        """Tick of the last answer that counted of this instance of the container, in µs."""

    def stop(self) -> None:
        """End the worker; its stored result goes with it."""
        super().stop()
        self._forget_instance()
        self.manager.forget(self)

    def _forget_instance(self) -> None:
        """What was stored of a container goes with it."""
        self.results.remove(self.container_id)
        if self.type == "startup":
            self.manager.started_at.pop(self.container_id, None)

    # ---- one pass

    def do_probe(self, tick: int, trigger: Cause | None) -> str:
        """One pass. Follows worker.go ``doProbe``.

        Returns ``"wait"`` (for the next tick), ``"steady"`` (nothing will change by
        itself), ``"probing"`` (under way) or ``"end"``.
        """
        manager = self.manager
        status = self._seen = manager.statuses.get(self.pod_uid)
        if status is None:
            return self._skip(tick, "no container")
        if status.get("phase") in TERMINAL:
            return "end"
        found = _container_status(status, self.container.name)
        if found is None or not found.get("containerID"):
            return self._skip(tick, "no container")
        if found["containerID"] != self.container_id:
            # a new instance: its stored result starts afresh, the run of results does not
            self._forget_instance()
            self.container_id = found["containerID"]
            self.on_hold = False
            self._answered_at = None
            self._was_ready = False
            if manager.rules.run_ends_with_container and self.type == "liveness" and self.last_result == FAILURE:
                self.last_result, self.result_run, self._chain = SUCCESS, 0, None
            verdict = self._initial(found)
            if verdict is not None:
                why = {"probe": self.type, "container": self.container.name, "verdict": verdict}
                cause = Cause(NEW_CONTAINER, trigger or self._tick_cause(), at=manager.clock.now, **why)
                self.results.set(self.pod_uid, self.container_id, verdict, cause)
        if self.on_hold:
            return self._skip(tick, "on hold", "steady")
        running = found["state"].get("running")
        if running is None:
            self.results.set(self.pod_uid, self.container_id, FAILURE, self._not_running())
            terminated = found["state"].get("terminated")
            if terminated is not None and not manager.will_restart(self.pod_uid, self.container, terminated):
                return "end"
            return self._skip(tick, "not running", "steady")
        pod = manager.pods[self.pod_uid]
        if "deletionTimestamp" in pod["metadata"] and self.type in ("liveness", "startup"):
            self.results.set(self.pod_uid, self.container_id, SUCCESS, None)
            return "end"
        clock, rules = manager.clock, manager.rules
        since = clock.at_timestamp(running["startedAt"])
        if rules.delay_counts_from_started and self.type != "startup":
            since = max(since, manager.started_at.get(self.container_id, since))
        if (clock.now - since) // SECOND < self._initial_delay():
            return self._skip(tick, "initial delay")
        if found.get("started"):
            if self.type == "startup":
                return self._skip(tick, "started", "steady")
        elif self.type != "startup":
            return self._skip(tick, "not started", "steady")
        if rules.liveness_waits_for_readiness and self.type == "liveness" and not self._was_ready:
            self._was_ready = bool(found.get("ready"))
            if not self._was_ready:
                return self._skip(tick, "not ready")
        if rules.restart_cures and self.type == "liveness" and found.get("restartCount"):
            return self._judge(tick, trigger, Outcome("success"))
        return self._attempt(tick, trigger, 1)

    def _initial_delay(self) -> int:
        """Seconds for which a new container is left alone."""
        delay = self.probe.initial_delay_seconds
        return 0 if self.manager.rules.short_delay_ignored and delay < self.probe.period_seconds else delay

    def _initial(self, found: dict[str, Any]) -> str | None:
        """The first result of a container; none where it ran before this kubelet did, so that its status stays."""
        if not self.manager.found_running(found):
            return INITIAL[self.type]
        return SUCCESS if self.container.restartable_init and self.type == "startup" and found.get("started") else None

    def _attempt(self, tick: int, trigger: Cause | None, attempt: int) -> str:
        """Run the handler; an error is tried again at once (prober.go runProbeWithRetries)."""
        try:
            outcome = self.manager.run_probe(self)
        except Panic:
            return "wait"  # doProbe recovers and goes on
        pod = self.manager.pods[self.pod_uid]
        if isinstance(outcome, simpy.Event):
            self._busy = True
            assert outcome.callbacks is not None
            outcome.callbacks.append(lambda event: self._answered(pod, tick, trigger, attempt, event.value))
            return "probing"
        if outcome.duration:
            self._busy = True
            self.manager.clock.after(outcome.duration, lambda: self._answered(pod, tick, trigger, attempt, outcome))
            return "probing"
        if outcome.error is not None and attempt < MAX_PROBE_RETRIES:
            return self._attempt(tick, trigger, attempt + 1)
        return self._judge(tick, trigger, outcome)

    def _answered(self, pod: Object, tick: int, trigger: Cause | None, attempt: int, outcome: Outcome) -> None:
        """A probe that took time has ended."""
        if self.manager.workers.get((self.pod_uid, self.container.name, self.type)) is not self:
            # Stopped meanwhile: it tells what it saw, and nobody counts it.
            if outcome.error is not None or outcome.result != "success":
                self.manager.probe_event(self, outcome, trigger or self._tick_cause(), pod)
            return
        self._busy = False
        if outcome.error is not None and attempt < MAX_PROBE_RETRIES:
            going = self._attempt(tick, trigger, attempt + 1)
        else:
            going = self._judge(tick, trigger, outcome)
        if going == "probing":
            return
        if going == "end":
            self.stop()
            return
        if self._waiting_trigger is not None:
            cause, self._waiting_trigger = self._waiting_trigger, None
            self._on_trigger(self.manager.clock.now, cause)
            return
        if going == "steady" and (self.manager.clock.now - self.base) // self.period <= self.ticks:
            self._park()
        else:
            self._arm()

    def _judge(self, tick: int, trigger: Cause | None, outcome: Outcome) -> str:
        """Count the answer and store the verdict, if it is one."""
        manager = self.manager
        if outcome.error is not None and manager.rules.errors_fail:
            outcome = Outcome("failure", outcome.error)
        threshold = self._threshold(outcome)
        if outcome.error is not None:
            cause = Cause(
                ERRORED, trigger or self._tick_cause(), at=manager.clock.now, probe=self.type, error=outcome.error
            )
            manager.probe_event(self, outcome, cause)
            self._record(tick, "unknown", outcome.error, cause)
            return "wait"
        result = SUCCESS if outcome.result in ("success", "warning") else FAILURE
        if result == self.last_result:
            self.result_run += 1
        else:
            self.last_result, self.result_run = result, 1
            self._chain = None
        run, rule_key = self.result_run, FAILED if result == FAILURE else PASSED
        if outcome.result == "success" and self.results.get(self.container_id) == SUCCESS:
            # nothing new: no event, no update
            self._answered_at = tick
            self._record(tick, "success", None, None)
            return "steady" if outcome.steady else "wait"
        cause = Cause(
            rule_key,
            self._chain or self._why_so(trigger, result),
            at=manager.clock.now,
            probe=self.type,
            run=run,
            threshold=threshold,
            output=outcome.output.strip(),
        )
        if run <= threshold:
            self._chain = cause  # the results beyond the threshold all go back to the one that reached it
        self._answered_at = tick
        if outcome.result != "success":
            manager.probe_event(self, outcome, cause)
        if run >= threshold:
            now, container = manager.clock.now, self.container.name
            verdict = Cause(VERDICT, cause, at=now, probe=self.type, container=container, verdict=result)
            self.results.set(self.pod_uid, self.container_id, result, verdict)
        self._record(tick, outcome.result, outcome.output, cause)
        kills = result == FAILURE and self.type in manager.rules.killing_probes
        if run >= threshold and (self.type == "startup" or kills):
            # the container is being killed, or is up: idle until there is a new instance
            self.on_hold = True
            self.result_run = 0
            self._chain = None
        return "wait"

    def _threshold(self, outcome: Outcome) -> int:
        if outcome.result in ("success", "warning"):
            return self.probe.success_threshold
        threshold = self.probe.failure_threshold
        rules = self.manager.rules
        if rules.startup_asks_once and self.type == "startup":
            return 1
        if rules.readiness_threshold_kills and self.type == "liveness" and self.container.readiness is not None:
            threshold = self.container.readiness.failure_threshold
        return threshold + rules.extra_failures

    # ---- why

    def _tick_cause(self) -> Cause:
        """Why it asks at all."""
        if self._ticking is None:
            period = self.probe.period_seconds
            self._ticking = Cause(TICK, self._based_on, at=self.base, probe=self.type, period=period)
        return self._ticking

    def _why_so(self, trigger: Cause | None, result: str) -> Cause | None:
        """What made the answer what it is: a change of the container, or that it has never been another."""
        if result == SUCCESS and self._answered_at is None:
            return trigger or self._tick_cause()
        return self.manager.why_answer(self, self._answered_at, self._tick_cause())

    def _not_running(self) -> Cause:
        """Why its container does not run."""
        now, container = self.manager.clock.now, self.container.name
        return Cause(
            NOT_RUNNING,
            self.manager.why_ended(self) or self._tick_cause(),
            at=now,
            probe=self.type,
            container=container,
        )

    # ---- the timeline's Probe records

    def repeat(self, n: int) -> None:
        """``n`` passes like the last have gone by unexecuted."""
        if self._stretch is not None:
            self._stretch["times"] += n
            self._stretch_tick += n * self.period
            if self._stretch["result"] != "skipped":
                self._answered_at = self._stretch_tick
                self.result_run += n
                self._stretch["run"] = self.result_run

    def _skip(self, tick: int, why: str, going: str = "wait") -> str:
        self._record(tick, "skipped", None, None, why)
        return going

    def _record(self, tick: int, result: str, output: str | None, cause: Cause | None, why: str | None = None) -> None:
        """One record, or one more of the stretch before it, if it is the same and a period later."""
        stretch = self._stretch
        verdict = self.results.get(self.container_id) if self.container_id else None
        run = self.result_run if result in ("success", "warning", "failure") else 0
        if (
            stretch is not None
            and cause is None
            and stretch["result"] == result
            and stretch.get("why") == why
            and stretch["verdict"] == verdict
            and self._stretch_base == self.base
            and self._stretch_tick + self.period == tick
        ):
            stretch["times"] += 1
            stretch["run"] = run
        else:
            stretch = {
                "t": round(self.manager.clock.now / SECOND, 3),
                "kind": "Probe",
                **self.manager.record_of(self),
                "result": result,
                "run": run,
                "verdict": verdict,
                "every": self.probe.period_seconds,
                "times": 1,
            }
            if why is not None:
                stretch["why"] = why
            if output:
                stretch["output"] = output
            self._stretch = self.manager.record(stretch, cause or self._quiet_cause(result, why))
            self._stretch_base = self.base
        self._stretch_tick = tick

    def _quiet_cause(self, result: str, why: str | None) -> Cause:
        """What a record goes back to where nothing came of the pass."""
        tick = self._tick_cause()
        if why is not None:
            return Cause(SKIPPED, tick, probe=self.type, why=SKIPS[why])
        run, threshold = self.result_run, self.probe.success_threshold
        return Cause(PASSED if result == "success" else FAILED, tick, probe=self.type, run=run, threshold=threshold)


def _container_status(status: dict[str, Any], name: str) -> dict[str, Any] | None:
    for group in ("containerStatuses", "initContainerStatuses"):
        for found in status.get(group) or ():
            if found["name"] == name:
                return found  # type: ignore[no-any-return]
    return None
