"""[sig-apps] CronJob"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import BUSYBOX, Client, Object, refused

SLEEP, SUCCEED, FAIL = ["sleep", "300"], ["/bin/true"], ["/bin/false"]


def cron_job(
    name: str, policy: str = "Allow", command: Any = SLEEP, schedule: str = "*/1 * * * ?", **spec: Any
) -> Object:
    container = {"name": "c", "image": BUSYBOX, "volumeMounts": [{"mountPath": "/data", "name": "data"}]}
    if command:
        container["command"] = command
    pod = {
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "data", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    job = {"spec": {"parallelism": 1, "completions": 1, "backoffLimit": 0, "template": {"spec": pod}}}
    spec = {"schedule": schedule, "concurrencyPolicy": policy, "jobTemplate": job, **spec}
    return {"kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def active(e2e: Client, name: str) -> list[Object]:
    found: list[Object] = (e2e.get("CronJob", name).get("status") or {}).get("active") or []
    return found


def waits_for_active(e2e: Client, name: str, count: int) -> None:
    e2e.wait(lambda: len(active(e2e, name)) >= count, limit=300, step=1)


def finished(job: Object) -> bool:
    return any(c["type"] in ("Complete", "Failed") for c in (job.get("status") or {}).get("conditions") or ())


def running(e2e: Client) -> list[Object]:
    return [j for j in e2e.list("Job") if not finished(j)]


def events(e2e: Client, name: str) -> list[str]:
    about = e2e.get("CronJob", name)["metadata"]
    fields = f"involvedObject.name={name},involvedObject.kind=CronJob,involvedObject.uid={about['uid']}"
    fields += f",involvedObject.namespace={e2e.namespace}"
    return [e["reason"] for e in e2e.list("Event", fieldSelector=fields)]


def test_jobs_side_by_side(e2e: Client) -> None:
    e2e.create(cron_job("concurrent"))
    waits_for_active(e2e, "concurrent", 2)
    assert len(running(e2e)) >= 2
    e2e.delete("CronJob", "concurrent", propagationPolicy="Background")


def test_a_new_job_replaces_the_last(e2e: Client) -> None:
    e2e.create(cron_job("replace", "Replace"))
    waits_for_active(e2e, "replace", 1)
    [job] = running(e2e)
    assert len(active(e2e, "replace")) == 1

    def replaced() -> bool:
        found = running(e2e)
        return len(found) == 1 and found[0]["metadata"]["name"] != job["metadata"]["name"]

    e2e.wait(replaced, limit=300, step=1)


def test_more_than_a_hundred_missed(e2e: Client) -> None:
    made = cron_job("missed", "Forbid")
    made["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05Z"
    made["status"] = {"lastScheduleTime": "2026-01-03T03:04:05Z"}
    e2e.create(made)
    waits_for_active(e2e, "missed", 1)
    assert running(e2e)


def test_nothing_unexpected_is_told(e2e: Client) -> None:
    e2e.create(cron_job("warnings", command=None))
    e2e.wait(lambda: len(e2e.list("Job")) >= 2, limit=300, step=1)
    e2e.wait(lambda: any(finished(j) for j in e2e.list("Job")), limit=300, step=1)
    assert not {"MissingJob", "UnexpectedJob"} & set(events(e2e, "warnings"))


def test_deleted_jobs_are_no_longer_active(e2e: Client) -> None:
    e2e.create(cron_job("forbid", "Forbid"))
    waits_for_active(e2e, "forbid", 1)
    [job] = active(e2e, "forbid")
    e2e.delete("Job", job["name"], propagationPolicy="Background")
    e2e.wait(lambda: not e2e.there("Job", job["name"]))
    e2e.wait(lambda: job["name"] not in [j["name"] for j in active(e2e, "forbid")])
    e2e.wait(lambda: "MissingJob" in events(e2e, "forbid"))


@pytest.mark.parametrize(("command", "limits"), [(SUCCEED, (1, 0)), (FAIL, (0, 1))], ids=["successful", "failed"])
def test_only_the_last_finished_job_is_kept(e2e: Client, command: Any, limits: tuple[int, int]) -> None:
    history = {"successfulJobsHistoryLimit": limits[0], "failedJobsHistoryLimit": limits[1]}
    e2e.create(cron_job("history", command=command, **history))
    e2e.wait(lambda: any(finished(j) for j in e2e.list("Job")), limit=300, step=1)
    [first] = [j["metadata"]["name"] for j in e2e.list("Job") if finished(j)]
    e2e.wait(lambda: [j for j in e2e.list("Job") if finished(j) and j["metadata"]["name"] != first], limit=300, step=1)
    e2e.wait(lambda: first not in [j["metadata"]["name"] for j in e2e.list("Job")])
    assert len([j for j in e2e.list("Job") if finished(j)]) == 1


def test_a_job_tells_when_it_was_due(e2e: Client) -> None:
    e2e.create(cron_job("annotated"))
    waits_for_active(e2e, "annotated", 1)
    [job] = e2e.list("Job")
    due = job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert due.endswith(":00Z")


def test_a_time_zone_must_be_known(e2e: Client) -> None:
    with refused("Invalid"):
        e2e.create(cron_job("zone", timeZone="bad-time-zone"))


def test_operations_on_cron_jobs(e2e: Client) -> None:
    mark = {"special-label": e2e.namespace}
    selector = f"special-label={e2e.namespace}"
    made = cron_job("test-api", command=SUCCEED, schedule="* */1 * * ?")
    made["metadata"]["labels"] = mark
    assert "batch" in {g["name"] for g in e2e.ask("GET", "/apis")["groups"]}
    assert "cronjobs" in {r["name"] for r in e2e.ask("GET", "/apis/batch/v1")["resources"]}
    created = e2e.create(made)
    assert e2e.get("CronJob", "test-api")["metadata"]["uid"] == created["metadata"]["uid"]
    listed = e2e.ask("GET", e2e.path("CronJob"), labelSelector=selector)
    assert len(listed["items"]) == len(e2e.list("CronJob", selector, everywhere=True)) == 1
    with e2e.watch("CronJob", selector, listed["metadata"]["resourceVersion"]) as watch:
        note = {"metadata": {"annotations": {"patched": "true"}}}
        assert e2e.patch("CronJob", "test-api", note, "merge")["metadata"]["annotations"]["patched"] == "true"

        def change(obj: Object) -> None:
            obj["metadata"]["annotations"]["updated"] = "true"

        assert e2e.retry("CronJob", "test-api", change)["metadata"]["annotations"]["updated"] == "true"
        event = watch.until(lambda e: e["object"]["metadata"].get("annotations", {}).get("updated") == "true")
        assert event["type"] == "MODIFIED"
    first, later = "2026-01-02T03:04:05Z", "2026-01-02T04:04:05Z"
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"lastScheduleTime": first}}
    patched = e2e.patch("CronJob", "test-api", patch, "merge", "status")
    assert patched["status"]["lastScheduleTime"] == first
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"

    def move(obj: Object) -> None:
        obj["status"]["lastScheduleTime"] = later

    assert e2e.retry("CronJob", "test-api", move, "status")["status"]["lastScheduleTime"] == later
    assert e2e.get("CronJob", "test-api", "status")["metadata"]["uid"] == created["metadata"]["uid"]
    e2e.create({**made, "metadata": {"name": "for-removal", "labels": mark}})
    e2e.delete("CronJob", "for-removal")
    assert not e2e.there("CronJob", "for-removal")
    e2e.delete_collection("CronJob", selector)
    assert e2e.list("CronJob", selector) == []
