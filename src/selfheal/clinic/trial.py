"""One run of a workload in which one thing goes wrong, and what users would have felt of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from selfheal.clinic.app import App, World, stand_ins
from selfheal.clinic.subject import NODES, Subject
from selfheal.cluster import Cluster
from selfheal.objects import Object, condition_true, labels, matches_map, name, terminating
from selfheal.timeline import Record
from selfheal.traffic import onward

RATE = 10
"""Requests a second that users send."""
STEADY = 5
"""Seconds for which all is well before something goes wrong."""
SLOW_START = 600
"""Seconds after which an app that is not ready never will be."""
GOLDEN = 0.6180339887498949
"""Its multiples, less their whole parts, are spread evenly: each seed meets the probes at another moment."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run. Times are seconds."""

    case: str
    seed: int
    sent: int = 0
    """Requests, from the fault to the end."""
    lost: int = 0
    down: int = 0
    """Seconds in which users sent something and nobody answered."""
    needless: int = 0
    """Kills by probes of containers that a restart could not help."""
    heal: float | None = 0.0
    """From the fault until all replicas were ready and no request was lost any more; None: not by the end."""
    wrong: str = ""
    """What is asked of the case and did not hold: ``restarts``, ``lost``, ``heal``, ``down`` … Empty: it held."""

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Trial:
    """A cluster with the workload on it, and the means to do something to it."""

    def __init__(self, subject: Subject, app: App, seed: int) -> None:
        self.subject = subject
        self.app = app
        self.seed = seed
        self.world = World(subject.container.name, tuple(subject.ports))
        self.cluster = Cluster(_nodes(), seed=seed, stand_ins=stand_ins(subject.template, app, self.world))
        self.cluster.apply(subject.objects)
        self.begun = 0.0
        """When it went wrong."""
        self.until = 0.0
        """From when on it should be well again: the end of a fault that heals, or its beginning."""
        self.before: list[str] = []
        """The pods that were there when it went wrong."""
        self.victim = ""
        """The pod that was chosen."""
        self.drained: str | None = None
        """What kubectl drain said at its end."""

    # ---- what there is

    def pods(self) -> list[Object]:
        """The workload's pods that are not going, by name."""
        selector = labels(self.subject.template)
        if self.subject.kind == "Pod":
            return [p for p in self.cluster.get("pods") if name(p) == self.subject.name]
        found = [p for p in self.cluster.get("pods") if matches_map(selector, labels(p)) and not terminating(p)]
        return sorted(found, key=name)

    def available(self) -> bool:
        pods = self.pods()
        return len(pods) >= self.subject.replicas > 0 and all(condition_true(p, "Ready") for p in pods)

    def run(self, seconds: float) -> None:
        self.cluster.run(for_=seconds)

    def ready(self) -> bool:
        """Let it start. Whether all replicas became ready; the workload's own pace does not matter."""
        limit = SLOW_START + 2 * self.app.starts
        while not self.available():
            if self.cluster.now >= limit:
                return False
            self.run(1 if self.cluster.now < 30 else 5)
        return True

    def settle(self) -> None:
        """Users come; then a while passes, another with each seed, until something goes wrong."""
        period = max((p.period_seconds for p in _probes(self.subject)), default=10)
        self.run(min(60, period) * (self.seed * GOLDEN % 1))
        service = self.subject.service
        if service is not None:
            self.cluster.traffic(name(service), RATE)
        self.run(STEADY)
        self.begun = self.until = self.cluster.now
        self.before = [name(pod) for pod in self.pods()]
        self.victim = self.before[self.seed % len(self.before)]

    # ---- what comes of it

    def outcome(self, case: str, *, spared: bool = False) -> Outcome:
        """Measured from the fault on. ``spared``: to kill the victim is no mistake."""
        sent, lost, down, last_lost = self._traffic()
        kills = [k for k in self.kills() if not (spared and k["object"] == f"Pod/{self.victim}")]
        return Outcome(case, self.seed, sent, lost, down, len(kills), self._healed(last_lost))

    def kills(self) -> list[Record]:
        """Events of probes that ended a container, from the fault on."""
        found = self.cluster.timeline.select(kind="Event", reason="Killing", since=self.begun)
        return [r for r in found if " failed " in r["message"]]

    def ended(self) -> list[tuple[str, int]]:
        """(pod, exit code) of each pod of which a container ended by itself."""
        found = []
        for pod in self.pods():
            for status in (pod.get("status") or {}).get("containerStatuses") or ():
                over = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get(
                    "terminated"
                )
                if over:
                    found.append((name(pod), int(over["exitCode"])))
        return found

    def traffic(self) -> list[Record]:
        """What became of requests, from the fault on (a stretch that began before it is cut)."""
        return onward(self.cluster.timeline.select(kind="Traffic"), self.begun)

    def _traffic(self) -> tuple[int, int, int, float]:
        sent = lost = down = 0
        last = self.until
        for r in self.traffic():
            sent += r["sent"] * r["times"]
            lost += r["lost"] * r["times"]
            if r["lost"]:
                last = max(last, r["t"] + r["times"])
                down += 0 if r["served"] else r["times"]
        return sent, lost, down, last

    def _healed(self, last_lost: float) -> float | None:
        """When all was as before, counted from :attr:`until`."""
        if not self.available() or (last_lost >= self.cluster.now - 1.5 and last_lost > self.until):
            return None
        unready = self.until
        for pod in self.pods():
            intervals = self.cluster.timeline.ready_intervals(name(pod))
            unready = max(unready, intervals[-1][0] if intervals else 0.0)
        return round(max(unready, last_lost) - self.until, 1)


def _probes(subject: Subject) -> list[Any]:
    c = subject.container
    return [p for p in (c.readiness, c.liveness) if p is not None]


def _nodes() -> list[Object]:
    """Nodes that are large enough for anybody: it is not the scheduler that is examined."""
    size = {"cpu": "256", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": "250"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"node-{n}", "labels": {"kubernetes.io/hostname": f"node-{n}",
                         "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                         "topology.kubernetes.io/zone": f"zone-{n}"}},
            "status": {"capacity": size, "allocatable": size},
        }
        for n in range(1, NODES + 1)
    ]  # fmt: skip
