"""A simulated cluster: the one place that knows all the others.

from selfheal import Cluster
cluster = Cluster(nodes=2, seed=7)
cluster.apply("pod.yaml")
cluster.run(until=120)
print(cluster.get("pods"))
cluster.timeline.plot()
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import simpy

from selfheal import apply, manifests, rollout
from selfheal.actions import perform
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, micros
from selfheal.controllers import start_controllers
from selfheal.controlplane import furnish
from selfheal.drain import Drain
from selfheal.errors import ApiError, BadRequest, NotFound
from selfheal.eviction import Eviction, believed_guard
from selfheal.faults import Fault, Faults
from selfheal.headlines import deed
from selfheal.informers import Informers
from selfheal.kinds import kind_info, kind_named
from selfheal.kubelet import Kubelet
from selfheal.kubelet.logs import instance
from selfheal.machine import Node, node_objects
from selfheal.metrics import usage
from selfheal.network import Network, Request, Response
from selfheal.objects import Object, key, name, namespace, ref, replace, terminating
from selfheal.programs.images import Image
from selfheal.proxy import ServiceProxy
from selfheal.rules import ACTION, BELIEFS, Cause, Rules
from selfheal.runtime import Container, Exec, Runtime
from selfheal.scenario import Action, Nodes, Scenario
from selfheal.scenario.nodes import BARE
from selfheal.scenario.selectors import selector as parse_selector
from selfheal.scheduler import Scheduler
from selfheal.spec import pod_spec
from selfheal.store import Store
from selfheal.timeline import Recorder
from selfheal.traffic import Traffic
from selfheal.views import ClusterTimeline, Objects
from selfheal.words import words

if TYPE_CHECKING:
    from selfheal.explain import Explanation

DEFAULT_NAMESPACE = "default"
SETTLING = 5 * SECOND
"""A cluster is made this long before second 0, so that everyone has heard of its nodes (µs)."""


class Cluster:
    """A small Kubernetes in simulated time.

    ``nodes``: how many, or Node objects. ``seed``: the same seed gives the same timeline,
    byte for byte. ``second``: the second of the minute at which it starts (default:
    drawn from the seed). ``belief``: a common wrong idea to try out
    (:data:`selfheal.rules.BELIEFS`). ``parking=False`` executes each tick of each probe, also those
    that cannot change anything: the same timeline, slower. ``since``: the Unix time in seconds at which it
    begins, instead of the usual morning, for those who lay its times beside a clock on the wall. ``stand_ins``: images
    by their full names that stand for others; they lie on every node. ``restored``: the objects of a cluster that was,
    and the version of its last write; its nodes are there as after a power cut, and ``nodes`` counts for nothing.
    ``signed``: what the store calls for each write (:attr:`selfheal.store.Store.signed`).
    """

    def __init__(
        self,
        nodes: int | Iterable[Object] = 1,
        *,
        seed: int = 0,
        second: float | None = None,
        belief: str | None = None,
        parking: bool = True,
        nodes_in_timeline: bool = False,
        since: int | None = None,
        stand_ins: Mapping[str, Image] | None = None,
        restored: tuple[list[Object], int] | None = None,
        signed: Callable[[Object, Object | None, Cause | None, str], Object] | None = None,
    ) -> None:
        self.seed = seed
        self.chance = Chance(seed)
        self.clock = _clock(self.chance, second, since)
        self.rules = _rules_of(belief)
        self.store = Store(self.clock, self.chance)
        self.store.signed = signed
        self.network = Network(self.clock)
        self.timeline = ClusterTimeline({"source": f"selfheal, seed {seed}", "scenario": "", "until": 0})
        self._recorder = Recorder(self.store, self.clock, self.timeline, nodes=nodes_in_timeline, start=0)
        self._parking = parking
        self._nodes: dict[str, Node] = {}
        self._stand_ins = stand_ins or {}
        self._traffic: dict[str, Traffic] = {}
        self.warnings: list[str] = []
        """What of the applied objects is kept but not simulated, and could change how they heal."""
        self._actions: dict[Cause, dict[str, Any]] = {}
        self.meant = Nodes()
        """The nodes that actions have named by a pod."""
        if restored is None:
            furnish(self.store)
        else:
            self.store.restore(*restored)
            nodes = self.store.list("Node")
        self.informers = Informers(self.store)
        self.proxy = ServiceProxy(self.store, self.network, self.chance)
        self.scheduler = Scheduler(self.store, self.informers, self.clock, self.chance)
        self.controllers = start_controllers(self.store, self.informers, self.clock, self.chance, self.rules)
        if self.rules.budgets_guard_deletion:
            self.store.guard = partial(believed_guard, self.store)
        self._faults = Faults(self.store, self.clock, self.network, self.node, lambda: self.nodes)
        self.store.usage = self._usage
        self.timeline.settle.append(self.settle)
        for node in node_objects(nodes):
            self.add_node(node)
        self.clock.run(0)

    @classmethod
    def of(cls, scenario: Scenario, **options: Any) -> Cluster:
        """The cluster that a scenario asks for, before anything is applied."""
        nodes = [o for o in scenario.manifests if o["kind"] == "Node"]
        return cls(
            nodes or scenario.nodes,
            seed=scenario.seed,
            second=scenario.second,
            belief=scenario.belief,
            nodes_in_timeline=any(concerns_nodes(a) for a in scenario.actions),
            **options,
        )

    # ---- nodes

    def add_node(self, node: Object) -> Node:
        """A machine joins the cluster: its kubelet registers it."""
        number = len(self._nodes) + 1
        cidr = (node.get("spec") or {}).get("podCIDR") or f"10.88.{number}.0/24"
        node = replace(node, "spec.podCIDR", cidr)
        address = f"10.88.0.{number}"
        runtime = Runtime(self.clock, self.chance, self.network, name(node), address, cidr)
        images = (node.get("status") or {}).get("images")
        if images is not None:
            runtime.images = {image_name: None for image in images for image_name in image.get("names") or ()}
        runtime.stand_ins = self._stand_ins
        runtime.on_report = self._on_report

        def make(boots: int, cause: Cause | None, *, rebooted: bool = True) -> Kubelet:
            made = Kubelet(
                self.clock,
                self.chance,
                self.store,
                self.network,
                runtime,
                node,
                self.rules,
                self._record,
                address=address,
                parking=self._parking,
                boots=boots,
                cause=cause,
                rebooted=rebooted,
            )
            self._faults.begun(made, cause)
            return made

        boots = int(self.store.get("Node", "", name(node)) is not None)
        made = self._nodes[name(node)] = Node(runtime, make, self.clock, self.chance, boots)
        return made

    def node(self, node_name: str) -> Node:
        """A node by name."""
        if node_name not in self._nodes:
            raise NotFound(f'nodes "{node_name}" not found')
        return self._nodes[node_name]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    # ---- time

    @property
    def now(self) -> float:
        """Seconds of cluster time."""
        return self.clock.seconds

    def run(
        self,
        until: float | simpy.Event | Callable[[], bool] | None = None,
        *,
        for_: float | None = None,
        limit: float = 3600,
    ) -> Cluster:
        """Let time pass: until a moment (seconds), for a while, until an event, or until a condition holds.

        With an event (``exec(…).finished``) or a condition, time stops where it came about; if it has not
        ``limit`` seconds from now, that raises TimeoutError.
        """
        if isinstance(until, simpy.Event):
            event = until
            return self.run(lambda: event.processed, limit=limit)
        if callable(until):
            if not until():
                self.clock.run(self.clock.now + micros(limit), until)
            if not until():
                raise TimeoutError(f"the condition did not come true within {limit:g} s")
        else:
            end = self.now + (for_ or 0) if until is None else float(until)
            if not end < 1e9:
                raise ValueError(f"until must be a number of seconds below 1e9, not {until!r}")
            self.clock.run(max(self.clock.now, micros(end)))
        self.timeline.header["until"] = max(self.timeline.header["until"], round(self.now, 3))
        return self

    # ---- the API, as kubectl uses it

    def apply(self, source: Any, *, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None) -> list[Object]:
        """Create or change objects from a path, a text, a dict or a list of dicts (kubectl apply).

        Raises :class:`selfheal.errors.ApiError` with the API server's own text; then nothing has changed.
        """
        wanted = [m.object for m in manifests.read(source)]
        changes = [self._change(obj, namespace) for obj in wanted]
        cause = cause or self._action("apply", ", ".join(ref(new) for new, _ in changes))
        for new, _ in changes:
            self._warn(new)
        made = []
        for obj, (new, old) in zip(wanted, changes, strict=True):
            if old is None and self.store.get(new["kind"], *key(new)) is not None:  # the same manifest a second time
                new, old = self._change(obj, namespace)
            if new["kind"] == "Node" and old is None:
                self.add_node(new)
                made.append(self.get("Node", name(new)))
            elif old is None:
                made.append(self.store.create(new, cause=cause))
            else:
                made.append(self.store.update(new, cause=cause))
        return made

    def _warn(self, obj: Object) -> None:
        """Name what of an object is kept but not simulated, once."""
        for path in manifests.not_simulated(obj):
            text = f"not simulated: {path} ({ref(obj)})"
            if text not in self.warnings:
                self.warnings.append(text)

    def _change(self, wanted: Object, namespace: str) -> tuple[Object, Object | None]:
        """(what the object shall be, what it is), checked as the API server checks it."""
        if "name" not in wanted["metadata"] and "generateName" in wanted["metadata"]:
            raise ApiError(f"from {wanted['metadata']['generateName']}: cannot use generate name with apply")
        if kind_info(wanted["kind"]).namespaced and not wanted["metadata"].get("namespace"):
            wanted = replace(wanted, "metadata.namespace", namespace)  # what kubectl sends has one, and remembers it
        first = manifests.admit(apply.annotated(wanted), namespace=namespace)
        old = self.store.get(first["kind"], *key(first))
        if old is None:
            return first, None
        spaced = replace(wanted, "metadata.namespace", old["metadata"].get("namespace"))
        new = manifests.default(apply.three_way(old, spaced))
        manifests.validate(new, old)
        return new, old

    def get(self, kind: str, name: str | None = None, *, namespace: str | None = DEFAULT_NAMESPACE) -> Any:
        """Objects of a kind (``"pods"``, ``"deploy"``, ``"Pod"``), or the one called ``name``, in wire form.

        Printed, they look as kubectl prints them.
        """
        known = kind_named(kind)
        if known is None:
            raise NotFound(f'the server doesn\'t have a resource type "{kind}"')
        found = kind_info(known)
        space = namespace if found.namespaced else ""
        self.settle()
        if name is None:
            shown = map(self.shown, self.store.list(known, space))
            return Objects(known, shown, self.clock.unix_seconds())
        obj = self.store.get(known, space or "", name)
        if obj is None:
            raise NotFound(f'{found.resource} "{name}" not found')
        return self.shown(obj)

    def shown(self, obj: Object) -> Object:
        """An object from the store as whoever asks for it is shown it."""
        node = self._nodes.get(name(obj)) if obj["kind"] == "Node" else None
        return obj if node is None else node.kubelet.node_status.shown(obj)

    def describe(self, what: str, *, namespace: str = DEFAULT_NAMESPACE) -> str:
        """``kubectl describe pod/web-0``."""
        from selfheal import printers

        kind, object_name = _split(what)
        return printers.describe(
            self.get(kind, object_name, namespace=namespace), self.store, self.clock.unix_seconds()
        )

    def delete(
        self, what: str, *, grace: int | None = None, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None
    ) -> None:
        """``kubectl delete pod/web-0``; ``grace=0`` forces it."""
        kind, object_name = _split(what)
        obj = self.get(kind, object_name, namespace=namespace)
        self.store.delete(obj["kind"], *key(obj), grace=grace, cause=cause or self._action("delete", what))

    def scale(
        self, what: str, replicas: int, *, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None
    ) -> None:
        """``kubectl scale deployment/web --replicas=5``."""
        kind, object_name = _split(what)
        obj = self.get(kind, object_name, namespace=namespace)
        changed = replace(obj, "spec.replicas", replicas)
        manifests.validate(changed, obj)
        self.store.update(changed, cause=cause or self._action("scale", {what: replicas}))

    def label(self, what: str, labels: str, *, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None) -> None:
        """``kubectl label pod/web-0 a=b c-``."""
        kind, object_name = _split(what)
        obj = self.get(kind, object_name, namespace=namespace)
        new = dict(obj["metadata"].get("labels") or {})
        for word in shlex.split(labels):
            if word.endswith("-"):
                new.pop(word[:-1], None)
            else:
                label, _, value = word.partition("=")
                new[label] = value
        self.store.update(
            replace(obj, "metadata.labels", new), cause=cause or self._action("label", f"{what} {labels}")
        )

    def cordon(self, node: str, *, on: bool = True, cause: Cause | None = None) -> None:
        """``kubectl cordon node-1``, or with ``on=False`` uncordon: whether new pods may come to the node."""
        obj = self.get("Node", node)
        verb = "cordon" if on else "uncordon"
        self.store.update(replace(obj, "spec.unschedulable", on or None), cause=cause or self._action(verb, node))

    def evict(
        self, pod: str, *, namespace: str = DEFAULT_NAMESPACE, grace: int | None = None, cause: Cause | None = None
    ) -> None:
        """Ask the API to delete a pod if its PodDisruptionBudget allows it. Raises TooManyRequests if not.

        It takes some milliseconds of cluster time.
        """
        self.get("Pod", pod, namespace=namespace)
        eviction = Eviction(self.store, self.clock, self.chance)
        cause = cause or self._action("evict", pod)
        process = self.clock.process(eviction.evict(namespace, pod, cause, grace=grace))
        self.clock.run(self.clock.now + micros(3600), lambda: process.triggered)
        if isinstance(process.value, ApiError):
            process.defused = True
            raise process.value

    def drain(
        self,
        node: str,
        *,
        selector: str | None = None,
        timeout: float = 0,
        cause: Cause | None = None,
        done: Callable[[str], object] = lambda _: None,
    ) -> None:
        """``kubectl drain node-1``: cordon it, evict its pods. Goes on by itself; ``done(text)`` when it is over."""
        Drain(
            self.store,
            self.clock,
            self.chance,
            node,
            selector=parse_selector(selector) if selector else None,
            timeout=timeout,
            cause=cause or self._action("drain", {"node": node}),
            done=done,
        )

    def restart(self, what: str, *, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None) -> str:
        """``kubectl rollout restart deployment/web``. Returns what kubectl prints."""
        kind, object_name = _split(what)
        owner = self.get(kind, object_name, namespace=namespace)
        cause = cause or self._action("rollout", {"restart": what})
        return rollout.restart(self.store, owner, self.clock.timestamp(), cause)

    def undo(self, what: str, *, namespace: str = DEFAULT_NAMESPACE, cause: Cause | None = None) -> str:
        """``kubectl rollout undo deployment/web``: back to the revision before. Returns what kubectl prints."""
        kind, object_name = _split(what)
        owner = self.get(kind, object_name, namespace=namespace)
        return rollout.undo(self.store, owner, cause or self._action("rollout", {"undo": what}))

    # ---- from outside the API

    def exec(
        self,
        pod: str,
        command: str | list[str],
        *,
        container: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        cause: Cause | None = None,
    ) -> Exec:
        """Run a command in a container (kubectl exec); ``output`` and ``exit_code`` are there once it is ``done``."""
        argv = shlex.split(command) if isinstance(command, str) else list(command)
        target = self.container(pod, container, namespace=namespace)
        cause = cause or self._action("exec", {"pod": pod, "command": argv})
        return self._runtime_of(pod, namespace).exec(target, argv, cause=cause)

    def kill(
        self,
        pod: str,
        *,
        container: str | None = None,
        signal: str = "KILL",
        namespace: str = DEFAULT_NAMESPACE,
        cause: Cause | None = None,
    ) -> None:
        """A signal from outside to process 1 of a container."""
        target = self.container(pod, container, namespace=namespace)
        cause = cause or self._action("kill", {"pod": pod, "signal": signal})
        self._runtime_of(pod, namespace).kill(target, signal, cause=cause)

    def http(
        self,
        pod: str,
        path: str = "/",
        *,
        port: int = 8080,
        method: str = "GET",
        namespace: str = DEFAULT_NAMESPACE,
        cause: Cause | None = None,
    ) -> Response | str:
        """A request to the pod's address; the response, or ``"refused"`` or ``"timeout"``."""
        obj = self.get("Pod", pod, namespace=namespace)
        ip = (obj["status"] or {}).get("podIP", "")
        cause = cause or self._action("http", {"pod": pod, "port": port, "path": path, "method": method})
        server = self.network.connect("client", ip, port)
        if isinstance(server, str):
            return server
        answer = server.http(Request(method, path, source="client", cause=cause))
        return answer if isinstance(answer, Response) else Response(0, delay=None)

    def fault(self, kind: str, target: str = "", *, for_: float | None = None, cause: Cause | None = None) -> Fault:
        """Something goes wrong (:mod:`selfheal.faults`): ``cluster.fault("partition", "node/node-1", for_=60)``.

        It lasts ``for_`` seconds, or until ``heal()`` of what is returned.
        """
        cause = cause or self._action("fault", {"kind": kind, "target": target, "for": for_})
        return self._faults.begin(kind, target, cause, seconds=for_)

    def container(self, pod: str, container: str | None = None, *, namespace: str = DEFAULT_NAMESPACE) -> Container:
        """The running container of a pod, as its runtime knows it."""
        obj = self.get("Pod", pod, namespace=namespace)
        wanted = container or pod_spec(obj).containers[0].name
        found = [
            c
            for c in self._runtime_of(pod, namespace).containers_of(obj["metadata"]["uid"])
            if c.name == wanted and c.state == "running"
        ]
        if not found:
            raise BadRequest(f'container {wanted} is not running in pod "{pod}"')
        return found[-1]

    def logs(self, pod: str, *, container: str | None = None, previous: bool = False) -> str:
        """``kubectl logs``. ``previous``: of the instance that ended last, also while the next one waits."""
        obj = self.get("Pod", pod)
        wanted = container or pod_spec(obj).containers[0].name
        found = instance(obj, wanted, self._runtime_of(pod), previous=previous)
        return found if isinstance(found, str) else _text(found)

    def traffic(self, service: str, rate: float, *, lag: float = 0, namespace: str = DEFAULT_NAMESPACE) -> Traffic:
        """Users send ``rate`` requests a second to a Service from now on; the timeline tells what became of them.

        ``lag``: seconds by which their way in hears later of a change of endpoints than kube-proxy, as load balancers
        outside of the cluster do.
        """
        old = self._traffic.pop(service, None)
        if old is not None:
            old.stop()
        made = self._traffic[service] = Traffic(
            self.clock,
            self.chance,
            self.store,
            self.network,
            self._record,
            (namespace, service),
            rate,
            lag=micros(lag),
            cause=Cause(
                ACTION, at=self.clock.now, what=words("deeds")["traffic"].format(rate=f"{rate:g}", service=service)
            ),
            why=lambda pod: self._last_change(namespace, pod),
        )
        return made

    # ---- scenarios

    def play(self, scenario: Scenario, until: float | None = None) -> Cluster:
        """Apply a scenario's manifests, do its actions in time, and run to its end."""
        from selfheal.actions import perform  # actions use the cluster, not the other way round

        self.timeline.header["scenario"] = scenario.name
        if scenario.second is not None:
            self.timeline.header["second"] = scenario.second
        begin = self.now
        objs = [o for o in scenario.manifests if o["kind"] != "Node"]
        if objs:
            self.apply(objs, cause=Cause(ACTION, at=self.clock.now, what=words("deeds")["manifests"]))
        for service, rate in scenario.traffic:
            self.traffic(service, rate)
        for action in scenario.actions:
            self.clock.at(micros(begin + action.at), partial(perform, self, action))
        return self.run(until=begin + (scenario.until if until is None else until))

    def act(self, action: Action) -> None:
        """Do one action now."""
        perform(self, action)

    def explain(self, record: Mapping[str, Any]) -> Explanation:
        """Why a record of the timeline came about."""
        from selfheal.explain import explain  # as with pictures: when somebody asks

        return explain(self.timeline, record)

    # ---- inner

    def _action(self, verb: str, args: Any) -> Cause:
        """Something done by the caller: a record and the beginning of a chain of causes."""
        return Cause(ACTION, at=self.clock.now, what=deed(verb, args))

    def record_action(self, verb: str, args: Any, result: str = "ok", *, pod: str | None = None) -> Cause:
        """An Action record; returns the cause it stands for. ``pod``: by which it named a node."""
        cause = self._action(verb, args)
        record = {"t": round(self.now, 3), "kind": "Action", "verb": verb, "args": args, "result": result}
        if pod is not None:
            record["pod"] = pod
        self._actions[cause] = self.timeline.append(record, cause)
        return cause

    def action_record(self, cause: Cause) -> dict[str, Any]:
        """The record that stands for an action's cause."""
        return self._actions[cause]

    def amend_action(self, cause: Cause, result: str) -> None:
        """What came of an action is known later than it was begun: its record says so."""
        self._actions[cause]["result"] = result

    def _record(self, record: dict[str, Any], cause: Cause | None) -> dict[str, Any]:
        return self.timeline.append(record, cause)

    def _on_report(self, container: Container, healthy: bool, text: str, cause: Cause | None) -> None:
        """The app in a container says how it is."""
        sandbox = container.sandbox
        self.timeline.append(
            {
                "t": round(self.now, 3),
                "kind": "App",
                "namespace": sandbox.namespace,
                "object": f"Pod/{sandbox.name}",
                "container": container.name,
                "healthy": healthy,
                "text": text,
            },
            cause,
        )

    def _last_change(self, namespace: str, pod: str) -> Cause | None:
        """Why a pod last changed, as the runtime of its node knows it."""
        obj = self.store.get("Pod", namespace, pod)
        if obj is None:
            return None
        found = self.node(obj["spec"]["nodeName"]).runtime.containers_of(obj["metadata"]["uid"])
        changes = [c.cause or c.changed_by or c.started_by for c in found[-1:]]
        return changes[0] if changes else None

    def _usage(self, pod: Object, resource: str) -> int | None:
        """What the metrics API says; nothing of a node without power."""
        node = self._nodes.get(pod["spec"].get("nodeName", ""))
        if node is None or not node.powered:
            return None
        return usage(pod, resource, node.runtime, self._traffic.values(), self.clock.now)

    def settle(self) -> None:
        """Work out what parked parts would have counted by now."""
        for node in self._nodes.values():
            node.kubelet.prober.settle()
            if not self.store.down:
                node.kubelet.node_status.settle()
        for traffic in self._traffic.values():
            traffic.settle(self.clock.now)

    def _runtime_of(self, pod: str, namespace: str = DEFAULT_NAMESPACE) -> Runtime:
        obj = self.get("Pod", pod, namespace=namespace)
        node_name = obj["spec"].get("nodeName")
        if not node_name:
            raise BadRequest(f"pod {pod} does not have a host assigned")
        return self.node(node_name).runtime


