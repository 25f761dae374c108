"""Lab 13: what is said of a reader's plan, and that a lab's own finalizer holds up no clean-up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.labs import Lab
from selfheal.labs.api import Api
from selfheal.labs.turns.own_controller import Plan, Pods, grade

NOTEBOOK = Path(__file__).parents[2] / "labs" / "13-own-controller.ipynb"
Steps = list[tuple[str, str]]


@cache
def start() -> Plan:
    """What stands in the notebook's cell."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    (answer,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "turn-answer"]
    scope: dict[str, Any] = {}
    exec(answer, scope)
    plan: Plan = scope["mine"]
    return plan


def renewing(name: str, wanted: int, version: str, pods: Pods) -> Steps:
    """The solution: one old pod at a time, if nobody is missing."""
    steps = start()(name, wanted, version, pods)
    if steps or any(pod["leaving"] or not pod["ready"] for pod in pods.values() if pod["version"] == version):
        return steps
    if any(pod["leaving"] for pod in pods.values()):
        return steps
    old = sorted(one for one, pod in pods.items() if pod["version"] != version)
    sick = [one for one in old if not pods[one]["ready"]]
    return [("delete", one) for one in [*sick, *old][:1]]


def all_at_once(name: str, wanted: int, version: str, pods: Pods) -> Steps:
    old = [one for one, pod in pods.items() if pod["version"] != version and not pod["leaving"]]
    return [*start()(name, wanted, version, pods), *(("delete", one) for one in old)]


def hasty(name: str, wanted: int, version: str, pods: Pods) -> Steps:
    """One at a time, but without waiting until the new one is ready."""
    old = [one for one, pod in pods.items() if pod["version"] != version]
    steps = start()(name, wanted, version, pods)
    return steps or [("delete", one) for one in old[:1] if not any(p["leaving"] for p in pods.values())]


def restless(name: str, wanted: int, version: str, pods: Pods) -> Steps:
    return [*renewing(name, wanted, version, pods), ("create", f"{name}-0")]


def forgetful(name: str, wanted: int, version: str, pods: Pods) -> Steps:
    return renewing(name, max(1, wanted), version, pods)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (start(), 'still pods of version "1"'),
        (all_at_once, "two or more were missing"),
        (hasty, "two or more were missing"),
        (restless, "never came to rest"),
        (forgetful, "the finalizer would never be taken away"),
        (lambda *_: [], "do not all come into being"),
        (lambda *_: [("remove", "web-0")], 'there is no verb "remove"'),
        (lambda *_: None, "It ended with TypeError"),
        (renewing, "✓ From each state"),
    ],
    ids=["start", "all-at-once", "hasty", "restless", "forgetful", "lazy", "another-verb", "nothing", "solution"],
)
def test_a_plan_gets_what_helps(plan: Plan, says: str) -> None:
    said = grade(plan)
    assert says in " ".join(str(said).split())
    assert bool(said) == says.startswith("✓")


def test_a_finalizer_of_the_labs_own_holds_up_no_clean_up(api: Api) -> None:
    lab = Lab("own-controller")
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "web", "finalizers": ["selfheal.dev/orderly", "selfheal.dev/other"]},
        }
    )
    name = lab.namespace
    lab.clean()
    assert name not in [space["metadata"]["name"] for space in api.list("Namespace")["items"]]


def test_a_watch_that_is_too_old_lists_anew() -> None:
    scope: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    (code,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "machine-code"]
    exec(code, scope)
    controller = scope["Controller"].__new__(scope["Controller"])
    controller.namespace, controller.wake, controller.stopped = "lab", threading.Event(), threading.Event()
    asked: list[str] = []

    def read(_namespace: str, label_selector: str) -> Any:
        asked.append(f"list {label_selector}")
        return SimpleNamespace(metadata=SimpleNamespace(resource_version=str(len(asked))))

    class Watch:
        """Forgets the first version, goes on from the second, and then the controller ends."""

        def stream(self, _read: Any, _namespace: str, resource_version: str, **_: Any) -> Iterator[dict[str, Any]]:
            asked.append(f"watch from {resource_version}")
            if len(asked) == 2:
                raise scope["ApiException"](status=410, reason="Expired")
            controller.stopped.set()
            yield {"object": SimpleNamespace(metadata=SimpleNamespace(resource_version="9"))}

    scope["watch"].Watch, before = Watch, scope["watch"].Watch
    try:
        controller.follow(read)
    finally:
        scope["watch"].Watch = before
    assert asked == ["list herd", "watch from 1", "list herd", "watch from 3"]
    assert controller.wake.is_set()
