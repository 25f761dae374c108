"""A whole timeline, told as steps.

Of numbers (``replicas``, ``ready`` …) only the turning points are steps: whether a ReplicaSet counts
0 → 1 → 3 or 0 → 2 → 3 depends on who looks when. A controller's steps are measured from the last change in whatever it
watches; those of a pod have causes of their own (:mod:`~selfheal.timeline.podsteps`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

from selfheal.timeline.log import SIMULATOR_ONLY, Record, Timeline
from selfheal.timeline.podsteps import PodSteps
from selfheal.timeline.roles import Roles, target
from selfheal.timeline.steps import BUSY, COMBINED, SIDE_BY_SIDE, Step

IGNORED_EVENTS = frozenset(
    {
        "FailedMount",  # a busy kubelet's noise
        "Starting",  # the kubelet's and the proxy's own start
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeAllocatableEnforced",
        "InvalidDiskCapacity",
    }
)
_PROBE_EVENT = re.compile(r"^(Liveness|Readiness|Startup) probe (failed|errored|warning)")
_NOT_FACETS = ("t", "kind", "namespace", "object", "id", "owner", "conditions", "reasons")
_CLOCK_TIMES = ("lastSchedule", "lastSuccessful")
_DIPS = ("ready ", "started ", "condition Ready", "condition ContainersReady")
"""What falls and rises again when a container is restarted at once."""


class Story:
    """A timeline, told as steps."""

    def __init__(self, timeline: Timeline) -> None:
        self.end = timeline.end
        self.roles = Roles(timeline)
        self.rows: dict[str, dict[str, list[Step]]] = {}
        """role → facet → its steps in order."""
        self.actions: list[Step] = []
        self.kinds: set[str] = set()
        self._last: dict[tuple[str, str], Step] = {}
        self._pods: dict[str, PodSteps] = {}
        self._owner: dict[str, str] = {}
        for r in timeline:
            if r["kind"] not in SIMULATOR_ONLY:
                self._read(r)
        for pod in self._pods.values():
            pod.find_causes(self)
        self._find_triggers()
        self._turning_points()
        self._mark_fleeting()

    # ---- reading records

    def _read(self, r: Record) -> None:
        kind = r["kind"]
        if kind == "Action":
            name = target(r)
            role = self.roles.role(name) if name else ""
            words = f"action {r['verb']}"
            self.actions.append(Step(role, "action", r["verb"], r["t"], words, container="action"))
            return
        if self.roles.untold(r["object"]):
            return
        role = self.roles.role(r["object"])
        if role == "EndpointSlice/kubernetes":
            return
        if kind == "Event":
            if r["reason"] not in IGNORED_EVENTS:
                self._event(role, r)
            return
        self.kinds.add(kind)
        exists = self.step(role, "exists", "deleted" if r.get("deleted") else "created", r["t"])
        if kind == "Pod" and exists is not None:
            self._pod(role).begin_or_end(exists)
        if r.get("owner"):
            self._owner[role] = self.roles.role(r["owner"])
        if r.get("deleted"):
            return
        if kind == "Pod":
            self._pod(role).read(self, r)
        elif kind == "EndpointSlice":
            self._endpoints(role, r)
        else:
            for key, value in r.items():
                if key not in _NOT_FACETS and key not in _CLOCK_TIMES:
                    fact = ", ".join(value) if isinstance(value, list) else value
                    self.step(role, key, fact, r["t"], f"{key} {fact}")
            self.conditions(role, r)

    def step(
        self, role: str, facet: str, value: object, t: float, words: str = "", again: bool = False, **more: Any
    ) -> Step | None:
        """A new step, unless the facet has that value already (events happen ``again``)."""
        before = self._last.get((role, facet))
        if before is not None and not again:
            if before.value == value:
                return None
            before.until = t
        step = Step(role, facet, value, t, words or f"{value}", **more)
        self._last[role, facet] = step
        self.rows.setdefault(role, {}).setdefault(facet, []).append(step)
        return step

    def has(self, role: str, facet: str) -> bool:
        """Whether the facet has had a value yet."""
        return (role, facet) in self._last

    def _pod(self, role: str) -> PodSteps:
        return self._pods.setdefault(role, PodSteps(role))

    def conditions(self, role: str, r: Record) -> list[Step]:
        made = []
        reasons = r.get("reasons") or {}
        for name, status in r["conditions"].items() if "conditions" in r else ():
            reason = reasons.get(name)
            words = f"{name} {status}" + (f" ({reason})" if reason else "")
            step = self.step(role, f"condition {name}", (status, reason), r["t"], words)
            if step:
                made.append(step)
        return made

    def _endpoints(self, role: str, r: Record) -> None:
        now: dict[str, str] = {}
        for e in r["endpoints"]:
            flags = [flag for flag in ("ready", "serving", "terminating") if e[flag]]
            now[self.roles.role(f"Pod/{e['pod']}")] = " ".join(flags) or "not ready"
        known = [facet for facet in self.rows.get(role, {}) if facet.startswith("endpoint ")]
        for pod in dict.fromkeys([*now, *(facet.removeprefix("endpoint ") for facet in known)]):
            value = now.get(pod, "gone")
            self.step(role, f"endpoint {pod}", value, r["t"], f"endpoint {pod} {value}")

    def _event(self, role: str, r: Record) -> None:
        text = self.roles.text(r["message"].removeprefix(COMBINED))
        found = _PROBE_EVENT.match(text)
        probe = found[1].lower() if found else ""
        if found and found[2] == "errored":
            text = text.partition("state: ")[0]  # the rest is the runtime's own wording
        container = r["field"].partition("{")[2].rstrip("}") if "field" in r else ""
        facet = " ".join(("event", r["reason"], r["type"], r["from"], container, text))
        words = f"{r['reason']} {container}".rstrip()
        if probe:
            words = f"{r['reason']} ({probe} probe of {container})"
        elif not container:
            words = f"{r['reason']} “{text}”"
        if role.startswith("Pod/"):
            self._pod(role).event(self, r, facet, words, container, probe)
            return
        if r["reason"] == "FailedScheduling" and (role, facet) in self._last:
            return
        count = 0 if r["message"].startswith(COMBINED) else r["count"]
        self.step(role, facet, "event", r["t"], words, again=True, count=count)

    # ---- what controllers react to

    def _find_triggers(self) -> None:
        """Give each step of a controller, and each creation and removal of a pod, its time since the last trigger."""
        begun = [(0.0, ""), *((a.t, "") for a in self.actions)]
        family: dict[str, list[tuple[float, str]]] = {}
        """role → when something happened to it or to what it owns, and to whom."""
        for role, rows in self.rows.items():
            kind = role.partition("/")[0]
            times = [(s.t, role) for facet, steps in rows.items() for s in steps if _matters(kind, facet)]
            if kind == "Pod":
                family.setdefault("pods", []).extend(times)
            owner = self._owner.get(role, "")
            while owner:
                family.setdefault(owner, []).extend(times)
                owner = self._owner.get(owner, "")
            wishes = [s for facet in ("desired", "exists", "suspend") for s in rows.get(facet, ())]
            family.setdefault(role, []).extend((s.t, role) for s in wishes)
        for role, rows in self.rows.items():
            kind = role.partition("/")[0]
            if kind == "Pod":
                watched = sorted([*begun, *family.get(self._owner.get(role, ""), ())])
                for s in (*rows.get("exists", ()), *rows.get("terminating", ())):
                    if not s.causes:
                        s.since = _since(watched, s.t, role)
                continue
            everyone = family.get("pods", []) if kind in ("EndpointSlice", "PodDisruptionBudget", "Node") else []
            watched = sorted([*begun, *family.get(role, ()), *everyone])
            for facet, steps in rows.items():
                own = watched
                if facet.startswith("endpoint "):
                    pod = facet.removeprefix("endpoint ")
                    own = sorted((s.t, pod) for row in self.rows.get(pod, {}).values() for s in row) or watched
                for s in steps:
                    s.since = _since(own, s.t, "")

    def _turning_points(self) -> None:
        for rows in self.rows.values():
            for facet, steps in rows.items():
                if all(type(s.value) is int for s in steps):
                    rows[facet] = [
                        s
                        for i, s in enumerate(steps)
                        if i in (0, len(steps) - 1)
                        or (
                            not (_number(steps[i - 1]) < _number(s) < _number(steps[i + 1]))
                            and not (_number(steps[i - 1]) > _number(s) > _number(steps[i + 1]))
                        )
                    ]

    def _mark_fleeting(self) -> None:
        for role, rows in self.rows.items():
            for facet, steps in rows.items():
                if facet.startswith("event "):
                    continue
                merged = not role.startswith("Pod/") or facet.startswith(_DIPS)
                for s in steps:
                    if s.until - s.t < (BUSY if merged else SIDE_BY_SIDE):
                        s.fleeting = True


def _number(step: Step) -> int:
    assert isinstance(step.value, int)
    return step.value


def _matters(kind: str, facet: str) -> bool:
    """Whether a controller that watches this kind reacts to a change of this facet."""
    if kind == "Pod":
        return facet in ("exists", "phase", "terminating", "condition Ready", "owner")
    return not facet.startswith("event ")


def _since(watched: list[tuple[float, str]], t: float, but: str) -> float:
    """Seconds since the last of the sorted ``watched`` moments, those of ``but`` left out.

    Watches are read side by side, so it may have been seen just after ``t``; but pods are all read by one watch, so
    that a pod that came after another one went is never why it went.
    """
    place = bisect_right(watched, (t + SIDE_BY_SIDE / 2, "~"))
    while place:
        when, who = watched[place - 1]
        if who != but and not (when > t and who.startswith("Pod/") and but.startswith("Pod/")):
            break
        place -= 1
    return max(0.0, t - watched[place - 1][0]) if place else t
