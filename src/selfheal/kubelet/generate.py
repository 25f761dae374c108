"""From what the runtime shows to the status that the API gets.

Follows pkg/kubelet/kubelet_pods.go (``generateAPIPodStatus``, ``convertToAPIContainerStatuses``,
``getPhase``) and pkg/kubelet/status/generate.go (the conditions). Everything here is a pure
function of a snapshot, the status before and the spec.
"""

from __future__ import annotations

import hashlib
from typing import Any

from selfheal.clock import Clock
from selfheal.kubelet.pleg import ContainerSnapshot, PodSnapshot
from selfheal.kubelet.restart_policy import should_restart
from selfheal.objects import Object, condition, terminating
from selfheal.spec import Container, PodSpec

Status = dict[str, Any]

VANISHED = "The container could not be located when the pod was deleted.  The container used to be Running"
NEVER_STARTED = "1970-01-01T00:00:00Z"
"""The start of a container that the runtime could not start: its zero, of which the kubelet makes a time."""
RESTARTING_ALL = "RestartingAllContainers"
RESTARTING_TEXT = "The container is removed because RestartAllContainers in place"
RESTART_STARTED = ("RestartAllContainersStarted", "container exited with restart policy rule")
WAITS: Status = {"state": {"waiting": {}}}
CREATING, INITIALIZING = "ContainerCreating", "PodInitializing"
CONDITION_ORDER = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


# ---- containers


def container_statuses(
    pod: Object,
    containers: tuple[Container, ...],
    snapshot: PodSnapshot,
    old: list[Status],
    reasons: dict[str, tuple[str, str]],
    spec: PodSpec,
    clock: Clock,
    *,
    has_init: bool,
    restarting: bool = False,
) -> list[Status]:
    """``containerStatuses`` (or, with ``init``, ``initContainerStatuses``), in the order of the spec.

    ``reasons`` is the reason cache: container → (reason, message) of its last failed start. ``restarting``: the pod
    begins anew in place, so a container that the runtime does not know has been removed for that.
    """
    before = {s["name"]: s for s in old}
    return [
        _removed(c, before[c.name])
        if restarting and snapshot.newest(c.name) is None and "waiting" not in before.get(c.name, WAITS)["state"]
        else _container_status(
            pod, c, snapshot, before.get(c.name), reasons.get(c.name), spec, clock, has_init=has_init
        )
        for c in containers
    ]


def _container_status(
    pod: Object,
    container: Container,
    snapshot: PodSnapshot,
    old: Status | None,
    reason: tuple[str, str] | None,
    spec: PodSpec,
    clock: Clock,
    *,
    has_init: bool,
) -> Status:
    instances = [c for c in snapshot.containers if c.name == container.name]
    if not instances:
        status = _without_instance(container, old, has_init=has_init)
    else:
        status = _of_instance(instances[0], old, clock)
        if len(instances) > 1:
            status["lastState"] = _of_instance(instances[1], None, clock)["state"]
        elif old is not None and old.get("containerID", status["containerID"]) == status["containerID"]:
            status["lastState"] = old.get("lastState") or {}
    if reason is not None and _should_be_restarted(pod, container, instances, spec):
        # a start was tried and failed: that is what the container waits for
        if "terminated" in status["state"]:
            status["lastState"] = status["state"]
        status["state"] = {"waiting": _waiting(*reason)}
    return status


def _without_instance(container: Container, old: Status | None, *, has_init: bool) -> Status:
    """A container that the runtime does not know (any more)."""
    waiting = {"waiting": {"reason": INITIALIZING if has_init else CREATING}}
    status: Status = {
        "image": container.image,
        "imageID": "",
        "lastState": {},
        "name": container.name,
        "ready": False,
        "restartCount": 0,
        "started": False,
        "state": waiting,
    }
    if old is not None:
        status["restartCount"] = old.get("restartCount", 0)
        status["lastState"] = old.get("lastState") or {}
        if "terminated" in old["state"]:
            status["state"] = old["state"]
            status["containerID"] = old.get("containerID", "")
        elif "running" in old["state"]:
            # it ran, and its record has vanished
            status["restartCount"] += 1
            status["lastState"] = {
                "terminated": {
                    "exitCode": 137,
                    "finishedAt": None,
                    "message": VANISHED,
                    "reason": "ContainerStatusUnknown",
                    "startedAt": None,
                }
            }
    return status


def _removed(container: Container, old: Status) -> Status:
    """A container that RestartAllContainers took away, however it had ended."""
    said = {"message": RESTARTING_TEXT, "reason": RESTARTING_ALL}
    ended = {"exitCode": 137, "finishedAt": None, "startedAt": None, **said}
    status = _without_instance(container, None, has_init=False)
    changes = {"state": {"waiting": said}, "lastState": {"terminated": ended}, "restartCount": old["restartCount"] + 1}
    return {**status, **changes}


def restarted_in_place(statuses: list[Status]) -> bool:
    """Whether a container has yet to start again since RestartAllContainers removed it."""
    lasts = [(s.get("lastState") or {}).get("terminated", {}) for s in statuses if "waiting" in s["state"]]
    return any(last.get("reason") == RESTARTING_ALL for last in lasts)


