"""Chapter 19: a controller that replaces lingering sick pods, and knows when it is not the doctor."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.lessons.exercises.exercise import Exercise, Finding, Trial, Wrong
from selfheal.objects import condition, condition_true, name, terminating

PATIENCE, LIMIT = 60, 120
"""Seconds for which a pod that is not ready is left alone, and within which it must be replaced."""
PAUSE = 5
"""Seconds between two looks."""
PODS = 4

SHOP = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: {PODS}
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - name: shop
        image: selfheal/patient:1
        readinessProbe:
          httpGet: {{path: /readyz, port: 8080}}
          periodSeconds: 1
          failureThreshold: 1
"""

START = """\
def sync(api):
    for pod in api.pods():
        if not pod.ready:
            api.delete(pod.name)
"""

SOLUTION = """\
def sync(api):
    pods = [pod for pod in api.pods() if not pod.deleting]
    unready = [pod for pod in pods if not pod.ready]
    if len(unready) > len(pods) / 4:
        return  # too much is wrong: this is not the pods' own illness
    for pod in unready:
        if pod.unready_for > 60:
            api.delete(pod.name)
            return  # one at a time
"""

Sync = Callable[["Api"], object]


@dataclass(frozen=True, slots=True)
class Seen:
    """A pod, as the function sees it."""

    name: str
    ready: bool
    unready_for: float
    """Seconds since it was last Ready, or since it was made; 0 if it is Ready."""
    deleting: bool


@dataclass(slots=True)
class Api:
    """What the function may use."""

    cluster: Cluster
    deleted: list[tuple[float, str]] = field(default_factory=list)

    def pods(self) -> list[Seen]:
        return [self._seen(pod) for pod in self.cluster.get("pods")]

    def _seen(self, pod: Any) -> Seen:
        ready, found = condition_true(pod, "Ready"), condition(pod, "Ready")
        since = (found or {}).get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
        began = self.cluster.clock.at_timestamp(since) / 1_000_000
        waited = 0.0 if ready else max(0.0, self.cluster.now - began)
        return Seen(name(pod), ready, waited, terminating(pod))

    def delete(self, pod: str) -> None:
        self.cluster.delete(f"pod/{pod}")
        self.deleted.append((self.cluster.now, pod))


class CodeExercise(Exercise):
    """An exercise whose answer is a function: its source, or the function itself."""

    def findings(self, answer: str | Sync | Any, seed: int = 1) -> Iterator[Finding]:
        """Run the reader's function against the battery, until something does not hold."""
        try:
            sync = _function(answer)
        except Exception as error:  # noqa: BLE001 - whatever a reader types
            yield Finding(False, f"This cannot be run: {type(error).__name__}: {_line(error)}")
            return
        for check in (_one, _pause, _all, _slow):
            try:
                found = check(sync, seed)
            except Exception as error:  # noqa: BLE001
                found = Finding(False, f"Your function raised {type(error).__name__}: {_line(error)}")
            yield found
            if not found.ok:
                return

    def __repr__(self) -> str:
        return f"{self.name}\n\nSymptom: {self.symptom}\nTask: {self.task}\nYou write: {', '.join(self.allowed)}"

    def _repr_html_(self) -> str:
        return (
            '<div class="selfheal-exercise">\n'
            f"<p><strong>Symptom.</strong> {html.escape(self.symptom, quote=False)}</p>\n"
            f"<p><strong>Task.</strong> {html.escape(self.task, quote=False)}</p>\n"
            f"<p><strong>You write:</strong> <code>{html.escape(self.allowed[0])}</code></p>\n</div>"
        )


def _function(answer: str | Sync) -> Sync:
    if callable(answer):
        return answer
    space: dict[str, Any] = {}
    exec(answer, space)  # noqa: S102 - the reader's own code, in the reader's own kernel
    if not callable(space.get("sync")):
        raise TypeError("there is no function called sync")
    found: Sync = space["sync"]
    return found


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _shop(seed: int) -> tuple[Cluster, Api]:
    cluster = Cluster(seed=seed, nodes=3)
    cluster.apply(SHOP)
    cluster.run(until=30)
    return cluster, Api(cluster)


def _turn(cluster: Cluster, pods: list[str], status: int) -> None:
    for pod in pods:
        try:
            cluster.http(pod, f"/switch?readyz={status}", method="POST")
        except ApiError:
            continue


def _loop(cluster: Cluster, sync: Sync, api: Api, seconds: float) -> None:
    end = cluster.now + seconds
    while cluster.now < end:
        sync(api)
        cluster.run(for_=PAUSE)


