"""READY, STATUS and RESTARTS of ``kubectl get pods`` (pkg/printers/internalversion/printers.go printPod)."""

from __future__ import annotations

from typing import Any

from selfheal import printers
from tests.printers.demo import T0, at, ended

Object = dict[str, Any]


def pod(*containers: Object, inits: tuple[Object, ...] = (), sidecars: tuple[str, ...] = (), **status: Any) -> Object:
    """A pod whose containers and init containers have these statuses; conditions as ``Ready="True"``."""
    metadata: Object = {"name": "p", "namespace": "default", "creationTimestamp": at(0)}
    if status.pop("deleting", False):
        metadata |= {"deletionTimestamp": at(130), "deletionGracePeriodSeconds": 30}
    conditions = {kind: status.pop(kind) for kind in ("Ready", "Initialized") if kind in status}
    init_specs = [{"name": s["name"], **({"restartPolicy": "Always"} if s["name"] in sidecars else {})} for s in inits]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": s["name"]} for s in containers], "initContainers": init_specs},
        "status": {
            "phase": "Running",
            "containerStatuses": list(containers),
            "initContainerStatuses": list(inits),
            "conditions": [{"type": kind, "status": value} for kind, value in conditions.items()],
            **status,
        },
    }


def container(name: str = "app", *, ready: bool = False, restarts: int = 0, **state: Any) -> Object:
    """``waiting="CrashLoopBackOff"``, ``exit=1``, ``running=True``; ``last`` is when the last instance ended."""
    out: Object = {"name": name, "ready": ready, "restartCount": restarts, "state": {}}
    if "waiting" in state:
        out["state"] = {"waiting": {"reason": state["waiting"]}}
    elif "exit" in state:
        code = state["exit"]
        reason = state.get("reason", "Completed" if code == 0 else "Error")
        out["state"] = {"terminated": {"exitCode": code, "reason": reason, "signal": state.get("signal", 0)}}
    elif "running" in state:
        out["state"] = {"running": {"startedAt": at(0)}}
        out["started"] = state.get("started", True)
    if "last" in state:
        out["lastState"] = ended(0, state["last"], 1)
    return out


def row(of: Object, when: float = 100.5) -> list[str]:
    """READY, STATUS and RESTARTS as kubectl prints them."""
    cells = printers.table("Pod", [of], T0 + when).rows[0].cells
    return [str(cell) for cell in cells[1:4]]


def test_C207_a_crash_loop_shows_when_it_last_crashed() -> None:
    crashing = pod(container(waiting="CrashLoopBackOff", restarts=3, last=90))
    assert row(crashing) == ["0/1", "CrashLoopBackOff", "3 (10s ago)"]
    printed = printers.get("Pod", [crashing], T0 + 100.5)
    assert printed.splitlines()[1] == "p      0/1     CrashLoopBackOff   3 (10s ago)   100s"


def test_C208_the_first_container_with_something_to_say_decides() -> None:
    first, second = container("c1", waiting="CrashLoopBackOff"), container("c2", exit=1)
    assert row(pod(first, second))[1] == "CrashLoopBackOff"
    assert row(pod(second, first))[1] == "Error"


def test_C209_init_containers_are_counted_while_they_run() -> None:
    waiting = pod(
        container(waiting="PodInitializing"),
        inits=(container("i1", exit=0), container("i2", running=True)),
        phase="Pending",
        Initialized="False",
    )
    assert row(waiting) == ["0/1", "Init:1/2", "0"]


def test_C210_a_crashing_init_container_names_its_reason() -> None:
    inits = (container("i1", waiting="CrashLoopBackOff", restarts=2, last=80),)
    stuck = pod(container(waiting="PodInitializing"), inits=inits, phase="Pending", Initialized="False")
    assert row(stuck) == ["0/1", "Init:CrashLoopBackOff", "2 (20s ago)"]