def _of_instance(c: ContainerSnapshot, old: Status | None, clock: Clock) -> Status:
    """convertContainerStatus of kubelet_pods.go."""
    status: Status = {
        "containerID": f"containerd://{c.id}",
        "image": c.image,
        "imageID": image_id(c.image),
        "lastState": {},
        "name": c.name,
        "ready": False,
        "resources": {},
        "restartCount": c.attempt,
        "started": False,
        "state": {},
    }
    if c.state == "running":
        assert c.started_at is not None
        status["state"] = {"running": {"startedAt": clock.timestamp(c.started_at)}}
        # carried over from the status before, even if that was another instance
        status["started"] = bool(old is not None and old.get("started"))
    elif c.state == "exited":
        status["state"] = {"terminated": _terminated(c, clock)}
    else:
        status["state"] = {"waiting": {}}
    return status


def _terminated(c: ContainerSnapshot, clock: Clock) -> Status:
    terminated = {
        "containerID": f"containerd://{c.id}",
        "exitCode": c.exit_code,
        "finishedAt": None if c.finished_at is None else clock.timestamp(c.finished_at),
        "reason": c.reason,
        "startedAt": NEVER_STARTED if c.started_at is None else clock.timestamp(c.started_at),
    }
    if c.message:
        terminated["message"] = c.message
    return terminated


def _waiting(reason: str, message: str) -> Status:
    return {"message": message, "reason": reason} if message else {"reason": reason}


def _should_be_restarted(pod: Object, container: Container, instances: list[ContainerSnapshot], spec: PodSpec) -> bool:
    """pkg/kubelet/container/helpers.go ShouldContainerBeRestarted."""
    if terminating(pod):
        return False
    if not instances or instances[0].state == "created":
        return True
    newest = instances[0]
    return newest.state == "exited" and should_restart(container, spec, newest.exit_code or 0)


def image_id(image: str) -> str:
    """A stable stand-in for the digest of an image."""
    return "sha256:" + hashlib.sha256(image.encode()).hexdigest()


# ---- phase


def phase(spec: PodSpec, containers: list[Status], inits: list[Status], *, terminal: bool) -> str:
    """kubelet_pods.go ``getPhase``; ``terminal`` says that nothing runs and nothing will."""
    pending = starting = failed_init = 0
    unknown = running = waiting = stopped = succeeded = restarting = 0
    by_name = {s["name"]: s for s in inits}
    for c in spec.init_containers:
        found = by_name.get(c.name)
        state, last = (found["state"], found.get("lastState") or {}) if found is not None else ({}, {})
        if c.restartable_init:
            # while it runs the pod does too; how it ends never matters
            running += "running" in state
            new = "waiting" in state and not last
            waiting += new
            starting += new or (found is not None and "running" in state and not found.get("started"))
            unknown += found is None
            continue
        ended = state.get("terminated") or (last.get("terminated") if "waiting" in state else None)
        if ended is None:
            pending += 1
        elif ended["exitCode"] != 0 and not should_restart(c, spec, ended["exitCode"]):
            failed_init += 1
    if failed_init:
        return "Failed"
    found_by_name = {s["name"]: s for s in containers}
    for c in spec.containers:
        found = found_by_name.get(c.name)
        if found is None:
            unknown += 1
            continue
        state, last = found["state"], found.get("lastState") or {}
        if "running" in state:
            running += 1
        elif "terminated" in state or ("waiting" in state and "terminated" in last):
            stopped += 1
            ended = state.get("terminated") or last["terminated"]
            succeeded += "terminated" in state and ended["exitCode"] == 0
            restarting += should_restart(c, spec, ended["exitCode"])
        elif "waiting" in state:
            waiting += 1
        else:
            unknown += 1
    if pending or waiting or (starting and not _any_started(containers)):
        return "Pending"
    if running and not unknown:
        return "Running"
    if not running and stopped and not unknown:
        if terminal:
            return "Succeeded" if succeeded == stopped else "Failed"
        if restarting:
            return "Running"
        return "Succeeded" if succeeded == stopped else "Failed"
    return "Pending"


def _any_started(containers: list[Status]) -> bool:
    """Whether a regular container runs or has ended (helpers.go HasAnyRegularContainerStarted)."""
    return any("waiting" not in s["state"] for s in containers)


# ---- conditions


def with_condition(
    status: Status, kind: str, value: str, now: str, reason: str = "", message: str = "", generation: int = 0
) -> Status:
    """A status in which one condition is as given; its lastTransitionTime moves only when the value does."""
    old = condition({"metadata": {}, "status": status}, kind)
    new: Status = {
        "type": kind,
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": old["lastTransitionTime"] if old is not None and old["status"] == value else now,
    }
    if generation or (old is not None and "observedGeneration" in old):
        new["observedGeneration"] = generation or (old or {}).get("observedGeneration")
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    others = [c for c in status.get("conditions") or () if c["type"] != kind]
    conditions = sorted([*others, old if old == new else new], key=lambda c: _rank(c["type"]))
    return {**status, "conditions": conditions}


