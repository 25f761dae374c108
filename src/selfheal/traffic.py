"""Users: somebody who sends requests to a Service, and what becomes of them.

Requests come evenly, so many a second. For each, chance picks one of the pods that kube-proxy would pick
from; it is *served* if that pod answers 2xx or 3xx in time, and *lost* otherwise: also while the Service still
stands for a pod that has just died.

Nothing is sent while nothing changes. What a pod answers is asked once after each change; the requests in between
are reckoned. The timeline gets one record a second, equal seconds in a row as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import simpy

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Timer
from selfheal.network import Network, Request, Response
from selfheal.objects import Key, Object, key, labels, namespace
from selfheal.proxy import SERVICE_LABEL, Backend, backends
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

TIMEOUT = 5 * SECOND
"""How long users wait for an answer, in µs."""

Record = dict[str, Any]
OnRecord = Callable[[Record, "Cause | None"], Record]

ROUTED = rule("traffic.route", "pkg/proxy/topology.go", "CategorizeEndpoints")
NOWHERE = rule("traffic.nowhere", "pkg/proxy/iptables/proxier.go", "syncProxyRules")
LOST = rule("traffic.lost", "", "")
SERVED = rule("traffic.served", "", "")


class Traffic:
    """Requests to one Service, ``rate`` a second, from now until :meth:`stop`.

    ``lag``: how much later than kube-proxy their way in (a load balancer, say) hears of a change of endpoints, in µs.
    ``on_record`` takes each record and its cause, and returns the record as it is kept: the last one is
    brought up to date (``times``) as long as the seconds stay the same.
    """

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        network: Network,
        on_record: OnRecord,
        service: Key,
        rate: float,
        *,
        path: str = "/",
        timeout: int = TIMEOUT,
        lag: int = 0,
        cause: Cause | None = None,
        why: Callable[[str], Cause | None] = lambda _: None,
    ) -> None:
        if not 0 < rate <= 1_000_000:
            raise ValueError(f"rate must be more than 0 and at most a million requests a second, not {rate!r}")
        self.service = service
        self.rate = rate
        self._clock = clock
        self._network = network
        self._on_record = on_record
        self._path = path
        self._timeout = timeout
        self._lag = lag
        self._stream = chance.stream("traffic", *service)
        self._began = clock.now
        self._slices: dict[Key, Object] = {}
        self._routes: list[Backend] = []
        self._answers: dict[Backend, bool] = {}
        self._steady = True
        """Whether every pod gives the same answer until something changes."""
        self._observed: list[Callable[[], None]] = []
        self._cause = cause
        self._why = why
        """What last changed a pod, by its name."""
        self._silent: list[str] = []
        """Pods that get requests and do not answer well."""
        self._sent = 0
        """Requests reckoned so far."""
        self._second = 0
        """The second being counted, from the beginning."""
        self._served = self._lost = 0
        self._stretch: Record | None = None
        self._asking = False
        self._timer: Timer | None = None
        self._looks = 2
        self._stopped = False
        for obj in store.list("EndpointSlice"):  # kube-proxy knew these before the first request came
            if self._ours(obj):
                self._heard(WatchEvent("ADDED", obj, None, None, store.version))
        self._watch = store.watch("EndpointSlice", self._slice_changed, since=store.version)
        self._plan()

    def share(self, pod: str) -> float:
        """How many requests a second one pod gets now."""
        mine = sum(1 for backend in self._routes if backend.pod == pod)
        return self.rate * mine / len(self._routes) if mine and not self._stopped else 0.0

    def stop(self) -> None:
        """No more requests; the seconds that are over are in the timeline."""
        self.settle(self._clock.now)
        self._stopped = True
        self._watch.stop()
        self._unobserve()
        if self._timer is not None:
            self._timer.cancel()

    # ---- what changes

    def _slice_changed(self, event: WatchEvent) -> None:
        """The endpoints have changed."""
        if not self._ours(event.object):
            return
        if self._lag and self._routes:
            self._clock.after(self._lag, lambda: self._heard(event))
        else:
            self._heard(event)

    def _ours(self, obj: Object) -> bool:
        return (namespace(obj), labels(obj).get(SERVICE_LABEL)) == self.service

    def _heard(self, event: WatchEvent) -> None:
        """kube-proxy, or whoever forwards, hears of the endpoints."""
        obj = event.object
        if self._stopped:
            return
        if event.type == "DELETED":
            self._slices.pop(key(obj), None)
        else:
            self._slices[key(obj)] = obj
        found = backends(self._slices.values())
        if found == self._routes:
            return
        self.settle(self._clock.now)
        self._routes = found
        self._silent = []
        pods = ", ".join(b.pod for b in found)
        self._cause = Cause(
            ROUTED if found else NOWHERE, event.cause, at=self._clock.now, service=self.service[1], pods=pods
        )
        self._unobserve()
        self._observed = [self._network.observe(ip, self._altered) for ip in dict.fromkeys(b.ip for b in found)]
        self._ask()

    def _unobserve(self) -> None:
        for end in self._observed:
            end()
        self._observed = []

    def _altered(self) -> None:
        """A pod may answer differently from now on: ask it once this moment is over."""
        if not self._asking and not self._stopped:
            self._asking = True
            self.settle(self._clock.now)
            self._clock.after(0, self._ask)

    def _ask(self) -> None:
        """Ask every pod that gets traffic."""
        self._asking = False
        if self._stopped:
            return
        self.settle(self._clock.now)
        self._steady = True
        self._answers = {backend: self._answered(backend) for backend in self._routes}
        self._blame()
        self._looks = 2
        self._plan()

    def _blame(self) -> None:
        """The cause of what comes, if other pods than before fail to answer."""
        silent = [backend.pod for backend, well in self._answers.items() if not well]
        if silent == self._silent:
            return
        parent = self._why((silent or self._silent)[0]) or self._cause
        pods = " and ".join(silent)
        self._cause = Cause(LOST if silent else SERVED, parent, at=self._clock.now, service=self.service[1], pods=pods)
        self._silent = silent

    def _answered(self, backend: Backend) -> bool:
        """Whether a pod answers 2xx or 3xx in time."""
        server = self._network.connect("users", backend.ip, backend.port)
        if isinstance(server, str):
            return False
        reply = server.http(Request("GET", self._path, source="users"))
        if isinstance(reply, simpy.Event) and not reply.triggered:
            # The answer is still being worked out; until it is there, nobody else gets one either.
            reply.callbacks.append(lambda _: self._altered())
            return False
        response = reply.value if isinstance(reply, simpy.Event) else reply
        assert isinstance(response, Response)
        self._steady = self._steady and response.steady
        in_time = response.delay is not None and response.delay + response.body_delay < self._timeout
        whole = not (response.stall_body or response.body_cut or response.broken)
        return in_time and whole and 200 <= response.status < 400

    # ---- counting

    def settle(self, until: int) -> None:
        """Reckon all requests sent before ``until`` (µs), and write the seconds that are over."""
        if self._stopped:
            return
        while self._end_of_second() <= until:
            alike = self._alike_seconds(until)
            if alike:
                self._skip(alike)
                continue
            self._count(self._end_of_second())
            self._close_second()
        self._count(until)

    def _end_of_second(self) -> int:
        return self._began + (self._second + 1) * SECOND

    def _due(self, moment: int) -> int:
        """How many requests have been sent before a moment: request i goes out at i / rate."""
        if moment <= self._began:
            return 0
        return int(-(-(moment - self._began) * self.rate // SECOND))

    def _count(self, until: int) -> None:
        """Reckon the requests before ``until`` with the answers as they are now."""
        due = self._due(until)
        served = self._served_of(self._sent, due)
        self._served += served
        self._lost += due - self._sent - served
        self._sent = due

    def _served_of(self, first: int, end: int) -> int:
        """How many of the requests from ``first`` to ``end`` find a pod that answers."""
        good = [self._answers.get(b, False) for b in self._routes]
        if not any(good):
            return 0
        if all(good):
            return end - first
        return sum(1 for i in range(first, end) if good[int(self._stream.uniform(i) * len(good))])

    def _alike_seconds(self, until: int) -> int:
        """How many whole seconds from here on are like the last record's, without counting them one by one."""
        last, whole = self._stretch, self.rate == int(self.rate)
        if last is None or not whole or self._mixed() or self._served or self._lost:
            return 0
        if self._sent != self._due(self._began + self._second * SECOND):
            return 0
        served = self._served_of(self._sent, self._sent + int(self.rate))
        if (last["sent"], last["served"]) != (int(self.rate), served):
            return 0
        return (until - self._began) // SECOND - self._second

    def _mixed(self) -> bool:
        """Whether some pods answer and others do not, so that chance decides."""
        return len({self._answers.get(b, False) for b in self._routes}) > 1

    def _skip(self, seconds: int) -> None:
        assert self._stretch is not None
        self._stretch["times"] += seconds
        self._second += seconds
        self._sent += seconds * int(self.rate)

    def _close_second(self) -> None:
        """A second is over: it is a record, or one more of the last record's kind."""
        served, lost = self._served, self._lost
        self._served = self._lost = 0
        at = self._began + self._second * SECOND
        self._second += 1
        last = self._stretch
        if last is not None and (last["served"], last["lost"]) == (served, lost):
            last["times"] += 1
            return
        record = {
            "t": round(at / SECOND, 3),
            "kind": "Traffic",
            "namespace": self.service[0],
            "object": f"Service/{self.service[1]}",
            "sent": served + lost,
            "served": served,
            "lost": lost,
            "every": 1,
            "times": 1,
        }
        self._stretch = self._on_record(record, self._cause)

    # ---- when to look again

    def _plan(self) -> None:
        """Come back at the end of this second."""
        if self._timer is None and not self._stopped:
            self._timer = self._clock.at(self._end_of_second(), self._tick)

    def _tick(self) -> None:
        """A second is over. Two of them after a change tell all that is new; then nothing is until the next."""
        self._timer = None
        if self._steady:
            self.settle(self._clock.now)
            self._looks -= 1
        else:
            self._ask()
        if self._looks > 0 or self._mixed() or self.rate != int(self.rate):
            self._plan()


def onward(records: Iterable[Record], t: float) -> list[Record]:
    """Traffic records from second ``t`` on. One that began before, and stands for many seconds, is cut."""
    found = []
    for record in records:
        skip = max(0, int(t - record["t"]))
        if record["times"] > skip and record["t"] + record["times"] > t:
            found.append({**record, "t": record["t"] + skip, "times": record["times"] - skip})
    return found


def total(records: Sequence[Record]) -> tuple[int, int, int]:
    """(sent, served, lost) of some Traffic records together."""
    counts = [(r["sent"] * r["times"], r["served"] * r["times"], r["lost"] * r["times"]) for r in records]
    sent, served, lost = (sum(c) for c in zip(*counts, strict=True)) if counts else (0, 0, 0)
    return sent, served, lost
