"""How fast an autoscaler may act: quickly up, slowly down.

Up: at once, at most doubling (or four more) in fifteen seconds. Down: only to the highest number that was
recommended in the last five minutes, so that a short lull costs nobody their place.
``spec.behavior`` changes all of that.

Follows pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors;
defaults from pkg/apis/autoscaling/v2/defaults.go. Times are µs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from selfheal import quantities
from selfheal.clock import SECOND
from selfheal.controllers.podautoscaler.replicas import TOLERANCE, Tolerances

DOWN_WINDOW = 300
"""Seconds over which the highest recommendation counts (downscale-stabilization)."""

UP: dict[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN: dict[str, Any] = {
    "stabilizationWindowSeconds": DOWN_WINDOW,
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
"""What ``spec.behavior`` says where it is silent."""

WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FAST = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FAST_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")

Said = tuple[str, str]
"""Reason and message of a condition."""


@dataclass(slots=True)
class Memory:
    """What an autoscaler remembers of the last minutes."""

    recommendations: list[tuple[int, int]] = field(default_factory=list)
    """(when, how many)"""
    changes: list[tuple[int, int]] = field(default_factory=list)
    """(when, by how many)"""


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas it shall be, and what the conditions say of it."""

    replicas: int
    able: Said
    limited: bool
    limit: Said


def decide(memory: Memory, behavior: Any, current: int, wanted: int, low: int, high: int, now: int) -> Decision:
    """From what the metrics ask for to what will be done."""
    up, down = _rules(behavior, "scaleUp", UP), _rules(behavior, "scaleDown", DOWN)
    calm, able = _stabilized(memory, up, down, current, wanted, now, plain=behavior is None)
    least, most, below, above = low, high, TOO_FEW, TOO_MANY
    if behavior is None:
        fastest = max(2 * current, 4)
        if fastest < high:
            most, above = fastest, TOO_FAST
    elif calm > current:
        fastest = max(current, _limit(memory, up, current, now, 1))
        if fastest < high:
            most, above = fastest, TOO_FAST
    elif calm < current:
        slowest = min(current, _limit(memory, down, current, now, -1))
        if slowest > low:
            least, below = slowest, TOO_FAST_DOWN
    if calm > most:
        return Decision(most, able, True, above)
    if calm < least:
        return Decision(least, able, True, below)
    return Decision(calm, able, False, WITHIN)


def _rules(behavior: Any, direction: str, default: dict[str, Any]) -> dict[str, Any]:
    return {**default, **((behavior or {}).get(direction) or {})}


def tolerances_of(behavior: Any) -> Tolerances:
    """How far usage may be from its target, up and down (tolerancesForHpa; gate HPAConfigurableTolerance, on)."""
    up, down = (_rules(behavior, d, {}).get("tolerance", TOLERANCE) for d in ("scaleUp", "scaleDown"))
    return Tolerances(*(quantities.milli(t) / 1000 for t in (up, down)))


def _stabilized(
    memory: Memory, up: Any, down: Any, current: int, wanted: int, now: int, *, plain: bool
) -> tuple[int, Said]:
    """The calmest of the recent recommendations (stabilizeRecommendation, stabilizeRecommendationWithBehaviors)."""
    rising = wanted >= current and not plain
    window = (up if rising else down)["stabilizationWindowSeconds"] * SECOND
    longest = max(up["stabilizationWindowSeconds"], down["stabilizationWindowSeconds"]) * SECOND
    recent = [count for at, count in memory.recommendations if at > now - window]
    calm = (min if rising else max)([wanted, *recent])
    memory.recommendations = [(at, n) for at, n in memory.recommendations if at >= now - longest] + [(now, wanted)]
    if calm == wanted:
        return calm, ("ReadyForNewScale", "recommended size matches current size")
    which, lower = ("Up", "lower") if rising else ("Down", "higher")
    best = "lowest" if rising else "highest"
    text = f"recent recommendations were {lower} than current one, applying the {best} recent recommendation"
    return calm, (f"Scale{which}Stabilized", text)


def _limit(memory: Memory, rules: Any, current: int, now: int, sign: int) -> int:
    """As far as the policies of one direction let it go (calculateScaleUpLimitWithScalingRules and its twin)."""
    if rules["selectPolicy"] == "Disabled":
        return current
    limits: list[int] = []
    for policy in rules["policies"]:
        since = now - policy["periodSeconds"] * SECOND
        done = sum(by * sign for at, by in memory.changes if at > since and by * sign > 0)
        begun, value = current - done * sign, policy["value"]
        if policy["type"] == "Pods":
            limits.append(begun + sign * value)
        elif sign > 0:
            limits.append(math.ceil(begun * (1 + value / 100)))
        else:
            limits.append(int(begun * (1 - value / 100)))
    farthest = (rules["selectPolicy"] != "Min") == (sign > 0)
    return (max if farthest else min)(limits)
