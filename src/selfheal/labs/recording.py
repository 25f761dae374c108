"""A scenario performed on a cluster, and what then happened, as a timeline.

The records are those of the simulator's own recorder, which is given watches instead of a store; the namespace reads
``default`` in them. ``t`` 0 is the moment in which the first object of the manifests appeared.
"""

from __future__ import annotations

import contextlib
import json
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
from selfheal.views import ClusterTimeline

LEAD = 1.0
"""Seconds by which the emulator is asked for an action too early."""
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
        self.timeline = ClusterTimeline({"source": "", "scenario": self._scenario.name, "until": 0})
        self._pace = Pace(api)
        self._watches = _Zero(Watches(api, namespace, self._lock, self._as_default), self._pace)
        self._hands = hands or Hands(api, namespace)
        self._recorder: Recorder | None = None
        self._onlooker = False

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
                while due and self._pace.seconds >= due[0].at - self._lead():
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
        if scenario.second is not None:
            self.timeline.header["second"] = scenario.second
        return self.timeline

    @contextlib.contextmanager
    def following(self, *, onlooker: bool = False) -> Iterator[ClusterTimeline]:
        """Record what others do, nodes too. Raises LabError in the end if something may have been missed.

        Second 0 is when the first object is seen. An ``onlooker`` comes to a namespace that is not a lab's: its name
        stays, second 0 is now, and what has been told already is not told again.
        """
        ended = threading.Event()

        def keep_time() -> None:
            while not ended.wait(ASK_AGAIN):
                with contextlib.suppress(Unreachable):  # the watches have more patience, and tell
                    self._pace.ask_now_and_then()
                self.timeline.header["until"] = round(self._pace.seconds, 3)

        self.begin(nodes=True, onlooker=onlooker)
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

    def begin(self, *, nodes: bool, onlooker: bool = False) -> None:
        """Nothing is missed from now on; ``nodes``: theirs too. Raises what the first lists raise."""
        self._onlooker = self._watches.late = onlooker
        self.timeline.header["source"] = f"Kubernetes {self._api.version()}, context {self._api.context.name}"
        self._recorder = Recorder(self._watches, self._watches, self.timeline, nodes=nodes, start=0)
        if nodes and self._namespace != "default":
            self._watches.node_events()
        try:
            self._watches.begin()
        except BaseException:
            self.end()
            raise
        if onlooker:
            self._pace.start()
            self._watches.late = False

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
            self.timeline.sort()

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
        while self._scenario.second not in (None, self._pace.second):  # what goes by the clock begins by the clock
            self._pace.ask_now_and_then()
            self.check()
            time.sleep(TURN)
        self._hands.apply_all(applied)
        end = time.monotonic() + APPEAR
        seen = any(manifest["kind"] in KINDS for manifest in applied)
        while seen and not self._pace.begun and time.monotonic() < end and self._watches.trouble is None:
            time.sleep(TURN)
        self._pace.start()

    def _begin(self, action: Action) -> threading.Thread:
        """Do an action in a thread of its own: one that takes long does not hold up the next."""
        do = self._ask if self._api.context.sort == "emulator" else self.act
        thread = threading.Thread(target=do, args=(action,), name=f"action {action.verb}", daemon=True)
        thread.start()
        return thread

    def _lead(self) -> float:
        """Seconds of cluster time by which an action is asked for too early: the emulator waits for its moment."""
        return LEAD * self._pace.speed if self._api.context.sort == "emulator" else 0.0

    def _ask(self, action: Action) -> None:
        """Let the emulator do an action, at its moment exactly, while its clock stands."""
        try:
            told = self._hands.ask(action, self._pace.begin)
        except ApiError as error:
            self._record(action.verb, action.args, str(error).replace(self._namespace, "default"), None)
            return
        told["t"] = round(max(0.0, told["t"] - self._pace.begin), 3)
        with self._lock:
            self.timeline.append(told)

    def _record(self, verb: str, args: Any, result: str, by: str | None) -> dict[str, Any]:
        record = {"t": 0.0, "kind": "Action", "verb": verb, "args": args, "result": result}
        if by is not None:
            record["pod"] = by
        with self._lock:
            record["t"] = round(self._pace.seconds, 3)
            return self.timeline.append(record)

    def _as_default(self, obj: Object) -> Object:
        """An object as if its namespace were ``default``, in all its texts: the name is drawn, and no other's."""
        if self._onlooker or objects.namespace(obj) != self._namespace:
            return obj
        out: Object = json.loads(json.dumps(obj).replace(self._namespace, "default"))
        return out


class _Zero:
    """Watches whose first change sets the clock going; nodes were there before. It is the recorder's clock, too."""

    def __init__(self, watches: Watches, pace: Pace) -> None:
        self._watches = watches
        self._pace = pace
        self.begin = watches.begin
        self.stop = watches.stop
        self._handler: Handler | None = None
        self._t: float | None = None
        self.late = False
        """Whether what is told now was told to others before."""

    @property
    def now(self) -> int:
        """When what is being told came about, in µs since second 0: as the server says, or else now."""
        return self._pace.now if self._t is None else max(0, micros(self._t - self._pace.begin))

    @property
    def epoch(self) -> int:
        return self._pace.epoch

    @property
    def trouble(self) -> Exception | None:
        return self._watches.trouble

    def watch(self, kind: str, handler: Handler, *, immediate: bool) -> Watch:
        def told(change: Any) -> None:
            if self.late and kind == "Event":
                return
            if kind != "Node":
                self._pace.start(change.t)
            self._told(handler, change)

        if kind == "Event":
            self._handler = handler
        return self._watches.watch(kind, told, immediate=immediate)

    def node_events(self) -> None:
        """Follow what is told of nodes, too: those events lie in the namespace ``default``, among others'."""
        handler = self._handler
        assert handler is not None, "events are watched first"

        def told(change: Any) -> None:
            if change.object["involvedObject"].get("kind") == "Node" and self._pace.begun:
                self._told(handler, change)

        self._watches.watch("Event", told, namespace="default")

    def _told(self, handler: Handler, change: Any) -> None:
        self._t = change.t
        try:
            handler(change)
        finally:
            self._t = None
