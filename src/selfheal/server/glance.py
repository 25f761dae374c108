"""What the live view of ``selfheal up`` shows: a few tables of plain text, worked out anew for each look.

Looking changes nothing and lets no time pass. Names, reasons and messages come from manifests and programs, so whatever
a terminal would obey instead of showing it (an escape sequence in a probe's output) is taken out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.clock import SECOND
from selfheal.cluster import Cluster
from selfheal.kubelet.prober.results import FAILURE
from selfheal.kubelet.prober.worker import Worker
from selfheal.objects import Key, Object, condition_true, key, name, namespace
from selfheal.printers import nodes, pods
from selfheal.printers.duration import human
from selfheal.printers.fields import text
from selfheal.printers.pods import TERMINAL
from selfheal.spec import pod_spec

KEPT = 100
"""Events that are kept for showing."""
ENOUGH = 5
"""Lines of a table that are worth showing: a blank one, the heading, and what matters most."""
GOOD, BAD, WAITING = "good", "bad", "waiting"


@dataclass(frozen=True, slots=True)
class Line:
    """A row, and how what it tells of is."""

    cells: tuple[str, ...]
    mood: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """As much of it as there is room for, and how many rows there are besides."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    hidden: int = 0


class Glance:
    """One cluster, looked at again and again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._events: dict[tuple[Any, ...], dict[str, Any]] = {}
        """The last of each, in order of time: one that is repeated takes the place of the one before."""
        self._known: dict[Key, tuple[Object, pods.PodSummary]] = {}
        self.close = cluster.timeline.subscribe(self._hear)

    def _hear(self, record: dict[str, Any]) -> None:
        if record["kind"] == "Event":
            same = tuple(record.get(word) for word in ("namespace", "object", "field", "reason", "message"))
            self._events.pop(same, None)
            self._events[same] = record
            if len(self._events) > KEPT:
                del self._events[next(iter(self._events))]

    def headline(self, now: int) -> str:
        """How many there are, and for how long the cluster has been there (``now`` in µs)."""
        store = self._cluster.store
        there, asked = store.list("Node"), store.list("Pod")
        ready = sum(condition_true(n, "Ready") for n in there), sum(condition_true(p, "Ready") for p in asked)
        return (
            f"nodes: {ready[0]} of {len(there)} ready   pods: {ready[1]} of {len(asked)} ready   "
            f"{self._cluster.clock.timestamp(now)}, {human(now // SECOND)} since the start"
        )

    def tables(self, now: int, height: int) -> list[Table]:
        """Nodes, pods, probes and events, in so many lines at most; what is in trouble is shown first if not all is."""
        wanted: list[tuple[tuple[str, ...], Sequence[Any], Any]] = [
            (("NODE", "STATUS", "PODS"), self._cluster.store.list("Node"), self._node),
            (("POD", "STATUS", "READY", "RESTARTS", "BACK-OFF", "NODE"), self._pods(), self._pod),
            (("PROBE OF", "CONTAINER", "PROBE", "LAST ANSWER", "VERDICT", "NEXT"), self._workers(), self._probe),
            (("AGO", "EVENT", "OBJECT", "MESSAGE"), list(reversed(self._events.values())), self._event),
        ]
        for first in ("", "NODE", "AGO", "PROBE OF"):  # what can be done without, where there is little room
            if first == "" or height < ENOUGH * len(wanted):
                wanted = [table for table in wanted if table[1] and table[0][0] != first]
        rooms = shares([len(found) for _, found, _ in wanted], height - 2 * len(wanted))
        out = []
        for (columns, found, line), room in zip(wanted, rooms, strict=True):
            hidden = len(found) - room if line != self._event else 0
            if hidden:
                room -= 1
                found = sorted(found, key=self._is_well)
            if room > 0:
                shown = tuple(line(thing, now) for thing in found[:room])
                out.append(Table(columns, shown, hidden + 1 if hidden else 0))
        return out

    def _is_well(self, thing: Any) -> bool:
        if isinstance(thing, Worker):
            return thing.results.get(thing.container_id) != FAILURE
        if thing["kind"] == "Pod":
            return self._seen(thing)[1] == GOOD
        return condition_true(thing, "Ready")

    # ---- nodes and pods

    def _node(self, node: Object, _: int) -> Line:
        word, held = nodes.status(node), len(self._cluster.store.pods_on(name(node)))
        return Line(plain(name(node), word, held), GOOD if word == "Ready" else BAD)

    def _pods(self) -> list[Object]:
        found = list(self._cluster.store.list("Pod"))
        there = {key(pod) for pod in found}
        self._known = {where: seen for where, seen in self._known.items() if where in there}
        return sorted(found, key=key)

    def _seen(self, pod: Object) -> tuple[pods.PodSummary, str]:
        """Its summary, which costs something and holds until the pod is another, and its mood."""
        known = self._known.get(key(pod))
        if known is None or known[0] is not pod:
            known = self._known[key(pod)] = (pod, pods.summary(pod))
        seen = known[1]
        if seen.status in ("Running", "Completed", "Succeeded") and (seen.ready == seen.total or not seen.ready):
            return seen, GOOD if seen.ready == seen.total or seen.status != "Running" else WAITING
        calm = seen.status in ("Pending", "ContainerCreating", "PodInitializing", "Running", "Terminating")
        return seen, WAITING if calm or re.match(r"Init:\d", seen.status) else BAD

    def _pod(self, pod: Object, now: int) -> Line:
        seen, mood = self._seen(pod)
        held = [f"{left / SECOND:.0f} s" for left in self._held(pod, now)]
        node = text(pod, "spec.nodeName") or "<none>"
        return Line(
            plain(where(pod), seen.status, f"{seen.ready}/{seen.total}", seen.restarts, ", ".join(held), node), mood
        )

    def _held(self, pod: Object, now: int) -> Iterator[int]:
        """For how long the restarts that are held back still are, in µs."""
        node = next((n for n in self._cluster.nodes if n.name == text(pod, "spec.nodeName") and n.powered), None)
        if node is None or text(pod, "status.phase") in TERMINAL:
            return
        spec = pod_spec(pod)
        for container in (*spec.init_containers, *spec.containers):
            until = node.kubelet.manager.held_until(pod, container)
            if until is not None:
                yield max(0, until - now)

    # ---- probes and events

    def _workers(self) -> list[Worker]:
        kubelets = (node.kubelet for node in self._cluster.nodes if node.powered)
        found = [worker for kubelet in kubelets for worker in kubelet.prober.workers.values()]
        return sorted(found, key=lambda w: (key(w.manager.pods[w.pod_uid]), w.container.name, w.type))

    def _probe(self, worker: Worker, now: int) -> Line:
        worker.settle()  # what a parked one would have counted by now
        pod = worker.manager.pods[worker.pod_uid]
        verdict = worker.results.get(worker.container_id) or "Unknown"
        if worker.on_hold:
            last = "waits for a new instance" if verdict == FAILURE else "has answered"
        elif not worker.result_run:
            last = "not asked yet"
        elif worker.last_result == FAILURE:
            run, of = worker.result_run, worker.probe.failure_threshold
            last = f"failed, {run} of {of}" if run <= of else f"failed, {run} in a row"
        else:
            last = f"passed, {worker.result_run} in a row"
        due = worker.base + ((now - worker.base) // worker.period + 1) * worker.period - now
        bad = worker.last_result == FAILURE or verdict == FAILURE
        return Line(
            plain(where(pod), worker.container.name, worker.type, last, verdict, f"{due / SECOND:.0f} s"),
            BAD if bad else GOOD if verdict == "Success" else WAITING,
        )

    def _event(self, record: dict[str, Any], now: int) -> Line:
        about = f"{record['namespace']}/" if record.get("namespace") not in (None, "default") else ""
        times = f" (x{record['count']})" if record["count"] > 1 else ""
        said = f"{str(record['message']).strip()}{times}"
        age = human(max(0, int(now / SECOND - record["t"])))
        return Line(
            plain(age, record["reason"], about + record["object"], said), BAD if record["type"] == "Warning" else ""
        )


def where(obj: Object) -> str:
    """A name, with its namespace if that is not the usual one."""
    return name(obj) if namespace(obj) == "default" else f"{namespace(obj)}/{name(obj)}"


def plain(*cells: Any) -> tuple[str, ...]:
    """Cells of one line, with nothing in them that a terminal would obey."""
    return tuple("".join(c if c.isprintable() else "·" for c in str(cell).partition("\n")[0]) for cell in cells)


def shares(wanted: Iterable[int], room: int) -> list[int]:
    """Lines for each: who wants less than an equal part leaves the rest to the others."""
    wanted = list(wanted)
    given = [0] * len(wanted)
    for done, i in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        given[i] = max(0, min(wanted[i], room // (len(wanted) - done)))
        room -= given[i]
    return given
