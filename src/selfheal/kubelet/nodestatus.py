"""What a node tells of itself: registration, lease, status, boot (pkg/kubelet/kubelet_node_status.go).

The kubelet renews its lease each 10 s, computes its status as often, and reports a status that has not changed each
5 min. None of it changes anything while the node is well, so none is executed: the times follow from the node's phase
(:meth:`NodeStatus.last_renewal`, :meth:`NodeStatus.last_report`), and whoever reads the objects is shown them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock, Timer
from selfheal.events import EventRecorder
from selfheal.objects import Object, name, replace
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

RENEW = 10 * SECOND
"""leaseDurationSeconds 40 × 0.25 (staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go)."""
STATUS = 10 * SECOND
"""How often the status is computed (config nodeStatusUpdateFrequency)."""
TICK = STATUS * 102 // 100
"""How often it really is: each time × [1, 1.04) (kubelet.go wait.JitterUntil)."""
REPORT = 300 * SECOND
"""A status that has not changed is reported as often (config nodeStatusReportFrequency)."""
UP = -3600 * SECOND
"""A node that a cluster begins with has been up for an hour (µs)."""

CAPACITY = {"cpu": "2", "ephemeral-storage": "264212084Ki", "memory": "24Gi", "pods": "110"}
"""What a node has that says nothing else."""

HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
AGAIN = 100 * MILLISECOND
"""From the status of a registration to the next (fastStatusUpdateOnce looks each 100 ms)."""
LATE = 80 * MILLISECOND
"""So much later the runtime is up, where it was not with the kubelet's first status."""
BOOT_EVENTS = ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID")

SOURCE = "pkg/kubelet/kubelet_node_status.go"
BOOTED = rule("node.boot", SOURCE, "tryRegisterWithAPIServer")
POSTED = rule("node.post", SOURCE, "tryUpdateNodeStatus")
CORDONED = rule("node.cordon", SOURCE, "recordNodeSchedulableEvent")


