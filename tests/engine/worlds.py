"""Small random worlds: a few pods with probes, how their apps behave, and what somebody does to them.

A world is plain data, so that a failing one can be read and pasted into a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from selfheal import Cluster
from selfheal.errors import ApiError
from tests.conformance.pods import AGNHOST, container, pod

Object = dict[str, Any]
Deed = tuple[float, str, str, str]
"""(seconds, verb, pod, what)"""

SCRIPTS = (
    "sleep 3600",
    "touch /tmp/healthy; sleep 3600",
    "touch /tmp/healthy; sleep 20; rm -f /tmp/healthy; sleep 3600",
    "sleep 12; touch /tmp/healthy; sleep 40; exit 0",
    "trap 'sleep 3; exit 3' TERM; touch /tmp/healthy; while true; do sleep 1; done",
    "while true; do touch /tmp/healthy; sleep 7; rm -f /tmp/healthy; sleep 9; done",
    "sleep 5; exit 1",
    "exit 0",
    "exit 7",
)
"""Lives of a shell, well and ill."""

COMMANDS = (
    ["cat", "/tmp/healthy"],
    ["sh", "-c", "sleep 1; test -f /tmp/healthy"],
    ["sh", "-c", "sleep 2.3; true"],
    ["no-such-command"],
    ["true"],
)
HOOKS = (
    {"preStop": {"exec": {"command": ["sh", "-c", "sleep 2"]}}},
    {"preStop": {"sleep": {"seconds": 1}}},
    {"postStart": {"exec": {"command": ["sh", "-c", "sleep 1; touch /tmp/healthy"]}}},
    {"postStart": {"exec": {"command": ["false"]}}},
)
INITS = ("exit 0", "sleep 3", "sleep 1; exit 1", "test -f /data/ran || { touch /data/ran; exit 1; }")
PATIENTS = (
    [],
    ["--start", "7"],
    ["--healthz-after", "25=500"],
    ["--readyz-after", "15=503", "--term", "ignore"],
    ["--healthz-after", "12=hang"],
    ["--exit-after", "33=2"],
    ["--unfinished-work", "10"],
)


@dataclass(frozen=True)
class World:
    """What is applied, what is done, and what chance is drawn from."""

    pods: tuple[Object, ...]
    deeds: tuple[Deed, ...] = ()
    seed: int = 0
    until: float = 90
    traffic: float = 0
    extra: tuple[Object, ...] = field(default=())

    def play(self, **options: Any) -> Cluster:
        """A cluster in which all of it has happened. What the cluster refuses is part of its story."""
        cluster = Cluster(seed=self.seed, **options)
        cluster.apply([*self.pods, *self.extra])
        if self.traffic:
            cluster.traffic("all", self.traffic)
        for t, verb, name, what in sorted(self.deeds, key=lambda deed: deed[0]):
            cluster.run(until=t)
            _do(cluster, verb, name, what)
        return cluster.run(until=self.until)


def _do(cluster: Cluster, verb: str, name: str, what: str) -> None:
    try:
        if verb == "exec":
            cluster.exec(name, ["sh", "-c", what])
        elif verb == "kill":
            cluster.kill(name, signal=what)
        elif verb == "http":
            cluster.http(name, what, port=8080, method="POST")
        elif verb == "delete":
            cluster.delete(f"pod/{name}", grace=int(what) if what else None)
        elif verb == "power":
            node = cluster.nodes[0]
            node.stop() if what == "off" else node.start()
        elif verb == "fault":
            target = f"pod/{name}" if what in ("crash", "hang", "slow", "leak", "partition") else "node/node-1"
            cluster.fault(what.removeprefix("node "), "" if what == "apiDown" else target, for_=12)
        elif verb == "look":
            list(cluster.timeline)  # reading brings parked workers up to date, and must change nothing
    except ApiError:
        pass


FAULTS = ("crash", "hang", "slow", "leak", "partition", "node partition", "loseHeartbeats", "apiDown")

SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "all"},
    "spec": {"selector": {"world": "small"}, "ports": [{"port": 80, "targetPort": 8080}]},
}

small = st.integers(1, 3)


@st.composite
def probes(draw: st.DrawFn, kind: str, handlers: st.SearchStrategy[Object]) -> Object:
    """A probe of a kind, with its numbers."""
    probe = {
        **draw(handlers),
        "periodSeconds": draw(st.sampled_from((1, 2, 3, 5, 10))),
        "timeoutSeconds": draw(small),
        "failureThreshold": draw(small),
        "initialDelaySeconds": draw(st.sampled_from((0, 0, 1, 8))),
    }
    if kind == "readiness":
        probe["successThreshold"] = draw(small)
    elif draw(st.booleans()):
        probe["terminationGracePeriodSeconds"] = draw(st.sampled_from((1, 4)))
    return probe


EXEC = st.sampled_from([{"exec": {"command": command}} for command in COMMANDS])
HTTP = st.sampled_from(
    [{"httpGet": {"path": path, "port": 8080}} for path in ("/healthz", "/readyz", "/", "/none")]
    + [{"tcpSocket": {"port": 8080}}, {"httpGet": {"path": "/healthz", "port": 8081}}]
    + [{"exec": {"command": ["sh", "-c", "test -f /tmp/healthy"]}}]
)


@st.composite
def containers(draw: st.DrawFn, number: int) -> Object:
    """A container with some of the three probes."""
    shell = draw(st.booleans())
    if shell:
        out = container(f"c{number}", command=draw(st.sampled_from(SCRIPTS)))
    elif draw(st.integers(0, 3)):
        args = [*draw(st.sampled_from(PATIENTS)), "--port", str(8080 + number)]
        out = container(f"c{number}", image="selfheal/patient", args=args, ports=[{"containerPort": 8080 + number}])
    else:
        out = container(f"c{number}", image=AGNHOST, args=["netexec", f"--http-port={8080 + number}"])
    for kind in ("liveness", "readiness", "startup"):
        if draw(st.booleans()):
            out[f"{kind}Probe"] = draw(probes(kind, EXEC if shell else HTTP))
    if draw(st.integers(0, 4)) == 0:
        out["lifecycle"] = draw(st.sampled_from(HOOKS))
    return out


@st.composite
def inits(draw: st.DrawFn) -> dict[str, Any]:
    """An init container, or a sidecar, with a volume that lasts as long as the pod."""
    data = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    made = container("before", command=draw(st.sampled_from(INITS)), **data)
    if draw(st.integers(0, 2)) == 0:
        made = container("before", command="sleep 3600", restartPolicy="Always", **data)
        if draw(st.booleans()):
            made["startupProbe"] = {"exec": {"command": ["true"]}, "periodSeconds": 2}
    return {"initContainers": [made], "volumes": [{"name": "data", "emptyDir": {}}]}


@st.composite
def pods(draw: st.DrawFn, name: str) -> Object:
    made = pod(
        *[draw(containers(n)) for n in range(draw(st.sampled_from((1, 1, 2))))],
        name=name,
        restartPolicy=draw(st.sampled_from(("Always", "Always", "OnFailure", "Never"))),
        terminationGracePeriodSeconds=draw(st.sampled_from((2, 5, 30))),
        automountServiceAccountToken=draw(st.booleans()),
        **(draw(inits()) if draw(st.integers(0, 3)) == 0 else {}),
    )
    made["metadata"]["labels"]["world"] = "small"
    return made


@st.composite
def deeds(draw: st.DrawFn, names: tuple[str, ...], until: int) -> Deed:
    verb = draw(st.sampled_from(("exec", "exec", "http", "http", "kill", "delete", "look", "power", "fault")))
    t = draw(st.integers(0, until * 4)) / 4
    what = {
        "exec": st.sampled_from(("touch /tmp/healthy", "rm -f /tmp/healthy", "kill 1", "sleep 4; touch /tmp/healthy")),
        "http": st.sampled_from([f"/switch?{n}={v}" for n in ("healthz", "readyz") for v in ("200", "500", "hang")]),
        "kill": st.sampled_from(("KILL", "TERM")),
        "delete": st.sampled_from(("", "0", "2")),
        "look": st.just(""),
        "power": st.sampled_from(("off", "on")),
        "fault": st.sampled_from(FAULTS),
    }[verb]
    return t, verb, draw(st.sampled_from(names)), draw(what)


@st.composite
def worlds(draw: st.DrawFn, until: int = 90, traffic: bool = False) -> World:
    names = ("a", "b")[: draw(st.integers(1, 2))]
    return World(
        tuple(draw(pods(name)) for name in names),
        tuple(draw(st.lists(deeds(names, until), max_size=4))),
        seed=draw(st.integers(0, 9)),
        until=until,
        traffic=draw(st.sampled_from((0, 7))) if traffic else 0,
        extra=(SERVICE,) if traffic else (),
    )
