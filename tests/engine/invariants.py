"""What must hold in every cluster at every moment, whoever does whatever to it.

Three sorts: of a *write* (what may follow what), of a *moment* (what must be true between any two events), and of
*rest* (what must be true once nothing about the matter has changed for a while). Each is a function that says in words
what is wrong. Those that records alone can prove stand in timeline.validators.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from selfheal import Cluster
from selfheal.clock import MILLISECOND, SECOND
from selfheal.controllers.deployment.arithmetic import max_surge, max_unavailable
from selfheal.objects import (
    Key,
    Object,
    condition_true,
    controller_of,
    key,
    labels,
    matches_map,
    name,
    namespace,
    ref,
    terminating,
    uid,
)
from selfheal.spec import pod_spec
from selfheal.watches import WatchEvent

Id = tuple[str, str, str]
"""(kind, namespace, name)"""

BEHIND = 200 * MILLISECOND
"""How far what a controller has seen may lie in the past (µs)."""
LAG = 2 * SECOND
"""A change and all that follows from it at once (µs)."""
CLEANED = 15 * SECOND
"""After so long nothing may be left of a pod that is gone (µs)."""
STUCK = 20 * SECOND
"""So long past the end of its grace period a pod may be there, on a node that works (µs)."""
BACK_OFFS = tuple(seconds * SECOND for seconds in (10, 20, 40, 80, 160, 300))

TERMINAL = ("Succeeded", "Failed")
ORDER = {"Pending": 0, "Running": 1, "Succeeded": 2, "Failed": 2}
SLICE_OF = "kubernetes.io/service-name"

Says = Iterator[str]


class Observer:
    """Sees each write of a cluster as it is made, and remembers what the invariants ask for."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.problems: list[str] = []
        self.touched: dict[Id, int] = {}
        """When an object was last written (µs), also once it is gone."""
        self.kind_touched: dict[str, int] = {}
        self.gone: dict[str, tuple[Object, int]] = {}
        """Pods that are gone, by uid, and since when (µs)."""
        self.orphans: dict[str, int] = {}
        """Since when an object's owner is gone, by the owner's uid (µs)."""
        self.node_up: dict[str, int] = {}
        """Since when a node has been as it is: power, boots, partitions; may lie in the future (µs)."""
        self.api_up = -(10**12)
        """Since when the API server has answered; may lie in the future (µs)."""
        self.log: list[WatchEvent] = []
        self.snapshots: list[tuple[int, dict[Id, Object]]] = []
        self.forced: set[str] = set()
        """Pods that somebody deleted by force: their containers may live on beside a successor's."""
        self._texts: list[tuple[Object, str]] = []
        self._checked = 0
        cluster.store.watch(None, self._written, immediate=True)
        for node in cluster.nodes:
            self.node_up[node.name] = cluster.clock.now

    # ---- what has happened

    def _written(self, event: WatchEvent) -> None:
        obj, now = event.object, self.cluster.clock.now
        self.log.append(event)
        self.touched[ident(obj)] = self.kind_touched[obj["kind"]] = now
        self._texts.append((obj, json.dumps(obj, sort_keys=True)))
        if event.type == "DELETED":
            self.orphans[uid(obj)] = now
            if obj["kind"] == "Pod":
                self.gone[uid(obj)] = (obj, now)
        for called, check in WRITES.items():
            self.problems += [f"{called}: {problem}" for problem in check(self, event)]

    def cut_off(self, seconds: int, node: str | None = None) -> None:
        """From now on, for so many seconds, a node and the API server cannot reach each other (None: nobody can)."""
        until = self.cluster.clock.now + seconds * SECOND
        for cut in [node] if node else [n.name for n in self.cluster.nodes]:
            self.node_up[cut] = max(self.node_up[cut], until)
        if node is None:
            self.api_up = max(self.api_up, until)

    def since(self, obj: Object) -> int:
        """How long an object has not been written, though it could be (µs)."""
        return self.cluster.clock.now - max(self.api_up, self.touched.get(ident(obj), -(10**12)))

    def quiet(self, *kinds: str, for_: int = LAG) -> bool:
        """Whether nobody has written an object of these kinds for a while, though it could be done."""
        last = [self.kind_touched.get(kind, -(10**12)) for kind in kinds]
        return self.cluster.clock.now - max(self.api_up, *last) >= for_

    def works(self, node: str) -> bool:
        """Whether a node has been up for long enough to have done all it should."""
        found = next((n for n in self.cluster.nodes if n.name == node), None)
        return found is not None and found.powered and self.cluster.clock.now - self.node_up[node] > 30 * SECOND

    def snapshot(self) -> None:
        """Remember the state of all objects, for the replay of a watch."""
        objects = {ident(o): o for kind in self.cluster.store.kinds() for o in self.cluster.store.list(kind)}
        self.snapshots.append((self.cluster.store.version, objects))

    # ---- judging

    def check(self) -> None:
        """Everything that must hold now; AssertionError with all that does not."""
        found, self.problems = self.problems, []
        for called, check in {**MOMENTS, **REST}.items():
            found += [f"{called}: {problem}" for problem in check(self)]
        found += [f"nothing_is_changed_in_place: {problem}" for problem in self._changed_in_place(self._checked)]
        self._checked = max(0, len(self._texts) - 200)
        now = self.cluster.now
        assert not found, f"at {now:.3f} s:\n" + "\n".join(found[:12])

    def _changed_in_place(self, begin: int = 0) -> Says:
        """Objects are never mutated: each is still what it was when it was written."""
        for obj, text in self._texts[begin:]:
            if json.dumps(obj, sort_keys=True) != text:
                yield f"{ref(obj)} was changed in place: {text} → {json.dumps(obj, sort_keys=True)}"


