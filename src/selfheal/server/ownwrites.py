"""``managedFields`` of what the cluster's own components write: kubelets, scheduler, controllers.

Who has written says the write's cause: where its rule stands in Kubernetes. What the writer owns is worked out when
somebody reads it: until then a write costs one small object, and a cluster that nobody asks nothing more. What the API
server itself writes (a binding, a mark of deletion, an eviction's condition) belongs to nobody, there as here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from selfheal.apply import LAST_APPLIED
from selfheal.manifests import pod_only
from selfheal.objects import Object
from selfheal.rules import RULES, Cause
from selfheal.server import managedfields
from selfheal.server.managedfields import UPDATE, Manager
from selfheal.server.patches import schema_of
from selfheal.server.registry.versions import event_of_events

APISERVER, CONTROLLERS = "kube-apiserver", "kube-controller-manager"
APPLY, KUBECTL = "kubectl-client-side-apply", "kubectl"
KUBELET, SCHEDULER = "kubelet", "kube-scheduler"
"""The client's name, up to the first slash of its user agent."""

WRITERS = {
    "pkg/controller/": CONTROLLERS,
    "staging/src/k8s.io/endpointslice/": CONTROLLERS,
    "pkg/kubelet/": KUBELET,
    "pkg/scheduler/": SCHEDULER,
}
"""Where a rule stands → who follows it; the rules of an action stand nowhere."""
REPORTERS = {"kubelet": KUBELET, "default-scheduler": SCHEDULER}
"""Who tells an event → who writes it; all the others are controllers."""
UNCAUSED = {"Node": KUBELET, "Lease": KUBELET}
"""Who makes what is there from the beginning; all else the API server."""
ABOUT = ("apiVersion", "kind", "metadata")
SCALED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
LONGEST = 8
"""So many writes, by one writer after another, may wait to be worked out."""


class Owned:
    """``managedFields`` after a write, to be worked out."""

    __slots__ = ("before", "found", "links", "new", "old", "time", "writer")

    before: Any
    """What stood there before: entries, or what will be."""
    links: int

    def __init__(self, before: Any, old: Object, new: Object, writer: Manager, time: str) -> None:
        self.old, self.new, self.writer, self.time = old, new, writer, time
        self.found: list[Object] | None = None
        if isinstance(before, Owned) and before.found is None and before.writer == writer:
            self.old, before = before.old, before.before  # one after the other by the same: one write
        self.before = before
        self.links = before.links + 1 if isinstance(before, Owned) and before.found is None else 1
        if self.links > LONGEST:
            self.wire()

    def wire(self) -> list[Object]:
        """The entries."""
        if self.found is None:
            before = self.before.wire() if isinstance(self.before, Owned) else self.before or []
            if self.old or before or self.writer.subresource:
                self.found = _after(before, self.old, self.new, self.writer, self.time)
            else:
                self.found = _created(self.new, self.writer, self.time)
            self.before = None
            self.old = self.new = {}
        return self.found

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Owned):
            return self is other or self.wire() == other.wire()
        return isinstance(other, list) and bool(other) and self.wire() == other

    __hash__ = None  # type: ignore[assignment]


def _after(entries: list[Object], old: Object, new: Object, writer: Manager, time: str) -> list[Object]:
    """The entries after a write. Only what differs is looked at: who owns the rest owns it still."""
    differs = {key for key in new if key not in ABOUT and new[key] is not old.get(key) and new[key] != old.get(key)}
    if _marks(new) != _marks(old):
        differs.add("metadata")
    touched, rest = list[Object](), dict[Manager, Object]()
    for entry in entries:
        fields = entry["fieldsV1"]
        [who] = managedfields.read({"metadata": {"managedFields": [{**entry, "fieldsV1": {}}]}})
        rest[who] = {word: below for word, below in fields.items() if word[2:] not in differs}
        touched.append({**entry, "fieldsV1": {w: below for w, below in fields.items() if w not in rest[who]}})
    managers = managedfields.read({"metadata": {"managedFields": touched}})
    was, shown = ({k: o[k] for k in sorted(differs) if k in o} for o in (old, new))
    of = schema_of(writer.api_version, new["kind"])
    found = managedfields.entries(managedfields.after(managers, was, shown, writer, time, of), rest)
    return [{**entry, "fieldsV1": _shared(entry["fieldsV1"])} for entry in found]


_kept: dict[tuple[Any, ...], Object] = {}


def _shared(fields: Object) -> Object:
    """Fields that equal others, as one dict with them: the pods of a cluster own much the same."""
    if len(_kept) > 4096:
        _kept.clear()
    out = {word: _shared(below) for word, below in fields.items()}
    return _kept.setdefault(tuple((word, id(below)) for word, below in out.items()), out)


