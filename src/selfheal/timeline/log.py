"""The timeline: an append-only list of records, with queries and a file format.

A *record* is a dict of ``t`` (seconds, to the millisecond), ``kind``, ``namespace``,
``object`` (``Pod/web-0``) and the facts of that kind (:mod:`selfheal.timeline.facts`). Its
``id`` is its place in the list. Why it came about, its cause, is kept beside it and
costs nothing until somebody asks.

Three kinds of records are the simulator's own, since nobody can see them from outside a
real cluster: ``Probe`` (what a probe worker did at its tick), ``Traffic`` (requests per second)
and ``App`` (what the app itself knows about its health). Equal ones in a row are one record, a
*stretch* of ``times`` occurrences ``every`` so many seconds; whoever writes stretches may
leave the last one open and bring it up to date when somebody reads (:attr:`Timeline.settle`).

In a file each record is one line of JSON, after a header line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from selfheal.clock import SECOND
from selfheal.rules import Cause

Record = dict[str, Any]
"""One line of a timeline."""

SIMULATOR_ONLY = frozenset({"Probe", "Traffic", "App"})
"""Kinds that no recorder on a real cluster could write."""


class TimelineError(ValueError):
    """A file that is not a timeline; says which line and why."""


class Timeline:
    """What happened, in order of time.

    ``header`` is the first line of its file: ``{"timeline": 1, "source": …, "scenario": …, "until": …}``.
    """

    def __init__(self, header: Mapping[str, Any] | None = None) -> None:
        self.header: dict[str, Any] = {"timeline": 1, **(header or {})}
        self.settle: list[Callable[[], object]] = []
        """Called before anything is read: whoever keeps an open stretch brings it up to date here."""
        self._records: list[Record] = []
        self._causes: list[Cause | None] = []
        self._subscribers: list[Callable[[Record], object]] = []
        self._first_of: dict[Cause, int] = {}
        self._indexed = 0
        self._settling = False

    # ---- writing

    def append(self, record: Record, cause: Cause | None = None) -> Record:
        """Add a record; gives it its ``id`` and tells the subscribers."""
        record["id"] = len(self._records)
        self._records.append(record)
        self._causes.append(cause)
        for tell in self._subscribers:
            tell(record)
        return record

    def sort(self) -> None:
        """Put the records in order of time, where several writers took turns; they are numbered anew."""
        order = sorted(range(len(self._records)), key=lambda i: self._records[i]["t"])
        self._records = [self._records[i] for i in order]
        self._causes = [self._causes[i] for i in order]
        self._first_of, self._indexed = {}, 0
        for number, record in enumerate(self._records):
            record["id"] = number

    def subscribe(self, callback: Callable[[Record], object]) -> Callable[[], None]:
        """Call ``callback(record)`` for each record as it is written; returns what ends it."""
        self._subscribers.append(callback)

        def stop() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return stop

    # ---- reading

    @property
    def records(self) -> list[Record]:
        """All records so far; not to be changed."""
        self._settle()
        return self._records

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, id: int) -> Record:
        return self.records[id]

    def __repr__(self) -> str:
        return f"<Timeline {self.header.get('scenario', '')!r}: {len(self)} records, {self.end:g} s>"

    @property
    def end(self) -> float:
        """Until when it was watched, in seconds."""
        last = self._records[-1]["t"] if self._records else 0.0
        return float(max(self.header.get("until") or 0, last))

    def cause(self, record: Record) -> Cause | None:
        """Why the record came about, if whoever wrote it knew."""
        return self._causes[record["id"]]

    def first_with(self, cause: Cause) -> Record | None:
        """The first record that has exactly this cause: when the cause was first felt."""
        found = self._record_of(cause)
        return None if found is None else self._records[found]

    def caused_by(self, record: Record) -> Record | None:
        """The record nearest up the chain of causes: the exit behind a restart, the action behind a deletion."""
        cause = self.cause(record)
        while cause is not None:
            first = self._record_of(cause)
            if first is not None and first < record["id"]:
                return self._records[first]
            cause = cause.parent
        return None

    def select(
        self,
        *,
        kind: str | None = None,
        object: str | None = None,
        namespace: str | None = None,
        since: float | None = None,
        until: float | None = None,
        **equal: Any,
    ) -> list[Record]:
        """The records that match, for instance ``select(kind="Event", object="Pod/web-0", reason="Killing")``.

        ``since`` and ``until`` are seconds, both included; any further name is a key that must have that value.
        """
        return [
            r
            for r in self.records
            if (kind is None or r["kind"] == kind)
            and (object is None or r.get("object") == object)
            and (namespace is None or r.get("namespace") == namespace)
            and (since is None or r["t"] >= since)
            and (until is None or r["t"] <= until)
            and all(key in r and r[key] == value for key, value in equal.items())
        ]

    def objects(self, kind: str | None = None) -> list[str]:
        """The objects it tells of (``Pod/web-0``), in order of their first record."""
        found: dict[str, None] = {}
        for r in self.records:
            if kind in (None, r["kind"]) and r["kind"] not in ("Event", "Action"):
                found.setdefault(r["object"])
        return list(found)

    def at(self, t: float) -> dict[str, Record]:
        """How things stood ``t`` seconds in: the newest record of each object that exists then.

        Keys are ``Pod/web-0``, outside the namespace ``default`` ``other/Pod/web-0``.
        """
        now: dict[str, Record] = {}
        for r in self.records:
            if r["t"] > t:
                break
            if r["kind"] in SIMULATOR_ONLY or r["kind"] in ("Event", "Action"):
                continue
            key = r["object"] if r.get("namespace", "default") == "default" else f"{r['namespace']}/{r['object']}"
            if r.get("deleted"):
                now.pop(key, None)
            else:
                now[key] = r
        return now

    def starts(self, pod: str, container: str | None = None, namespace: str = "default") -> list[float]:
        """When a container of the pod began to run, as its status says; restarts included."""
        return [t for t, _ in self._runs(pod, container, namespace)]

    def restarts(self, pod: str, container: str | None = None, namespace: str = "default") -> list[float]:
        """When a container of the pod began to run again."""
        return [t for t, count in self._runs(pod, container, namespace) if count > 0]

    def kills(self, pod: str, container: str | None = None, namespace: str = "default") -> list[float]:
        """When the kubelet set out to stop a container of the pod (event ``Killing``)."""
        found = self.select(kind="Event", object=_pod(pod), namespace=namespace, reason="Killing")
        return [r["t"] for r in found if container is None or r.get("field", "").endswith(f"{{{container}}}")]

    def ready_intervals(self, pod: str, namespace: str = "default") -> list[tuple[float, float]]:
        """From when to when the pod's condition Ready was True; the last one lasts until the end."""
        intervals: list[tuple[float, float]] = []
        since: float | None = None
        for r in self.select(kind="Pod", object=_pod(pod), namespace=namespace):
            ready = r["conditions"].get("Ready") == "True" and not r.get("deleted")
            if ready and since is None:
                since = r["t"]
            elif not ready and since is not None:
                intervals.append((since, r["t"]))
                since = None
        if since is not None:
            intervals.append((since, self.end))
        return intervals

    def _runs(self, pod: str, container: str | None, namespace: str) -> Iterator[tuple[float, int]]:
        """(t, restart count) of each start of a container."""
        running: dict[str, int] = {}
        for r in self.select(kind="Pod", object=_pod(pod), namespace=namespace):
            for c in (*r.get("initContainers", ()), *r["containers"]):
                name = c["name"]
                if container not in (None, name):
                    continue
                if c["state"] != "running" or r.get("deleted"):
                    running.pop(name, None)
                elif running.get(name) != c["restartCount"]:
                    running[name] = c["restartCount"]
                    yield r["t"], c["restartCount"]

    def _settle(self) -> None:
        if self.settle and not self._settling:
            self._settling = True
            try:
                for bring_up_to_date in self.settle:
                    bring_up_to_date()
            finally:
                self._settling = False

    def _record_of(self, cause: Cause) -> int | None:
        """The first record that has this cause."""
        for id in range(self._indexed, len(self._causes)):
            known = self._causes[id]
            if known is not None:
                self._first_of.setdefault(known, id)
        self._indexed = len(self._causes)
        return self._first_of.get(cause)

    # ---- files

    def lines(self, record_all: bool = False) -> Iterator[str]:
        """Its lines as JSON, without line ends: what a recorder on a real cluster could have written.

        With ``record_all`` also the simulator's own kinds, and with each record its ``id`` and ``cause``
        (``id`` of the record it came from, ``rule``, ``inputs``; ``via`` for steps between the two
        that left no record).
        """
        yield json.dumps(self.header, ensure_ascii=False)
        for r in self.records:
            if record_all:
                cause = self._cause_json(r)
                yield json.dumps(r if cause is None else {**r, "cause": cause}, ensure_ascii=False, default=str)
            elif r["kind"] not in SIMULATOR_ONLY:
                yield json.dumps({key: value for key, value in r.items() if key != "id"}, ensure_ascii=False)

    def to_jsonl(self, record_all: bool = False) -> str:
        """The whole file as text; see :meth:`lines`."""
        return "".join(line + "\n" for line in self.lines(record_all))

    def save(self, path: str | os.PathLike[str], record_all: bool = False) -> None:
        """Write it to a file; see :meth:`lines`."""
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in self.lines(record_all))

    @classmethod
    def from_lines(cls, lines: Iterable[str], name: str = "timeline") -> Timeline:
        """Read what :meth:`lines` writes. Raises :class:`TimelineError`."""
        timeline: Timeline | None = None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TimelineError(f"{name}: line {number} is not JSON ({error})") from None
            if timeline is None:
                if not isinstance(record, dict) or record.get("timeline") != 1:
                    raise TimelineError(f'{name}: the first line must be a header {{"timeline": 1, …}}')
                timeline = cls(record)
                continue
            problem = _malformed(record)
            if problem:
                raise TimelineError(f"{name}: line {number}: {problem}")
            record.pop("id", None)
            timeline.append(record, timeline._cause_from_json(record.pop("cause", None)))
        if timeline is None:
            raise TimelineError(f"{name}: is empty")
        return timeline

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Timeline:
        """Read a file. Raises :class:`TimelineError` (also for text that is not UTF-8) and OSError."""
        with Path(path).open(encoding="utf-8") as file:
            try:
                return cls.from_lines(file, os.fspath(path))
            except UnicodeDecodeError as error:
                raise TimelineError(f"{os.fspath(path)}: is not UTF-8 text ({error})") from None

    def _cause_json(self, record: Record) -> dict[str, Any] | None:
        cause = self.cause(record)
        if cause is None:
            return None
        origin = self.caused_by(record)
        out: dict[str, Any] = {} if origin is None else {"id": origin["id"]}
        out.update(_step(cause))
        goal = None if origin is None else self._causes[origin["id"]]
        if cause is goal:
            out["same"] = True
            return out
        via, step = [], cause.parent
        while step is not None and step is not goal:
            via.append(_step(step))
            step = step.parent
        if via:
            out["via"] = via
        return out

    def _cause_from_json(self, given: Any) -> Cause | None:
        if not isinstance(given, dict) or "rule" not in given:
            return None
        origin = given.get("id")
        parent = self._causes[origin] if isinstance(origin, int) and 0 <= origin < len(self._causes) else None
        if given.get("same") and parent is not None:
            return parent
        for step in reversed(given.get("via", ())):
            parent = _cause(step, parent)
        return _cause(given, parent)


