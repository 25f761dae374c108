"""The faults of game day: what is changed, what is said about it, where it shows, how it is put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfheal.objects import Object

Changes = tuple[tuple[str, str, Object], ...]
"""(kind, name, strategic merge patch)."""

DOWN = "Users: “The shop does not answer.” Colleagues: “Nobody has done anything. Well, there was that small change.”"
NOW_AND_THEN = "Users: “It works, and then it does not, and then it does.” Colleagues: “We have changed a number.”"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be wrong."""

    key: str
    cause: str
    report: str
    """What is said about it."""
    look: str
    """Where it is seen …"""
    sign: str
    """… and as what."""
    lesson: str
    breaks: Changes
    repairs: Changes


def by_key(key: str) -> Fault:
    """The fault of that name. Raises ValueError."""
    for fault in FAULTS:
        if fault.key == key:
            return fault
    raise ValueError(f'there is no fault "{key}"; there are: {", ".join(fault.key for fault in FAULTS)}')


def _container(**fields: Any) -> Changes:
    spec = {"containers": [{"name": "shop", **fields}]}
    return (("Deployment", "shop", {"spec": {"template": {"spec": spec}}}),)


def _pods(**fields: Any) -> Changes:
    return (("Deployment", "shop", {"spec": {"template": {"spec": fields}}}),)


def _service(**fields: Any) -> Changes:
    return (("Service", "shop", {"spec": fields}),)


def _greeting(key: str) -> Changes:
    source = {"configMapKeyRef": {"name": "settings", "key": key}}
    return _container(env=[{"name": "GREETING", "valueFrom": source}])


def _probe(port: int) -> Object:
    return {"httpGet": {"path": "/healthz", "port": port}}


def _command(subcommand: str) -> list[str]:
    return ["sh", "-c", f"dd if=/dev/zero of=/dev/null bs=96M count=1; exec /agnhost {subcommand}"]


FAULTS: tuple[Fault, ...] = (
    Fault(
        key="port",
        cause="the Service sends users to a port on which nobody listens",
        report=DOWN,
        look="kubectl describe service shop",
        sign="a TargetPort other than the one on which the server listens, with endpoints that are all there",
        lesson="Pods that are ready and users who are refused: then it is between the two, in the Service.",
        breaks=_service(ports=[{"port": 80, "targetPort": 8081}]),
        repairs=_service(ports=[{"port": 80, "targetPort": 8080}]),
    ),
    Fault(
        key="selector",
        cause="the Service's selector matches no pod",
        report=DOWN,
        look="kubectl describe service shop",
        sign="no endpoints, and a Selector that is not among the pods' labels",
        lesson="No endpoints and ready pods: compare the selector with `kubectl get pods --show-labels`.",
        breaks=_service(selector={"app": "shopp"}),
        repairs=_service(selector={"app": "shop"}),
    ),
    Fault(
        key="readiness",
        cause="the readiness probe asks at the wrong port, so no pod ever gets users",
        report=DOWN,
        look="kubectl describe pods -l app=shop",
        sign="Running and not Ready, no restarts, and “Readiness probe failed … connection refused”",
        lesson="Not ready and not restarted: only readiness does that.",
        breaks=_container(readinessProbe=_probe(8000)),
        repairs=_container(readinessProbe=_probe(8080)),
    ),
    Fault(
        key="liveness",
        cause="the liveness probe asks at the wrong port, so well containers are killed again and again",
        report=NOW_AND_THEN,
        look="kubectl describe pods -l app=shop",
        sign="restarts that go up, and “Container shop failed liveness probe, will be restarted”",
        lesson="A log that ends in the middle of a good day: look who killed it, in the events.",
        breaks=_container(livenessProbe=_probe(8000)),
        repairs=_container(livenessProbe=_probe(8080)),
    ),
    Fault(
        key="image",
        cause="the image cannot be fetched",
        report=DOWN,
        look="kubectl get pods -l app=shop",
        sign="ErrImagePull or ImagePullBackOff",
        lesson="A container that was never made has no log. The event says what the registry said.",
        breaks=_container(image="registry.example:5000/shop:2"),
        repairs=_container(image="registry.k8s.io/e2e-test-images/agnhost:2.63.0"),
    ),
    Fault(
        key="memory",
        cause="the memory limit is lower than what the server takes when it starts",
        report=DOWN,
        look="kubectl describe pods -l app=shop",
        sign="Last State: Terminated, Reason: OOMKilled, Exit Code: 137",
        lesson="No event says so, and no log. The container's last state does.",
        breaks=_container(resources={"limits": {"memory": "40Mi"}, "requests": {"memory": "40Mi"}}),
        repairs=_container(resources={"limits": {"memory": "160Mi"}, "requests": {"memory": "160Mi"}}),
    ),
    Fault(
        key="settings",
        cause="the container wants a key that the ConfigMap does not have",
        report=DOWN,
        look="kubectl describe pods -l app=shop",
        sign="CreateContainerConfigError, and “couldn't find key … in ConfigMap”",
        lesson="Nothing is restarted, for nothing was ever started. The kubelet tries again by itself.",
        breaks=_greeting("greetings"),
        repairs=_greeting("greeting"),
    ),
    Fault(
        key="node",
        cause="the pods want a node that does not exist",
        report=DOWN,
        look="kubectl describe pods -l app=shop",
        sign="Pending, on no node, and FailedScheduling: “didn't match Pod's node affinity/selector”",
        lesson="Pending without a node is the scheduler's; Pending on a node is the kubelet's.",
        breaks=_pods(nodeSelector={"disk": "fast"}),
        repairs=_pods(nodeSelector={"disk": None}),
    ),
    Fault(
        key="command",
        cause="the command line has a typing mistake, and the server ends at once",
        report=DOWN,
        look="kubectl logs -l app=shop --previous",
        sign="“unknown command”, beside restarts without any “Killing” in the events",
        lesson="It ended by itself, so it is the app that knows why: the log of the instance before.",
        breaks=_container(command=_command("netexc")),
        repairs=_container(command=_command("netexec")),
    ),
    Fault(
        key="replicas",
        cause="somebody has scaled the shop to nothing",
        report=DOWN,
        look="kubectl get deployment shop",
        sign="READY 0/0: all that is wished for is there",
        lesson="No pods and no errors: ask what is wished before you ask what is wrong.",
        breaks=(("Deployment", "shop", {"spec": {"replicas": 0}}),),
        repairs=(("Deployment", "shop", {"spec": {"replicas": 2}}),),
    ),
)
