"""awk's one-liners, and who a process is."""

from __future__ import annotations

import pytest

from tests.programs.box import Box

TEXT = "printf 'a:1 x\\nb:2\\nc:3 y z\\n' | "


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("awk '{print $1}'", "a:1\nb:2\nc:3\n"),
        ("awk {'print $1'}", "a:1\nb:2\nc:3\n"),
        ("awk -F: '{print $2, NR \"!\"}'", "1 x 1!\n2 2!\n3 y z 3!\n"),
        ("awk '/^[bc]/ {print $NF; print NF}'", "b:2\n1\nz\n3\n"),
        ("awk 'NR==2'", "b:2\n"),
        ("awk 'NF>1 {print $2}'", "x\ny\n"),
        ("awk '$1!=\"b:2\" {print NR}'", "1\n3\n"),
        ("awk 'BEGIN {print \"from\"} END {print NR}'", "from\n3\n"),
        ("awk '{print $7}' | wc -l", "3\n"),
    ],
)
def test_one_liners(program: str, said: str) -> None:
    assert Box("sleep infinity").sh(TEXT + program).output == said


@pytest.mark.parametrize("program", ["{x = 1}", "{print $1 +}", "{print", "}", "$1 ~ /x/ {print}"])
def test_what_awk_could_do_and_this_one_cannot_is_refused(program: str) -> None:
    run = Box("sleep infinity").sh(f"{TEXT} awk '{program}'")
    assert (run.exit_code, run.stderr) == (1, "awk: cmd. line:1: Unexpected token\n")


@pytest.mark.parametrize(
    ("security", "line", "said"),
    [
        ({}, "id; whoami", "uid=0(root) gid=0(root) groups=0(root)\nroot\n"),
        ({"runAsUser": 65534}, "id; whoami", "uid=65534(nobody) gid=65534(nobody) groups=65534(nobody)\nnobody\n"),
        ({"runAsUser": 7}, "id -u; id -g; id -un", "7\n0\n7\n"),
        ({"runAsUser": 7}, "whoami", "whoami: unknown uid 7\n"),
        (
            {"runAsUser": 7, "runAsGroup": 9},
            "id; grep Gid /proc/self/status",
            "uid=7 gid=9 groups=9\nGid:\t9\t9\t9\t9\n",
        ),
        ({}, "ip link add x type dummy", "ip: RTNETLINK answers: Operation not permitted\n"),
        ({"privileged": True}, "ip link add x type dummy && ip addr | grep -c eth0", "2\n"),
    ],
)
def test_who_a_process_is(security: dict[str, object], line: str, said: str) -> None:
    assert Box("sleep infinity", securityContext=security).sh(line).output == said


def test_nothing_is_changed_on_a_read_only_root() -> None:
    box = Box("sleep infinity", securityContext={"readOnlyRootFilesystem": True})
    for line in (
        "touch /a",
        "mkdir /b",
        "echo x > /tmp/c",
        "rm /bin/cat",
        "mv /bin/cat /d",
        "chmod 700 /tmp",
        "ln -s a /e",
    ):
        run = box.sh(line)
        assert run.exit_code
        assert "Read-only file system" in run.output, line
    assert (
        box.sh("echo fine > /dev/termination-log; echo gone > /dev/null; cat /dev/termination-log").output == "fine\n"
    )
