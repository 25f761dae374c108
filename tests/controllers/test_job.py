"""What a Job does: counting, waiting, and knowing when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal import manifests
from selfheal.clock import SECOND, Clock
from selfheal.controllers.job import counting, policies
from selfheal.controllers.job.backoff import Record, remaining_for_index
from selfheal.controllers.job.indexes import Indexes
from selfheal.errors import Invalid
from selfheal.objects import Object, condition, labels, name, replace, terminating, uid
from tests.controllers.worlds import World


def job(called: str = "pi", restart: str = "Never", **spec: Any) -> Object:
    pod = {"restartPolicy": restart, "containers": [{"name": "j", "image": "busybox"}]}
    wanted = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": called, "namespace": "default"},
        "spec": {"template": {"spec": pod}, **spec},
    }
    return manifests.default(wanted)


def start(restart: str = "Never", **spec: Any) -> World:
    world = World()
    world.store.create(job(restart=restart, **spec))
    world.wait(3)
    return world


def end(world: World, pod: Object, code: int = 0) -> None:
    """The pod's container has ended, and with it the pod."""
    terminated = {"exitCode": code, "finishedAt": world.clock.timestamp()}
    statuses = [{"name": "j", "restartCount": 0, "state": {"terminated": terminated}}]
    world.status(pod, phase="Failed" if code else "Succeeded", containerStatuses=statuses)


def active(world: World) -> list[Object]:
    return [p for p in world.pods() if p["status"]["phase"] in ("Pending", "Running") and not terminating(p)]


def status(world: World, *fields: str) -> list[Any]:
    found = world.get("Job", "pi")["status"]
    return [found.get(f, 0) for f in fields or ("active", "ready", "succeeded", "failed")]


def conditions(world: World) -> dict[str, str]:
    found = world.get("Job", "pi")["status"].get("conditions") or ()
    return {c["type"]: c["reason"] for c in found if c["status"] == "True"}


# ---- sets of indexes

SOME = st.sets(st.integers(0, 30))


@given(SOME, SOME)
def test_indexes_are_sets(a: set[int], b: set[int]) -> None:
    assert {n for n in range(32) if n in (Indexes(a) | Indexes(b))} == a | b
    assert {n for n in range(32) if n in (Indexes(a) & Indexes(b))} == a & b
    assert len(Indexes(a)) == len(a)
    assert list(Indexes(a).missing(31)) == [n for n in range(31) if n not in a]


@given(SOME, st.integers(1, 40))
def test_indexes_are_read_as_they_were_written(some: set[int], completions: int) -> None:
    text = str(Indexes(some))
    assert str(Indexes.parse(text, 100)) == text
    assert len(Indexes.parse(text, completions)) == len([n for n in some if n < completions])


@pytest.mark.parametrize(
    ("some", "text"),
    [((), ""), ((0,), "0"), ((0, 1), "0,1"), ((0, 1, 2), "0-2"), ((0, 2), "0,2"), ((1, 3, 4, 5, 7, 8), "1,3-5,7,8")],
)
def test_three_in_a_row_are_a_span(some: tuple[int, ...], text: str) -> None:
    assert str(Indexes(some)) == text


def test_what_a_status_cannot_mean_is_left_out() -> None:
    assert str(Indexes.parse("0,x,2-y,4", 9)) == "0,4"


# ---- failures since the last success

CLOCK = Clock(40, 250_000)


def ended(at: float, **fields: Any) -> Object:
    """A pod whose container ended at that second."""
    terminated = {"finishedAt": CLOCK.timestamp(round(at * SECOND)), "exitCode": 1}
    return {
        "metadata": {"name": "p", "creationTimestamp": CLOCK.timestamp(0), **fields},
        "spec": {"containers": [{"name": "j"}]},
        "status": {"phase": "Failed", "containerStatuses": [{"name": "j", "state": {"terminated": terminated}}]},
    }


def seconds(at: float) -> int:
    """As the status has it: truncated to a whole second of the clock on the wall."""
    return CLOCK.at_timestamp(CLOCK.timestamp(round(at * SECOND)))