def _rank(kind: str) -> int:
    return CONDITION_ORDER.index(kind) if kind in CONDITION_ORDER else len(CONDITION_ORDER)


def conditions_of_readiness(status: Status, spec: PodSpec, now: str, generation: int = 0) -> Status:
    """ContainersReady and Ready (status/generate.go GenerateContainersReadyCondition, GeneratePodReadyCondition)."""
    value, reason, message = containers_ready(status, spec)
    status = with_condition(status, "ContainersReady", value, now, reason, message, generation)
    if value == "True":
        value, reason, message = _gates(status, spec)
    return with_condition(status, "Ready", value, now, reason, message, generation)


def containers_ready(status: Status, spec: PodSpec) -> tuple[str, str, str]:
    """(status, reason, message) of ContainersReady: all regular containers and all sidecars."""
    if status.get("phase") == "Succeeded":
        return "False", "PodCompleted", ""
    if status.get("phase") == "Failed":
        return "False", "PodFailed", ""
    if not status.get("containerStatuses"):
        return "False", "UnknownContainerStatuses", ""
    found = {s["name"]: s for s in (*status["containerStatuses"], *(status.get("initContainerStatuses") or ()))}
    counted = [*(c for c in spec.init_containers if c.restartable_init), *spec.containers]
    unready = [c.name for c in counted if c.name in found and not found[c.name]["ready"]]
    unknown = [c.name for c in counted if c.name not in found]
    texts = []
    if unknown:
        texts.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if unready:
        texts.append(f"containers with unready status: [{' '.join(unready)}]")
    return ("False", "ContainersNotReady", ", ".join(texts)) if texts else ("True", "", "")


def _gates(status: Status, spec: PodSpec) -> tuple[str, str, str]:
    texts = []
    for gate in spec.readiness_gates:
        found = condition({"metadata": {}, "status": status}, gate)
        if found is None:
            texts.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif found["status"] != "True":
            texts.append(f'the status of pod readiness gate "{gate}" is not "True", but {found["status"]}')
    return ("False", "ReadinessGatesNotReady", ", ".join(texts)) if texts else ("True", "", "")


def all_restarting(status: Status, restarting: bool) -> tuple[str, str, str]:
    """(status, reason, message) of AllContainersRestarting (GenerateAllContainersRestartingCondition)."""
    ended = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(status["phase"])
    if ended is not None or not restarting:
        return "False", ended or "", ""
    return ("True", *RESTART_STARTED)


def initialized(
    status: Status, spec: PodSpec, containers: list[Status], *, before: bool = False
) -> tuple[str, str, str]:
    """(status, reason, message) of Initialized (GeneratePodInitializedCondition).

    ``before``: it was True. It stays so while the init containers run once more, in place.
    """
    if status.get("phase") == "Succeeded":
        return "True", "PodCompleted", ""
    if _any_started(containers):
        return "True", "", ""
    found = {s["name"]: s for s in status.get("initContainerStatuses") or ()}
    incomplete = []
    for c in spec.init_containers:
        s = found.get(c.name)
        done = s is not None and (bool(s.get("started")) if c.restartable_init else s["ready"])
        if not done:
            incomplete.append(c.name)
    if incomplete and not before:
        return "False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]"
    return "True", "", ""


# ---- the end

UNKNOWN: Status = {
    "exitCode": 137,
    "finishedAt": None,
    "message": "The container could not be located when the pod was terminated",
    "reason": "ContainerStatusUnknown",
    "startedAt": None,
}


def finished(status: Status, spec: PodSpec) -> Status:
    """The last status of a pod of which nothing runs any more (status_manager.go TerminatePod).

    Once the pod was initialized, a container that never ended, or never began, counts as failed; before that, only
    the init containers that have had their turn do.
    """
    phase = status.get("phase")
    inits = status.get("initContainerStatuses") or []
    tried = [i for i, s in enumerate(inits) if _begun(s)]
    groups = {"initContainerStatuses": max(tried, default=0) + 1}
    if _was_initialized(status, spec):
        groups["containerStatuses"] = len(spec.containers)
    out = {**status, "phase": phase if phase in ("Succeeded", "Failed") else "Failed"}
    for group, n in groups.items():
        if group in status:
            ended = [
                s if "terminated" in s["state"] else {**s, "state": {"terminated": UNKNOWN}} for s in status[group]
            ]
            out[group] = [*ended[:n], *status[group][n:]]
    return out


def _begun(status: Status) -> bool:
    return "waiting" not in status["state"] or "terminated" in (status.get("lastState") or {})


def _was_initialized(status: Status, spec: PodSpec) -> bool:
    """Whether regular containers may ever have begun (status_manager.go hasPodInitialized)."""
    if not spec.init_containers or any(_begun(s) for s in status.get("containerStatuses") or ()):
        return True
    last = (status.get("initContainerStatuses") or [{"state": {}}])[-1]
    if spec.init_containers[-1].restartable_init:
        return "running" in last["state"] and bool(last.get("started"))
    ends = (last["state"].get("terminated"), (last.get("lastState") or {}).get("terminated"))
    return any(e is not None and e["exitCode"] == 0 for e in ends)
