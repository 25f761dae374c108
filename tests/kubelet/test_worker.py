"""The probe worker by itself: cases C21 to C41, and its verdicts for any sequence of results."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal import spec
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.kubelet.prober.results import ResultsManager
from selfheal.kubelet.prober.worker import Worker
from selfheal.kubelet.restart_policy import should_restart
from selfheal.probes.result import Outcome, Panic
from selfheal.rules import Rules

SUCCESS, FAILURE = Outcome("success"), Outcome("failure", "no")
ERROR = Outcome("unknown", "", "rpc error")


class Manager:
    """What a worker needs of its manager, with answers made up by the test."""

    def __init__(self, *, parking: bool = False) -> None:
        self.clock = Clock()
        self.chance = Chance(1)
        self.rules = Rules()
        self.parking = parking
        self.updates: list[tuple[str, str]] = []
        self.results = {
            t: ResultsManager(lambda _uid, _cid, result, _cause, t=t: self.updates.append((t, result)))
            for t in ("liveness", "readiness", "startup")
        }
        self.statuses: dict[str, Any] = {}
        self.pods: dict[str, Any] = {"uid": {"metadata": {"name": "pod", "namespace": "default"}, "spec": {}}}
        self.workers: dict[Any, Worker] = {}
        self.parked: dict[Worker, None] = {}
        self.started_at: dict[str, int] = {}
        self.records: list[dict[str, Any]] = []
        self.events: list[str] = []
        self.calls = 0
        self.answers: list[Outcome] = []
        self.restart = True
        self.panics = False

    def find_container(self, container_id: str) -> None:
        return None

    def found_running(self, found: dict[str, Any]) -> bool:
        return False

    def forget(self, worker: Worker) -> None:
        self.workers.clear()

    def will_restart(self, pod_uid: str, container: Any, terminated: dict[str, Any]) -> bool:
        return self.restart

    def run_probe(self, worker: Worker) -> Outcome:
        self.calls += 1
        if self.panics:
            raise Panic
        if not self.answers:
            return SUCCESS
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def why_answer(self, worker: Worker, since: int | None, tick: Any) -> None:
        return None

    def why_ended(self, worker: Worker) -> None:
        return None

    def record_of(self, worker: Worker) -> dict[str, Any]:
        return {"object": "Pod/pod", "container": "app", "probe": worker.type}

    def record(self, record: dict[str, Any], cause: Any) -> dict[str, Any]:
        self.records.append(record)
        return record

    def probe_event(self, worker: Worker, outcome: Outcome, cause: Any) -> None:
        self.events.append(outcome.error or outcome.output)


def running(container_id: str = "one", *, started: bool = True, ready: bool = False) -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-01-01T08:00:00Z"}}
    return {
        "phase": "Running",
        "containerStatuses": [
            {"name": "app", "containerID": container_id, "state": state, "started": started, "ready": ready}
        ],
    }


def ended(container_id: str, exit_code: int) -> dict[str, Any]:
    status = running(container_id)
    status["containerStatuses"][0]["state"] = {"terminated": {"exitCode": exit_code}}
    return status


def make(kind: str = "liveness", *, parking: bool = False, **numbers: int) -> tuple[Manager, Worker]:
    manager = Manager(parking=parking)
    probe = spec.Probe(
        handler=spec.HTTPGetAction("/", 80, "", "HTTP", ()),
        initial_delay_seconds=numbers.get("delay", 0),
        timeout_seconds=1,
        period_seconds=numbers.get("period", 10),
        success_threshold=numbers.get("success", 1),
        failure_threshold=numbers.get("failure", 3),
        termination_grace_period_seconds=None,
    )
    container = SimpleNamespace(name="app", readiness=None, restartable_init=False)
    worker = Worker(manager, "uid", container, kind, probe)  # type: ignore[arg-type]
    manager.workers[("uid", "app", kind)] = worker
    manager.statuses["uid"] = running(started=kind != "startup")
    return manager, worker


def one_pass(worker: Worker, *answers: Outcome) -> str:
    if answers:
        worker.manager.answers = list(answers)  # type: ignore[attr-defined]
    return worker.do_probe(worker.manager.clock.now, None)


def stored(worker: Worker) -> str | None:
    return worker.results.get("one")


def test_C21_before_the_initial_delay_liveness_counts_as_success() -> None:
    manager, worker = make("liveness", delay=100)
    assert one_pass(worker) != "end"
    assert (stored(worker), manager.calls) == ("Success", 0)


def test_C22_before_the_initial_delay_readiness_counts_as_failure() -> None:
    manager, worker = make("readiness", delay=100)
    assert one_pass(worker) != "end"
    assert (stored(worker), manager.calls) == ("Failure", 0)


def test_C23_three_failures_in_a_row_make_a_verdict_one_success_ends_it() -> None:
    _, worker = make("readiness", failure=3)
    for _ in range(2):
        for outcome, expected in zip("sssfffff", ["Success"] * 5 + ["Failure"] * 3, strict=True):
            one_pass(worker, SUCCESS if outcome == "s" else FAILURE)
            assert stored(worker) == expected


def test_C24_success_threshold_of_three() -> None:
    _, worker = make("readiness", success=3, failure=1)
    for _ in range(2):
        for outcome, expected in zip("sssssf", ["Failure"] * 2 + ["Success"] * 3 + ["Failure"], strict=True):
            one_pass(worker, SUCCESS if outcome == "s" else FAILURE)
            assert stored(worker) == expected


def test_C25_after_a_startup_failure_nothing_is_probed_until_there_is_a_new_container() -> None:
    manager, worker = make("startup", failure=1)
    one_pass(worker, FAILURE)
    assert stored(worker) == "Failure"
    one_pass(worker, SUCCESS)
    assert (stored(worker), manager.calls) == ("Failure", 1)


def test_C26_a_new_container_lifts_the_hold() -> None:
    manager, worker = make("liveness", failure=1)
    one_pass(worker, FAILURE)
    assert worker.on_hold
    manager.statuses["uid"] = running("two")
    one_pass(worker, SUCCESS)
    assert not worker.on_hold
    assert worker.results.get("two") == "Success"


def test_C27_the_run_is_cleared_by_a_startup_failure() -> None:
    _, worker = make("startup", failure=3)
    seen = []
    for _ in range(3):
        one_pass(worker, FAILURE)
        seen.append((stored(worker), worker.result_run))
    assert seen == [("Unknown", 1), ("Unknown", 2), ("Failure", 0)]


def test_C28_a_startup_worker_idles_once_the_container_is_started() -> None:
    manager, worker = make("startup")
    manager.statuses["uid"] = running(started=True)
    assert one_pass(worker, FAILURE) != "end"
    assert (stored(worker), manager.calls) == ("Unknown", 0)


@pytest.mark.parametrize("kind", ["liveness", "readiness", "startup"])
def test_C29_without_a_status_a_worker_waits(kind: str) -> None:
    manager, worker = make(kind)
    del manager.statuses["uid"]
    assert one_pass(worker) != "end"
    assert stored(worker) is None


def test_C30_a_failed_pod_ends_its_workers() -> None:
    manager, worker = make()
    manager.statuses["uid"] = {**running(), "phase": "Failed"}
    assert one_pass(worker) == "end"
    assert stored(worker) is None


@pytest.mark.parametrize("kind", ["liveness", "readiness", "startup"])
def test_C31_a_waiting_container_is_a_failure(kind: str) -> None:
    manager, worker = make(kind)
    status = running()
    status["containerStatuses"][0]["state"] = {"waiting": {}}
    manager.statuses["uid"] = status
    assert one_pass(worker) != "end"
    assert stored(worker) == "Failure"


def test_C32_a_container_that_stays_ended_ends_its_worker() -> None:
    manager, worker = make()
    manager.statuses["uid"], manager.restart = ended("one", 1), False
    assert one_pass(worker) == "end"


def test_C33_a_terminated_sidecar_keeps_its_worker() -> None:
    manager, worker = make()
    manager.statuses["uid"], manager.restart = ended("one", 1), True
    assert one_pass(worker) != "end"


@pytest.mark.parametrize(("exit_code", "goes_on"), [(42, True), (1, False)])
def test_C34_a_restart_rule_decides_by_the_exit_code(exit_code: int, goes_on: bool) -> None:
    container = spec.container(
        {
            "name": "app",
            "image": "busybox",
            "restartPolicy": "Never",
            "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
        }
    )
    pod = SimpleNamespace(restart_policy="Never")
    assert should_restart(container, pod, exit_code) is goes_on  # type: ignore[arg-type]


def test_C35_a_panic_in_a_probe_changes_nothing() -> None:
    manager, worker = make("readiness", failure=1)
    one_pass(worker, SUCCESS)
    run, manager.panics = worker.result_run, True
    assert one_pass(worker) == "wait"
    assert (stored(worker), worker.result_run, manager.events) == ("Success", run, [])


def test_C36_an_error_changes_nothing() -> None:
    manager, worker = make("readiness", failure=1)
    one_pass(worker, SUCCESS)
    run = worker.result_run
    one_pass(worker, ERROR)
    assert (stored(worker), worker.result_run, manager.calls) == ("Success", run, 4)
    assert manager.events == ["rpc error"]


def test_C37_a_failure_is_not_tried_again() -> None:
    manager, worker = make()
    one_pass(worker, FAILURE)
    assert manager.calls == 1


def test_C38_the_count_of_failures_survives_a_crash() -> None:
    manager, worker = make("liveness", failure=3)
    one_pass(worker, FAILURE)
    one_pass(worker, FAILURE)
    manager.statuses["uid"] = running("two")
    one_pass(worker, FAILURE)
    assert worker.results.get("two") == "Failure"


def test_C39_a_slow_probe_with_a_short_period_runs_back_to_back() -> None:
    manager, _ = make("readiness", period=1)
    manager.answers = [Outcome("success", duration=3 * SECOND, steady=False)]
    manager.clock.run(60 * SECOND)
    assert 19 <= manager.calls <= 21


def test_C40_ticks_count_from_the_worker_not_from_the_container() -> None:
    manager, _ = make("liveness", period=10)
    manager.clock.run(65 * SECOND)
    assert manager.calls == 7
    assert manager.records[0]["t"] < 0.1
    assert (manager.records[0]["every"], manager.records[0]["times"]) == (10, 7)


def test_C41_a_trigger_moves_the_rhythm() -> None:
    manager, worker = make("readiness", period=30)
    manager.answers = [FAILURE]
    manager.statuses.clear()
    for at in (2.0, 2.6):
        manager.clock.at(round(at * SECOND), lambda: (manager.statuses.update(uid=running()), worker.trigger(None)))  # type: ignore[arg-type]
    manager.clock.run(70 * SECOND)
    probed = [r["t"] for r in manager.records if r["result"] == "failure"]
    assert probed == pytest.approx([2.02, 2.62, 32.61, 62.61], abs=0.05)


@given(
    st.sampled_from(["liveness", "readiness", "startup"]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.sampled_from("sfe"), max_size=40),
)
def test_verdicts_follow_the_run_of_equal_results(kind: str, success: int, failure: int, results: list[str]) -> None:
    """A verdict is the last result of which enough came in a row; errors are as if they had not been."""
    if kind != "readiness":
        success = 1
    _, worker = make(kind, success=success, failure=failure)
    expected = {"liveness": "Success", "readiness": "Failure", "startup": "Unknown"}[kind]
    last, run, hold = "s", 0, False
    for result in results:
        one_pass(worker, {"s": SUCCESS, "f": FAILURE, "e": ERROR}[result])
        if not hold and result != "e":
            run = run + 1 if result == last else 1
            last = result
            if run >= (success if result == "s" else failure):
                expected = "Success" if result == "s" else "Failure"
                if kind == "startup" or (kind == "liveness" and result == "f"):
                    hold, run = True, 0
        assert stored(worker) in (expected, None if not results else expected)


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 25), st.sampled_from("sf")), max_size=6),
)
def test_a_parked_worker_leaves_the_same_records_as_one_that_executes_each_tick(
    period: int, failure: int, changes: list[tuple[int, str]]
) -> None:
    def play(parking: bool) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        manager, worker = make("readiness", parking=parking, period=period, failure=failure)
        at = 0.0
        for pause, answer in changes:
            at += pause + 0.37

            def change(answer: str = answer) -> None:
                manager.answers = [SUCCESS if answer == "s" else FAILURE]
                worker.unpark()

            manager.clock.at(round(at * SECOND), change)
        manager.clock.run(round((at + 20) * SECOND))
        worker.settle()
        return manager.records, manager.updates

    assert play(True) == play(False)