def test_failures_add_up_and_success_begins_anew() -> None:
    one = Record().after([], [ended(3)], CLOCK)
    assert one == Record(1, seconds(3))
    three = one.after([], [ended(8), ended(5)], CLOCK)
    assert three == Record(3, seconds(8))
    assert three.after([ended(9)], [], CLOCK) == Record(0, None)
    assert three.after([ended(9)], [ended(8), ended(12), ended(15)], CLOCK) == Record(2, seconds(15))
    assert three.after([], [], CLOCK) is three


def test_the_wait_counts_from_the_end_in_whole_seconds() -> None:
    record = Record(2, seconds(10.7))
    assert record.last == 10_750_000 - SECOND  # the clock on the wall is at .25 when the cluster is at .0
    assert record.remaining(15 * SECOND) == seconds(10.7) + 20 * SECOND - 15 * SECOND
    assert record.remaining(60 * SECOND) == 0


def test_when_a_pod_ended() -> None:
    pod = ended(12)
    assert counting.finished_at(pod, CLOCK) == seconds(12)
    running = replace(pod, "status.containerStatuses", [{"name": "j", "state": {"running": {}}}])
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": CLOCK.timestamp(14 * SECOND)}
    assert counting.finished_at(replace(running, "status.conditions", [unready]), CLOCK) == seconds(14)
    meta = {**running["metadata"], "deletionTimestamp": CLOCK.timestamp(50 * SECOND), "deletionGracePeriodSeconds": 30}
    assert counting.finished_at({**running, "metadata": meta}, CLOCK) == seconds(20)
    assert counting.finished_at(running, CLOCK) == seconds(0)


def test_an_index_waits_by_itself() -> None:
    CLOCK.run(CLOCK.now)
    assert remaining_for_index(None, CLOCK) == 0
    pod = ended(0, annotations={counting.FAILURES: "2"})
    assert remaining_for_index(pod, CLOCK) == 40 * SECOND + seconds(0) - CLOCK.now


# ---- policies


def with_policy(*rules: Object) -> Object:
    return job(podFailurePolicy={"rules": list(rules)})


def codes(action: str, operator: str, *values: int, **more: str) -> Object:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **more}}


def failed(code: int = 1, conditions: tuple[Object, ...] = ()) -> Object:
    pod = replace(ended(1), "metadata.namespace", "default")
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = code
    return replace(pod, "status.conditions", list(conditions))


DISRUPTED = {"type": "DisruptionTarget", "status": "True"}


@pytest.mark.parametrize(
    ("rules", "pod", "action", "counts"),
    [
        ((), failed(), None, True),
        ((codes("Ignore", "In", 1, 2),), failed(1), "Ignore", False),
        ((codes("Ignore", "NotIn", 1, 2),), failed(1), None, True),
        ((codes("FailIndex", "NotIn", 1, 2),), failed(3), "FailIndex", True),
        ((codes("Count", "In", 1), codes("FailJob", "In", 1)), failed(1), "Count", True),
        ((codes("FailJob", "In", 1, containerName="other"),), failed(1), None, True),
        (({"action": "Ignore", "onPodConditions": [DISRUPTED]},), failed(1, (DISRUPTED,)), "Ignore", False),
        (({"action": "Ignore", "onPodConditions": [DISRUPTED]},), failed(1), None, True),
    ],
)
def test_the_first_rule_that_matches_decides(rules: Any, pod: Object, action: str | None, counts: bool) -> None:
    judged = policies.judge(with_policy(*rules), pod)
    assert (judged.action, judged.counts) == (action, counts)


def test_why_a_job_was_ended() -> None:
    judged = policies.judge(with_policy(codes("Count", "In", 9), codes("FailJob", "In", 3)), failed(3))
    assert judged.message == "Container j for pod default/p failed with exit code 3 matching FailJob rule at index 1"
    rule = {"action": "FailJob", "onPodConditions": [DISRUPTED]}
    judged = policies.judge(with_policy(rule), failed(1, (DISRUPTED,)))
    assert judged.message == "Pod default/p has condition DisruptionTarget matching FailJob rule at index 0"


