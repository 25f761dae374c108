"""Which functions of the kubelet ran, and when: a run, watched from inside.

    with traced() as calls:
        cluster.run(until=35)
    walk("kubelet", calls, since=33)

Each function that is watched follows one of Kubernetes' own, whose name it carries in :data:`WATCHED`; what a step
says of it stands in the chapter's texts. Nothing is changed: the functions are called as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from selfheal.clock import SECOND, Clock
from selfheal.kubelet.images import ImageManager
from selfheal.kubelet.kubelet import Kubelet
from selfheal.kubelet.kuberuntime import RuntimeManager
from selfheal.kubelet.pleg import PLEG
from selfheal.kubelet.pod_actions import PodActions
from selfheal.kubelet.pod_workers import PodWorker
from selfheal.kubelet.status_manager import StatusManager
from selfheal.lessons.questions import _question, _texts
from selfheal.lessons.steps import Step, Steps, steps
from selfheal.runtime import Runtime
from selfheal.words import words

HERE = "src/selfheal/"


@dataclass(frozen=True, slots=True)
class Watched:
    """A function of ours, and the one of Kubernetes that it follows."""

    of: type
    method: str
    who: str
    function: str
    source: str
    where: str

    @property
    def twin(self) -> str:
        return f"{HERE}{self.where} {self.method}"


MANAGER = "pkg/kubelet/kuberuntime/kuberuntime_manager.go"
WATCHED: dict[str, Watched] = {
    "end": Watched(Runtime, "_ended", "machine", "exit", "the container runtime", "runtime.py"),
    "relist": Watched(PLEG, "_relist", "PLEG", "Relist", "pkg/kubelet/pleg/generic.go", "kubelet/pleg.py"),
    "iteration": Watched(
        Kubelet, "_on_pleg_event", "sync loop", "syncLoopIteration", "pkg/kubelet/kubelet.go", "kubelet/kubelet.py"
    ),
    "update": Watched(
        PodWorker, "update", "pod worker", "UpdatePod", "pkg/kubelet/pod_workers.go", "kubelet/pod_workers.py"
    ),
    "sync": Watched(Kubelet, "sync_pod", "pod worker", "SyncPod", "pkg/kubelet/kubelet.go", "kubelet/kubelet.py"),
    "generate": Watched(
        Kubelet, "_generate", "status", "generateAPIPodStatus", "pkg/kubelet/kubelet_pods.go", "kubelet/kubelet.py"
    ),
    "status": Watched(
        StatusManager,
        "set",
        "status",
        "SetPodStatus",
        "pkg/kubelet/status/status_manager.go",
        "kubelet/status_manager.py",
    ),
    "compute": Watched(
        PodActions,
        "compute",
        "runtime manager",
        "computePodActions",
        MANAGER,
        "kubelet/pod_actions.py",
    ),
    "backoff": Watched(
        RuntimeManager,
        "_do_backoff",
        "runtime manager",
        "doBackOff",
        MANAGER,
        "kubelet/kuberuntime.py",
    ),
    "image": Watched(
        ImageManager,
        "ensure",
        "runtime manager",
        "EnsureImageExists",
        "pkg/kubelet/images/image_manager.go",
        "kubelet/images.py",
    ),
    "start": Watched(
        Runtime,
        "start_container",
        "machine",
        "StartContainer",
        "pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer",
        "runtime.py",
    ),
    "look": Watched(PLEG, "request_relist", "PLEG", "RequestRelist", "pkg/kubelet/pleg/generic.go", "kubelet/pleg.py"),
    "complete": Watched(
        PodWorker,
        "_complete_work",
        "pod worker",
        "completeWork",
        "pkg/kubelet/pod_workers.go",
        "kubelet/pod_workers.py",
    ),
}

Call = tuple[float, str]
"""(second, key of :data:`WATCHED`)"""


@contextmanager
def traced() -> Iterator[list[Call]]:
    """The calls of all watched functions, in their order, while the block runs."""
    calls: list[Call] = []
    before = {key: vars(watched.of)[watched.method] for key, watched in WATCHED.items()}
    for key, watched in WATCHED.items():
        setattr(watched.of, watched.method, _told(key, before[key], calls))
    try:
        yield calls
    finally:
        for key, watched in WATCHED.items():
            setattr(watched.of, watched.method, before[key])


def _told(key: str, method: Callable[..., Any], calls: list[Call]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *args: Any, **more: Any) -> Any:
        clock = _clock_of(self)
        calls.append((calls[-1][0] if clock is None else clock.now / SECOND, key))
        return method(self, *args, **more)

    return call


def _clock_of(part: Any) -> Clock | None:
    """The clock of a part of the kubelet; one that only decides has none."""
    found: Clock | None = getattr(part, "clock", None) or getattr(part, "_clock", None)
    return found


def walk(chapter: str, calls: Sequence[Call], since: float, until: float) -> Steps:
    """A stretch of calls as a walk, with the chapter's words (``steps`` in its texts: key → what is said, in turn)."""
    texts, say = _texts(chapter)["steps"], words("steps")
    turn: dict[str, int] = {}
    walked = []
    for t, key in calls:
        if not since <= t <= until:
            continue
        said = texts["says"][key]
        n = turn[key] = turn.get(key, -1) + 1
        watched, asked = WATCHED[key], texts["asks"].get(key) if n == 0 else None
        walked.append(
            Step(
                say["at"].format(t=f"{t:.3f}"),
                watched.function,
                watched.source,
                say[watched.who],
                said[min(n, len(said) - 1)],
                watched.twin,
                None if asked is None else _question(asked),
            )
        )
    return steps(texts["title"], walked)
