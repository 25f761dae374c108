"""What ``kubectl get pods`` says about a pod: READY, STATUS and RESTARTS.

These three columns are not in the object. The API server works them out from the states of the
containers, and STATUS is the most read, and most misread, word about a pod: it is a phase, a
reason, a container's fate or an init container's progress, whichever comes first in the rules
below (pkg/printers/internalversion/printers.go printPod).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfheal.printers.duration import since, unix
from selfheal.printers.fields import Fields, at, condition_true, controller, deleting, find, items, number, text, true

TERMINAL = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class PodSummary:
    """The columns READY, STATUS and RESTARTS before they are text."""

    ready: int
    total: int
    """Regular containers and sidecars."""
    status: str
    restarts: int
    last_restart: str | None
    """When the last instance before a restart ended (RFC 3339), if known."""

    def restarts_text(self, now: float) -> str:
        """``3 (10s ago)``"""
        if self.restarts and self.last_restart is not None:
            return f"{self.restarts} ({since(self.last_restart, now)} ago)"
        return str(self.restarts)


@dataclass(slots=True)
class _Restarts:
    """Restarts of some containers, and the latest end of an earlier instance among them."""

    count: int = 0
    last: str | None = None

    def add(self, status: Fields) -> None:
        self.count += number(status, "restartCount")
        finished = at(status, "lastState.terminated.finishedAt")
        moment = unix(finished)
        if moment is not None and (self.last is None or moment > (unix(self.last) or 0)):
            self.last = finished


def summary(pod: Fields) -> PodSummary:
    """READY, STATUS and RESTARTS of a pod."""
    inits = items(pod, "spec.initContainers")
    sidecars = {text(c, "name") for c in inits if at(c, "restartPolicy") == "Always"}
    word = _phase(pod)

    init_word, ready, restarts, of_sidecars = _init_progress(pod, sidecars, len(inits))
    if init_word:
        word = init_word
    if not init_word or condition_true(pod, "Initialized"):
        restarts = of_sidecars
        word, running = _containers(pod, word, restarts)
        ready += running
    if deleting(pod):
        if at(pod, "status.reason") == "NodeLost":
            word = "Unknown"
        elif at(pod, "status.phase") not in TERMINAL:
            word = "Terminating"
    total = len(items(pod, "spec.containers")) + len(sidecars)
    return PodSummary(ready, total, word, restarts.count, restarts.last)


def _phase(pod: Fields) -> str:
    scheduled = find(pod, "status.conditions", "PodScheduled")
    if at(scheduled, "reason") == "SchedulingGated":
        return "SchedulingGated"
    return text(pod, "status.reason") or text(pod, "status.phase")


def _init_progress(pod: Fields, sidecars: set[str], of: int) -> tuple[str, int, _Restarts, _Restarts]:
    """What the init containers have to say: nothing once all are done, else ``Init:1/2`` or a fate.

    Also the ready sidecars, the restarts up to the container reached, and the sidecars' among them.
    """
    ready, restarts, of_sidecars = 0, _Restarts(), _Restarts()
    for i, status in enumerate(items(pod, "status.initContainerStatuses")):
        restarts.add(status)
        sidecar = text(status, "name") in sidecars
        if sidecar:
            of_sidecars.add(status)
        ended = at(status, "state.terminated")
        if ended is not None and number(ended, "exitCode") == 0:
            continue
        if sidecar and true(status, "started"):
            ready += true(status, "ready")
            continue
        if ended is not None:
            return "Init:" + _fate(ended), ready, restarts, of_sidecars
        waiting = text(status, "state.waiting.reason")
        word = waiting if waiting and waiting != "PodInitializing" else f"{i}/{of}"
        return "Init:" + word, ready, restarts, of_sidecars
    return "", ready, restarts, of_sidecars


def _containers(pod: Fields, word: str, restarts: _Restarts) -> tuple[str, int]:
    """The word of the regular containers, and how many are ready.

    They are asked from last to first, and each that has something to say overwrites the word, so
    the *first* container of the list decides. ``restarts`` is added to.
    """
    ready, error = 0, ""
    for status in reversed(items(pod, "status.containerStatuses")):
        restarts.add(status)
        ended = at(status, "state.terminated")
        if waiting := text(status, "state.waiting.reason"):
            word = waiting
        elif ended is not None:
            word = _fate(ended)
            if number(ended, "exitCode") != 0:
                error = word
        elif true(status, "ready") and at(status, "state.running") is not None:
            ready += 1
    if word == "Completed":
        if ready and condition_true(pod, "Ready"):
            word = "Running"
        elif error:
            word = error
        elif ready:
            word = "NotReady"
    return word, ready


def _fate(terminated: Any) -> str:
    """Why a container ended: its reason, else the signal, else the exit code."""
    if reason := text(terminated, "reason"):
        return reason
    if signal := number(terminated, "signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{number(terminated, 'exitCode')}"


def cells(pod: Fields, now: float) -> list[Any]:
    """The row of a pod in ``kubectl get pods -o wide``."""
    seen = summary(pod)
    gates = [text(gate, "conditionType") for gate in items(pod, "spec.readinessGates")]
    open_gates = sum(condition_true(pod, gate) for gate in gates)
    addresses = items(pod, "status.podIPs")
    return [
        text(pod, "metadata.name"),
        f"{seen.ready}/{seen.total}",
        seen.status,
        seen.restarts_text(now),
        since(at(pod, "metadata.creationTimestamp"), now),
        (text(addresses[0], "ip") if addresses else text(pod, "status.podIP")) or "<none>",
        text(pod, "spec.nodeName") or "<none>",
        text(pod, "status.nominatedNodeName") or "<none>",
        f"{open_gates}/{len(gates)}" if gates else "<none>",
    ]


def phases(pods: list[Fields]) -> str:
    """``2 Running / 1 Waiting / 0 Succeeded / 0 Failed`` (describe.go getPodStatusForController)."""
    found = [text(pod, "status.phase") for pod in pods]
    names = {"Running": "Running", "Pending": "Waiting", "Succeeded": "Succeeded", "Failed": "Failed"}
    return " / ".join(f"{found.count(phase)} {name}" for phase, name in names.items())


def controlled(pods: list[Fields], owner: Fields) -> list[Fields]:
    """Those pods that ``owner`` controls, by its uid."""
    uid = text(owner, "metadata.uid")
    return [pod for pod in pods if (reference := controller(pod)) is not None and reference.get("uid") == uid]
