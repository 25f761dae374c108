"""The API server's storage: where all components of a cluster meet.

Objects are wire-form dicts that nobody ever changes in place: a write puts a new dict in the
place of the old one and tells the watchers about both. One counter numbers all writes
(``metadata.resourceVersion``); a write that changes nothing is no write.

Watchers hear of a write after the time that a real watch needs, in the order of the writes of that
kind. They may therefore act on a state that is already past: Kubernetes lives with that, and so must
the controllers here.

Follows staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go and
staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go. Errors are :mod:`selfheal.errors`
with the API server's texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from selfheal import admission, tokens
from selfheal.admission import priority, resourcequota
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.errors import AlreadyExists, Conflict, FieldError, Forbidden, Invalid, NotFound, Unavailable
from selfheal.kinds import Kind, kind_info
from selfheal.manifests import priorities
from selfheal.objects import Key, Object, key, namespace
from selfheal.rules import Cause
from selfheal.watches import Handler, Watch, Watches, WatchEvent, node_of

__all__ = ["Store", "Watch", "WatchEvent"]

HISTORY = 4096
"""Writes that a new watch can still be given (``since``); older ones are Gone."""

EVENT_TTL = 3600 * SECOND
"""How long an Event is kept after its last write, in µs (pkg/controlplane/apiserver/options)."""


Objects = list[Object]
Keys = list[Key]
Strings = list[str]


class Store:
    """All objects of one cluster, and who watches them."""

    def __init__(self, clock: Clock, chance: Chance, *, history: int = HISTORY) -> None:
        self.clock = clock
        self.chance = chance
        self._objects: dict[str, dict[Key, Object]] = {}
        self._sorted: dict[str, Keys] = {}
        self._pods_by_node: dict[str, dict[Key, Object]] = {}
        self._watches = Watches(clock, chance, history)
        self._event_expiry: dict[Key, int] = {}
        self._bound_specs: dict[tuple[int, str], tuple[Object, Object]] = {}
        self._admission = admission.Admission(chance, self.list)
        self.custom: dict[str, Kind] = {}
        """Kinds that somebody has defined."""
        self._down = False
        self._dry = False
        self._waiting: list[Callable[[], object]] = []
        self.usage: Callable[[Object, str], int | None] | None = None
        """The metrics API: what a pod uses of a resource, in thousandths (of a core, of a byte); None: not known."""
        self.guard: Callable[[Object], object] = lambda _: None
        """Called with a pod before it is deleted, may raise; Kubernetes has no such thing, but some believe it does."""
        self.signed: Callable[[Object, Object | None, Cause | None, str], Object] | None = None
        """What is stored of (new, old, cause, time): who is to be told of its writers signs each write."""
        self.sign: Callable[[Object], str] = tokens.unsigned
        """What a service account's token says → the token."""
        self.kept: dict[str, Callable[[int], int]] = {}
        """Leases of nodes that renew themselves: node → when its lease was last renewed, as of a moment (both µs).

        A kubelet renews its lease each ten seconds. As long as nothing keeps it from that, it gives a promise here
        instead of a write; the Lease itself is written when the promise ends, and when it begins again.
        """
        self.broken: dict[str, Cause | None] = {}
        """Why a node's lease is no longer renewed."""
        self.promise_ended: Callable[[str, Cause | None], object] = lambda *_: None
        """Called with the node when it renews its lease no more: the last renewal may have been written before."""

    def _info(self, kind: str, api_version: str = "v1") -> Kind:
        return self.custom.get(kind) or kind_info(kind, api_version)

    def resource(self, kind: str) -> str:
        """A kind's resource and its group, as errors name it."""
        return self._info(kind).resource

    @property
    def version(self) -> int:
        """The resourceVersion of the last write."""
        return self._watches.version

    # ---- the API server itself

    @property
    def down(self) -> bool:
        """Whether the API server does not answer: every write is refused. What it has stored stays."""
        return self._down

    def stop(self) -> None:
        self._down = True

    def start(self) -> None:
        """It answers again; whoever waited for that is called."""
        self._down = False
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def when_up(self, call: Callable[[], object]) -> None:
        """Call ``call()`` once the API server answers again. The same call is not noted twice."""
        if self._down and call not in self._waiting:
            self._waiting.append(call)

    def restore(self, objs: Iterable[Object], version: int) -> None:
        """Put back what another store held when ``version`` was its last write. Nobody may watch yet."""
        for obj in objs:
            kind, where = obj["kind"], key(obj)
            self._objects.setdefault(kind, {})[where] = obj
            if kind == "Event":
                self._event_expiry[where] = self.clock.now + EVENT_TTL
            elif kind == "Pod" and (node := node_of(obj)):
                self._pods_by_node.setdefault(node, {})[where] = obj
        self._watches.restart(version)

    # ---- reading

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        found = self._objects.get(kind, {}).get((namespace, name))
        if found is not None and kind == "Event" and self._expired(namespace, name):
            return None
        return found

    def list(self, kind: str, namespace: str | None = None) -> Objects:
        """All objects of a kind (of a namespace, or of all), sorted by namespace and name."""
        objects = self._objects.get(kind)
        if not objects:
            return []
        keys = self._sorted.get(kind)
        if keys is None:
            keys = self._sorted[kind] = sorted(objects)
        return [
            objects[k]
            for k in keys
            if (namespace is None or k[0] == namespace) and not (kind == "Event" and self._expired(*k))
        ]

    def list_at(self, kind: str, namespace: str | None, version: int) -> Objects:
        """What :meth:`list` gave when ``version`` was the last write. Raises Gone if that is no longer known."""
        if version >= self.version:
            return self.list(kind, namespace)
        objects = dict(self._objects.get(kind, {}))
        for event in self._watches.after(version, kind):
            if event.old is None:
                objects.pop(event.key, None)
            else:
                objects[event.key] = event.old
        return [objects[k] for k in sorted(objects) if namespace is None or k[0] == namespace]

    def kinds(self) -> tuple[str, ...]:
        """The kinds of which there are objects, sorted."""
        return tuple(sorted(kind for kind, objects in self._objects.items() if objects))

    def pods_on(self, node: str) -> Objects:
        """The pods bound to a node, sorted by namespace and name."""
        pods = self._pods_by_node.get(node, {})
        return [pods[k] for k in sorted(pods)]

    def require_namespace(self, called: str, new: str) -> None:
        """Raises NotFound or Forbidden if ``new`` cannot be made there; a store without any namespace takes all.

        plugin/pkg/admission/namespace/lifecycle/admission.go
        """
        home = self.get("Namespace", "", called)
        if home is None:
            if self._objects.get("Namespace"):
                raise NotFound(f'namespaces "{called}" not found')
        elif "deletionTimestamp" in home["metadata"]:
            why = f"namespace {called} is being terminated"
            text = f"unable to create new content in namespace {called} because it is being terminated"
            causes = (FieldError("metadata.namespace", "NamespaceTerminating", why),)
            raise Forbidden(f"{new} is forbidden: {text}", causes)

    # ---- writing

    def create(self, obj: Object, *, cause: Cause | None = None) -> Object:
        """Store a new object; raises AlreadyExists or Invalid. Returns it as stored."""
        kind = obj["kind"]
        info = self._info(kind, obj.get("apiVersion", "v1"))
        meta = dict(obj.get("metadata") or {})
        space = str(meta.get("namespace") or "default") if info.namespaced else ""
        name = meta.get("name") or self._generate_name(kind, info, space, meta)
        if space:
            self.require_namespace(space, f'{info.resource} "{name}"')
        if (space, name) in self._objects.get(kind, {}) and not (kind == "Event" and self._expired(space, name)):
            raise AlreadyExists(f'{info.resource} "{name}" already exists')
        # An event's name never comes again, so its stream need not be remembered.
        uids = (self.chance.fresh if kind == "Event" else self.chance.stream)("uid", kind, space, name)
        for given_by_server in ("resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
            meta.pop(given_by_server, None)
        meta["name"] = name
        if space:
            meta["namespace"] = space
        meta["uid"] = uids.uid(uids.next())
        meta["creationTimestamp"] = self.clock.timestamp()
        if info.generation:
            meta["generation"] = 1
        new = {"apiVersion": info.api_version, **obj, "metadata": meta}
        if self.signed is not None:
            new = self.signed(new, None, cause, meta["creationTimestamp"])
        if kind not in self.custom:
            new = self._admission.prepare(new)
        self._charge(new, None, cause)
        return self._write(kind, new, None, cause)

    def _charge(self, new: Object, old: Object | None, cause: Cause | None) -> None:
        """Take what an object uses from the quotas of its namespace. Raises Forbidden."""
        quotas = self.list("ResourceQuota", namespace(new)) if namespace(new) and new["kind"] != "Event" else []
        for quota in resourcequota.charged(quotas, new, old, self.resource(new["kind"])) if quotas else ():
            self._write("ResourceQuota", quota, self.get("ResourceQuota", *key(quota)), cause)

    def update(self, obj: Object, *, cause: Cause | None = None, whole: bool = False) -> Object:
        """Replace all but the status. Raises NotFound, or Conflict if ``resourceVersion`` is not the stored one.

        ``whole``: the status too, of kinds that have it in one piece.
        """
        current = self._current_for(obj)
        return self._replace_spec(current, obj, cause, whole=whole)

    def update_status(self, obj: Object, *, cause: Cause | None = None, marks: Sequence[str] = ()) -> Object:
        """Replace the status, and nothing else but those ``marks`` of the metadata. Raises as :meth:`update`."""
        current = self._current_for(obj)
        return self._replace_status(current, obj, cause, marks)

    def patch(
        self,
        kind: str,
        namespace: str,
        name: str,
        change: Callable[[Object], Object],
        *,
        status: bool = False,
        cause: Cause | None = None,
    ) -> Object:
        """Write ``change(current)``, whatever the version: of the status if ``status``, else of all but the status."""
        current = self._require(kind, namespace, name)
        new = change(current)
        return self._replace_status(current, new, cause) if status else self._replace_spec(current, new, cause)

    def bind(self, namespace: str, name: str, node: str, *, cause: Cause | None = None) -> Object:
        """Assign a pod to a node: its node and the condition PodScheduled in one write.

        pkg/registry/core/pod/storage/storage.go assignPod; the generation stays as it is.
        """
        pod = self._require("Pod", namespace, name)
        resource = f'Operation cannot be fulfilled on pods/binding "{name}"'
        if "deletionTimestamp" in pod["metadata"]:
            raise Conflict(f"{resource}: pod {name} is being deleted, cannot be assigned to a host")
        if pod["spec"].get("nodeName"):
            raise Conflict(f'{resource}: pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
        status = {k: v for k, v in pod["status"].items() if k != "nominatedNodeName"}
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self.clock.timestamp(),
            "observedGeneration": pod["metadata"]["generation"],
        }
        conditions = list(status.get("conditions") or ())
        at = next((i for i, c in enumerate(conditions) if c["type"] == "PodScheduled"), len(conditions))
        conditions[at : at + 1] = [scheduled]
        new = {
            **pod,
            "spec": self._bound_spec(pod["spec"], node),
            "status": {**status, "conditions": conditions},
        }
        return self._write("Pod", new, pod, cause)

    def delete(
        self,
        kind: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        propagation: str | None = "Background",
        uid: str | None = None,
        cause: Cause | None = None,
    ) -> Object:
        """Delete, or begin to. ``grace`` in seconds (pods only); None means the pod's own.

        The object goes at once unless it is a running pod with time to end, or has finalizers;
        then it is marked with a ``deletionTimestamp``. Raises NotFound, or Conflict if it is not
        the object with that ``uid``. Returns the object's last state.
        """
        current = self._require(kind, namespace, name)
        meta = current["metadata"]
        if uid is not None and uid != meta["uid"]:
            resource = f'{self._info(kind).resource} "{name}"'
            raise Conflict(
                f"Operation cannot be fulfilled on {resource}: Precondition failed: "
                f"UID in precondition: {uid}, UID in object meta: {meta['uid']}"
            )
        if kind == "Pod":
            self.guard(current)
        if kind == "PriorityClass" and name in priorities.SYSTEM:
            resource = f'{self._info(kind).resource} "{name}"'
            raise Forbidden(f"{resource} is forbidden: this is a system priority class and cannot be deleted")
        if kind == "Namespace" and current["spec"].get("finalizers"):
            return self._end_namespace(current, cause)
        finalizers = _finalizers_for(meta.get("finalizers") or [], propagation)
        if kind != "Pod" and not finalizers:
            return self._remove(current, cause)
        seconds = _pod_grace(current, grace) if kind == "Pod" else 0
        marked = self._marked(meta, seconds, finalizers)
        if marked != meta:
            current = self._write(kind, {**current, "metadata": marked}, current, cause)
        # A pod is marked even if it goes in the same moment: who watches sees both.
        return current if seconds or finalizers else self._remove(current, cause)

    def _end_namespace(self, current: Object, cause: Cause | None) -> Object:
        """A namespace stays until its content is gone (pkg/registry/core/namespace/storage/storage.go Delete)."""
        meta = current["metadata"]
        if meta["name"] in IMMORTAL:
            raise Forbidden(f'namespaces "{meta["name"]}" is forbidden: this namespace may not be deleted')
        if "deletionTimestamp" in meta:
            return current
        meta = {**meta, "deletionTimestamp": self.clock.timestamp()}
        status = {**(current.get("status") or {}), "phase": "Terminating"}
        return self._write("Namespace", {**current, "metadata": meta, "status": status}, current, cause)

    def _marked(self, meta: Object, seconds: int, finalizers: Strings) -> Object:
        """Metadata of an object that is being deleted and has ``seconds`` left (rest/delete.go BeforeDelete)."""
        marked = _with(meta, "finalizers", finalizers)
        begun = meta.get("deletionTimestamp")
        if begun is None:
            marked["deletionTimestamp"] = self.clock.timestamp(self.clock.now + seconds * SECOND)
            marked["deletionGracePeriodSeconds"] = seconds
            if "generation" in meta:
                marked["generation"] = meta["generation"] + 1
        elif 0 < seconds < meta["deletionGracePeriodSeconds"] or (finalizers and not seconds):
            # A deletion that has begun may only be shortened; it still counts from its beginning.
            earlier = meta["deletionGracePeriodSeconds"] - seconds
            end = self.clock.at_timestamp(begun) - earlier * SECOND
            marked["deletionTimestamp"] = self.clock.timestamp(end)
            marked["deletionGracePeriodSeconds"] = seconds
        return marked

    # ---- watching

    def watch(
        self,
        kind: str | None,
        handler: Handler,
        *,
        since: int | None = None,
        node: str | None = None,
        immediate: bool = False,
    ) -> Watch:
        """Call ``handler(event)`` for each write of ``kind`` (None: of all kinds).

        Without ``since``, what exists comes first, as ADDED; with it, all writes after that version
        (raises Gone if they are no longer known). ``node`` limits pods to those bound to it.
        ``immediate`` handlers are called within the write itself and must not write.
        """
        first: Objects | None = None
        if since is None:
            kinds = self.kinds() if kind is None else (kind,)
            first = self.pods_on(node) if node is not None else [o for k in kinds for o in self.list(k)]
        return self._watches.add(kind, handler, first, since, node, immediate)

    @contextlib.contextmanager
    def dry_run(self) -> Iterator[None]:
        """Writes meanwhile do all but the writing: they return what would be stored, or raise what would be raised."""
        self._dry = True
        try:
            yield
        finally:
            self._dry = False

    # ---- what every write does

    def _write(self, kind: str, new: Object, old: Object | None, cause: Cause | None) -> Object:
        """Put ``new`` in the place of ``old`` and tell everyone."""
        self._require_up()
        if self._dry:
            return new
        if kind == "Event":
            self._expire_events()
        if self.signed is not None and old is not None:
            new = self.signed(new, old, cause, self.clock.timestamp())
        version = self._watches.next_version()
        new = {**new, "metadata": {**new["metadata"], "resourceVersion": str(version)}}
        event = WatchEvent("MODIFIED" if old else "ADDED", new, old, cause, version)
        where = event.key
        self._objects.setdefault(kind, {})[where] = new
        if old is None:
            self._sorted.pop(kind, None)
        if kind == "Event":
            self._event_expiry.pop(where, None)
            self._event_expiry[where] = self.clock.now + EVENT_TTL
        elif kind == "Pod" and (node := node_of(new)):
            self._pods_by_node.setdefault(node, {})[where] = new
        self._watches.tell(event)
        return new

    def _remove(self, current: Object, cause: Cause | None) -> Object:
        """Take the object away and tell everyone."""
        self._require_up()
        if self._dry:
            return current
        kind, where = current["kind"], key(current)
        version = self._watches.next_version()
        del self._objects[kind][where]
        self._sorted.pop(kind, None)
        if kind == "Pod" and (node := node_of(current)):
            del self._pods_by_node[node][where]
        if kind == "Event":
            self._event_expiry.pop(where, None)
        last = {**current, "metadata": {**current["metadata"], "resourceVersion": str(version)}}
        self._watches.tell(WatchEvent("DELETED", last, current, cause, version))
        return last

    # ---- parts of a write

    def _bound_spec(self, spec: Object, node: str) -> Object:
        """The spec with its node. Replicas on one node share one dict."""
        found = self._bound_specs.get((id(spec), node))
        if found is None:
            if len(self._bound_specs) >= 1024:
                self._bound_specs.clear()
            # The first dict is kept with the second, so that no other can ever have its id.
            found = self._bound_specs[id(spec), node] = (spec, {**spec, "nodeName": node})
        return found[1]

    def _require(self, kind: str, namespace: str, name: str) -> Object:
        found = self.get(kind, namespace, name)
        if found is None:
            raise NotFound(f'{self._info(kind).resource} "{name}" not found')
        return found

    def _require_up(self) -> None:
        if self._down:
            where = "10.96.0.1:443"
            text = f"The connection to the server {where} was refused - did you specify the right host or port?"
            raise Unavailable(text, self.when_up)

    def _current_for(self, obj: Object) -> Object:
        """The stored object that an update means; raises NotFound or Conflict."""
        meta, info = obj["metadata"], self._info(obj["kind"])
        space = namespace(obj) or ("default" if info.namespaced else "")
        current = self._require(obj["kind"], space, meta["name"])
        refused = f'Operation cannot be fulfilled on {info.resource} "{meta["name"]}"'
        if meta.get("uid", current["metadata"]["uid"]) != current["metadata"]["uid"]:
            raise Conflict(
                f"{refused}: Precondition failed: UID in precondition: {meta['uid']}, "
                f"UID in object meta: {current['metadata']['uid']}"
            )
        if (
            meta.get("resourceVersion", current["metadata"]["resourceVersion"])
            != current["metadata"]["resourceVersion"]
        ):
            raise Conflict(
                f"{refused}: the object has been modified; "
                "please apply your changes to the latest version and try again"
            )
        return current

    def _replace_spec(self, current: Object, obj: Object, cause: Cause | None, *, whole: bool = False) -> Object:
        if obj is current:
            return current
        kind, old = current["kind"], current["metadata"]
        meta = {k: v for k, v in obj["metadata"].items() if k not in SERVER_OWNED and v not in EMPTY}
        meta.update((k, old[k]) for k in SERVER_OWNED if k in old)
        new = {**obj, "apiVersion": current["apiVersion"], "kind": kind, "metadata": meta}
        if not whole:
            new.pop("status", None)
            if "status" in current:
                new["status"] = current["status"]
        if kind == "PriorityClass":
            priority.check_default(new, self.list)
        new = admission.prepare_update(new, current)
        meta = new["metadata"]
        if new == current:
            return current
        if kind in resourcequota.CHARGED_ANEW:
            self._charge(new, current, cause)
        if "generation" in meta and _means_other(new, current):
            meta["generation"] += 1
        over = not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in meta and over and not (kind == "Namespace" and new["spec"].get("finalizers")):
            return self._remove({**new, "metadata": meta}, cause)
        return self._write(kind, new, current, cause)

    def _replace_status(self, current: Object, obj: Object, cause: Cause | None, marks: Sequence[str] = ()) -> Object:
        new = {**current, "status": obj.get("status")}
        admission.check_status(new)
        for mark in marks:
            new["metadata"] = _with(new["metadata"], mark, obj["metadata"].get(mark))
        if current["kind"] == "Deployment" and obj is not current:
            # The revision annotation is written along with the status (pkg/registry/apps/deployment/strategy.go).
            new["metadata"] = _with(new["metadata"], "annotations", obj["metadata"].get("annotations"))
        if "managedFields" in obj["metadata"]:
            new["metadata"] = {**new["metadata"], "managedFields": obj["metadata"]["managedFields"]}
        return current if new == current else self._write(current["kind"], new, current, cause)

    def _generate_name(self, kind: str, info: Kind, space: str, meta: dict[str, Any]) -> str:
        """``generateName`` and five letters (staging/src/k8s.io/apiserver/pkg/storage/names/generate.go)."""
        base = str(meta.get("generateName") or "")
        if not base:
            missing = FieldError(
                "metadata.name", "FieldValueRequired", "Required value: name or generateName is required"
            )
            raise Invalid(f'{kind} "" is invalid: {missing}', (missing,))
        stream = self.chance.stream("name", kind, space, base)
        name = ""
        for _ in range(8):
            name = base[:58] + stream.letters(stream.next())
            if self.get(kind, space, name) is None:
                return name
        raise AlreadyExists(f'{info.resource} "{name}" already exists')

    # ---- events expire

    def _expired(self, namespace: str, name: str) -> bool:
        return self._event_expiry.get((namespace, name), 0) <= self.clock.now

    def _expire_events(self) -> None:
        """Forget events past their time. Done when the next one is written, so that it costs no timer."""
        while self._event_expiry:
            where = next(iter(self._event_expiry))
            if not self._expired(*where):
                return
            self._remove(self._objects["Event"][where], None)


IMMORTAL = ("default", "kube-system", "kube-public")
"""Namespaces that cannot be deleted (plugin/pkg/admission lifecycle)."""

SERVER_OWNED = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
"""Metadata that a client cannot change."""

EMPTY: tuple[Any, ...] = (None, {}, [])


def _with(meta: Object, field: str, value: Any) -> Object:
    """Metadata with a field set, or left out if empty."""
    out = {**meta, field: value}
    if not value:
        del out[field]
    return out


def _means_other(new: Object, old: Object) -> bool:
    """Whether a write changes what the object asks for, so that its generation rises."""
    if any(new.get(k) != old.get(k) for k in {**new, **old} if k not in ("metadata", "status")):
        return True
    # Deployments only: pkg/registry/apps/deployment/strategy.go PrepareForUpdate
    notes, before = (o["metadata"].get("annotations") for o in (new, old))
    return new["kind"] == "Deployment" and bool(notes != before)


def _finalizers_for(finalizers: list[str], propagation: str | None) -> list[str]:
    """The finalizers of an object being deleted: ``propagation`` decides on the garbage collector's two."""
    if propagation is None:
        return finalizers
    own = {"Foreground": ["foregroundDeletion"], "Orphan": ["orphan"], "Background": []}[propagation]
    return [f for f in finalizers if f not in ("foregroundDeletion", "orphan")] + own


def _pod_grace(pod: Object, grace: int | None) -> int:
    """Seconds that a pod being deleted has left (pkg/registry/core/pod/strategy.go CheckGracefulDelete)."""
    meta = pod["metadata"]
    if "deletionTimestamp" in meta:
        left = int(meta.get("deletionGracePeriodSeconds", 0))
        return left if grace is None else min(left, max(grace, 1) if grace < 0 else grace)
    seconds = grace if grace is not None else pod["spec"].get("terminationGracePeriodSeconds", 30)
    if not pod["spec"].get("nodeName") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    return 1 if seconds < 0 else int(seconds)
