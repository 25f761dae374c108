"""agnhost, nginx, Apache, pause, the patient, busybox's httpd and nc, and the server of an unknown image."""

from __future__ import annotations

import json

import pytest

from selfheal.clock import SECOND
from selfheal.network import Request
from selfheal.programs import images
from selfheal.programs.filesystem import Directory
from tests.programs.box import IP, NODE, Box

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


def agnhost(*args: str) -> Box:
    return Box(image=AGNHOST, args=list(args)).run(1)


# ---- agnhost


def test_agnhost_liveness_is_well_for_ten_seconds() -> None:
    box = agnhost("liveness")
    assert box.http("/healthz").body == "ok"  # type: ignore[union-attr]
    assert box.run(10).status("/healthz") == 200
    assert box.run(10.001).status("/healthz") == 500
    assert box.reports[-1][:2] == (10.000001, False)


def test_agnhost_ends_as_go_programs_do() -> None:
    for command, code in (("netexec", 0), ("liveness", 2), ("grpc-health-checking", 2), ("pause", 2)):
        box = agnhost(command)
        box.stop()
        assert box.end == (1, code, "Completed" if code == 0 else "Error"), command


def test_a_server_written_in_go_needs_a_tenth_of_a_second_to_listen() -> None:
    box = Box(image=AGNHOST, args=["netexec"])
    assert box.run(0.07).status("/healthz") == "refused"
    assert box.run(0.14).status("/healthz") == 200


def test_agnhost_netexec_does_what_it_is_asked() -> None:
    box = agnhost("netexec")
    assert box.http("/hostname").body == "web-0"  # type: ignore[union-attr]
    assert box.http("/echo?msg=hi+there&code=418").status == 418  # type: ignore[union-attr]
    shell = box.http("/shell?cmd=echo%20hi;%20exit%203")
    assert json.loads(shell.body) == {"output": "hi\n", "error": "exit status 3"}  # type: ignore[union-attr]
    turned = box.http("/redirect?location=/echo%3Fcode%3D404&code=307")
    assert (turned.status, turned.header("location")) == (307, "/echo?code=404")  # type: ignore[union-attr]
    box.http("/exit?code=7")
    box.run(2)
    assert box.end == (1, 7, "Error")


def test_agnhost_netexec_takes_its_port_as_a_flag() -> None:
    for flags in (["--http-port=8123"], ["--http-port", "8123"]):
        assert agnhost("netexec", *flags).status("/healthz", 8123) == 200
    assert agnhost("netexec", "--nonsense").log == ["agnhost: Error: unknown flag: --nonsense"]


def test_agnhost_netexec_goes_on_for_its_delay_and_is_no_longer_ready() -> None:
    box = agnhost("netexec", "--delay-shutdown=6")
    assert box.http("/readyz").body == "ok"  # type: ignore[union-attr]
    version = box.container.version
    box.stop()
    assert box.container.version > version
    box.run(6.9)
    assert (box.status("/readyz"), box.status("/healthz")) == (503, 200)
    box.run(8)
    assert box.end == (7, 0, "Completed")


def test_agnhost_netexec_without_a_udp_server_is_never_well() -> None:
    box = agnhost("netexec", "--udp-port=-1")
    assert [box.status(path) for path in ("/healthz", "/readyz", "/hostname")] == [412, 412, 200]


def test_agnhost_netexec_leaves_after_a_wait() -> None:
    box = agnhost("netexec")
    assert "must be a valid golang duration" in box.http("/exit?wait=soon").body  # type: ignore[union-attr]
    box.http("/exit?wait=1m30s&code=3")
    box.run(90)
    assert box.end is None
    box.run(92)
    assert box.end == (91, 3, "Error")