@pytest.mark.parametrize(
    ("rules", "succeeded", "met"),
    [
        ([{"succeededIndexes": "0,2"}], (0, 1), None),
        ([{"succeededIndexes": "0,2"}], (0, 2, 3), 0),
        ([{"succeededIndexes": "0,2", "succeededCount": 1}], (2,), 0),
        ([{"succeededCount": 3}], (0, 1), None),
        ([{"succeededIndexes": "4"}, {"succeededCount": 2}], (0, 1), 1),
        ([{"succeededCount": 0}], (), None),
    ],
)
def test_success_before_all_are_done(rules: list[Object], succeeded: tuple[int, ...], met: int | None) -> None:
    found = policies.success(rules, 5, Indexes(succeeded))
    assert found == (None if met is None else f"Matched rules at index {met}")


# ---- the course of a Job


def test_pods_bear_labels_and_a_finalizer() -> None:
    world = start()
    (pod,) = world.pods()
    wanted = world.get("Job", "pi")
    own = {
        "batch.kubernetes.io/controller-uid": uid(wanted),
        "batch.kubernetes.io/job-name": "pi",
        "controller-uid": uid(wanted),
        "job-name": "pi",
    }
    assert labels(pod) == labels(wanted) == own
    assert wanted["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid(wanted)}}
    assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    assert pod["metadata"]["generateName"] == "pi-"


def test_a_pod_is_noted_then_freed_then_counted() -> None:
    world = start(completions=2)
    (pod,) = active(world)
    end(world, pod)
    seen = len(world.history)
    world.wait(2)
    steps = [
        (e.object["kind"], e.object["status"].get("succeeded", 0), e.object["status"].get("uncountedTerminatedPods"))
        if e.object["kind"] == "Job"
        else (e.object["kind"], e.object["metadata"].get("finalizers"))
        for _, e in world.history[seen:]
        if e.object["kind"] == "Job" or uid(e.object) == uid(pod)
    ]
    assert steps == [("Job", 0, {"succeeded": [uid(pod)]}), ("Pod", None), ("Job", 1, {})]


def test_changes_of_pods_are_gathered_for_a_second() -> None:
    world = start(parallelism=3, completions=3)
    for pod in active(world):
        world.ready(pod)
        world.wait(0.2)
    assert status(world, "ready") == [0]
    world.wait(0.6)
    assert status(world, "ready") == [3]


def test_a_failed_pod_is_replaced_after_ten_seconds() -> None:
    world = start(backoffLimit=3)
    end(world, active(world)[0], 1)
    world.wait(8.5)
    assert status(world) == [0, 0, 0, 1]
    assert active(world) == []
    world.wait(1.6)
    assert len(active(world)) == 1


def test_while_one_index_waits_ready_pods_of_others_keep_the_status_from_being_written() -> None:
    """The controller says 0 active while it waits, and the API server refuses less active than ready."""
    world = start(completionMode="Indexed", completions=2, parallelism=2, backoffLimitPerIndex=2)
    first, second = active(world)
    world.ready(second)
    world.wait(2)
    end(world, first, 1)
    world.wait(5)
    assert status(world, "active", "ready") == [2, 1]
    world.ready(second, ready=False)
    world.wait(2)
    assert status(world, "active", "ready") == [0, 0]
    with pytest.raises(Invalid, match=r"^Job.batch \"pi\" is invalid: status.ready: Invalid value: 1: cannot set more"):
        world.store.update_status({**world.get("Job", "pi"), "status": {"ready": 1}})


def test_indexed_pods_know_their_index() -> None:
    world = start(completionMode="Indexed", completions=3, parallelism=2)
    assert [name(p).rpartition("-")[0] for p in world.pods()] == ["pi-0", "pi-1"]
    for index, pod in enumerate(world.pods()):
        assert pod["metadata"]["annotations"] == {counting.INDEX: str(index)}
        assert labels(pod)[counting.INDEX] == str(index)
        assert pod["spec"]["hostname"] == f"pi-{index}"
        (variable,) = pod["spec"]["containers"][0]["env"]
        assert variable["name"] == "JOB_COMPLETION_INDEX"
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{counting.INDEX}']"


def test_the_failures_of_an_index_are_handed_down() -> None:
    world = start(completionMode="Indexed", completions=1, backoffLimitPerIndex=3)
    counts = []
    for wait in (12, 22, 42):
        (pod,) = active(world)
        counts.append(pod["metadata"]["annotations"][counting.FAILURES])
        end(world, pod, 1)
        world.wait(wait)
    assert counts == ["0", "1", "2"]
    # The last failure is counted when its index has a new pod.
    assert status(world, "failed") == [3]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({}, "FailedIndexes"), ({"maxFailedIndexes": 0}, "MaxFailedIndexesExceeded")],
)
def test_indexes_that_have_failed_for_good(spec: Object, reason: str) -> None:
    world = start(completionMode="Indexed", completions=2, parallelism=2, backoffLimitPerIndex=0, **spec)
    first, second = active(world)
    end(world, first, 1)
    end(world, second, 0)
    world.wait(3)
    assert conditions(world) == {"FailureTarget": reason, "Failed": reason}
    assert status(world, "succeeded", "failed", "failedIndexes") == [1, 1, "0"]