def concerns_nodes(action: Action) -> bool:
    """Whether an action is about a node, so that nodes are worth a record."""
    if action.verb in BARE:
        return True
    if not isinstance(action.args, dict):
        return False
    target = action.args.get("target", "")
    return "node" in action.args or (target.startswith("node/") if isinstance(target, str) else "node" in target)


def _rules_of(belief: str | None) -> Rules:
    if belief is None:
        return Rules()
    if belief not in BELIEFS:
        raise ApiError(f'no belief "{belief}"; there are {", ".join(BELIEFS)}')
    return BELIEFS[belief].rules


def _clock(chance: Chance, second: float | None, since: int | None = None) -> Clock:
    """The cluster's clock; the second of the minute and its fraction are drawn where they are not given."""
    start = chance.stream("cluster", "start")
    phase = start.between(1, 0, SECOND)
    if since is not None:
        return Clock(since % 60, phase, -SETTLING, minute=since - since % 60)
    if second is None:
        return Clock(start.between(0, 0, 60), phase, -SETTLING)
    whole, fraction = divmod(micros(second), SECOND)
    return Clock(whole, fraction or phase, -SETTLING)


def _split(what: str) -> tuple[str, str]:
    kind, _, object_name = what.partition("/")
    if not object_name:
        raise BadRequest(f'"{what}" does not name an object; write KIND/NAME, for instance pod/web-0')
    return kind, object_name


def _text(container: Container) -> str:
    return "".join(line + "\n" for _, line in container.log)


__all__ = ["Cluster", "Objects", "namespace", "terminating"]