def test_agnhost_netexec_gives_the_headers_back() -> None:
    box = agnhost("netexec")
    ask = Request("GET", "/header", (("Host", "x"), ("Accept", "*/*"), ("X-A", "1"), ("X-A", "2")))
    assert box.network.request(NODE, IP, 8080, ask).body == '{"Accept":["*/*"],"X-A":["1","2"]}'  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "timeout", "expected"),
    [
        ("/sleep-body?time=2&code=200", 3, ("success", None, 2)),
        ("/sleep-body?time=2&code=503", 3, ("failure", None, 2)),
        ("/slow-response?size=3&interval=1&code=200", 2, ("failure", "while reading body)", 2)),
        ("/disconnect-body?code=200", 1, ("failure", "unexpected EOF", 0)),
        ("/sleep-headers?time=1&code=200", 2, ("success", None, 1)),
    ],
)
def test_agnhost_liveness_emulates_failures(path: str, timeout: int, expected: tuple[str, str | None, int]) -> None:
    outcome = agnhost("liveness").probe({"httpGet": {"path": path, "port": 8080}}, timeout)
    result, error, took = expected
    assert (outcome.result, outcome.duration) == (result, took * SECOND)
    assert outcome.error is None if error is None else outcome.error.endswith(error)  # type: ignore[union-attr]


def test_agnhost_serves_files_its_name_and_what_its_variables_say() -> None:
    files = agnhost("test-webserver", "--port=8080")
    assert [files.status(path) for path in ("/", "/etc/hostname", "/nope")] == [200, 200, 404]
    files.sh("mkdir /srv; touch /srv/index.html")
    assert files.status("/srv/", 8080) == 200
    assert files.status("/srv/index.html", 8080) == 301
    named = agnhost("serve-hostname")
    assert named.http("/", 9376).body == "web-0"  # type: ignore[union-attr]
    named.stop(120)
    assert named.run(60).end is None
    assert named.run(62).end == (61, 0, "Completed")
    porter = Box(image=AGNHOST, args=["porter"], env={"SERVE_PORT_81": "a", "SERVE_TLS_PORT_82": "b"}).run(1)
    assert porter.http("/any", 81).body == "a"  # type: ignore[union-attr]
    assert porter.probe({"httpGet": {"port": 82, "scheme": "HTTPS"}}).result == "success"


def test_agnhost_connect_says_why_it_cannot() -> None:
    box = agnhost("netexec")
    for port, code, said in ((8080, 0, ""), (81, 1, "REFUSED\n")):
        run = box.exec("/agnhost", "connect", "--timeout=2s", f"{IP}:{port}")
        box.run(box.now + 1)
        assert (run.exit_code, run.output) == (code, said)
    far = box.exec("/agnhost", "connect", "--timeout=2s", "10.99.0.1:80")
    box.run(box.now + 3)
    assert (far.exit_code, far.output) == (1, "TIMEOUT\n")


def test_a_command_of_netexec_is_answered_when_it_has_ended() -> None:
    slow = {"httpGet": {"path": "/shell?cmd=sleep+2;+echo+x", "port": 8080}}
    box = agnhost("netexec")
    assert box.probe(slow, timeout=1).output.endswith("(Client.Timeout exceeded while awaiting headers)")
    outcome = box.probe(slow, timeout=3)
    assert (outcome.result, outcome.output) == ("success", '{"output":"x\\n"}')
    assert box.now == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("-fsS localhost:8080/healthz", 0, ""),
        ("-fsS http://localhost:8080/echo?code=503", 22, "curl: (22) The requested URL returned error: 503\n"),
        ("-s localhost:8080/echo?code=503&msg=ill", 0, "ill"),
        ("-s -o /dev/null -w %{http_code} localhost:8080/echo?code=418", 0, "418"),
        (
            "localhost:81",
            7,
            "curl: (7) Failed to connect to localhost port 81 after 0 ms: Could not connect to server\n",
        ),
        ("-sf localhost:81", 7, ""),
        ("nowhere", 6, "curl: (6) Could not resolve host: nowhere\n"),
        (
            "-m 1 localhost:8080/shell?cmd=sleep+3",
            28,
            "curl: (28) Operation timed out after 1001 milliseconds with 0 bytes received\n",
        ),
        ("-sL localhost:8080/redirect?location=/hostname", 0, "web-0"),
    ],
)
def test_curl_in_agnhost(words: str, code: int, said: str) -> None:
    box = agnhost("netexec")
    run = box.exec("curl", *words.split())
    box.run(box.now + 3)
    assert (run.exit_code, run.output) == (code, said)


