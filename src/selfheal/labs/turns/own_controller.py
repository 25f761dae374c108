"""Lab 13: a controller's ``plan``, tried on worlds in which pods start, fail and leave when they like.

``plan(name, wanted, version, pods)`` says what to do next as a list of ``("create", pod)`` and ``("delete", pod)``;
``pods`` tells of each its ``phase``, ``ready``, ``leaving`` and ``version``. It is asked again and again, also by a
controller that has just begun and knows nothing of what was planned before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from selfheal.labs.turns import Grade

PASSED = "From each state that was tried it comes to what is wished, one pod at a time, and then it rests."
TURNS = 300
NAME = "web"
WORLDS = 40

Pods = dict[str, dict[str, Any]]
Plan = Callable[[str, int, str, Pods], list[tuple[str, str]]]


def grade(plan: Plan) -> Grade:
    """What is to be said of a plan."""
    problem = next(_problems(plan), None)
    return Grade((problem,) if problem else (), PASSED)


class World:
    """Some pods, a wish, and time."""

    def __init__(self, plan: Plan, pods: Pods, wanted: int, version: str, seed: int = 0, broken: str = "") -> None:
        self.plan, self.pods, self.wanted, self.version = plan, pods, wanted, version
        self.broken = broken
        """A version that never becomes ready."""
        self.fewest = self._ready()
        self.deleted: list[str] = []
        self.together = 0
        """The most pods that were leaving at the same time."""
        self._random = Random(seed)
        self.idle = False

    def turn(self) -> None:
        """What is planned is done, and time goes on."""
        steps = list(self.plan(NAME, self.wanted, self.version, copy.deepcopy(self.pods)))
        waiting = (not pod["ready"] and pod["version"] != self.broken for pod in self.pods.values())
        leaving = (pod["leaving"] for pod in self.pods.values())
        self.idle = not (steps or any(waiting) or any(leaving))
        for verb, name in steps:
            if verb not in ("create", "delete"):
                raise ValueError(f'there is no verb "{verb}"')
            if verb == "create" and name not in self.pods:
                self.pods[name] = running(self.version, ready=False)
            elif verb == "delete" and name in self.pods and not self.pods[name]["leaving"]:
                self.pods[name].update(leaving=True, ready=False)
                self.deleted.append(name)
        self.together = max(self.together, sum(pod["leaving"] for pod in self.pods.values()))
        self.fewest = min(self.fewest, self._ready())
        for name, pod in [*self.pods.items()]:
            if self._random.random() < 0.5:
                continue
            if pod["leaving"]:
                del self.pods[name]
            elif pod["phase"] == "Running":
                pod["ready"] = pod["version"] != self.broken

    def play(self) -> World:
        """Go on until there is nothing left to do."""
        for _ in range(TURNS):
            self.turn()
            if self.idle:
                break
        return self

    @property
    def right(self) -> bool:
        return set(self.pods) == {f"{NAME}-{n}" for n in range(self.wanted)}

    def _ready(self) -> int:
        return sum(pod["ready"] and not pod["leaving"] for pod in self.pods.values())


def running(version: str, ready: bool = True) -> dict[str, Any]:
    """A pod as a plan sees it."""
    return {"phase": "Running", "ready": ready, "leaving": False, "version": version}


def herd(size: int, version: str = "1") -> Pods:
    """So many pods that are well."""
    return {f"{NAME}-{n}": running(version) for n in range(size)}


def _problems(plan: Plan) -> Iterator[str]:
    try:
        yield from _kept(plan)
        yield from _renewed(plan)
        yield from _from_anywhere(plan)
    except Exception as error:  # noqa: BLE001 - the reader's own code
        yield f"It ended with {type(error).__name__}: {error}"


def _kept(plan: Plan) -> Iterator[str]:
    """What the lab's own plan does already."""
    if not World(plan, {}, 3, "1").play().right:
        yield f"From nothing, three pods are wished: {NAME}-0 to {NAME}-2 do not all come into being."
    failed = herd(3)
    failed[f"{NAME}-1"].update(phase="Failed", ready=False)
    if any(pod["phase"] == "Failed" for pod in World(plan, failed, 3, "1").play().pods.values()):
        yield "A pod whose phase is Failed stays as it is. Nobody else will replace it."
    less = World(plan, herd(5), 2, "1").play()
    if not less.right or less.deleted != [f"{NAME}-4", f"{NAME}-3", f"{NAME}-2"] or less.together > 1:
        yield "From five pods to two: the last should go first, and one after the other."
    if World(plan, herd(3), 0, "1").play().pods:
        yield "None are wished, and yet there are pods in the end: the finalizer would never be taken away."


def _renewed(plan: Plan) -> Iterator[str]:
    """What is to be added."""
    for seed in range(WORLDS):
        world = World(plan, herd(4), 4, "2", seed).play()
        if any(pod["version"] != "2" for pod in world.pods.values()):
            yield 'Version "2" is wished, and there are still pods of version "1" when nothing is planned any more.'
        if world.fewest < 3:
            yield (
                "While four pods were renewed, two or more were missing at a time. A pod that is leaving, or that was "
                "just made and is not ready, is missing as well."
            )
        stuck = World(plan, herd(4), 4, "3", seed, broken="3").play()
        if stuck.fewest < 3:
            yield "The new version never becomes ready, and yet one pod after the other was given up for it."


def _from_anywhere(plan: Plan) -> Iterator[str]:
    """A controller may begin in the middle of anything."""
    for seed in range(WORLDS):
        random = Random(seed)
        names = random.sample([f"{NAME}-{n}" for n in range(6)], random.randrange(6))
        pods = {name: running(random.choice("12"), random.random() < 0.7) for name in sorted(names)}
        for pod in pods.values():
            pod["leaving"] = random.random() < 0.2
            pod["phase"] = random.choice(("Running", "Running", "Failed"))
            pod["ready"] = pod["ready"] and pod["phase"] == "Running"
        before = ", ".join(f"{name} {_told(pod)}" for name, pod in pods.items()) or "no pods"
        world = World(plan, pods, 3, "2", seed).play()
        if not world.idle:
            yield f"It never came to rest, beginning with: {before}."
        if not world.right or any(pod["version"] != "2" or not pod["ready"] for pod in world.pods.values()):
            yield f"It came to rest too early, beginning with: {before}."


def _told(pod: dict[str, Any]) -> str:
    state = "leaving" if pod["leaving"] else pod["phase"] if pod["phase"] != "Running" else ""
    return f"(version {pod['version']}{', ' * bool(state)}{state}{'' if pod['ready'] or state else ', not ready'})"
