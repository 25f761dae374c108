"""Which facts of an object a timeline keeps, and when a record is written."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal import objects
from selfheal.clock import SECOND, Clock
from selfheal.rules import Cause
from selfheal.timeline import Recorder, Timeline, facts
from selfheal.timeline.facts import KINDS

RECORDINGS = Path(__file__).parent.parent / "recordings"


def pod(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {"containers": [{"name": "app", "image": "nginx"}], "nodeName": "node-1"},
        "status": status,
    }


RUNNING = {
    "name": "app",
    "state": {"running": {"startedAt": "2026-01-01T08:00:00Z"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 137, "finishedAt": "2026-01-01T08:00:00Z"}},
    "restartCount": 1,
    "ready": True,
    "started": True,
}
TRUE = [{"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")]


def recorded(scenario: str, number: int) -> dict[str, Any]:
    line = (RECORDINGS / scenario / "timeline.jsonl").read_text().splitlines()[number]
    return {k: v for k, v in json.loads(line).items() if k not in ("t", "kind", "namespace", "object")}


def test_a_pod_nobody_has_touched_yet_reads_as_in_the_recording() -> None:
    new = pod(phase="Pending")
    new["spec"] = {"containers": [{"name": "liveness"}]}
    assert json.dumps(facts(new)) == json.dumps(recorded("liveness-exec", 1))


def test_a_restarted_pod_reads_as_in_the_recording() -> None:
    conditions = [{"type": "PodReadyToStartContainers", "status": "True"}, *TRUE]
    running = pod(phase="Running", conditions=conditions, containerStatuses=[{**RUNNING, "name": "liveness"}])
    assert json.dumps(facts(running)) == json.dumps(recorded("liveness-exec", 17))


def test_a_waiting_container_keeps_reason_and_message_with_unique_ids_masked() -> None:
    message = "back-off 10s restarting failed container=app pod=web_default(6b8f9c1e-1c1b-4d5e-9f00-0123456789ab)"
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    got = facts(pod(conditions=conditions, containerStatuses=[{**RUNNING, "state": waiting, "ready": False}]))
    assert got["ready"] == "0/1"
    assert got["reasons"] == {"Ready": "ContainersNotReady"}
    assert got["containers"][0]["message"].endswith("pod=web_default(UID)")
    assert list(got["containers"][0]) == [
        *("name", "state", "reason", "exitCode", "restartCount", "ready", "started", "message", "last")
    ]


def test_ready_counts_containers_and_sidecars_but_not_what_only_ran_first() -> None:
    obj = pod(
        containerStatuses=[RUNNING],
        initContainerStatuses=[{**RUNNING, "name": "prepare", "state": {"terminated": {"exitCode": 0}}},
                               {**RUNNING, "name": "log"}],
    )  # fmt: skip
    obj["spec"]["initContainers"] = [{"name": "prepare"}, {"name": "log", "restartPolicy": "Always"}]
    assert facts(obj)["ready"] == "2/2"
    assert [c["name"] for c in facts(obj)["initContainers"]] == ["prepare", "log"]


def test_the_keys_of_a_pod_come_in_the_order_of_the_format() -> None:
    obj = pod(phase="Failed", reason="DeadlineExceeded", conditions=TRUE)
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T08:00:00Z"
    obj["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "web", "controller": True}]
    assert list(facts(obj)) == ["phase", "ready", "conditions", "containers", "node", "reason", "terminating", "owner"]
    assert facts(obj)["owner"] == "ReplicaSet/web"


def test_an_event_is_about_an_object_and_carries_no_unique_ids() -> None:
    event = {
        "kind": "Event",
        "metadata": {"name": "web.1", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{app}"},
        "reason": "Unhealthy",
        "type": "Warning",
        "message": f'failed to start exec "{"0a" * 32}": no such file',
        "count": 3,
        "source": {"component": "kubelet", "host": "node-1"},
    }
    assert facts(event) == {
        "reason": "Unhealthy",
        "type": "Warning",
        "message": 'failed to start exec "CONTAINERID": no such file',
        "count": 3,
        "from": "kubelet",
        "field": "spec.containers{app}",
    }


def test_controllers_read_as_in_the_recordings() -> None:
    meta = {"name": "web", "namespace": "default"}
    replica_set = {"kind": "ReplicaSet", "metadata": meta, "spec": {"replicas": 3}, "status": {}}
    assert facts(replica_set) == {"desired": 3, "replicas": 0, "ready": 0, "available": 0}
    assert list(facts({**replica_set, "kind": "Deployment"})) == [
        *("desired", "replicas", "updated", "ready", "available", "unavailable", "conditions")
    ]
    assert list(facts({**replica_set, "kind": "StatefulSet"})) == [
        *("desired", "replicas", "ready", "current", "updated", "available")
    ]
    assert list(facts({**replica_set, "kind": "DaemonSet"})) == [
        *("desired", "current", "ready", "updated", "available", "misscheduled")
    ]
    assert list(facts({**replica_set, "kind": "PodDisruptionBudget"})) == [
        *("expected", "desiredHealthy", "healthy", "allowed", "conditions")
    ]
    job = {"kind": "Job", "metadata": meta, "spec": {}, "status": {"active": 2, "failedIndexes": ""}}
    assert facts(job) == {"active": 2, "ready": 0, "succeeded": 0, "failed": 0, "failedIndexes": "", "conditions": {}}
    assert facts({"kind": "ConfigMap", "metadata": meta}) == {}


def test_a_cron_job_tells_its_times_in_seconds_of_the_timeline() -> None:
    clock = Clock(second=40, phase=60_000)
    obj = {
        "kind": "CronJob",
        "metadata": {"name": "good"},
        "spec": {"suspend": False},
        "status": {"active": [{}], "lastScheduleTime": "2026-01-01T08:01:00Z"},
    }
    assert facts(obj, clock.epoch) == {"suspend": False, "active": 1, "lastSchedule": 19.9}


def test_a_node_and_an_endpoint_slice_read_as_in_the_recordings() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "node-3"},
        "spec": {
            "taints": [
                {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
                {"key": "lab", "value": "fail", "effect": "NoSchedule"},
            ]
        },
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]},
    }
    assert facts(node) == {
        "conditions": {"Ready": "True"},
        "reasons": {"Ready": "KubeletReady"},
        "taints": ["lab=fail:NoSchedule", "node.kubernetes.io/unreachable:NoSchedule"],
        "unschedulable": False,
    }
    ready = {"ready": True, "serving": True, "terminating": False}
    endpoint_slice = {
        "kind": "EndpointSlice",
        "metadata": {"name": "web-m6vbw", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"targetRef": {"name": n}, "conditions": ready} for n in ("web-b", "web-a")],
    }
    assert facts(endpoint_slice) == {
        "service": "web",
        "endpoints": [{"pod": "web-a", **ready}, {"pod": "web-b", **ready}],
    }


# ---- the recorder


@dataclass
class Change:
    type: str
    object: dict[str, Any]
    old: dict[str, Any] | None = None
    cause: Cause | None = None

    @property
    def key(self) -> objects.Key:
        return objects.key(self.object)


class FakeStore:
    """A store that does nothing but tell."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[[Change], Any]] = {}

    def watch(self, kind: str, handler: Callable[[Change], Any], *, immediate: bool) -> FakeStore:
        assert immediate
        self.handlers[kind] = handler
        return self

    def stop(self) -> None:
        self.handlers.clear()

    def tell(self, type: str, obj: dict[str, Any], cause: Cause | None = None) -> None:
        handler = self.handlers.get(obj["kind"])
        if handler:
            handler(Change(type, obj, cause=cause))


