"""A comparison that a wrong rule survives is worth nothing: each of these must fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from selfheal import spec
from selfheal.kubelet import backoff, kuberuntime, pod_workers
from selfheal.kubelet.prober import worker
from selfheal.timeline import Timeline
from selfheal.timeline.compare import compare
from tests.recordings.simulate import simulate, takes

pytestmark = pytest.mark.wrong_rules
SEEDS = range(10)


def seeds(name: str) -> list[Timeline]:
    return [simulate(name, seed) for seed in SEEDS]


def probes_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], dict[str, int]]) -> None:
    """Every probe is read from its manifest with other numbers."""
    right = spec.probe

    def wrong(wire: Any) -> Any:
        probe = right(wire)
        return dataclasses.replace(probe, **change(probe))

    monkeypatch.setattr(spec, "probe", wrong)


PROBE_RULES: dict[str, Callable[[Any], dict[str, int]]] = {
    "period + 1": lambda p: {"period_seconds": p.period_seconds + 1},
    "failureThreshold + 1": lambda p: {"failure_threshold": p.failure_threshold + 1},
    "failureThreshold - 1": lambda p: {"failure_threshold": max(1, p.failure_threshold - 1)},
    "initialDelay + 15": lambda p: {"initial_delay_seconds": p.initial_delay_seconds + 15},
}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("period + 1", "liveness-exec"),
        ("period + 1", "readiness-flip"),
        ("period + 1", "startup-never"),
        ("failureThreshold + 1", "liveness-http"),
        ("failureThreshold + 1", "readiness-flip"),
        ("failureThreshold - 1", "liveness-exec"),
        ("failureThreshold - 1", "startup-slow"),
        ("initialDelay + 15", "liveness-http"),
    ],
)
def test_wrong_probe_numbers_are_found(monkeypatch: pytest.MonkeyPatch, rule: str, name: str) -> None:
    probes_read(monkeypatch, PROBE_RULES[rule])
    assert not compare(takes(name), seeds(name)), f"{rule} went unnoticed"


@pytest.mark.parametrize(
    ("module", "attribute", "factor", "name"),
    [
        (backoff, "INITIAL", 2, "crash-loop"),
        (backoff, "INITIAL", 0.5, "restart-policies"),
        (backoff, "MAXIMUM", 0.5, "crash-loop"),
        (kuberuntime, "MINIMUM_GRACE", 3, "startup-never"),
        (pod_workers, "MAX_BACKOFF_WAIT", 3, "crash-loop"),
    ],
)
def test_wrong_times_are_found(
    monkeypatch: pytest.MonkeyPatch, module: Any, attribute: str, factor: float, name: str
) -> None:
    wrong = int(getattr(module, attribute) * factor)
    monkeypatch.setattr(module, attribute, wrong)
    assert not compare(takes(name), seeds(name)), f"{attribute} × {factor} went unnoticed"


def test_a_hold_that_is_never_lifted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """C26 the other way round: after a startup verdict the worker stays on hold in the next instance too."""
    right = worker.Worker.do_probe

    def wrong(self: Any, tick: int, trigger: Any) -> str:
        held, before = self.on_hold, self.container_id
        going = right(self, tick, trigger)
        if held and self.container_id != before:
            self.on_hold = True
        return going

    monkeypatch.setattr(worker.Worker, "do_probe", wrong)
    assert not compare(takes("startup-never"), seeds("startup-never"))


def test_a_back_off_before_the_first_restart_is_found() -> None:
    wrong = [simulate("crash-loop", seed, belief="first-restart-waits") for seed in SEEDS]
    assert not compare(takes("crash-loop"), wrong)
