"""The steps of a pod, and how they hang together: each step's cause.

=============================================  ====================================================================
a pod's own start                              its creation; may come late on a busy machine
``Killing`` by a probe                         that probe's last ``Unhealthy``
``Unhealthy``, the first in a run              the container's start or the pod's first status (ticks count from it)
                                               or what was last done to the pod, or its deletion: one must fit
``Unhealthy``, others                          the one before, and the second before
a container's end                              its ``Killing``; else its start, or what was done to the pod
``Pulled`` again, at once                      ``Killing``, the end, or the start before
``Pulled`` again, held back                    the end before: a *hold*, judged by the range of its back-off
``Created``, ``Started``, running again        their ``Pulled``
``waiting / CrashLoopBackOff``                 the ``BackOff`` or ``Pulled`` it came with, else the end
``ready`` true, ``started``                    one of: the probe's last failure, the start, what was done to the pod
``ready`` false                                the ``Unhealthy`` that reached the threshold, or the container's end
Ready, ContainersReady                         the container's ``ready``
phase Succeeded, Failed; deletion              the last container's end
controllers, endpoints                         the last change in what they watch, whichever it was
=============================================  ====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, Protocol

from selfheal.timeline.log import Record
from selfheal.timeline.roles import Roles
from selfheal.timeline.steps import BUSY, COMBINED, SIDE_BY_SIDE, Step, known, latest

_AT_THE_EXIT = re.compile(r"connection refused|errored|EOF|reset by peer")
_RUNTIMES_OWN = ("RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun")
_IN_START = ("Scheduled", "Pulled", "Created", "Started")


class _Teller(Protocol):
    """What a pod needs of the story it is part of."""

    roles: Roles
    actions: list[Step]

    def step(
        self, role: str, facet: str, value: object, t: float, words: str, again: bool = False, **more: Any
    ) -> Step | None: ...
    def has(self, role: str, facet: str) -> bool: ...
    def conditions(self, role: str, r: Record) -> list[Step]: ...


class PodSteps:
    """The steps of one pod, and how they hang together."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.steps: list[Step] = []
        self.lives: dict[str, int] = {}
        self.first_status: Step | None = None
        self.has_run = False
        self.by: dict[tuple[str, str, int], list[Step]] = {}
        """(what, container, life) → steps: start, exit, crash, BackOff, Killing, Pulled."""

    # ---- reading

    def begin_or_end(self, exists: Step) -> None:
        self.steps.append(exists)
        self.has_run = False

    def read(self, story: _Teller, r: Record) -> None:
        t = r["t"]
        made: list[Step | None] = []

        def step(facet: str, value: object, words: str, **more: Any) -> Step | None:
            new = story.step(self.role, facet, value, t, words, late=not self.has_run, **more)
            made.append(new)
            return new

        step("phase", (r["phase"], r.get("reason")), f"phase {r['phase']}")
        if r.get("terminating"):
            step("terminating", True, "marked for deletion")
        if "node" in r:
            step("scheduled", True, "scheduled")
        if "owner" in r or story.has(self.role, "owner"):
            owner = story.roles.role(r["owner"]) if "owner" in r else None
            step("owner", owner, f"owner {owner}")
        for c in (*r.get("initContainers", ()), *r["containers"]):
            self._container(story, c, step)
        for s in story.conditions(self.role, r):
            s.late = not self.has_run
            made.append(s)
        if self.first_status is None and r["conditions"].get("Ready"):
            self.first_status = next((s for s in made if s), None)
        self.has_run |= any(c["state"] != "waiting" or "last" in c for c in r["containers"])
        self.steps.extend(s for s in made if s and s not in self.steps)

    def _container(self, story: _Teller, c: Record, step: Callable[..., Step | None]) -> None:
        name, state, reason = c["name"], c["state"], c["reason"]
        last = c.get("last") or {}
        begun = state != "waiting" or bool(last) or c["restartCount"] > 0
        life = c["restartCount"] + 1 if begun else 0
        message = None if reason in _RUNTIMES_OWN else story.roles.text(c.get("message", "")) or None
        value = (state, reason, c["exitCode"], c["restartCount"], message, last.get("reason"), last.get("exitCode"))
        words = f"{name} {state}" + (f" ({reason})" if reason else "")
        if state == "running" and life > 1:
            words += f" (restart {life - 1})"
        if state == "terminated":
            words += f" with code {c['exitCode']}"
        s = step(f"container {name}", value, words, container=name, life=life)
        if s:
            what = {"running": "start", "terminated": "exit"}.get(state, "crash" if begun else "wait")
            self._keep(what, s)
            if what == "start":
                self.lives[name] = max(self.lives.get(name, 0), life)
            if reason in ("ContainerCreating", "PodInitializing") or (reason is None and state == "waiting"):
                s.fleeting = True
        for flag in ("ready", "started"):
            on = bool(c[flag])
            if on or story.has(self.role, f"{flag} {name}"):
                f = step(f"{flag} {name}", on, f"{name} {'' if on else 'not '}{flag}", container=name, life=life)
                if f:
                    self._keep(flag, f)

    def event(self, story: _Teller, r: Record, facet: str, words: str, container: str, probe: str) -> None:
        reason = r["reason"]
        if reason == "FailedScheduling" and story.has(self.role, facet):
            return
        life = self.lives.get(container, 0)
        if reason == "Started":
            life = self.lives[container] = max(life, r["count"])
        elif reason in ("Pulled", "Created", "Pulling"):
            life += 1
        value = f"life {life}" if container else "event"
        if container and life > 1 and reason in _IN_START:
            words += f" (restart {life - 1})"
        s = story.step(
            self.role,
            facet,
            value,
            r["t"],
            words,
            again=True,
            container=container,
            life=life,
            probe=probe,
            count=0 if r["message"].startswith(COMBINED) else r["count"],
            late=not self.has_run and reason in _IN_START and life <= 1,
        )
        assert s is not None
        self._keep(f"{reason} {probe}".rstrip(), s)
        self.steps.append(s)

    def _start(self, container: str, life: int) -> Step | None:
        """When a life began: the event ``Started``, or the status if the event was dropped."""
        return self._first("Started", container, life) or self._first("start", container, life)

    def _keep(self, what: str, s: Step) -> None:
        self.by.setdefault((what, s.container, s.life), []).append(s)

    # ---- causes

    def find_causes(self, story: _Teller) -> None:
        self.steps.sort(key=lambda s: s.t)
        self._number_runs()
        actions = [a for a in story.actions if a.role == self.role]
        created = next((s for s in self.steps if s.facet == "exists"), None)
        for s in self.steps:
            s.causes = tuple(c for c in self._causes(s, actions, created) if c is not s)
            if s.late and s.until - s.t < BUSY and not s.facet.startswith("event "):
                s.fleeting = True
        for (what, container, life), exits in self.by.items():
            again = self._first("start", container, life + 1) or self._first("Pulled", container, life + 1)
            for s in exits if what == "exit" else ():
                s.fleeting |= again is not None and again.t - s.t < BUSY
        self._mark_chance_probes(actions)

    def _number_runs(self) -> None:
        """Number each probe's runs of failures in a life; what was well in between begins a new one."""
        probes: dict[tuple[str, str], list[Step]] = {}
        for s in self.steps:
            start = self._start(s.container, s.life)
            s.age = s.t - start.t if start else s.t
            if s.probe:
                probes.setdefault((s.container, s.probe), []).append(s)
        for (container, probe), row in probes.items():
            gaps = [b.t - a.t for a, b in pairwise(row) if b.t - a.t > 0.5]
            period = min(gaps, default=0.0)
            for before, s in pairwise(row):
                if s.life != before.life:
                    continue
                if probe == "readiness":
                    s.run = sum(1 for f in self._all("ready", container, s.life) if f.value and f.t < s.t)
                else:
                    s.run = before.run + (s.t - before.t > 1.5 * period)

    def _causes(self, s: Step, actions: list[Step], created: Step | None) -> Iterable[Step]:
        c, n, t = s.container, s.life, s.t
        done = latest(actions, t)
        if s.facet == "exists" and s.value == "created":
            return ()
        if s.late:
            return known(created)
        if s.facet.startswith("event "):
            return self._event_causes(s, done)
        if s.facet.startswith("container "):
            return self._state_causes(s, done)
        if s.facet == f"ready {c}":
            failures = self._all("Unhealthy readiness", c, n)
            if not s.value:
                state = self._all("exit", c, n) + self._all("crash", c, n) + self._all("start", c, n)
                near = [x for x in state if x.t == t] or [x for x in failures if abs(x.t - t) < 1.5 * SIDE_BY_SIDE]
                if near:
                    s.direct = True
                    return sorted(near, key=lambda x: abs(x.t - t))
            failed = latest(failures, t + SIDE_BY_SIDE)
            s.choose = "any"
            return known(failed, self._start(c, n), done, self.first_status if n == 1 else None)
        if s.facet == f"started {c}":
            state = self._all("exit", c, n) + self._all("crash", c, n)
            if not s.value and any(x.t == t for x in state):
                return [x for x in state if x.t == t]
            s.choose = "any"
            failed = latest(self._all("Unhealthy startup", c, n), t + SIDE_BY_SIDE)
            return known(failed, self._start(c, n), self.first_status if n == 1 else None)
        if s.facet in ("condition Ready", "condition ContainersReady"):
            flags = ("ready ", "phase", "terminating", "condition ")
            behind = [
                x
                for x in self.steps
                if x.facet.startswith(flags) and x.facet not in ("condition Ready", "condition ContainersReady")
            ]
            return known(latest([*behind, *actions], t + SIDE_BY_SIDE / 2))
        if s.facet == "terminating":
            return known(done if done is not None and t - done.t < 5 else None)
        ends = [x for x in self.steps if (x.container and x.facet.startswith("container ")) or x.facet == "terminating"]
        return known(latest([*ends, *actions], t) or latest([x for x in self.steps if x is not s], t))

    def _state_causes(self, s: Step, done: Step | None) -> Iterable[Step]:
        c, n, t = s.container, s.life, s.t
        state = s.value[0] if isinstance(s.value, tuple) else ""
        if state == "running":
            pulled = latest(self._all("Pulled", c, n), t)
            return (pulled,) if pulled and t - pulled.t < BUSY else self._restart_causes(s, done)
        if state == "terminated":
            killing = latest(self._all("Killing", c, n), t)
            if killing:
                return (killing,)
            start = self._start(c, n)
            if _killed(done, start):
                return known(done)
            s.choose = "any"
            return known(start, done, latest(self._all("crash", c, n), t))
        near = [*self._all("BackOff", c, n), *self._all("Pulled", c, n + 1), *self._all("Failed", c, n)]
        direct = [x for x in near if abs(t - x.t) < 3 * SIDE_BY_SIDE]
        if direct:
            return (min(direct, key=lambda x: abs(x.t - t)),)
        killing = latest(self._all("Killing", c, n), t)
        return known(self._first("exit", c, n), killing, self._start(c, n), done)

    def _event_causes(self, s: Step, done: Step | None) -> Iterable[Step]:
        c, n, t = s.container, s.life, s.t
        reason = s.facet.split(" ", 2)[1]
        if s.probe:
            same = [x for x in self._all(f"{reason} {s.probe}", c, n) if x.run == s.run]
            place = same.index(s)
            if place:
                s.choose = "all"
                return tuple(reversed(same[max(0, place - 2) : place]))
            s.choose = "any"
            earlier = None
            if not self._held(c, n):
                before = [x for x in self.steps if x.probe == s.probe and x.container == c and x.life == n - 1]
                earlier = before[-1] if before else None
            going = latest([x for x in self.steps if x.facet == "terminating"], t)
            return known(done, self._start(c, n), self.first_status if n == 1 else None, earlier, going)
        if reason == "Pulled":
            return self._restart_causes(s, done)
        if reason in ("Created", "Started"):
            pulled = latest(self._all("Pulled", c, n), t + SIDE_BY_SIDE)
            return (pulled,) if pulled else self._restart_causes(s, done)
        if reason == "Killing":
            for probe in ("liveness", "startup"):
                if f"failed {probe} probe" in s.facet:
                    failed = latest(self._all(f"Unhealthy {probe}", c, n), t + SIDE_BY_SIDE)
                    if failed is not None and t - failed.t < BUSY:
                        s.direct = True
                        return (failed,)
                    s.choose = "any"
                    return known(failed, self._start(c, n))
            return known(latest([x for x in self.steps if x.facet == "terminating"], t + SIDE_BY_SIDE), done)
        if reason == "BackOff":
            if latest(self._all("BackOff", c, n), t, strictly=True):
                s.timed = False  # further ones in one wait come by the legs of the wait
                return ()
            killing = latest(self._all("Killing", c, n), t)
            return known(killing, self._first("exit", c, n), self._start(c, n))
        return known(done, latest([x for x in self.steps if x is not s and not x.facet.startswith("event ")], t))

    def _restart_causes(self, s: Step, done: Step | None) -> Iterable[Step]:
        c, n = s.container, s.life
        exit, killing = self._first("exit", c, n - 1), latest(self._all("Killing", c, n - 1), s.t)
        start = self._start(c, n - 1)
        if self._held(c, n):
            s.hold = True
            crash = self._first("crash", c, n - 1)
            if crash is not None and s.t - crash.t < 2:
                crash = None
            return known(exit, self._first("BackOff", c, n - 1), crash, killing)
        if exit is not None and exit.t > s.t:
            exit = None  # seen only after the restart
        if killing is None and _killed(done, start):
            start = None
        return known(killing, exit, done if start is None else None, start)

    def _held(self, c: str, n: int) -> bool:
        """Whether the start of life ``n`` was held back."""
        if n < 2:
            return False
        if self._all("BackOff", c, n - 1) or self._all("crash", c, n - 1):
            return True
        exit, again = self._first("exit", c, n - 1), self._first("start", c, n)
        return exit is not None and again is not None and again.t - exit.t > 9

    def _mark_chance_probes(self, actions: list[Step]) -> None:
        """A single probe in the second of its container's exit, or in the second in which an action takes effect."""
        states = [x for x in self.steps if x.facet.startswith("container ") and x.life > 0]
        for s in self.steps:
            if s.probe and any(a.value in ("exec", "http") and 0 <= s.t - a.t < BUSY for a in actions):
                s.fleeting = True
            if s.probe and _AT_THE_EXIT.search(s.facet):
                s.fleeting |= any(
                    x.container == s.container
                    and -SIDE_BY_SIDE < x.t - s.t < BUSY
                    and (x.life > s.life or (x.life == s.life and " running" not in x.words))
                    for x in states
                )

    def _all(self, what: str, container: str, life: int) -> list[Step]:
        return self.by.get((what, container, life), [])

    def _first(self, what: str, container: str, life: int) -> Step | None:
        found = self._all(what, container, life)
        return found[0] if found else None


def _killed(done: Step | None, start: Step | None) -> bool:
    """Whether the last action killed the instance that had started."""
    return done is not None and done.value in ("kill", "stopNode") and (start is None or done.t > start.t)
