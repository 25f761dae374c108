"""What a Job's manifest says about particular failures and about early success.

Follows pkg/controller/job/pod_failure_policy.go and success_policy.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from selfheal.controllers.job.indexes import Indexes
from selfheal.objects import Object, name, namespace


class Judgement(NamedTuple):
    """What the podFailurePolicy makes of a failed pod."""

    counts: bool = True
    """Towards backoffLimit."""
    action: str | None = None
    """Of the rule that matched: ``FailJob``, ``FailIndex``, ``Ignore`` or ``Count``."""
    message: str | None = None
    """Why the Job fails, if the action is ``FailJob``."""


def judge(job: Object, pod: Object) -> Judgement:
    """The first rule that matches decides (matchPodFailurePolicy)."""
    policy = job["spec"].get("podFailurePolicy") or {}
    for index, rule in enumerate(policy.get("rules") or ()):
        what = _matches(rule, pod)
        if what is None:
            continue
        action = rule["action"]
        message = f"{what} matching {action} rule at index {index}" if action == "FailJob" else None
        return Judgement(action != "Ignore", action, message)
    return Judgement()


def _matches(rule: Mapping[str, Any], pod: Object) -> str | None:
    """What of the pod the rule is about, in words; None if nothing."""
    where = f"{namespace(pod)}/{name(pod)}"
    if rule.get("onExitCodes") is not None:
        wanted = rule["onExitCodes"]
        for statuses in ("containerStatuses", "initContainerStatuses"):
            for status in pod["status"].get(statuses) or ():
                code = ((status.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
                right = wanted.get("containerName") in (None, status["name"])
                if right and code != 0 and (code in wanted["values"]) == (wanted["operator"] == "In"):
                    return f"Container {status['name']} for pod {where} failed with exit code {code}"
    elif rule.get("onPodConditions") is not None:
        for found in pod["status"].get("conditions") or ():
            for wanted in rule["onPodConditions"]:
                if (found["type"], found["status"]) == (wanted["type"], wanted.get("status") or "True"):
                    return f"Pod {where} has condition {found['type']}"
    return None


def success(rules: Iterable[Mapping[str, Any]], completions: int, succeeded: Indexes) -> str | None:
    """The message of the successPolicy's rule that is met; None if none is (matchSuccessPolicy)."""
    if not succeeded:
        return None
    for index, rule in enumerate(rules):
        count = rule.get("succeededCount")
        if rule.get("succeededIndexes") is not None:
            wanted = Indexes.parse(rule["succeededIndexes"], completions)
            there = len(wanted & succeeded)
            met = len(wanted) > 0 and (there == len(wanted) or (count is not None and there >= count))
        else:
            met = count is not None and len(succeeded) >= count
        if met:
            return f"Matched rules at index {index}"
    return None
