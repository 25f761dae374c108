"""[sig-node] Container Runtime, InitContainer, Ephemeral Containers"""

from __future__ import annotations

import pytest

from tests.e2e.api import AGNHOST, BUSYBOX, PAUSE, Client, Object
from tests.e2e.pods import (
    condition,
    container,
    delete,
    ended,
    execute,
    logs,
    phase,
    pod,
    ready,
    run,
    sh,
    status,
)

# ---- Container Runtime

SCRIPT = """
f=/restart-count/restartCount
count=$(echo 'hello' >> $f ; wc -l $f | awk {'print $1'})
if [ $count -eq 1 ]; then
\texit 1
fi
if [ $count -eq 2 ]; then
\texit 0
fi
while true; do sleep 1; done
"""


def test_a_container_that_exits(e2e: Client) -> None:
    """It fails at first, then it succeeds, then it runs on."""
    cases = [
        ("terminate-cmd-rpa", "Always", "Running", "running", 2, True),
        ("terminate-cmd-rpof", "OnFailure", "Succeeded", "terminated", 1, False),
        ("terminate-cmd-rpn", "Never", "Failed", "terminated", 0, False),
    ]
    for name, policy, wanted, state, count, is_ready in cases:
        mount = [{"name": "restart-count", "mountPath": "/restart-count"}]
        volume = {"name": "restart-count", "emptyDir": {"medium": "Memory"}}
        made = pod(
            name, container(name, "sh", "-c", SCRIPT, volumeMounts=mount), volumes=[volume], restartPolicy=policy
        )
        e2e.create(made)

        def found(name: str = name) -> Object:
            return e2e.get("Pod", name)

        e2e.wait(lambda found=found, name=name, count=count: status(found(), name).get("restartCount") == count, 300)
        e2e.wait(lambda found=found, wanted=wanted: found()["status"]["phase"] == wanted, 300)
        assert ready(found()) == is_ready
        assert list(status(found(), name)["state"]) == [state]
        delete(e2e, name)


def ends_with(script: str, **fields: object) -> Object:
    made = sh("termination-message-container", "", **fields)
    return {**made, "command": ["/bin/sh", "-c"], "args": [script]}


LOGS = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError"}
OTHER = "/dev/termination-custom-log"


@pytest.mark.parametrize(
    ("made", "wanted", "message"),
    [
        (ends_with("/bin/echo -n DONE > /dev/termination-log", securityContext={"runAsUser": 0}), "Succeeded", "DONE"),
        (
            ends_with(
                f"/bin/echo -n DONE > {OTHER}", terminationMessagePath=OTHER, securityContext={"runAsUser": 10000}
            ),
            "Succeeded",
            "DONE",
        ),
        (ends_with("/bin/echo -n DONE; /bin/false", **LOGS), "Failed", "DONE"),
        (ends_with("/bin/echo -n DONE; /bin/true", **LOGS), "Succeeded", ""),
        (
            ends_with("/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true", **LOGS),
            "Succeeded",
            "OK",
        ),
    ],
    ids=["file", "other-path", "log-of-failure", "log-of-success", "file-of-success"],
)
def test_termination_messages(e2e: Client, made: Object, wanted: str, message: str) -> None:
    found = ended(e2e, pod("termination-message", made, restartPolicy="Never"), wanted)
    assert found["status"]["containerStatuses"][0]["state"]["terminated"].get("message", "") == message
    delete(e2e, "termination-message")


# ---- InitContainer


def initialized(main: Object, *inits: str, **spec: object) -> Object:
    """A pod with init containers that run these commands."""
    made = [container(f"init{n}", command) for n, command in enumerate(inits, 1)]
    return pod("pod-init", main, initContainers=made, **spec)


def until(e2e: Client, made: Object, holds: str) -> list[Object]:
    """All that is seen of a new pod until its phase is that."""
    version = e2e.create(made)["metadata"]["resourceVersion"]
    seen: list[Object] = []
    with e2e.watch("Pod", since=version, fieldSelector="metadata.name=pod-init") as watch:
        watch.until(lambda event: seen.append(event["object"]) or event["object"]["status"]["phase"] == holds)
    return seen


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_init_containers_run_first(e2e: Client, policy: str) -> None:
    limited = container("run1", image=PAUSE, resources={"limits": {"cpu": "100m"}})
    main, wanted = (limited, "Running") if policy == "Always" else (container("run1", "/bin/true"), "Succeeded")
    seen = until(e2e, initialized(main, "/bin/true", "/bin/true", restartPolicy=policy), wanted)
    found = seen[-1]
    assert condition(found, "Initialized")["status"] == "True"
    assert len(found["status"]["initContainerStatuses"]) == 2
    for init in found["status"]["initContainerStatuses"]:
        assert init["ready"]
        assert init["state"]["terminated"]["exitCode"] == 0
    for older in seen:
        begun = any("waiting" not in s["state"] for s in older["status"].get("containerStatuses") or ())
        assert not begun or condition(older, "Initialized")["status"] == "True"