class NodeStatus:
    """The node's own object and lease, as its kubelet keeps them."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        events: EventRecorder,
        node: Object,
        address: str,
        *,
        boots: int = 0,
        cause: Cause | None = None,
        rebooted: bool = True,
        parking: bool = True,
    ) -> None:
        self._clock = clock
        self._store = store
        self._events = events
        self.node = name(node)
        self._stream = stream = chance.stream("node", self.node, f"boot {boots}")
        self._changed = (clock.now, stream.uniform(5))
        """When the status last changed; what then puts the next report off, or forward."""
        self._phase = clock.now - int(stream.uniform(0) * RENEW) if boots == 0 else clock.now
        # renewals come each 10 s × [1, 1.04); one value for the node keeps them a formula
        self._period = RENEW + int(stream.uniform(1) * 0.02 * RENEW)
        self._boot_id = stream.uid(2)
        self._own = self._identity(node.get("status") or {}, address)
        self._rebooted = rebooted
        self._parking = parking
        self._next: Timer | None = None
        """Without parking: the next renewal."""
        self._halted_at: int | None = None
        self._cut_off = False
        self._booting = boots > 0
        """Whether the first report is still to come."""
        self._at_last: Callable[[], None] | None = None
        """What a kubelet that booted while it was cut off will still report."""
        if boots == 0:
            self._register(node, cause)
            self._keep()
        else:
            self._report_boot(Cause(BOOTED, cause, node=self.node))
        self._watch = store.watch("Node", self._on_node)

    def halt(self, cause: Cause | None = None) -> None:
        """The kubelet is gone: the last renewal was the last."""
        self._break(cause)
        self._watch.stop()

    def disconnect(self, cause: Cause | None = None) -> None:
        """Neither lease nor status reaches the API server any more."""
        self._cut_off = True
        self._watch.hold()
        self._break(cause)

    def reconnect(self, cause: Cause | None = None) -> None:
        """They do again: with the next renewal, and with the next status, each within 10 s."""
        self._cut_off = False
        report, self._at_last = self._at_last, None
        if self._booting:
            self._halted_at = None
            if report is not None:
                report()
        elif self._halted_at is not None:
            now = self._clock.now
            self._clock.at(now + -(now - self._phase) % self._period, lambda: self._renew(cause))
            self._clock.at(now + -(now - self._phase) % STATUS, lambda: self._post(cause))
        self._watch.release()

    def _renew(self, cause: Cause | None) -> None:
        if self._halted_at is not None and not self._cut_off and not self._watch.stopped:
            heard, self._halted_at = self.last_report(), None
            if self.last_report() != heard:  # one was due meanwhile
                self._changed = self._clock.now, 0.5
            self._keep()
            self.settle(cause)

    def _post(self, cause: Cause | None) -> None:
        """The node's status, if the API has another one (tryUpdateNodeStatus)."""
        node = self._store.get("Node", "", self.node)
        if node is None or self._cut_off or self._booting or self._watch.stopped:
            return
        if self._unlike(node):
            why = Cause(POSTED, cause, node=self.node)
            self._store.patch("Node", "", self.node, self._healthy, status=True, cause=why)
            for reason in (*BOOT_EVENTS, "NodeReady"):
                self._tell(node, "Normal", reason, f"Node {self.node} status is now: {reason}", why)

    def _keep(self) -> None:
        """From now on the lease is renewed, without a write for each time."""
        if self._next is not None:
            self._next.cancel()
        self._store.broken.pop(self.node, None)
        if self._parking:
            self._store.kept[self.node] = self.last_renewal
        else:
            self._next = self._clock.at(self.last_renewal() + self._period, self._tick)

    def _tick(self) -> None:
        """One renewal, where each of them is executed."""
        self._keep()
        self.settle()

    def _break(self, cause: Cause | None) -> None:
        """No more renewals; what the store holds is the last one."""
        if self._halted_at is None:
            self._halted_at = self._clock.now
            self._store.broken[self.node] = cause
        if self._next is not None:
            self._next.cancel()
        if self._store.kept.get(self.node) == self.last_renewal:
            del self._store.kept[self.node]
            self.settle(cause)
            self._store.promise_ended(self.node, cause)

    # ---- registration

    def _identity(self, given: Object, address: str) -> Object:
        """What the node is, besides how it is; its size may be given."""
        return {
            "capacity": dict(CAPACITY),
            "allocatable": given.get("capacity") or dict(CAPACITY),
            **given,
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": self.node}],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": self._boot_id,
                "containerRuntimeVersion": "containerd://2.1.9",
                "kernelVersion": "6.1.0",
                "kubeletVersion": "v1.36.2",
                "kubeProxyVersion": "",
                "machineID": self._boot_id.replace("-", ""),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": self._boot_id,
            },
        }

    def _register(self, node: Object, cause: Cause | None) -> None:
        """Make the Node and its Lease (tryRegisterWithAPIServer)."""
        status = {**self._own, "conditions": self._conditions(self._clock.timestamp(UP))}
        created = self._store.create(replace(node, "status", status), cause=cause)
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.node, "uid": created["metadata"]["uid"]}
        self._store.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self.node, "namespace": "kube-node-lease", "ownerReferences": [owner]},
                "spec": {
                    "holderIdentity": self.node,
                    "leaseDurationSeconds": 40,
                    "renewTime": self._clock.micro_timestamp(self.last_renewal()),
                },
            }
        )

    def _conditions(self, since: str, old: list[Any] | None = None) -> list[dict[str, Any]]:
        """The four conditions of a healthy node; a transition time moves only where the status does."""
        before = {c["type"]: c for c in old or ()}
        out = []
        for kind, value, reason, message in HEALTHY:
            same = kind in before and before[kind]["status"] == value
            out.append(
                {
                    "type": kind,
                    "status": value,
                    "lastHeartbeatTime": self._clock.timestamp(),
                    "lastTransitionTime": before[kind]["lastTransitionTime"] if same else since,
                    "reason": reason,
                    "message": message,
                }
            )
        return out

    # ---- boot

    def _report_boot(self, cause: Cause) -> None:
        """What a kubelet that has just booted writes and tells."""
        node = self._store.get("Node", "", self.node)
        if node is None:
            return
        unready = not any(c["type"] == "Ready" and c["status"] == "True" for c in _conditions_of(node))
        tell = self._tell
        tell(node, "Normal", "Starting", "Starting kubelet.", cause)
        late = latencies.happens("runtime up late", self._stream, 4)
        pause = 150 * MILLISECOND + self._stream.between(3, 0, 200 * MILLISECOND)

        def report() -> None:
            if self._not_now(report):
                return
            if self._rebooted:
                text = f"Node {self.node} has been rebooted, boot id: {self._boot_id}"
                tell(node, "Warning", "Rebooted", text, cause)
            tell_all()
            if unready and late:
                tell(node, "Normal", "NodeNotReady", f"Node {self.node} status is now: NodeNotReady", cause)
                tell_all()
                self._clock.after(LATE, ready)
            else:
                ready()

        def ready() -> None:
            if self._not_now(ready):
                return
            self._booting = False
            self._store.patch("Node", "", self.node, self._healthy, status=True, cause=cause)
            if unready:
                tell_ready()
                self._clock.after(AGAIN, again)
            self._keep()
            self.settle(cause)

        def again() -> None:
            """The next status is compared with what the kubelet's cache holds, which may be the one before."""
            tell_all()
            if late:
                tell_ready()

        def tell_ready() -> None:
            tell(node, "Normal", "NodeReady", f"Node {self.node} status is now: NodeReady", cause)

        def tell_all() -> None:
            """The first status knows no conditions, so each of them is told; and again where the API had others."""
            for reason in BOOT_EVENTS:
                tell(node, "Normal", reason, f"Node {self.node} status is now: {reason}", cause)

        self._clock.after(pause, report)

    def _not_now(self, report: Callable[[], None]) -> bool:
        """Whether there is nobody who could report, or nobody to report to; then it is done when there is."""
        if self._cut_off:
            self._at_last = report
        return self._cut_off or self._watch.stopped

    def _healthy(self, node: Object) -> Object:
        self._changed = self._clock.now, self._stream.uniform(6 + self._clock.now // SECOND)
        status = {**self._own, **node["status"]}
        conditions = self._conditions(self._clock.timestamp(), status.get("conditions"))
        boot_id = self._boot_id if self._rebooted else status["nodeInfo"]["bootID"]
        info = {**status["nodeInfo"], "bootID": boot_id}
        return {**node, "status": {**status, "conditions": conditions, "nodeInfo": info}}

    def _tell(self, node: Object, kind: str, reason: str, message: str, cause: Cause) -> None:
        self._events.event(node, kind, reason, message, cause=cause)

    # ---- heartbeats

    def last_renewal(self, at: int | None = None) -> int:
        """When the lease was last renewed, as of ``at`` (µs; default: now)."""
        now = self._clock.now if at is None else at
        if self._halted_at is not None:
            now = min(now, self._halted_at)
        return self._phase + (now - self._phase) // self._period * self._period

    def last_report(self) -> int:
        """When the status was last reported, changed or not, in µs (isUpdateStatusPeriodExpired, calculateDelay)."""
        now = self._clock.now if self._halted_at is None else min(self._clock.now, self._halted_at)
        since, delay = self._changed
        first = since + _ticks(int((0.5 + delay) * REPORT))
        return since if now < first else now - (now - first) % _ticks(REPORT)

    def shown(self, node: Object) -> Object:
        """The Node as who reads it sees it: with the time at which its kubelet has last reported."""
        heard = self._clock.timestamp(self.last_report())
        conditions = _conditions_of(node)
        if self._booting or all(c.get("lastHeartbeatTime", heard) >= heard for c in conditions):
            return node
        known = {kind for kind, *_ in HEALTHY}
        told = [
            {**c, "lastHeartbeatTime": max(c.get("lastHeartbeatTime") or "", heard)} if c["type"] in known else c
            for c in conditions
        ]
        return replace(node, "status.conditions", told)

    def settle(self, cause: Cause | None = None) -> None:
        """Bring the lease in the store up to date, for somebody who reads it."""
        if self._store.get("Lease", "kube-node-lease", self.node) is None:
            return
        renewed = self._clock.micro_timestamp(self.last_renewal())
        self._store.patch(
            "Lease", "kube-node-lease", self.node, lambda o: replace(o, "spec.renewTime", renewed), cause=cause
        )

    def _unlike(self, node: Object) -> bool:
        """Whether the node controller has given the node up, or somebody has emptied its status."""
        conditions = _conditions_of(node)
        lacks = not conditions or not self._own.keys() <= node["status"].keys()
        return lacks or any(c["status"] == "Unknown" for c in conditions)

    # ---- what others write

    def _on_node(self, event: WatchEvent) -> None:
        """The next status computation, up to 10 s later, tells of a cordon, and puts right what is not so."""
        if name(event.object) != self.node or event.type != "MODIFIED" or event.old is None:
            return
        if self._unlike(event.object) and not self._unlike(event.old):
            # One that was given up was so a moment before it was heard of again: the next status says that it is well.
            next_status = self._clock.now + -(self._clock.now - self._phase) % STATUS
            self._clock.at(next_status, lambda: self._post(event.cause))
        now, before = (bool(o["spec"].get("unschedulable")) for o in (event.object, event.old))
        if now == before:
            return
        computed = self._phase + ((self._clock.now - self._phase) // STATUS + 1) * STATUS
        reason = "NodeNotSchedulable" if now else "NodeSchedulable"
        cause = Cause(CORDONED, event.cause)
        message = f"Node {self.node} status is now: {reason}"
        self._clock.at(computed, lambda: self._tell(event.object, "Normal", reason, message, cause))


def _conditions_of(node: Object) -> list[Object]:
    return node["status"].get("conditions") or []


def _ticks(span: int) -> int:
    """A span of time until it is noticed that it is over (µs)."""
    return -(-span // TICK) * TICK
