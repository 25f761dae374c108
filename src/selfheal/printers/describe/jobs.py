"""What runs to an end: Jobs, and the CronJobs that start them."""

from __future__ import annotations

from selfheal.objects import Object
from selfheal.printers import selectors
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.pod import template
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import between, rfc1123
from selfheal.printers.fields import Fields, at, items, mapping, number, text, title_bool

LONGEST = 50
"""A list of completed indexes is cut at the first comma after so many characters."""


def job(w: Writer, job: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describeJob)"""
    spec, status = mapping(job, "spec"), mapping(job, "status")
    parts.head(w, job)
    w.field("Selector", selectors.selector(at(spec, "selector")))
    parts.labels(w, job)
    parts.controlled_by(w, job)
    _if_set(w, "Parallelism", spec, "parallelism")
    w.field("Completions", at(spec, "completions", "<unset>"))
    for name, field in (
        ("Completion Mode", "completionMode"),
        ("Suspend", "suspend"),
        ("Backoff Limit", "backoffLimit"),
        ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
    ):
        _if_set(w, name, spec, field)
    started, completed = at(status, "startTime"), at(status, "completionTime")
    if started is not None:
        w.field("Start Time", rfc1123(started))
    if completed is not None:
        w.field("Completed At", rfc1123(completed))
    if started is not None and completed is not None:
        w.field("Duration", between(started, completed))
    _if_set(w, "Active Deadline Seconds", spec, "activeDeadlineSeconds", "s")
    ready = at(status, "ready")
    w.field(
        "Pods Statuses",
        f"{number(status, 'active')} Active {'' if ready is None else f'({ready} Ready) '}/ "
        f"{number(status, 'succeeded')} Succeeded / {number(status, 'failed')} Failed",
    )
    if text(spec, "completionMode") == "Indexed":
        w.field("Completed Indexes", _cut(text(status, "completedIndexes")) or "<none>")
    template(w, mapping(spec, "template"))
    parts.events_table(w, parts.events_of(job, lister), now)


def _if_set(w: Writer, name: str, spec: Fields, field: str, unit: str = "") -> None:
    if at(spec, field) is not None:
        w.field(name, text(spec, field) + unit)


def _cut(indexes: str) -> str:
    comma = indexes.find(",", LONGEST)
    return indexes if comma < 0 else indexes[: comma + 1] + "..."


def cron_job(w: Writer, cron: Object, lister: Lister, now: float) -> None:
    """(describe.go describeCronJob)"""
    spec = mapping(cron, "spec")
    parts.head(w, cron)
    parts.labels(w, cron)
    w.field("Schedule", text(spec, "schedule"))
    w.field("Concurrency Policy", text(spec, "concurrencyPolicy"))
    suspend = at(spec, "suspend")
    w.field("Suspend", "<unset>" if suspend is None else title_bool(suspend is True))
    w.field("Time Zone", text(spec, "timeZone", "<unset>"))
    w.field("Successful Job History Limit", at(spec, "successfulJobsHistoryLimit", "<unset>"))
    w.field("Failed Job History Limit", at(spec, "failedJobsHistoryLimit", "<unset>"))
    deadline = at(spec, "startingDeadlineSeconds")
    w.field("Starting Deadline Seconds", "<unset>" if deadline is None else f"{deadline}s")

    of_job = mapping(spec, "jobTemplate.spec")
    selector = at(of_job, "selector")
    w.field("Selector", "<unset>" if selector is None else selectors.selector(selector))
    w.field("Parallelism", at(of_job, "parallelism", "<unset>"))
    w.field("Completions", at(of_job, "completions", "<unset>"))
    _if_set(w, "Active Deadline Seconds", of_job, "activeDeadlineSeconds", "s")
    template(w, mapping(of_job, "template"))

    last = at(cron, "status.lastScheduleTime")
    w.field("Last Schedule Time", "<unset>" if last is None else rfc1123(last))
    w.field("Active Jobs", ", ".join(text(ref, "name") for ref in items(cron, "status.active")) or "<none>")
    parts.events_table(w, parts.events_of(cron, lister), now)
