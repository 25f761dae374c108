"""The exec, tcpSocket and grpc probes: verdicts and texts."""

from __future__ import annotations

import pytest

from selfheal.clock import SECOND
from selfheal.network import GRPCError, Server
from selfheal.probes.exec import expand_static
from selfheal.probes.result import go_duration
from selfheal.spec import EnvVar
from tests.programs.box import IP, Box


def command(*argv: str) -> dict[str, object]:
    return {"exec": {"command": list(argv)}}


# ---- exec


def test_a_file_that_is_there_and_one_that_is_not() -> None:
    box = Box("touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600")
    probe = command("cat", "/tmp/healthy")
    assert box.probe(probe).result == "success"
    box.run(30)
    outcome = box.probe(probe)
    assert (outcome.result, outcome.error) == ("failure", None)
    assert outcome.output == "cat: can't open '/tmp/healthy': No such file or directory\n"


def test_standard_output_stands_before_standard_error() -> None:
    box = Box("sleep 600")
    assert box.probe(command("sh", "-c", "echo bad >&2; echo good; exit 1")).output == "good\nbad\n"


def test_only_ten_kibibytes_of_the_output_are_kept() -> None:
    box = Box("sleep 600")
    assert len(box.probe(command("sh", "-c", "seq 100000; exit 1")).output) == 10 * 1024


