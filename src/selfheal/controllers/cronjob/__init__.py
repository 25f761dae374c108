"""The CronJob controller: a Job each time that the schedule says so.

It does not poll. Each CronJob is looked at when its next time has come (a tenth of a second later, to be on the safe
side), and whenever it or one of its Jobs has changed. What becomes of a Job is the Job's own affair.

Follows pkg/controller/cronjob/cronjob_controllerv2.go and utils.go.
"""

from __future__ import annotations

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock, Process
from selfheal.controllers.cronjob.schedule import BadSchedule, Schedule, UnknownZone, most_recent
from selfheal.controllers.cronjob.sync import Sync, earliest, schedule_of
from selfheal.controllers.ownership import Owners
from selfheal.events import EventRecorder
from selfheal.informers import Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object, key, uid
from selfheal.rules import Cause
from selfheal.store import Store
from selfheal.watches import WatchEvent

DELTA = 100 * MILLISECOND
"""How long after its time (µs) a CronJob is looked at (nextScheduleDelta)."""


class CronJobController:
    """Keeps CronJobs. Begins to work when it is made."""

    KIND = "CronJob"

    def __init__(self, store: Store, informers: Informers, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._crons = informers[self.KIND]
        self._jobs = informers["Job"]
        self._jobs.index("controller", controller_uid)
        self._owners = Owners(self._crons)
        self._recorder = EventRecorder(store, clock, chance, "cronjob-controller")
        self._requests = chance.stream("request", self.KIND)
        self._queue = WorkQueue(clock, chance, self.KIND, self._sync)
        self._crons.handle(self._cron_changed)
        self._jobs.handle(self._job_changed)

    def _cron_changed(self, event: WatchEvent) -> None:
        """updateCronJob: another schedule is waited for, anything else is looked at now."""
        cron, old = event.object, event.old
        if event.type == "MODIFIED" and old is not None and _timing(old) != _timing(cron):
            try:
                wait = self._until_next(cron, schedule_of(cron))
            except (BadSchedule, UnknownZone):
                text = f"unparseable schedule for cronjob: {cron['spec']['schedule']}"
                self._recorder.event(cron, "Warning", "UnParseableCronJobSchedule", text, cause=event.cause)
                return
            self._queue.add_after(key(cron), wait, event.cause)
            return
        self._queue.add(key(cron), event.cause)

    def _job_changed(self, event: WatchEvent) -> None:
        owner = self._owners.of(event.object)
        if owner is not None:
            self._queue.add(key(owner), event.cause)

    def _sync(self, where: Key, cause: Cause | None) -> Process | None:
        cron = self._crons.get(*where)
        return None if cron is None else self._rest(cron, cause)

    def _rest(self, cron: Object, cause: Cause | None) -> Process:
        sync = Sync(self._store, self._recorder, self._clock, self._request, cron, cause)
        again = yield from sync.run(self._jobs.by("controller", uid(cron)))
        if again:
            self._queue.add_after(key(cron), self._until_next(sync.cron, schedule_of(cron)), cause)

    def _request(self) -> simpy.Event:
        return self._clock.sleep(latencies.draw("request", self._requests, self._requests.next()))

    def _until_next(self, cron: Object, schedule: Schedule) -> int:
        """How long until the CronJob is to be looked at again, in µs (nextScheduleTimeDuration)."""
        now = self._clock.unix()
        begin = earliest(cron, self._clock)
        try:
            last = most_recent(schedule, begin, now // SECOND)[0] or begin
        except BadSchedule:
            last = now // SECOND
        due = schedule.next(last)
        return max(0, (due if due is not None else last) * SECOND + DELTA - now)


def _timing(cron: Object) -> tuple[object, object]:
    return cron["spec"].get("schedule"), cron["spec"].get("timeZone")


__all__ = ["CronJobController"]