def test_C211_a_deleted_pod_terminates_unless_it_has_already_ended() -> None:
    assert row(pod(container(running=True, ready=True), deleting=True))[1] == "Terminating"
    assert row(pod(container(exit=1), phase="Failed", deleting=True))[1] == "Error"
    assert row(pod(container(exit=0), phase="Succeeded", deleting=True))[1] == "Completed"
    assert row(pod(container(running=True), reason="NodeLost", deleting=True))[1] == "Unknown"


def test_C212_ready_counts_sidecars() -> None:
    sidecar = container("proxy", running=True, ready=True)
    both = pod(
        container(running=True, ready=True), inits=(sidecar,), sidecars=("proxy",), Initialized="True", Ready="True"
    )
    assert row(both)[:2] == ["2/2", "Running"]


def test_C213_endpoints_beyond_three_are_counted() -> None:
    def listed(n: int) -> str:
        eps = {
            "kind": "EndpointSlice",
            "metadata": {"name": "web-x"},
            "addressType": "IPv4",
            "ports": [{"port": 80}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": False}} for address in "abcde"[:n]],
        }
        return str(printers.table("EndpointSlice", [eps], T0).rows[0].cells[3])

    assert listed(5) == "a,b,c + 2 more..."
    assert listed(3) == "a,b,c"
    assert listed(0) == "<unset>"


def test_a_running_container_that_is_not_ready_has_no_word_of_its_own() -> None:
    assert row(pod(container(running=True)))[:2] == ["0/1", "Running"]


def test_restarts_count_sidecars_and_containers_once_initialized() -> None:
    inits = (container("i1", exit=0, restarts=5, last=99), container("proxy", running=True, restarts=2, last=50))
    done = pod(container(running=True, restarts=1, last=40), inits=inits, sidecars=("proxy",), Initialized="True")
    assert row(done)[2] == "3 (50s ago)"


def test_an_init_container_that_fails_without_a_reason_shows_its_exit_code_or_signal() -> None:
    def word(**state: Any) -> str:
        return row(pod(container(waiting="PodInitializing"), inits=(container("i1", reason="", **state),)))[1]

    assert word(exit=3) == "Init:ExitCode:3"
    assert word(exit=137, signal=9) == "Init:Signal:9"


def test_a_container_that_fails_without_a_reason_shows_its_exit_code_or_signal() -> None:
    assert row(pod(container(exit=3, reason="")))[1] == "ExitCode:3"
    assert row(pod(container(exit=137, reason="", signal=9)))[1] == "Signal:9"


def test_completed_containers_beside_a_running_one() -> None:
    done, alive = container("c1", exit=0), container("c2", running=True, ready=True)
    assert row(pod(done, alive, Ready="True"))[1] == "Running"
    assert row(pod(done, alive, Ready="False"))[1] == "NotReady"
    assert row(pod(done, container("c3", exit=1), alive, Ready="False"))[1] == "Error"
    assert row(pod(done, container("c3", exit=0)))[1] == "Completed"


def test_a_starting_sidecar_holds_initialization_up() -> None:
    sidecar = container("proxy", running=True, started=False)
    waiting = pod(container(waiting="PodInitializing"), inits=(sidecar,), sidecars=("proxy",), Initialized="False")
    assert row(waiting)[:2] == ["0/2", "Init:0/1"]


def test_reasons_of_the_pod_itself() -> None:
    assert row(pod(reason="Evicted", phase="Failed"))[1] == "Evicted"
    assert row(pod(phase="Pending"))[1] == "Pending"
    gated = pod(phase="Pending")
    gated["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    assert row(gated)[1] == "SchedulingGated"


def test_restarts_without_a_known_end_have_no_age() -> None:
    assert row(pod(container(running=True, restarts=4)))[2] == "4"


def test_wide_shows_where_it_runs_and_its_readiness_gates() -> None:
    gated = pod(container(running=True))
    gated["spec"]["readinessGates"] = [{"conditionType": "example.com/a"}, {"conditionType": "example.com/b"}]
    gated["status"]["conditions"] = [{"type": "example.com/a", "status": "True"}]
    assert printers.table("Pod", [gated], T0).rows[0].cells[5:] == ("<none>", "<none>", "<none>", "1/2")