def test_restarts_count_where_the_pod_stays() -> None:
    world = start(restart="OnFailure", backoffLimit=2)
    (pod,) = active(world)
    world.ready(pod)
    for count in (1, 2):
        assert conditions(world) == {}
        world.status(pod, containerStatuses=[{"name": "j", "restartCount": count, "state": {"running": {}}}])
        world.wait(2)
    assert terminating(world.get("Pod", name(pod)))
    assert conditions(world) == {"FailureTarget": "BackoffLimitExceeded"}
    world.status(pod, phase="Failed")
    world.wait(2)
    assert conditions(world)["Failed"] == "BackoffLimitExceeded"
    assert world.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_a_queue_of_work_is_done_when_one_has_succeeded_and_nobody_runs() -> None:
    world = start(parallelism=3)
    first, second, third = active(world)
    end(world, first)
    end(world, second, 1)
    world.wait(15)
    assert status(world) == [1, 0, 1, 1]
    assert conditions(world) == {}
    end(world, third)
    world.wait(3)
    assert "Complete" in conditions(world)


def test_parallelism_may_change_while_it_runs() -> None:
    world = start(parallelism=1, completions=9)
    for parallelism in (4, 2, 0):
        world.set("Job", "pi", "spec.parallelism", parallelism)
        world.wait(0.2)
        assert len(active(world)) == parallelism
    assert status(world, "failed") == [0]


def test_a_job_that_begins_suspended_has_not_begun() -> None:
    world = start(suspend=True)
    found = world.get("Job", "pi")
    assert world.pods() == []
    assert "startTime" not in found["status"]
    assert condition(found, "Suspended")["reason"] == "JobSuspended"  # type: ignore[index]


def test_nobody_holds_the_pods_of_a_job_that_is_gone() -> None:
    world = start(parallelism=2, completions=2)
    world.store.delete("Job", "default", "pi")
    world.wait(1)
    for pod in world.pods():
        assert terminating(pod)
        assert not counting.tracked(pod)
        world.gone(pod)
    assert world.pods() == []


def test_pods_that_a_job_leaves_behind_are_free() -> None:
    world = start(parallelism=2, completions=2)
    world.store.delete("Job", "default", "pi", propagation="Orphan")
    world.wait(1)
    assert len(active(world)) == 2
    assert not any(counting.tracked(p) for p in world.pods())


def test_a_pod_that_somebody_deletes_counts_as_failed_and_is_replaced() -> None:
    world = start(backoffLimit=3)
    (pod,) = active(world)
    world.store.delete("Pod", "default", name(pod))
    world.wait(15)
    assert status(world, "active", "failed", "terminating") == [1, 1, 1]


def test_quiet_costs_nothing() -> None:
    world = start(parallelism=2, completions=2)
    for pod in active(world):
        world.ready(pod)
    world.wait(60)
    steps = world.clock.steps
    world.wait(3600)
    assert world.clock.steps == steps