def test_agnhost_has_bash() -> None:
    box = agnhost("netexec")
    run = box.exec("bash", "-c", "echo $((1 + 2)); exit 4")
    box.run(2)
    assert (run.exit_code, run.output) == (4, "3\n")


def test_a_script_of_httpd_decides_each_time() -> None:
    script = "#!/bin/sh\\n[ -e /tmp/ill ] && echo Status: 503\\necho Content-Type: text/plain\\necho\\necho well"
    line = f"mkdir -p /www/cgi-bin; printf '{script}' > /www/cgi-bin/h; chmod +x /www/cgi-bin/h"
    box = Box(f"{line}; exec httpd -f -p 8080 -h /www").run(1)
    answer = box.http("/cgi-bin/h?a=b")
    assert (answer.status, answer.body, answer.header("content-type")) == (200, "well\n", "text/plain")  # type: ignore[union-attr]
    version = box.container.version
    box.sh("touch /tmp/ill")
    box.run(2)
    assert box.container.version > version
    assert box.status("/cgi-bin/h") == 503


def test_localhost_is_an_address() -> None:
    for line in ("nc -z localhost 81", "wget -qO- http://localhost:81"):
        name = line.split()[0]
        refused = f"{name}: can't connect to remote host (127.0.0.1): Connection refused"
        assert Box(line).run(1).log == [refused]


def test_grpc_health_is_switched_by_http() -> None:
    box = agnhost("grpc-health-checking", "--service=web")
    probe = {"grpc": {"port": 5000, "service": "web"}}
    assert box.probe(probe).result == "success"
    version = box.container.version
    box.http("/make-not-serving")
    assert box.container.version > version
    assert box.probe(probe).output == 'service unhealthy (responded with "NOT_SERVING")'
    box.http("/make-serving")
    assert box.probe(probe).result == "success"


# ---- the patient


def patient(*args: str, mounts: dict[str, Directory] | None = None) -> Box:
    return Box(image="selfheal/patient", args=list(args), mounts=mounts)


def test_a_patient_starts_well_and_is_switched_over_http() -> None:
    box = patient().run(1)
    assert [box.status(path) for path in ("/healthz", "/readyz", "/")] == [200, 200, 200]
    box.http("/switch?readyz=503", method="POST")
    assert [box.status(path) for path in ("/healthz", "/readyz", "/")] == [200, 503, 503]
    box.http("/switch?readyz=200&healthz=hang", method="POST")
    assert [box.status(path) for path in ("/healthz", "/readyz", "/")] == ["hang", 200, "hang"]
    box.http("/switch?work=200", method="POST")
    assert box.status("/") == 200
    box.http("/switch?work=auto&healthz=200", method="POST")
    assert box.status("/") == 200
    assert [report[1:] for report in box.reports] == [
        (True, "well"),
        (False, "readyz 503"),
        (True, "well"),
        (False, "healthz hang"),
        (False, "healthz hang"),
        (False, "healthz hang"),
        (True, "well"),
    ]


def test_a_switch_that_makes_no_sense_changes_nothing() -> None:
    box = patient().run(1)
    version = box.container.version
    for path in ("/switch?healthz=500&nonsense=1", "/switch?healthz=99", "/switch?term=maybe", "/switch?work="):
        assert box.http(path, method="POST").status == 400  # type: ignore[union-attr]
    assert box.http("/switch?healthz=500").status == 405  # type: ignore[union-attr]
    assert box.container.version == version
    assert box.status("/healthz") == 200


def test_a_new_instance_of_a_patient_is_well() -> None:
    box = patient().run(1)
    box.http("/switch?healthz=500", method="POST")
    box.kill()
    assert box.again().run(2).status("/healthz") == 200


