"""[sig-node] Probing container, Probing restartable init container"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from selfheal.clock import SECOND, parse_rfc3339
from tests.e2e.api import AGNHOST, Client, Object
from tests.e2e.pods import agnhost, condition, container, events, pod, ready, sh, status

WATCHED = 240
"""Seconds for which the suite looks whether anything is restarted (defaultObservationTimeout)."""

Pod = Callable[[Object], Object]


def regular(tested: Object) -> Object:
    return pod("probe-test", tested)


def sidecar(tested: Object) -> Object:
    """A pod with the tested container as a sidecar, beside one that only waits."""
    return pod("probe-test", agnhost("main"), initContainers=[{**tested, "restartPolicy": "Always"}])


both = pytest.mark.parametrize("kind", [regular, sidecar], ids=["regular", "sidecar"])


def command(*words: str) -> Object:
    return {"exec": {"command": list(words)}}


def get(path: str, port: int = 8080) -> Object:
    return {"httpGet": {"path": path, "port": port}}


def probe(handler: Object, **fields: int) -> Object:
    return {**handler, **fields}


def probed(made: Object, **probes: Object) -> Object:
    return {**made, **{f"{name}Probe": wanted for name, wanted in probes.items()}}


def restarts(e2e: Client) -> int:
    return int(status(e2e.get("Pod", "probe-test"), "tested").get("restartCount", 0))


LATE = {"initialDelaySeconds": 15, "failureThreshold": 1}
SLEEP = "sleep 600"
LIVENESS = agnhost("tested", "liveness")
WEB = agnhost("tested", "test-webserver")
GRPC = agnhost("tested", "grpc-health-checking")
NEVER = {"exec": {"command": ["/bin/false"]}}
STARTED_LATE = "sleep 10; echo ok >/tmp/startup; sleep 600"

RESTARTED: dict[str, Object] = {
    "exec": probed(
        sh("tested", "echo ok >/tmp/health; sleep 10; rm -rf /tmp/health; sleep 600"),
        liveness=probe(command("cat", "/tmp/health"), **LATE, timeoutSeconds=5),
    ),
    "http": probed(LIVENESS, liveness=probe(get("/healthz"), **LATE)),
    "exec-timeout": probed(
        sh("tested", SLEEP), liveness=probe(command("/bin/sh", "-c", "sleep 10"), **LATE, timeoutSeconds=1)
    ),
    "failing-exec-timeout": probed(
        sh("tested", SLEEP), liveness=probe(command("/bin/sh", "-c", "sleep 10 & exit 1"), **LATE, timeoutSeconds=1)
    ),
    "local-redirect": probed(LIVENESS, liveness=probe(get(f"/redirect?loc={quote('/healthz', safe='')}"), **LATE)),
    "startup": probed(
        sh("tested", SLEEP),
        liveness=probe(command("/bin/true"), **LATE),
        startup=probe(NEVER, initialDelaySeconds=15, failureThreshold=3),
    ),
    "liveness-after-startup": probed(
        sh("tested", STARTED_LATE),
        liveness=probe(NEVER, **LATE),
        startup=probe(command("cat", "/tmp/startup"), initialDelaySeconds=15, failureThreshold=60),
    ),
    "grpc": probed(
        GRPC, liveness=probe({"grpc": {"port": 2333}}, initialDelaySeconds=60, timeoutSeconds=5, failureThreshold=1)
    ),
}

LEFT: dict[str, Object] = {
    "exec": probed(
        sh("tested", "echo ok >/tmp/health; sleep 600"),
        liveness=probe(command("cat", "/tmp/health"), **LATE, timeoutSeconds=5),
    ),
    "tcp": probed(LIVENESS, liveness=probe({"tcpSocket": {"port": 8080}}, **LATE)),
    "http": probed(WEB, liveness=probe(get("/", 80), initialDelaySeconds=15, timeoutSeconds=5, failureThreshold=5)),
    "startup": probed(
        sh("tested", SLEEP),
        liveness=probe(NEVER, **LATE),
        startup=probe(NEVER, initialDelaySeconds=15, failureThreshold=60),
    ),
    "grpc": probed(GRPC, liveness=probe({"grpc": {"port": 5000}}, **LATE, timeoutSeconds=5)),
}


@both
@pytest.mark.parametrize("case", RESTARTED)
def test_restarted(e2e: Client, case: str, kind: Pod) -> None:
    e2e.create(kind(RESTARTED[case]))
    e2e.wait(lambda: restarts(e2e) == 1, WATCHED, 1)


@both
@pytest.mark.parametrize("case", LEFT)
def test_not_restarted(e2e: Client, case: str, kind: Pod) -> None:
    e2e.create(kind(LEFT[case]))
    for _ in range(8):
        e2e.advance(WATCHED / 8)
        assert restarts(e2e) == 0
    state = status(e2e.get("Pod", "probe-test"), "tested")["state"]
    assert "running" in state


@both
def test_a_redirect_to_elsewhere_is_a_success_with_a_warning(e2e: Client, kind: Pod) -> None:
    away = quote("http://0.0.0.0/", safe="")
    e2e.create(kind(probed(LIVENESS, liveness=probe(get(f"/redirect?loc={away}"), **LATE))))
    e2e.advance(WATCHED)
    assert restarts(e2e) == 0
    text = 'Probe terminated redirects, Response body: <a href="http://0.0.0.0/">Found</a>.'
    assert any(text in event["message"] for event in events(e2e, "probe-test", "ProbeWarning"))


@both
def test_restarts_only_add_up(e2e: Client, kind: Pod) -> None:
    e2e.create(kind(probed(LIVENESS, liveness=probe(get("/healthz"), initialDelaySeconds=5, failureThreshold=1))))
    seen = [0]

    def five() -> bool:
        seen.append(restarts(e2e))
        return seen[-1] >= 5

    e2e.wait(five, 840, 1)
    assert seen == sorted(seen)


@both
def test_ready_after_the_initial_delay(e2e: Client, kind: Pod) -> None:
    e2e.create(kind(probed(WEB, readiness=probe(get("/", 80), initialDelaySeconds=15))))
    e2e.wait(lambda: ready(e2e.get("Pod", "probe-test")))
    found = e2e.get("Pod", "probe-test")
    began = status(found, "tested")["state"]["running"]["startedAt"]
    became = condition(found, "Ready")["lastTransitionTime"]
    assert parse_rfc3339(became) - parse_rfc3339(began) >= 15 * SECOND
    assert restarts(e2e) == 0


@both
@pytest.mark.parametrize(
    "made",
    [
        probed(WEB, readiness=probe(get("/", 81))),
        probed(sh("tested", SLEEP), readiness=probe(command("/bin/sh", "-c", "sleep 10"), **LATE, timeoutSeconds=1)),
    ],
    ids=["fails", "timeout"],
)
def test_never_ready_and_never_restarted(e2e: Client, made: Object, kind: Pod) -> None:
    e2e.create(kind(made))
    for _ in range(60):
        e2e.advance(1)
        assert not ready(e2e.get("Pod", "probe-test"))
    assert restarts(e2e) == 0
    assert e2e.get("Pod", "probe-test")["status"]["phase"] == "Running"


@both
def test_ready_as_soon_as_it_has_started(e2e: Client, kind: Pod) -> None:
    script = "echo ok >/tmp/health; sleep 32; echo ok >/tmp/startup; sleep 600"
    made = probed(
        sh("tested", script),
        readiness=probe(command("/bin/cat", "/tmp/health"), periodSeconds=30),
        startup=probe(command("/bin/cat", "/tmp/startup"), failureThreshold=120, periodSeconds=5),
    )
    e2e.create(kind(made))
    e2e.wait(lambda: status(e2e.get("Pod", "probe-test"), "tested").get("started"))
    e2e.wait(lambda: ready(e2e.get("Pod", "probe-test")), 25)


@both
@pytest.mark.parametrize("which", ["liveness", "startup"])
def test_a_probe_with_a_grace_period_of_its_own(e2e: Client, which: str, kind: Pod) -> None:
    own = {"initialDelaySeconds": 10, "failureThreshold": 1, "terminationGracePeriodSeconds": 5}
    probes = {"liveness": probe(get("/healthz"), **own)}
    if which == "startup":
        probes = {"liveness": probe(command("/bin/true"), **LATE)}
        probes["startup"] = probe(command("/bin/cat", "/tmp/startup"), **own)
    made = kind(probed(container("tested", "/bin/sh", "-c", "sleep 1000"), **probes))
    made["spec"]["terminationGracePeriodSeconds"] = 500
    e2e.create(made)
    e2e.wait(lambda: restarts(e2e) == 1, 60, 1)


def terminating(e2e: Client, kind: Pod, seconds: int, **probes: Any) -> None:
    """A container that is in no hurry to end is not ready any more, long before it has ended."""
    files = [probes[name]["exec"]["command"][1] for name in sorted(probes, reverse=True)]
    removed = "".join(f"\trm -f {path}\n" for path in files)
    made = "".join(f"touch {path}\n" for path in files)
    script = f"""
