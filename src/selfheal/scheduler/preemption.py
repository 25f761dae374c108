"""Making room: a pod of a higher priority may have others of a lower one deleted.

Of the nodes that would have room without such pods it takes the one where least is lost. The victims end with their
grace; meanwhile the node is *nominated* for the pod, and what is left there is no longer given to pods that matter
less. A PodDisruptionBudget is kept if that is possible, and broken if not.

All functions here are pure. Follows pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go and
pkg/scheduler/framework/preemption/preemption.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from selfheal.objects import Object, condition, key, labels, matches, name, namespace, terminating
from selfheal.scheduler.filters import Refusal, histogram, refusals
from selfheal.scheduler.nodes import NodeInfo
from selfheal.spec import pod_spec

REASON = "PreemptionByScheduler"
"""Of the condition DisruptionTarget of a victim."""
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


class Plan(NamedTuple):
    """A node, and who has to leave it."""

    node: str
    victims: tuple[Object, ...]
    """The most important first."""
    broken: int
    """How many of them a budget would have kept."""


class Verdict(NamedTuple):
    """What comes of the attempt to make room."""

    plans: tuple[Plan, ...] = ()
    """Those that are equally good."""
    text: str = ""
    """Why there is none, as the event tells it."""
    keeps: bool = False
    """The node that is nominated already stays so: its victims have not gone yet."""


def priority(pod: Object) -> int:
    return pod_spec(pod).priority


def preempt(
    pod: Object, nodes: Mapping[str, NodeInfo], refused: Mapping[str, Refusal], budgets: Sequence[Object]
) -> Verdict:
    """Where room could be made for a pod that all nodes have refused (Preempt)."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return Verdict(text="not eligible due to preemptionPolicy=Never.", keeps=True)
    nominated = (pod.get("status") or {}).get("nominatedNodeName") or ""
    if nominated in nodes and refused[nominated].resolvable and _waits(pod, nodes[nominated]):
        return Verdict(text="not eligible due to a terminating pod on the nominated node.", keeps=True)
    plans: list[Plan] = []
    why: list[str] = []
    for called, node in nodes.items():
        found = _on_node(pod, node, nodes, budgets) if refused[called].resolvable else (NOT_HELPFUL,)
        if isinstance(found, Plan):
            plans.append(found)
        else:
            why += found
    if plans:
        least = min(_loss(p) for p in plans)
        return Verdict(tuple(p for p in plans if _loss(p) == least))
    return Verdict(text=f"0/{len(nodes)} nodes are available: {histogram(why)}.")


def _waits(pod: Object, node: NodeInfo) -> bool:
    """Whether somebody of less weight is already leaving the node to make room (PodEligibleToPreemptOthers)."""
    return any(priority(g.pod) < priority(pod) and _leaves_for_others(g.pod) for g in node.pods.values())


def _leaves_for_others(pod: Object) -> bool:
    """podTerminatingByPreemption"""
    found = condition(pod, "DisruptionTarget")
    return terminating(pod) and found is not None and (found["status"], found.get("reason")) == ("True", REASON)


def _on_node(
    pod: Object, node: NodeInfo, nodes: Mapping[str, NodeInfo], budgets: Sequence[Object]
) -> Plan | tuple[str, ...]:
    """The fewest that must leave the node, the least important ones; or why that would not do (SelectVictimsOnNode)."""
    lesser = sorted((g.pod for g in node.pods.values() if priority(g.pod) < priority(pod)), key=_importance)
    if not lesser:
        return (NO_VICTIMS,)
    trial = node.copy()
    around = {**nodes, node.name: trial}
    for victim in lesser:
        trial.remove(key(victim))
    hindrance = refusals(pod, around, only=node.name)
    if hindrance:
        return hindrance[node.name].reasons
    kept, rest = _by_budget(lesser, budgets)
    victims, broken = [], 0
    for candidate in (*kept, *rest):
        trial.add(candidate)
        if refusals(pod, around, only=node.name):
            trial.remove(key(candidate))
            victims.append(candidate)
            broken += candidate in kept
    if not victims:  # it would fit beside those for whom room is being made, but not without them
        return (NO_VICTIMS,)
    return Plan(node.name, tuple(sorted(victims, key=_importance)), broken)


def _importance(pod: Object) -> tuple[int, str]:
    """The most important first: of higher priority, then the one that has been there for longer (MoreImportantPod)."""
    return -priority(pod), _started(pod)


def _started(pod: Object) -> str:
    """A pod that has not begun counts as begun just now (GetPodStartTime)."""
    return str((pod.get("status") or {}).get("startTime") or "9999")


def _by_budget(pods: Sequence[Object], budgets: Sequence[Object]) -> tuple[list[Object], list[Object]]:
    """(those that a budget would keep, those that may go) (filterPodsWithPDBViolation)"""
    left = [(b.get("status") or {}).get("disruptionsAllowed", 0) for b in budgets]
    keep: list[Object] = []
    rest: list[Object] = []
    for pod in pods:
        kept = False
        for i, budget in enumerate(budgets):
            selector = budget["spec"].get("selector") or {}
            if namespace(budget) != namespace(pod) or not any(selector.values()) or not matches(selector, labels(pod)):
                continue
            if name(pod) in ((budget.get("status") or {}).get("disruptedPods") or {}):
                continue
            left[i] -= 1
            kept = kept or left[i] < 0
        (keep if kept else rest).append(pod)
    return keep, rest


def _loss(plan: Plan) -> tuple[int, int, int, int, tuple[int, ...]]:
    """What is lost with a plan: the least is best (pickOneNodeForPreemption).

    Budgets broken; the highest priority; all priorities; pods; and of the most important ones the one that has run
    longest should have run for the shortest time.
    """
    priorities = [priority(v) for v in plan.victims]
    highest = max(priorities)
    longest = min(_started(v) for v in plan.victims if priority(v) == highest)
    return (
        plan.broken,
        highest,
        sum(p + 2**31 for p in priorities),
        len(priorities),
        tuple(-ord(c) for c in longest),
    )