def test_a_patient_obeys_term_unless_told_otherwise() -> None:
    box = patient()
    box.stop()
    assert box.end == (0, 0, "Completed")
    box = patient("--term", "ignore")
    box.stop(grace=10)
    assert box.run(20).end == (10, 137, "Error")
    box = patient().run(1)
    box.http("/switch?term=ignore", method="POST")
    box.stop(grace=5)
    assert box.run(20).end == (6, 137, "Error")


def test_a_patient_follows_its_flags() -> None:
    box = patient(
        "--port", "9000", "--start", "5", "--healthz-after=20=500", "--readyz-after=10=hang", "--exit-after=30=4"
    )
    assert box.run(4.9).status("/healthz", 9000) == "refused"
    assert box.run(5).status("/healthz", 9000) == 200
    assert box.run(10).status("/readyz", 9000) == "hang"
    assert box.run(20).status("/healthz", 9000) == 500
    assert box.run(40).end == (30, 4, "Error")
    assert box.reports[0] == (0, False, "loading")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--nonsense"], "patient: unknown flag: --nonsense"),
        (
            ["--port", "x"],
            'patient: invalid argument "x" for "--port" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (["--start", "-1"], "patient: --start must be a number of seconds, not '-1'"),
        (["--term=maybe"], "patient: --term is obey, ignore or a number of seconds, not maybe"),
        (["--exit-after=5"], "patient: --exit-after takes SECONDS=CODE, not '5'"),
        (["--healthz-after=5=1000"], "patient: --healthz-after takes SECONDS=CODE, not '5=1000'"),
        (["extra"], "patient: unknown argument: extra"),
    ],
)
def test_a_patient_says_what_is_wrong_with_its_flags(args: list[str], text: str) -> None:
    box = patient(*args)
    assert (box.log, box.end) == ([text], (0, 2, "Error"))


def test_work_left_unfinished_makes_the_next_instance_unready_until_it_is_done() -> None:
    box = patient("--unfinished-work", "15", mounts={"/work": Directory()}).run(1)
    assert box.status("/readyz") == 200
    box.kill()
    box.again().run(10)
    assert [box.status(path) for path in ("/healthz", "/readyz", "/")] == [200, 503, 503]
    box.run(16)
    assert [box.status(path) for path in ("/healthz", "/readyz", "/")] == [200, 200, 200]
    box.stop()  # obeys: nothing is left behind
    box.again().run(17)
    assert box.status("/readyz") == 200


# ---- others


def test_nginx_shows_its_pages_and_goes_quietly() -> None:
    box = Box(image="nginx:1.27").run(1)
    assert "Welcome to nginx!" in box.http("/", 80).body  # type: ignore[union-attr]
    assert box.status("/nope", 80) == 404
    box.sh("rm /usr/share/nginx/html/index.html")
    assert box.status("/", 80) == 403
    assert box.runtime.stop_signal(box.container) == "QUIT"
    box.stop()
    assert box.end == (1, 0, "Completed")


def test_httpd_shows_its_pages_as_long_as_they_are_there() -> None:
    box = Box(image="registry.k8s.io/e2e-test-images/httpd:2.4.38-4").run(1)
    assert [box.status(path, 80) for path in ("/", "/index.html", "/nope")] == [200, 200, 404]
    box.sh("mv -v /usr/local/apache2/htdocs/index.html /tmp/")
    assert box.status("/index.html", 80) == 404
    assert box.runtime.stop_signal(box.container) == "WINCH"
    box.stop()
    assert box.end == (1, 0, "Completed")


def test_pause_has_no_shell() -> None:
    box = Box(image="registry.k8s.io/pause:3.10").run(1)
    assert 'exec: "sh": executable file not found in $PATH' in (box.sh("true").error or "")
    box.stop()
    assert box.end == (1, 0, "Completed")