OfWrite = Callable[[Observer, WatchEvent], Says]
OfMoment = Callable[[Observer], Says]
WRITES: dict[str, OfWrite] = {}
MOMENTS: dict[str, OfMoment] = {}
REST: dict[str, OfMoment] = {}


def of_write(check: OfWrite) -> OfWrite:
    WRITES[check.__name__] = check
    return check


def of_moment(check: OfMoment) -> OfMoment:
    MOMENTS[check.__name__] = check
    return check


def of_rest(check: OfMoment) -> OfMoment:
    REST[check.__name__] = check
    return check


def ident(obj: Object) -> Id:
    return obj["kind"], *key(obj)


def statuses(pod: Object) -> list[Object]:
    """The statuses of all containers of a pod."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def node_of(pod: Object) -> str:
    return str(pod["spec"].get("nodeName") or "")


# ---- of a write


@of_write
def versions_grow(_: Observer, event: WatchEvent) -> Says:
    """Each write has a resourceVersion above all before it (etcd's revision)."""
    new = int(event.object["metadata"]["resourceVersion"])
    old = int(event.old["metadata"]["resourceVersion"]) if event.old is not None else 0
    if new != event.version or new <= old:
        yield f"{ref(event.object)}: version {new} after {old}, told as {event.version}"


@of_write
def an_object_keeps_its_identity(_: Observer, event: WatchEvent) -> Says:
    """uid and creationTimestamp are for ever; a deletion that has begun is never taken back, only shortened."""
    if event.old is None:
        return
    new, old = event.object["metadata"], event.old["metadata"]
    for field in ("uid", "creationTimestamp"):
        if new[field] != old[field]:
            yield f"{ref(event.object)}: {field} {old[field]} → {new[field]}"
    before = old.get("deletionTimestamp")
    if before is not None and not (new.get("deletionTimestamp") and new["deletionTimestamp"] <= before):
        yield f"{ref(event.object)}: deletionTimestamp {before} → {new.get('deletionTimestamp')}"


@of_write
def generations_follow_the_spec(_: Observer, event: WatchEvent) -> Says:
    """generation rises by one with the spec (or a deletion's begin), and nobody has observed what was not yet."""
    new, old = event.object, event.old
    generation = new["metadata"].get("generation")
    if generation is None:
        return
    status = new.get("status") or {}
    observed = status.get("observedGeneration", 0)
    if observed > generation:
        yield f"{ref(new)}: observed generation {observed} of {generation}"
    if old is None or event.type == "DELETED":
        return
    rise = generation - old["metadata"]["generation"]
    if rise not in (0, 1):
        yield f"{ref(new)}: generation rose by {rise}"
    if not rise and new["kind"] != "Pod" and new.get("spec") != old.get("spec"):
        yield f"{ref(new)}: the spec changed, the generation did not"
    if observed < (old.get("status") or {}).get("observedGeneration", 0):
        yield f"{ref(new)}: the observed generation fell to {observed}"


@of_write
def a_transition_time_moves_with_its_status(observer: Observer, event: WatchEvent) -> Says:
    """A condition's lastTransitionTime changes when its status does; no type stands twice.

    A kubelet that was cut off tells how things are now, and leaves out how they were meanwhile.
    """
    new = (event.object.get("status") or {}).get("conditions") or ()
    for kind, times in Counter(c["type"] for c in new).items():
        if times > 1:
            yield f"{ref(event.object)}: condition {kind} stands {times} times"
    if event.object["kind"] == "Pod" and not observer.works(node_of(event.object)):
        return
    before = {c["type"]: c for c in (((event.old or {}).get("status") or {}).get("conditions") or ())}
    for c in new:
        old = before.get(c["type"])
        if old is None or "lastTransitionTime" not in c or "lastTransitionTime" not in old:
            continue
        moved = c["lastTransitionTime"] != old["lastTransitionTime"]
        if moved and c["status"] == old["status"]:
            yield f"{ref(event.object)}: {c['type']} is {c['status']} as before, but since {c['lastTransitionTime']}"
        if c["lastTransitionTime"] < old["lastTransitionTime"]:
            yield f"{ref(event.object)}: {c['type']} changed before its last change"


@of_write
def phases_never_go_back(_: Observer, event: WatchEvent) -> Says:
    """Pending, Running, then Succeeded or Failed for ever; Pending again only while init containers run again."""
    if event.object["kind"] == "Pod" and event.old is not None:
        new, old = phase(event.object), phase(event.old)
        inits = event.object["status"].get("initContainerStatuses") or ()
        if (old, new) == ("Running", "Pending") and any(not s["ready"] for s in inits):
            return
        if ORDER[new] < ORDER[old] or (ORDER[old] == 2 and new != old):
            yield f"{ref(event.object)}: {old} → {new}"


@of_write
def restart_counts_never_fall(_: Observer, event: WatchEvent) -> Says:
    """A pod's containers count their restarts up, one by one as a kubelet sees them."""
    if event.object["kind"] == "Pod" and event.old is not None:
        before = {s["name"]: s["restartCount"] for s in statuses(event.old)}
        for s in statuses(event.object):
            if s["restartCount"] < before.get(s["name"], 0):
                yield f"{ref(event.object)}: {s['name']} {before[s['name']]} → {s['restartCount']} restarts"


@of_write
def a_pod_stays_on_its_node(_: Observer, event: WatchEvent) -> Says:
    """Once bound, always bound to the same node."""
    before = node_of(event.old) if event.object["kind"] == "Pod" and event.old is not None else ""
    if before and node_of(event.object) != before:
        yield f"{ref(event.object)}: {before} → {node_of(event.object)}"


@of_write
def only_bound_pods_run(_: Observer, event: WatchEvent) -> Says:
    """Container statuses and addresses come from a kubelet, and a kubelet only has bound pods."""
    pod = event.object
    if pod["kind"] == "Pod" and not node_of(pod) and (statuses(pod) or pod["status"].get("podIP")):
        yield f"{ref(pod)} runs nowhere"


@of_write
def a_container_is_in_one_state(_: Observer, event: WatchEvent) -> Says:
    """Waiting, running or terminated; ready and started only if it can be; names as in the spec, each once."""
    pod = event.object
    if pod["kind"] != "Pod":
        return
    for s in statuses(pod):
        if len(s["state"]) != 1:
            yield f"{ref(pod)}: {s['name']} is {', '.join(s['state']) or 'nothing'}"
        if s["ready"] and "waiting" in s["state"]:
            yield f"{ref(pod)}: {s['name']} is ready while it waits"
    listed = [s["name"] for s in pod["status"].get("containerStatuses") or ()]
    if listed and sorted(listed) != sorted(c["name"] for c in pod["spec"]["containers"]):
        yield f"{ref(pod)} has statuses of {listed}"


@of_write
def ready_is_what_its_definition_says(observer: Observer, event: WatchEvent) -> Says:
    """ContainersReady ⇔ every container is ready; Ready ⇒ that and every gate (status/generate.go).

    The other way round Ready may be False where the node controller said so, or a gate has just been set.
    """
    pod = event.object
    if pod["kind"] != "Pod" or not statuses(pod) or phase(pod) in TERMINAL:
        return
    spec = pod_spec(pod)
    ready = {s["name"]: s["ready"] for s in statuses(pod)}
    wanted = [c.name for c in (*spec.containers, *(c for c in spec.init_containers if c.restartable_init))]
    every = all(ready.get(called) for called in wanted)
    if condition_true(pod, "ContainersReady") != every:
        yield f"{ref(pod)}: ContainersReady is {condition_true(pod, 'ContainersReady')}, its containers: {ready}"
    gates = all(condition_true(pod, gate) for gate in spec.readiness_gates)
    if condition_true(pod, "Ready") and not (every and gates):
        yield f"{ref(pod)} is Ready, its containers: {ready}, gates {gates}"
    if every and gates and not condition_true(pod, "Ready") and observer.works(node_of(pod)):
        node = observer.cluster.store.get("Node", "", node_of(pod))
        if not spec.readiness_gates and node is not None and condition_true(node, "Ready"):
            yield f"{ref(pod)} is not Ready, though all its containers are"


@of_write
def an_event_counts_up(_: Observer, event: WatchEvent) -> Says:
    """A repeated Event's count rises."""
    if event.object["kind"] == "Event" and event.type == "MODIFIED" and event.old is not None:
        new, old = (e.get("count") or 0 for e in (event.object, event.old))
        if new < old:
            yield f"{name(event.object)} counts {new} after {old}"


@of_write
def nobody_is_bound_to_a_cordoned_node(observer: Observer, event: WatchEvent) -> Says:
    """The scheduler leaves out unschedulable nodes (nodeunschedulable), but for pods that tolerate it."""
    pod, old = event.object, event.old
    if pod["kind"] != "Pod" or not node_of(pod) or old is None or node_of(old):
        return
    node = observer.cluster.store.get("Node", "", node_of(pod))
    if node is None or not node["spec"].get("unschedulable") or observer.since(node) < BEHIND:
        return
    keys = [t.get("key") for t in pod["spec"].get("tolerations") or ()]
    if "node.kubernetes.io/unschedulable" not in keys:
        yield f"{ref(pod)} was bound to {name(node)}, which is cordoned"


@of_write
def a_rollout_takes_no_more_than_it_may(observer: Observer, event: WatchEvent) -> Says:
    """A Deployment's step leaves replicas - maxUnavailable available pods, and makes at most maxSurge more.

    (pkg/controller/deployment/rolling.go.) Looked at when its controller shrinks a ReplicaSet while the Deployment's
    own number stays, and when nothing it looked at has just changed.
    """
    rs, old = event.object, event.old
    if rs["kind"] != "ReplicaSet" or old is None or event.type != "MODIFIED" or rs["spec"] == old["spec"]:
        return
    owner = controller_of(rs)
    deployment = owner and observer.cluster.store.get("Deployment", namespace(rs), owner["name"])
    if not deployment or uid(deployment) != owner["uid"] or observer.since(deployment) < BEHIND:  # type: ignore[index]
        return
    if deployment["spec"].get("strategy", {}).get("type") != "RollingUpdate" or deployment["spec"].get("paused"):
        return
    if (deployment.get("status") or {}).get("observedGeneration") != deployment["metadata"]["generation"]:
        return
    sets = [
        s
        for s in observer.cluster.store.list("ReplicaSet", namespace(rs))
        if (controller_of(s) or {}).get("uid") == uid(deployment)
    ]
    if any(uid(s) != uid(rs) and observer.since(s) < BEHIND for s in sets):
        return
    wanted = deployment["spec"]["replicas"]
    total = sum(s["spec"]["replicas"] for s in sets)
    if rs["spec"]["replicas"] > old["spec"]["replicas"]:
        if total > wanted + max_surge(deployment):
            yield f"{ref(deployment)}: {total} pods of {wanted}, surge {max_surge(deployment)}"
        return
    least = wanted - max_unavailable(deployment)
    have = sum((s.get("status") or {}).get("availableReplicas", 0) for s in sets)
    left = sum(min(s["spec"]["replicas"], (s.get("status") or {}).get("availableReplicas", 0)) for s in sets)
    if left < min(have, least):
        yield f"{ref(deployment)}: {ref(rs)} shrinks to {rs['spec']['replicas']}, {left} of {have} available stay"


@of_write
def a_stateful_set_goes_in_order(observer: Observer, event: WatchEvent) -> Says:
    """OrderedReady: number n is made when all before it are there and Ready (stateful_set_control.go)."""
    pod = event.object
    owner = controller_of(pod) if event.type == "ADDED" and pod["kind"] == "Pod" else None
    if owner is None or owner["kind"] != "StatefulSet":
        return
    owning = observer.cluster.store.get("StatefulSet", namespace(pod), owner["name"])
    if owning is None or owning["spec"].get("podManagementPolicy") == "Parallel":
        return
    for n in range(int(name(pod).rpartition("-")[2])):
        before = observer.cluster.store.get("Pod", namespace(pod), f"{owner['name']}-{n}")
        if before is None:
            lost = observer.touched.get(("Pod", namespace(pod), f"{owner['name']}-{n}"), -(10**12))
            if observer.cluster.clock.now - lost >= BEHIND:
                yield f"{ref(pod)} comes before {owner['name']}-{n}"
        elif not condition_true(before, "Ready") and observer.since(before) >= BEHIND:
            yield f"{ref(pod)} comes before {name(before)} is Ready"


@of_write
def a_job_counts_up(_: Observer, event: WatchEvent) -> Says:
    """succeeded and failed never fall; what has finished stays finished."""
    job, old = event.object, event.old
    if job["kind"] != "Job" or old is None:
        return
    new_status, old_status = job.get("status") or {}, old.get("status") or {}
    for field in ("succeeded", "failed"):
        if new_status.get(field, 0) < old_status.get(field, 0):
            yield f"{ref(job)}: {field} {old_status[field]} → {new_status.get(field, 0)}"
    for kind in ("Complete", "Failed"):
        if condition_true(old, kind) and not condition_true(job, kind):
            yield f"{ref(job)} was {kind} and is not any more"
    if condition_true(job, "Complete") and condition_true(job, "Failed"):
        yield f"{ref(job)} is Complete and Failed"


@of_write
def no_count_is_negative(_: Observer, event: WatchEvent) -> Says:
    """Whatever a status counts, there are not fewer than none; there are no more ready than there are."""
    status = event.object.get("status") or {}
    for field, value in status.items():
        if isinstance(value, int) and not isinstance(value, bool) and value < 0:
            yield f"{ref(event.object)}: {field} is {value}"
    if event.object["kind"] in ("ReplicaSet", "Deployment", "StatefulSet"):
        counts = [status.get(f, 0) for f in ("replicas", "readyReplicas", "availableReplicas")]
        if counts != sorted(counts, reverse=True):
            yield f"{ref(event.object)}: replicas, ready, available are {counts}"


# ---- of a moment


@of_moment
def a_replayed_watch_is_the_list(observer: Observer) -> Says:
    """What there was at a version, and all writes since: what there is now."""
    store = observer.cluster.store
    for version, objects in observer.snapshots[-3:]:
        replayed = dict(objects)

        def replay(event: WatchEvent, into: dict[Id, Object] = replayed) -> None:
            if event.type == "DELETED":
                into.pop(ident(event.object), None)
            else:
                into[ident(event.object)] = event.object

        store.watch(None, replay, since=version, immediate=True).stop()
        now = {ident(o): o for kind in store.kinds() for o in store.list(kind)}
        for where in sorted({*now, *replayed}):
            if where[0] != "Event" and now.get(where) != replayed.get(where):
                yield f"{where} since {version} differs: {replayed.get(where)} / {now.get(where)}"


@of_moment
def a_container_runs_where_its_pod_is_bound(observer: Observer) -> Says:
    """No pod runs on two nodes, or on another than its own; no two instances of one container run at once."""
    running: dict[tuple[str, str], str] = {}
    for node in observer.cluster.nodes:
        for pod_uid, sandbox in node.runtime.sandboxes.items():
            for c in sandbox.containers:
                if c.state != "running":
                    continue
                if (pod_uid, c.name) in running:
                    yield f"{sandbox.name}: {c.name} runs twice, on {running[pod_uid, c.name]} and {node.name}"
                running[pod_uid, c.name] = node.name
                if not node.powered:
                    yield f"{sandbox.name}: {c.name} runs without power"
            pod = observer.cluster.store.get("Pod", sandbox.namespace, sandbox.name)
            if pod is not None and uid(pod) == pod_uid and node_of(pod) != node.name:
                yield f"{sandbox.name} is bound to {node_of(pod)} and has a sandbox on {node.name}"


@of_moment
def no_name_runs_twice(observer: Observer) -> Says:
    """Never two pods of one name alive: a StatefulSet's members are unique, unless somebody deletes by force."""
    alive: dict[Key, str] = {}
    for node in observer.cluster.nodes:
        for pod_uid, sandbox in node.runtime.sandboxes.items():
            where = (sandbox.namespace, sandbox.name)
            if sandbox.name in observer.forced or not any(c.state == "running" for c in sandbox.containers):
                continue
            if alive.setdefault(where, pod_uid) != pod_uid:
                yield f"two pods called {sandbox.name} run"


@of_moment
def addresses_are_unique(observer: Observer) -> Says:
    """No two sandboxes that are up share an address, and each lies in its node's range."""
    holders: dict[str, str] = {}
    for node in observer.cluster.nodes:
        for sandbox in node.runtime.sandboxes.values():
            if sandbox.ready and not sandbox.host_network:
                if sandbox.ip in holders:
                    yield f"{sandbox.ip} is {holders[sandbox.ip]}'s and {sandbox.name}'s"
                holders[sandbox.ip] = sandbox.name


@of_moment
def back_offs_are_of_the_row(observer: Observer) -> Says:
    """10, 20, 40 … 300 s."""
    for node in observer.cluster.nodes:
        for entry, (value, updated) in node.kubelet.manager.backoff._entries.items():
            if value not in BACK_OFFS or updated > observer.cluster.clock.now:
                yield f"{entry.partition(chr(0))[0]} on {node.name}: back-off of {value / SECOND} s"


@of_moment
def each_member_has_its_own_number(observer: Observer) -> Says:
    """A StatefulSet's pods are called by their numbers; a DaemonSet has one live pod on a node."""
    store = observer.cluster.store
    on_node: Counter[tuple[str, str]] = Counter()
    for pod in store.list("Pod"):
        owner = controller_of(pod)
        if owner is None:
            continue
        if owner["kind"] == "StatefulSet" and not name(pod).removeprefix(owner["name"] + "-").isdigit():
            yield f"{ref(pod)} is no member of {owner['name']}"
        if owner["kind"] == "DaemonSet" and not terminating(pod) and phase(pod) not in TERMINAL and node_of(pod):
            on_node[owner["uid"], node_of(pod)] += 1
    for (_, node), count in on_node.items():
        if count > 1 and observer.quiet("Pod"):
            yield f"{count} pods of one DaemonSet on {node}"


@of_moment
def a_node_is_not_overfull(observer: Observer) -> Says:
    """Requests of a node's live pods are within what it has (noderesources/fit.go)."""
    for node in observer.cluster.store.list("Node"):
        pods = [p for p in observer.cluster.store.pods_on(name(node)) if phase(p) not in TERMINAL]
        if len(pods) > int(node["status"]["allocatable"]["pods"]):
            yield f"{name(node)} has {len(pods)} pods"


# ---- of rest


@of_rest
def caches_are_the_store(observer: Observer) -> Says:
    """Once nobody writes, each controller's cache is what the store has."""
    for kind, informer in observer.cluster.informers._of.items():
        if observer.quiet(kind, for_=BEHIND) and informer.list() != observer.cluster.store.list(kind):
            yield f"the cache of {kind} differs"


@of_rest
def an_endpoint_is_ready_when_its_pod_is(observer: Observer) -> Says:
    """Ready exactly when its pod is Ready and not being deleted; every pod with an address is listed once."""
    store = observer.cluster.store
    if not observer.quiet("Pod", "Service", "EndpointSlice"):
        return
    for service in store.list("Service"):
        selector = service["spec"].get("selector")
        if not selector:
            continue
        slices = [s for s in store.list("EndpointSlice", namespace(service)) if labels(s)[SLICE_OF] == name(service)]
        listed = [
            (e["targetRef"]["name"], e["addresses"][0], e["conditions"]["ready"], e["conditions"]["terminating"])
            for s in slices
            for e in s.get("endpoints") or ()
        ]
        wanted = [
            (name(p), p["status"]["podIP"], condition_true(p, "Ready") and not terminating(p), terminating(p))
            for p in store.list("Pod", namespace(service))
            if matches_map(selector, labels(p)) and p["status"].get("podIP") and phase(p) not in TERMINAL
        ]
        if sorted(listed) != sorted(wanted):
            yield f"{ref(service)} has endpoints {sorted(listed)}, its pods are {sorted(wanted)}"


@of_rest
def what_is_owned_has_an_owner_or_goes(observer: Observer) -> Says:
    """An object whose owner is gone is deleted (garbage collector), unless it was orphaned on purpose."""
    store, now = observer.cluster.store, observer.cluster.clock.now
    for kind in store.kinds():
        for obj in store.list(kind):
            if terminating(obj):
                continue
            for owner in obj["metadata"].get("ownerReferences") or ():
                gone = observer.orphans.get(owner["uid"])
                if gone is not None and now - max(gone, observer.api_up) > CLEANED:
                    yield f"{ref(obj)} is owned by {owner['kind']}/{owner['name']}, gone since {gone / SECOND:.2f} s"


@of_rest
def a_pod_being_deleted_goes(observer: Observer) -> Says:
    """On a node that works a pod is gone soon after its grace period; without a node, at once."""
    clock = observer.cluster.clock
    for pod in observer.cluster.store.list("Pod"):
        if not terminating(pod) or pod["metadata"].get("finalizers"):
            continue
        due = clock.at_timestamp(pod["metadata"]["deletionTimestamp"])
        if node_of(pod) and not observer.works(node_of(pod)):
            continue
        up = observer.node_up.get(node_of(pod), observer.api_up)
        if clock.now > max(due, up) + STUCK:
            yield f"{ref(pod)} on {node_of(pod) or 'no node'} should have been gone at {due / SECOND:.0f} s"


@of_rest
def nothing_is_left_of_a_pod_that_is_gone(observer: Observer) -> Says:
    """No container, sandbox, address, open port, worker, timer or note of a pod that is gone, on a node that works."""
    now, network = observer.cluster.clock.now, observer.cluster.network
    gone = {u: pod for u, (pod, since) in observer.gone.items() if now - since > CLEANED + _grace(pod)}
    gone = {u: pod for u, pod in gone.items() if observer.works(node_of(pod))}
    for node in observer.cluster.nodes:
        if not observer.works(node.name):
            continue
        kubelet, prober = node.kubelet, node.kubelet.prober
        books: dict[str, Iterable[str]] = {
            "sandbox": node.runtime.sandboxes,
            "container": [c.pod_uid for c in node.runtime._containers.values()],
            "pod worker": kubelet.workers,
            "probe worker": [u for u, _, _ in prober.workers],
            "parked probe worker": [w.pod_uid for w in prober.parked],
            "pod of probes": prober.pods,
            "status of probes": prober.statuses,
            "status": kubelet.statuses._statuses,
            "pod of statuses": kubelet.statuses._pods,
            "finished pod": kubelet.statuses.finished,
            "volume": kubelet.manager._mounts.volumes,
            "snapshot": kubelet.pleg._snapshots,
            "time of a relist": kubelet.pleg._modified,
            "relist on demand": kubelet.pleg._on_demand,
        }
        for what, uids in books.items():
            for pod_uid in uids:
                if pod_uid in gone:
                    yield f"{node.name} still has a {what} of {name(gone[pod_uid])}"
        live = {"containerd://" + c for c in node.runtime._containers}
        for probe, results in prober.results.items():
            for container in results._results:
                if container and container not in live and observer.quiet("Pod"):
                    yield f"{node.name} keeps a {probe} result of a container that is gone"
    for ip in {p["status"].get("podIP") for p in gone.values()} - _addresses_in_use(observer):
        if ip in network._node:
            yield f"{ip} of a pod that is gone is still attached"
        if any(where == ip for where, _ in network._ports):
            yield f"{ip} of a pod that is gone still has an open port"
        if network._observers.get(ip):
            yield f"somebody still observes {ip} of a pod that is gone"


@of_rest
def every_container_is_of_a_pod_that_its_kubelet_knows(observer: Observer) -> Says:
    """What runs on a node that works belongs to a pod that its kubelet has a worker for."""
    for node in observer.cluster.nodes:
        if not observer.works(node.name):
            continue
        for pod_uid, sandbox in node.runtime.sandboxes.items():
            if pod_uid not in node.kubelet.workers and any(c.state == "running" for c in sandbox.containers):
                yield f"{sandbox.name} runs on {node.name}, whose kubelet does not know it"


@of_rest
def replicas_are_what_was_asked_for(observer: Observer) -> Says:
    """At rest a ReplicaSet or StatefulSet has as many pods as it says, and a ReplicaSet as many as it should."""
    store = observer.cluster.store
    if not observer.quiet("Pod", "ReplicaSet", "StatefulSet", "Node"):
        return
    for owner in (*store.list("ReplicaSet"), *store.list("StatefulSet")):
        if terminating(owner):
            continue
        pods = [p for p in store.list("Pod", namespace(owner)) if (controller_of(p) or {}).get("uid") == uid(owner)]
        live = [p for p in pods if not terminating(p) and phase(p) not in TERMINAL]
        says = (owner.get("status") or {}).get("replicas", 0)
        counted = len(live) if owner["kind"] == "ReplicaSet" else len([p for p in pods if phase(p) not in TERMINAL])
        if says != counted:
            yield f"{ref(owner)} says {says} pods and has {counted}"
        if owner["kind"] == "ReplicaSet" and owner["spec"]["replicas"] != len(live):
            yield f"{ref(owner)} should have {owner['spec']['replicas']} pods and has {len(live)}"


@of_rest
def generations_are_observed(observer: Observer) -> Says:
    """At rest every controller has seen the newest spec."""
    for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "PodDisruptionBudget"):
        for obj in observer.cluster.store.list(kind):
            observed = (obj.get("status") or {}).get("observedGeneration", 0)
            if observer.since(obj) > LAG and not terminating(obj) and observed != obj["metadata"]["generation"]:
                yield f"{ref(obj)} is at generation {obj['metadata']['generation']}, observed {observed}"


