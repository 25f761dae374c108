"""Hooks by HTTP: any answer will do, and there is no hurry (pkg/kubelet/lifecycle/handlers.go runHTTPHandler)."""

from __future__ import annotations

from typing import Any

from selfheal import Cluster
from selfheal.network import Request, Response, Server
from tests.conformance.pods import container, events, messages, play, pod


class Helper(Server):
    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.seen: list[Request] = []

    def http(self, request: Request) -> Response:
        self.seen.append(request)
        return self.answers.pop(0)


def post_start(server: Helper, **action: Any) -> Cluster:
    """A pod whose postStart hook asks the server."""
    cluster = play(pod(container(command="sleep 600"), name="helper"), until=10)
    address = cluster.get("Pod", "helper")["status"]["podIP"]
    cluster.network.listen(address, 8080, server)
    hook = {"postStart": {"httpGet": {"host": address, "port": 8080, **action}}}
    cluster.apply(pod(container(command="sleep 600", lifecycle=hook)))
    return cluster.run(until=120)


def test_a_hook_that_is_answered_500_has_succeeded() -> None:
    cluster = post_start(Helper(Response(500)))
    assert cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["restartCount"] == 0
    assert not events(cluster, "FailedPostStartHook")


def test_a_hook_waits_for_its_answer_as_long_as_it_takes() -> None:
    cluster = post_start(Helper(Response(200, delay=60_000_000)))
    assert not events(cluster, "FailedPostStartHook")
    running = next(
        r["t"]
        for r in cluster.timeline.select(kind="Pod", object="Pod/pod")
        if r["containers"][0]["state"] == "running"
    )
    assert 60 <= running - events(cluster, "Started")[0] <= 61


def test_a_hook_by_https_that_meets_http_asks_again_in_plain() -> None:
    server = Helper(Response(200))
    cluster = post_start(server, scheme="HTTPS")
    assert len(server.seen) == 1
    (said,) = messages(cluster, "LifecycleHTTPFallback")
    assert said.startswith("request to HTTPS lifecycle hook 10.")
    assert said.endswith(":8080 got HTTP response, retry with HTTP succeeded")
    assert not events(cluster, "FailedPostStartHook")


def test_a_hook_that_nobody_answers_fails() -> None:
    hook = {"postStart": {"httpGet": {"port": 81}}}
    app = container(command="sleep 600", lifecycle=hook)
    cluster = play(pod(app, terminationGracePeriodSeconds=2), until=10)
    assert messages(cluster, "FailedPostStartHook")
    shown = [r["containers"][0] for r in cluster.timeline.select(kind="Pod")]
    said = next(c["message"] for c in shown if c["reason"] == "PostStartHookError")
    assert said.startswith('HTTP lifecycle hook (/) for Container "app" in Pod "pod_default(')
    assert said.endswith("connect: connection refused")


def test_a_container_killed_for_its_hook_before_its_program_was_up_ends_at_once() -> None:
    """A hook that asks the container itself comes too early; what Go has compiled ends with 2 at the signal."""
    hook = {"postStart": {"httpGet": {"port": 8080}}}
    args = ["netexec", "--http-port=8080"]
    for seed in range(6):
        cluster = play(pod(container(image="agnhost", args=args, lifecycle=hook), restartPolicy="Never"), seed=seed)
        (killed,) = events(cluster, "Killing")
        ended = next(r for r in cluster.timeline.select(kind="Pod") if r["containers"][0]["state"] == "terminated")
        assert ended["containers"][0]["exitCode"] in (0, 2)
        assert ended["t"] - killed < 1.5


def why(hook: dict[str, Any]) -> str:
    """What a pod's status says of its postStart hook."""
    cluster = play(pod(container(command="sleep 600", lifecycle={"postStart": hook}), terminationGracePeriodSeconds=2))
    shown = [r["containers"][0] for r in cluster.timeline.select(kind="Pod")]
    return next(str(c["message"]) for c in shown if c.get("reason") == "PostStartHookError")


def test_a_hook_whose_command_is_missing_shows_the_runtimes_words() -> None:
    assert why({"exec": {"command": ["/no/such", "x"]}}) == (
        'Exec lifecycle hook ([/no/such x]) for Container "app" in Pod "pod_default(UID)" failed - error: rpc error: '
        'code = Unknown desc = failed to exec in container: failed to start exec "CONTAINERID": OCI runtime exec '
        'failed: exec failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or '
        'directory, message: ""'
    )


def test_a_hook_may_be_a_tcp_socket_and_cannot_be_run() -> None:
    assert why({"tcpSocket": {"port": 8080}}) == (
        "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,"
        "TCPSocket:&TCPSocketAction{Port:{0 8080 },Host:,},Sleep:nil,}"
    )


def test_a_hook_that_leaves_something_with_its_output_open_lasts_as_long_as_that() -> None:
    for line, seconds in (("sleep 6 & true", 6), ("sleep 6 >/dev/null 2>&1 & true", 0)):
        hook = {"postStart": {"exec": {"command": ["sh", "-c", line]}}}
        cluster = play(pod(container(command="sleep 600", lifecycle=hook)), until=30)
        shown = cluster.timeline.select(kind="Pod")
        running = next(r["t"] for r in shown if r["containers"][0]["state"] == "running")
        assert seconds <= running - events(cluster, "Started")[0] <= seconds + 1
