"""A scenario performed on a cluster, and what then happened, as a timeline.

The records are those of the simulator's own recorder, which is given watches instead of a store; the namespace reads
``default`` in them. ``t`` 0 is the moment in which the first object of the manifests appeared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from selfheal import objects
from selfheal.clock import SECOND, micros, rfc3339
from selfheal.cluster import concerns_nodes
from selfheal.errors import ApiError
from selfheal.labs.api import Api
from selfheal.labs.errors import LabError
from selfheal.labs.pace import Pace
from selfheal.labs.verbs import Hands, check, check_manifests
from selfheal.labs.watches import Handler, Watch, Watches
from selfheal.objects import Object
from selfheal.scenario import Action, Scenario
from selfheal.timeline import Recorder, Timeline
from selfheal.timeline.facts import KINDS

TURN = 0.02
"""Seconds between two looks at the clock."""
APPEAR = 30.0
"""Seconds in which the first object must be seen."""
FINISH = 30.0
"""Seconds that actions may go on after the end."""

Tick = Callable[[float, Timeline], object]
"""Told again and again how far it is: seconds of cluster time, the timeline so far."""


def refuse(api: Api, scenario: Scenario) -> None:
    """Raises LabError if the scenario cannot be performed on this cluster. Asks it nothing."""
    check_manifests(manifests(scenario))
    check(api, scenario.actions)
    if scenario.traffic:
        raise LabError("users that send requests are the simulator's; on a cluster run a pod that sends them")
    if scenario.belief is not None:
        raise LabError("a belief can only be simulated: a cluster follows the real rules")


def manifests(scenario: Scenario) -> tuple[Object, ...]:
    """What is applied: all but the nodes, since a cluster has its own."""
    return tuple(m for m in scenario.manifests if m["kind"] != "Node")


class Recording:
    """One run of a scenario in a namespace."""

    def __init__(self, api: Api, namespace: str, scenario: Scenario) -> None:
        refuse(api, scenario)
        self._api = api
        self._namespace = namespace
        self._scenario = scenario
        self._lock = threading.RLock()
        self.timeline = Timeline({"source": "", "scenario": scenario.name, "until": 0})
        self._pace = Pace(api)
        self._watches = _Zero(Watches(api, namespace, self._lock, self._as_default), self._pace)
        self._hands = Hands(api, namespace, lambda: rfc3339((self._pace.epoch + self._pace.now) // SECOND))
        self._errors: list[str] = []

    def run(self, tick: Tick = lambda _t, _timeline: None) -> Timeline:
        """Apply, act and watch until the scenario's end. Raises LabError."""
        scenario = self._scenario
        self.timeline.header["source"] = f"Kubernetes {self._api.version()}, context {self._api.context.name}"
        nodes = any(concerns_nodes(action) for action in scenario.actions)
        recorder = Recorder(self._watches, self._pace, self.timeline, nodes=nodes, start=0)
        busy: list[threading.Thread] = []
        try:
            self._watches.begin()
            self._apply()
            due = list(scenario.actions)
            while self._pace.seconds < scenario.until:
                self._pace.ask_now_and_then()
                while due and self._pace.now >= micros(due[0].at):
                    busy.append(self._begin(due.pop(0)))
                trouble = self._watches.trouble
                if trouble is not None:
                    raise LabError(f"the recording broke off at {self._pace.seconds:.0f} s: {trouble}")
                tick(min(self._pace.seconds, scenario.until), self.timeline)
                time.sleep(TURN if self._pace.speed <= 1 else max(0.002, TURN / self._pace.speed))
            end = time.monotonic() + FINISH
            for thread in busy:
                thread.join(max(0.0, end - time.monotonic()))
        finally:
            with self._lock:
                recorder.stop()
        self.timeline.header["until"] = scenario.until
        return self.timeline

    # ---- inner

    def _apply(self) -> None:
        applied = manifests(self._scenario)
        for manifest in applied:
            self._hands.apply(manifest)
        end = time.monotonic() + APPEAR
        seen = any(manifest["kind"] in KINDS for manifest in applied)
        while seen and not self._pace.begun and time.monotonic() < end and self._watches.trouble is None:
            time.sleep(TURN)
        self._pace.start()

    def _begin(self, action: Action) -> threading.Thread:
        """Do an action in a thread of its own: one that takes long does not hold up the next."""
        thread = threading.Thread(target=self._act, args=(action,), name=f"action {action.verb}", daemon=True)
        thread.start()
        return thread

    def _act(self, action: Action) -> None:
        try:
            args = self._hands.resolved(action)
        except ApiError as error:
            self._record(action.verb, action.args, str(error))
            return
        record = self._record(action.verb, args, "ok")
        try:
            result = self._hands.perform(action, args)
        except (ApiError, OSError) as error:
            result = str(error).replace(self._namespace, "default")
        with self._lock:
            record["result"] = result

    def _record(self, verb: str, args: Any, result: str) -> dict[str, Any]:
        with self._lock:
            t = round(self._pace.seconds, 3)
            return self.timeline.append({"t": t, "kind": "Action", "verb": verb, "args": args, "result": result})

    def _as_default(self, obj: Object) -> Object:
        """An object as if its namespace were ``default``, in its messages too."""
        if objects.namespace(obj) != self._namespace:
            return obj
        out = objects.replace(obj, "metadata.namespace", "default")
        for text in ("message", "note"):
            if isinstance(out.get(text), str):
                out[text] = out[text].replace(self._namespace, "default")
        return out


class _Zero:
    """Watches whose first change sets the clock going; nodes were there before."""

    def __init__(self, watches: Watches, pace: Pace) -> None:
        self._watches = watches
        self._pace = pace
        self.begin = watches.begin

    @property
    def trouble(self) -> Exception | None:
        return self._watches.trouble

    def watch(self, kind: str, handler: Handler, *, immediate: bool) -> Watch:
        def told(change: Any) -> None:
            if kind != "Node":
                self._pace.start()
            handler(change)

        return self._watches.watch(kind, told, immediate=immediate)