def _step(cause: Cause) -> dict[str, Any]:
    """One step of a chain, for a file."""
    out: dict[str, Any] = {"rule": cause.rule, "inputs": cause.inputs}
    if cause.at is not None:
        out["at"] = round(cause.at / SECOND, 3)
    return out


def _cause(step: Mapping[str, Any], parent: Cause | None) -> Cause:
    at = step.get("at")
    cause = Cause(step["rule"], parent, None if at is None else round(at * SECOND))
    cause.inputs = dict(step.get("inputs") or {})
    return cause


def _pod(name: str) -> str:
    """``web-0``, ``pod/web-0`` and ``Pod/web-0`` all name ``Pod/web-0``."""
    return "Pod/" + name.rpartition("/")[2]


def _malformed(record: Any) -> str | None:
    """What is wrong with a line, if anything."""
    if not isinstance(record, dict):
        return "a record must be a JSON object"
    t, kind = record.get("t"), record.get("kind")
    if isinstance(t, bool) or not isinstance(t, int | float) or not 0 <= t < float("inf"):
        return f"t must be seconds, not {json.dumps(t)}"
    if not isinstance(kind, str):
        return f"kind must be text, not {json.dumps(kind)}"
    if kind != "Action" and not isinstance(record.get("object"), str):
        return f"{kind} without object"
    if kind == "Pod" and not (
        isinstance(record.get("conditions"), dict) and isinstance(record.get("containers"), list)
    ):
        return "Pod without conditions or containers"
    return None
