"""When a probe worker makes its passes: ticks, triggers, and parking.

Ticks count from the moment the worker was made, not from the start of the container
(the ticker in pkg/kubelet/prober/worker.go ``run``). A manual trigger makes a pass at once and
lets the ticks count from there.

Passes that cannot change anything are not executed. When the answer is steady and already
stored, the worker *parks*: it waits for a change of its container or of the pod's status, and when
woken it counts the ticks that have gone by. The timeline is the same to the letter as if each had
been executed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfheal import latencies
from selfheal.clock import SECOND, Timer
from selfheal.rules import Cause, rule
from selfheal.spec import Container, ExecAction, Probe

if TYPE_CHECKING:
    from selfheal.kubelet.prober.manager import ProberManager

SOURCE = "pkg/kubelet/prober/worker.go"
TICK = rule("probe.tick", SOURCE, "run")
TRIGGER = rule("probe.trigger", "pkg/kubelet/prober/prober_manager.go", "UpdatePodStatus")


class Ticker:
    """Calls :meth:`do_probe` when it is due. A worker says what a pass does."""

    __slots__ = (
        "_based_on",
        "_busy",
        "_latency",
        "_parked",
        "_seen",
        "_stream",
        "_ticking",
        "_timer",
        "_trigger_timer",
        "_unwatch",
        "_waiting_trigger",
        "base",
        "container",
        "container_id",
        "manager",
        "passes",
        "period",
        "pod_uid",
        "probe",
        "ticks",
        "type",
    )

    def __init__(
        self,
        manager: ProberManager,
        pod_uid: str,
        container: Container,
        probe_type: str,
        probe: Probe,
        cause: Cause | None,
    ) -> None:
        self.manager = manager
        self.pod_uid = pod_uid
        self.container = container
        self.type = probe_type
        self.probe = probe
        self.container_id = ""
        """The instance of the container that it knows."""
        clock = manager.clock
        self.period = probe.period_seconds * SECOND
        self.base = clock.now
        self.ticks = 0
        """Ticks since ``base``."""
        self.passes = 0
        """Passes so far, executed or parked; numbers the random draws."""
        self._based_on = cause
        """Why the ticks count from ``base``."""
        self._ticking: Cause | None = None
        self._stream = manager.chance.fresh(pod_uid, container.name, probe_type, "probe")
        self._latency = "exec" if isinstance(probe.handler, ExecAction) else "probe"
        self._busy = False
        """Whether a probe is under way."""
        self._trigger_timer: Timer | None = None
        self._waiting_trigger: Cause | None = None
        self._parked = False
        self._seen: dict[str, Any] | None = None
        """The pod's status that the last pass looked at."""
        self._unwatch: Any = None
        # doProbe is called at once, before the first tick
        self._timer: Timer | None = clock.after(self._delay(), self._on_tick)

    def do_probe(self, tick: int, trigger: Cause | None) -> str:
        """One pass: ``"wait"`` for the next tick, ``"steady"``, ``"probing"`` or ``"end"``."""
        raise NotImplementedError

    def repeat(self, n: int) -> None:
        """``n`` passes like the last have gone by unexecuted."""
        raise NotImplementedError

    # ---- ticks and triggers

    def _delay(self) -> int:
        """From a tick until its handler has answered, in µs."""
        return latencies.draw(self._latency, self._stream, self.passes)

    def _arm(self) -> None:
        """Wait for the next tick that has not been taken yet."""
        clock = self.manager.clock
        taken = (clock.now - self.base) // self.period
        if taken > self.ticks:
            self.ticks = taken  # a ticker keeps one tick; older ones are dropped
            self._timer = clock.after(0, self._on_tick)
            return
        self.ticks = max(self.ticks, taken) + 1
        self._timer = clock.at(self.base + self.ticks * self.period + self._delay(), self._on_tick)

    def _on_tick(self) -> None:
        self._timer = None
        self._pass(self.base + self.ticks * self.period, None)

    def trigger(self, cause: Cause) -> None:
        """Probe now and count the period from here (UpdatePodStatus; readiness only).

        One trigger is kept, further ones are dropped. The trigger is offered while the
        status is generated, a moment before it is stored: now and then the worker is
        quicker, finds no container yet, and has used up its trigger.
        """
        if self._trigger_timer is not None or self._waiting_trigger is not None:
            return
        self.unpark()
        number = self.passes
        if latencies.happens("trigger before status", self._stream, number):
            self._on_trigger(self.manager.clock.now, cause)
            return
        at = self.manager.clock.now
        delay = latencies.draw("trigger", self._stream, number)
        if self._latency == "exec":
            delay += latencies.draw("exec", self._stream, number)
        self._trigger_timer = self.manager.clock.after(delay, lambda: self._on_trigger(at, cause))

    def ask(self) -> None:
        """For a belief only: a pass now, and the ticks count from here."""
        if not self._busy:
            self._on_trigger(
                self.manager.clock.now,
                Cause(TICK, at=self.manager.clock.now, probe=self.type, period=self.probe.period_seconds),
            )

    def _on_trigger(self, at: int, cause: Cause) -> None:
        self._trigger_timer = None
        if self._busy:  # it waits in its buffer of one until the probe under way has ended
            self._waiting_trigger = cause
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.base, self.ticks = at, 0
        self._based_on, self._ticking = cause, None
        self._pass(at, cause)

    def stop(self) -> None:
        """No more passes."""
        self.settle()
        self._leave_park()
        for timer in (self._timer, self._trigger_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._trigger_timer = None

    # ---- parking

    def _park(self) -> None:
        """Wait for a change instead of the next tick."""
        if not self.manager.parking or self._seen is not self.manager.statuses.get(self.pod_uid):
            self._arm()  # this very pass has changed the status: the next one may see something else
            return
        self._parked = True
        container = self.manager.find_container(self.container_id)
        if container is not None:
            self._unwatch = container.watch(self.unpark)
        self.manager.parked.setdefault(self, None)

    def _leave_park(self) -> None:
        if self._parked:
            self._parked = False
            if self._unwatch is not None:
                self._unwatch()
                self._unwatch = None
            self.manager.parked.pop(self, None)

    def unpark(self) -> None:
        """Something may have changed: count what has gone by, then tick again."""
        if self._parked:
            self.settle()
            self._leave_park()
            self._arm_parked()

    def settle(self) -> None:
        """Count the passes that would have been executed while parked (up to now)."""
        if not self._parked:
            return
        now = self.manager.clock.now
        while True:
            ahead = (now - self.base) // self.period - self.ticks
            if ahead <= 0:
                return
            if ahead > 1:  # all but the last have certainly been answered
                self._count(ahead - 1)
                continue
            if self.base + (self.ticks + 1) * self.period + self._delay() > now:
                return
            self._count(1)

    def _count(self, n: int) -> None:
        self.ticks += n
        self.passes += n
        self.repeat(n)

    def _arm_parked(self) -> None:
        self.ticks += 1
        self._timer = self.manager.clock.at(self.base + self.ticks * self.period + self._delay(), self._on_tick)

    # ---- passes

    def _pass(self, tick: int, trigger: Cause | None) -> None:
        """What a tick or trigger sets going; ends by waiting for the next one, parked or not."""
        self.passes += 1
        going = self.do_probe(tick, trigger)
        if going == "probing":
            return  # the probe takes time; _finish goes on
        if going == "end":
            self.stop()
        elif going == "steady":
            self._park()
        else:
            self._arm()