@of_rest
def a_budget_counts_its_pods(observer: Observer) -> Says:
    """currentHealthy counts the Ready pods of the budget (disruption.go countHealthyPods)."""
    store = observer.cluster.store
    if not observer.quiet("Pod", "PodDisruptionBudget"):
        return
    for budget in store.list("PodDisruptionBudget"):
        status = budget.get("status") or {}
        wants = budget["spec"].get("selector", {}).get("matchLabels")
        pods = [p for p in store.list("Pod", namespace(budget)) if matches_map(wants, labels(p))]
        healthy = sum(1 for p in pods if condition_true(p, "Ready") and not terminating(p))
        if not status.get("disruptedPods") and status.get("currentHealthy", 0) != healthy:
            yield f"{ref(budget)} counts {status.get('currentHealthy', 0)} healthy pods; there are {healthy}"


@of_rest
def a_pod_without_a_node_is_told_why(observer: Observer) -> Says:
    """A pod that has waited for a while has the condition PodScheduled=False, Unschedulable."""
    for pod in observer.cluster.store.list("Pod"):
        if not node_of(pod) and not terminating(pod) and observer.since(pod) > LAG:
            told = [c for c in pod["status"].get("conditions") or () if c["type"] == "PodScheduled"]
            if not told or told[0]["status"] != "False":
                yield f"{ref(pod)} has no node, and nobody says why"