def test_a_command_in_time_and_one_that_is_not() -> None:
    box = Box("sleep 600")
    outcome = box.probe(command("sleep", "0.5"))
    assert (outcome.result, outcome.duration, outcome.steady) == ("success", SECOND // 2, False)
    outcome = box.probe(command("sh", "-c", "[ -e /tmp/fast ] || sleep 30"), timeout=2)
    assert (outcome.result, outcome.error, outcome.duration) == ("failure", None, 2 * SECOND)
    assert outcome.output == 'command timed out: "sh -c [ -e /tmp/fast ] || sleep 30" timed out after 2s'


def test_a_command_over_its_time_is_killed_but_what_it_left_in_the_background_lives_on() -> None:
    box = Box("sleep 600")
    box.probe(command("sh", "-c", "(sleep 3; touch /left) & sleep 30; touch /never"))
    box.run(60)
    assert box.exec("ls", "/left", "/never").stdout == "/left\n"


def test_the_runtime_answers_when_nobody_holds_the_commands_output_any_more() -> None:
    """A shell that is killed leaves the command that it waits for; what takes its place does not outlive it."""
    for line, seconds in (
        ("sleep 5; exit 1", 5),
        ("exec sleep 5", 1),
        ("true; sleep 5", 1),
        ("sleep 5 >/dev/null 2>&1; exit 1", 1),
        ("sleep 200; exit 1", 121),  # the kubelet waits two minutes beyond the timeout
    ):
        outcome = Box("sleep 600").probe(command("sh", "-c", line))
        assert (outcome.duration, outcome.result) == (seconds * SECOND, "failure"), line
        assert outcome.output == f'command timed out: "sh -c {line}" timed out after 1s'


def test_a_command_that_leaves_something_in_the_background_succeeds_when_that_has_ended() -> None:
    for line, seconds in (("sleep 5 & true", 5), ("sleep 5 >/dev/null 2>&1 & true", 0)):
        outcome = Box("sleep 600").probe(command("sh", "-c", line))
        assert (outcome.duration, outcome.result) == (seconds * SECOND, "success"), line


def test_a_missing_binary_is_an_error_with_the_runtimes_words() -> None:
    box = Box("sleep 600")
    first, second = (box.probe(command("/no/such")) for _ in range(2))
    assert (first.result, first.output, first.steady) == ("unknown", "", False)
    text = (
        "OCI runtime exec failed: exec failed: unable to start container process: "
        'exec: "/no/such": stat /no/such: no such file or directory'
    )
    assert first.error is not None
    assert first.error.startswith("rpc error: code = Unknown desc = failed to exec in container: failed to start exec ")
    assert first.error.endswith(text)
    assert first.error != second.error, "each attempt has an id of its own"
    assert 'exec: "nosuch": executable file not found in $PATH' in (box.probe(command("nosuch")).error or "")
    assert 'exec: "/tmp": permission denied' in (box.probe(command("/tmp")).error or "")


def test_a_shell_that_does_not_know_a_command_is_a_plain_failure() -> None:
    outcome = Box("sleep 600").probe(command("sh", "-c", "nosuch"))
    assert (outcome.result, outcome.output, outcome.error) == ("failure", "sh: nosuch: not found\n", None)


def test_a_container_that_has_exited_gives_an_error() -> None:
    outcome = Box("exit 1").run(1).probe(command("true"))
    assert (outcome.result, outcome.error) == (
        "unknown",
        "rpc error: code = Unknown desc = failed to exec in container: container is in CONTAINER_EXITED state",
    )


@pytest.mark.parametrize(
    ("line", "steady"),
    [
        ("cat /etc/hostname", True),
        ("test -e /nope", True),
        ("[ $(wc -l < /etc/hosts) -gt 1 ]", True),
        ("ls /nope 2>/dev/null || true", True),
        ("for i in 1 2 3; do echo $i; done | wc -l", True),
        ("touch /tmp/x", False),
        ("echo x > /tmp/x", False),
        ("date", False),
        ("[ $(date +%s) -gt 0 ]", False),
        ("find /etc -mmin +1", False),
        ("sleep 0.1", False),
        ("echo $RANDOM", False),
        ("ps", False),
        ("pgrep sleep", False),
        ("kill -0 1", False),
        ("sleep 5 & true", False),
        ("wget -q -O- http://10.9.9.9:1 ", False),
    ],
)
def test_whether_asking_again_could_give_something_else(line: str, steady: bool) -> None:
    assert Box("sleep 600").probe(command("sh", "-c", line)).steady is steady


def test_a_steady_probe_leaves_no_trace() -> None:
    box = Box("sleep 600")
    version, steps = box.container.version, box.clock.steps
    for _ in range(5):
        assert box.probe(command("sh", "-c", "cat /etc/hosts | grep -q localhost")).result == "success"
    assert (box.container.version, box.clock.steps) == (version, steps)
    assert box.sh("true & echo $!").stdout == "3\n"


def test_C51_variables_of_a_probes_command_are_expanded_from_literal_values_only() -> None:
    env = (EnvVar("A", "1", None), EnvVar("B", None, {"configMapKeyRef": {"name": "c", "key": "k"}}))
    command = ("echo", "$(A)", "[$(B)]", "$$(A)", "$(C)", "$A", "$", "$(", "$$$(A)")
    assert expand_static(command, env) == ("echo", "1", "[]", "$(A)", "$(C)", "$A", "$", "$(", "$1")


# ---- tcpSocket


def test_an_open_port_and_a_closed_one() -> None:
    box = Box("nc -ll -p 8080 -e sleep 3600")
    assert box.probe({"tcpSocket": {"port": 8080}}).result == "success"
    outcome = box.probe({"tcpSocket": {"port": 8099}})
    assert (outcome.result, outcome.output) == ("failure", f"dial tcp {IP}:8099: connect: connection refused")


def test_nobody_there() -> None:
    box = Box("sleep 600")
    box.network.detach(IP)
    outcome = box.probe({"tcpSocket": {"port": 80}}, timeout=3)
    assert (outcome.output, outcome.duration) == (f"dial tcp {IP}:80: i/o timeout", 3 * SECOND)


def test_a_port_name_that_nobody_carries_is_an_error() -> None:
    outcome = Box("sleep 600", ports=[{"name": "http", "containerPort": 80}]).probe({"tcpSocket": {"port": "web"}})
    assert (outcome.result, outcome.error) == ("unknown", 'strconv.Atoi: parsing "web": invalid syntax')


# ---- grpc


class Health(Server):
    def __init__(self, answer: str | GRPCError | None) -> None:
        self.answer = answer

    def grpc(self, service: str) -> str | GRPCError | None:
        del service
        return self.answer


@pytest.mark.parametrize(
    ("answer", "result", "text"),
    [
        ("SERVING", "success", "service healthy"),
        ("NOT_SERVING", "failure", 'service unhealthy (responded with "NOT_SERVING")'),
        (
            GRPCError("Unimplemented", "unknown service grpc.health.v1.Health"),
            "failure",
            (
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
                "unknown service grpc.health.v1.Health"
            ),
        ),
        (GRPCError("DeadlineExceeded", "x"), "failure", "timeout: health rpc did not complete within 1s"),
        (
            GRPCError("NotFound", "unknown service"),
            "failure",
            "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
        ),
        (
            None,
            "failure",
            f'timeout: failed to connect service "{IP}:5000" within 1s: context deadline exceeded',
        ),
    ],
)
def test_C53_C54_C55_what_the_health_service_says(answer: str | GRPCError | None, result: str, text: str) -> None:
    box = Box("sleep 600")
    box.network.listen(IP, 5000, Health(answer))
    outcome = box.probe({"grpc": {"port": 5000}})
    assert (outcome.result, outcome.output, outcome.error) == (result, text, None)


def test_a_closed_port_costs_a_grpc_probe_its_whole_timeout() -> None:
    outcome = Box("sleep 600").probe({"grpc": {"port": 5000}}, timeout=2)
    assert outcome.duration == 2 * SECOND
    assert outcome.output.endswith("within 2s: context deadline exceeded")


@pytest.mark.parametrize(("opens", "timeout", "answered"), [(0.5, 2, 1), (0.5, 1, None), (2, 3, 2.6), (2.7, 3, None)])
def test_a_grpc_probe_dials_again_after_1_s_and_then_ever_later(
    opens: float, timeout: int, answered: float | None
) -> None:
    box = Box("sleep 600")
    box.clock.after(round(opens * SECOND), lambda: box.network.listen(IP, 5000, Health("SERVING")))
    begun = box.clock.now
    outcome = box.probe({"grpc": {"port": 5000}}, timeout=timeout)
    assert outcome.result == ("success" if answered else "failure")
    assert answered is None or box.clock.now - begun == answered * SECOND


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (SECOND, "1s"),
        (90 * SECOND, "1m30s"),
        (3600 * SECOND, "1h0m0s"),
        (500_000, "500ms"),
        (1_500_000, "1.5s"),
        (7, "7µs"),
        (0, "0s"),
    ],
)
def test_durations_as_go_prints_them(micros: int, text: str) -> None:
    assert go_duration(micros) == text
