"""What a Job adds to its pods: a finalizer, and for an indexed Job all by which a pod knows its index.

Follows pkg/controller/job/job_controller.go manageJob and indexed_job_utils.go.
"""

from __future__ import annotations

from selfheal.controllers.job import counting, policies
from selfheal.objects import Object, name

VARIABLE = "JOB_COMPLETION_INDEX"


def pod_template(job: Object) -> Object:
    """The template of all pods of the Job."""
    template: Object = job["spec"]["template"]
    meta = template.get("metadata") or {}
    finalizers = [*(meta.get("finalizers") or ()), counting.FINALIZER]
    spec = template["spec"]
    if counting.indexed(job):
        spec = {k: [_told(c) for c in v] if k in ("containers", "initContainers") else v for k, v in spec.items()}
    return {**template, "metadata": {**meta, "finalizers": finalizers}, "spec": spec}


def _told(container: Object) -> Object:
    """The container with its index in the environment (addCompletionIndexEnvVariable)."""
    env = container.get("env") or []
    if any(v["name"] == VARIABLE for v in env):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{counting.INDEX}']"}}
    return {**container, "env": [*env, {"name": VARIABLE, "valueFrom": source}]}


def with_index(template: Object, job: Object, index: int, replaced: Object | None) -> Object:
    """The template for one index; ``replaced`` is the failed pod whose failures the new one inherits."""
    meta = template["metadata"]
    notes = {**(meta.get("annotations") or {}), counting.INDEX: str(index)}
    if counting.per_index(job):
        failures, ignored = _failures(job, replaced)
        notes[counting.FAILURES] = str(failures)
        if ignored:
            notes[counting.IGNORED_FAILURES] = str(ignored)
    labels = {**(meta.get("labels") or {}), counting.INDEX: str(index)}
    return {
        **template,
        "metadata": {**meta, "annotations": notes, "labels": labels},
        "spec": {**template["spec"], "hostname": f"{name(job)}-{index}"},
    }


def _failures(job: Object, replaced: Object | None) -> tuple[int, int]:
    """(failures, ignored failures) of the index so far (getNewIndexFailureCounts)."""
    if replaced is None:
        return 0, 0
    failures = counting.failures_before(replaced)
    ignored = counting.failures_before(replaced, counting.IGNORED_FAILURES)
    return (failures + 1, ignored) if policies.judge(job, replaced).counts else (failures, ignored + 1)