_term() {{
{removed}	sleep {seconds}
	exit 0
}}
trap _term SIGTERM

{made}
while true; do
  echo \\"hello\\"
  sleep 10
done
"""
    slow = container("tested", "/bin/bash", image=AGNHOST, args=["-c", script])
    e2e.create(
        {**(whole := kind(probed(slow, **probes))), "spec": {**whole["spec"], "terminationGracePeriodSeconds": 30}}
    )
    e2e.wait(lambda: ready(e2e.get("Pod", "probe-test")))
    e2e.delete("Pod", "probe-test")
    e2e.wait(lambda: not ready(e2e.get("Pod", "probe-test")), 30)


@both
def test_not_ready_while_it_ends(e2e: Client, kind: Pod) -> None:
    terminating(
        e2e,
        kind,
        30,
        readiness=probe(command("cat", "/tmp/ready"), failureThreshold=1, initialDelaySeconds=5, periodSeconds=2),
    )


@both
def test_no_liveness_probe_while_it_ends(e2e: Client, kind: Pod) -> None:
    terminating(
        e2e,
        kind,
        20,
        readiness=probe(command("cat", "/tmp/ready"), failureThreshold=1, initialDelaySeconds=5, periodSeconds=2),
        liveness=probe(command("cat", "/tmp/liveness"), failureThreshold=1, initialDelaySeconds=5, periodSeconds=1),
    )
    for _ in range(6):
        e2e.advance(10)
        assert not [e for e in events(e2e, "probe-test") if "failed liveness probe" in e["message"]]
