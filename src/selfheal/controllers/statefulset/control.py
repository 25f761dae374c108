"""One sync of a StatefulSet: what to create, what to delete, and above all what to wait for.

With ``OrderedReady`` each step waits until all members before it are Running, Ready and available. That is
what makes a StatefulSet safe, and also what lets a broken update get stuck: the sync never gets past the
broken member, not even to replace it once the template has been mended.

Follows pkg/controller/statefulset/stateful_set_control.go and stateful_pod_control.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from selfheal.clock import Clock
from selfheal.controllers import pods as podutil
from selfheal.controllers.consistency import OwnWrites
from selfheal.controllers.podcontrol import slow_start
from selfheal.controllers.revisions import History, template_of
from selfheal.controllers.statefulset import members
from selfheal.errors import AlreadyExists, ApiError
from selfheal.events import EventRecorder
from selfheal.flowcontrol import Client
from selfheal.objects import Key, Object, key, labels, name, replace, terminating, uid
from selfheal.rules import Cause, rule
from selfheal.store import Store

SOURCE = "pkg/controller/statefulset/stateful_set_control.go"

CREATE = rule("statefulset.create", SOURCE, "processReplica")
REPLACE = rule("statefulset.replace", SOURCE, "processReplica")
SCALE_DOWN = rule("statefulset.scale-down", SOURCE, "processCondemned")
UPDATE = rule("statefulset.update", SOURCE, "updateStatefulSet")
STATUS = rule("statefulset.status", SOURCE, "updateStatefulSetStatus")

AT_ONCE = 500
"""Missing members that one sync looks at; a real one looks at all."""

COMPARED = (
    "replicas",
    "currentReplicas",
    "readyReplicas",
    "updatedReplicas",
    "currentRevision",
    "availableReplicas",
    "updateRevision",
)
"""Fields of the status whose change is worth a write (inconsistentStatus)."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a sync needs of its controller."""

    store: Store
    recorder: EventRecorder
    clock: Clock
    writes: OwnWrites
    client: Client
    again: Callable[[Key, int, Cause | None], object]
    """Sync once more after some µs."""