def _grace(pod: Object) -> int:
    return int(pod["spec"].get("terminationGracePeriodSeconds") or 0) * SECOND


def _addresses_in_use(observer: Observer) -> set[str]:
    return {s.ip for n in observer.cluster.nodes for s in n.runtime.sandboxes.values() if s.ready}


# ---- the end


def unhealed(cluster: Cluster, doomed: Callable[[Object], bool]) -> Says:
    """What is still ill a quarter of an hour after all faults have ended. ``doomed``: pods that cannot be well."""
    store = cluster.store
    ill = {uid(p) for p in store.list("Pod") if doomed(p)}
    for pod in store.list("Pod"):
        if terminating(pod):
            yield f"{ref(pod)} is still being deleted"
        elif uid(pod) in ill or phase(pod) in TERMINAL:
            continue
        elif not node_of(pod):
            yield f"{ref(pod)} has no node"
        elif not condition_true(pod, "Ready"):
            yield f"{ref(pod)} on {node_of(pod)} is not Ready: {statuses(pod)}"
    for kind, field in (("Deployment", "availableReplicas"), ("StatefulSet", "availableReplicas")):
        for obj in store.list(kind):
            status = obj.get("status") or {}
            if obj["metadata"]["labels"].get("fate") == "well":
                counts = [status.get(f, 0) for f in ("replicas", "readyReplicas", field, "updatedReplicas")]
                if counts != [obj["spec"]["replicas"]] * 4:
                    yield f"{ref(obj)} of {obj['spec']['replicas']} has {counts}"
    nodes = len(store.list("Node"))
    for obj in store.list("DaemonSet"):
        status = obj.get("status") or {}
        counts = [status.get(f, 0) for f in ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled")]
        if obj["metadata"]["labels"].get("fate") == "well" and counts != [nodes] * 3:
            yield f"{ref(obj)} on {nodes} nodes has {counts}"
    for job in store.list("Job"):
        done = condition_true(job, "Complete") or condition_true(job, "Failed")
        if not done:
            yield f"{ref(job)} is not done: {job['status']}"
    for found in store.list("EndpointSlice"):
        for e in found.get("endpoints") or ():
            if not e["conditions"]["ready"] and e["targetRef"]["uid"] not in ill:
                yield f"{ref(found)}: {e['targetRef']['name']} is not ready"
    for node in store.list("Node"):
        if not condition_true(node, "Ready") or node["spec"].get("taints"):
            yield f"{ref(node)} is not well: {node['spec'].get('taints')}"


__all__ = ["MOMENTS", "REST", "WRITES", "Observer", "unhealed"]