def waits(found: Object) -> bool:
    """Whether the regular containers (and the second init container) wait for the first, as they shall."""
    statuses = [*(found["status"].get("containerStatuses") or ())]
    return all(s["state"].get("waiting", {}).get("reason") == "PodInitializing" for s in statuses)


def test_a_failing_init_container_holds_the_pod_back(e2e: Client) -> None:
    main = container("run1", image=PAUSE, resources={"limits": {"cpu": "100m"}})
    version = e2e.create(initialized(main, "/bin/false", "/bin/true"))["metadata"]["resourceVersion"]

    def thrice(event: Object) -> bool:
        found = event["object"]
        assert waits(found)
        if len(found["status"].get("initContainerStatuses") or ()) < 2:
            return False
        first, second = found["status"]["initContainerStatuses"]
        assert second["state"]["waiting"]["reason"] == "PodInitializing"
        assert first["state"].get("terminated", {"exitCode": 1})["exitCode"] == 1
        return bool(first["restartCount"] >= 3 and "terminated" in first["lastState"])

    with e2e.watch("Pod", since=version, fieldSelector="metadata.name=pod-init") as watch:
        found = watch.until(thrice, 300)["object"]
    assert found["status"]["phase"] == "Pending"
    told = condition(found, "Initialized")
    assert told["status"] == "False"
    assert told["reason"] == "ContainersNotInitialized"
    assert told["message"] == "containers with incomplete status: [init1 init2]"


def test_a_failed_init_container_fails_a_pod_that_never_restarts(e2e: Client) -> None:
    main = container("run1", "/bin/true", resources={"limits": {"cpu": "100m"}})
    seen = until(e2e, initialized(main, "/bin/true", "/bin/false", restartPolicy="Never"), "Failed")
    assert all(waits(found) for found in seen)
    found = seen[-1]["status"]
    first, second = found["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert second["state"]["terminated"]["exitCode"] == 1
    told = condition(seen[-1], "Initialized")
    assert told["status"] == "False"
    assert told["reason"] == "ContainersNotInitialized"
    assert told["message"] == "containers with incomplete status: [init2]"
    assert "waiting" in found["containerStatuses"][0]["state"]


# ---- Ephemeral Containers

TARGET = "ephemeral-containers-target-pod"


def debugged(e2e: Client) -> None:
    """A pod with a debugger that says polo, asked for marco."""
    target = {**container("test-container-1", "/bin/sleep"), "args": ["10000"]}
    run(e2e, pod(TARGET, target))
    script = "while true; do echo polo; sleep 2; done"
    debugger = {"name": "debugger", "image": BUSYBOX, "command": ["/bin/sh", "-c", script], "stdin": True, "tty": True}
    patch = {"spec": {"ephemeralContainers": [debugger]}}
    e2e.patch("Pod", TARGET, patch, sub="ephemeralcontainers")
    e2e.wait(lambda: "running" in status(e2e.get("Pod", TARGET), "debugger").get("state", {}))
    assert "marco" in execute(e2e, TARGET, "/bin/echo", "marco", container="debugger")
    e2e.wait(lambda: "polo" in logs(e2e, TARGET, "debugger"))


def test_an_ephemeral_container_runs(e2e: Client) -> None:
    debugged(e2e)
    assert phase(e2e, TARGET) == "Running"


def test_ephemeral_containers_are_added_one_by_one(e2e: Client) -> None:
    debugged(e2e)
    assert len(e2e.get("Pod", TARGET, "ephemeralcontainers")["spec"]["ephemeralContainers"]) == 1
    second = {"name": "debugger2", "image": AGNHOST, "imagePullPolicy": "IfNotPresent"}
    second["terminationMessagePolicy"] = "File"
    e2e.retry("Pod", TARGET, lambda p: p["spec"]["ephemeralContainers"].append(second), "ephemeralcontainers")
    assert len(e2e.get("Pod", TARGET, "ephemeralcontainers")["spec"]["ephemeralContainers"]) == 2
