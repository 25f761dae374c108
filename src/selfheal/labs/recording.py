"""A scenario performed on a cluster, and what then happened, as a timeline.

The records are those of the simulator's own recorder, which is given watches instead of a store; the namespace reads
``default`` in them. ``t`` 0 is the moment in which the first object of the manifests appeared.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from selfheal import objects
from selfheal.clock import micros
from selfheal.cluster import concerns_nodes
from selfheal.errors import ApiError
from selfheal.labs.api import Api
from selfheal.labs.errors import LabError, Unreachable
from selfheal.labs.pace import ASK_AGAIN, Pace
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
    """What happens in a namespace, as a timeline: while a scenario is performed, or for as long as one likes."""

    def __init__(self, api: Api, namespace: str, scenario: Scenario | None = None, hands: Hands | None = None) -> None:
        self._scenario = scenario or Scenario(until=0)
        refuse(api, self._scenario)
        self._api = api
        self._namespace = namespace
        self._lock = threading.RLock()
        self.timeline = Timeline({"source": "", "scenario": self._scenario.name, "until": 0})
        self._pace = Pace(api)
        self._watches = _Zero(Watches(api, namespace, self._lock, self._as_default), self._pace)
        self._hands = hands or Hands(api, namespace)
        self._recorder: Recorder | None = None

    def run(self, tick: Tick = lambda _t, _timeline: None) -> Timeline:
        """Apply, act and watch until the scenario's end. Raises LabError."""
        scenario = self._scenario
        busy: list[threading.Thread] = []
        self.begin(nodes=any(concerns_nodes(action) for action in scenario.actions))
        try:
            self._apply()
            due = list(scenario.actions)
            while self._pace.seconds < scenario.until:
                self._pace.ask_now_and_then()
                while due and self._pace.now >= micros(due[0].at):
                    busy.append(self._begin(due.pop(0)))
                self.check()
                tick(min(self._pace.seconds, scenario.until), self.timeline)
                time.sleep(TURN if self._pace.speed <= 1 else max(0.002, TURN / self._pace.speed))
            end = time.monotonic() + FINISH
            for thread in busy:
                thread.join(max(0.0, end - time.monotonic()))
        finally:
            self.end()
        self.timeline.header["until"] = scenario.until
        return self.timeline

    @contextlib.contextmanager
    def following(self) -> Iterator[Timeline]:
        """Record what others do, nodes too. Raises LabError in the end if something may have been missed."""
        ended = threading.Event()

        def keep_time() -> None:
            while not ended.wait(ASK_AGAIN):
                with contextlib.suppress(Unreachable):  # the watches have more patience, and tell
                    self._pace.ask_now_and_then()
                self.timeline.header["until"] = round(self._pace.seconds, 3)

        self.begin(nodes=True)
        keeper = threading.Thread(target=keep_time, name="time", daemon=True)
        keeper.start()
        try:
            yield self.timeline
            self.check()
        finally:
            ended.set()
            keeper.join()
            self.end()
            self.timeline.header["until"] = round(self._pace.seconds, 3)

    def begin(self, *, nodes: bool) -> None:
        """Nothing is missed from now on; ``nodes``: theirs too. Raises what the first lists raise."""
        self.timeline.header["source"] = f"Kubernetes {self._api.version()}, context {self._api.context.name}"
        self._recorder = Recorder(self._watches, self._pace, self.timeline, nodes=nodes, start=0)
        if nodes:
            self._watches.node_events()
        try:
            self._watches.begin()
        except BaseException:
            self.end()
            raise

    def check(self) -> None:
        """Raises LabError if something may have been missed."""
        trouble = self._watches.trouble
        if trouble is not None:
            raise LabError(f"the recording broke off at {self._pace.seconds:.0f} s: {trouble}")

    def end(self) -> None:
        """Record no more."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.stop()
            self._watches.stop()

    def act(self, action: Action) -> str:
        """Do an action now, and record it; what came of it."""
        try:
            args, by = self._hands.resolved(action)
        except ApiError as error:
            return str(self._record(action.verb, action.args, str(error), None)["result"])
        record = self._record(action.verb, args, "ok", by)
        try:
            result = self._hands.perform(action, args)
        except (ApiError, OSError) as error:
            result = str(error).replace(self._namespace, "default")
        with self._lock:
            record["result"] = result
        return result

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
        thread = threading.Thread(target=self.act, args=(action,), name=f"action {action.verb}", daemon=True)
        thread.start()
        return thread

    def _record(self, verb: str, args: Any, result: str, by: str | None) -> dict[str, Any]:
        record = {"t": 0.0, "kind": "Action", "verb": verb, "args": args, "result": result}
        if by is not None:
            record["pod"] = by
        with self._lock:
            record["t"] = round(self._pace.seconds, 3)
            return self.timeline.append(record)

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
        self.stop = watches.stop
        self._handler: Handler | None = None

    @property
    def trouble(self) -> Exception | None:
        return self._watches.trouble

    def watch(self, kind: str, handler: Handler, *, immediate: bool) -> Watch:
        def told(change: Any) -> None:
            if kind != "Node":
                self._pace.start()
            handler(change)

        if kind == "Event":
            self._handler = handler
        return self._watches.watch(kind, told, immediate=immediate)

    def node_events(self) -> None:
        """Follow what is told of nodes, too: those events lie in the namespace ``default``, among others'."""
        handler = self._handler
        assert handler is not None, "events are watched first"

        def told(change: Any) -> None:
            if change.object["involvedObject"].get("kind") == "Node" and self._pace.begun:
                handler(change)

        self._watches.watch("Event", told, namespace="default")