def _one(sync: Sync, seed: int) -> Finding:
    cluster, api = _shop(seed)
    sick = api.pods()[0].name
    _turn(cluster, [sick], 503)
    cluster.run(for_=2)
    _loop(cluster, sync, api, LIMIT)
    others = [pod for _, pod in api.deleted if pod != sick]
    if others:
        return Finding(False, f"One pod of {PODS} was not ready, and {len(others)} others were deleted with it.")
    if not api.deleted:
        return Finding(
            False,
            f"One pod of {PODS} has not been ready for {LIMIT} s, and it is still there. That was the accident that "
            "nobody answers.",
        )
    return Finding(True, f"One pod of {PODS} that stays unready is replaced, {api.deleted[0][0] - 30:.0f} s after it.")


def _pause(sync: Sync, seed: int) -> Finding:
    cluster, api = _shop(seed)
    pod = api.pods()[0].name
    _turn(cluster, [pod], 503)
    cluster.run(for_=2)
    _loop(cluster, sync, api, 30)
    if api.deleted:
        return Finding(
            False,
            f"A pod that was busy for half a minute was deleted after {api.deleted[0][0] - 30:.0f} s. It would have "
            f"been back by itself. Have patience for {PATIENCE} s: unready_for tells.",
        )
    return Finding(True, "A pod that is unready for half a minute is left alone.")


def _all(sync: Sync, seed: int) -> Finding:
    cluster, api = _shop(seed)
    for _ in range(LIMIT // PAUSE):
        _turn(cluster, [pod.name for pod in api.pods() if pod.ready], 503)
        _loop(cluster, sync, api, PAUSE)
    if api.deleted:
        return Finding(
            False,
            f"The database was away for {LIMIT} s, so that no pod was ready, and {len(api.deleted)} pods were "
            "deleted for it. The new ones ask the same database. If many are unready at once, it is not their own "
            "illness: then do nothing.",
        )
    return Finding(True, "When all pods are unready at once, nobody is deleted.")


def _slow(sync: Sync, seed: int) -> Finding:
    """Two fall sick in the same second: one at a time, and the next when the first is replaced."""
    cluster, api = _shop(seed)
    cluster.scale("deployment/shop", 2 * PODS)
    cluster.run(for_=20)
    sick = [pod.name for pod in api.pods()[:2]]
    _turn(cluster, sick, 503)
    cluster.run(for_=2)
    _loop(cluster, sync, api, 4 * LIMIT)
    times = [t for t, _ in api.deleted]
    if {pod for _, pod in api.deleted} != set(sick):
        return Finding(
            False,
            f"Two pods of {2 * PODS} were sick for {4 * LIMIT} s; {len(times)} were deleted. Two of {2 * PODS} is not "
            "many: both should be replaced in the end.",
        )
    if times[1] - times[0] < PAUSE:
        return Finding(
            False,
            f"Two pods of {2 * PODS} were sick and both were deleted at the same moment. One at a time: if the cure is "
            "wrong, it has then cost one pod.",
        )
    return Finding(True, f"Two sick pods of {2 * PODS} are replaced one after the other.")


def _examine(_: Trial) -> Iterator[Finding]:
    yield from ()  # the battery is run by check


harmless = CodeExercise(
    name="First, do no harm",
    symptom="The controller of this chapter deleted each pod of the shop again and again while the database was away. "
    "Before that it had deleted pods that were merely busy for half a minute.",
    task=f"Write sync(api): a pod that has been unready for more than {PATIENCE} s is replaced (within {LIMIT} s), one "
    "that is unready for half a minute is not. One at a time. If more than a quarter of all pods are unready, nobody "
    "is deleted.",
    manifest=START,
    allowed=("def sync(api)",),
    keep={},
    examine=_examine,
    hints=(
        "Three ifs: is it long enough, are there too many, have I just deleted one?",
        "First count: if len(unready) > len(pods) / 4: return. Then delete one and return.",
    ),
    solution=SOLUTION,
    wrong=(
        Wrong(
            "patient, and a weapon",
            START.replace("        if not pod.ready:\n", "        if pod.unready_for > 60:\n"),
            "pods were deleted for it",
        ),
        Wrong(
            "all the sick at once",
            SOLUTION.replace("            return  # one at a time\n", ""),
            "at the same moment",
        ),
        Wrong("too patient", SOLUTION.replace("> 60", "> 600"), "it is still there"),
        Wrong(
            "never more than one",
            SOLUTION.replace("len(unready) > len(pods) / 4", "len(unready) > 1"),
            "both should be replaced",
        ),
        Wrong("a slip", SOLUTION.replace("pod.unready_for", "pod.unready"), "raised AttributeError"),
    ),
)

__all__ = ["CodeExercise", "harmless"]