_made: dict[str, Object] = {}


def _created(new: Object, writer: Manager, time: str) -> list[Object]:
    """The entry of whoever makes an object. Replicas are made alike, but for their names."""
    alike = {key: value for key, value in new.items() if key not in ("metadata", "status")}
    text = json.dumps([alike, _marks(new), writer.api_version])
    if len(_made) > 256:
        _made.clear()
    if text not in _made:
        [entry] = _after([], {}, {**new, "status": None}, writer, time) or [{}]
        _made[text] = entry
    return [{**_made[text], "manager": writer.name, "time": time}] if _made[text] else []


def signed(new: Object, old: Object | None, cause: Cause | None, time: str) -> Object:
    """What is to be stored, with what says who owns its fields. What a client wrote says so already."""
    before = None if old is None else old["metadata"].get("managedFields")
    found = given = new["metadata"].get("managedFields")
    if schema_of(new["apiVersion"], new["kind"]) is None:
        return new
    if given is None or given is before:
        for writer, was, shown in _writes(new, old or {}, cause):
            found = Owned(found, was, shown, writer, time)
    if old is None and new["kind"] == "Node":
        bare = {key: value for key, value in new.items() if key not in ("spec", "status")}
        found = Owned(found, bare, new, Manager(CONTROLLERS, UPDATE, "v1"), time)
        found = Owned(found, bare, new, Manager(KUBELET, UPDATE, "v1", "status"), time)
    return new if found is given else {**new, "metadata": {**new["metadata"], "managedFields": found}}


def _writes(new: Object, old: Object, cause: Cause | None) -> Iterator[tuple[Manager, Object, Object]]:
    """Who has written: (who and in which way, before, after)."""
    kind, version, name = new["kind"], new["apiVersion"], _name(new, old, cause)
    meant = [key for key in new if key not in ABOUT and new[key] != old.get(key)]
    if not name or not (meant or _marks(new) != _marks(old)) or (old and _by_the_server(new, old)):
        return
    if kind == "Event" and name == SCHEDULER:
        shown = event_of_events(new)
        yield Manager(name, UPDATE, shown["apiVersion"]), event_of_events(old) if old else old, shown
    elif not old:
        if any(new.get(key) for key in meant if key != "status") or any(_marks(new)):
            yield Manager(name, UPDATE, version), old, _as_sent(new)
    elif meant == ["status"]:
        yield Manager(name, UPDATE, version, "status"), old, new
    else:
        scales = name == KUBECTL or (cause is not None and "podautoscaler" in RULES[cause.rule].source)
        count = {"replicas": new.get("spec", {}).get("replicas")}
        scaled = scales and kind in SCALED and meant == ["spec"] and {**old["spec"], **count} == new["spec"]
        yield Manager(name, UPDATE, version, "scale" if scaled else ""), old, new


def _by_the_server(new: Object, old: Object) -> bool:
    """Whether it is a binding, or the mark of a deletion: nobody owns those."""
    if "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]:
        return True
    return bool(new["kind"] == "Pod" and new["spec"].get("nodeName") != old["spec"].get("nodeName"))


def _as_sent(new: Object) -> Object:
    """An object that is made as who makes it has sent it: with a pod's defaults, and a Node without its network."""
    if new["kind"] == "Node":
        return {key: value for key, value in new.items() if key != "spec"}
    return new if new["kind"] != "Pod" else {**new, "spec": pod_only(new["spec"])}


def _name(new: Object, old: Object, cause: Cause | None) -> str:
    """Who has written; '' is the API server on behalf of somebody."""
    if new["kind"] == "Event":
        source = (new.get("source") or {}).get("component") or new.get("reportingComponent")
        return REPORTERS.get(source or "", CONTROLLERS)
    if new["kind"] in UNCAUSED and (cause is None or not RULES[cause.rule].source):
        return UNCAUSED[new["kind"]]
    if cause is None:
        return APISERVER
    source = RULES[cause.rule].source
    if not source:
        return APPLY if _applied(new) != _applied(old) else KUBECTL
    return next((name for place, name in WRITERS.items() if source.startswith(place)), "")


def _applied(obj: Object) -> Any:
    return ((obj.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)


def _marks(obj: Object) -> list[Any]:
    """What of the metadata can have an owner."""
    meta = obj.get("metadata") or {}
    return [meta.get(m) for m in ("labels", "annotations", "finalizers", "ownerReferences", "generateName")]
