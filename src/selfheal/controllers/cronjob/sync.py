"""One sync of a CronJob: what has become of its Jobs, and whether it is time for another.

A time that has come while a Job was still running is not skipped, though many believe it: with ``Forbid`` the missed
run begins as soon as the Job has ended, if ``startingDeadlineSeconds`` allows.

Follows pkg/controller/cronjob/cronjob_controllerv2.go and utils.go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

import simpy

from selfheal import manifests
from selfheal.clock import SECOND, Clock, Process, rfc3339
from selfheal.controllers.cronjob.schedule import BadSchedule, Schedule, UnknownZone, most_recent, parse, time_zone
from selfheal.controllers.job import counting
from selfheal.errors import AlreadyExists, ApiError
from selfheal.events import EventRecorder, reference
from selfheal.informers import controller_uid
from selfheal.objects import Object, key, name, namespace, owner_reference, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

SOURCE = "pkg/controller/cronjob/cronjob_controllerv2.go"

MANY = 100
"""More missed times than this are worth a warning."""

SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"

START = rule("cronjob.start", SOURCE, "syncCronJob")
BUSY = rule("cronjob.busy", SOURCE, "syncCronJob")
LATE = rule("cronjob.late", SOURCE, "syncCronJob")
REPLACE = rule("cronjob.replace", SOURCE, "syncCronJob")
CLEAN = rule("cronjob.clean", SOURCE, "cleanupFinishedJobs")
SAW = rule("cronjob.saw", SOURCE, "syncCronJob")


class Sync:
    """One sync. What it changes in the status is written once, at its end; each request before that takes its time."""

    def __init__(
        self,
        store: Store,
        recorder: EventRecorder,
        clock: Clock,
        request: Callable[[], simpy.Event],
        cron: Object,
        cause: Cause | None,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._request = request
        self._cause = cause
        self._why = cause
        self._original = cron
        self._status: Object = dict(cron["status"])
        self._changed = False

    @property
    def cron(self) -> Object:
        """The CronJob with the status as it is by now."""
        return {**self._original, "status": self._status}

    def run(self, jobs: list[Object]) -> Generator[simpy.Event, Any, bool]:
        """Look at the Jobs, start one if it is due. Whether to look again at the next time; raises ApiError."""
        again, error = False, None
        try:
            yield from self._clean_up(jobs)
            self._look_at(jobs)
            again = yield from self._start_if_due()
        except ApiError as failed:
            error = failed
        if self._changed:
            self._write()
            # The next sync waits for the answer, and by then the cache has what was written.
            yield self._request()
        if error is not None:
            raise error
        return again

    # ---- the Jobs that are there

    def _clean_up(self, jobs: list[Object]) -> Process:
        """Delete finished Jobs beyond the limits, oldest first (cleanupFinishedJobs)."""
        spec = self._original["spec"]
        for field, condition, kind in (
            ("successfulJobsHistoryLimit", "Complete", "successful"),
            ("failedJobsHistoryLimit", "Failed", "failed"),
        ):
            limit = spec.get(field)
            if limit is None:
                continue
            done = [j for j in jobs if counting.true_condition(j, condition) is not None]
            done.sort(key=lambda j: (j["status"].get("startTime", "9"), name(j)))
            for job in done[: max(0, len(done) - limit)]:
                why = Cause(CLEAN, self._cause, owner=name(self._original), limit=limit, kind=kind, object=name(job))
                self._delete(job, why)
                yield self._request()

    def _delete(self, job: Object, why: Cause) -> bool:
        """deleteJob"""
        try:
            self._store.delete("Job", *key(job), uid=uid(job), cause=why)
        except ApiError as error:
            self._tell("Warning", "FailedDelete", f"Deleted job: {error}", why)
            return False
        self._forget(uid(job))
        self._tell("Normal", "SuccessfulDelete", f"Deleted job {name(job)}", why)
        self._set(self._why or why)
        return True

    def _look_at(self, jobs: list[Object]) -> None:
        """Which Jobs have ended, which are unknown, which are gone."""
        for job in jobs:
            known = uid(job) in self._active()
            if not counting.finished(job):
                if not known and not self._catch_up(job):
                    text = f"Saw a job that the controller did not create or forgot: {name(job)}"
                    self._tell("Warning", "UnexpectedJob", text, self._cause)
                continue
            complete = counting.true_condition(job, "Complete") is not None
            if known:
                ended = "Complete" if complete else "Failed"
                why = Cause(SAW, self._cause, object=name(job), condition=ended)
                self._forget(uid(job))
                self._tell("Normal", "SawCompletedJob", f"Saw completed job: {name(job)}, condition: {ended}", why)
                self._set(why)
            ended_at = job["status"].get("completionTime")
            if complete and ended_at is not None and ended_at > self._status.get("lastSuccessfulTime", ""):
                self._status["lastSuccessfulTime"] = ended_at
                self._set(self._cause)
        own = {uid(j) for j in jobs}
        for entry in list(self._status.get("active") or ()):
            if entry["uid"] not in own and self._store.get("Job", entry["namespace"], entry["name"]) is None:
                self._tell("Normal", "MissingJob", f"Active job went missing: {entry['name']}", self._cause)
                self._forget(entry["uid"])
                self._set(self._cause)

    def _catch_up(self, job: Object) -> bool:
        """Whether the API server has the Job in the list, though the cache has not; then its status counts."""
        there = self._store.get("CronJob", *key(self._original))
        if there is None or uid(job) not in [a["uid"] for a in there["status"].get("active") or ()]:
            return False
        self._status = dict(there["status"])
        return True

    def _active(self) -> list[str]:
        return [a["uid"] for a in self._status.get("active") or ()]

    def _forget(self, which: str) -> None:
        self._status["active"] = [a for a in self._status.get("active") or () if a["uid"] != which]

    # ---- the next Job

    def _start_if_due(self) -> Generator[simpy.Event, Any, bool]:
        """Whether to look again at the next time (syncCronJob)."""
        cron, spec = self._original, self._original["spec"]
        if terminating(cron):
            return False
        zone = spec.get("timeZone")
        try:
            if zone is not None:
                time_zone(zone)
        except UnknownZone as error:
            self._tell("Warning", "UnknownTimeZone", f'invalid timeZone: "{zone}": {error}', self._cause)
            return False
        if spec.get("suspend"):
            return False
        try:
            schedule = schedule_of(cron)
        except BadSchedule as error:
            text = f'unparseable schedule: "{spec["schedule"]}" : {error}'
            self._tell("Warning", "UnparseableSchedule", text, self._cause)
            return False
        try:
            due = self._due(schedule)
        except BadSchedule as error:
            self._tell("Warning", "InvalidSchedule", f"invalid schedule: {spec['schedule']} : {error}", self._cause)
            return False
        return True if due is None else (yield from self._start(due))

    def _due(self, schedule: Schedule) -> int | None:
        """The last time that has come and is not yet dealt with (nextScheduleTime)."""
        now = self._clock.unix_seconds()
        begin = earliest(self.cron, self._clock)
        deadline = self._original["spec"].get("startingDeadlineSeconds")
        if deadline is not None:
            begin = max(begin, now - deadline)
        due, missed = most_recent(schedule, begin, now)
        if due is not None and missed > MANY:
            text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self._tell("Warning", "TooManyMissedTimes", text, self._cause)
        return due

    def _start(self, due: int) -> Generator[simpy.Event, Any, bool]:
        cron, spec = self._original, self._original["spec"]
        owner, when = name(cron), rfc3339(due)
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and (due + deadline) * SECOND < self._clock.unix():
            missed = datetime.fromtimestamp(due, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
            text = f"Missed scheduled time to start a job: {missed}"
            self._tell("Warning", "MissSchedule", text, Cause(LATE, self._cause, owner=owner, due=when))
            return True
        called = f"{name(cron)}-{due // 60}"
        active = self._status.get("active") or []
        if called in [a["name"] for a in active] or self._status.get("lastScheduleTime") == rfc3339(due):
            return True
        policy = spec.get("concurrencyPolicy")
        if policy == "Forbid" and active:
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._tell("Normal", "JobAlreadyActive", text, Cause(BUSY, self._cause, owner=owner, due=when))
            return True
        if policy == "Replace":
            yield from self._make_room(active)
        self._create(called, due, Cause(START, self._cause, owner=owner, due=when))
        yield self._request()
        return True

    def _make_room(self, active: list[Object]) -> Process:
        why = Cause(REPLACE, self._cause, owner=name(self._original))
        for entry in active:
            job = self._store.get("Job", entry["namespace"], entry["name"])
            if job is not None:
                self._delete(job, why)
                yield self._request()

    def _create(self, called: str, due: int, why: Cause) -> None:
        cron = self._original
        template = cron["spec"]["jobTemplate"]
        meta = template.get("metadata") or {}
        wanted = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                **({"labels": meta["labels"]} if meta.get("labels") else {}),
                "name": called,
                "namespace": namespace(cron),
                "annotations": {**(meta.get("annotations") or {}), SCHEDULED_AT: self._local(due)},
                "ownerReferences": [owner_reference(cron)],
            },
            "spec": template["spec"],
        }
        try:
            job = self._store.create(manifests.default(wanted), cause=why)
            self._tell("Normal", "SuccessfulCreate", f"Created job {called}", why)
        except AlreadyExists:
            found = self._store.get("Job", namespace(cron), called)
            if found is None or controller_uid(found) != uid(cron) or uid(found) in self._active():
                return
            job = found
        except ApiError as error:
            self._tell("Warning", "FailedCreate", f"Error creating job: {error}", why)
            raise
        self._status["active"] = [*(self._status.get("active") or ()), reference(job)]
        self._status["lastScheduleTime"] = rfc3339(due)
        self._set(why)

    def _local(self, due: int) -> str:
        """The nominal time in the CronJob's own time zone (RFC 3339)."""
        zone = self._original["spec"].get("timeZone")
        if zone is None:
            return rfc3339(due)
        return datetime.fromtimestamp(due, time_zone(zone)).isoformat().replace("+00:00", "Z")

    # ---- the status

    def _set(self, why: Cause | None) -> None:
        self._changed = True
        self._why = why

    def _write(self) -> None:
        status = {k: v for k, v in self._status.items() if v}
        self._store.update_status({**self._original, "status": status}, cause=self._why)

    def _tell(self, type_: str, reason: str, text: str, why: Cause | None) -> None:
        self._recorder.event(self._original, type_, reason, text, cause=why)


def schedule_of(cron: Object) -> Schedule:
    return parse(cron["spec"]["schedule"], cron["spec"].get("timeZone"))


def earliest(cron: Object, clock: Clock) -> int:
    """The last time at which a Job was started, or else the CronJob's creation, in seconds of Unix time."""
    stamp = cron["status"].get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]
    return clock.unix_seconds(clock.at_timestamp(stamp))
