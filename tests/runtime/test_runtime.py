"""Containers from creation to their end, as a kubelet sees them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from selfheal import spec
from selfheal.clock import SECOND
from selfheal.programs.filesystem import Directory
from selfheal.rules import Cause
from selfheal.runtime import Container, StartError
from tests.programs.box import IP, Box

MISSING = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: exec: "
)


def create(box: Box, **fields: Any) -> Container:
    of = spec.container({"name": "other", "image": "busybox:1.36", **fields})
    return box.runtime.create_container(box.sandbox, of, attempt=0)


def test_a_life_from_created_to_exited() -> None:
    box = Box("sleep 5; exit 3")
    c = box.container
    assert (c.state, c.created_at, c.started_at, c.finished_at) == ("running", 0, 0, None)
    box.run(10)
    assert (c.state, c.finished_at, c.exit_code, c.reason) == ("exited", 5 * SECOND, 3, "Error")
    assert box.changes == [0, 0, 0, 5]  # sandbox, created, started, exited


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("/no/such", '"/no/such": stat /no/such: no such file or directory'),
        ("nosuch", '"nosuch": executable file not found in $PATH'),
        ("/etc/hostname", '"/etc/hostname": permission denied'),
        ("/etc", '"/etc": permission denied'),
    ],
)
def test_a_command_that_is_not_there(command: str, text: str) -> None:
    box = Box("sleep 600")
    c = create(box, command=[command])
    with pytest.raises(StartError) as error:
        box.runtime.start_container(c)
    assert str(error.value) == c.message == MISSING + text
    assert (c.state, c.exit_code, c.reason, c.started_at) == ("exited", 128, "StartError", None)


def test_a_script_of_its_own() -> None:
    script = Directory({"run.sh": "#!/bin/sh\necho $0 $1\nexit 4\n", "bad": "echo no\n"})
    for entry in script.entries.values():
        entry.mode = 0o755
    box = Box(command=["/s/run.sh", "x"], mounts={"/s": script})
    assert (box.log, box.end) == (["/s/run.sh x"], (0, 4, "Error"))
    box.wire["command"] = ["/s/bad"]
    with pytest.raises(StartError, match="exec format error"):
        box.again()


def test_variables_and_the_working_directory() -> None:
    box = Box(
        command=["sh", "-c", 'echo "$0 $GREETING $HOSTNAME"; pwd; cat /etc/hostname'],
        args=["$(GREETING)-$(NOPE)-$$(GREETING)"],
        env={"GREETING": "hi"},
        workingDir="/srv/app",
    )
    assert box.log == ["hi-$(NOPE)-$(GREETING) hi web-0", "/srv/app", "web-0"]


def test_args_alone_go_to_the_images_own_command() -> None:
    box = Box(image="registry.k8s.io/e2e-test-images/agnhost:2.63.0", args=["netexec"])
    assert box.container.argv == ["/agnhost", "netexec"]
    assert Box(image="nginx").container.argv == ["nginx", "-g", "daemon off;"]


def test_a_stop_that_comes_too_late() -> None:
    box = Box("exit 0")
    done = box.stop()
    box.run(1)
    assert done.processed
    assert box.end == (0, 0, "Completed")


def test_a_second_stop_may_only_be_quicker() -> None:
    box = Box("sleep 600").run(1)
    box.stop(grace=30)
    box.stop(grace=2)
    assert box.run(60).end == (3, 137, "Error")


def test_a_stop_signal_of_its_own() -> None:
    line = "trap 'exit 5' USR1; trap 'exit 6' TERM; while true; do sleep 1; done"
    box = Box(line, lifecycle={"stopSignal": "SIGUSR1"}).run(0.5)
    box.stop()
    assert box.run(5).end == (1, 5, "Error")


def test_why_it_ended() -> None:
    cause = Cause("action", what="somebody")
    box = Box("sleep 600")
    box.runtime.kill(box.container, cause=cause)
    assert box.container.cause is cause
    box = Box("trap 'exit 0' TERM; while true; do sleep 1; done")
    box.runtime.stop_container(box.container, 30 * SECOND, cause)
    assert box.run(5).container.cause is cause
    box = Box("trap 'exit 0' TERM; while true; do sleep 1; done")
    box.runtime.exec(box.container, ["kill", "1"], cause)
    assert box.run(5).container.cause is cause
    found = Box("exit 3").container.cause
    assert found is not None
    assert (found.rule, found.inputs) == ("process exit", {"container": "app", "exit_code": 3})


@pytest.mark.parametrize(
    ("line", "fields", "message"),
    [
        ("echo sorry > /dev/termination-log; exit 1", {}, "sorry\n"),
        ("echo fine > /dev/termination-log", {}, "fine\n"),
        ("echo log; exit 1", {}, ""),
        ("echo a; echo b >&2; exit 1", {"terminationMessagePolicy": "FallbackToLogsOnError"}, "a\nb\n"),
        ("echo a; exit 0", {"terminationMessagePolicy": "FallbackToLogsOnError"}, ""),
        (
            "echo a; echo b > /m; exit 1",
            {"terminationMessagePolicy": "FallbackToLogsOnError", "terminationMessagePath": "/m"},
            "b\n",
        ),
        ("printf no-newline; exit 1", {"terminationMessagePolicy": "FallbackToLogsOnError"}, "no-newline"),
    ],
)
def test_termination_messages(line: str, fields: dict[str, str], message: str) -> None:
    assert Box(line, **fields).container.message == message


def test_termination_messages_are_cut() -> None:
    assert len(Box("seq 100000 > /dev/termination-log").container.message) == 4096
    box = Box("seq 1000; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    assert box.container.message == "".join(f"{i}\n" for i in range(921, 1001))
    box = Box("yes $(printf %0100d 0) | head -n 80; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    assert len(box.container.message) == 2048


def test_exec_finds_files_variables_and_directory_of_the_container() -> None:
    box = Box("echo x > /tmp/f; sleep 600", env={"A": "1"}, workingDir="/srv")
    run = box.sh("cat /tmp/f; echo $A; pwd; cat; echo bad >&2; exit 5")
    assert (run.stdout, run.stderr, run.exit_code, run.done) == ("x\n1\n/srv\n", "bad\n", 5, True)
    assert box.exec("cat", stdin="typed").stdout == "typed"


def test_an_exec_that_takes_time() -> None:
    box = Box("sleep 600")
    run = box.sh("sleep 2; echo done")
    assert not run.done
    finished = run.finished
    box.run(1.9)
    assert not finished.triggered
    box.run(2)
    assert (finished.processed, run.stdout) == (True, "done\n")


def test_an_exec_does_not_end_with_the_container_it_cannot_find() -> None:
    box = Box("exit 0").run(1)
    run = box.exec("true")
    assert run.done
    assert run.error == (
        "rpc error: code = Unknown desc = failed to exec in container: container is in CONTAINER_EXITED state"
    )


def test_just_after_the_end_the_runtime_may_miss_the_task() -> None:
    errors = [Box("exit 0", seed=seed).exec("true").error or "" for seed in range(20)]
    known = "rpc error: code = Unknown desc = failed to exec in container: container is in CONTAINER_EXITED state"
    missed = "rpc error: code = NotFound desc = failed to exec in container: failed to load task: no running task found"
    assert {error == known or error.startswith(missed) for error in errors} == {True}
    assert 3 < errors.count(known) < 17


def test_containers_of_a_pod_share_ports_and_address() -> None:
    box = Box("nc -ll -p 8080 -e hostname -i")
    other = create(box, command=["sh", "-c", "nc localhost 8080 < /dev/null; nc -l -p 8080; echo $?"])
    box.runtime.start_container(other)
    assert [line for _, line in other.log] == [IP, "nc: bind: Address already in use", "1"]


def test_a_change_is_told_once_to_whoever_watches() -> None:
    box = Box("sleep 5; touch /tmp/x; sleep 5; echo only a line in the log; sleep 5; nc -l -p 80 & wait")
    told: list[float] = []
    unwatch = box.container.watch(lambda: told.append(box.now))
    box.run(20)
    assert told == [5, 15]
    assert box.container.version > 0
    unwatch()
    box.kill()
    assert told == [5, 15]


def test_the_end_is_a_change_too() -> None:
    box = Box("sleep 5")
    told: list[float] = []
    box.container.watch(lambda: told.append(box.now))
    box.run(10)
    assert told[-1] == 5


def test_stopping_a_sandbox_ends_its_containers_and_takes_its_address() -> None:
    box = Box("nc -ll -p 8080 -e true")
    assert box.status() != "timeout"
    box.runtime.stop_sandbox(box.sandbox)
    assert not box.sandbox.ready
    assert box.end == (0, 137, "Error")
    assert box.status() == "timeout"


def test_a_power_cut_tells_nobody_and_a_boot_finds_the_dead() -> None:
    box = Box("nc -ll -p 8080 -e true").run(10)
    changes = len(box.changes)
    box.runtime.power_off()
    assert box.status() == "timeout"
    box.run(60)
    assert len(box.changes) == changes
    box.runtime.power_on()
    assert box.end == (60, 255, "Unknown")


def test_the_nodes_network_is_the_nodes() -> None:
    box = Box("sleep 600")
    sandbox = box.runtime.run_sandbox("u2", "default", "agent", "10.88.1.9", host_network=True)
    c = box.runtime.create_container(sandbox, spec.container({"name": "a", "image": "nginx"}), attempt=0)
    box.runtime.start_container(c)
    assert box.network.connect("elsewhere", box.runtime.node_ip, 80) not in ("refused", "timeout")
    assert c.kernel.hostname == "node-1"


def test_images_that_lie_on_a_node() -> None:
    runtime = Box("sleep 1").runtime
    assert runtime.has_image("busybox:1.36")
    assert not runtime.has_image("shop.example/web:1")
    runtime.add_image("shop.example/web:1")
    assert runtime.has_image("shop.example/web:1")
    runtime.images = {"shop.example/api:2": None}
    assert [runtime.has_image(name) for name in ("busybox:1.36", "shop.example/api:2", "shop.example/web:1")] == [
        False,
        True,
        True,
    ]


def test_a_program_written_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the module ``process``: a program is a generator function of its process."""

    def app(c: Any) -> Generator[Any, Any, None]:
        c.on("TERM", lambda: c.exit(0))
        yield c.sleep(2)
        c.serve(8080, {"/healthz": 200, "/ready": "yes"})
        c.log("up")
        c.report(True, "up")
        yield c.sleep(30)
        c.set(8080, "/healthz", 500)
        yield c.forever()

    from selfheal.programs import images

    known = {**images.IMAGES, "mine": images.Image(entrypoint=("/app",), programs={"/app": app})}
    monkeypatch.setattr(images, "IMAGES", known)
    images.find.cache_clear()
    box = Box(image="mine:1")
    assert box.run(1).status("/healthz") == "refused"
    assert box.run(2).status("/healthz") == 200
    assert box.run(32).status("/healthz") == 500
    assert (box.log, box.reports) == (["up"], [(2, True, "up")])
    box.stop()
    assert box.end == (32, 0, "Completed")
    images.find.cache_clear()
