"""Scripts as people write them into manifests: Kubernetes' documentation, its tests, and recorded clusters."""

from __future__ import annotations

import pytest

from selfheal.clock import SECOND
from selfheal.network import Request, Response, Server
from selfheal.programs.filesystem import Directory
from tests.programs.box import Box


def exists(box: Box, path: str, *seconds: float) -> list[bool]:
    """Whether a file is there at each of these seconds."""
    return [box.run(second).container.fs.exists(path) for second in seconds]


def test_healthy_for_thirty_seconds() -> None:
    box = Box(args=["/bin/sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"])
    assert exists(box, "/tmp/healthy", 0, 29.9, 30, 600) == [True, True, False, False]
    assert box.run(700).end == (630, 0, "Completed")


def test_ready_after_a_while() -> None:
    box = Box("sleep 40; touch /tmp/started /tmp/healthy; sleep 30; rm /tmp/healthy; sleep 600")
    assert exists(box, "/tmp/started", 39.9, 40, 100) == [False, True, True]
    box = Box("sleep 40; touch /tmp/started /tmp/healthy; sleep 30; rm /tmp/healthy; sleep 600")
    assert exists(box, "/tmp/healthy", 39.9, 40, 69.9, 70) == [False, True, True, False]


def test_a_script_that_goes_by_its_name() -> None:
    script = (
        "case $(hostname) in web-0) well=9 ill=9;; web-1) well=3600 ill=0;; web-2) well=6 ill=1;; esac\n"
        "touch /tmp/ok; sleep 0.55\n"
        "while true; do touch /tmp/ok; sleep $well; rm /tmp/ok; sleep $ill; done\n"
    )
    box = Box(script)
    assert exists(box, "/tmp/ok", 0, 9.5, 9.6, 18.5, 18.6, 27.6) == [True, True, False, False, True, False]


def test_a_step_that_works_the_third_time() -> None:
    box = Box("echo x >> /d/n; sleep 2; [ $(wc -l < /d/n) -gt 2 ] || exit 3", mounts={"/d": Directory()})
    codes = []
    for attempt in range(3):
        if attempt:
            box.again()
        box.run(2 * (attempt + 1))
        codes.append(box.container.exit_code)
    assert codes == [3, 3, 0]


@pytest.mark.parametrize(("index", "codes"), [("0", [0, 0]), ("1", [5, 0])])
def test_an_index_that_fails_once(index: str, codes: list[int]) -> None:
    line = "sleep 4; [ $JOB_COMPLETION_INDEX != 1 ] || [ -e /d/once ] || { touch /d/once; exit 5; }"
    box = Box(line, env={"JOB_COMPLETION_INDEX": index}, mounts={"/d": Directory()}).run(5)
    assert [box.container.exit_code, box.again().run(10).container.exit_code] == codes


def test_a_server_that_is_a_script() -> None:
    script = """cat > /s <<'END'
#!/bin/sh
while read -r line; do
  line=${line%?}
  [ -z "$line" ] && break
  all="$all$line | "
done
printf "HTTP/1.1 302 Found\\r\\nLocation: http://elsewhere.example/\\r\\nContent-Length: ${#all}\\r\\n\\r\\n$all"
END
chmod +x /s; exec nc -ll -p 8080 -e /s
"""
    box = Box(script)
    outcome = box.probe({"httpGet": {"path": "/look?a=b", "port": 8080}})
    assert outcome.result == "warning"
    assert outcome.output == (
        "Probe terminated redirects, Response body: GET /look?a=b HTTP/1.1 | Host: 10.88.1.2:8080 | "
        "User-Agent: kube-probe/1.36 | Accept: */* | Connection: close | "
    )


def test_a_server_that_never_says_a_word() -> None:
    box = Box(command=["nc", "-ll", "-p", "8080", "-e", "sleep", "3600"])
    outcome = box.probe({"httpGet": {"path": "/", "port": 8080}})
    assert (outcome.result, outcome.duration) == ("failure", SECOND)
    assert box.probe({"tcpSocket": {"port": 8080}}).result == "success"


def test_a_heartbeat_file() -> None:
    box = Box("while true; do touch /tmp/beat; sleep 5; [ -e /tmp/stuck ] && sleep 600; done")
    probe = {"exec": {"command": ["sh", "-c", "[ $(( $(date +%s) - $(stat -c %Y /tmp/beat) )) -lt 10 ]"]}}
    assert box.run(33).probe(probe).result == "success"
    box.sh("touch /tmp/stuck")
    assert box.run(60).probe(probe).result == "failure"


def test_a_loop_with_functions_and_a_counter() -> None:
    script = """
    set -eu
    log() { echo "$(date +%H:%M:%S) $*"; }
    tries=0
    until [ "$tries" -ge 3 ]; do
      tries=$((tries + 1))
      log "try $tries"
      sleep 1
    done
    log "gave up after ${tries} tries" >&2
    exit 1
    """
    box = Box(script).run(10)
    assert box.log == ["08:00:00 try 1", "08:00:01 try 2", "08:00:02 try 3", "08:00:03 gave up after 3 tries"]
    assert box.end == (3, 1, "Error")


def test_waiting_for_a_service() -> None:
    box = Box("sleep 1; until wget -q -O /dev/null http://10.88.1.3:8080/; do echo waiting; sleep 2; done; echo there")
    box.network.attach("10.88.1.3", "node-2")
    refused = "wget: can't connect to remote host (10.88.1.3): Connection refused"
    assert box.run(4).times == [(1, refused), (1, "waiting"), (3, refused), (3, "waiting")]
    box.network.listen("10.88.1.3", 8080, Ok())
    assert box.run(9).times[4:] == [(5, "there")]


class Ok(Server):
    def http(self, request: Request) -> Response:
        del request
        return Response(200)


def test_a_shutdown_that_finishes_its_work() -> None:
    script = "trap 'echo draining; sleep 3; echo drained; exit 0' TERM; echo up; while true; do sleep 1; done"
    box = Box(script).run(10.5)
    box.stop(grace=30)
    assert box.run(60).times == [(0, "up"), (11, "draining"), (14, "drained")]
    assert box.end == (14, 0, "Completed")


def test_two_processes_of_which_the_first_to_end_ends_all() -> None:
    script = (
        "(sleep 7; echo worker gone; kill -TERM 1) & trap 'echo leaving; exit 9' TERM; while true; do sleep 1; done"
    )
    box = Box(script).run(20)
    assert box.log == ["worker gone", "leaving"]
    assert box.end == (7, 9, "Error")