class Control:
    """One sync. ``members`` are the pods that belong to the set."""

    def __init__(
        self, tools: Tools, owner: Object, own_pods: Sequence[Object], history: History, cause: Cause | None
    ) -> None:
        self._tools = tools
        self._owner = owner
        self._pods = own_pods
        self._update = history.current
        self._current = self._find_current(history)
        self._collisions = history.collisions
        self._cause = cause
        self._monotonic: bool = owner["spec"].get("podManagementPolicy") != "Parallel"
        self.revisions_in_use = {name(self._update), name(self._current), *(members.revision(p) for p in own_pods)}

    def _find_current(self, history: History) -> Object:
        """The revision from which a rolling update goes away; the new one if there is none."""
        wanted = self._owner["status"].get("currentRevision")
        return next((r for r in [*history.old, history.current] if name(r) == wanted), history.current)

    # ---- the sync

    def run(self) -> Object:
        """Do what can be done now, then write the status; returns it. Raises ApiError (updateStatefulSet)."""
        replicas, condemned = self._sorted()
        error: ApiError | None = None
        rolled = 0
        if not terminating(self._owner):
            try:
                if self._keep(replicas, condemned):
                    rolled = self._roll(replicas)
            except ApiError as failed:
                error = failed
        status = self._status([*replicas, *condemned])
        status["currentReplicas"] -= rolled
        self._write(status)
        if error is not None:
            raise error
        return status

    def _sorted(self) -> tuple[list[Object], list[Object]]:
        """(members that should be, the missing ones planned; those that should not, highest first)"""
        wanted = members.ordinals(self._owner)
        by_number = {members.ordinal(p): p for p in self._pods}
        missing = islice((n for n in wanted if n not in by_number), AT_ONCE)
        replicas = [
            by_number.get(n) or self._planned(n) for n in sorted([*missing, *(n for n in by_number if n in wanted)])
        ]
        condemned = [by_number[n] for n in sorted(by_number, reverse=True) if n not in wanted and n >= 0]
        return replicas, condemned

    def _planned(self, number: int) -> Object:
        """A member that is missing; below the partition it will be of the current revision."""
        first = members.ordinals(self._owner).start
        below = number < first + members.partition(self._owner)
        return members.missing(self._owner, number, name(self._current if below else self._update))

    def _keep(self, replicas: Sequence[Object], condemned: Sequence[Object]) -> bool:
        """Create what is missing, then delete what is too many. Whether the sync may go on to update."""
        first_ill = next((p for p in [*replicas, *reversed(condemned)] if self._unavailable(p)), None)
        if self._for_all(replicas, self._process_replica):
            return False
        return not self._for_all(condemned, lambda pod: self._process_condemned(pod, first_ill))

    def _for_all(self, some: Sequence[Object], do: Callable[[Object], bool]) -> bool:
        """One after the other until one says stop; in Parallel mode all of them (runForAll)."""
        if self._monotonic:
            return any(do(pod) for pod in some)
        queue = iter(some)
        _, error = slow_start(len(some), lambda: do(next(queue)))
        if error is not None:
            raise error
        return False

    def _process_replica(self, pod: Object) -> bool:
        """Whether to stop here."""
        if podutil.finished(pod):
            if not terminating(pod):
                why = Cause(REPLACE, self._cause, object=name(pod), phase=podutil.phase(pod))
                self._delete(pod, why)
            return True
        if not members.created(pod):
            self._create(pod)
            if self._monotonic:
                return True
        elif self._monotonic and self._unavailable(pod):
            return True
        elif labels(pod).get(members.POD_NAME) != name(pod):
            self._give_identity(pod)
        return False

    def _process_condemned(self, pod: Object, first_ill: Object | None) -> bool:
        """Whether to stop here: also after a deletion, since they go one by one."""
        if terminating(pod):
            return self._monotonic
        if self._monotonic and pod is not first_ill and not members.available(pod, self._owner, self._tools.clock):
            return True
        desired = self._owner["spec"].get("replicas", 1)
        self._delete(pod, Cause(SCALE_DOWN, self._cause, owner=name(self._owner), desired=desired, object=name(pod)))
        return True

    def _roll(self, replicas: Sequence[Object]) -> int:
        """Rolling update: delete the highest member of another revision. Returns how many it deleted."""
        if members.strategy(self._owner).get("type") == "OnDelete":
            return 0
        for pod in reversed(replicas[members.partition(self._owner) :]):
            if members.revision(pod) != name(self._update) and not terminating(pod):
                self._delete(pod, Cause(UPDATE, self._cause, object=name(pod)))
                return 1
            if self._unavailable(pod):
                return 0
        return 0

    def _unavailable(self, pod: Object) -> bool:
        return members.unavailable(pod, self._owner, self._tools.clock)

    # ---- the status

    def _status(self, some: Sequence[Object]) -> Object:
        """updateStatus"""
        there = [p for p in some if members.created(p)]
        ready = [p for p in there if members.ready(p)]
        staying = [members.revision(p) for p in there if not terminating(p)]
        return {
            "observedGeneration": self._owner["metadata"]["generation"],
            "replicas": len(there),
            "readyReplicas": len(ready),
            "availableReplicas": sum(members.available(p, self._owner, self._tools.clock) for p in ready),
            "currentReplicas": staying.count(name(self._current)),
            "updatedReplicas": staying.count(name(self._update)),
            "currentRevision": name(self._current),
            "updateRevision": name(self._update),
            "collisionCount": self._collisions,
        }

    def _write(self, status: Object) -> None:
        """updateStatefulSetStatus; when all members are of the new revision and ready, it becomes the current one."""
        desired = self._owner["spec"].get("replicas", 1)
        counts = {status[k] for k in ("updatedReplicas", "readyReplicas", "replicas")}
        if members.strategy(self._owner).get("type") == "RollingUpdate" and counts == {desired}:
            status["currentReplicas"] = status["updatedReplicas"]
            status["currentRevision"] = status["updateRevision"]
        before = self._owner["status"]
        if status["observedGeneration"] <= before.get("observedGeneration", 0) and all(
            status[k] == before.get(k, 0) for k in COMPARED
        ):
            return
        wire = {k: v for k, v in status.items() if v or k in ("replicas", "availableReplicas", "collisionCount")}
        why = Cause(
            STATUS,
            self._cause,
            owner=name(self._owner),
            replicas=status["replicas"],
            ready=status["readyReplicas"],
        )
        written = self._tools.store.update_status({**self._owner, "status": wire}, cause=why)
        self._tools.writes.wrote(key(self._owner), written)

    # ---- members

    def _create(self, pod: Object) -> None:
        """CreateStatefulPod: its claims first, then the pod."""
        tools, now = self._tools, self._tools.clock.now
        if not tools.client.accept(now):
            tools.again(key(self._owner), tools.client.wait(now), self._cause)
            return
        why = Cause(CREATE, self._cause, owner=name(self._owner), object=name(pod))
        revision = members.revision(pod)
        new = revision == name(self._update)
        template = self._owner["spec"]["template"] if new else template_of(self._current)
        wanted = members.new_pod(self._owner, members.ordinal(pod), template, revision)
        try:
            self._create_claims(pod, why)
            made = self._tools.store.create(wanted, cause=why)
        except AlreadyExists:
            raise
        except ApiError as error:
            self._tell("Create", pod, why, error)
            raise
        self._tools.writes.wrote(key(self._owner), made)
        self._tell("Create", pod, why)

    def _create_claims(self, pod: Object, why: Cause) -> None:
        for claim in members.claims(self._owner, members.ordinal(pod)).values():
            if self._tools.store.get("PersistentVolumeClaim", *key(claim)) is None:
                self._tools.store.create(claim, cause=why)
                text = f"Create Claim {name(claim)} Pod {name(pod)} in StatefulSet {name(self._owner)} success"
                self._tools.recorder.event(self._owner, "Normal", "SuccessfulCreate", text, cause=why)

    def _delete(self, pod: Object, why: Cause) -> None:
        """DeleteStatefulPod"""
        try:
            marked = self._tools.store.delete("Pod", *key(pod), uid=uid(pod), cause=why)
        except ApiError as error:
            self._tell("Delete", pod, why, error)
            raise
        self._tools.writes.wrote(key(self._owner), marked)
        self._tell("Delete", pod, why)

    def _give_identity(self, pod: Object) -> None:
        """Put back the labels by which Services find the member (UpdateStatefulPod)."""
        number = str(members.ordinal(pod))
        own = {members.POD_NAME: name(pod), members.POD_INDEX: number}

        def change(current: Object) -> Object:
            return replace(current, "metadata.labels", {**labels(current), **own})

        changed = self._tools.store.patch("Pod", *key(pod), change, cause=self._cause)
        self._tools.writes.wrote(key(self._owner), changed)
        self._tell("Update", pod, self._cause)

    def _tell(self, verb: str, pod: Object, why: Cause | None, error: ApiError | None = None) -> None:
        """recordPodEvent"""
        text = f"{verb} Pod {name(pod)} in StatefulSet {name(self._owner)}"
        if error is None:
            self._tools.recorder.event(self._owner, "Normal", f"Successful{verb}", f"{text} successful", cause=why)
        else:
            failed = f"{text} failed error: {error}"
            self._tools.recorder.event(self._owner, "Warning", f"Failed{verb}", failed, cause=why)