def test_an_unknown_image_answers_on_its_ports_and_obeys() -> None:
    box = Box(
        image="shop.example/api:7",
        command=["/app/server", "--verbose"],
        ports=[{"containerPort": 8000}],
        livenessProbe={"httpGet": {"path": "/alive", "port": 8001}},
    ).run(1)
    assert [box.status("/anything", port) for port in (8000, 8001, 8002)] == [200, 200, "refused"]
    assert box.sh("echo hi").stdout == "hi\n"
    box.stop()
    assert box.end == (1, 0, "Completed")


def test_an_unknown_image_runs_a_shells_command() -> None:
    assert Box("sleep 1; exit 3", image="shop.example/api:7").run(2).end == (1, 3, "Error")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("busybox", "busybox"),
        ("busybox:1.36", "busybox"),
        ("docker.io/library/busybox:latest", "busybox"),
        ("registry.k8s.io/busybox:1.27.2", "busybox"),
        ("busybox@sha256:1234", "busybox"),
        ("localhost:5000/busybox:1.36@sha256:12", "busybox"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.63.0", "agnhost"),
        ("nginx:1.14.2", "nginx"),
        ("registry.k8s.io/nginx-slim:0.24", "nginx-slim"),
        ("registry.k8s.io/pause:3.10", "pause"),
        ("selfheal/patient", "selfheal/patient"),
        ("ghcr.io/selfheal/patient:1", "selfheal/patient"),
        ("patient", None),
        ("someone/busybox", None),
        ("shop/nginx", None),
        ("registry.example:5000/web:1", None),
    ],
)
def test_images_by_name(name: str, known: str | None) -> None:
    assert images.find(name) is (None if known is None else images.IMAGES[known])


def test_httpd_serves_files() -> None:
    box = Box("mkdir /www; echo hi > /www/index.html; httpd -f -p 8080 -h /www").run(1)
    answer = box.probe({"httpGet": {"path": "/", "port": 8080}})
    assert (answer.result, answer.output, answer.steady) == ("success", "hi\n", True)
    box.sh("rm /www/index.html")
    assert box.status("/") == 404


def test_a_web_server_of_one_line() -> None:
    box = Box("while true; do echo -e 'HTTP/1.1 200 OK\\n\\nhello' | nc -l -p 8080; done").run(1)
    for second in (1, 2, 3):
        answer = box.run(second).probe({"httpGet": {"path": "/", "port": 8080}})
        assert (answer.result, answer.output) == ("success", "hello\n")
    assert box.log.count("GET / HTTP/1.1\r") == 3


def test_a_listener_that_ends_closes_its_port() -> None:
    box = Box("nc -ll -p 8080 -e true & sleep 15; kill $!; sleep 600").run(10)
    probe = {"tcpSocket": {"port": 8080}}
    assert (box.probe(probe).result, box.probe(probe).steady) == ("success", True)
    version = box.container.version
    box.run(15)
    assert box.container.version > version
    assert box.probe(probe).output == f"dial tcp {IP}:8080: connect: connection refused"


def test_wget_and_nc_from_inside() -> None:
    box = agnhost("netexec")
    assert box.sh("wget -q -O- http://localhost:8080/hostname").stdout == "web-0"
    assert box.sh("wget -q -O /tmp/x localhost:8080/echo?code=500").stderr == (
        "wget: server returned error: HTTP/1.1 500 Internal Server Error\n"
    )
    assert box.sh("wget -O- http://127.0.0.1:81/").stderr == (
        "Connecting to 127.0.0.1:81 (127.0.0.1:81)\n"
        "wget: can't connect to remote host (127.0.0.1): Connection refused\n"
    )
    assert box.sh("wget -q -O- http://nope/").stderr == "wget: bad address 'nope'\n"
    assert box.sh("printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc localhost 8080 | tail -n 1").stdout == "web-0"
    assert box.sh("nc -z localhost 8080; echo $?; nc -z localhost 81; echo $?").stdout == "0\n1\n"
    late = box.sh("wget -q -T 2 -O- http://10.88.9.9/")
    assert box.run(10).log is not None
    assert (late.done, late.exit_code, late.stderr) == (True, 1, "wget: download timed out\n")
