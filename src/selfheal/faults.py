"""What can be done to a cluster from outside, beyond what its API offers.

Each fault begins a chain of causes, lasts until it is healed (``for`` some seconds, or for ever), and then leaves
nothing behind but its consequences. Whatever follows is the cluster's own doing.

| fault | target | what it does |
| --- | --- | --- |
| ``crash`` | pod | the app ends with exit code 1; with ``for``, each new instance in that time does so after a second |
| ``hang`` | pod | the app accepts connections and answers nothing (it is frozen) |
| ``slow`` | pod | every answer comes two seconds later than it would |
| ``leak`` | pod | the app takes more memory each second, and meets its limit after twenty |
| ``partition`` | node | the node cannot reach the API server, nor the API server the node; pods and their clients can |
| ``partition`` | pod | nobody but its own node can reach the pod: its kubelet finds it well, its clients do not |
| ``loseHeartbeats`` | node | neither the lease nor the node's status gets through; all else does |
| ``apiDown`` | – | the API server does not answer anybody |
| ``slowPull`` | registry | an image pull takes thirty seconds longer |
| ``refusePull`` | registry | the registry refuses connections |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from selfheal.clock import SECOND, Clock, Timer, micros
from selfheal.errors import BadRequest
from selfheal.kubelet import Kubelet
from selfheal.network import Network
from selfheal.objects import Object, name, namespace, uid
from selfheal.rules import Cause, rule
from selfheal.runtime import Container, Runtime
from selfheal.store import Store
from selfheal.watches import WatchEvent

SLOWER = 2 * SECOND
"""How much later an answer of a slow app comes, in µs."""
FULL = 20
"""A leak fills the memory that is left in so many seconds."""
SLOWER_PULL = 30 * SECOND
"""How much longer a slow pull takes, in µs."""
AGAIN = 1 * SECOND
"""How long an app lives that crashes again and again, in µs."""

KINDS = ("crash", "hang", "slow", "leak", "partition", "loseHeartbeats", "apiDown", "slowPull", "refusePull")

HEALED = rule("fault.healed", "", "")


class Machine(Protocol):
    """What a fault needs to know of a node."""

    name: str
    kubelet: Kubelet
    runtime: Runtime
    powered: bool


class Fault:
    """Something that is wrong, until :meth:`heal`."""

    def __init__(self, kind: str, target: str, cause: Cause, over: Callable[[Cause], object]) -> None:
        self.kind = kind
        self.target = target
        self.cause = cause
        self.healed = False
        self._over = over

    def heal(self, cause: Cause | None = None) -> None:
        """It is over. A second time does nothing."""
        if not self.healed:
            self.healed = True
            self._over(cause or Cause(HEALED, self.cause, what=f"{self.kind} {self.target}".rstrip() + "."))


class Faults:
    """All faults of one cluster."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        network: Network,
        machine: Callable[[str], Machine],
        machines: Callable[[], Iterable[Machine]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._network = network
        self._machine = machine
        self._machines = machines
        self._lasting: dict[tuple[str, str], int] = {}
        """(what, whom) → how many faults do that now. It is over when the last of them is."""
        self._kinds: dict[str, Callable[[str, Cause], Callable[[Cause], object]]] = {
            "crash": lambda target, cause: self._crash(target, cause, lasting=False),
            "crash on": lambda target, cause: self._crash(target, cause, lasting=True),
            "hang": self._hang,
            "slow": self._slow,
            "leak": self._leak,
            "partition": self._partition,
            "loseHeartbeats": self._lose_heartbeats,
            "apiDown": self._api_down,
            "slowPull": self._slow_pull,
            "refusePull": self._refuse_pull,
        }

    def begin(self, kind: str, target: str, cause: Cause, *, seconds: float | None = None) -> Fault:
        """Do something to ``target`` (``pod/web-0``, ``node/node-1``, a registry's host), for so many seconds.

        Raises BadRequest if that cannot be done, or NotFound.
        """
        if kind not in KINDS:
            raise BadRequest(f"unknown fault {kind}: there are {', '.join(KINDS)}")
        begin = self._kinds["crash on" if kind == "crash" and seconds is not None else kind]
        fault = Fault(kind, target, cause, begin(target, cause))
        if seconds is not None:
            self._clock.after(micros(seconds), fault.heal)
        return fault

    # ---- apps

    def _crash(self, target: str, cause: Cause, *, lasting: bool) -> Callable[[Cause], object]:
        pod, first = self._container(target)
        timers: list[Timer] = []
        on = [lasting]

        def crash(container: Container) -> None:
            process = container.kernel.processes.get(1)
            if container.running and process is not None and (on[0] or container is first):
                container.kernel.end(process, 1, cause)

        def changed(event: WatchEvent) -> None:
            """A new instance runs: it will not live long."""
            if uid(event.object) != uid(pod) or event.type == "DELETED":
                return
            found = self._running(event.object, first.name)
            if found is not None and found is not first and found.id not in known:
                known[found.id] = None
                timers.append(self._clock.after(AGAIN, lambda: crash(found)))

        known: dict[str, None] = {}
        watch = self._store.watch("Pod", changed)
        crash(first)

        def over(_: Cause) -> None:
            on[0] = False
            watch.stop()
            for timer in timers:
                timer.cancel()

        return over

    def _hang(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        pod, container = self._container(target)
        runtime = self._runtime(pod)
        return self._during(
            ("hang", container.id),
            lambda: runtime.hang(container, cause=cause),
            lambda why: runtime.hang(container, False, why) if container.running else None,
        )

    def _slow(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        pod, container = self._container(target)
        runtime = self._runtime(pod)
        return self._during(
            ("slow", container.id),
            lambda: runtime.slow(container, SLOWER, cause),
            lambda why: runtime.slow(container, 0, why) if container.running else None,
        )

    def _leak(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        pod, container = self._container(target)
        kernel = container.kernel
        if kernel.memory_limit is None:
            raise BadRequest(
                f"container {container.name} of {target} has no memory limit, so nothing would end the leak"
            )
        self._runtime(pod).leak(container, max(1, (kernel.memory_limit - kernel.memory) // FULL), cause)
        return lambda _: None

    # ---- networks

    def _partition(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        kind, _, called = target.partition("/")
        if kind == "pod":
            ip = (self._pod(called).get("status") or {}).get("podIP")
            if not ip:
                raise BadRequest(f"pod {called} has no address yet")
            return self._during(("cut", ip), lambda: self._network.cut(ip), lambda _: self._network.cut(ip, on=False))
        if kind != "node":
            raise BadRequest("partition needs a target: node/NAME or pod/NAME")
        self._machine(called)
        return self._cut_off(called, cause)

    def _cut_off(self, node: str, cause: Cause) -> Callable[[Cause], object]:
        def join(why: Cause) -> None:
            self._machine(node).kubelet.reconnect(why)  # whichever kubelet runs there by then

        over = self._during(("cut off", node), self._machine(node).kubelet.disconnect, join)
        beat = self._silence(node, cause)

        def both(why: Cause) -> None:
            over(why)
            beat(why)

        return both

    def _lose_heartbeats(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        kind, _, called = target.partition("/")
        if kind != "node":
            raise BadRequest("loseHeartbeats needs a target: node/NAME")
        self._machine(called)
        return self._silence(called, cause)

    def _silence(self, node: str, cause: Cause) -> Callable[[Cause], object]:
        def beat(why: Cause) -> None:
            self._machine(node).kubelet.node_status.reconnect(why)

        return self._during(("silent", node), lambda: self._machine(node).kubelet.node_status.disconnect(cause), beat)

    def begun(self, kubelet: Kubelet, cause: Cause | None) -> None:
        """A kubelet begins on a node that may be cut off from the API server."""
        if self._lasting.get(("cut off", kubelet.node)):
            kubelet.disconnect()
        if self._lasting.get(("silent", kubelet.node)):
            kubelet.node_status.disconnect(cause)

    def _api_down(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        del target
        joins = [self._cut_off(machine.name, cause) for machine in self._machines()]
        start = self._during(("down", ""), self._store.stop, lambda _: self._store.start())

        def over(why: Cause) -> None:
            start(why)
            for join in joins:
                join(why)

        return over

    # ---- registries

    def _slow_pull(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        del cause
        return self._registry(target, SLOWER_PULL)

    def _refuse_pull(self, target: str, cause: Cause) -> Callable[[Cause], object]:
        del cause
        return self._registry(target, None)

    def _registry(self, host: str, wrong: int | None) -> Callable[[Cause], object]:
        host = host.partition(":")[0] or "docker.io"
        registries = self._network.registries
        return self._during(
            ("registry", host), lambda: registries.update({host: wrong}), lambda _: registries.pop(host, None)
        )

    # ---- more than one at a time

    def _during(
        self, what: tuple[str, str], begin: Callable[[], object], end: Callable[[Cause], object]
    ) -> Callable[[Cause], object]:
        """Begin something, and give what ends it: it is over when all faults that do the same are."""
        self._lasting[what] = self._lasting.get(what, 0) + 1
        begin()

        def over(why: Cause) -> None:
            self._lasting[what] -= 1
            if not self._lasting[what]:
                del self._lasting[what]
                end(why)

        return over

    # ---- finding the target

    def _pod(self, called: str) -> Object:
        space, slash, rest = called.partition("/")
        found = self._store.get("Pod", *((space, rest) if slash else ("default", called)))
        if found is None:
            raise BadRequest(f'pods "{called}" not found')
        return found

    def _container(self, target: str) -> tuple[Object, Container]:
        """A pod and its first container, which must run."""
        kind, _, called = target.partition("/")
        if kind != "pod":
            raise BadRequest("this fault needs a target: pod/NAME")
        pod = self._pod(called)
        wanted = pod["spec"]["containers"][0]["name"]
        container = self._running(pod, wanted)
        if container is None:
            raise BadRequest(f"container {wanted} is not running in pod {namespace(pod)}/{name(pod)}")
        return pod, container

    def _running(self, pod: Object, wanted: str) -> Container | None:
        if not pod["spec"].get("nodeName"):
            return None
        found = [c for c in self._runtime(pod).containers_of(uid(pod)) if c.name == wanted and c.running]
        return found[-1] if found else None

    def _runtime(self, pod: Object) -> Runtime:
        return self._machine(pod["spec"]["nodeName"]).runtime
