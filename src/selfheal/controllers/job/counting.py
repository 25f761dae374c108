"""Which pods of a Job count, as what, and when they ended.

All functions here are pure. Follows pkg/controller/job/job_controller.go, backoff_utils.go and indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfheal.clock import SECOND, Clock
from selfheal.controllers import pods
from selfheal.objects import Object, condition, terminating

FINALIZER = "batch.kubernetes.io/job-tracking"
"""On each pod, until it has been counted."""

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"

NO_INDEX = -1


# ---- the Job


def finished(job: Object) -> bool:
    """Whether the Job is Complete or Failed (IsJobFinished)."""
    return any(true_condition(job, kind) is not None for kind in ("Complete", "Failed"))


def true_condition(job: Object, kind: str) -> Object | None:
    found = condition(job, kind)
    return dict(found) if found is not None and found["status"] == "True" else None


def suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend"))


def indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def per_index(job: Object) -> bool:
    """Whether each index has failures of its own (hasBackoffLimitPerIndex)."""
    return job["spec"].get("backoffLimitPerIndex") is not None


def replaces_only_failed(job: Object) -> bool:
    """Whether a pod on its way out is replaced only when it has ended (onlyReplaceFailedPods)."""
    spec = job["spec"]
    return bool(spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy") is not None)


# ---- its pods


def tracked(pod: Object) -> bool:
    """Whether the pod has not been counted yet (hasJobTrackingFinalizer)."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def leaving(pod: Object) -> bool:
    """Whether the pod is being deleted and still runs (IsPodTerminating)."""
    return terminating(pod) and not pods.finished(pod)


def failed(pod: Object, job: Object) -> bool:
    """Whether the pod counts as failed: also one that is being deleted, unless the Job waits for its end."""
    if pods.phase(pod) == "Failed":
        return True
    if replaces_only_failed(job):
        return False
    return terminating(pod) and pods.phase(pod) != "Succeeded"


def index_of(pod: Object) -> int:
    """The completion index; NO_INDEX without one (getCompletionIndex)."""
    text = _notes(pod).get(INDEX, "")
    return int(text) if text.isdecimal() else NO_INDEX


def _notes(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("annotations") or {}


def valid_index(pod: Object, job: Object) -> bool:
    return 0 <= index_of(pod) < int(job["spec"]["completions"])


def failures_before(pod: Object, which: str = FAILURES) -> int:
    """How often the pod's index had failed when the pod was made."""
    text = _notes(pod).get(which, "")
    return int(text) if text.isdecimal() and int(text) < 2**31 else 0


def restarts(some: Iterable[Object]) -> int:
    """Restarts of all containers of pods that have not ended."""
    return sum(
        status.get("restartCount", 0)
        for pod in some
        if pods.phase(pod) in ("Running", "Pending")
        for statuses in ("initContainerStatuses", "containerStatuses")
        for status in pod["status"].get(statuses) or ()
    )


def finished_at(pod: Object, clock: Clock) -> int:
    """When the pod ended, in µs of cluster time; times in a status are whole seconds, truncated (getFinishedTime)."""
    ended = _containers_finished_at(pod, clock)
    if ended is not None:
        return ended
    ready = condition(pod, "Ready")
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return clock.at_timestamp(ready["lastTransitionTime"])
    meta = pod["metadata"]
    if "deletionTimestamp" in meta:
        grace = int(meta.get("deletionGracePeriodSeconds", 0))
        return clock.at_timestamp(meta["deletionTimestamp"]) - grace * SECOND
    return clock.at_timestamp(meta["creationTimestamp"])


def _containers_finished_at(pod: Object, clock: Clock) -> int | None:
    """The end of the last container or sidecar; None while one has not ended."""
    sidecars = {c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    statuses = [
        *(pod["status"].get("containerStatuses") or ()),
        *(s for s in pod["status"].get("initContainerStatuses") or () if s["name"] in sidecars),
    ]
    times = [(s.get("state") or {}).get("terminated", {}).get("finishedAt") for s in statuses]
    return max((clock.at_timestamp(t) for t in times), default=None) if all(times) else None
