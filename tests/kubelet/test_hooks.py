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