def test_a_record_is_written_when_facts_change_and_only_then() -> None:
    store, clock, timeline = FakeStore(), Clock(), Timeline()
    recorder = Recorder(store, clock, timeline)
    assert tuple(store.handlers) == KINDS
    cause = Cause("action", what="apply")
    store.tell("ADDED", pod(phase="Pending"), cause)
    clock.run(1_234_567)
    store.tell("MODIFIED", pod(phase="Pending", qosClass="BestEffort"))
    store.tell("MODIFIED", pod(phase="Running"))
    clock.run(2 * SECOND)
    store.tell("DELETED", pod(phase="Running"))
    store.tell("ADDED", pod(phase="Running"))
    recorder.stop()
    store.tell("MODIFIED", pod(phase="Failed"))
    assert [(r["t"], r["phase"], r.get("deleted")) for r in timeline] == [
        (0.0, "Pending", None),
        (1.235, "Running", None),
        (2.0, "Running", True),
        (2.0, "Running", None),
    ]
    assert list(timeline[0])[:4] == ["t", "kind", "namespace", "object"]
    assert timeline.cause(timeline[0]) is cause


def test_a_repeated_event_is_a_new_record_and_its_expiry_is_none() -> None:
    store, timeline = FakeStore(), Timeline()
    Recorder(store, Clock(), timeline)
    event = {
        "kind": "Event",
        "metadata": {"name": "web.1", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "web"},
        "reason": "BackOff",
        "count": 1,
    }
    store.tell("ADDED", event)
    store.tell("MODIFIED", {**event, "count": 2})
    store.tell("DELETED", {**event, "count": 2})
    assert [(r["object"], r["count"]) for r in timeline] == [("Pod/web", 1), ("Pod/web", 2)]


def test_nodes_are_recorded_only_when_asked_for() -> None:
    node = {"kind": "Node", "metadata": {"name": "node-1"}, "spec": {}, "status": {}}
    for asked in (False, True):
        store, timeline = FakeStore(), Timeline()
        Recorder(store, Clock(), timeline, nodes=asked)
        store.tell("ADDED", node)
        assert len(timeline) == asked
    assert "namespace" not in timeline[0]


def test_a_record_needs_little_memory() -> None:
    store, clock, timeline = FakeStore(), Clock(), Timeline()
    Recorder(store, clock, timeline)
    conditions = [{**c, "lastTransitionTime": "2026-01-01T08:00:00Z"} for c in TRUE]
    tracemalloc.start()
    for n in range(2000):
        clock.run(n * SECOND)
        status = {**RUNNING, "ready": n % 2 == 0}
        store.tell("MODIFIED", pod(phase="Running", conditions=conditions, containerStatuses=[status]))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(timeline) == 2000
    assert used / 2000 < 640
