"""When a CronJob is due, and what it does then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.controllers.cronjob.schedule import BadSchedule, UnknownZone, most_recent, parse
from selfheal.objects import Object, controller_of, name, names
from tests.controllers.worlds import World, template

BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp())


def when(schedule: str, after: str, zone: str | None = None, count: int = 1) -> list[str]:
    """The next times, as ``2026-01-05 09:30`` in UTC."""
    found, out = parse(schedule, zone), []
    moment: int | None = at(after)
    for _ in range(count):
        assert moment is not None
        moment = found.next(moment)
        out.append("never" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M"))
    return out


# ---- schedules


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-01-01 08:01"),
        ("*/15 * * * *", "2026-01-01 08:15"),
        ("5/20 * * * *", "2026-01-01 08:05"),
        ("30 6-16/4 * * *", "2026-01-01 10:30"),
        ("0 0 1 * *", "2026-02-01 00:00"),
        ("0 0 31 * *", "2026-01-31 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 9 * * mon-fri", "2026-01-01 09:00"),
        ("0 7 * * MON", "2026-01-05 07:00"),
        ("0 0 13 * 5", "2026-01-02 00:00"),
        ("0 0 13 * ?", "2026-01-13 00:00"),
        ("0 0 */2 * 6", "2026-01-03 00:00"),
        ("0 0 * Jun *", "2026-06-01 00:00"),
        ("1,3 8 * * *", "2026-01-01 08:01"),
        ("@hourly", "2026-01-01 09:00"),
        ("@daily", "2026-01-02 00:00"),
        ("@weekly", "2026-01-04 00:00"),
        ("@monthly", "2026-02-01 00:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("@every 90m", "2026-01-01 09:30"),
        ("59 23 31 2 *", "never"),
    ],
)
def test_the_next_time(schedule: str, due: str) -> None:
    assert when(schedule, "2026-01-01 08:00:20" if "every" not in schedule else "2026-01-01 08:00:00") == [due]


FIELD = st.sampled_from(["*", "*/7", "3", "1-4", "2,5", "1-5/2"])
DAYS = st.sampled_from(["*", "?", "13", "1-7", "*/9"])
WEEKDAYS = st.sampled_from(["*", "1", "mon-fri", "0,6"])


@settings(deadline=None)
@given(FIELD, FIELD, DAYS, st.sampled_from(["*", "2", "1-3"]), WEEKDAYS, st.integers(0, 86400 * 80))
def test_the_next_time_is_the_first_minute_that_matches(m: str, h: str, d: str, mon: str, w: str, offset: int) -> None:
    schedule = f"{m} {h} {d} {mon} {w}"
    after = BEGIN + offset
    found = parse(schedule).next(after)
    assert found is not None
    moment = datetime.fromtimestamp(after, UTC).replace(second=0) + timedelta(minutes=1)
    for _ in range(60 * 24 * 4):
        if matches(schedule, moment):
            assert found == moment.timestamp()
            return
        moment += timedelta(minutes=1)
    assert found > moment.timestamp() - 60


def matches(schedule: str, moment: datetime) -> bool:
    """The slow way: each field by itself."""
    m, h, d, mon, w = schedule.split()
    day, weekday = in_field(d, moment.day, 1, 31), in_field(w.replace("mon-fri", "1-5"), moment.isoweekday() % 7, 0, 6)
    days = day and weekday if d in "*?" or w == "*" else day or weekday
    return (
        in_field(m, moment.minute, 0, 59)
        and in_field(h, moment.hour, 0, 23)
        and in_field(mon, moment.month, 1, 12)
        and days
    )


def in_field(field: str, value: int, low: int, high: int) -> bool:
    for item in field.replace("?", "*").split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        begin, stop = (low, high) if span == "*" else (int(first), int(last or first))
        if begin <= value <= stop and (value - begin) % int(step or 1) == 0:
            return True
    return False


def test_a_time_zone_moves_with_the_seasons() -> None:
    assert when("30 7 * * *", "2026-03-27 12:00:00", "Europe/Berlin", 3) == [
        "2026-03-28 06:30",
        "2026-03-29 05:30",
        "2026-03-30 05:30",
    ]
    # In the night when the clocks go forward there is no half past two.
    assert when("30 2 * * *", "2026-03-28 12:00:00", "Europe/Berlin") == ["2026-03-30 00:30"]


@pytest.mark.parametrize("schedule", ["", "* * * *", "60 * * * *", "*/0 * * * *", "@sometimes", "TZ=UTC * * * * *"])
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(BadSchedule):
        parse(schedule)


def test_what_is_no_time_zone() -> None:
    with pytest.raises(UnknownZone, match=r"^unknown time zone Nowhere$"):
        parse("* * * * *", "Nowhere")


def test_the_last_time_that_has_come() -> None:
    minutely = parse("* * * * *")
    begin = at("2026-01-01 08:00:20")
    assert most_recent(minutely, begin, begin + 39) == (None, 0)
    assert most_recent(minutely, begin, begin + 40) == (begin + 40, 1)
    assert most_recent(minutely, begin, begin + 40 + 600) == (begin + 640, 11)
    with pytest.raises(BadSchedule, match="less than 1 second"):
        most_recent(parse("59 23 31 2 *"), begin, begin)


@settings(deadline=None)
@given(st.sampled_from(["*/7 * * * *", "0 0 * * *", "@every 7m"]), st.integers(60, 86400 * 9))
def test_the_last_time_is_found_without_walking_through_all(schedule: str, passed: int) -> None:
    found = parse(schedule)
    last, moment = None, found.next(BEGIN)
    while moment is not None and moment <= BEGIN + passed:
        last, moment = moment, found.next(moment)
    assert most_recent(found, BEGIN, BEGIN + passed)[0] == last


def test_the_short_way_may_miss_the_last_of_uneven_times() -> None:
    """6:30, 10:30, 14:30: at 18:30 it looks for a time after 14:30, and finds none (so does Kubernetes)."""
    assert most_recent(parse("30 6-16/4 * * *"), at("2026-01-01 00:00:00"), at("2026-01-01 18:30:00")) == (None, 4)


# ---- the controller; its world begins at second 40.25 of a minute


def cron_job(schedule: str = "* * * * *", **spec: Any) -> Object:
    pod = {**template()["spec"], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": pod}}},
            **spec,
        },
    }


@pytest.fixture
def world() -> World:
    return World()


def start(world: World, **spec: Any) -> World:
    world.store.create(cron_job(**spec))
    return world


def jobs(world: World) -> list[str]:
    return names(world.store.list("Job"))


def finish(world: World, kind: str = "Complete", pod: int = -1) -> None:
    """The newest Job ends."""
    running = [p for p in world.pods() if p["status"]["phase"] == "Pending"]
    world.status(running[pod], phase="Succeeded" if kind == "Complete" else "Failed")
    world.wait(3)


def test_a_job_has_name_labels_and_owner_from_its_time(world: World) -> None:
    start(world)
    world.wait(25)
    (job,) = world.store.list("Job")
    due = at("2026-01-01 08:01:00")
    assert name(job) == f"tick-{due // 60}"
    assert job["metadata"]["labels"] == {"a": "b"}
    notes = job["metadata"]["annotations"]
    assert notes == {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T08:01:00Z"}
    owner = controller_of(job)
    assert owner is not None
    assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
    assert job["spec"]["backoffLimit"] == 6
    status = world.get("CronJob", "tick")["status"]
    assert status["lastScheduleTime"] == "2026-01-01T08:01:00Z"
    assert [a["name"] for a in status["active"]] == [name(job)]
    assert world.events("SuccessfulCreate")[0] == f"Created job {name(job)}"


def test_it_is_looked_at_a_tenth_of_a_second_after_its_time(world: World) -> None:
    start(world)
    world.wait(60)
    (made,) = (t for t, e in world.history if e.object["kind"] == "Job" and e.type == "ADDED")
    assert 19.75 + 0.1 <= made <= 19.75 + 0.15


def test_forbid_waits_and_then_makes_up_for_it(world: World) -> None:
    start(world, concurrencyPolicy="Forbid")
    world.wait(90)
    assert len(jobs(world)) == 1
    assert world.events("JobAlreadyActive")
    finish(world)
    assert len(jobs(world)) == 2
    due = at("2026-01-01 08:02:00")
    assert world.get("CronJob", "tick")["status"]["lastScheduleTime"] == "2026-01-01T08:02:00Z"
    assert jobs(world)[-1] == f"tick-{due // 60}"


def test_forbid_with_a_deadline_gives_up_what_is_too_late(world: World) -> None:
    start(world, concurrencyPolicy="Forbid", startingDeadlineSeconds=5)
    world.wait(90)
    finish(world)
    assert len(jobs(world)) == 1


def test_replace_ends_what_runs(world: World) -> None:
    start(world, concurrencyPolicy="Replace")
    world.wait(90)
    assert len(jobs(world)) == 1
    assert len(world.events("SuccessfulDelete")) == 1
    assert len(world.get("CronJob", "tick")["status"]["active"]) == 1


def test_what_has_ended_is_told_and_kept_as_long_as_wanted(world: World) -> None:
    start(world, successfulJobsHistoryLimit=1, failedJobsHistoryLimit=1)
    for kind in ("Complete", "Complete", "Failed", "Complete"):
        world.wait(58)
        if kind == "Failed":
            world.set("Job", jobs(world)[-1], "spec.backoffLimit", 0)
        finish(world, kind)
    texts = world.events("SawCompletedJob")
    assert [t.rpartition(" ")[2] for t in texts] == ["Complete", "Complete", "Failed", "Complete"]
    assert len(jobs(world)) == 2
    assert len(world.events("SuccessfulDelete")) == 2
    status = world.get("CronJob", "tick")["status"]
    assert "active" not in status
    assert status["lastSuccessfulTime"] > status["lastScheduleTime"]


def test_what_a_sync_has_written_the_next_one_knows() -> None:
    """A sync ends with the answer to its status (cronjob_controllerv2.go sync), and one that meets a Job which its
    cache does not list goes by the API server's list (syncCronJob): nobody is missed who was replaced, and an end is
    told once, though the Job that goes because of it asks for another look."""
    told = ends = 0
    for seed in range(10):
        world = start(World(seed=seed), concurrencyPolicy="Replace")
        world.wait(240)
        assert len(jobs(world)) == 1
        assert world.events("MissingJob") == []
        world = start(World(seed=seed), successfulJobsHistoryLimit=1)
        for _ in range(3):
            world.wait(57)
            finish(world)
        told += len(world.events("SawCompletedJob"))
        ends += 3
    assert ends <= told <= 1.1 * ends


def test_jobs_that_vanish_or_turn_up(world: World) -> None:
    start(world)
    world.wait(25)
    (job,) = world.store.list("Job")
    world.store.delete("Job", "default", name(job))
    world.wait(1)
    assert world.events("MissingJob") == [f"Active job went missing: {name(job)}"]
    own = {**job["metadata"], "name": "by-hand"}
    world.store.create({**job, "metadata": own, "spec": {**job["spec"], "manualSelector": True}})
    world.wait(1)
    assert world.events("UnexpectedJob")[0].endswith("did not create or forgot: by-hand")


def test_suspended_and_resumed(world: World) -> None:
    start(world, suspend=True)
    world.wait(200)
    assert jobs(world) == []
    world.set("CronJob", "tick", "spec.suspend", False)
    world.wait(1)
    assert len(jobs(world)) == 1


def test_too_many_missed_times_are_worth_a_warning(world: World) -> None:
    start(world, suspend=True)
    world.wait(3 * 3600)
    world.set("CronJob", "tick", "spec.suspend", False)
    world.wait(1)
    assert len(jobs(world)) == 1
    assert world.events("TooManyMissedTimes")[0].startswith("too many missed start times.")


def test_another_schedule_is_waited_for(world: World) -> None:
    start(world, schedule="0 0 * * *")
    world.wait(10)
    world.set("CronJob", "tick", "spec.schedule", "* * * * *")
    world.wait(15)
    assert len(jobs(world)) == 1


def test_what_cannot_be_done_is_told(world: World) -> None:
    start(world, schedule="59 23 31 2 *")
    world.wait(1)
    assert world.events("InvalidSchedule") == [
        "invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second"
    ]
    world.set("CronJob", "tick", "spec", cron_job(timeZone="Nowhere")["spec"])
    world.set("CronJob", "tick", "spec.suspend", False)
    world.wait(1)
    assert world.events("UnknownTimeZone")[0] == 'invalid timeZone: "Nowhere": unknown time zone Nowhere'


def test_quiet_costs_nothing(world: World) -> None:
    start(world, schedule="0 12 * * *")
    world.wait(60)
    steps = world.clock.steps
    world.wait(3 * 3600)
    assert world.clock.steps == steps
